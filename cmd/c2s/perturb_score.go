package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cellsentence/c2s/h5ad"
	"github.com/cellsentence/c2s/perturb/score"
)

// scoreFlags are the flags of perturb score.
type scoreFlags struct {
	matrix             matrixFlags
	predLayer          string
	column, predColumn string
	control, preset    string
	donor              string
	minOverlap         float64
	normalize          string
	splits, bootstraps int
	tricks, match      bool
	total              float64
}

func newPerturbScore(g *globals) *cobra.Command {
	o := new(scoreFlags)
	cmd := &cobra.Command{
		Use: "score REAL PRED --pert-col COLUMN --control NAME [-o DIR]", Short: "Score predicted perturbations so that nobody can fool the score", Args: need(2, 2),
		Long: `score compares predicted cells with real ones, perturbation by perturbation. Every
metric stands between anchors: what a copy of the control cells reaches, what the mean
response of the other perturbations reaches, and what one half of the real cells
reaches against the other. The normalised score is 0 at the better of the first two
and 1 at the last, with a 95 % interval by bootstrap over the perturbations.

Presets: cell-eval is the score of the 2025 Virtual Cell Challenge; cell-eval2 its
successor, and vcc2026 the six members and the score of the 2026 challenge, which take
counts; systema, perturbench; distances (E-distance U and V, MMD, Wasserstein, R²); all
is every metric on log-normalised cells.

Genes are aligned by name. A prediction without control cells borrows those of REAL.
--donor adds differential expression between donors (pseudobulks, moderated t), and
makes the replicate of halves of the donors. Signs of known tricks are flagged, and a
table tells what each trick would have done to every metric.

DIR gets results.csv (a row a perturbation), agg_results.csv (as cell-eval writes it),
scores.json, the figures as PNG and SVG, and index.html. scores.json holds real, pred,
preset, control, perturbations, real_cells, pred_cells, genes, donors, splits, flags,
tricks, warnings, challenge (vcc2026), and metrics, each with name, lower_is_better,
score, score_low, score_high, control, mean_response, ceiling, baseline, normalised,
low, high, scored (perturbations under normalised), n and undefined (with and without a
value), reason (why a number is missing), values, baseline_values and ceiling_values by
perturbation. What does not exist is null, never 0.`,
		Example: "  c2s perturb score testdata/perturb.h5ad testdata/perturb.h5ad --pert-col perturbation --control control",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(g); err != nil {
				return &usageError{err, cmd.CommandPath()}
			}
			return runPerturbScore(cmd.Context(), g, o, args[0], args[1])
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.column, "pert-col", "", "the `COLUMN` of obs that names the perturbation of a cell")
	f.StringVar(&o.predColumn, "pred-pert-col", "", "that `COLUMN` in PRED (default: as in REAL)")
	f.StringVar(&o.control, "control", "", "the `NAME` of the unperturbed cells in that column")
	f.StringVar(&o.preset, "preset", string(score.CellEval), "score as `"+presetNames("|")+"` does")
	f.StringVar(&o.donor, "donor", "", "the `COLUMN` of the donors")
	f.StringVar(&o.normalize, "normalize", "median", "scale counts to `median|N` before the logarithm, where the preset takes one")
	f.Float64Var(&o.minOverlap, "min-overlap", 0.9, "least `SHARE` of the genes of REAL that PRED must have")
	f.BoolVar(&o.match, "match-cells", false, "score no more cells of a perturbation than REAL has, drawn at random")
	f.IntVar(&o.splits, "splits", 5, "halve the real cells `N` times for the ceiling")
	f.IntVar(&o.bootstraps, "bootstraps", 1000, "draw `N` times for each interval")
	f.BoolVar(&o.tricks, "tricks", true, "tell what known tricks would do to each metric; each costs another scoring")
	o.matrix.add(f)
	f.StringVar(&o.predLayer, "pred-layer", "", "take the layer `NAME` of PRED, or its X with the name X (default: as of REAL)")
	return cmd
}

func presetNames(separator string) string {
	var names []string
	for _, p := range score.Presets() {
		names = append(names, string(p))
	}
	return strings.Join(names, separator)
}

func (o *scoreFlags) check(g *globals) error {
	if g.out == "-" {
		return errors.New("-o names a folder; --json prints the result to stdout")
	}
	if o.normalize != "median" {
		n, err := strconv.ParseFloat(o.normalize, 64)
		if err != nil || !(n > 0) || n > 1e12 {
			return fmt.Errorf("--normalize %q is neither median nor a positive number", o.normalize)
		}
		o.total = n
	}
	switch {
	case o.column == "":
		return errors.New("--pert-col is missing: the column of obs that names the perturbation of a cell")
	case o.control == "":
		return errors.New("--control is missing: the name of the unperturbed cells in the column " + o.column)
	case !slices.Contains(score.Presets(), score.Preset(o.preset)):
		return fmt.Errorf("--preset %q is none of %s", o.preset, presetNames(", "))
	case !(o.minOverlap > 0 && o.minOverlap <= 1):
		return fmt.Errorf("--min-overlap %g is not above 0 and at most 1", o.minOverlap)
	case o.splits < 1 || o.bootstraps < 1:
		return errors.New("--splits and --bootstraps must be 1 or more")
	}
	return o.matrix.check()
}

