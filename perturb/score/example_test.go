package score_test

import (
	"context"
	"fmt"
	"log"
	"math"

	"github.com/cellsentence/c2s/cellsentence"
	"github.com/cellsentence/c2s/h5ad"
	"github.com/cellsentence/c2s/perturb/score"
)

// A prediction that is the truth stands at 1 between its anchors or above, and one that
// copies the control cells at 0 or below.
func ExampleEvaluate() {
	// Eight cells of a control and of each of three perturbations, three genes.
	var labels []string
	cells := h5ad.Batch{Indptr: []int64{0}}
	var values []float32
	for _, p := range []struct {
		name string
		mean [3]float32
	}{{"control", [3]float32{2, 2, 2}}, {"STAT1", [3]float32{4, 2, 1}}, {"IRF1", [3]float32{2, 4, 2}}, {"JAK1", [3]float32{1, 2, 4}}} {
		for i := range 8 {
			labels = append(labels, p.name)
			for g, m := range p.mean {
				cells.Indices = append(cells.Indices, int32(g))
				values = append(values, m+0.1*float32((i*(g+3))%5))
			}
			cells.Indptr = append(cells.Indptr, int64(len(values)))
		}
	}
	cells.Values = values
	input := func(name string) score.Input {
		genes := []string{"B2M", "HLA-A", "CD74"}
		return score.Input{Name: name, Cells: cellsentence.NewSliceSource(cells, 8), Genes: genes, Labels: labels}
	}
	r, err := score.Evaluate(context.Background(), input("real"), input("predicted"), score.Config{Control: "control", Preset: score.CellEval, Seed: 1})
	if err != nil {
		log.Fatal(err)
	}
	for _, m := range r.Metrics {
		if m.Name == "mse" {
			fmt.Println(m.Name, m.Score, "better than the control:", m.Score < m.Control && !math.IsNaN(m.Control))
		}
	}
	// Output: mse 0 better than the control: true
}
