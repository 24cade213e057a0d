package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cellsentence/c2s/cellsentence"
	"github.com/cellsentence/c2s/cellsentence/dataset"
	"github.com/cellsentence/c2s/h5ad"
	"github.com/cellsentence/c2s/h5ad/preprocess"
	"github.com/cellsentence/c2s/internal/shard"
)

// encodeFlags are the flags of encode.
type encodeFlags struct {
	matrix     matrixFlags
	topK       int
	ties       string
	collisions string
	obs        []string
	obsSet     bool
	prep       filterFlags
	plan       string
	part       partFlags
	delimiter  string

	planned        *encodePlan
	tiesRule       cellsentence.Ties
	collisionsRule cellsentence.Collisions
}

func newEncode(g *globals) *cobra.Command {
	o := new(encodeFlags)
	cmd := &cobra.Command{
		Use: "encode FILE... -o OUT", Short: "Turn cells into cell sentences", GroupID: groupData, Args: need(1, -1),
		Long: `encode writes a cell sentence for each cell: the names of its expressed genes,
upper-cased, by falling expression. The name of OUT tells the format: .parquet,
.arrow, NAME.hf (a folder that datasets.load_from_disk reads) and .jsonl have the
columns cell_name, cell_sentence, the label columns of obs, c2s_n_genes (expressed
genes before --top-k) and c2s_total; .txt is the sentences alone, one a line. The
last two may end in .gz or .zst. Raw counts and log-normalised values
give the same order; scaled values are refused.

Genes of equal value stand in random order, the same at any --jobs: keyed by
--seed, cell and gene (--ties random), by the random numbers of the Python package
(python), or by their place in var (index).

--shard I/N writes the I-th of N parts, counted from 0, under a name of its own beside
OUT, with a .done.json; auto takes both from a Slurm array or, with auto/N, a
Kubernetes Indexed Job. c2s merge joins the parts to the bytes of a whole run. What
needs all cells, as --min-cells does, comes from a plan (c2s plan).`,
		Example: "  c2s encode testdata/demo.h5ad --top-k 20 -o demo.jsonl",
		RunE: func(cmd *cobra.Command, args []string) error {
			o.obsSet = cmd.Flags().Changed("obs")
			if err := o.check(g); err != nil {
				return &usageError{err, cmd.CommandPath()}
			}
			return runEncode(cmd.Context(), g, o, args)
		},
	}
	f := cmd.Flags()
	o.matrix.add(f)
	f.IntVar(&o.topK, "top-k", 0, "keep the first `K` genes; 0 keeps all")
	f.StringVar(&o.ties, "ties", "random", "order of genes of equal value: `random|python|index`")
	f.StringVar(&o.collisions, "collisions", "error", "genes that share a name in upper case: `error|first|suffix`")
	f.StringSliceVar(&o.obs, "obs", nil, "label columns of obs, `a,b,c` (default: all categorical)")
	o.prep.add(f)
	f.StringVar(&o.plan, "plan", "", "take filters from the `PLAN` of c2s plan")
	o.part.add(f)
	f.StringVar(&o.delimiter, "delimiter", " ", "text between the genes")
	return cmd
}

func (o *encodeFlags) check(g *globals) (err error) {
	if err := errors.Join(o.matrix.check(), o.prep.check()); err != nil {
		return err
	}
	if o.tiesRule, err = cellsentence.ParseTies(o.ties); err != nil {
		return fmt.Errorf("--ties: %w", err)
	}
	if o.collisionsRule, err = cellsentence.ParseCollisions(o.collisions); err != nil {
		return fmt.Errorf("--collisions: %w", err)
	}
	switch {
	case g.out == "":
		return errors.New("-o OUT is missing: name a .parquet, .arrow, .hf, .jsonl or .txt, or - for stdout")
	case o.topK < 0:
		return errors.New("--top-k cannot be negative")
	case o.plan != "" && !o.prep.none():
		return errors.New("--min-genes, --min-cells and --max-mito are in the plan: give them to c2s plan")
	case o.part.text != "" && o.plan == "" && o.prep.global():
		return errors.New("--min-cells needs all cells, and --shard sees a part: make a plan with c2s plan --min-cells N, and name it with --plan")
	case o.part.text != "" && g.out == "-":
		return errors.New("--shard writes files: name one with -o")
	case o.delimiter == "":
		return errors.New("--delimiter cannot be empty")
	case o.prep.cells() && o.tiesRule == cellsentence.TiesPython:
		return errors.New("--min-genes and --max-mito do not go with --ties python, where each cell's order depends on all cells before it: write the filtered cells to a file first")
	case g.json && g.out == "-":
		return errors.New("--json and -o - both want stdout")
	}
	format, err := dataset.FormatOf(g.out)
	if err == nil && o.obsSet && format.Kind == "txt" {
		err = errors.New("--obs does not go with a .txt, which holds the sentences alone: write .jsonl")
	}
	return err
}

