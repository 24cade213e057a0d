package hdf5_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/cellsentence/c2s/internal/hdf5"
	"github.com/cellsentence/c2s/internal/hdf5/filter"
)

// A file with a group, an attribute and a compressed dataset that grows.
func ExampleNewWriter() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "hdf5")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "example.h5")

	write := func() error {
		out, err := os.Create(path)
		if err != nil {
			return err
		}
		defer out.Close()
		w, err := hdf5.NewWriter(out, hdf5.WriteOptions{Name: path})
		if err != nil {
			return err
		}
		defer w.Abort() // unless Close was reached
		g, err := w.Root().CreateGroup("X")
		if err != nil {
			return err
		}
		if err := g.SetAttr("encoding-type", hdf5.StringValue("csr_matrix")); err != nil {
			return err
		}
		data, err := g.CreateDataset("data", hdf5.DatasetSpec{
			Type: hdf5.TypeOf[float32](), Dims: []uint64{0}, MaxDims: []uint64{hdf5.Unlimited},
			Chunk: []uint64{65536}, Filters: filter.Pipeline{hdf5.Deflate(4)},
		})
		if err != nil {
			return err
		}
		for range 3 {
			if err := hdf5.AppendNumbers(ctx, data, []float32{1, 2.5}); err != nil {
				return err
			}
		}
		return w.Close()
	}
	if err := write(); err != nil {
		fmt.Println(err)
		return
	}

	f, err := hdf5.Open(path, hdf5.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer f.Close()
	o, err := f.Lookup("/X/data")
	if err != nil {
		fmt.Println(err)
		return
	}
	v, err := o.(*hdf5.Dataset).Read(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	numbers, err := hdf5.Numbers[float32](v)
	fmt.Println(numbers, err)
	// Output: [1 2.5 1 2.5 1 2.5] <nil>
}
