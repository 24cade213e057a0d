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
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/cellsentence/c2s/internal/atomicfile"
	"github.com/cellsentence/c2s/internal/manifest"
	"github.com/cellsentence/c2s/screen"
	"github.com/cellsentence/c2s/screen/analysis"
	"github.com/cellsentence/c2s/screen/record"
)

func newScreenAnalyse(g *globals) *cobra.Command {
	cfg := new(analysis.Config)
	var config string
	cmd := &cobra.Command{
		Use: "analyse -c screen.yaml|RUN [-o DIR]", Short: "Find the hits of a screen that was run", Args: need(0, 1),
		Long: `analyse reads the scores of a screen, RUN/scores.tsv.gz or the file itself, where RUN is
the folder of the screen.yaml if that is given instead, and calls each compound:
context-selective (up in the positive context, unmoved in the neutral one), both,
neutral-only, suppressor, inert, or undetermined. Donors are the unit of replication;
tests are moderated t-statistics; "unmoved" is shown by two one-sided tests against a
margin; each call has its own false discovery rate. If the positive control is not
seen, no call is made.

DIR (default RUN/analysis) gets hits.tsv, validation.tsv with what a laboratory should
run, and result.json with everything else.`,
		Example: `  c2s screen simulate --compounds 400 --true 8 -o simulated
  c2s screen analyse simulated`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if g.out == "-" {
				return &usageError{errors.New("-o names a folder; --json prints the result to stdout"), cmd.CommandPath()}
			}
			if err := cfg.Check(); err != nil {
				return &usageError{err, cmd.CommandPath()}
			}
			run, err := screenFolder(cmd, config, args)
			if err != nil {
				return err
			}
			cfg.Seed, cfg.Workers = g.seed, g.workers()
			return runScreenAnalyse(cmd.Context(), g, *cfg, run)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&config, "config", "c", "", "the screen, a `screen.yaml`")
	f.StringVar((*string)(&cfg.Score), "score", "u", "analyse the score `u|expr`: UCell's of the sentence, or the mean z of the decoded expression")
	f.Float64Var(&cfg.FDR, "fdr", 0.1, "make calls at this false discovery `RATE`")
	f.Float64Var(&cfg.Level, "level", 0.9, "`LEVEL` of the intervals")
	f.Float64Var(&cfg.Margin, "unmoved", 0, "count changes below this `SCORE` as none (default: as the plan fixed it, or a quarter of the positive control's effect)")
	f.StringVar(&cfg.Control, "control", "", "`NAME` of the positive control that is the unit (default: the plan's)")
	f.IntVar(&cfg.Permutations, "permutations", 200, "`N` permutations behind the synergy")
	return cmd
}

// screenFolder is the folder of a screen that was run: that of its screen.yaml, or the
// one that is named.
func screenFolder(cmd *cobra.Command, config string, args []string) (string, error) {
	switch {
	case config == "" && len(args) == 1:
		return args[0], nil
	case config == "" || len(args) > 0:
		return "", &usageError{errors.New("name the screen, either by -c screen.yaml or by its folder"), cmd.CommandPath()}
	}
	cfg, err := screen.ReadConfig(config)
	if err != nil {
		return "", err
	}
	return cfg.Folder(), nil
}

// screenScores is the file of scores of a run, and the folder that results go to.
func screenScores(run string) (scores, out string) {
	if st, err := os.Stat(run); err == nil && !st.IsDir() {
		return run, filepath.Join(filepath.Dir(run), "analysis")
	}
	return filepath.Join(run, record.FileName), filepath.Join(run, "analysis")
}