// encodeResult is what encode reports, and prints with --json.
type encodeResult struct {
	Out      string             `json:"out"`
	Inputs   []string           `json:"inputs"`
	Shard    string             `json:"shard"`     // "" for the whole
	Cells    int                `json:"cells"`     // sentences written
	LeftOut  int                `json:"left_out"`  // cells that the filters drop
	GenesOut int                `json:"genes_out"` // genes that they drop
	Bytes    int64              `json:"bytes"`     // before compression
	Stats    cellsentence.Stats `json:"stats"`
	Unmapped []string           `json:"unmapped"` // genes that --gene-map does not know
	Warnings []string           `json:"warnings"`
}

func (r *encodeResult) warn(format string, args ...any) {
	r.Warnings = append(r.Warnings, fmt.Sprintf(format, args...))
}

// finish adds what the filters did to the warnings.
func (r *encodeResult) finish(cfg preprocess.Config) {
	var why []string
	if cfg.MinGenes > 0 {
		why = append(why, fmt.Sprintf("with fewer than %d expressed genes", cfg.MinGenes))
	}
	if cfg.MaxMito > 0 {
		why = append(why, fmt.Sprintf("of whose counts more than %g is mitochondrial", cfg.MaxMito))
	}
	if len(why) > 0 {
		r.warn("%d cells %s left out", r.LeftOut, strings.Join(why, " or "))
	}
	if cfg.MinCells > 0 {
		r.warn("%d genes expressed in fewer than %d cells left out", r.GenesOut, cfg.MinCells)
	}
}

func runEncode(ctx context.Context, g *globals, o *encodeFlags, paths []string) (err error) {
	format, err := dataset.FormatOf(g.out)
	if err != nil {
		return err
	}
	if o.plan != "" {
		if o.planned, err = readPlan(o.plan); err != nil {
			return err
		}
		if err := o.planned.covers(ctx, paths, &o.matrix); err != nil {
			return err
		}
	}
	if err := o.part.resolve(g, o.planned); err != nil {
		return &usageError{err, "c2s encode"}
	}
	if fresh, err := o.begin(ctx, g, paths, format); fresh || err != nil {
		return err
	}
	result := &encodeResult{Out: g.out, Inputs: paths, Shard: o.part.String(), Unmapped: []string{}, Warnings: []string{}}
	var labels []dataset.Field
	if format.Kind != "txt" { // which holds the sentences alone
		if labels, err = o.labelFields(ctx, g, paths, result); err != nil {
			return err
		}
	}
	schema, err := dataset.CellSchema(labels)
	if err != nil {
		return err
	}
	w, err := dataset.Create(g.out, schema, dataset.Options{Force: g.force, Inputs: paths, Stdout: g.stdout, Format: format, Jobs: g.workers()})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Abort()) }()
	ranges, err := o.ranges(ctx, g, paths)
	if err != nil {
		return err
	}
	for _, r := range ranges {
		if err := encodeFile(ctx, g, o, paths, r, labels, w, result); err != nil {
			return err
		}
	}
	result.Cells = int(w.Rows())
	result.finish(o.filterConfig())
	if err := w.Commit(); err != nil {
		return err
	}
	result.Bytes = w.Bytes()
	counts := map[string]int64{"cells": w.Rows(), "words": result.Stats.Words, "left_out": int64(result.LeftOut)}
	if err := o.part.finish(ctx, g, counts, result.Warnings); err != nil {
		return err
	}
	log := g.logger()
	for _, text := range result.Warnings {
		log.Warn(text)
	}
	if g.json {
		return printJSON(g.stdout, result)
	}
	log.Info(fmt.Sprintf("%d cells, %d genes named in %s", result.Cells, result.Stats.Words, g.out))
	return nil
}

