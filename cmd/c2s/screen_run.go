package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cellsentence/c2s/internal/atomicfile"
	"github.com/cellsentence/c2s/internal/shard"
	"github.com/cellsentence/c2s/screen"
	"github.com/cellsentence/c2s/screen/record"
)

func (o *screenFlags) add(f *pflag.FlagSet) {
	f.StringVarP(&o.config, "config", "c", "", "the screen, a `screen.yaml`")
	f.BoolVar(&o.accept, "accept-contexts", false, "go on although the contexts do not differ by interferon as they should")
}

// screenRunFlags are the flags of screen run.
type screenRunFlags struct {
	screenFlags
	backend backendFlags
	shard   string
	part    shard.Shard
}

func newScreenRun(g *globals) *cobra.Command {
	o := new(screenRunFlags)
	cmd := &cobra.Command{
		Use: "run -c screen.yaml --backend B", Short: "Ask a model what a screen wants to know", Args: need(0, 0),
		Long: `run asks what the plan says (it makes the plan where there is none) and writes
scores.tsv.gz into the folder of the screen, a line a prediction, and
examples.tsv.gz with sentences of a few cells. Answers are kept in a journal
(--journal, default: journal.db in that folder): a run that was interrupted, or whose
budget is spent, goes on where it stopped, and no answer is asked for twice. A journal
of another plan is refused. The rows are the same bytes however often it was stopped.

--shard I/N asks about the I-th of N parts of the compounds, counted from 0, with a
journal and a file of its own; the one that ends last joins the parts. Every shard asks
the vehicle itself, and those that must judge by them the positive controls as well.

Cells are asked about one after the other, so that servers share the work on a cell
between the compounds. A llama-server does so with Gemma-2 models only if it is started
with --swa-full.`,
		Example: "  c2s screen run -c examples/screen/screen.yaml --backend demo -o screened",
		RunE: func(cmd *cobra.Command, _ []string) error {
			err := noSeed(cmd)
			if err != nil {
				return err
			}
			if o.part, err = shard.Resolve(o.shard, 0, g.getenv); err != nil {
				return &usageError{err, cmd.CommandPath()}
			}
			return runScreen(cmd.Context(), g, o)
		},
	}
	f := cmd.Flags()
	o.screenFlags.add(f)
	o.backend.add(f)
	f.StringVar(&o.shard, "shard", "", "ask about the part `I/N` of the compounds; auto takes it from the job manager")
	return cmd
}

// screenResult is what screen run reports, and prints with --json.
type screenResult struct {
	Out          string `json:"out"`
	Plan         string `json:"plan"`
	Predictor    string `json:"predictor"`
	Notice       string `json:"notice"`
	Predictions  int    `json:"predictions"`
	Rows         int    `json:"rows"`
	Invalid      int    `json:"invalid"`
	PromptTokens int    `json:"prompt_tokens"`
	CachedTokens int    `json:"cached_tokens"`
	AnswerTokens int    `json:"answer_tokens"`
	// Lengths are the mean tokens of prompts about compounds and decoys, by family.
	Lengths  map[string]float64 `json:"prompt_tokens_by_kind"`
	Order    string             `json:"order"`
	Pilot    *float64           `json:"pilot_correlation"`
	Stopped  int                `json:"stopped_early"` // compounds and decoys that a race dropped
	Joined   bool               `json:"joined"`
	Warnings []string           `json:"warnings"`
}

func runScreen(ctx context.Context, g *globals, o *screenRunFlags) (err error) {
	cfg, p, err := o.read(ctx, g)
	if err != nil {
		return err
	}
	if err := writePlan(g, cfg, p, g.force); err != nil {
		return err
	}
	dir := g.folder(cfg)
	path := filepath.Join(dir, partName(record.FileName, o.part))
	if old, err := record.ReadFile(path); err == nil && old.Header.Plan != p.Digest && !g.force {
		return &inputError{fmt.Errorf("%s is of another plan", path), "take another folder with -o DIR, or replace it with --force"}
	}
	result := &screenResult{Out: path, Plan: p.Digest, Warnings: slices.Clone(p.Warnings)}
	run := screen.RunConfig{Shard: o.part, Log: g.logger(), Jobs: runtime.GOMAXPROCS(0)}
	if o.backend.journal == "" {
		o.backend.journal = filepath.Join(dir, partName("journal.db", o.part))
	}
	o.backend.owner = "plan " + p.Digest
	close, err := o.predictors(ctx, g, cfg, p, &run, result)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, close()) }()
	for _, w := range result.Warnings {
		g.logger().Warn(w)
	}
	beside := ""
	if cfg.Predictor.Name == "llm" {
		beside = "tokens"
	}
	bar := g.startBeside("screening "+o.config, "predictions", int64(p.Cost.Predictions), beside)
	defer bar.Stop()
	ctx = tallied(ctx, bar)
	last := screen.Progress{}
	run.Progress = func(now screen.Progress) {
		bar.Add(int64(now.Done - last.Done))
		bar.SetTotal(int64(now.Total))
		bar.Note(now.Note())
		last = now
	}
	got, err := screen.Run(ctx, p, run)
	if err != nil {
		return err
	}
	bar.Stop()
	if err := writeScreen(g, path, dir, o.part, got); err != nil {
		return err
	}
	if result.Joined, err = joinScreen(g, dir, o.part, p.Digest); err != nil {
		return err
	}
	return result.report(g, got)
}

