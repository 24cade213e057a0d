package scfid_test

import (
	"context"
	"fmt"
	"log"
	"math/rand/v2"

	"github.com/cellsentence/c2s/scfid"
)

// sample is n cells of 4 dimensions with the given mean.
func sample(r *rand.Rand, n int, mean float64) scfid.Rows {
	x := make([]float64, 4*n)
	for i := range x {
		x[i] = mean + r.NormFloat64()
	}
	m, err := scfid.NewMatrix(x, 4)
	if err != nil {
		log.Fatal(err)
	}
	return m
}

// The distance with all that tells what it is worth.
func ExampleEvaluate() {
	r := rand.New(rand.NewPCG(1, 2))
	real := scfid.Side{Rows: sample(r, 1000, 0)}
	gen := scfid.Side{Rows: sample(r, 500, 0.5)} // true distance: 4 · 0.5² = 1
	result, err := scfid.Evaluate(context.Background(), real, gen, scfid.Config{Seed: 42})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("FD %.2f, floor %.2f, FD∞ %.2f, interval holds 1: %v, p %.3f\n",
		result.FD, result.BiasFloor, result.FDInfinity, result.CI[0] < 1 && result.CI[1] > 1, result.PermutationP)
	// Output: FD 0.90, floor 0.03, FD∞ 0.83, interval holds 1: true, p 0.001
}

// The bare distance between sets, each prepared once.
func ExampleDistance() {
	ctx := context.Background()
	real, err := scfid.NewMatrix([]float64{0, 0, 2, 0, 0, 2, 2, 2}, 2)
	if err != nil {
		log.Fatal(err)
	}
	gen, err := scfid.NewMatrix([]float32{3, 0, 5, 0, 3, 2, 5, 2}, 2)
	if err != nil {
		log.Fatal(err)
	}
	a, err := scfid.Prepare(ctx, real, 0)
	if err != nil {
		log.Fatal(err)
	}
	b, err := scfid.Prepare(ctx, gen, 0)
	if err != nil {
		log.Fatal(err)
	}
	f, err := scfid.Distance(ctx, a, b)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.3f = %.3f + %.3f (%s)\n", f.Value, f.MeanTerm, f.CovTerm, f.Method)
	// Output: 9.000 = 9.000 + 0.000 (cholesky)
}

// Shards of one set, each summed elsewhere, give what one run gives.
func ExampleAccumulator() {
	whole := scfid.NewAccumulator(1, 0, 0)
	second := scfid.NewAccumulator(1, scfid.BlockRows, 0)
	if err := whole.Add(make([]float64, scfid.BlockRows)); err != nil {
		log.Fatal(err)
	}
	if err := second.Add([]float64{4096, -4096}); err != nil {
		log.Fatal(err)
	}
	if err := whole.Merge(second); err != nil {
		log.Fatal(err)
	}
	m, err := whole.Moments()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d cells, mean %g, variance %.1f\n", m.N, m.Mean[0], m.Cov.At(0, 0))
	// Output: 4098 cells, mean 0, variance 8190.0
}

// Which of several models is nearest, and whether that can be said at all.
func ExampleCompare() {
	r := rand.New(rand.NewPCG(1, 2))
	c, err := scfid.Compare(context.Background(), scfid.Side{Rows: sample(r, 1000, 0)}, []scfid.Named{
		{Name: "new", Side: scfid.Side{Rows: sample(r, 500, 0.3)}},
		{Name: "old", Side: scfid.Side{Rows: sample(r, 700, 0.9)}},
	}, scfid.Config{})
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range c.Pairs {
		fmt.Printf("%s is nearer than %s: %v (%d cells each)\n", p.Nearer, p.Farther, p.Apart, c.N)
	}
	// Output: new is nearer than old: true (500 cells each)
}
