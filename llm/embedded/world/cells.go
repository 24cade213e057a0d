package world

import (
	"context"
	"strings"

	"github.com/cellsentence/c2s/cellsentence"
	"github.com/cellsentence/c2s/h5ad"
	"github.com/cellsentence/c2s/internal/simulate"
)

// Words returns the words of all genes of a world, as sentences have them.
func Words(w *simulate.World) ([]string, error) {
	e, err := encoder(w)
	if err != nil {
		return nil, err
	}
	return e.Words(), nil
}

func encoder(w *simulate.World) (*cellsentence.Encoder, error) {
	genes := make([]string, len(w.Genes))
	for i, g := range w.Genes {
		genes[i] = g.Symbol
	}
	return cellsentence.NewEncoder(genes, cellsentence.Config{TopK: MaxGenes, Seed: Seed})
}

// Sentences draws n cells from row start on, as spec says, and returns the words
// of each cell's sentence, highest expressed first and at most [MaxGenes].
func Sentences(ctx context.Context, w *simulate.World, start, n int, spec func(row int) simulate.CellSpec) ([][]string, error) {
	cells, err := w.Matrix(ctx, n, simulate.Options{Start: start, Spec: spec})
	if err != nil {
		return nil, err
	}
	e, err := encoder(w)
	if err != nil {
		return nil, err
	}
	matrix := h5ad.Batch{Start: start, Indptr: cells.Indptr, Indices: cells.Indices, Values: cells.Counts}
	out := make([][]string, 0, n)
	for s, err := range e.Encode(ctx, cellsentence.NewSliceSource(matrix, 0)) {
		if err != nil {
			return nil, err
		}
		for i := range s.Len() {
			out = append(out, strings.Fields(string(s.At(i))))
		}
	}
	return out, nil
}
