package main

import (
	"context"

	"github.com/cellsentence/c2s/internal/manifest"
)

// annotateOptions is what decides the types of cells, beside the cells.
type annotateOptions struct {
	Matrix, Modality, GeneNames string
	GeneMap, Labels             *manifest.Input
	Batch                       int
	Abstain                     float64
	Model                       *modelOptions
}

// begin makes the part of a sharded run the output, and reports whether it is there.
func (o *annotateFlags) begin(ctx context.Context, g *globals, path string, asked *modelOptions) (fresh bool, err error) {
	if o.part.Whole() {
		return false, nil
	}
	options := annotateOptions{
		Matrix: o.matrix.key(), Modality: o.matrix.modality, GeneNames: o.matrix.geneNames,
		Batch: o.batch, Abstain: o.abstain, Model: asked,
	}
	if options.GeneMap, err = content(ctx, g, o.matrix.geneMap); err != nil {
		return false, err
	}
	if options.Labels, err = content(ctx, g, o.labels); err != nil {
		return false, err
	}
	inputs, err := contents(ctx, g, path)
	if err != nil {
		return false, err
	}
	return o.part.begin(ctx, g, "annotate", inputs, options)
}