// side is an open file as score takes it.
type scoreSide struct {
	score.Input
	file     *input
	warnings []string
}

// open opens one side; the caller closes its file.
func (o *scoreFlags) open(ctx context.Context, g *globals, path string, pred bool) (s *scoreSide, err error) {
	m, column := o.matrix, o.column
	if pred && o.predLayer != "" {
		m.raw, m.layer = false, o.predLayer
		if o.predLayer == "X" {
			m.layer = ""
		}
	}
	if pred && o.predColumn != "" {
		column = o.predColumn
	}
	in, err := m.open(ctx, g, path)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			in.file.Close() // nothing was written: the first error counts
		}
	}()
	s = &scoreSide{Input: score.Input{Name: path, Genes: in.genes}, file: in}
	for _, w := range in.warnings {
		s.warnings = append(s.warnings, path+": "+w)
	}
	missing := 0
	if s.Labels, missing, err = obsTexts(ctx, in.file, path, column); err != nil {
		return nil, err
	}
	if missing > 0 {
		s.warnings = append(s.warnings, fmt.Sprintf("%s: %d of %d cells have no value in %s and are left out", path, missing, len(s.Labels), column))
	}
	if o.donor != "" && (!pred || in.file.Obs().Has(o.donor)) {
		if s.Donors, missing, err = obsTexts(ctx, in.file, path, o.donor); err != nil {
			return nil, err
		}
		if missing > 0 {
			s.warnings = append(s.warnings, fmt.Sprintf("%s: %d of %d cells have no donor; they are in no pseudobulk and no half", path, missing, len(s.Donors)))
		}
	}
	s.Cells, err = in.matrix.Rows(ctx, h5ad.RowOptions{Budget: g.budget() / 4})
	return s, err
}

// obsTexts is a column of labels; missing ones are empty.
func obsTexts(ctx context.Context, f *h5ad.File, path, column string) (texts []string, missing int, err error) {
	if !f.Obs().Has(column) {
		return nil, 0, &inputError{fmt.Errorf("%s: obs has no column %q; it has %s", path, column, strings.Join(f.Obs().Names, ", ")), ""}
	}
	c, err := f.Obs().Column(ctx, column)
	if err != nil {
		return nil, 0, err
	}
	texts = make([]string, c.Rows())
	for i := range texts {
		text, ok := c.Text(i)
		if !ok || text == "" {
			missing++
			continue
		}
		texts[i] = text
	}
	return texts, missing, nil
}

// scoreResult is what scores.json and --json hold.
type scoreResult struct {
	Real    string `json:"real"`
	Pred    string `json:"pred"`
	Verdict string `json:"verdict"`
	Methods string `json:"methods"`
	*score.Result
}

func runPerturbScore(ctx context.Context, g *globals, o *scoreFlags, realPath, predPath string) (err error) {
	out, err := newResultFolder(g, []string{realPath, predPath})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.abort()) }()
	real, err := o.open(ctx, g, realPath, false)
	if err != nil {
		return err
	}
	defer real.file.file.Close()
	pred, err := o.open(ctx, g, predPath, true)
	if err != nil {
		return err
	}
	defer pred.file.file.Close()
	cfg := score.Config{
		Control: o.control, Preset: score.Preset(o.preset), MinOverlap: o.minOverlap, Total: o.total, MatchCells: o.match, Splits: o.splits,
		Bootstraps: o.bootstraps, Tricks: o.tricks, Seed: g.seed, Workers: g.workers(),
	}
	bar := g.start("scoring "+predPath, "scorings", int64(cfg.Scorings()))
	defer bar.Stop()
	cfg.Step = func() { bar.Add(1) }
	result, err := score.Evaluate(ctx, real.Input, pred.Input, cfg)
	bar.Stop()
	if err != nil {
		return err
	}
	result.Warnings = slices.Concat(real.warnings, pred.warnings, result.Warnings)
	r := &scoreResult{Real: realPath, Pred: predPath, Result: result, Verdict: result.Verdict(), Methods: result.Methods()}
	if err := r.write(ctx, g, o, out); err != nil {
		return err
	}
	for _, w := range r.Warnings {
		g.logger().Warn(w)
	}
	if g.json {
		return printJSON(g.stdout, r)
	}
	return r.text(g.stdout)
}
