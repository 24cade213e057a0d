package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cellsentence/c2s/cellsentence"
	"github.com/cellsentence/c2s/cellsentence/dataset"
	"github.com/cellsentence/c2s/internal/shard"
	"github.com/cellsentence/c2s/llm"
	"github.com/cellsentence/c2s/llm/batch"
	"github.com/cellsentence/c2s/llm/task"
)

// sampleFlags say how answers are drawn.
type sampleFlags struct {
	temperature, topP float64
	topK, maxTokens   int
}

func (s *sampleFlags) add(f *pflag.FlagSet, temperature float64) {
	f.Float64Var(&s.temperature, "temperature", temperature, "divide the logits by `T`; 0 takes the most probable token")
	f.IntVar(&s.topK, "top-k-tokens", 0, "draw from the `K` most probable tokens; 0 from all")
	f.Float64Var(&s.topP, "top-p", 1, "draw from the most probable tokens that reach `P` together")
	f.IntVar(&s.maxTokens, "max-tokens", 0, "`N` tokens of an answer at most (default: ample)")
}

func (s *sampleFlags) options(seed uint64) llm.Options {
	return llm.Options{Temperature: s.temperature, TopK: s.topK, TopP: s.topP, MaxTokens: s.maxTokens, Seed: seed}
}

// generateFlags are the flags of generate.
type generateFlags struct {
	backend   backendFlags
	sample    sampleFlags
	cellTypes []string
	n         int
	organism  string
	topK      int
	vocab     string
	rankModel string
	part      partFlags
}

func newGenerate(g *globals) *cobra.Command {
	o := new(generateFlags)
	cmd := &cobra.Command{
		Use: "generate --cell-type T -n N -o OUT", Short: "Let a model write cells of a type", GroupID: groupModel, Args: need(0, 0),
		Long: `generate asks a model for new cells: their sentences, in the formats of encode, with
the cell type, the answer's flags (genes, unknown words, repeats, why it ended) and,
as c2s_answer, what the model said. An .h5ad has them in obs, and the expression that
c2s decode makes of the sentences with a rank model of c2s fidelity. --shard I/N (or
auto) writes one part of N, for c2s merge to join.`,
		Example: `  c2s generate --backend demo --cell-type "B cell" -n 5 --vocab testdata/demo.h5ad -o b_cells.jsonl`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := errors.Join(o.check(g), o.part.resolve(g, nil)); err != nil {
				return &usageError{err, cmd.CommandPath()}
			}
			return runGenerate(cmd.Context(), g, o)
		},
	}
	f := cmd.Flags()
	o.backend.add(f)
	o.sample.add(f, 1)
	f.StringArrayVar(&o.cellTypes, "cell-type", nil, "write cells of the type `T`; repeat it for several")
	f.IntVarP(&o.n, "n", "n", 1, "`N` cells of each type")
	f.StringVar(&o.organism, "organism", "Homo sapiens", "`SPECIES` in the prompt")
	f.IntVar(&o.topK, "top-k", 0, "ask for `K` genes (default: 200, as C2S models were trained)")
	f.StringVar(&o.vocab, "vocab", "", "the genes that there are: a `FILE` of c2s vocab, or an .h5ad")
	f.StringVar(&o.rankModel, "rank-model", "", "rank model for an .h5ad, a `RANK.json` of c2s fidelity")
	o.part.add(f)
	return cmd
}

func (o *generateFlags) check(g *globals) error {
	switch {
	case g.out == "":
		return errors.New("-o OUT is missing: name a .parquet, .arrow, .hf, .jsonl or .h5ad")
	case len(o.cellTypes) == 0:
		return errors.New("--cell-type is missing")
	case o.n < 1 || o.topK < 0:
		return errors.New("-n must be above 0, and --top-k not below")
	case o.vocab == "":
		return errors.New("--vocab is missing: name a file of c2s vocab, or an .h5ad, whose genes are those that count")
	}
	if o.part.text != "" && (g.out == "-" || strings.HasSuffix(g.out, ".h5ad")) {
		return errors.New("--shard writes files of sentences: name a .parquet, .arrow, .hf or .jsonl, and decode what c2s merge makes of the parts")
	}
	if strings.HasSuffix(g.out, ".h5ad") {
		if o.rankModel == "" {
			return errors.New("an .h5ad needs --rank-model: make one of data like these with c2s fidelity FILE -o DIR, and name DIR/rank.json")
		}
		return nil
	}
	if o.rankModel != "" {
		return errors.New("--rank-model is for an .h5ad: the other formats hold sentences")
	}
	if f, err := dataset.FormatOf(g.out); err != nil {
		return err
	} else if f.Kind == "txt" {
		return errors.New("a .txt holds the sentences alone: name a .parquet, .arrow, .hf, .jsonl or .h5ad")
	}
	return nil
}

