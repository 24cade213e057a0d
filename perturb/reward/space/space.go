// Package space gives cell sentences their points for the reward −MSE: in the components
// that c2s embed fitted, or where a language model places them.
//
// Start with [PCA] or [Model], whose result is the Embed of a reward.Config. Sentences
// are words in upper case, as reward.Words gives them.
package space

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/cellsentence/c2s/cellsentence"
	"github.com/cellsentence/c2s/llm/batch"
	"github.com/cellsentence/c2s/llm/task"
	"github.com/cellsentence/c2s/scfid/pca"
)

// Embed gives the points of sentences. A sentence without a place has none: nil.
type Embed = func(ctx context.Context, sentences [][]string) ([][]float64, error)

// inputError is an error for which a saved model is at fault.
type inputError struct{ err error }

func (e *inputError) Error() string { return e.err.Error() }

// BadInput reports that the input is at fault.
func (e *inputError) BadInput() bool { return true }

func badInput(format string, args ...any) error { return &inputError{fmt.Errorf(format, args...)} }

// PCA places sentences in principal components: a gene of the model has the expression
// that a rank model gives its first place in the sentence, all others have none. A word
// that is no gene keeps its place. The rank model must be fitted to values as the
// components were: after the same scaling and as logarithms, to the base e or 10.
func PCA(m *pca.Model, rank *cellsentence.RankModel) (Embed, error) {
	unit, err := unit(m, rank)
	if err != nil {
		return nil, err
	}
	at := make(map[string]int32, len(m.Genes))
	for i, g := range m.Genes {
		name := strings.ToUpper(g)
		if _, twice := at[name]; twice {
			return nil, badInput("the components have the gene %q twice, in upper and lower case, which sentences do not tell apart", name)
		}
		at[name] = int32(i)
	}
	ready := *m
	ready.Target = 0 // values come on its scale
	p, err := ready.Projector(ready.Genes)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, sentences [][]string) ([][]float64, error) {
		out := make([][]float64, len(sentences))
		seen := make([]int, len(m.Genes)) // the sentence that named a gene last, from 1 on
		var values []float32
		for i, words := range sentences {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			values = slices.Grow(values[:0], len(words))[:len(words)]
			rank.Predict(values, 0)
			b := pca.Batch{}
			for k, w := range words {
				if g, known := at[w]; known && seen[g] != i+1 {
					seen[g] = i + 1
					b.Indices, b.Values = append(b.Indices, g), append(b.Values, max(0, unit*float64(values[k])))
				}
			}
			b.Indptr = []int64{0, int64(len(b.Indices))}
			out[i] = make([]float64, p.Dim())
			p.Transform(b, out[i])
		}
		return out, nil
	}, nil
}

// unit is what the values of a rank model are to be multiplied with.
func unit(m *pca.Model, rank *cellsentence.RankModel) (float64, error) {
	if m.Target == 0 { // the values were logarithms before, to whatever base
		if rank.Units != "values as they are" {
			return 0, badInput("the components were fitted to logarithms as they were, the rank model to %q: fit it with c2s fidelity to the same file", rank.Units)
		}
		return 1, nil
	}
	scaled := fmt.Sprintf("(1 + x), x scaled to %g a cell", m.Target)
	switch rank.Units {
	case "ln" + scaled:
		return 1, nil
	case "log10" + scaled:
		return math.Ln10, nil
	}
	return 0, badInput("the components were fitted to ln%s, the rank model to %q: fit it with c2s fidelity FILE --normalize %g", scaled, rank.Units, m.Target)
}

// Model places sentences where a language model does, asking for up to workers at a time.
// All are asked about in the same words. A sentence without a word has no place.
func Model(e *task.Embedder, workers int) Embed {
	return func(ctx context.Context, sentences [][]string) ([][]float64, error) {
		out := make([][]float64, 0, len(sentences))
		place := func(ctx context.Context, words []string) ([]float64, error) {
			v, err := e.Embed(ctx, task.Cell{Sentence: strings.Join(words, " ")})
			if v == nil || err != nil {
				return nil, err
			}
			point := make([]float64, len(v))
			for i, x := range v {
				point[i] = float64(x)
			}
			return point, nil
		}
		for point, err := range batch.Map(ctx, max(1, workers), slices.Values(sentences), place) {
			if err != nil {
				return nil, err
			}
			out = append(out, point)
		}
		return out, nil
	}
}
