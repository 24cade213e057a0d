package main

import (
	"context"
	"errors"
	"io"
	"iter"
	"slices"

	"github.com/cellsentence/c2s/cellsentence/dataset"
	"github.com/cellsentence/c2s/h5ad"
	"github.com/cellsentence/c2s/h5ad/preprocess"
	"github.com/cellsentence/c2s/internal/manifest"
	"github.com/cellsentence/c2s/internal/shard"
)

// encodeOptions is what decides the bytes of an output, beside its inputs: parts
// that differ in it do not belong together.
type encodeOptions struct {
	Matrix     string            `json:"matrix"`
	Modality   string            `json:"modality"`
	GeneNames  string            `json:"gene_names"`
	GeneMap    *manifest.Input   `json:"gene_map"`
	TopK       int               `json:"top_k"`
	Ties       string            `json:"ties"`
	Seed       uint64            `json:"seed"`
	Collisions string            `json:"collisions"`
	Obs        []string          `json:"obs"` // null: all categorical columns
	Filters    preprocess.Config `json:"filters"`
	Delimiter  string            `json:"delimiter"`
	Format     dataset.Format    `json:"format"`
}

// begin makes the part of a sharded run the output, and reports whether it is there.
func (o *encodeFlags) begin(ctx context.Context, g *globals, paths []string, format dataset.Format) (fresh bool, err error) {
	if o.part.Whole() {
		return false, nil
	}
	options := encodeOptions{
		Matrix: o.matrix.key(), Modality: o.matrix.modality, GeneNames: o.matrix.geneNames, TopK: o.topK, Ties: o.ties, Seed: g.seed,
		Collisions: o.collisions, Filters: o.filterConfig(), Delimiter: o.delimiter, Format: format,
	}
	if o.obsSet {
		options.Obs = append([]string{}, o.obs...)
	}
	if options.GeneMap, err = content(ctx, g, o.matrix.geneMap); err != nil {
		return false, err
	}
	var inputs []manifest.Input
	if o.planned != nil {
		inputs = o.planned.contents() // hashed once for all shards
	} else if inputs, err = contents(ctx, g, paths...); err != nil {
		return false, err
	}
	return o.part.begin(ctx, g, "encode", inputs, options)
}

// filterConfig is the filters of the flags, or of the plan.
func (o *encodeFlags) filterConfig() preprocess.Config {
	if o.planned != nil {
		return o.planned.global.Filters
	}
	return o.prep.cfg
}

// ranges is the rows to encode, of all files or of those of the shard.
func (o *encodeFlags) ranges(ctx context.Context, g *globals, paths []string) ([]shard.Range, error) {
	var rows []int
	for i, path := range paths {
		if o.planned != nil {
			rows = append(rows, o.planned.Files[i].Rows)
			continue
		}
		f, err := h5ad.Open(ctx, path, h5ad.Options{Modality: o.matrix.modality, Workers: g.workers()})
		if err != nil {
			return nil, err
		}
		rows = append(rows, f.NObs())
		if err := f.Close(); err != nil {
			return nil, err
		}
	}
	if o.part.Whole() {
		var all []shard.Range
		for i, n := range rows {
			all = append(all, shard.Range{File: i, To: n})
		}
		return all, nil
	}
	return o.part.Ranges(rows), nil
}

// filters is what becomes of the cells and genes of some rows of a file.
func (o *encodeFlags) filters(ctx context.Context, in *input, part shard.Range, rows h5ad.RowOptions) (*preprocess.Plan, error) {
	if o.planned != nil {
		if plans := o.planned.global.Files; plans != nil {
			return plans[part.File], nil
		}
	}
	return preprocess.New(ctx, in.matrix, in.genes, o.prep.cfg, h5ad.Selection{Rows: rows})
}

// valuesBefore counts the stored values of the cells in front of a row, without
// those of excluded genes: what the Python package would have drawn for them.
func (in *input) valuesBefore(ctx context.Context, row int, exclude []bool) (iter.Seq[int], error) {
	r, err := in.matrix.Rows(ctx, h5ad.RowOptions{End: row})
	if err != nil {
		return nil, err
	}
	counts := make([]int, 0, row)
	var b h5ad.Batch
	for {
		err := r.Next(ctx, &b)
		if errors.Is(err, io.EOF) {
			return slices.Values(counts), nil
		}
		if err != nil {
			return nil, err
		}
		for i := range b.NObs() {
			n := 0
			for _, c := range b.Indices[b.Indptr[i]:b.Indptr[i+1]] {
				if exclude == nil || !exclude[c] {
					n++
				}
			}
			counts = append(counts, n)
		}
	}
}
