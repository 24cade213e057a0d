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
