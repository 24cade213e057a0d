package score_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/cellsentence/c2s/cellsentence"
	"github.com/cellsentence/c2s/h5ad"
	"github.com/cellsentence/c2s/internal/simulate"
	"github.com/cellsentence/c2s/perturb/score"
)

// simulated is a screen of 14 knock-downs and what a model of half the strength makes of
// it: the genes that move and their signs are right, noise and size are its own. Two
// perturbations do nothing, one has few cells; each has its own gene in the data.
func simulated(t testing.TB) (real, pred func() score.Input) {
	t.Helper()
	const perts, each, controls, genes = 14, 40, 120, 400
	side := func(name string, strength float64, seed uint64) func() score.Input {
		symbols := names(t, genes)
		cfg := simulate.Config{Seed: 5, NGenes: genes, CellTypes: simulate.CellTypes()[:1], Contexts: simulate.Contexts()[:1], Depth: 3000}
		for i := range perts {
			p := simulate.Perturbation{Name: symbols[20+7*i], Genes: []simulate.GeneEffect{{Gene: symbols[20+7*i], LogFC: -2 * strength}}, RandomGenes: 40 + 10*i, RandomSD: strength}
			if i == 3 || i == 9 {
				p.Genes, p.RandomGenes = nil, 0
			}
			cfg.Perturbations = append(cfg.Perturbations, p)
		}
		w, err := simulate.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		in := score.Input{Name: name, Genes: symbols}
		b := h5ad.Batch{Indptr: []int64{0}}
		var values []float32
		var cell simulate.Cell
		add := func(label string, pert, row int) {
			if err := w.Cell(row, simulate.CellSpec{Perturbation: pert, Donor: row % 4}, &cell); err != nil {
				t.Fatal(err)
			}
			in.Labels, in.Donors = append(in.Labels, label), append(in.Donors, w.Donors[row%4])
			b.Indices = append(b.Indices, cell.Indices...)
			for _, c := range cell.Counts {
				values = append(values, float32(c))
			}
			b.Indptr = append(b.Indptr, int64(len(b.Indices)))
		}
		row := int(seed) * 100000
		for range controls {
			add("control", 0, row)
			row++
		}
		for i, p := range cfg.Perturbations {
			n := each
			if i == 5 {
				n = 6
			}
			for range n {
				add(p.Name, i+1, row)
				row++
			}
		}
		b.Values = values
		return func() score.Input {
			again := in
			again.Cells = cellsentence.NewSliceSource(b, 100)
			return again
		}
	}
	return side("real", 1, 1), side("predicted", 0.5, 2)
}

func names(t testing.TB, n int) []string {
	t.Helper()
	w, err := simulate.New(simulate.Config{Seed: 5, NGenes: n})
	if err != nil {
		t.Fatal(err)
	}
	out := make([]string, n)
	for i, g := range w.Genes {
		out[i] = g.Symbol
	}
	return out
}

// again gives an input in memory as often as it is asked for; nobody may have read it.
func again(in score.Input) func() score.Input {
	start := *in.Cells.(*cellsentence.SliceSource)
	return func() score.Input {
		source := start
		copied := in
		copied.Cells = &source
		return copied
	}
}

// save writes the labelled cells of an input, for the programs that are compared with.
func save(t testing.TB, in score.Input, path string) {
	t.Helper()
	ctx := context.Background()
	w, err := h5ad.Create(path, h5ad.WriteOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	cells, labels := h5ad.Batch{Indptr: []int64{0}}, []string{}
	var values []float64
	dtype := "float64"
	for read := 0; ; {
		var b h5ad.Batch
		err := in.Cells.Next(ctx, &b)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		for i := range b.NObs() {
			label := in.Labels[read]
			read++
			if label == "" {
				continue
			}
			labels = append(labels, label)
			for at := b.Indptr[i]; at < b.Indptr[i+1]; at++ {
				cells.Indices = append(cells.Indices, b.Indices[at])
				switch v := b.Values.(type) {
				case []float32:
					values, dtype = append(values, float64(v[at])), "float32"
				case []float64:
					values = append(values, v[at])
				}
			}
			cells.Indptr = append(cells.Indptr, int64(len(values)))
		}
	}
	cells.Values = values
	if dtype == "float32" { // as the cells were
		narrow := make([]float32, len(values))
		for i, v := range values {
			narrow[i] = float32(v)
		}
		cells.Values = narrow
	}
	index := make([]string, len(labels))
	for i := range index {
		index[i] = fmt.Sprint("cell", i)
	}
	obs, err := h5ad.NewDataFrame(index, &h5ad.Column{Name: "target", Array: &h5ad.Array{Dims: []int{len(labels)}, Values: labels}})
	if err != nil {
		t.Fatal(err)
	}
	vr, err := h5ad.NewDataFrame(in.Genes)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Set(ctx, "obs", obs), w.Set(ctx, "var", vr)); err != nil {
		t.Fatal(err)
	}
	x, err := w.Matrix(ctx, "X", h5ad.MatrixSpec{NObs: len(labels), NVars: len(in.Genes), DType: dtype})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(x.Append(ctx, &cells), x.Close(ctx), w.Close()); err != nil {
		t.Fatal(err)
	}
}
