package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

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

// askModel embeds cells by a model; nil means that the part is there. The first cell
// tells the dimension.
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
	if !slices.Contains(m.info.Pooling, pooling) {
		return nil, &inputError{
			fmt.Errorf("%s gives no embeddings by the %s of the tokens, only by %v", m.info.Model, pooling, m.info.Pooling),
			"llama-server does when it is started with --embeddings --pooling " + o.asked.pooling,
		}
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
	part := o.part.rows(in.matrix.NObs)
	empty := part.From == part.To // a part without cells has a dimension all the same
	if empty {
		part.To = part.From + 1
	}
	cells, failed, err := in.cells(ctx, g, topK, part)
	if err != nil {
		return nil, err
	}
	next, stop := iter.Pull2(batch.Map(ctx, m.workers(), cells, e.Embed))
	first, err, ok := next()
	if err == nil && !ok {
		err = failed()
	}
	if err != nil {
		stop()
		return nil, err
	}
	result.Dim, result.Model, result.Notice = len(first), m.info.Model, m.info.Notice
	rows := func(ctx context.Context, bar *progress.Counter, do func([]float32) error) error {
		defer stop()
		if empty {
			return nil
		}
		for v, err, ok := first, error(nil), true; ok; v, err, ok = next() {
			if err != nil {
				return err
			}
			if len(v) != len(first) {
				return fmt.Errorf("the model gave a vector of %d after one of %d", len(v), len(first))
			}
			if err := do(v); err != nil {
				return err
			}
			bar.Add(1)
		}
		return failed()
	}
	return &placed{in, result.In, result.NObs, len(first), rows, h5ad.Dict{
		"method": textOf("model"), "version": textOf(version), "matrix": textOf(in.matrix.Key()), "model": textOf(m.info.Model),
		"digest": textOf(m.info.Digest), "notice": textOf(m.info.Notice), "pooling": textOf(o.asked.pooling),
		"top_k": numberOf(int64(topK)), "seed": numberOf(int64(g.seed)), "wording": textOf(words.Fingerprint()),
	}}, nil
}
