package scfid_test

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/cellsentence/c2s/scfid"
)

func source(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 2)) }

// normal is n rows of len(sd) independent normal numbers, shifted by shift.
func normal(r *rand.Rand, n int, sd []float64, shift func(j int) float64) []float64 {
	x := make([]float64, 0, n*len(sd))
	for range n {
		for j, s := range sd {
			v := s * r.NormFloat64()
			if shift != nil {
				v += shift(j)
			}
			x = append(x, v)
		}
	}
	return x
}

// powerLaw is standard deviations whose variances are 1, 1/2 … 1/d.
func powerLaw(d int) []float64 {
	sd := make([]float64, d)
	for i := range sd {
		sd[i] = 1 / math.Sqrt(float64(i+1))
	}
	return sd
}

func ones(d int) []float64 {
	sd := make([]float64, d)
	for i := range sd {
		sd[i] = 1
	}
	return sd
}

func rows(t testing.TB, x []float64, d int) scfid.Rows {
	t.Helper()
	m, err := scfid.NewMatrix(x, d)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func prepare(t testing.TB, x []float64, d int) *scfid.Sample {
	t.Helper()
	s, err := scfid.Prepare(context.Background(), rows(t, x, d), 0)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func stats(t testing.TB, mean, cov []float64) *scfid.Sample {
	t.Helper()
	m, err := scfid.NewMoments(0, mean, cov)
	if err != nil {
		t.Fatal(err)
	}
	s, err := scfid.FromMoments(context.Background(), m, 0)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func distance(t testing.TB, a, b *scfid.Sample) scfid.FD {
	t.Helper()
	f, err := scfid.Distance(context.Background(), a, b)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// near fails unless got is want to the relative tolerance rel.
func near(t testing.TB, name string, got, want, rel float64) {
	t.Helper()
	if math.Abs(got-want) > rel*math.Abs(want) || math.IsNaN(got) {
		t.Errorf("%s: got %.17g, want %.17g (relative error %.3g, allowed %g)", name, got, want, math.Abs(got-want)/math.Abs(want), rel)
	}
}
