package stats_test

import (
	"math"
	"slices"
	"testing"

	"github.com/cellsentence/c2s/internal/stats"
)

func same(t *testing.T, name string, got, want, rel float64) {
	t.Helper()
	if math.Abs(got-want) > rel*math.Abs(want) || math.IsNaN(got) != math.IsNaN(want) {
		t.Errorf("%s: got %.17g, want %.17g", name, got, want)
	}
}

// Values of scipy.stats.mannwhitneyu(method="asymptotic") of SciPy 1.10.1.
func TestMannWhitney(t *testing.T) {
	for _, c := range []struct {
		name string
		x, y []float64
		u, p float64
	}{
		{"no ties", []float64{1, 2, 3, 4, 5}, []float64{3.5, 4.5, 5.5, 6.5, 7.5}, 3, 0.06010280593886631},
		{"zeros", []float64{0, 0, 0, 1, 2, 0}, []float64{0, 1, 1, 2, 3, 4, 0}, 11.5, 0.17295491798842066},
		{"constant", []float64{2, 2, 2}, []float64{2, 2, 2, 2}, 6, 1},
		{"constant zero", []float64{0, 0, 0}, []float64{0, 0, 0, 0}, 6, 1},
		{"one", []float64{5}, []float64{0, 0, 1, 2}, 4, 0.27650048008343264},
	} {
		for _, sparse := range []bool{false, true} {
			x, y := slices.Clone(c.x), slices.Clone(c.y)
			if sparse {
				zero := func(v float64) bool { return v == 0 }
				x, y = slices.DeleteFunc(x, zero), slices.DeleteFunc(y, zero)
			}
			var pool stats.Pool
			pool.Reset(y, len(c.y))
			u, p := pool.MannWhitney(x, len(c.x))
			same(t, c.name+" U", u, c.u, 0)
			// A few units in the last place: SciPy's erfc is another one.
			same(t, c.name+" p", p, c.p, 1e-15)
		}
	}
	var pool stats.Pool
	pool.Reset(nil, 0)
	if _, p := pool.MannWhitney([]float64{1}, 1); !math.IsNaN(p) {
		t.Errorf("an empty reference gives p = %g", p)
	}
}

// U by counting pairs, with negative values and every kind of tie.
func TestMannWhitneyCountsPairs(t *testing.T) {
	var pool stats.Pool
	for seed := range 200 {
		draw := func(n, salt int) []float64 {
			x := make([]float64, n)
			for i := range x {
				x[i] = float64((i*i*7+i*salt+seed*13)%9 - 4)
			}
			return x
		}
		x, y := draw(5+seed%7, 3), draw(4+seed%11, 5)
		want := 0.0
		for _, a := range x {
			for _, b := range y {
				switch {
				case a > b:
					want++
				case a == b:
					want += 0.5
				}
			}
		}
		pool.Reset(y, len(y))
		got, _ := pool.MannWhitney(x, len(x))
		same(t, "U", got, want, 0)
	}
}

func TestAdjust(t *testing.T) {
	got := stats.Adjust([]float64{.01, .02, .03, .04, .5, 1})
	for i, want := range []float64{.06, .06, .06, .06, .6, 1} {
		same(t, "fdr", got[i], want, 3e-16)
	}
	got = stats.Adjust([]float64{math.NaN(), .5, .01})
	if !math.IsNaN(got[0]) || got[1] != .5 || got[2] != .02 {
		t.Errorf("with a NaN: %v", got)
	}
}

// Worked by hand: two ties in x and none in y.
func TestCorrelations(t *testing.T) {
	if got := stats.Ranks([]float64{3, 1, 3, -2}); !slices.Equal(got, []float64{3.5, 2, 3.5, 1}) {
		t.Errorf("ranks %v", got)
	}
	same(t, "pearson", stats.Pearson([]float64{1, 2, 3}, []float64{2, 4, 7}), 5/math.Sqrt(2*(38.0/3)), 3e-16)
	same(t, "spearman", stats.Spearman([]float64{1, 10, 100}, []float64{1, 2, 3}), 1, 0)
	if !math.IsNaN(stats.Pearson([]float64{1, 1}, []float64{1, 2})) || !math.IsNaN(stats.Pearson([]float64{1}, []float64{1})) {
		t.Error("a constant has a correlation")
	}
}
