package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cellsentence/c2s/cellsentence/dataset"
	"github.com/cellsentence/c2s/internal/manifest"
)

// mixFlags are the flags of dataset mix.
type mixFlags struct {
	doses  []int
	tokens int64
	text   []string
	format string

	cfg dataset.MixConfig
}

func newDatasetMix(g *globals) *cobra.Command {
	o := new(mixFlags)
	cmd := &cobra.Command{
		Use: "mix IN [JUNK] -o DIR", Short: "Mix good and junk rows for a dose-response experiment", GroupID: groupData, Args: need(1, 2),
		Long: `mix writes a dataset for each dose of junk, such as DIR/junk-020.parquet: all have the
same number of tokens, of which the dose is junk, so that models trained on them tell
what junk does. Without JUNK, IN is a dataset that c2s dataset audit flagged: rows
without a flag are good, those of low quality junk, and duplicates, leaks and conflicts
neither. A higher dose has all junk of a lower one. The column c2s_junk tells which
rows are junk; mix.json what each mixture holds.`,
		Example: `  c2s encode testdata/demo.h5ad -o cells.parquet
  c2s dataset audit cells.parquet -o audit
  c2s dataset mix audit/cells.parquet --junk 0,50,100 -o doses`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(g, args); err != nil {
				return &usageError{err, cmd.CommandPath()}
			}
			return runDatasetMix(cmd.Context(), g, o, args)
		},
	}
	f := cmd.Flags()
	f.IntSliceVar(&o.doses, "junk", []int{0, 20, 50, 80, 100}, "doses, `PERCENT,...` of the tokens")
	f.Int64Var(&o.tokens, "tokens", 0, "tokens of a mixture, about `N`; 0 is as many as there are")
	f.StringSliceVar(&o.text, "text", nil, "columns whose tokens count, `a,b` (default: cell_sentence, or prompt and response)")
	f.StringVar(&o.format, "format", "", "`FORMAT` of the mixtures, such as parquet or jsonl.gz (default: that of IN)")
	return cmd
}

func (o *mixFlags) check(g *globals, inputs []string) error {
	if err := needFolder(g, inputs); err != nil {
		return err
	}
	if _, err := ending(o.format, inputs[0], true); err != nil {
		return err
	}
	o.cfg = dataset.MixConfig{Doses: o.doses, Text: o.text, Tokens: o.tokens, Seed: g.seed}
	return o.cfg.Check()
}

// tolerance is how far the tokens of a mixture may stay behind, as a share.
const tolerance = 0.02

func runDatasetMix(ctx context.Context, g *globals, o *mixFlags, inputs []string) (err error) {
	dir, err := g.createFolder(inputs...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dir.Abort()) }()
	end, err := ending(o.format, inputs[0], true)
	if err != nil {
		return err
	}
	junk := ""
	if len(inputs) == 2 {
		junk = inputs[1]
	}
	bar := g.start("mixing "+strings.Join(inputs, " and "), "rows", 0)
	defer bar.Stop()
	name := func(dose int) string { return fmt.Sprintf("junk-%03d%s", dose, end) }
	report, err := dataset.Mix(ctx, inputs[0], junk, func(dose int) string { return dir.file(name(dose)) }, o.cfg, dataset.Options{Jobs: g.workers()})
	if err != nil {
		return err
	}
	about := manifest.Manifest{
		Command: "dataset mix",
		Options: map[string]any{"junk": o.doses, "tokens": o.tokens, "text": o.text, "format": strings.TrimPrefix(end, ".")},
		Counts:  map[string]int64{"good": report.Good.Rows, "junk": report.Junk.Rows, "left_out": report.LeftOut, "tokens": report.Tokens},
	}
	for i := range report.Mixtures {
		m := &report.Mixtures[i]
		m.Path = name(m.Dose)
		if float64(m.Tokens) < (1-tolerance)*float64(report.Tokens) {
			about.Warnings = append(about.Warnings, fmt.Sprintf("%s has %d of %d tokens: there are too few rows for doses that compare", m.Path, m.Tokens, report.Tokens))
		}
	}
	if err := dir.finish(ctx, about, "mix.json", report); err != nil {
		return err
	}
	log := g.logger()
	for _, text := range about.Warnings {
		log.Warn(text)
	}
	if g.json {
		for i := range report.Mixtures {
			report.Mixtures[i].Path = filepath.Join(g.out, report.Mixtures[i].Path)
		}
		return printJSON(g.stdout, report)
	}
	for _, m := range report.Mixtures {
		log.Info(fmt.Sprintf("%d %% junk: %d rows, %d of them junk, of about %d tokens in %s", m.Dose, m.Rows, m.JunkRows, m.Tokens, filepath.Join(g.out, m.Path)))
	}
	return nil
}
