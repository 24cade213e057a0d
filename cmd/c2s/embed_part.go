package main

import (
	"context"

	"github.com/cellsentence/c2s/h5ad"
	"github.com/cellsentence/c2s/internal/manifest"
)

// embedOptions is what decides the numbers, beside the cells.
type embedOptions struct {
	Matrix, Modality, GeneNames string
	GeneMap                     *manifest.Input
	Method, Key                 string
	Compression                 h5ad.Compression
	Components                  *manifest.Input // the file of --model
	Model                       *modelOptions   // what is asked
}

// begin makes the part of a sharded run the output, and reports whether it is there.
func (o *embedFlags) begin(ctx context.Context, g *globals, path string, options embedOptions) (fresh bool, err error) {
	if o.part.Whole() {
		return false, nil
	}
	options.Matrix, options.Modality, options.GeneNames = o.matrix.key(), o.matrix.modality, o.matrix.geneNames
	options.Method, options.Key, options.Compression = o.method, o.key, o.compress.chosen()
	if options.GeneMap, err = content(ctx, g, o.matrix.geneMap); err != nil {
		return false, err
	}
	if o.method == "pca" {
		if options.Components, err = content(ctx, g, o.model); err != nil {
			return false, err
		}
	}
	inputs, err := contents(ctx, g, path)
	if err != nil {
		return false, err
	}
	return o.part.begin(ctx, g, "embed", inputs, options)
}
