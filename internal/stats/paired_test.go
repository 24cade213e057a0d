package stats_test

import (
	"math"
	"testing"

	"github.com/cellsentence/c2s/internal/stats"
)

// wave is a reproducible set of differences; a slope keeps their sizes apart.
func wave(n int, slope float64) []float64 {
	d := make([]float64, n)
	for i := range d {
		d[i] = float64((i*37)%101-45)/4 + slope*float64(i)
	}
	return d
}

// Values of scipy.stats.wilcoxon of SciPy 1.17.1: exact, by all permutations where
// ranks are tied, and approximate beyond 200 differences.
func TestSignedRank(t *testing.T) {
	for _, c := range []struct {
		name   string
		diff   []float64
		sum, p float64
	}{
		{"eight", []float64{1.5, -.5, 2.5, 3.5, -1, 4, 6, 7.5}, 33, 0.0390625},
		{"ties and a zero", []float64{1, 1, 2, -1, 3, 2, 0, -2}, 21, 0.328125},
		{"all above", []float64{1, 2, 3, 4, 5, 6}, 21, 0.03125},
		{"one", []float64{-1}, 0, 1},
		{"zeros", []float64{0, 0}, 0, math.NaN()},
		{"150", wave(150, 1e-4), 150*151/2 - 4616, 0.049502723617423916},
		{"300 with ties", wave(300, 0), 297*298/2 - 18025.5, 0.005628679514084809},
		{"300", wave(300, 1e-4), 300*301/2 - 18228, 0.003842942878592678},
	} {
		sum, p := stats.SignedRank(c.diff)
		// SciPy names the lesser of both sums: either may be the positive one's.
		if n := float64(count(c.diff)); sum != c.sum && n*(n+1)/2-sum != c.sum {
			t.Errorf("%s: sum %g, want %g", c.name, sum, c.sum)
		}
		// The shares are sums of up to 2¹⁵⁰ equal terms, rounded as often as there are sums.
		same(t, c.name, p, c.p, 1e-12)
	}
}

func count(diff []float64) int {
	n := 0
	for _, d := range diff {
		if d != 0 {
			n++
		}
	}
	return n
}

// The exact p-value is the share of signs, which a few differences let count one by one.
func TestSignedRankCountsSigns(t *testing.T) {
	diff := []float64{3, -1, 1, 4, -4, 2, 2, -2, 7, 5}
	ranks := stats.Ranks([]float64{3, 1, 1, 4, 4, 2, 2, 2, 7, 5})
	sum, p := stats.SignedRank(diff)
	low, high := 0, 0
	for signs := range 1 << len(diff) {
		s := 0.0
		for i, r := range ranks {
			if signs>>i&1 == 1 {
				s += r
			}
		}
		if s <= sum {
			low++
		}
		if s >= sum {
			high++
		}
	}
	if want := 2 * float64(min(low, high)) / 1024; p != want {
		t.Errorf("p %g, want %g", p, want)
	}
}

// By hand: of 0.01, 0.04, 0.03 the smallest counts three times, the next twice.
func TestHolm(t *testing.T) {
	got := stats.Holm([]float64{0.01, 0.04, math.NaN(), 0.03})
	for i, want := range []float64{0.03, 0.06, math.NaN(), 0.06} {
		same(t, "Holm", got[i], want, 1e-15)
	}
	same(t, "cut at 1", stats.Holm([]float64{0.6, 0.7})[0], 1, 0)
}

// The numbers of four values a side are worked out from the formula with the exact
// factor; with the usual 1 − 3/(4ν − 1) in its place it would be 4.041374.
func TestHedgesG(t *testing.T) {
	x, y := []float64{74, 72, 70, 76}, []float64{60, 58, 62, 64}
	same(t, "g", stats.HedgesG(x, y), 4.037012, 1e-7)
	same(t, "g the other way", stats.HedgesG(y, x), -4.037012, 1e-7)
	if g := stats.HedgesG([]float64{1, 1}, []float64{1, 1}); !math.IsNaN(g) {
		t.Errorf("of what does not vary: %g", g)
	}
	if g := stats.HedgesG([]float64{1}, x); !math.IsNaN(g) {
		t.Errorf("of one value: %g", g)
	}
}
