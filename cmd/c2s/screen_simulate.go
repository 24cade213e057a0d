package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/cellsentence/c2s/internal/atomicfile"
	"github.com/cellsentence/c2s/internal/manifest"
	"github.com/cellsentence/c2s/screen/analysis"
	"github.com/cellsentence/c2s/screen/record"
	"github.com/cellsentence/c2s/screen/simulate"
)

// screenSimulation is the flags of screen simulate.
type screenSimulation struct {
	cfg                  simulate.Config
	how                  analysis.Config
	compounds, selective int
	screens              int
	design               string
	power                bool
}

func newScreenSimulate(g *globals) *cobra.Command {
	o := &screenSimulation{cfg: simulate.Typical(1, 0)}
	cmd := &cobra.Command{
		Use: "simulate [-o DIR]", Short: "Measure the analysis on compounds whose truth is known", Args: need(0, 0),
		Long: `simulate draws screens whose truth is known, analyses them as c2s screen analyse does,
and tells how many of the true compounds were found and how many calls were wrong.
Effects and the margin are in standard deviations of a donor's mean effect. Beside the
--true compounds, 15 % move both contexts, the neutral one exactly as far as the margin,
4 % move the neutral one only and 5 % are suppressors. --power adds curves over donors,
cells and the size of the effect, for the fixed design and for the race.

DIR gets the rows of the first screen, scores.tsv.gz, and truth.tsv.`,
		Example: "  c2s screen simulate --compounds 400 --true 8",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.check(g); err != nil {
				return &usageError{err, cmd.CommandPath()}
			}
			return runScreenSimulate(cmd.Context(), g, o)
		},
	}
	f := cmd.Flags()
	f.IntVar(&o.compounds, "compounds", 4000, "screen `N` compounds")
	f.IntVar(&o.selective, "true", 40, "`K` of them are context-selective")
	f.IntVar(&o.cfg.Decoys, "decoys", 0, "add `N` decoys of each of three families")
	f.IntVar(&o.cfg.Donors, "donors", o.cfg.Donors, "take `N` donors")
	f.BoolVar(&o.cfg.Separate, "separate", false, "give each context donors of its own")
	f.IntVar(&o.cfg.Cells, "cells", o.cfg.Cells, "take `N` cells a donor and context")
	f.IntVar(&o.cfg.Draws, "vehicle-replicates", o.cfg.Draws, "draw the vehicle `N` times a cell")
	f.Float64Var(&o.cfg.Effect, "effect", o.cfg.Effect, "`SIZE` of the effects")
	f.Float64Var(&o.cfg.Margin, "margin", o.cfg.Margin, "`SIZE` of the margin")
	f.Float64Var(&o.cfg.D0, "d0", o.cfg.D0, "`DF` of the distribution of variances over compounds")
	f.Float64Var(&o.cfg.CellShare, "cell-share", o.cfg.CellShare, "`SHARE` of the variance between cells, at 50 a donor")
	f.Float64Var(&o.cfg.Correlation, "correlation", 0, "`R` of a donor's two effects")
	f.IntVar(&o.screens, "screens", 1, "simulate `N` screens")
	f.StringVar(&o.design, "design", "fixed", "run them as `fixed|racing`")
	f.Float64Var(&o.how.FDR, "fdr", 0.1, "make calls at this false discovery `RATE`")
	f.BoolVar(&o.power, "power", false, "add power curves")
	return cmd
}

func (o *screenSimulation) check(g *globals) error {
	switch {
	case g.out == "-":
		return errors.New("-o names a folder; --json prints the result to stdout")
	case o.screens < 1:
		return fmt.Errorf("--screens %d, expected one or more", o.screens)
	case o.selective < 0 || o.selective > o.compounds:
		return fmt.Errorf("--true %d of --compounds %d", o.selective, o.compounds)
	case math.IsInf(o.cfg.D0, 0):
		return errors.New("--d0 is infinite, which JSON cannot say: at 1e6 all variances are alike")
	case o.design != string(simulate.Fixed) && o.design != string(simulate.Racing):
		return fmt.Errorf("--design %q is neither fixed nor racing", o.design)
	}
	mix := simulate.Typical(o.compounds, o.selective)
	c := &o.cfg
	c.Compounds, c.Selective, c.Both, c.NeutralOnly, c.Suppressors = mix.Compounds, mix.Selective, mix.Both, mix.NeutralOnly, mix.Suppressors
	c.Seed = g.seed
	o.how.Seed, o.how.Workers = g.seed, g.workers()
	if err := o.how.Check(); err != nil {
		return err
	}
	return c.Check()
}

// screenSimulated is what simulate finds.
type screenSimulated struct {
	*simulate.Outcome
	Power    []simulate.Power `json:"power,omitempty"`
	Settings struct {
		simulate.Config
		Screens int     `json:"screens"`
		Design  string  `json:"design"`
		FDR     float64 `json:"fdr"`
	} `json:"settings"`
}

