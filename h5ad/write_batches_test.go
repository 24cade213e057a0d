package h5ad_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/cellsentence/c2s/h5ad"
)

// TestBatchesDoNotMatter writes a matrix of several chunks in batches of different
// sizes: the bytes of the file are the same.
func TestBatchesDoNotMatter(t *testing.T) {
	const rows, genes = 3000, 200
	r := rand.New(rand.NewPCG(1, 2))
	all := h5ad.Batch{Indptr: []int64{0}}
	var values []float32
	for range rows {
		for g := range genes {
			if r.IntN(4) > 0 {
				all.Indices, values = append(all.Indices, int32(g)), append(values, float32(r.IntN(100)))
			}
		}
		all.Indptr = append(all.Indptr, int64(len(values)))
	}
	write := func(path, method string, size func() int) []byte {
		w, err := h5ad.Create(path, h5ad.WriteOptions{Compression: h5ad.Compression{Method: method}})
		if err != nil {
			t.Fatal(err)
		}
		defer w.Abort()
		x, err := w.Matrix(t.Context(), "X", h5ad.MatrixSpec{NObs: -1, NVars: genes})
		if err != nil {
			t.Fatal(err)
		}
		for lo := 0; lo < rows; {
			hi := min(rows, lo+size())
			from, to := all.Indptr[lo], all.Indptr[hi]
			b := h5ad.Batch{Indices: all.Indices[from:to], Values: values[from:to]}
			for _, p := range all.Indptr[lo : hi+1] {
				b.Indptr = append(b.Indptr, p-from)
			}
			if err := x.Append(t.Context(), &b); err != nil {
				t.Fatal(err)
			}
			lo = hi
		}
		if err := x.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, frame := range []struct {
			key string
			n   int
		}{{"obs", rows}, {"var", genes}} {
			index := make([]string, frame.n)
			for i := range index {
				index[i] = fmt.Sprint(i)
			}
			df, err := h5ad.NewDataFrame(index)
			if err == nil {
				err = w.Set(t.Context(), frame.key, df)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	dir := t.TempDir()
	for _, method := range []string{"", "gzip", "lzf"} {
		want := write(filepath.Join(dir, "whole"+method+".h5ad"), method, func() int { return rows })
		for name, size := range map[string]func() int{"one": func() int { return 1 }, "256": func() int { return 256 }, "any": func() int { return 1 + r.IntN(900) }} {
			if got := write(filepath.Join(dir, name+method+".h5ad"), method, size); !bytes.Equal(got, want) {
				t.Errorf("%q, batches of %s: %d bytes that differ from %d", method, name, len(got), len(want))
			}
		}
	}
}
