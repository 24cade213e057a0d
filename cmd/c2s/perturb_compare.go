package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/cellsentence/c2s/cellsentence/dataset"
	"github.com/cellsentence/c2s/h5ad"
	"github.com/cellsentence/c2s/internal/manifest"
	"github.com/cellsentence/c2s/perturb/compare"
	"github.com/cellsentence/c2s/scfid"
)

// compareFlags are the flags of perturb compare.
type compareFlags struct {
	common      bool
	metrics     []string
	prices, mix string
}

func newCompare(g *globals) *cobra.Command {
	o := new(compareFlags)
	cmd := &cobra.Command{
		Use: "compare DIR... [-o OUT]", Short: "Rank runs that were scored alike", Args: need(1, -1),
		Long: `compare sets runs against each other. A DIR is what c2s perturb score wrote. It may also
hold predict.json, what c2s predict --json printed, for the cost; run.json with model,
cells, tokens, seconds, and the mixture that the model was trained on; and answers.jsonl
with a line an answer, for behaviour and pass@k. Without the last, answers are counted
in the file that was scored, if c2s predict wrote it and it is still there.

Runs are ranked by the overall score: the mean over metrics of the values between the
baseline (0) and a replicate of the real cells (1). Each pair is tested by Wilcoxon's
signed ranks over perturbations, adjusted after Holm over the pairs of a metric. With
records there is the frontier of score and cost, the upper convex hull with the
origin, in tokens and, by --prices, in money. OUT gets index.html, compare.json,
leaderboard.tsv and the figures.`,
		Example: `  c2s perturb compare examples/compare/model-junk-000 examples/compare/additive
  c2s perturb compare examples/compare/model-junk-* --prices examples/compare/prices.json --mix examples/compare -o board`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if g.out == "-" {
				return &usageError{errors.New("-o names a folder; --json prints the result to stdout"), cmd.CommandPath()}
			}
			return runCompare(cmd.Context(), g, o, args)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&o.common, "common", false, "compare what the runs have in common where presets, real files or perturbations differ")
	f.StringSliceVar(&o.metrics, "metric", nil, "make the overall score of the metrics `NAME,...` (default: of all that can)")
	f.StringVar(&o.prices, "prices", "", "prices of the models with their date, a JSON `FILE`")
	f.StringVar(&o.mix, "mix", "", "`DIR` of c2s dataset mix, for the doses of the mixtures that run.json names")
	return cmd
}

// runFolder reads the files of runs.
type runFolder struct {
	path      string
	inputs    []string       // the files that were read
	predicted manifest.Input // the cells that were scored
}

// open opens a file of the folder. One that is not there is nil where it may be missing.
func (r *runFolder) open(name string, must bool) (*os.File, error) {
	path := filepath.Join(r.path, name)
	f, err := os.Open(path)
	switch {
	case err == nil:
		r.inputs = append(r.inputs, path)
		return f, nil
	case !must && errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, &inputError{fmt.Errorf("%s: there is no %s in it", r.path, name), "name folders that c2s perturb score wrote"}
	}
	return nil, err
}

// read reads a file of the folder, if it is there.
func (r *runFolder) read(name string, must bool, do func(io.Reader) error) error {
	f, err := r.open(name, must)
	if f == nil {
		return err
	}
	defer f.Close()
	if err := do(f); err != nil {
		return fmt.Errorf("%s: %w", filepath.Join(r.path, name), err)
	}
	return nil
}

// run reads all that is known of a run.
func (r *runFolder) run(ctx context.Context, name string) (run compare.Run, err error) {
	run.Name = name
	for _, f := range []struct {
		name string
		must bool
		read func(in io.Reader) error
	}{
		{"scores.json", true, func(in io.Reader) (err error) {
			run.Scores, err = compare.ReadScores(in)
			return err
		}},
		{manifest.Name, true, func(in io.Reader) (err error) {
			real, predicted, err := scoredFiles(in)
			run.Real, r.predicted = real.SHA256, predicted
			return err
		}},
		{"run.json", false, func(in io.Reader) (err error) {
			run.Record, err = compare.ReadRecord(in)
			return err
		}},
		{"predict.json", false, func(in io.Reader) error {
			record, err := compare.ReadPredicted(in)
			if run.Record == nil {
				run.Record = new(compare.Record)
			}
			if err == nil {
				run.Record.Add(record)
			}
			return err
		}},
		{"answers.jsonl", false, func(in io.Reader) (err error) {
			run.Behaviour, run.Sampling, err = compare.ReadAnswers(ctx, in)
			return err
		}},
	} {
		if err := r.read(f.name, f.must, f.read); err != nil {
			return run, err
		}
	}
	if run.Behaviour == nil {
		run.Behaviour, err = r.behaviour(ctx)
	}
	return run, err
}

