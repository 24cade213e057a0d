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
	"strings"

	"github.com/spf13/cobra"

	"github.com/cellsentence/c2s/internal/atomicfile"
	"github.com/cellsentence/c2s/internal/manifest"
	"github.com/cellsentence/c2s/internal/report"
	"github.com/cellsentence/c2s/perturb/scaling"
	"github.com/cellsentence/c2s/perturb/scaling/scalingplot"
)

func newScaling(g *globals) *cobra.Command {
	cmd := &cobra.Command{
		Use: "scaling", Short: "Forecast how a run scales with compute", Args: cobra.ArbitraryArgs, RunE: parentOnly,
		Long:    "scaling fits the curve of ScaleRL, a sigmoid that saturates, to runs of reinforcement learning.",
		Example: "  c2s perturb scaling fit examples/rewards/run.jsonl",
	}
	return withCommands(cmd, newScalingFit(g))
}

// scalingFlags are the flags of perturb scaling fit.
type scalingFlags struct {
	cfg             scaling.Config
	start           float64
	compute, reward string
}

func newScalingFit(g *globals) *cobra.Command {
	o := new(scalingFlags)
	cmd := &cobra.Command{
		Use: "fit RUN.jsonl [RUN.jsonl] [-o DIR]", Short: "Fit a saturating curve to a run, or compare two", Args: need(1, 2),
		Long: `fit reads a log, a JSON object a line with the compute spent and the reward on held-out
prompts (a mean between 0 and 1), and fits
R(C) = R0 + (A − R0) / (1 + (C_mid/C)^B), the curve of ScaleRL: a coarse grid, then
least squares. A, the ceiling, has an interval by profile and one by bootstrap. With
--to, later points verify the forecast. Two runs are compared by their ceilings, or by
B where these agree within 0.02. DIR gets fit.json, the plots and index.html.`,
		Example: "  c2s perturb scaling fit examples/rewards/run.jsonl --to 8000",
		RunE: func(cmd *cobra.Command, args []string) error {
			if g.out == "-" {
				return &usageError{errors.New("-o must be a folder"), cmd.CommandPath()}
			}
			if cmd.Flags().Changed("start") {
				o.cfg.R0 = &o.start
			}
			o.cfg.Seed = g.seed
			return runScaling(cmd.Context(), g, o, args)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.compute, "compute-key", "compute", "`FIELD` of the compute, in any unit")
	f.StringVar(&o.reward, "reward-key", "reward", "`FIELD` of the reward")
	f.Float64Var(&o.start, "start", 0, "`REWARD` of the initial policy (default: that of the point with compute 0)")
	f.Float64Var(&o.cfg.From, "from", 0, "fit points from this `COMPUTE` on; the first epoch does not follow the curve")
	f.Float64Var(&o.cfg.To, "to", 0, "fit points up to this `COMPUTE`; 0 takes all")
	f.Float64SliceVar(&o.cfg.At, "at", nil, "forecast at `COMPUTE,...`, beside that of the last point")
	f.Float64Var(&o.cfg.Level, "level", 0.95, "`LEVEL` of the intervals")
	f.IntVar(&o.cfg.Resamples, "resamples", 400, "`N` resamples of the bootstrap")
	return cmd
}

// scalingResult is what fit.json holds.
type scalingResult struct {
	Fits       []namedFit          `json:"fits"`
	Comparison *scaling.Comparison `json:"comparison"` // null for one run
}

type namedFit struct {
	Run string `json:"run"`
	*scaling.Fit
}

func runScaling(ctx context.Context, g *globals, o *scalingFlags, paths []string) error {
	runs := make([]scalingplot.Run, len(paths))
	for i, path := range paths {
		in, err := g.openInput(path)
		if err != nil {
			return err
		}
		runs[i].Name = path
		runs[i].Points, err = scaling.ReadPoints(in, o.compute, o.reward)
		if err = errors.Join(err, in.Close()); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	var r scalingResult
	var err error
	if len(runs) == 1 {
		runs[0].Fit, err = scaling.Run(ctx, runs[0].Points, o.cfg)
	} else {
		runs[0].Fit, runs[1].Fit, r.Comparison, err = scaling.Compare(ctx, runs[0].Points, runs[1].Points, o.cfg)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", strings.Join(paths, ", "), err)
	}
	for _, run := range runs {
		r.Fits = append(r.Fits, namedFit{run.Name, run.Fit})
		for _, w := range run.Fit.Warnings {
			g.logger().Warn(run.Name + ": " + w)
		}
	}
	if g.out != "" {
		if err := writeScaling(ctx, g, o, paths, runs, &r); err != nil {
			return err
		}
	}
	if g.json {
		return printJSON(g.stdout, r)
	}
	for _, line := range r.lines() {
		if _, err := fmt.Fprintln(g.stdout, printable(line)); err != nil {
			return err
		}
	}
	return nil
}

// lines tells the result in words.
func (r *scalingResult) lines() []string {
	var out []string
	for _, f := range r.Fits {
		level := fmt.Sprintf("%.3g %%", 100*f.Level)
		out = append(out, fmt.Sprintf("%s: A %.4f (%s by profile %s, by bootstrap %s), B %.3f %s, C_mid %.5g %s, R0 %.4f, %d points, residual %.2g",
			f.Run, f.A, level, between(f.AProfile), between(f.ABoot), f.B, between(f.BBoot), f.Mid, between(f.MidBoot), f.R0, f.N, f.Residual))
		for _, c := range f.Forecasts {
			out = append(out, fmt.Sprintf("%s: at %g: %.4f %s", f.Run, c.Compute, c.Reward, between(c.CI)))
		}
		if v := f.Verification; v != nil {
			out = append(out, fmt.Sprintf("%s: %d later points differ from the forecast by %.4f on average and %.4f at most; %.0f %% are within %g",
				f.Run, v.N, v.MAE, v.Worst, 100*v.Within, scaling.Margin))
		}
	}
	if c := r.Comparison; c != nil {
		out = append(out, r.verdict(c))
	}
	return out
}

func (r *scalingResult) verdict(c *scaling.Comparison) string {
	unsure := ""
	if c.Ambiguous {
		unsure = "; the interval includes 0, so that neither run is shown to be better"
	}
	if !c.SameA {
		return fmt.Sprintf("ceilings differ: second − first %.4f %s%s", c.DeltaA, between(c.DeltaACI), unsure)
	}
	return fmt.Sprintf("ceilings agree within %g; with A %.4f for both, B is %.3f and %.3f, second − first %s%s",
		scaling.Margin, c.CommonA, c.FirstB, c.SecondB, between(c.DeltaBCI), unsure)
}

func between(i scaling.Interval) string { return fmt.Sprintf("[%.4g, %.4g]", i[0], i[1]) }

// writeScaling fills the output folder.
func writeScaling(ctx context.Context, g *globals, o *scalingFlags, paths []string, runs []scalingplot.Run, r *scalingResult) (err error) {
	files := make([]string, 0, len(paths))
	for _, p := range paths {
		if p != "-" {
			files = append(files, p)
		}
	}
	dir, err := atomicfile.CreateDir(g.out, atomicfile.Options{Force: g.force, Marker: manifest.Name, Inputs: files})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dir.Abort()) }()
	write := func(name string, fn func(io.Writer) error) error {
		var b bytes.Buffer
		if err := fn(&b); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir.Path(), name), b.Bytes(), 0o666)
	}
	var svg bytes.Buffer
	if err := scalingplot.Write(&svg, runs, "svg"); err != nil {
		return err
	}
	inputs, err := manifest.Inputs(ctx, files, g.workers())
	if err != nil {
		return err
	}
	about := manifest.Manifest{Version: version, Command: "perturb scaling fit", Inputs: inputs, Seed: g.seed, Options: o.cfg}
	page := report.Page{Title: "How the run scales with compute", Data: r, Made: []report.Fact{{Name: "Made by", Value: "c2s " + version}}}
	for _, run := range runs {
		about.Warnings = append(about.Warnings, run.Fit.Warnings...)
	}
	page.Warnings = about.Warnings
	lines := r.lines()
	page.Lead = lines[len(lines)-1]
	page.Sections = []report.Section{{
		Title: "Fit", Text: lines,
		Figures: []report.Figure{{SVG: svg.Bytes(), Caption: "Measured rewards, the fitted curve with its interval by bootstrap (pale), and the ceiling (grey)."}},
	}}
	if err := errors.Join(
		write("fit.json", func(w io.Writer) error {
			e := json.NewEncoder(w)
			e.SetIndent("", "  ")
			return e.Encode(r)
		}),
		write("scaling.svg", func(w io.Writer) error { _, err := w.Write(svg.Bytes()); return err }),
		write("scaling.png", func(w io.Writer) error { return scalingplot.Write(w, runs, "png") }),
		write("index.html", page.Write),
		about.Write(dir.Path()),
	); err != nil {
		return err
	}
	return dir.Commit()
}