// generateResult is what generate reports, and prints with --json.
type generateResult struct {
	Out      string   `json:"out"`
	Model    string   `json:"model"`
	Notice   string   `json:"notice"`
	Cells    int      `json:"cells"`
	Empty    int      `json:"empty_cells"` // answers without a gene
	Genes    int      `json:"genes"`
	Unknown  int      `json:"unknown"` // words that are no gene
	Repeats  int      `json:"repeats"` // genes that were there before
	Limit    int      `json:"limit"`   // answers that ended at the limit of tokens
	Broken   int      `json:"broken"`  // answers that the server broke off
	Warnings []string `json:"warnings"`
}

func runGenerate(ctx context.Context, g *globals, o *generateFlags) (err error) {
	genes, index, err := (&decodeFlags{vocab: o.vocab}).genes(ctx, g)
	if err != nil {
		return err
	}
	v := new(cellsentence.Vocabulary)
	for _, w := range genes {
		if w != "" {
			v.Add(w, 1)
		}
	}
	var rank *cellsentence.RankModel
	if o.rankModel != "" {
		if rank, err = (&decodeFlags{rankModel: o.rankModel}).model(); err != nil {
			return err
		}
	}
	given, err := o.backend.templates(ctx, g, task.Generation)
	if err != nil {
		return err
	}
	m, err := o.backend.open(ctx, g)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.close()) }()
	words, warning, err := task.Wording(task.Generation, m.info, given)
	if err != nil {
		return err
	}
	result := &generateResult{Out: g.out, Model: m.info.Model, Notice: m.info.Notice, Warnings: []string{}}
	if warning != "" {
		result.Warnings = append(result.Warnings, warning)
	}
	topK := topGenes(o.topK, m)
	gen, err := task.NewGenerator(m, task.GenerateConfig{
		Templates: words, TopK: topK, Organism: o.organism, Options: o.sample.options(g.seed), Vocabulary: v,
	})
	if err != nil {
		return err
	}
	if fresh, err := o.begin(ctx, g, m.options(g, words, topK, o.organism)); fresh || err != nil {
		return err
	}
	result.Out = g.out
	out, err := o.create(ctx, g, &generated{m: m, topK: topK, genes: genes, index: index, rank: rank, wording: words.Fingerprint()})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.abort()) }()
	rows := o.part.rows(o.n * len(o.cellTypes))
	bar := g.startModel("generating", rows.To-rows.From)
	defer bar.Stop()
	row := rows.From
	for cell, err := range batch.Map(tallied(ctx, bar), m.workers(), counting(rows), func(ctx context.Context, i int) (task.Generated, error) {
		return gen.Generate(ctx, i, o.cellTypes[i/o.n])
	}) {
		if err != nil {
			return err
		}
		result.add(cell)
		if err := out.add(ctx, row, o.cellTypes[row/o.n], &cell); err != nil {
			return err
		}
		row++
		bar.Add(1)
	}
	warnings, err := out.commit(ctx)
	if err != nil {
		return err
	}
	bar.Stop()
	result.Warnings = append(result.Warnings, warnings...)
	if result.Empty > 0 {
		result.Warnings = append(result.Warnings, fmt.Sprintf("%d answers hold no gene: they are kept as empty sentences", result.Empty))
	}
	if result.Broken > 0 {
		result.Warnings = append(result.Warnings, fmt.Sprintf("the server broke %d answers off because the model repeated itself: what came is kept, see c2s_stop", result.Broken))
	}
	if err := o.part.finish(ctx, g, map[string]int64{"cells": int64(result.Cells), "empty_cells": int64(result.Empty)}, result.Warnings); err != nil {
		return err
	}
	for _, text := range result.Warnings {
		g.logger().Warn(text)
	}
	g.logger().Info(fmt.Sprintf("%d cells in %s (%s)", result.Cells, g.out, m.asked()))
	if g.json {
		return printJSON(g.stdout, result)
	}
	return nil
}

// begin makes the part of a sharded run the output, and reports whether it is there.
func (o *generateFlags) begin(ctx context.Context, g *globals, asked *modelOptions) (fresh bool, err error) {
	if o.part.Whole() {
		return false, nil
	}
	inputs, err := contents(ctx, g, o.vocab)
	if err != nil {
		return false, err
	}
	asked.Sampling = o.sample.options(g.seed)
	return o.part.begin(ctx, g, "generate", inputs, struct {
		CellTypes []string
		N         int
		Model     *modelOptions
	}{o.cellTypes, o.n, asked})
}

func (r *generateResult) add(cell task.Generated) {
	r.Cells++
	r.Genes += len(cell.Genes)
	r.Unknown += cell.Unknown
	r.Repeats += cell.Repeats
	if len(cell.Genes) == 0 {
		r.Empty++
	}
	switch cell.Stop {
	case llm.StopLimit:
		r.Limit++
	case llm.StopRepetition:
		r.Broken++
	}
}

// counting yields the numbers of some rows.
func counting(rows shard.Range) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := rows.From; i < rows.To; i++ {
			if !yield(i) {
				return
			}
		}
	}
}
