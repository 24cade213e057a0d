package hdf5_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/cellsentence/c2s/internal/hdf5"
	"github.com/cellsentence/c2s/internal/hdf5/filter"
)

// sparseRows is a matrix like log-normalised counts: values that are a few
// hundred different numbers, and rising column indices of each row.
func sparseRows(n int) (values []float32, columns []int32) {
	r := rand.New(rand.NewPCG(7, 7))
	values, columns = make([]float32, n), make([]int32, n)
	column, total := 0, 4000.0
	for i := range n {
		column += 1 + r.IntN(19)
		if column >= 20000 {
			column, total = r.IntN(20), 2000+r.Float64()*8000
		}
		count := math.Ceil(-math.Log(1-r.Float64()) * 1.5)
		values[i], columns[i] = float32(math.Log1p(count*1e4/total)), int32(column)
	}
	return values, columns
}

// realRows is X of the file that C2S_BENCH_FILE names.
func realRows(b *testing.B, path string) (values []float32, columns []int32) {
	b.Helper()
	f, err := hdf5.Open(path, hdf5.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	read := func(name string) *hdf5.Data {
		o, err := f.Lookup(name)
		if err != nil {
			b.Fatal(err)
		}
		d, err := o.(*hdf5.Dataset).Read(context.Background())
		if err != nil {
			b.Fatal(err)
		}
		return d
	}
	if values, err = hdf5.Numbers[float32](read("/X/data")); err != nil {
		b.Fatal(err)
	}
	if columns, err = hdf5.Numbers[int32](read("/X/indices")); err != nil {
		b.Fatal(err)
	}
	return values, columns
}

// BenchmarkWriteSparse writes values and indices to a file, in MB/s of what goes
// in: those of the file that C2S_BENCH_FILE names, as bench_h5py.py --write does,
// or made-up ones.
func BenchmarkWriteSparse(b *testing.B) {
	var values []float32
	var columns []int32
	if path := os.Getenv("C2S_BENCH_FILE"); path != "" {
		values, columns = realRows(b, path)
	} else {
		values, columns = sparseRows(2_000_000)
	}
	n := len(values)
	for _, p := range []struct {
		name    string
		filters filter.Pipeline
	}{
		{"contiguous", nil},
		{"plain", filter.Pipeline{}},
		{"lzf", filter.Pipeline{hdf5.LZF()}},
		{"gzip1", filter.Pipeline{hdf5.Deflate(1)}},
		{"gzip4", filter.Pipeline{hdf5.Deflate(4)}},
		{"gzip4shuffle", filter.Pipeline{hdf5.Shuffle(), hdf5.Deflate(4)}},
		{"gzip6", filter.Pipeline{hdf5.Deflate(6)}},
		{"zstd3shuffle", filter.Pipeline{hdf5.Shuffle(), hdf5.Zstd(3)}},
	} {
		for _, workers := range []int{1, 2} {
			b.Run(fmt.Sprintf("%s/workers=%d", p.name, workers), func(b *testing.B) {
				path := filepath.Join(b.TempDir(), "bench.h5")
				b.SetBytes(int64(8 * n))
				for b.Loop() {
					size := benchWrite(b, path, workers, p.filters, values, columns)
					b.ReportMetric(float64(size)/1e6, "MB-file")
				}
			})
		}
	}
}

func benchWrite(b *testing.B, path string, workers int, p filter.Pipeline, values []float32, columns []int32) int64 {
	b.Helper()
	ctx := context.Background()
	out, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	defer out.Close()
	w, err := hdf5.NewWriter(out, hdf5.WriteOptions{Name: path, Workers: workers})
	if err != nil {
		b.Fatal(err)
	}
	defer w.Abort()
	create := func(name string, t *hdf5.Datatype) *hdf5.DatasetWriter {
		spec := hdf5.DatasetSpec{Type: t, Dims: []uint64{uint64(len(values))}}
		if p != nil {
			spec.Chunk, spec.Filters = []uint64{65536}, p
		}
		d, err := w.Root().CreateDataset(name, spec)
		if err != nil {
			b.Fatal(err)
		}
		return d
	}
	data, indices := create("data", hdf5.TypeOf[float32]()), create("indices", hdf5.TypeOf[int32]())
	const batch = 200_000
	for at := 0; at < len(values); at += batch {
		end := min(len(values), at+batch)
		if err := hdf5.AppendNumbers(ctx, data, values[at:end]); err != nil {
			b.Fatal(err)
		}
		if err := hdf5.AppendNumbers(ctx, indices, columns[at:end]); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	st, err := out.Stat()
	if err != nil {
		b.Fatal(err)
	}
	return st.Size()
}
