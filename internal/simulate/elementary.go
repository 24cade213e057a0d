package simulate

import "math"

// The functions of this file stand in for those of package math, which give
// results that differ in the last bit between processors. Each product is
// converted to float64 before it is added to something: the language allows
// compilers to fuse x*y + z into one rounding otherwise (The Go Programming
// Language Specification, "Floating-point operators"), and some do.

// ln2High + ln2Low is ln 2 in two parts, of which the first has 21 zero bits at its
// end: its product with an exponent is exact (W. J. Cody and W. Waite, Software
// Manual for the Elementary Functions, 1980).
const (
	ln2High = 6.93147180369123816490e-01
	ln2Low  = 1.90821492927058770002e-10
)

// exp is e to the x, within 2 units in the last place between −708 and 709.
// Smaller x give 0, larger ones +Inf, NaN gives NaN.
func exp(x float64) float64 {
	switch {
	case x != x || x > 709:
		return x * math.Inf(1)
	case x < -708:
		return 0
	}
	k := math.Floor(float64(x*math.Log2E) + 0.5)
	r := x - float64(k*ln2High)
	r -= float64(k * ln2Low)
	// Taylor's series: with |r| ≤ ½ ln 2 the first term left out is below 5e-18.
	p := 1.0 / 6227020800
	for _, c := range expTerms {
		p = float64(p*r) + c
	}
	return p * math.Float64frombits(uint64(int64(k)+1023)<<52)
}

// expTerms holds 1/12! … 1/0!.
var expTerms = [...]float64{
	1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320, 1.0 / 5040,
	1.0 / 720, 1.0 / 120, 1.0 / 24, 1.0 / 6, 1.0 / 2, 1, 1,
}

// Log is the natural logarithm of a positive, normal x, within 2 units in the last
// place and the same on every processor. Zero and subnormal numbers give −Inf,
// negative ones NaN.
func Log(x float64) float64 {
	switch {
	case x < 0 || x != x:
		return math.NaN()
	case x < 0x1p-1022:
		return math.Inf(-1)
	case x > math.MaxFloat64:
		return x
	}
	bits := math.Float64bits(x)
	k := float64(int64(bits>>52) - 1023)
	m := math.Float64frombits(bits&(1<<52-1) | 1023<<52) // in [1, 2)
	if m > math.Sqrt2 {
		m /= 2
		k++
	}
	// ln m = 2 artanh(s): with |s| ≤ 0.1716 the first term left out is below 5e-18.
	f := m - 1
	s := f / (2 + f)
	z := float64(s * s)
	p := 1.0 / 21
	for _, c := range logTerms {
		p = float64(p*z) + c
	}
	// 2s = f − s·f keeps the leading term exact, where s has been rounded.
	tail := float64(s*f) - float64(float64(2*s)*float64(z*p))
	return float64(k*ln2High) + (f - (tail - float64(k*ln2Low)))
}

// logTerms holds 1/19, 1/17 … 1/3.
var logTerms = [...]float64{
	1.0 / 19, 1.0 / 17, 1.0 / 15, 1.0 / 13, 1.0 / 11, 1.0 / 9, 1.0 / 7, 1.0 / 5, 1.0 / 3,
}

// logFactorial is ln(k!) for k ≥ 0, to 1e-12 relative.
func logFactorial(k float64) float64 {
	if k < 10 {
		f := 1.0
		for i := 2.0; i <= k; i++ {
			f *= i
		}
		return Log(f)
	}
	// Stirling's series in n = k + 1 (Abramowitz and Stegun 6.1.41).
	n := k + 1
	z := 1 / float64(n*n)
	s := -1.0 / 1680
	s = float64(s*z) + 1.0/1260
	s = float64(s*z) - 1.0/360
	s = float64(s*z) + 1.0/12
	const halfLog2Pi = 0.91893853320467274178
	return float64((n-0.5)*Log(n)) - n + halfLog2Pi + s/n
}

// normalQuantile is the standard normal deviate below which lies the share p,
// 0 < p < 1, to about 1e-15 relative (M. J. Wichura, Algorithm AS 241, Applied
// Statistics 37:477, 1988: PPND16).
func normalQuantile(p float64) float64 {
	q := p - 0.5
	if math.Abs(q) <= 0.425 {
		r := 0.180625 - float64(q*q)
		return q * ratio(r, &normalCentre)
	}
	r := p
	if q > 0 {
		r = 1 - p
	}
	r = math.Sqrt(-Log(r))
	var x float64
	if r <= 5 {
		x = ratio(r-1.6, &normalMiddle)
	} else {
		x = ratio(r-5, &normalTail)
	}
	if q < 0 {
		return -x
	}
	return x
}

// rational is a quotient of two polynomials, highest power first.
type rational struct{ above, below [8]float64 }

func ratio(x float64, c *rational) float64 {
	a, b := c.above[0], c.below[0]
	for i := 1; i < len(c.above); i++ {
		a = float64(a*x) + c.above[i]
		b = float64(b*x) + c.below[i]
	}
	return a / b
}

// The coefficients of AS 241.
var (
	normalCentre = rational{
		above: [8]float64{
			2.5090809287301226727e+3, 3.3430575583588128105e+4, 6.7265770927008700853e+4, 4.5921953931549871457e+4,
			1.3731693765509461125e+4, 1.9715909503065514427e+3, 1.3314166789178437745e+2, 3.3871328727963666080,
		},
		below: [8]float64{
			5.2264952788528545610e+3, 2.8729085735721942674e+4, 3.9307895800092710610e+4, 2.1213794301586595867e+4,
			5.3941960214247511077e+3, 6.8718700749205790830e+2, 4.2313330701600911252e+1, 1,
		},
	}
	normalMiddle = rational{
		above: [8]float64{
			7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1, 1.27045825245236838258,
			3.64784832476320460504, 5.76949722146069140550, 4.63033784615654529590, 1.42343711074968357734,
		},
		below: [8]float64{
			1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2, 1.48103976427480074590e-1,
			6.89767334985100004550e-1, 1.67638483018380384940, 2.05319162663775882187, 1,
		},
	}
	normalTail = rational{
		above: [8]float64{
			2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3, 2.65321895265761230930e-2,
			2.96560571828504891230e-1, 1.78482653991729133580, 5.46378491116411436990, 6.65790464350110377720,
		},
		below: [8]float64{
			2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5, 7.86869131145613259100e-4,
			1.48753612908506148525e-2, 1.36929880922735805310e-1, 5.99832206555887937690e-1, 1,
		},
	}
)
