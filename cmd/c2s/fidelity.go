package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/cellsentence/c2s/cellsentence"
	"github.com/cellsentence/c2s/cellsentence/fidelityplot"
	"github.com/cellsentence/c2s/h5ad"
	"github.com/cellsentence/c2s/h5ad/preprocess"
	"github.com/cellsentence/c2s/internal/atomicfile"
	"github.com/cellsentence/c2s/internal/manifest"
	"github.com/cellsentence/c2s/internal/report"
)

// fidelityFlags are the flags of fidelity.
type fidelityFlags struct {
	matrix  matrixFlags
	prep    prepFlags
	groupby string
	parity  bool
	sample  int
}

func newFidelity(g *globals) *cobra.Command {
	o := new(fidelityFlags)
	cmd := &cobra.Command{
		Use: "fidelity FILE -o DIR", Short: "Measure what a cell sentence keeps of the expression", GroupID: groupData, Args: need(1, 1),
		Long: `fidelity fits rank models, which turn the place of a gene in a sentence into its
expression, on one half of the cells and measures them on the other: linear is the
line of Cell2Sentence, conditional a monotone function of the rank that knows how
many genes the cell expresses. DIR gets rank.json (for c2s decode), metrics.json,
metrics.csv, the plots and index.html.

Counts are scaled to the median of the cells' totals, and log10(1 + x) is taken,
unless --normalize and --log1p say otherwise; values with logarithms are used as they
are. --parity fits and measures the line alone, as the Python package does.`,
		Example: "  c2s fidelity testdata/demo.h5ad -o fidelity",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(g); err != nil {
				return &usageError{err, cmd.CommandPath()}
			}
			return runFidelity(cmd.Context(), g, o, args[0])
		},
	}
	f := cmd.Flags()
	o.matrix.add(f)
	o.prep.add(f)
	f.StringVar(&o.groupby, "groupby", "", "measure the groups of a `COLUMN` of obs, too")
	f.BoolVar(&o.parity, "parity", false, "fit and measure as the Python package does")
	f.IntVar(&o.sample, "sample", 1024, "`N` cells that --parity draws; 0 takes all")
	return cmd
}

func (o *fidelityFlags) check(g *globals) error {
	if g.out == "" || g.out == "-" {
		return errors.New("-o DIR is missing")
	}
	if o.parity && o.groupby != "" {
		return errors.New("--groupby does not go with --parity")
	}
	if o.sample < 0 {
		return errors.New("--sample cannot be negative")
	}
	return errors.Join(o.matrix.check(), o.prep.check())
}

// fidelityInput is a matrix that is ready to be measured.
type fidelityInput struct {
	*input
	plan  *preprocess.Plan
	units string
}

// open opens the matrix and plans its preprocessing.
func (o *fidelityFlags) open(ctx context.Context, g *globals, path string) (in *fidelityInput, err error) {
	base, err := o.matrix.open(ctx, g, path)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			base.file.Close()
		}
	}()
	kind, _, err := base.matrix.Kind(ctx)
	if err != nil {
		return nil, err
	}
	cfg := o.prep.cfg
	units := "values as they are"
	switch kind {
	case h5ad.Counts:
		if o.prep.normalize == "" {
			cfg.Target = preprocess.Median
		}
		if o.prep.log1p == "" {
			cfg.Log = preprocess.Log10
		}
	case h5ad.Scaled, h5ad.Other:
		return nil, &inputError{
			fmt.Errorf("%s: %s: the values look %s, not like counts or their logarithms", path, base.matrix.Key(), kind),
			"take the counts: c2s inspect lists the layers; name one with --layer NAME, or take --raw",
		}
	}
	sel := h5ad.Selection{Rows: h5ad.RowOptions{Budget: g.budget() / 4}}
	plan, err := preprocess.New(ctx, base.matrix, base.genes, cfg, sel)
	if err != nil {
		return nil, fmt.Errorf("%s: %s: %w", path, base.matrix.Key(), err)
	}
	if cfg.Target != 0 {
		units = fmt.Sprintf("scaled to %g a cell", plan.Target)
	}
	if cfg.Log != preprocess.LogNone {
		base := map[preprocess.Log]string{preprocess.LogE: "ln", preprocess.Log2: "log2", preprocess.Log10: "log10"}[cfg.Log]
		units = fmt.Sprintf("%s(1 + x), x %s", base, units)
	}
	return &fidelityInput{base, plan, units}, nil
}

// opener opens the preprocessed cells at the first one.
func (in *fidelityInput) opener(g *globals) cellsentence.Opener {
	return func(ctx context.Context) (cellsentence.Source, error) {
		rows, err := in.matrix.Rows(ctx, h5ad.RowOptions{Budget: g.budget() / 4})
		if err != nil {
			return nil, err
		}
		return in.plan.Source(rows), nil
	}
}

// names is those of the genes that the plan keeps.
func (in *fidelityInput) names() []string {
	out := make([]string, 0, in.plan.KeptGenes)
	excluded := in.plan.Excluded()
	for i, name := range in.genes {
		if excluded == nil || !excluded[i] {
			out = append(out, name)
		}
	}
	return out
}

// fidelityOutput is what goes into the folder.
type fidelityOutput struct {
	model   *cellsentence.RankModel
	metrics any
	plots   *cellsentence.FidelityPlots
	csv     func(io.Writer) error
	page    *report.Page
}