func runScreenSimulate(ctx context.Context, g *globals, o *screenSimulation) (err error) {
	var dir *atomicfile.Dir
	if g.out != "" {
		if dir, err = atomicfile.CreateDir(g.out, atomicfile.Options{Force: g.force, Marker: manifest.Name}); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, dir.Abort()) }()
		if err := o.write(ctx, g, dir); err != nil {
			return err
		}
	}
	steps := o.screens
	if o.power {
		steps += o.screens * simulate.PowerSteps()
	}
	progress := g.start("simulating", "screens", int64(steps))
	defer progress.Stop()
	each := func() { progress.Add(1) }
	var r screenSimulated
	if r.Outcome, err = simulate.Evaluate(ctx, o.cfg, o.how, simulate.Design(o.design), o.screens, each); err != nil {
		return err
	}
	if o.power {
		if r.Power, err = simulate.Curves(ctx, o.cfg, o.how, o.screens, each); err != nil {
			return err
		}
	}
	progress.Stop()
	if dir != nil {
		if err := dir.Commit(); err != nil {
			return err
		}
	}
	r.Settings.Config, r.Settings.Screens, r.Settings.Design, r.Settings.FDR = o.cfg, o.screens, o.design, o.how.FDR
	if g.json {
		return printJSON(g.stdout, r)
	}
	return r.text(g.stdout)
}

// write fills the folder of a simulated screen, which appears when it is committed.
func (o *screenSimulation) write(ctx context.Context, g *globals, dir *atomicfile.Dir) error {
	t, truth, err := simulate.Table(ctx, o.cfg)
	if err != nil {
		return err
	}
	if o.design == string(simulate.Racing) {
		if t, err = simulate.Race(ctx, o.cfg, t); err != nil {
			return err
		}
	}
	if err := record.WriteFile(filepath.Join(dir.Path(), record.FileName), t, atomicfile.Options{}); err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(dir.Path(), "truth.tsv"))
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	fmt.Fprintln(w, "compound\tclass\tdelta_pos\tdelta_neu")
	for i, it := range t.Header.Items {
		if it.Kind == record.Test {
			fmt.Fprintf(w, "%s\t%s\t%g\t%g\n", tsvCell(it.Name), truth[i].Class, truth[i].Pos, truth[i].Neu)
		}
	}
	if err := errors.Join(w.Flush(), f.Close()); err != nil {
		return err
	}
	about := manifest.Manifest{
		Version: version, Command: "screen simulate", Seed: g.seed, Options: map[string]any{"simulation": o.cfg, "design": o.design},
		Counts: map[string]int64{"rows": int64(t.Len()), "compounds": int64(o.cfg.Compounds)},
	}
	return about.Write(dir.Path())
}

// text prints the outcome for people.
func (r *screenSimulated) text(w io.Writer) error {
	var b strings.Builder
	s := r.Settings
	fmt.Fprintf(&b, "%d screens of %d compounds, %d of them context-selective with an effect of %g standard deviations at a margin of %g; %d donors, %d cells each, %s design, q ≤ %g\n",
		s.Screens, s.Compounds, s.Selective, s.Effect, s.Margin, s.Donors, s.Cells, s.Design, s.FDR)
	fmt.Fprintf(&b, "recall %.3f, false discovery rate %.3f, precision %.3f, %.0f predictions a screen\n", r.Recall, r.FDR, r.Precision, r.Predictions)
	fmt.Fprintf(&b, "inert compounds with p ≤ 0.05: %.3f for the positive context, %.3f for the split; %.3f of the intervals of the split hold the truth\n\n",
		r.InertPos, r.InertSplit, r.Coverage)
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	calls := []analysis.Call{
		analysis.ContextSelective, analysis.Both, analysis.NeutralOnly, analysis.Suppressor,
		analysis.Inert, analysis.Undetermined, analysis.Unreliable, analysis.Uninterpretable,
	}
	fmt.Fprint(t, "truth")
	for _, c := range calls {
		fmt.Fprintf(t, "\t%s", c)
	}
	fmt.Fprintln(t)
	for _, class := range []simulate.Class{simulate.Selective, simulate.Both, simulate.NeutralOnly, simulate.Suppressor, simulate.Inert} {
		fmt.Fprint(t, class)
		for _, c := range calls {
			fmt.Fprintf(t, "\t%d", r.Truth[class][c])
		}
		fmt.Fprintln(t)
	}
	if len(r.Power) > 0 {
		fmt.Fprintln(t, "\nvaried\tvalue\tdesign\trecall\tFDR\tpredictions")
		for _, p := range r.Power {
			fmt.Fprintf(t, "%s\t%g\t%s\t%.3f\t%.3f\t%.0f\n", p.Vary, p.Value, p.Design, p.Recall, p.FDR, math.Round(p.Predictions))
		}
	}
	_ = t.Flush() // a strings.Builder takes everything
	_, err := io.WriteString(w, b.String())
	return err
}
