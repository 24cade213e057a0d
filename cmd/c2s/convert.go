package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cellsentence/c2s/h5ad"
	"github.com/cellsentence/c2s/internal/atomicfile"
	"github.com/cellsentence/c2s/internal/manifest"
)

// convertFlags are the flags of convert.
type convertFlags struct {
	matrix   matrixFlags
	compress compressionFlags
	to       string
	pick     pickFlags
	prep     prepFlags
	drop     []string
	plan     string
	part     partFlags

	planned *encodePlan
}

func newConvert(g *globals) *cobra.Command {
	o := new(convertFlags)
	cmd := &cobra.Command{
		Use: "convert IN OUT", Short: "Convert, subset and recompress AnnData and 10x files", GroupID: groupData, Args: need(2, 2),
		Long: `convert copies an .h5ad of any age, a 10x .h5, a modality of an .h5mu or a 10x
folder (matrix.mtx, barcodes.tsv and features.tsv, gzipped or not) to an .h5ad or,
when OUT does not end in .h5ad, to a 10x folder. What is not asked to change is
carried over bit for bit, compressed chunks included; encodings of anndata 0.7 and
older become those of today.

--where, --cells, --genes and --sample keep a part, of everything that is aligned
with it; order stays that of the file. As in anndata, categories that nothing is
left of go, and their colours with them. --layer or --raw becomes X; with --raw,
var is that of raw, and what is aligned with the other genes is dropped.

On what was picked, --min-genes, --min-cells, --max-mito, --normalize and --log1p
work in this order on X, as scanpy defines them.

--shard I/N (or auto) writes the cells of one part of N, an .h5ad of its own, beside
OUT. c2s merge lays the parts into a copy of IN, to the bytes of a whole run. What needs
all cells, as filters and the median do, comes from a plan (c2s plan).`,
		Example: `  c2s convert testdata/demo.h5ad b_cells.h5ad --where 'cell_type == "B cell"'`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if g.out != "" {
				return &usageError{errors.New("convert takes its output as the second argument, not with -o"), cmd.CommandPath()}
			}
			g.out = args[1]
			if err := o.check(g); err != nil {
				return &usageError{err, cmd.CommandPath()}
			}
			return runConvert(cmd.Context(), g, o, args[0])
		},
	}
	f := cmd.Flags()
	o.matrix.addMatrix(f)
	o.compress.add(f)
	f.StringVar(&o.to, "to", "", "store X and the layers as `csr|csc|dense` (default: as they are)")
	f.StringSliceVar(&o.drop, "drop", nil, "leave out elements by `KEY`, such as uns/pca,obsm/X_umap")
	o.pick.add(f)
	o.prep.add(f)
	f.StringVar(&o.plan, "plan", "", "take filters and --normalize from the `PLAN` of c2s plan")
	o.part.add(f)
	return cmd
}

func (o *convertFlags) check(g *globals) error {
	if err := errors.Join(o.matrix.check(), o.compress.check(), o.pick.check(), o.prep.check()); err != nil {
		return err
	}
	if !slices.Contains([]string{"", "csr", "csc", "dense"}, o.to) {
		return fmt.Errorf("--to %q is none of csr, csc, dense", o.to)
	}
	return o.checkPart(g)
}

// encoding is what --to asks for.
func (o *convertFlags) encoding() string {
	switch o.to {
	case "csr":
		return h5ad.CSR
	case "csc":
		return h5ad.CSC
	case "dense":
		return h5ad.Dense
	}
	return ""
}

// convertResult is what convert reports, and prints with --json.
type convertResult struct {
	In       string    `json:"in"`
	Out      string    `json:"out"`
	NObs     int       `json:"n_obs"`
	NVars    int       `json:"n_vars"`
	LeftOut  [2]int    `json:"left_out"` // cells and genes of the input that are not in the output
	Filtered *filtered `json:"filtered"` // null without --min-genes and its like
	Dropped  []string  `json:"dropped"`
	Warnings []string  `json:"warnings"`
}

func runConvert(ctx context.Context, g *globals, o *convertFlags, in string) (err error) {
	if fresh, err := o.begin(ctx, g, in); fresh || err != nil {
		return err
	}
	f, err := h5ad.Open(ctx, in, h5ad.Options{Modality: o.matrix.modality, Workers: g.workers()})
	if err != nil {
		return err
	}
	defer f.Close()
	out := g.out
	result := &convertResult{In: in, Out: out, Dropped: []string{}, Warnings: append([]string{}, f.Warnings()...)}
	opts := h5ad.CopyOptions{Encoding: o.encoding(), Matrix: o.matrix.key()}
	for _, key := range o.drop {
		opts.Changes = append(opts.Changes, h5ad.Change{Key: key})
	}
	if err := o.pick.pick(ctx, g, f, o.matrix.raw, &opts); err != nil {
		return err
	}
	chosen := opts.Cells != nil
	if err := o.prep.plan(ctx, g, f, o.planned, &opts, result); err != nil {
		return err
	}
	if err := o.part.cut(f.NObs(), lay{Source: in, Modality: o.matrix.modality, Compression: o.compress.of(f), Cells: chosen}, &opts); err != nil {
		return err
	}
	bar := g.start("converting "+in, "cells", int64(f.NObs()))
	defer bar.Stop()
	if strings.HasSuffix(out, ".h5ad") {
		err = o.toH5AD(ctx, g, f, in, out, opts, result)
	} else {
		err = o.toMTX(ctx, g, f, in, out, opts, result)
	}
	if err != nil {
		return err
	}
	genes := f.NVars()
	if o.matrix.raw {
		genes = result.NVars
	}
	rows := o.part.rows(f.NObs())
	result.LeftOut = [2]int{rows.To - rows.From - result.NObs, max(0, genes-result.NVars)}
	if err := o.part.finish(ctx, g, map[string]int64{"cells": int64(result.NObs)}, append(result.Dropped, result.Warnings...)); err != nil {
		return err
	}
	return result.report(g)
}

