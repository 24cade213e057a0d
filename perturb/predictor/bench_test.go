package predictor_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/cellsentence/c2s/perturb"
	"github.com/cellsentence/c2s/perturb/predictor"
)

// BenchmarkAdditive predicts cells of 5,000 genes one at a time, as c2s predict does.
func BenchmarkAdditive(b *testing.B) {
	const n = 5000
	r := rand.New(rand.NewPCG(1, 1))
	names := make([]string, n)
	for g := range names {
		names[g] = fmt.Sprint("G", g)
	}
	cell := func() []float32 {
		v := make([]float32, n)
		for g := range v {
			if r.IntN(10) == 0 {
				v[g] = float32(r.ExpFloat64())
			}
		}
		return v
	}
	s := &study{file: &file{genes: names, columns: map[string][]string{}}, control: "ctrl", pert: "p", types: "t"}
	for i := range 40 {
		s.train = append(s.train, i)
		s.cells = append(s.cells, cell())
		s.columns["p"], s.columns["t"] = append(s.columns["p"], []string{"ctrl", "X"}[i%2]), append(s.columns["t"], "T")
	}
	p, err := predictor.NewAdditive(s.reference(b), names, predictor.Config{TopK: 200})
	if err != nil {
		b.Fatal(err)
	}
	request := perturb.Request{Cells: []perturb.Cell{{Values: cell()}}, Perturbation: predictor.Parse("X", "", "ctrl", "", ""), CellType: "T"}
	for b.Loop() {
		request.Cells[0].Row++
		if _, err := p.Predict(b.Context(), request); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "cells/s")
}
