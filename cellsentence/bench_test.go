package cellsentence

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// benchMatrix is cells of about 2,000 of 20,000 genes, sorted within a cell, most
// of them of the counts 1 and 2, as log-normalised values if asked to.
func benchMatrix(cells int, logs bool) (genes []string, m csr[float32]) {
	r := rand.New(rand.NewPCG(1, 2))
	level := make([]float64, 20000)
	for i := range level {
		genes = append(genes, fmt.Sprintf("GENE%d", i))
		level[i] = math.Exp(1.5 * r.NormFloat64())
	}
	for range cells {
		lo := len(m.cols)
		for c, l := range level {
			if r.Float64() < 0.034*l {
				m.put(int32(c), float32(1+math.Floor(r.ExpFloat64()*min(l/2, 50))))
			}
		}
		if logs {
			total := float32(0)
			for _, v := range m.vals[lo:] {
				total += v
			}
			for i, v := range m.vals[lo:] {
				m.vals[lo+i] = float32(math.Log1p(float64(v / total * 1e4)))
			}
		}
		m.end()
	}
	return genes, m
}

func BenchmarkEncode(b *testing.B) {
	for _, values := range []string{"counts", "logs", "continuous"} {
		const cells = 1000
		genes, m := benchMatrix(cells, values != "counts")
		if values == "continuous" {
			r := rand.New(rand.NewPCG(3, 4))
			for i := range m.vals {
				m.vals[i] *= 1 + r.Float32()/8
			}
		}
		for _, ties := range []Ties{TiesRandom, TiesPython, TiesIndex} {
			for _, k := range []int{0, 200} {
				b.Run(fmt.Sprintf("%s/%v/top=%d", values, ties, k), func(b *testing.B) {
					e := mustEncoder(b, genes, Config{Ties: ties, TopK: k, Seed: DefaultSeed})
					for b.Loop() {
						for _, err := range e.Encode(b.Context(), NewSliceSource(m.batch(), 128)) {
							if err != nil {
								b.Fatal(err)
							}
						}
					}
					ns := float64(b.Elapsed().Nanoseconds())
					b.ReportMetric(ns/float64(b.N*len(m.vals)), "ns/value")
					b.ReportMetric(float64(b.N*cells)/ns*1e9, "cells/s")
				})
			}
		}
	}
}

func BenchmarkNewEncoder(b *testing.B) {
	genes, _ := benchMatrix(0, false)
	genes = slices.Repeat(genes, 2)
	for b.Loop() {
		mustEncoder(b, genes, Config{Collisions: CollisionsSuffix})
	}
}
