package simulate

import (
	"math"
	"testing"
)

// ulps is the distance of two numbers of one sign in units in the last place.
func ulps(a, b float64) float64 {
	return math.Abs(float64(int64(math.Float64bits(a)) - int64(math.Float64bits(b))))
}

// Package math is the reference: it errs by less than one unit in the last place.
func TestExpLog(t *testing.T) {
	s := newStream(1, forDesign, 0)
	for range 200_000 {
		x := 1400*uniform(s.next()) - 700
		if d := ulps(exp(x), math.Exp(x)); d > 2 {
			t.Fatalf("exp(%v) is off by %v units in the last place", x, d)
		}
		x /= 350
		if d := ulps(exp(x), math.Exp(x)); d > 2 {
			t.Fatalf("exp(%v) is off by %v units in the last place", x, d)
		}
		y := math.Exp(1400*uniform(s.next()) - 700)
		if d := ulps(Log(y), math.Log(y)); d > 2 {
			t.Fatalf("log(%v) is off by %v units in the last place", y, d)
		}
		y = 0.5 + 1.5*uniform(s.next())
		if d := ulps(Log(y), math.Log(y)); d > 2 {
			t.Fatalf("log(%v) is off by %v units in the last place", y, d)
		}
	}
}

func TestElementaryLimits(t *testing.T) {
	for _, tc := range []struct {
		name      string
		got, want float64
	}{
		{"exp(0)", exp(0), 1},
		{"exp(-1000)", exp(-1000), 0},
		{"exp(-Inf)", exp(math.Inf(-1)), 0},
		{"exp(1000)", exp(1000), math.Inf(1)},
		{"exp(NaN)", exp(math.NaN()), math.NaN()},
		{"log(1)", Log(1), 0},
		{"log(0)", Log(0), math.Inf(-1)},
		{"log(-1)", Log(-1), math.NaN()},
		{"log(Inf)", Log(math.Inf(1)), math.Inf(1)},
		{"log(NaN)", Log(math.NaN()), math.NaN()},
		{"median", normalQuantile(0.5), 0},
	} {
		if tc.got != tc.want && !(math.IsNaN(tc.got) && math.IsNaN(tc.want)) {
			t.Errorf("%s = %v, want %v", tc.name, tc.got, tc.want)
		}
	}
}

func TestNormalQuantile(t *testing.T) {
	// Back through the complementary error function of package math. An error of one
	// unit in the last place of x is x² of them in the probability.
	for _, p := range []float64{1e-300, 1e-16, 1e-12, 1e-9, 1e-5, 0.01, 0.07, 0.0750001, 0.2, 0.4999, 0.6, 0.925, 0.93, 0.999} {
		x := normalQuantile(p)
		back := 0.5 * math.Erfc(-x/math.Sqrt2)
		if tol := 2e-15 * (1 + x*x); math.Abs(back-p) > tol*p {
			t.Errorf("quantile(%v) = %v, below which lies %v", p, x, back)
		}
	}
	// The check list printed with AS 241.
	for _, tc := range []struct{ p, want float64 }{
		{0.25, -0.6744897501960817},
		{0.001, -3.090232306167814},
		{1e-20, -9.262340089798408},
	} {
		if got := normalQuantile(tc.p); math.Abs(got-tc.want) > 1e-14*math.Abs(tc.want) {
			t.Errorf("quantile(%v) = %.17g, want %.17g", tc.p, got, tc.want)
		}
	}
}

func TestLogFactorial(t *testing.T) {
	for _, k := range []float64{0, 1, 2, 5, 9, 10, 11, 50, 1e3, 1e6, 1e9} {
		want, _ := math.Lgamma(k + 1)
		if got := logFactorial(k); math.Abs(got-want) > 1e-12*math.Max(1, want) {
			t.Errorf("ln %v! = %v, want %v", k, got, want)
		}
	}
}

func TestStream(t *testing.T) {
	// at and next are one sequence; streams of different purposes, rows and seeds
	// share no word.
	s := newStream(7, forCounts, 3)
	copied := s
	seen := map[uint64]bool{}
	for i := range uint64(1000) {
		if s.at(i) != copied.next() {
			t.Fatalf("word %d: at and next disagree", i)
		}
	}
	for seed := range uint64(3) {
		for what := forDesign; what <= forBarcodes; what++ {
			for id := range uint64(3) {
				s := newStream(seed, what, id)
				for i := range uint64(100) {
					x := s.at(i)
					if seen[x] {
						t.Fatalf("seed %d, purpose %d, id %d: word %d was seen before", seed, what, id, i)
					}
					seen[x] = true
				}
			}
		}
	}
}

// Words of neighbouring rows and neighbouring genes are not correlated: over 100,000
// pairs |r| stays below 5 standard errors (0.016).
func TestStreamNeighbours(t *testing.T) {
	const n = 100_000
	for _, tc := range []struct {
		name string
		at   func(i uint64) float64
	}{
		{"rows", func(i uint64) float64 { return uniform(newStream(1, forCounts, i).at(0)) }},
		{"genes", func(i uint64) float64 { return uniform(newStream(1, forCounts, 5).at(i)) }},
	} {
		r := 0.0
		for i := range uint64(n) {
			r += (tc.at(i) - 0.5) * (tc.at(i+1) - 0.5) * 12 / n
		}
		if math.Abs(r) > 5/math.Sqrt(n) {
			t.Errorf("%s: correlation %v", tc.name, r)
		}
	}
}
