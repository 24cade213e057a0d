package hdf5_test

import (
	"context"
	"os"
	"testing"

	"github.com/cellsentence/c2s/internal/hdf5"
)

// BenchmarkReadWhole reads X/data and X/indices of the file that C2S_BENCH_FILE
// names, in decoded MB/s, as bench_h5py.py does with h5py.
func BenchmarkReadWhole(b *testing.B) {
	path := os.Getenv("C2S_BENCH_FILE")
	if path == "" {
		b.Skip("C2S_BENCH_FILE names no file; bench/encode.sh makes one")
	}
	ctx := context.Background()
	for b.Loop() {
		f, err := hdf5.Open(path, hdf5.Options{})
		if err != nil {
			b.Fatal(err)
		}
		bytes := int64(0)
		for _, name := range []string{"/X/data", "/X/indices"} {
			o, err := f.Lookup(name)
			if err != nil {
				b.Fatal(err)
			}
			v, err := o.(*hdf5.Dataset).Read(ctx)
			if err != nil {
				b.Fatal(err)
			}
			bytes += int64(len(v.Raw()))
		}
		b.SetBytes(bytes)
		if err := f.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkVisit looks at X/data and X/indices of the file that C2S_BENCH_FILE
// names without keeping them: where they are contiguous and not compressed, the
// mapped file itself is what is seen. Each value is summed.
func BenchmarkVisit(b *testing.B) {
	path := os.Getenv("C2S_BENCH_FILE")
	if path == "" {
		b.Skip("C2S_BENCH_FILE names no file; bench/hdf5.sh makes one")
	}
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		f, err := hdf5.Open(path, hdf5.Options{})
		if err != nil {
			b.Fatal(err)
		}
		bytes := int64(0)
		var values []float32
		var indices []int32
		visit := func(name string, fn func(*hdf5.Dataset, uint64) error) {
			o, err := f.Lookup(name)
			if err != nil {
				b.Fatal(err)
			}
			d := o.(*hdf5.Dataset)
			n := d.Space.Dims[0]
			bytes += 4 * int64(n)
			if err := fn(d, n); err != nil {
				b.Fatal(err)
			}
		}
		var sum float32
		var last int32
		visit("/X/data", func(d *hdf5.Dataset, n uint64) error {
			return hdf5.Visit(ctx, d, 0, n, &values, func(v []float32) error {
				for _, x := range v {
					sum += x
				}
				return nil
			})
		})
		visit("/X/indices", func(d *hdf5.Dataset, n uint64) error {
			return hdf5.Visit(ctx, d, 0, n, &indices, func(v []int32) error {
				for _, x := range v {
					last = max(last, x)
				}
				return nil
			})
		})
		if sum == 0 || last == 0 {
			b.Fatal("nothing was read")
		}
		b.SetBytes(bytes)
		if err := f.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
