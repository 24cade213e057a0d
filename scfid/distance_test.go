package scfid_test

import (
	"context"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/cellsentence/c2s/scfid"
)

// diagonal is a covariance.
func diagonal(v ...float64) []float64 {
	c := make([]float64, len(v)*len(v))
	for i, x := range v {
		c[i*len(v)+i] = x
	}
	return c
}

// Cases whose distance is known by hand.
func TestDistanceByHand(t *testing.T) {
	for _, c := range []struct {
		name           string
		mean1, cov1    []float64
		mean2, cov2    []float64
		mean, cov      float64
		method         scfid.Method
		absolute       float64 // tolerance; the values are of order one
		relativeFactor float64
	}{
		{
			name:  "shifted identity: the squared shift",
			mean1: []float64{0, 0, 0}, cov1: diagonal(1, 1, 1), mean2: []float64{3, 0, 4}, cov2: diagonal(1, 1, 1),
			mean: 25, cov: 0, method: scfid.Cholesky, absolute: 1e-14,
		},
		{
			name:  "scaled identity: d(√a−√b)²",
			mean1: []float64{0, 0}, cov1: diagonal(4, 4), mean2: []float64{0, 0}, cov2: diagonal(9, 9),
			mean: 0, cov: 2, method: scfid.Cholesky, absolute: 1e-13,
		},
		{
			name:  "commuting covariances: Σ(√a−√b)²",
			mean1: []float64{1, 1}, cov1: diagonal(1, 16), mean2: []float64{1, 2}, cov2: diagonal(25, 4),
			mean: 1, cov: 16 + 4, method: scfid.Cholesky, absolute: 1e-13,
		},
		{
			name:  "rank deficient, equal null space",
			mean1: []float64{0, 0, 0}, cov1: diagonal(4, 9, 0), mean2: []float64{0, 0, 1}, cov2: diagonal(1, 1, 0),
			mean: 1, cov: 1 + 4, method: scfid.Eigen, absolute: 1e-13,
		},
		{
			name:  "rank deficient, one side only",
			mean1: []float64{0, 0}, cov1: diagonal(4, 0), mean2: []float64{0, 0}, cov2: diagonal(1, 9),
			mean: 0, cov: 1 + 9, method: scfid.Eigen, absolute: 1e-13,
		},
		{
			name:  "orthogonal supports: the sum of the traces",
			mean1: []float64{0, 0}, cov1: diagonal(4, 0), mean2: []float64{0, 0}, cov2: diagonal(0, 9),
			mean: 0, cov: 13, method: scfid.Eigen, absolute: 1e-13,
		},
		{
			name:  "condition 1e10 on both sides",
			mean1: []float64{0, 0}, cov1: diagonal(1, 1e-10), mean2: []float64{0, 0}, cov2: diagonal(4, 1e-10),
			mean: 0, cov: 1, method: scfid.CholeskySVD, absolute: 1e-14,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, b := stats(t, c.mean1, c.cov1), stats(t, c.mean2, c.cov2)
			for _, f := range []scfid.FD{distance(t, a, b), distance(t, b, a)} {
				if math.Abs(f.MeanTerm-c.mean) > c.absolute || math.Abs(f.CovTerm-c.cov) > c.absolute || f.Value != f.MeanTerm+f.CovTerm {
					t.Errorf("got %+v, want %g + %g", f, c.mean, c.cov)
				}
				if f.Method != c.method {
					t.Errorf("method %s, want %s", f.Method, c.method)
				}
			}
		})
	}
}

// oracle makes covariances S and M·S·M for a positive definite M, for which
// (S·MSM)^½ has the trace of M·S: the distance is known without any square root.
func oracle(r *rand.Rand, d int, condition float64) (s1, s2 []float64, trace float64) {
	half := func(power float64) *mat.Dense {
		// A random rotation, the product of reflections, of a spectrum from 1 down to
		// 1/condition.
		q := mat.NewDense(d, d, nil)
		for i := range d {
			q.Set(i, i, 1)
		}
		for range 3 {
			v := mat.NewVecDense(d, nil)
			for i := range d {
				v.SetVec(i, r.NormFloat64())
			}
			var w mat.VecDense
			w.MulVec(q, v)
			q.RankOne(q, -2/mat.Dot(v, v), &w, v)
		}
		scaled := mat.DenseCopyOf(q)
		for i := range d {
			for j := range d {
				scaled.Set(i, j, q.At(i, j)*math.Pow(condition, -power*float64(j)/float64(max(1, d-1))))
			}
		}
		var out mat.Dense
		out.Mul(scaled, q.T())
		return &out
	}
	symmetric := func(m *mat.Dense) []float64 {
		out := make([]float64, d*d)
		for i := range d {
			for j := range d {
				out[i*d+j] = (m.At(i, j) + m.At(j, i)) / 2
			}
		}
		return out
	}
	s, m := half(1), half(0.5)
	var ms, msm mat.Dense
	ms.Mul(m, s)
	msm.Mul(&ms, m)
	return symmetric(s), symmetric(&msm), mat.Trace(&ms)
}