// partName is the name of a file of a shard: scores.0-of-4.tsv.gz.
func partName(name string, s shard.Shard) string {
	if s.Whole() {
		return name
	}
	stem, ends, _ := strings.Cut(name, ".")
	return fmt.Sprintf("%s.%d-of-%d.%s", stem, s.Index, s.Count, ends)
}

// writeScreen writes what a run left. Files of an earlier run of this plan are replaced.
func writeScreen(g *globals, path, dir string, part shard.Shard, got *screen.Result) (err error) {
	examples := filepath.Join(dir, partName("examples.tsv.gz", part))
	err = writeZip(examples, func(w io.Writer) error { return screen.WriteExamples(w, &got.Header, got.Examples) })
	if err != nil {
		return err
	}
	f, err := atomicfile.Create(path, atomicfile.Options{Force: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Abort()) }()
	w, err := record.NewWriter(f, got.Header)
	if err != nil {
		return err
	}
	for _, row := range got.Rows {
		if err := w.Write(row); err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	return f.Commit()
}

func writeZip(path string, write func(io.Writer) error) error {
	return writeWhole(path, true, nil, func(w io.Writer) error {
		zip := gzip.NewWriter(w)
		return errors.Join(write(zip), zip.Close())
	})
}

// joinScreen joins the parts of a screen, if all are there.
func joinScreen(g *globals, dir string, part shard.Shard, plan string) (bool, error) {
	if part.Whole() {
		return false, nil
	}
	tables := make([]*record.Table, part.Count)
	for i := range tables {
		t, err := record.ReadFile(filepath.Join(dir, partName(record.FileName, shard.Shard{Index: i, Count: part.Count})))
		switch {
		case errors.Is(err, fs.ErrNotExist), err == nil && t.Header.Plan != plan:
			g.logger().Info(fmt.Sprintf("shard %d of %d has not ended: its parts are joined when all have", i, part.Count))
			return false, nil
		case err != nil:
			return false, err
		}
		tables[i] = t
	}
	all, err := screen.Join(tables)
	if err != nil {
		return false, err
	}
	if err := record.WriteFile(filepath.Join(dir, record.FileName), all, atomicfile.Options{Force: true}); err != nil {
		return false, err
	}
	return true, writeZip(filepath.Join(dir, "examples.tsv.gz"), func(w io.Writer) error { return joinExamples(w, dir, part.Count) })
}

// joinExamples copies the examples of all shards, with one line of names.
func joinExamples(w io.Writer, dir string, n int) error {
	for i := range n {
		f, err := os.Open(filepath.Join(dir, partName("examples.tsv.gz", shard.Shard{Index: i, Count: n})))
		if err != nil {
			return err
		}
		defer f.Close()
		zip, err := gzip.NewReader(f)
		if err != nil {
			return err
		}
		text, err := io.ReadAll(zip)
		if err != nil {
			return err
		}
		if _, rest, ok := strings.Cut(string(text), "\n"); ok && i > 0 {
			text = []byte(rest)
		}
		if _, err := w.Write(text); err != nil {
			return err
		}
	}
	return nil
}

// report tells what was done.
func (r *screenResult) report(g *globals, got *screen.Result) error {
	p := got.Progress
	r.Predictor, r.Order, r.Lengths = got.Header.Predictor, got.Order, got.Tokens
	r.Predictions, r.Rows, r.Invalid = p.Done, len(got.Rows), p.Invalid
	r.PromptTokens, r.CachedTokens, r.AnswerTokens = p.Prompt, p.Cached, p.Answer
	if got.Pilot == got.Pilot {
		r.Pilot = &got.Pilot
	}
	for _, item := range got.Header.Items {
		if item.StoppedAt > 0 {
			r.Stopped++
		}
	}
	r.Warnings = append(r.Warnings, got.Warnings...)
	g.logger().Info(fmt.Sprintf("%d predictions, %d rows in %s: %s", r.Predictions, r.Rows, r.Out, p.Note()))
	if g.json {
		return printJSON(g.stdout, r)
	}
	return nil
}