// labelFields decides the label columns: those of --obs, or what is categorical in
// any of the files. A column that cannot be told apart is left out with a warning.
func (o *encodeFlags) labelFields(ctx context.Context, g *globals, paths []string, result *encodeResult) ([]dataset.Field, error) {
	var fields []dataset.Field
	add := func(f *h5ad.File, name string) error {
		c, err := f.Obs().Column(ctx, name)
		if err != nil {
			return err
		}
		kind := dataset.LabelKind(c)
		if i := dataset.Schema(fields).Index(name); i >= 0 {
			fields[i].Kind = dataset.JoinKinds(fields[i].Kind, kind)
		} else {
			fields = append(fields, dataset.Field{Name: name, Kind: kind})
		}
		return nil
	}
	for _, path := range paths {
		f, err := h5ad.Open(ctx, path, h5ad.Options{Modality: o.matrix.modality, Workers: g.workers()})
		if err != nil {
			return nil, err
		}
		names := o.obs
		if !o.obsSet {
			names = nil
			for _, name := range f.Obs().Names {
				c, err := f.Obs().Describe(ctx, name)
				if err != nil {
					result.warn("label column left out: %v", err)
				} else if c.Kind == "categorical" || dataset.Schema(fields).Index(name) >= 0 {
					names = append(names, name)
				}
			}
		}
		for _, name := range names {
			if err := add(f, name); err != nil {
				f.Close() // it was only read: the first error counts
				return nil, err
			}
		}
		if err := f.Close(); err != nil {
			return nil, err
		}
	}
	return fields, nil
}

// labels reads the label columns of a file. One that --obs names must exist;
// one that another file brought along is missing here.
func (o *encodeFlags) labels(ctx context.Context, f *h5ad.File, fields []dataset.Field) ([]dataset.Label, error) {
	var out []dataset.Label
	for _, field := range fields {
		if !o.obsSet && !f.Obs().Has(field.Name) {
			out = append(out, dataset.NewLabel(field, nil))
			continue
		}
		c, err := f.Obs().Column(ctx, field.Name)
		if err != nil {
			return nil, err
		}
		out = append(out, dataset.NewLabel(field, c))
	}
	return out, nil
}

// encodeFile encodes some rows of a file.
func encodeFile(ctx context.Context, g *globals, o *encodeFlags, paths []string, part shard.Range, fields []dataset.Field, w *dataset.Writer, result *encodeResult) (err error) {
	path := paths[part.File]
	in, err := o.matrix.open(ctx, g, path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.file.Close()) }()
	note := func(list []string) {
		for _, text := range list {
			result.warn("%s: %s", path, text)
		}
	}
	note(in.warnings)
	result.Unmapped = append(result.Unmapped, in.unmapped...)
	names, err := in.file.Obs().Index(ctx)
	if err != nil {
		return err
	}
	labels, err := o.labels(ctx, in.file, fields)
	if err != nil {
		return err
	}
	rows := h5ad.RowOptions{Start: part.From, End: part.To, Budget: g.budget() / 2}
	filters, err := o.filters(ctx, in, part, rows)
	if err != nil {
		return badCells(path, err)
	}
	cfg := cellsentence.Config{
		TopK: o.topK, Ties: o.tiesRule, Seed: g.seed, Collisions: o.collisionsRule,
		Delimiter: o.delimiter, Workers: g.workers(), Exclude: filters.Excluded(),
	}
	if part.From > 0 && o.tiesRule == cellsentence.TiesPython {
		if cfg.Before, err = in.valuesBefore(ctx, part.From, cfg.Exclude); err != nil {
			return err
		}
	}
	enc, err := cellsentence.NewEncoder(in.genes, cfg)
	if err != nil {
		return badCells(path, err)
	}
	src, err := in.matrix.Rows(ctx, rows)
	if err != nil {
		return err
	}
	// The blocks of each file begin anew, as its rows do.
	if err := w.Cut(); err != nil {
		return err
	}
	bar := g.start("encoding "+path, "cells", int64(part.To-part.From))
	defer bar.Stop()
	for s, err := range enc.Encode(ctx, src) {
		if err != nil {
			return badCells(path, err)
		}
		keep := func(i int) bool {
			if filters.Keeps(s.Start + i) {
				return true
			}
			result.LeftOut++
			return false
		}
		if err := w.AppendSentences(s, names, labels, keep); err != nil {
			return err
		}
		bar.Add(int64(s.Len()))
	}
	note(enc.Warnings())
	result.Stats.Add(enc.Stats())
	result.GenesOut += filters.FewCells
	return nil
}
