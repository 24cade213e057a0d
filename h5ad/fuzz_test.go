package h5ad_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/cellsentence/c2s/h5ad"
)

// FuzzNewReader reads all of damaged files: errors are fine; panics, hangs and
// memory that the file cannot justify are not. Fuzz it with -fuzzminimizetime=1x:
// the seeds are large.
func FuzzNewReader(f *testing.F) {
	files, _ := filepath.Glob(filepath.Join("..", "testdata", "*.h5ad"))
	for _, path := range files {
		b, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		if len(b) <= 100_000 {
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 200_000 {
			return
		}
		ctx := context.Background()
		r, err := h5ad.NewReader(ctx, bytes.NewReader(b), int64(len(b)), "fuzz", h5ad.Options{Workers: 1})
		if err != nil {
			return
		}
		if _, err := r.Summarise(ctx); err != nil {
			t.Fatal(err) // what cannot be read is a warning
		}
		for _, df := range []*h5ad.DataFrame{r.Obs(), r.Var()} {
			_, _ = df.Index(ctx)
			for _, name := range df.Names {
				c, err := df.Column(ctx, name)
				if err != nil {
					continue
				}
				for i := range min(c.Rows(), 100) {
					c.Text(i)
				}
			}
		}
		if x, err := r.X(); err == nil {
			for b, err := range x.All(ctx, h5ad.RowOptions{Budget: 1 << 20}) {
				if err != nil {
					break
				}
				if len(b.Indices) != int(b.Indptr[b.NObs()]) {
					t.Fatalf("%d indices, indptr ends with %d", len(b.Indices), b.Indptr[b.NObs()])
				}
			}
		}
		for _, part := range []string{"obsm", "uns"} {
			e, err := r.Aligned(ctx, part)
			if m, ok := e.(*h5ad.Mapping); ok && err == nil {
				for _, key := range m.Keys {
					_, _ = m.Get(ctx, key)
				}
			}
		}
	})
}
