package preprocess_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"path/filepath"

	"github.com/cellsentence/c2s/h5ad"
	"github.com/cellsentence/c2s/h5ad/preprocess"
)

// Cells of at least two genes, scaled to the median total, log10(1 + x).
func Example() {
	ctx := context.Background()
	f, err := h5ad.Open(ctx, filepath.Join("..", "..", "testdata", "tiny.h5ad"), h5ad.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	x, err := f.X()
	if err != nil {
		log.Fatal(err)
	}
	genes, err := f.Var().Index(ctx)
	if err != nil {
		log.Fatal(err)
	}
	cfg := preprocess.Config{MinGenes: 2, Target: preprocess.Median, Log: preprocess.Log10}
	plan, err := preprocess.New(ctx, x, genes, cfg, h5ad.Selection{})
	if err != nil {
		log.Fatal(err)
	}
	rows, err := x.Rows(ctx, h5ad.RowOptions{})
	if err != nil {
		log.Fatal(err)
	}
	src := plan.Source(rows)
	cells, most := 0, float32(0)
	var b h5ad.Batch
	for {
		err := src.Next(ctx, &b)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			log.Fatal(err)
		}
		cells += b.NObs()
		for _, v := range b.Values.([]float32) {
			most = max(most, v)
		}
	}
	fmt.Printf("%d of %d cells, scaled to %g, values up to %.2f\n", cells, x.NObs, plan.Target, most)
	// Output: 4 of 5 cells, scaled to 34, values up to 1.44
}