func runFidelity(ctx context.Context, g *globals, o *fidelityFlags, path string) (err error) {
	in, err := o.open(ctx, g, path)
	if err != nil {
		return err
	}
	defer in.file.Close()
	dir, err := atomicfile.CreateDir(g.out, atomicfile.Options{Force: g.force, Marker: manifest.Name, Inputs: []string{path}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dir.Abort()) }()
	bar := g.start("measuring "+path, "cells", 0)
	defer bar.Stop()
	var out *fidelityOutput
	if o.parity {
		out, err = o.fitParity(ctx, g, in)
	} else {
		out, err = o.measure(ctx, g, in)
	}
	if err != nil {
		return badCells(path, err)
	}
	warnings := append(append([]string{}, in.warnings...), in.plan.Warnings()...)
	out.page.Warnings = warnings
	inputs, err := manifest.Inputs(ctx, inputsOf(path), g.workers())
	if err != nil {
		return err
	}
	about := manifest.Manifest{
		Version: version, Command: "fidelity", Inputs: inputs, Seed: g.seed, Warnings: warnings,
		Options: map[string]any{"matrix": in.matrix.Key(), "preprocess": in.plan.Config, "parity": o.parity, "sample": o.sample, "groupby": o.groupby},
		Counts:  map[string]int64{"cells": int64(in.plan.KeptCells), "genes": int64(in.plan.KeptGenes)},
	}
	out.page.Made = append(out.page.Made,
		report.Fact{Name: "Input", Value: path + ", " + in.matrix.Key()},
		report.Fact{Name: "SHA-256", Value: inputs[0].SHA256},
		report.Fact{Name: "Values", Value: in.units},
		report.Fact{Name: "Seed", Value: fmt.Sprint(g.seed)},
		report.Fact{Name: "Made by", Value: "c2s " + version},
	)
	if err := out.write(dir.Path()); err != nil {
		return err
	}
	if err := about.Write(dir.Path()); err != nil {
		return err
	}
	if err := dir.Commit(); err != nil {
		return err
	}
	for _, w := range warnings {
		g.logger().Warn(w)
	}
	if g.json {
		return printJSON(g.stdout, out.metrics)
	}
	_, err = fmt.Fprintln(g.stdout, printable(out.page.Lead))
	return err
}

// write writes all files but the manifest.
func (out *fidelityOutput) write(dir string) error {
	write := func(name string, fn func(io.Writer) error) error {
		var b bytes.Buffer
		if err := fn(&b); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, name), b.Bytes(), 0o666)
	}
	captions := map[fidelityplot.Kind]string{
		fidelityplot.Rank:           "Expression over the rank of the gene in its cell, with the models.",
		fidelityplot.Reconstruction: "Expression as a sentence gives it back, over expression as measured.",
		fidelityplot.Residuals:      "Mean of measured − modelled expression by rank.",
	}
	var figures []report.Figure
	for _, kind := range fidelityplot.Kinds() {
		if kind == fidelityplot.Residuals && out.plots.Residuals == nil {
			continue
		}
		for _, format := range []string{"svg", "png"} {
			err := write(string(kind)+"."+format, func(w io.Writer) error { return fidelityplot.Write(w, kind, out.plots, format) })
			if err != nil {
				return err
			}
		}
		svg, err := os.ReadFile(filepath.Join(dir, string(kind)+".svg"))
		if err != nil {
			return err
		}
		figures = append(figures, report.Figure{SVG: svg, Caption: captions[kind]})
	}
	out.page.Sections[0].Figures = figures
	out.page.Data = out.metrics
	return errors.Join(
		write("rank.json", out.model.Write),
		write("metrics.json", func(w io.Writer) error {
			e := json.NewEncoder(w)
			e.SetIndent("", "  ")
			return e.Encode(out.metrics)
		}),
		write("metrics.csv", out.csv),
		write("index.html", out.page.Write),
	)
}

// measure fits and measures both models.
func (o *fidelityFlags) measure(ctx context.Context, g *globals, in *fidelityInput) (*fidelityOutput, error) {
	cfg := cellsentence.FidelityConfig{Seed: g.seed, Units: in.units}
	if o.groupby != "" {
		c, err := in.file.Obs().Column(ctx, o.groupby)
		if err != nil {
			return nil, err
		}
		kept := in.plan.Kept(h5ad.Selection{}).Cells
		cfg.Group = func(row int) string {
			if kept != nil {
				row = kept[row]
			}
			s, _ := c.Text(row)
			return s
		}
	}
	f, err := cellsentence.MeasureFidelity(ctx, in.names(), in.opener(g), cfg)
	if err != nil {
		return nil, err
	}
	return &fidelityOutput{model: f.Model, metrics: f.Report, plots: f.Plots, csv: f.Report.WriteCSV, page: fidelityPage(f.Report)}, nil
}

// fitParity fits and measures the line as the Python package does.
func (o *fidelityFlags) fitParity(ctx context.Context, g *globals, in *fidelityInput) (*fidelityOutput, error) {
	sample := o.sample
	if sample == 0 || sample > in.plan.KeptCells {
		sample = in.plan.KeptCells
	}
	p, err := cellsentence.FitParity(ctx, in.names(), in.opener(g), cellsentence.ParityConfig{
		Cells: in.plan.KeptCells, Sample: sample, Seed: g.seed, Units: in.units,
	})
	if err != nil {
		return nil, err
	}
	m := p.Metrics
	return &fidelityOutput{
		model: p.Model, plots: p.Plots, csv: p.WriteCSV,
		metrics: map[string]any{"linear": m, "parity": true},
		page: &report.Page{
			Title: "Fidelity of cell sentences: the line of the Python package",
			Lead: fmt.Sprintf("The line %.4f · log10(1 + rank) + %.4f has R² %.4f on the %d cells that it was fitted on.",
				m.Slope, m.Intercept, m.R2, m.NCells),
			Sections: []report.Section{{Tables: []report.Table{metricsTable("", []metricsRow{{"linear", m}})}}},
		},
	}, nil
}
