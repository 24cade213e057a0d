package scfid_test

import (
	"context"
	"math"
	"slices"
	"testing"

	"github.com/cellsentence/c2s/scfid"
)

// A mean a hundred million times the standard deviation leaves the covariance
// alone.
func TestMomentsSurviveALargeMean(t *testing.T) {
	const n, d = 10_000, 3
	r := source(1)
	x := make([]float64, n*d)
	for i := range x {
		// Multiples of 2^-20: exact beside 1e8, so that both sets have equal covariances.
		x[i] = math.Round(r.NormFloat64()*(1<<20)) / (1 << 20)
	}
	far := slices.Clone(x)
	for i := range far {
		far[i] += 1e8
	}
	a, b := summarise(t, x, d), summarise(t, far, d)
	for i := range d {
		// The mean itself has an error of some 1e-16 · 1e8.
		if math.Abs(b.Mean[i]-1e8-a.Mean[i]) > 1e-7 {
			t.Errorf("mean %d: %g and %g", i, a.Mean[i], b.Mean[i]-1e8)
		}
		for j := range d {
			if math.Abs(a.Cov.At(i, j)-b.Cov.At(i, j)) > 1e-11 {
				t.Errorf("covariance %d,%d: %g and %g", i, j, a.Cov.At(i, j), b.Cov.At(i, j))
			}
		}
	}
}

func summarise(t testing.TB, x []float64, d int) *scfid.Moments {
	t.Helper()
	m, err := scfid.Summarise(context.Background(), rows(t, x, d), 0)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Any number of workers, pieces of any size and shards give the same bytes.
func TestMomentsAreTheSameBytes(t *testing.T) {
	const n, d = 9*scfid.BlockRows + 1234, 5
	x := normal(source(2), n, powerLaw(d), func(j int) float64 { return float64(j) })
	want := summarise(t, x, d)
	check := func(name string, m *scfid.Moments, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(name, err)
		}
		if m.N != want.N || !slices.Equal(m.Mean, want.Mean) || !slices.Equal(m.Cov.RawSymmetric().Data, want.Cov.RawSymmetric().Data) {
			t.Errorf("%s: other bytes", name)
		}
	}
	for _, workers := range []int{1, 3} {
		m, err := scfid.Summarise(context.Background(), rows(t, x, d), workers)
		check("workers", m, err)
	}
	pieces := scfid.NewAccumulator(d, 0, 1)
	for at := 0; at < n*d; {
		end := min(n*d, at+d*(1+at%7919))
		if err := pieces.Add(x[at:end]); err != nil {
			t.Fatal(err)
		}
		at = end
	}
	m, err := pieces.Moments()
	check("pieces", m, err)
	for _, cut := range [][]int{{1}, {3}, {4, 5}, {1, 2, 3, 4, 5, 6, 7, 8, 9}, {8}} {
		var whole *scfid.Accumulator
		from := 0
		for _, to := range append(slices.Clone(cut), 10) {
			shard := scfid.NewAccumulator(d, from*scfid.BlockRows, 1)
			if err := shard.Add(slices.Clone(x[from*scfid.BlockRows*d : min(n, to*scfid.BlockRows)*d])); err != nil {
				t.Fatal(err)
			}
			if from = to; whole == nil {
				whole = shard
			} else if err := whole.Merge(shard); err != nil {
				t.Fatal(err)
			}
		}
		m, err := whole.Moments()
		check("shards", m, err)
	}
}

func TestMergeRefusesWhatDoesNotFit(t *testing.T) {
	full := func(start int) *scfid.Accumulator {
		a := scfid.NewAccumulator(1, start, 1)
		if err := a.Add(make([]float64, scfid.BlockRows)); err != nil {
			t.Fatal(err)
		}
		return a
	}
	if err := full(0).Merge(full(0)); err == nil {
		t.Error("a shard that overlaps was merged")
	}
	if err := full(0).Merge(full(2 * scfid.BlockRows)); err == nil {
		t.Error("a shard after a gap was merged")
	}
	short := scfid.NewAccumulator(1, 0, 1)
	if err := short.Add([]float64{1, 2}); err != nil {
		t.Fatal(err)
	}
	if err := short.Merge(full(scfid.BlockRows)); err == nil {
		t.Error("a shard was merged after one that ends within a block")
	}
	if _, err := scfid.NewAccumulator(1, 0, 1).Moments(); err == nil || !badInput(err) {
		t.Errorf("no rows: %v", err)
	}
}
