package main

import (
	"context"
	"errors"
	"strings"

	"github.com/cellsentence/c2s/h5ad"
	"github.com/cellsentence/c2s/h5ad/preprocess"
	"github.com/cellsentence/c2s/internal/manifest"
)

// checkPart refuses what a part of the cells does not allow.
func (o *convertFlags) checkPart(g *globals) error {
	picks := o.pick != pickFlags{}
	switch {
	case o.plan != "" && (!o.prep.none() || o.prep.normalize != "" || o.prep.log1p != "" || picks):
		return errors.New("with --plan, filters, --normalize and --log1p are in the plan, which is for all cells: give them to c2s plan, and no --where, --cells, --genes or --sample")
	case o.part.text == "":
		return nil
	case !strings.HasSuffix(g.out, ".h5ad"):
		return errors.New("--shard is for an .h5ad: a 10x folder is written as a whole")
	case !o.prep.none() || o.prep.cfg.Target == preprocess.Median:
		return errors.New("filters and the median need all cells, and --shard sees a part: make a plan with c2s plan and the same flags, and name it with --plan")
	}
	return nil
}

// convertOptions is what decides the bytes of an output, beside its input.
type convertOptions struct {
	Matrix, Modality, To string
	Compression          h5ad.Compression
	Drop                 []string
	Where, Groupby       string
	Cells, Genes         *manifest.Input
	Sample               int
	Seed                 uint64
	Preprocess           preprocess.Config
}

// begin reads the plan, makes the part of a sharded run the output, and reports
// whether it is there.
func (o *convertFlags) begin(ctx context.Context, g *globals, in string) (fresh bool, err error) {
	if o.plan != "" {
		if o.planned, err = readPlan(o.plan); err != nil {
			return false, err
		}
		if err := o.planned.covers(ctx, []string{in}, &o.matrix); err != nil {
			return false, err
		}
	}
	if err := o.part.resolve(g, o.planned); err != nil {
		return false, &usageError{err, "c2s convert"}
	}
	if o.part.Whole() {
		return false, nil
	}
	options := convertOptions{
		Matrix: o.matrix.key(), Modality: o.matrix.modality, To: o.to,
		Compression: o.compress.chosen(),
		Drop:        o.drop, Where: o.pick.where, Sample: o.pick.sample, Groupby: o.pick.groupby, Preprocess: o.prep.cfg,
	}
	if o.pick.sample > 0 {
		options.Seed = g.seed
	}
	if options.Cells, err = content(ctx, g, o.pick.cells); err != nil {
		return false, err
	}
	if options.Genes, err = content(ctx, g, o.pick.genes); err != nil {
		return false, err
	}
	var inputs []manifest.Input
	if o.planned != nil {
		inputs, options.Preprocess = o.planned.contents(), o.planned.global.Filters
	} else if inputs, err = contents(ctx, g, in); err != nil {
		return false, err
	}
	return o.part.begin(ctx, g, "convert", inputs, options)
}
