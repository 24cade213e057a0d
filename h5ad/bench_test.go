package h5ad_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/cellsentence/c2s/h5ad"
)

// BenchmarkReadCSR streams X of a file; MB/s counts the decoded values and
// indices. C2S_BENCH_FILE names another file than the one that is made here.
func BenchmarkReadCSR(b *testing.B) {
	path := os.Getenv("C2S_BENCH_FILE")
	if path == "" {
		path = filepath.Join(b.TempDir(), "bench.h5ad")
		if _, err := run(b, interpreters(b)[0], "bench", path); err != nil {
			b.Fatal(err)
		}
	}
	ctx := context.Background()
	var cells int
	for b.Loop() {
		f, err := h5ad.Open(ctx, path, h5ad.Options{})
		if err != nil {
			b.Fatal(err)
		}
		x, err := f.X()
		if err != nil {
			b.Fatal(err)
		}
		cells = 0
		for batch, err := range x.All(ctx, h5ad.RowOptions{}) {
			if err != nil {
				b.Fatal(err)
			}
			cells += batch.NObs()
		}
		b.SetBytes(8 * x.NNZ)
		f.Close()
	}
	b.ReportMetric(float64(cells)*float64(b.N)/b.Elapsed().Seconds(), "cells/s")
}
