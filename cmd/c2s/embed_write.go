package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/cellsentence/c2s/h5ad"
	"github.com/cellsentence/c2s/internal/atomicfile"
	"github.com/cellsentence/c2s/internal/embedfile"
	"github.com/cellsentence/c2s/internal/progress"
)

// placed is the rows of numbers of a file's cells, to be written.
type placed struct {
	in   *input
	path string
	n    int // cells
	dim  int
	// rows calls do with some rows after the other.
	rows  func(ctx context.Context, bar *progress.Counter, do func([]float32) error) error
	about h5ad.Dict         // how they are made, for uns
	bar   *progress.Counter // that was started already, or nil
	flags *cellFlags        // for obs, complete when the rows have come; or nil
}

// placed is what the components make of the cells.
func (p *placer) placed(o *embedFlags) *placed {
	ratio := make([]float64, len(p.model.Variance))
	for i, v := range p.model.Variance {
		ratio[i] = v / p.model.TotalVariance
	}
	return &placed{in: p.in, path: p.path, n: p.part.To - p.part.From, dim: p.projector.Dim(), rows: p.rows, about: h5ad.Dict{
		"method": textOf(o.method), "version": textOf(version), "matrix": textOf(p.in.matrix.Key()), "model": textOf(o.model),
		"fitted_cells": numberOf(int64(p.model.Cells)), "seed": numberOf(int64(p.model.Seed)), "target": &h5ad.Array{Values: []float64{p.model.Target}},
		"variance":       &h5ad.Array{Dims: []int{len(ratio)}, Values: p.model.Variance},
		"variance_ratio": &h5ad.Array{Dims: []int{len(ratio)}, Values: ratio}, // as scanpy calls them
	}}
}

// textOf and numberOf are scalars of uns.
func textOf(s string) *h5ad.Array { return &h5ad.Array{Values: []string{s}} }

func numberOf(n int64) *h5ad.Array { return &h5ad.Array{Values: []int64{n}} }

// rows calls do with the embeddings of the cells in order, as float32: what differs
// below is noise of the counts.
func (p *placer) rows(ctx context.Context, bar *progress.Counter, do func([]float32) error) error {
	d := p.projector.Dim()
	var x []float64
	var out []float32
	for b, err := range p.batches(ctx) {
		if err != nil {
			return err
		}
		x = slices.Grow(x[:0], b.Len()*d)[:b.Len()*d]
		p.projector.Transform(b, x)
		out = out[:0]
		for _, v := range x {
			if v-v != 0 {
				return &inputError{fmt.Errorf("%s: %s holds values that are not finite", p.path, p.in.matrix.Key()), "c2s validate finds them"}
			}
			out = append(out, float32(v))
		}
		if err := do(out); err != nil {
			return err
		}
		bar.Add(int64(b.Len()))
	}
	return nil
}

// toNumPy writes the embeddings as they come.
func (p *placed) toNumPy(ctx context.Context, g *globals, o *embedFlags, bar *progress.Counter) (err error) {
	f, err := atomicfile.Create(g.out, atomicfile.Options{Force: g.force, Inputs: o.inputs(p.path)})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Abort()) }()
	buf := bufio.NewWriterSize(f, 1<<18)
	w, err := embedfile.NewWriter[float32](buf, p.n, p.dim)
	if err != nil {
		return err
	}
	if err := p.rows(ctx, bar, w.Write); err != nil {
		return err
	}
	if err := errors.Join(w.Close(), buf.Flush()); err != nil {
		return err
	}
	return f.Commit()
}

// inputs are the files that must not be written over.
func (o *embedFlags) inputs(path string) []string {
	in := inputsOf(path)
	if o.model != "" {
		in = append(in, o.model)
	}
	return in
}

// toH5AD copies the file and adds the embeddings to obsm as they come, and to uns how they
// were made.
func (p *placed) toH5AD(ctx context.Context, g *globals, o *embedFlags, bar *progress.Counter, result *embedResult) (err error) {
	w, err := h5ad.Create(g.out, h5ad.WriteOptions{
		Compression: o.compress.of(p.in.file), Workers: g.workers(), Memory: g.budget() / 4, Force: g.force, Inputs: o.inputs(p.path),
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Abort()) }()
	matrix, about := "obsm/"+o.key, "uns/"+o.key
	keys := []string{matrix, about}
	const genes, valid = "obs/c2s_n_genes", "obs/c2s_valid"
	if p.flags != nil {
		keys = append(keys, genes, valid)
	}
	warnings, err := copyBefore(ctx, w, p.in, &o.part, lay{Source: p.path, Modality: o.matrix.modality, Compression: o.compress.of(p.in.file)}, keys...)
	if err != nil {
		return err
	}
	result.Warnings = append(result.Warnings, warnings...)
	if err := p.stream(ctx, w, matrix, bar); err != nil {
		return err
	}
	if err := w.Set(ctx, about, p.about); err != nil {
		return err
	}
	if p.flags != nil {
		n := []int{len(p.flags.valid)}
		err := errors.Join(
			w.Set(ctx, genes, &h5ad.Array{Dims: n, Values: p.flags.genes}),
			w.Set(ctx, valid, &h5ad.Array{Dims: n, Values: p.flags.valid}))
		if err != nil {
			return err
		}
	}
	if w := o.compress.warning(); w != "" {
		result.Warnings = append(result.Warnings, w)
	}
	return w.Close()
}

// stream writes the rows as a matrix.
func (p *placed) stream(ctx context.Context, w *h5ad.Writer, key string, bar *progress.Counter) error {
	return streamRows(ctx, w, key, p.n, p.dim, func(do func([]float32) error) error { return p.rows(ctx, bar, do) })
}

// streamRows writes a matrix of n rows of dim numbers, which each gives to do, some rows
// after the other.
func streamRows(ctx context.Context, w *h5ad.Writer, key string, n, dim int, each func(do func([]float32) error) error) error {
	m, err := w.Matrix(ctx, key, h5ad.MatrixSpec{Encoding: h5ad.Dense, NObs: n, NVars: dim})
	if err != nil {
		return err
	}
	var b h5ad.Batch
	err = each(func(rows []float32) error {
		n := len(rows) / dim
		for i := len(b.Indices); i < len(rows); i++ {
			b.Indices = append(b.Indices, int32(i%dim))
		}
		for i := len(b.Indptr); i <= n; i++ {
			b.Indptr = append(b.Indptr, int64(i*dim))
		}
		part := h5ad.Batch{Indptr: b.Indptr[:n+1], Indices: b.Indices[:len(rows)], Values: rows}
		return m.Append(ctx, &part)
	})
	if err != nil {
		return err
	}
	return m.Close(ctx)
}