// scoredFiles are the real and the predicted cells in the manifest of perturb score, whose
// inputs begin with them.
func scoredFiles(r io.Reader) (real, predicted manifest.Input, err error) {
	var m manifest.Manifest
	const tip = "name folders that c2s perturb score wrote"
	if err := json.NewDecoder(r).Decode(&m); err != nil {
		return real, predicted, &inputError{fmt.Errorf("this is no manifest: %w", err), tip}
	}
	if m.Command != "perturb score" || len(m.Inputs) < 2 {
		return real, predicted, &inputError{fmt.Errorf("this is the manifest of %q, not of perturb score", m.Command), tip}
	}
	return m.Inputs[0], m.Inputs[1], nil
}

// behaviour counts the answers of the cells that were scored, if c2s predict wrote them
// and they are still where they were; else it is not known.
func (r *runFolder) behaviour(ctx context.Context) (_ *compare.Behaviour, err error) {
	path := r.predicted.Path
	if st, err := os.Stat(path); err != nil || st.Size() != r.predicted.Bytes {
		return nil, nil
	}
	f, err := h5ad.Open(ctx, path, h5ad.Options{})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	names := []string{"c2s_control", "c2s_valid", "c2s_copy", "c2s_words", "c2s_unknown", "c2s_repeats", "c2s_stop"}
	columns := make([]*h5ad.Column, len(names))
	for i, name := range names {
		if !f.Obs().Has(name) {
			if name == "c2s_stop" { // only models have one
				continue
			}
			return nil, nil
		}
		if columns[i], err = f.Obs().Column(ctx, name); err != nil {
			return nil, err
		}
	}
	r.inputs = append(r.inputs, path)
	at := func(column, row int) string {
		if columns[column] == nil {
			return ""
		}
		text, _ := columns[column].Text(row)
		return text
	}
	is := func(column, row int) bool { return at(column, row) == "true" }
	out := new(compare.Behaviour)
	for row := range f.Obs().Length {
		if is(0, row) {
			continue
		}
		a := compare.Answer{Valid: is(1, row), Copy: is(2, row), Stop: at(6, row)}
		for k, to := range []*int{&a.Words, &a.Unknown, &a.Repeats} {
			if *to, err = strconv.Atoi(at(3+k, row)); err != nil {
				return nil, &inputError{fmt.Errorf("%s: row %d: obs/%s is no number: %w", path, row, names[3+k], err), ""}
			}
		}
		out.Add(&a)
	}
	if out.Answers == 0 {
		return nil, nil
	}
	return out, nil
}

// doses are those of the mixtures of dataset mix, by the names of their files.
func doses(path string) (map[string]int, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var r dataset.MixReport
	if err := json.Unmarshal(data, &r); err != nil || len(r.Mixtures) == 0 {
		return nil, &inputError{fmt.Errorf("%s: there are no mixtures in it", path), "name a folder that c2s dataset mix wrote"}
	}
	out := map[string]int{}
	for _, m := range r.Mixtures {
		out[filepath.Base(m.Path)] = m.Dose
	}
	return out, nil
}