func (o *convertFlags) toH5AD(ctx context.Context, g *globals, f *h5ad.File, in, out string, opts h5ad.CopyOptions, result *convertResult) (err error) {
	w, err := h5ad.Create(out, h5ad.WriteOptions{
		Compression: o.compress.of(f), Workers: g.workers(), Memory: g.budget() / 4, Force: g.force, Inputs: inputsOf(in),
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Abort()) }()
	r, err := w.CopyFrom(ctx, f, opts)
	if err != nil {
		return err
	}
	result.add(r)
	if w := o.compress.warning(); w != "" {
		result.Warnings = append(result.Warnings, w)
	}
	return w.Close()
}

// toMTX writes a 10x folder, which holds the matrix and the names alone.
func (o *convertFlags) toMTX(ctx context.Context, g *globals, f *h5ad.File, in, out string, opts h5ad.CopyOptions, result *convertResult) (err error) {
	if o.to != "" || o.compress.method != "" || len(o.drop) > 0 {
		return &usageError{errors.New("--to, --compression and --drop are for an .h5ad: a 10x folder has one form"), "c2s convert"}
	}
	m, vr, err := f.Select(ctx, opts.Matrix)
	if err != nil {
		return err
	}
	dir, err := atomicfile.CreateDir(out, atomicfile.Options{Force: g.force, Marker: manifest.Name, Inputs: inputsOf(in)})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dir.Abort()) }()
	sel := h5ad.Selection{Cells: opts.Cells, Genes: opts.Genes, Rows: h5ad.RowOptions{Budget: g.budget() / 4}}
	var entries int64
	result.NObs, result.NVars, entries, err = h5ad.WriteMTX(ctx, dir.Path(), m, f.Obs(), vr, sel, opts.Transform)
	if err != nil {
		return err
	}
	lost, err := f.Beside(ctx, m)
	if err != nil {
		return err
	}
	for _, key := range lost {
		result.Dropped = append(result.Dropped, key+": a 10x folder holds a matrix and names only")
	}
	inputs, err := manifest.Inputs(ctx, inputsOf(in), g.workers())
	if err != nil {
		return err
	}
	about := manifest.Manifest{
		Version: version, Command: "convert", Inputs: inputs, Seed: g.seed, Warnings: append(result.Dropped, result.Warnings...),
		Counts: map[string]int64{"cells": int64(result.NObs), "genes": int64(result.NVars), "entries": entries},
	}
	if err := about.Write(dir.Path()); err != nil {
		return err
	}
	return dir.Commit()
}

func (r *convertResult) add(c *h5ad.CopyReport) {
	r.NObs, r.NVars = c.NObs, c.NVars
	r.Dropped = append(r.Dropped, c.Dropped...)
	r.Warnings = append(r.Warnings, c.Warnings...)
}

func (r *convertResult) report(g *globals) error {
	log := g.logger()
	for _, d := range r.Dropped {
		log.Warn("dropped " + d)
	}
	for _, w := range r.Warnings {
		log.Warn(w)
	}
	if g.json {
		return printJSON(g.stdout, r)
	}
	log.Info(fmt.Sprintf("%d cells × %d genes in %s (left out: %d cells, %d genes)", r.NObs, r.NVars, r.Out, r.LeftOut[0], r.LeftOut[1]))
	return nil
}

// inputsOf lists what must not be written over: the file, or the files of a
// folder.
func inputsOf(path string) []string {
	entries, err := os.ReadDir(path)
	if err != nil {
		return []string{path}
	}
	var list []string
	for _, e := range entries {
		list = append(list, filepath.Join(path, e.Name()))
	}
	return list
}

// lines reads a file of one name a line, without blank ones; a second column,
// after a tab, is left out.
func lines(path string) ([]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var out []string
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		name, _, _ := strings.Cut(strings.TrimSuffix(s.Text(), "\r"), "\t")
		if name != "" {
			out = append(out, name)
		}
	}
	if err := s.Err(); err != nil {
		return nil, &inputError{fmt.Errorf("%s: %w", path, err), "expected one name a line"}
	}
	if len(out) == 0 {
		return nil, &inputError{fmt.Errorf("%s: no name in it", path), "expected one name a line"}
	}
	return out, nil
}
