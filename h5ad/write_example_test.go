package h5ad_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/cellsentence/c2s/h5ad"
)

// Write a file batch by batch, then add a column to it.
func ExampleCreate() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "cells.h5ad")
	if err := writeCells(ctx, path); err != nil {
		fmt.Println(err)
		return
	}
	_, err = h5ad.Edit(ctx, path, h5ad.WriteOptions{}, h5ad.Change{
		Key: "obs/cell_type",
		Element: &h5ad.Categorical{
			Codes:      []int64{0, 1, 0},
			Categories: &h5ad.Array{Dims: []int{2}, Values: []string{"B cell", "T cell"}},
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	f, err := h5ad.Open(ctx, path, h5ad.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer f.Close()
	types, err := f.Obs().Column(ctx, "cell_type")
	if err != nil {
		fmt.Println(err)
		return
	}
	second, _ := types.Text(1)
	fmt.Println(f.NObs(), "×", f.NVars(), f.Obs().Names, second)
	// Output: 3 × 4 [cell_type] T cell
}

func writeCells(ctx context.Context, path string) error {
	w, err := h5ad.Create(path, h5ad.WriteOptions{Compression: h5ad.Compression{Method: "gzip"}})
	if err != nil {
		return err
	}
	defer w.Abort()
	obs, err := h5ad.NewDataFrame([]string{"AAAC", "AAAG", "AAAT"})
	if err != nil {
		return err
	}
	vr, err := h5ad.NewDataFrame([]string{"CD19", "CD3E", "MS4A1", "TRAC"})
	if err != nil {
		return err
	}
	if err := w.Set(ctx, "obs", obs); err != nil {
		return err
	}
	if err := w.Set(ctx, "var", vr); err != nil {
		return err
	}
	x, err := w.Matrix(ctx, "X", h5ad.MatrixSpec{NObs: 3, NVars: 4, DType: "int32"})
	if err != nil {
		return err
	}
	for _, b := range []h5ad.Batch{
		{Indptr: []int64{0, 2, 4}, Indices: []int32{0, 2, 1, 3}, Values: []int32{5, 3, 7, 1}},
		{Indptr: []int64{0, 1}, Indices: []int32{2}, Values: []int32{2}},
	} {
		if err := x.Append(ctx, &b); err != nil {
			return err
		}
	}
	if err := x.Close(ctx); err != nil {
		return err
	}
	return w.Close()
}
