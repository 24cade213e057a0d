package main

import (
	"context"
	"fmt"
	"os"

	"github.com/cellsentence/c2s/internal/manifest"
)

// predictOptions is what decides the predictions, beside the cells.
type predictOptions struct {
	Flags         []string         // as they print
	Files         []manifest.Input // that they name
	Seed          uint64
	TopK          int
	Model, Digest string
}

// begin narrows the control cells to the part of a sharded run, makes that the output,
// and reports whether it is there.
func (j *predictJob) begin(ctx context.Context) (fresh bool, err error) {
	o, g := j.o, j.g
	if o.part.Whole() {
		return false, nil
	}
	options := predictOptions{Seed: g.seed, TopK: j.topK, Model: j.result.Model, Digest: j.result.Digest}
	// Files count by what is in them, not by their names.
	m, ref := o.matrix, o.reference
	m.geneMap, ref.path, ref.signatures, ref.targets = "", "", "", ""
	for _, v := range []any{m, o.labels, o.sample, ref, o.compress, o.predictor, o.names, o.dose, o.time, o.organism, o.obs, o.where, o.each, o.leaveControls} {
		options.Flags = append(options.Flags, fmt.Sprintf("%+v", v))
	}
	for _, path := range []string{o.matrix.geneMap, o.reference.path, o.reference.signatures, o.reference.targets, o.rankModel, o.list, o.cells, o.backend.prompts} {
		if _, err := os.Stat(path); path != "" && err == nil {
			list, err := contents(ctx, g, path)
			if err != nil {
				return false, err
			}
			options.Files = append(options.Files, list...)
		}
		options.Files = append(options.Files, manifest.Input{}) // ends what one flag names
	}
	inputs, err := contents(ctx, g, j.in.file.Path())
	if err != nil {
		return false, err
	}
	first, last := o.part.Even(len(j.cells))
	j.cells = j.cells[first:last:last]
	j.result.Controls, j.result.Predicted = len(j.cells), len(j.cells)*len(j.perts)
	fresh, err = o.part.begin(ctx, g, "predict", inputs, options)
	j.result.Out = g.out
	return fresh, err
}
