package simulate

import (
	"fmt"
	"math"
	"testing"
)

// The mean and the variance of 400,000 draws lie within five standard errors of
// theory: μ, and μ + φμ². The standard error of a variance is that of any law,
// σ² √((2 + excess kurtosis)/n), with the negative binomial's excess 6φ + 1/σ².
func TestNegativeBinomialMoments(t *testing.T) {
	const n = 400_000
	for i, tc := range []struct{ mu, phi float64 }{
		{0.01, 0},
		{0.5, 0},
		{3, 0},
		{31.9, 0},
		{32.1, 0},
		{500, 0},
		{1e6, 0},
		{0.05, 0.15},
		{1, 0.15},
		{5, 0.5},
		{20, 2},
		{31.9, 0.15},
		{32.1, 0.15},
		{100, 0.01},
		{300, 0.3},
		{200, 3},
		{1e5, 0.1},
	} {
		t.Run(fmt.Sprintf("mu=%g phi=%g", tc.mu, tc.phi), func(t *testing.T) {
			t.Parallel()
			s := newStream(uint64(i), forCounts, 0)
			sum, squares := 0.0, 0.0
			for range n {
				// Centred on the mean, the squares keep their digits.
				d := float64(negativeBinomial(s.next(), tc.mu, tc.phi)) - tc.mu
				sum += d
				squares += d * d
			}
			variance := tc.mu + tc.phi*tc.mu*tc.mu
			if z := sum / n / math.Sqrt(variance/n); math.Abs(z) > 5 {
				t.Errorf("the mean is %.1f standard errors off", z)
			}
			got := squares/n - sum/n*sum/n
			se := variance * math.Sqrt((2+6*tc.phi+1/variance)/n)
			if z := (got - variance) / se; math.Abs(z) > 5 {
				t.Errorf("variance %g, want %g: %.1f standard errors off", got, variance, z)
			}
		})
	}
}

// The frequencies of the counts follow the probabilities, by chi-square over the
// counts that 200,000 draws show often enough. It is within five standard deviations,
// √(2 df), of its mean df.
func TestNegativeBinomialFrequencies(t *testing.T) {
	const n = 200_000
	for i, tc := range []struct{ mu, phi float64 }{{0.3, 0}, {2, 0.2}, {8, 1}, {40, 0.05}, {60, 0}} {
		freq := map[int32]float64{}
		s := newStream(uint64(i), forCounts, 9)
		for range n {
			freq[negativeBinomial(s.next(), tc.mu, tc.phi)]++
		}
		chi, df := 0.0, 0.0
		for k := range int32(400) {
			want := n * pmf(float64(k), tc.mu, tc.phi)
			if want < 20 {
				continue
			}
			d := freq[k] - want
			chi += d * d / want
			df++
		}
		if math.Abs(chi-df) > 5*math.Sqrt(2*df) {
			t.Errorf("mu %g, phi %g: chi-square %.1f on %g", tc.mu, tc.phi, chi, df)
		}
	}
}

// pmf is the negative binomial probability of k, by package math.
func pmf(k, mu, phi float64) float64 {
	lf, _ := math.Lgamma(k + 1)
	if phi == 0 {
		return math.Exp(k*math.Log(mu) - mu - lf)
	}
	r := 1 / phi
	a, _ := math.Lgamma(k + r)
	b, _ := math.Lgamma(r)
	return math.Exp(a - b - lf + r*math.Log(r/(r+mu)) + k*math.Log(mu/(r+mu)))
}

// The same word never gives a smaller count for a larger mean.
func TestNegativeBinomialIsMonotone(t *testing.T) {
	s := newStream(3, forCounts, 0)
	for range 2000 {
		x := s.next()
		last := int32(0)
		for mu := 0.01; mu < inversionLimit; mu *= 1.3 {
			k := negativeBinomial(x, mu, 0.2)
			if k < last {
				t.Fatalf("word %#x: count %d at mean %g, %d at a smaller one", x, k, mu, last)
			}
			last = k
		}
	}
}

// The ends of the range of words, and means past what 32 bits hold, end well.
func TestNegativeBinomialEnds(t *testing.T) {
	for _, x := range []uint64{0, 1, math.MaxUint64, 1 << 63} {
		for _, mu := range []float64{0, 1e-300, 0.1, 1, 31, 33, 1e4, 1e12} {
			for _, phi := range []float64{0, 1e-7, 0.1, 10} {
				if k := negativeBinomial(x, mu, phi); k < 0 {
					t.Errorf("word %#x, mean %g, dispersion %g: count %d", x, mu, phi, k)
				}
			}
		}
	}
	if k := negativeBinomial(0, math.NaN(), 0.1); k != 0 {
		t.Errorf("mean NaN: count %d", k)
	}
}
