// Command atlas writes .h5ad files of many cells, resampled from some thousands of
// simulated ones, for measurements of what must not grow with an atlas.
//
//	atlas -cells 2000000 -files 20 -dir DIR
//
// The cells are those of package simulate, some 500 expressed genes of 3,000 each. With
// -lack each file lacks a tenth of the genes, another one each.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/cellsentence/c2s/h5ad"
	"github.com/cellsentence/c2s/internal/simulate"
)

func main() {
	cells := flag.Int("cells", 2_000_000, "cells in all files")
	files := flag.Int("files", 20, "number of files")
	genes := flag.Int("genes", 3000, "genes of the world")
	depth := flag.Float64("depth", 1030, "median library size")
	pool := flag.Int("pool", 4096, "simulated cells to draw from")
	dir := flag.String("dir", ".", "folder of the files")
	method := flag.String("compression", "gzip", "compression of the files")
	lack := flag.Bool("lack", false, "let each file lack a tenth of the genes")
	seed := flag.Uint64("seed", 1, "seed")
	flag.Parse()
	a := &atlas{genes: *genes, depth: *depth, seed: *seed, method: *method}
	err := a.draw(*pool)
	for i := 0; err == nil && i < *files; i++ {
		lacking := -1
		if *lack {
			lacking = i % 10
		}
		n := *cells*(i+1)/(*files) - *cells*i/(*files)
		err = a.write(filepath.Join(*dir, fmt.Sprintf("atlas%03d.h5ad", i)), i, n, lacking)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "atlas:", err)
		os.Exit(1)
	}
}

// atlas is the cells that are drawn from, as compressed rows.
type atlas struct {
	genes  int
	depth  float64
	seed   uint64
	method string

	world   *simulate.World
	indptr  []int64
	indices []int32
	values  []float32
	types   []int64
}

func (a *atlas) draw(n int) (err error) {
	if a.world, err = simulate.New(simulate.Config{Seed: a.seed, NGenes: a.genes, Depth: a.depth}); err != nil {
		return err
	}
	a.indptr = []int64{0}
	for b, err := range a.world.Rows(context.Background(), n, simulate.Options{}) {
		if err != nil {
			return err
		}
		for _, p := range b.Indptr[1:] {
			a.indptr = append(a.indptr, int64(len(a.values))+p-b.Indptr[0])
		}
		a.indices = append(a.indices, b.Indices...)
		for _, n := range b.Counts {
			a.values = append(a.values, float32(n))
		}
		for _, c := range b.Truth {
			a.types = append(a.types, int64(c.Spec.CellType))
		}
	}
	fmt.Printf("%d cells to draw from, %.0f genes each\n", n, float64(len(a.values))/float64(n))
	return nil
}

// write writes n cells, without the genes whose number ends in lacking.
func (a *atlas) write(path string, file, n, lacking int) (err error) {
	ctx := context.Background()
	keep, symbols := make([]int32, a.genes), []string{}
	for g := range keep {
		keep[g] = -1
		if g%10 != lacking {
			keep[g] = int32(len(symbols))
			symbols = append(symbols, a.world.Genes[g].Symbol)
		}
	}
	w, err := h5ad.Create(path, h5ad.WriteOptions{Compression: h5ad.Compression{Method: a.method, Level: map[string]int{"gzip": 1}[a.method]}, Force: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Abort()) }()
	r := rand.New(rand.NewPCG(a.seed, uint64(file)))
	rows, index, codes := make([]int, n), make([]string, n), make([]int64, n)
	for i := range rows {
		rows[i] = r.IntN(len(a.types))
		index[i], codes[i] = fmt.Sprintf("f%03d-%07d", file, i), a.types[rows[i]]
	}
	var kinds []string
	for _, t := range a.world.CellTypes {
		kinds = append(kinds, t.Name)
	}
	obs, err := h5ad.NewDataFrame(index, &h5ad.Column{Name: "cell_type", Categorical: &h5ad.Categorical{Codes: codes, Categories: &h5ad.Array{Dims: []int{len(kinds)}, Values: kinds}}})
	if err != nil {
		return err
	}
	vr, err := h5ad.NewDataFrame(symbols)
	if err != nil {
		return err
	}
	if err := errors.Join(w.Set(ctx, "obs", obs), w.Set(ctx, "var", vr)); err != nil {
		return err
	}
	x, err := w.Matrix(ctx, "X", h5ad.MatrixSpec{NObs: n, NVars: len(symbols)})
	if err != nil {
		return err
	}
	b := &h5ad.Batch{}
	var values []float32
	for at, row := range rows {
		if len(b.Indptr) == 0 {
			b.Indptr, b.Indices, values = append(b.Indptr, 0), b.Indices[:0], values[:0]
		}
		for k := a.indptr[row]; k < a.indptr[row+1]; k++ {
			if g := keep[a.indices[k]]; g >= 0 {
				b.Indices, values = append(b.Indices, g), append(values, a.values[k])
			}
		}
		b.Indptr = append(b.Indptr, int64(len(values)))
		if len(b.Indptr) > 1024 || at == n-1 {
			b.Values = values
			if err := x.Append(ctx, b); err != nil {
				return err
			}
			b.Indptr = b.Indptr[:0]
		}
	}
	if err := x.Close(ctx); err != nil {
		return err
	}
	return w.Close()
}
