package h5ad_test

import (
	"context"
	"fmt"
	"os"

	"github.com/cellsentence/c2s/h5ad"
)

// Open a file, look at its tables and stream its cells.
func ExampleOpen() {
	ctx := context.Background()
	f, err := h5ad.Open(ctx, "cells.h5ad", h5ad.Options{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	defer f.Close()
	genes, err := f.Var().Index(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	x, err := f.X()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	for b, err := range x.All(ctx, h5ad.RowOptions{}) {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return
		}
		for i := range b.NObs() {
			for _, gene := range b.Indices[b.Indptr[i]:b.Indptr[i+1]] {
				fmt.Println(b.Start+i, genes[gene])
			}
		}
	}
}
