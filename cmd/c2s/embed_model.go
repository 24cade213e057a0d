package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/cellsentence/c2s/h5ad"
	"github.com/cellsentence/c2s/internal/progress"
	"github.com/cellsentence/c2s/llm"
	"github.com/cellsentence/c2s/llm/batch"
	"github.com/cellsentence/c2s/llm/task"
)

// askedFlags say what a model is asked about a cell.
type askedFlags struct {
	topK     int
	organism string
	pooling  string
}

func (a *askedFlags) add(f *pflag.FlagSet) {
	f.IntVar(&a.topK, "top-k", 0, "show the model the first `K` genes of a cell (default: 200, as C2S models were trained)")
	f.StringVar(&a.organism, "organism", "Homo sapiens", "`SPECIES` in the prompt")
	f.StringVar(&a.pooling, "pooling", "mean", "one vector of the states at the tokens: `mean|last`")
}

func (a *askedFlags) check(p *pcaFlags) error {
	switch {
	case p.componentsSet || p.save != "":
		return errors.New("--components and --save are for --method pca")
	case a.topK < 0:
		return errors.New("--top-k cannot be negative")
	case a.pooling != "mean" && a.pooling != "last":
		return fmt.Errorf("--pooling %q is neither mean nor last", a.pooling)
	}
	return nil
}

// askModel embeds cells by a model; nil means that the part is there already. The first
// cell tells the dimension.
func (o *embedFlags) askModel(ctx context.Context, g *globals, in *input, m *model, result *embedResult) (*placed, error) {
	given, err := o.backend.templates(ctx, g, task.CellType)
	if err != nil {
		return nil, err
	}
	words, warning, err := task.Wording(task.CellType, m.info, given)
	if err != nil {
		return nil, err
	}
	if warning != "" {
		result.Warnings = append(result.Warnings, warning)
	}
	pooling := llm.Pooling(o.asked.pooling)
	if err := canEmbed(m, pooling); err != nil {
		return nil, err
	}
	topK := topGenes(o.asked.topK, m)
	e, err := task.NewEmbedder(m, task.EmbedConfig{Templates: words, TopK: topK, Organism: o.asked.organism, Seed: g.seed, Pooling: pooling})
	if err != nil {
		return nil, err
	}
	asked := m.options(g, words, topK, o.asked.organism)
	asked.Pooling = o.asked.pooling
	if fresh, err := o.begin(ctx, g, result.In, embedOptions{Model: asked}); fresh || err != nil {
		return nil, err
	}
	cells, failed, err := in.cells(ctx, g, topK, o.part.rows(in.matrix.NObs))
	if err != nil {
		return nil, err
	}
	bar := g.startModel("embedding "+result.In, result.NObs)
	next, stop := iter.Pull2(batch.Map(tallied(ctx, bar), m.workers(), cells, func(ctx context.Context, c task.Cell) (embeddedCell, error) {
		v, err := e.Embed(ctx, c)
		return embeddedCell{v, len(strings.Fields(c.Sentence))}, err
	}))
	t := &embeddedCells{next: next, failed: failed, result: result}
	err = t.begin()
	if err == nil && t.dim == 0 {
		t.dim, err = o.dimension(ctx, g, in, e, topK)
	}
	if err != nil {
		stop()
		bar.Stop()
		return nil, err
	}
	result.Dim, result.Model, result.Notice = t.dim, m.info.Model, m.info.Notice
	return &placed{in: in, path: result.In, n: result.NObs, dim: t.dim, bar: bar, flags: &t.flags, about: h5ad.Dict{
		"method": textOf("model"), "version": textOf(version), "matrix": textOf(in.matrix.Key()), "model": textOf(m.info.Model),
		"digest": textOf(m.info.Digest), "notice": textOf(m.info.Notice), "pooling": textOf(o.asked.pooling),
		"top_k": numberOf(int64(topK)), "seed": numberOf(int64(g.seed)), "wording": textOf(words.Fingerprint()),
	}, rows: func(_ context.Context, bar *progress.Counter, do func([]float32) error) error {
		defer stop()
		return t.rows(bar, do)
	}}, nil
}

// embeddedCell is the vector of a cell, nil if it has no gene, and the number of genes
// that the model was shown.
type embeddedCell struct {
	vector []float32
	genes  int
}

// embeddedCells are those of a file as they come. The first with a gene tells the
// dimension.
type embeddedCells struct {
	next   func() (embeddedCell, error, bool)
	failed func() error // of the file, once next has ended
	result *embedResult
	dim    int
	read   []embeddedCell // already, by begin: the last of them has a vector
	flags  cellFlags
}

// cellFlags are columns of obs, for which a cell has nine bytes.
type cellFlags struct {
	genes []int64
	valid []bool // whether the cell has an embedding
}

// begin reads as far as that; where no cell has a gene, the dimension stays 0.
func (t *embeddedCells) begin() error {
	for t.dim == 0 {
		c, err, ok := t.next()
		if err == nil && !ok {
			err = t.failed()
		}
		if err != nil || !ok {
			return err
		}
		t.dim, t.read = len(c.vector), append(t.read, c)
	}
	return nil
}

// rows gives the vectors to do, one after the other; a cell without a gene has NaN.
func (t *embeddedCells) rows(bar *progress.Counter, do func([]float32) error) error {
	none := make([]float32, t.dim)
	for i := range none {
		none[i] = float32(math.NaN())
	}
	row := func(c embeddedCell) error {
		t.flags.genes, t.flags.valid = append(t.flags.genes, int64(c.genes)), append(t.flags.valid, c.vector != nil)
		switch {
		case c.vector == nil:
			t.result.Empty++
			c.vector = none
		case len(c.vector) != t.dim:
			return fmt.Errorf("the model gave a vector of %d after one of %d", len(c.vector), t.dim)
		}
		bar.Add(1)
		return do(c.vector)
	}
	for _, c := range t.read {
		if err := row(c); err != nil {
			return err
		}
	}
	for {
		c, err, ok := t.next()
		if err == nil && ok {
			err = row(c)
		}
		if err != nil {
			return err
		}
		if !ok {
			break
		}
	}
	if t.result.Empty > 0 {
		t.result.Warnings = append(t.result.Warnings, fmt.Sprintf("%d empty cells were not asked about: their embedding is NaN, which c2s scfid leaves out with --drop-nonfinite", t.result.Empty))
	}
	return t.failed()
}

// dimension is that of the vectors, where no cell of the part tells it: that of the first
// cell of the file that has a gene.
func (o *embedFlags) dimension(ctx context.Context, g *globals, in *input, e *task.Embedder, topK int) (int, error) {
	none := &inputError{fmt.Errorf("%s: no cell has a gene", in.file.Path()), "choose another matrix with --layer or --raw"}
	if o.part.Whole() {
		return 0, none
	}
	cells, failed, err := in.cells(ctx, g, topK, in.all())
	if err != nil {
		return 0, err
	}
	for c := range cells {
		if v, err := e.Embed(ctx, c); v != nil || err != nil {
			return len(v), err
		}
	}
	if err := failed(); err != nil {
		return 0, err
	}
	return 0, none
}

// canEmbed is an error where a model gives no vectors of that kind.
func canEmbed(m *model, pooling llm.Pooling) error {
	if slices.Contains(m.info.Pooling, pooling) {
		return nil
	}
	return &inputError{
		fmt.Errorf("%s gives no embeddings by the %s of the tokens, only by %v", m.info.Model, pooling, m.info.Pooling),
		"llama-server does when it is started with --embeddings --pooling " + string(pooling),
	}
}
