package kernel

import "math"

// The exponential of float32 by Cody and Waite's reduction and the polynomial of
// the Cephes library (S. L. Moshier, expf): the relative error is below 2e-7.
const (
	expLow, expHigh = -87, 88 // arguments are cut to this range
	log2e           = 1.44269504088896341
	ln2High, ln2Low = 0.693359375, -2.12194440e-4
	exp0, exp1      = 1.9875691500e-4, 1.3981999507e-3
	exp2, exp3      = 8.3334519073e-3, 4.1665795894e-2
	exp4, exp5      = 1.6666665459e-1, 5.0000001201e-1
)

// Exp replaces each x by e to the x. Arguments are cut to −87 … 88.
func Exp(x []float32) {
	done := 0
	if simd {
		done = len(x) &^ 7
		if done > 0 {
			expVector(&x[0], done)
		}
	}
	for i := done; i < len(x); i++ {
		x[i] = expPlain(x[i])
	}
}

// expPlain rounds after each operation, as the assembly does.
func expPlain(x float32) float32 {
	// The order of operands makes NaN what the processor's instructions make of it.
	if !(x < expHigh) {
		x = expHigh
	}
	if !(x > expLow) {
		x = expLow
	}
	n := float32(math.RoundToEven(float64(float32(x * log2e))))
	r := x - float32(n*ln2High)
	r -= float32(n * ln2Low)
	p := float32(r*exp0) + exp1
	p = float32(p*r) + exp2
	p = float32(p*r) + exp3
	p = float32(p*r) + exp4
	p = float32(p*r) + exp5
	p = float32(float32(p*r)*r) + r
	p++
	return p * math.Float32frombits(uint32(int32(n)+127)<<23)
}

// SoftCap replaces each x by limit·tanh(x/limit), for a limit above 0.
func SoftCap(x []float32, limit float32) {
	twice := 2 / limit
	for i, v := range x {
		x[i] = v * twice
	}
	Exp(x)
	for i, e := range x {
		x[i] = float32(limit*(e-1)) / (e + 1)
	}
}

// GatedGelu replaces each gate g by gelu(g)·u, with the tanh form of the GELU
// (Hendrycks and Gimpel, arXiv 1606.08415). The scratch space is as long as gate.
func GatedGelu(gate, up, scratch []float32) {
	const c = 2 * 0.7978845608028654 // 2·sqrt(2/π): tanh y = 1 − 2/(e^2y + 1)
	for i, g := range gate {
		cube := float32(float32(0.044715*g)*g) * g
		scratch[i] = c * (g + cube)
	}
	Exp(scratch)
	for i, g := range gate {
		// (1 + tanh y) / 2 = 1 − 1/(e^2y + 1)
		gate[i] = g * (1 - 1/(scratch[i]+1)) * up[i]
	}
}
