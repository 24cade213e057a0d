package scaling

import "math"

// Point is the reward of held-out prompts after some compute.
type Point struct {
	Compute float64 `json:"compute"` // at least 0
	Reward  float64 `json:"reward"`  // a mean pass rate, or another mean between 0 and 1
}

// Curve is a saturating sigmoid.
type Curve struct {
	R0  float64 `json:"r0"` // at no compute
	A   float64 `json:"a"`  // at infinite compute
	B   float64 `json:"b"`
	Mid float64 `json:"c_mid"` // in the unit of compute
}

// At is the curve's reward after compute c.
func (k Curve) At(c float64) float64 { return k.R0 + (k.A-k.R0)*rise(c, k.B, k.Mid) }

// rise is the share of the gain that is reached.
func rise(c, b, mid float64) float64 {
	if c <= 0 {
		return 0
	}
	return 1 / (1 + math.Pow(mid/c, b))
}

// problem is the least squares of a curve on points whose R0 is known. For given B and
// Mid the best A has a closed form, which leaves two parameters.
type problem struct {
	points []Point
	r0     float64
	a      float64 // where it is held; NaN where it is free
}

// The bounds of B and the factor by which Mid may lie outside of the points' compute.
// The exponents published are 1.07 to 2.44.
const (
	minB, maxB = 0.05, 20
	beyond     = 30
)

// shape is ln B and ln Mid.
type shape [2]float64

func (p *problem) bound(s shape) shape {
	lo, hi := p.points[0].Compute, p.points[len(p.points)-1].Compute
	s[0] = min(max(s[0], math.Log(minB)), math.Log(maxB))
	s[1] = min(max(s[1], math.Log(lo/beyond)), math.Log(hi*beyond))
	return s
}

// curve is the best curve of a shape.
func (p *problem) curve(s shape) Curve {
	k := Curve{R0: p.r0, A: p.a, B: math.Exp(s[0]), Mid: math.Exp(s[1])}
	if !math.IsNaN(p.a) {
		return k
	}
	num, den := 0.0, 0.0
	for _, v := range p.points {
		f := rise(v.Compute, k.B, k.Mid)
		num += f * (v.Reward - p.r0)
		den += f * f
	}
	if k.A = p.r0; den > 0 {
		k.A += num / den
	}
	k.A = min(max(k.A, 0), 1)
	return k
}

// residuals fills r and returns the sum of squares.
func (p *problem) residuals(s shape, r []float64) float64 {
	k, sum := p.curve(s), 0.0
	for i, v := range p.points {
		r[i] = v.Reward - k.At(v.Compute)
		sum += r[i] * r[i]
	}
	return sum
}

// The coarse grid: factors of about 1.2 between its values.
const gridB, gridMid = 24, 60

// solve searches the coarse grid and refines its best places.
func (p *problem) solve() (shape, float64) {
	r := make([]float64, len(p.points))
	type place struct {
		s   shape
		sum float64
	}
	// The valley of the sum of squares is long and bent: the best of each B is refined
	// a little, the best of these to the end.
	lo, hi := math.Log(p.points[0].Compute/beyond), math.Log(p.points[len(p.points)-1].Compute*beyond)
	best := place{sum: math.Inf(1)}
	for i := range gridB {
		row := place{sum: math.Inf(1)}
		b := math.Log(0.2) + float64(i)/(gridB-1)*math.Log(12/0.2)
		for j := range gridMid {
			s := shape{b, lo + float64(j)/(gridMid-1)*(hi-lo)}
			if sum := p.residuals(s, r); sum < row.sum {
				row = place{s, sum}
			}
		}
		if row.sum < best.sum {
			best = row
		}
	}
	return p.refine(best.s)
}

// refine goes to the minimum near a shape by Levenberg's and Marquardt's method.
func (p *problem) refine(s shape) (shape, float64) {
	n := len(p.points)
	r, up, down := make([]float64, n), make([]float64, n), make([]float64, n)
	s = p.bound(s)
	sum := p.residuals(s, r)
	const step = 1e-5 // in ln B and ln Mid, for central differences
	damping := 1e-3
	for range 60 {
		var jac [2][]float64
		for q := range jac {
			hi, lo := s, s
			hi[q] += step
			lo[q] -= step
			p.residuals(hi, up)
			p.residuals(lo, down)
			jac[q] = make([]float64, n)
			for i := range jac[q] {
				jac[q][i] = (up[i] - down[i]) / (2 * step)
			}
		}
		var h [2][2]float64
		var g [2]float64
		for i := range n {
			for a := range 2 {
				g[a] += jac[a][i] * r[i]
				for b := range 2 {
					h[a][b] += jac[a][i] * jac[b][i]
				}
			}
		}
		moved := false
		for range 12 {
			m00, m11 := h[0][0]*(1+damping)+1e-18, h[1][1]*(1+damping)+1e-18
			det := m00*m11 - h[0][1]*h[1][0]
			if !(det > 0) {
				damping = damping*10 + 1e-9
				continue
			}
			// A step of more than a factor e is beyond what the derivatives know.
			next := p.bound(shape{
				s[0] - clip((m11*g[0]-h[0][1]*g[1])/det),
				s[1] - clip((m00*g[1]-h[1][0]*g[0])/det),
			})
			if v := p.residuals(next, up); v < sum {
				moved = sum-v > 1e-13*sum
				s, sum = next, v
				copy(r, up)
				damping /= 10
				break
			}
			damping = damping*10 + 1e-9
		}
		if !moved {
			break
		}
	}
	return s, sum
}

func clip(v float64) float64 { return min(max(v, -1), 1) }
