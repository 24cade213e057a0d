package hdf5_test

import (
	"bytes"
	"context"
	"math/rand/v2"
	"testing"

	"github.com/cellsentence/c2s/internal/hdf5"
	"github.com/cellsentence/c2s/internal/hdf5/filter"
)

// TestSkippedFilter has lzf leave out chunks that do not shrink, with filters
// before and behind it: what follows must not write over its own input.
func TestSkippedFilter(t *testing.T) {
	ctx := context.Background()
	r := rand.New(rand.NewPCG(1, 1))
	want := make([]byte, 4*1000)
	for i := range want {
		want[i] = byte(r.Uint32())
	}
	for _, filters := range []filter.Pipeline{
		{hdf5.LZF()},
		{hdf5.Shuffle(), hdf5.LZF(), hdf5.Fletcher32()},
		{hdf5.Shuffle(), hdf5.LZF(), hdf5.Shuffle()},
		{hdf5.Shuffle(), hdf5.LZF(), hdf5.Deflate(4)},
		{hdf5.LZF(), hdf5.Shuffle(), hdf5.LZF(), hdf5.Shuffle(), hdf5.Fletcher32()},
	} {
		var out memFile
		w, err := hdf5.NewWriter(&out, hdf5.WriteOptions{Workers: 1})
		if err != nil {
			t.Fatal(err)
		}
		d, err := w.Root().CreateDataset("x", hdf5.DatasetSpec{
			Type: hdf5.TypeOf[uint32](), Dims: []uint64{1000}, Chunk: []uint64{256}, Filters: filters,
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Append(ctx, want); err != nil {
			t.Fatal(err)
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		f, err := hdf5.NewReader(bytes.NewReader(out.b), int64(len(out.b)), hdf5.Options{})
		if err != nil {
			t.Fatal(err)
		}
		o, err := f.Lookup("/x")
		if err != nil {
			t.Fatal(err)
		}
		v, err := o.(*hdf5.Dataset).Read(ctx)
		if err != nil || !bytes.Equal(v.Raw(), want) {
			t.Errorf("%v: %v, or other bytes", filters, err)
		}
	}
}
