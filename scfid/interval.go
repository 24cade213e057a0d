package scfid

import (
	"context"
	"math"

	kernel "github.com/cellsentence/c2s/internal/blas"
)

// intervalFactor is how many times more cells than dimensions an interval needs on
// both sides: with fewer its coverage is not what it says (simulations in
// TestIntervalCovers).
const intervalFactor = 4

// estimate is the distance without its bias, and what its sampling error is made of.
type estimate struct {
	centre   float64   // 2·FD(n) − mean FD(n/2)
	real     []float64 // influence of each real cell, centred
	genShare float64   // variance that the generated cells contribute
}

// influence gives the estimate, or nil when a side has fewer than four times as
// many cells as dimensions or a covariance that is not safely positive definite.
// full is the distance between a and b, the prepared rows.
//
// The distance moves by the mean of ψ over the cells drawn: ψ_R(x) =
// 2(x−μ_R)ᵀ(μ_R−μ_G) + (x−μ_R)ᵀ(I−T)(x−μ_R), where T is the optimal transport map
// from the real to the generated normal distribution; for generated cells the
// roles change and T is inverted. A bootstrap over cells would not do: a resample
// has ties, which add a bias of the size of the one to be measured.
func (e *evaluation) influence(ctx context.Context, real, gen *pool, a, b *Sample, full float64, genDonors []string) (*estimate, error) {
	d := a.dim
	if min(a.n, b.n) < intervalFactor*d || a.form != byCholesky || b.form != byCholesky {
		return nil, nil
	}
	mean, err := e.halves(ctx, real, gen)
	if err != nil {
		return nil, err
	}
	toGen, toReal, err := maps(a, b)
	if err != nil {
		return nil, err
	}
	psiR, err := psi(ctx, real.rows, a, b, toGen)
	if err != nil {
		return nil, err
	}
	psiG, err := psi(ctx, gen.rows, b, a, toReal)
	if err != nil {
		return nil, err
	}
	return &estimate{centre: 2*full - mean, real: psiR, genShare: variance(psiG, genDonors)}, nil
}

// halves is the mean distance between random halves of both sides.
func (e *evaluation) halves(ctx context.Context, real, gen *pool) (float64, error) {
	sum := 0.0
	n, m := real.rows.Len(), gen.rows.Len()
	for k := range e.cfg.Splits {
		r1, r2, err := real.split(ctx, newDraws(e.cfg.Seed, forHalves, 2*k), n/2, n/2)
		if err != nil {
			return 0, err
		}
		g1, g2, err := gen.split(ctx, newDraws(e.cfg.Seed, forHalves, 2*k+1), m/2, m/2)
		if err != nil {
			return 0, err
		}
		for _, half := range [][2]*Sample{{r1, g1}, {r2, g2}} {
			f, err := Distance(ctx, half[0], half[1])
			if err != nil {
				return 0, err
			}
			sum += f.Value
		}
	}
	return sum / float64(2*e.cfg.Splits), nil
}

// maps gives W with WᵀW = T, the transport map from a to b, and the same for the
// way back. With S_a = RᵀR and R S_b Rᵀ = UΛUᵀ, T = R⁻¹UΛ^½UᵀR⁻ᵀ.
func maps(a, b *Sample) (forth, back []float64, err error) {
	d := a.dim
	u := sandwich(a, b)
	values, err := eigenvectors(u, d)
	if err != nil {
		return nil, nil, err
	}
	for _, v := range values {
		if v <= 0 {
			return nil, nil, badInput("a product of covariances is singular")
		}
	}
	// back = Λ^-¼UᵀR
	back = make([]float64, d*d)
	kernel.Multiply(a.workers, d, d, d, 1, kernel.Rows(u, d).T(), kernel.Rows(a.factor, d), back, d, kernel.All)
	// forth = (R⁻¹UΛ^¼)ᵀ
	solve(a.workers, a.factor, d, u, d)
	forth = make([]float64, d*d)
	for k, v := range values {
		root := math.Sqrt(math.Sqrt(v))
		for j := range d {
			back[k*d+j] /= root
			forth[k*d+j] = root * u[j*d+k]
		}
	}
	return forth, back, nil
}

// psi is the influence of each row of a set on its distance to another; its mean is
// taken away.
func psi(ctx context.Context, rows Rows, own, other *Sample, w []float64) ([]float64, error) {
	d := own.dim
	out := make([]float64, rows.Len())
	y := make([]float64, min(BlockRows, rows.Len())*d)
	err := blocks(ctx, rows, BlockRows, func(start int, x []float64) error {
		n := len(x) / d
		for i := range x {
			x[i] -= own.mean[i%d]
		}
		clear(y[:n*d])
		kernel.Multiply(own.workers, n, d, d, 1, kernel.Rows(x, d), kernel.Rows(w, d).T(), y, d, kernel.All)
		for i := range n {
			sum := 0.0
			for j, v := range x[i*d:][:d] {
				m := y[i*d+j]
				sum += float64(v*v) - float64(m*m) + float64(2*v*(own.mean[j]-other.mean[j]))
			}
			out[start+i] = sum
		}
		return nil
	})
	mean, _ := meanSD(out)
	for i := range out {
		out[i] -= mean
	}
	return out, err
}

// variance is that of the mean of centred values: independent cells, or cells of
// independent donors, whose values are summed first. NaN for a single donor.
func variance(psi []float64, donors []string) float64 {
	n := float64(len(psi))
	sums := psi
	if donors != nil {
		at := map[string]int{}
		sums = nil
		for i, d := range donors {
			k, known := at[d]
			if !known {
				k = len(sums)
				at[d] = k
				sums = append(sums, 0)
			}
			sums[k] += psi[i]
		}
	}
	total := 0.0
	for _, v := range sums {
		total += v * v
	}
	k := float64(len(sums))
	if k < 2 {
		return math.NaN()
	}
	return total / (n * n) * k / (k - 1)
}

// normal95 is the standard normal deviate of a two-sided 95 % interval.
const normal95 = 1.959963984540054

// interval is the 95 % interval and the standard error. The distance is never
// negative, so neither is its lower end.
func (s *estimate) interval(realDonors []string) (ci *[2]float64, se float64) {
	se = math.Sqrt(variance(s.real, realDonors) + s.genShare)
	if math.IsNaN(se) {
		return nil, se
	}
	return &[2]float64{max(0, s.centre-normal95*se), max(0, s.centre+normal95*se)}, se
}