func runCompare(ctx context.Context, g *globals, o *compareFlags, paths []string) error {
	var inputs []string
	cfg := compare.Config{Common: o.common, Metrics: o.metrics}
	if o.prices != "" {
		f, err := os.Open(o.prices)
		if err != nil {
			return err
		}
		cfg.Prices, err = compare.ReadPrices(f)
		if err = errors.Join(err, f.Close()); err != nil {
			return fmt.Errorf("%s: %w", o.prices, err)
		}
		inputs = append(inputs, o.prices)
	}
	var dose map[string]int
	if o.mix != "" {
		path := filepath.Join(o.mix, "mix.json")
		var err error
		if dose, err = doses(path); err != nil {
			return err
		}
		inputs = append(inputs, path)
	}
	runs := make([]compare.Run, len(paths))
	for i, path := range paths {
		in := &runFolder{path: path}
		var err error
		if runs[i], err = in.run(ctx, runName(paths, i)); err != nil {
			return err
		}
		inputs = append(inputs, in.inputs...)
		if r := runs[i].Record; dose != nil && r != nil && r.Mixture != "" {
			d, known := dose[filepath.Base(r.Mixture)]
			if !known {
				return &inputError{fmt.Errorf("%s: %s has no mixture %q", path, o.mix, r.Mixture), "the mixture in run.json is the name of a file of c2s dataset mix"}
			}
			runs[i].Dose = &d
		}
	}
	result, err := compare.Compare(ctx, runs, cfg)
	if err != nil {
		return err
	}
	if g.out != "" {
		if err := writeComparison(ctx, g, o, inputs, result); err != nil {
			return err
		}
	}
	for _, w := range result.Warnings {
		g.logger().Warn(w)
	}
	if g.json {
		return printJSON(g.stdout, result)
	}
	return comparisonText(g.stdout, result)
}

// runName is the last part of a path, or as much of it as tells it from the others.
func runName(paths []string, i int) string {
	end := func(path string, n int) string {
		parts := strings.Split(filepath.ToSlash(filepath.Clean(path)), "/")
		return strings.Join(parts[max(0, len(parts)-n):], "/")
	}
	for n := 1; n <= strings.Count(filepath.ToSlash(paths[i]), "/")+1; n++ {
		name := end(paths[i], n)
		alone := true
		for k, p := range paths {
			alone = alone && (k == i || end(p, n) != name)
		}
		if alone {
			return name
		}
	}
	return paths[i]
}

// comparisonText prints the leaderboard for people.
func comparisonText(w io.Writer, r *compare.Result) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", flat(r.Verdict()))
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	board := boardTable(r)
	var head []string
	for _, c := range board.Columns {
		head = append(head, c.Name)
	}
	fmt.Fprintln(t, strings.Join(head, "\t"))
	for _, row := range board.Rows {
		for i := range row {
			row[i] = flat(row[i])
		}
		fmt.Fprintln(t, strings.Join(row, "\t"))
	}
	_ = t.Flush() // a strings.Builder takes everything
	if slices.ContainsFunc(r.Pairs, func(p compare.Pair) bool { return p.Metric == r.By }) {
		fmt.Fprintf(&b, "\nneighbours by %s\n", flat(r.By))
		t = tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
		fmt.Fprintln(t, "pair\tdifference\t95 %\tg\tp (Holm)")
		rank := map[string]int{}
		for i := range r.Ranking {
			rank[r.Ranking[i].Name] = i
		}
		for _, p := range r.Pairs { // the JSON and the page have all
			if p.Metric == r.By && rank[p.Second] == rank[p.First]+1 {
				fmt.Fprintf(t, "%s – %s\t%s\t%s\t%s\t%s\n", flat(p.First), flat(p.Second), four(p.Difference), ends(p.Low, p.High), four(p.G), four(p.Holm))
			}
		}
		_ = t.Flush()
	}
	for line := range strings.Lines(b.String()) {
		if _, err := fmt.Fprintln(w, printable(strings.TrimSuffix(line, "\n"))); err != nil {
			return err
		}
	}
	return nil
}

func four(n compare.Number) string { return figures(scfid.Value(n)) }

// ends is an interval, – where there is none.
func ends(low, high compare.Number) string {
	if low.Missing() || high.Missing() {
		return "–"
	}
	return span(&[2]float64{float64(low), float64(high)})
}

// writeComparison fills the output folder.
func writeComparison(ctx context.Context, g *globals, o *compareFlags, inputs []string, r *compare.Result) (err error) {
	out, err := newResultFolder(g, inputs)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.abort()) }()
	page, err := comparison{r, out}.page()
	if err != nil {
		return err
	}
	if err := errors.Join(out.json("compare.json", r), out.file("leaderboard.tsv", func(w io.Writer) error { return writeBoard(w, r) })); err != nil {
		return err
	}
	return out.finish(ctx, g, page, manifest.Manifest{
		Command: "perturb compare", Warnings: r.Warnings,
		Options: map[string]any{"common": o.common, "metric": o.metrics, "prices": o.prices, "mix": o.mix},
		Counts:  map[string]int64{"runs": int64(len(r.Ranking)), "perturbations": int64(len(r.Perturbations))},
	})
}
