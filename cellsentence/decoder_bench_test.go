package cellsentence_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/cellsentence"
)

// BenchmarkDecode decodes sentences of about 2,000 of 20,000 genes, the task of
// which cell2sentence 1.2.0 does 246 cells/s on two processors.
func BenchmarkDecode(b *testing.B) {
	const genes, cells = 20_000, 512
	words := make([]string, genes)
	for i := range words {
		words[i] = fmt.Sprintf("GENE%05d", i)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	var sentences []string
	for range cells {
		s := make([]string, 1500+rng.IntN(1000))
		for i, g := range rng.Perm(genes)[:len(s)] {
			s[i] = words[g]
		}
		sentences = append(sentences, strings.Join(s, " "))
	}
	for _, model := range []*cellsentence.RankModel{falling, conditional()} {
		for _, workers := range []int{1, 2} {
			b.Run(fmt.Sprintf("%s/workers=%d", model.Kind, workers), func(b *testing.B) {
				d := mustDecoder(b, words, cellsentence.DecoderConfig{Model: model, Workers: workers})
				for b.Loop() {
					for _, err := range d.Decode(context.Background(), batches(sentences, 256)) {
						if err != nil {
							b.Fatal(err)
						}
					}
				}
				b.ReportMetric(float64(cells*b.N)/b.Elapsed().Seconds(), "cells/s")
			})
		}
	}
}