func TestDistanceOfOracle(t *testing.T) {
	for _, c := range []struct {
		d         int
		condition float64
		rel       float64
	}{
		// Rounding of the inputs alone moves the trace by some 1e-16 · √condition.
		{2, 10, 1e-13},
		{64, 1e2, 1e-13},
		{64, 1e5, 1e-12},
		{512, 1e2, 1e-12},
		{512, 1e4, 1e-11},
		{2304, 1e2, 1e-11},
	} {
		if c.d > 1000 && testing.Short() {
			continue
		}
		s1, s2, trace := oracle(source(uint64(c.d)), c.d, c.condition)
		a, b := stats(t, make([]float64, c.d), s1), stats(t, make([]float64, c.d), s2)
		want := -2 * trace
		for i := range c.d {
			want += s1[i*c.d+i] + s2[i*c.d+i]
		}
		f := distance(t, a, b)
		near(t, "oracle", f.Value, want, c.rel)
		t.Logf("d %d condition %g: %s, relative error %.2g", c.d, c.condition, f.Method, math.Abs(f.Value-want)/want)
	}
}

// Equal sets have distance 0, and any set the same distance both ways, whichever
// way it is computed.
func TestDistanceIsZeroForEqualSetsAndSymmetric(t *testing.T) {
	for _, c := range []struct {
		name string
		n, d int
	}{{"low rank", 30, 64}, {"n = d", 64, 64}, {"barely full rank", 66, 64}, {"full rank", 600, 64}, {"one row more than two", 3, 2}} {
		r := source(uint64(c.n))
		x := normal(r, c.n, powerLaw(c.d), nil)
		y := normal(r, c.n+7, powerLaw(c.d), func(int) float64 { return 0.1 })
		a, b := prepare(t, x, c.d), prepare(t, y, c.d)
		trace := 0.0
		for _, v := range powerLaw(c.d) {
			trace += v * v
		}
		if f := distance(t, a, a); f.Value < 0 || f.Value > 1e-9*trace {
			t.Errorf("%s: equal sets: %+v", c.name, f)
		}
		f, g := distance(t, a, b), distance(t, b, a)
		near(t, c.name+" symmetric", f.Value, g.Value, 1e-12)
	}
}

// The same rows, as rows and as statistics, with more and with fewer rows than
// dimensions: four routes, one number.
func TestRoutesAgree(t *testing.T) {
	const d = 40
	r := source(9)
	for _, n := range [][2]int{{20, 25}, {20, 300}, {300, 25}, {300, 400}} {
		x := normal(r, n[0], powerLaw(d), nil)
		y := normal(r, n[1], ones(d), func(int) float64 { return 0.5 })
		direct := distance(t, prepare(t, x, d), prepare(t, y, d))
		var sides [2]*scfid.Sample
		for i, v := range [][]float64{x, y} {
			m, err := scfid.Summarise(context.Background(), rows(t, v, d), 0)
			if err != nil {
				t.Fatal(err)
			}
			if sides[i], err = scfid.FromMoments(context.Background(), m, 0); err != nil {
				t.Fatal(err)
			}
		}
		byStats := distance(t, sides[0], sides[1])
		near(t, string(direct.Method)+" against "+string(byStats.Method), byStats.Value, direct.Value, 1e-12)
	}
}

func TestBadStatistics(t *testing.T) {
	for name, c := range map[string]struct {
		n         int
		mean, cov []float64
		want      string
	}{
		"shape":         {0, []float64{1, 2}, []float64{1, 2}, "2 × 2"},
		"one cell":      {1, []float64{1}, []float64{1}, "1 cells"},
		"nan":           {0, []float64{1, 2}, []float64{1, 0, 0, math.NaN()}, "NaN"},
		"infinite mean": {0, []float64{1, math.Inf(1)}, []float64{1, 0, 0, 1}, "infinity"},
		"asymmetric":    {0, []float64{1, 2}, []float64{1, 0.5, 0.4, 1}, "not symmetric"},
		"indefinite":    {0, []float64{1, 2}, []float64{1, 2, 2, 1}, "not positive semi-definite"},
		"negative":      {0, []float64{1, 2}, []float64{-1, 0, 0, -1}, "not positive semi-definite"},
	} {
		m, err := scfid.NewMoments(c.n, c.mean, c.cov)
		if err == nil {
			_, err = scfid.FromMoments(context.Background(), m, 0)
		}
		if err == nil || !strings.Contains(err.Error(), c.want) || !badInput(err) {
			t.Errorf("%s: error %v, want bad input with %q", name, err, c.want)
		}
	}
	a, b := prepare(t, []float64{1, 2, 3, 4}, 2), prepare(t, []float64{1, 2, 3}, 1)
	if _, err := scfid.Distance(context.Background(), a, b); err == nil || !badInput(err) {
		t.Errorf("different dimensions: %v", err)
	}
	if _, err := scfid.Prepare(context.Background(), rows(t, []float64{1, 2}, 2), 0); err == nil || !badInput(err) {
		t.Errorf("one row: %v", err)
	}
}

func badInput(err error) bool {
	b, ok := err.(interface{ BadInput() bool })
	return ok && b.BadInput()
}