func runScreenAnalyse(ctx context.Context, g *globals, cfg analysis.Config, run string) (err error) {
	scores, out := screenScores(run)
	if g.out != "" {
		out = g.out
	}
	if _, err := os.Stat(scores); errors.Is(err, os.ErrNotExist) {
		return &inputError{err, "give the folder of a screen that was run"}
	}
	dir, err := atomicfile.CreateDir(out, atomicfile.Options{Force: g.force, Marker: manifest.Name, Inputs: []string{scores}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dir.Abort()) }()
	t, err := record.ReadFile(scores)
	if err != nil {
		return err
	}
	r, err := analysis.Analyse(ctx, t, cfg)
	if err != nil {
		return fmt.Errorf("%s: %w", scores, err)
	}
	inputs, err := manifest.Inputs(ctx, []string{scores}, g.workers())
	if err != nil {
		return err
	}
	about := manifest.Manifest{
		Version: version, Command: "screen analyse", Inputs: inputs, Seed: g.seed, Options: r.Config, Warnings: r.Warnings,
		Counts: map[string]int64{"compounds": int64(len(r.Hits)), "rows": int64(t.Len()), "hits": int64(r.Calls[analysis.ContextSelective])},
	}
	if err := errors.Join(writeScreenFiles(dir.Path(), r), about.Write(dir.Path())); err != nil {
		return err
	}
	if err := dir.Commit(); err != nil {
		return err
	}
	for _, w := range r.Warnings {
		g.logger().Warn(w)
	}
	if g.json {
		return printJSON(g.stdout, r)
	}
	return screenText(g.stdout, r, out)
}

// writeScreenFiles writes the tables and the result of an analysis into a folder.
func writeScreenFiles(dir string, r *analysis.Result) error {
	write := func(name string, fn func(io.Writer) error) error {
		var b bytes.Buffer
		if err := fn(&b); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, name), b.Bytes(), 0o666)
	}
	return errors.Join(
		write("hits.tsv", func(w io.Writer) error { return writeScreenTable(w, r.HitsTable()) }),
		write("validation.tsv", func(w io.Writer) error { return writeScreenTable(w, r.ValidationTable()) }),
		write("result.json", func(w io.Writer) error {
			e := json.NewEncoder(w)
			e.SetIndent("", " ")
			return e.Encode(r)
		}),
	)
}

// writeScreenTable writes a table as TSV; texts are safe in a spreadsheet.
func writeScreenTable(w io.Writer, t analysis.Table) error {
	var b strings.Builder
	for i, c := range t.Columns {
		if i > 0 {
			b.WriteByte('\t')
		}
		b.WriteString(tsvCell(c.Name)) // programs name columns
	}
	b.WriteByte('\n')
	for _, row := range t.Rows {
		for i, cell := range row {
			if i > 0 {
				b.WriteByte('\t')
			}
			if !t.Columns[i].Number {
				cell = tsvCell(cell)
			}
			b.WriteString(cell)
		}
		b.WriteByte('\n')
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// screenText prints the calls and the first of the ranking.
func screenText(w io.Writer, r *analysis.Result, out string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%d compounds:", len(r.Hits))
	for i, call := range []analysis.Call{
		analysis.ContextSelective, analysis.Both, analysis.NeutralOnly, analysis.Suppressor,
		analysis.Inert, analysis.Undetermined, analysis.Unreliable, analysis.Uninterpretable,
	} {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, " %d %s", r.Calls[call], call)
	}
	fmt.Fprintf(&b, "\nmargin %.4g: %s\n%s\n\n", float64(r.Margin), r.MarginSource, r.Assay.Reason)
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "rank\tcompound\tcall\tpositive\tneutral\tsplit, %g %%\tq\n", 100*r.Config.Level)
	const shown = 10
	short := func(n analysis.Number) string {
		if n.Missing() {
			return "–"
		}
		return fmt.Sprintf("%.3g", float64(n))
	}
	for _, c := range r.Hits[:min(shown, len(r.Hits))] {
		fmt.Fprintf(t, "%d\t%s\t%s\t%s\t%s\t%s [%s, %s]\t%s\n", c.Rank, flat(c.Name), c.Call,
			short(c.Pos.Value), short(c.Neu.Value), short(c.Split.Value), short(c.Split.Lo), short(c.Split.Hi), short(c.Q))
	}
	_ = t.Flush() // a strings.Builder takes everything
	fmt.Fprintf(&b, "\n%s\nhits.tsv, validation.tsv and result.json are in %s\n", r.Notes["q"], out)
	if r.Notice != "" {
		fmt.Fprintf(&b, "every result is of a %s\n", r.Notice)
	}
	for line := range strings.Lines(b.String()) {
		if _, err := fmt.Fprintln(w, printable(strings.TrimSuffix(line, "\n"))); err != nil {
			return err
		}
	}
	return nil
}
