package predictor_test

import (
	"context"
	"fmt"

	"github.com/cellsentence/c2s/cellsentence"
	"github.com/cellsentence/c2s/h5ad"
	"github.com/cellsentence/c2s/perturb"
	"github.com/cellsentence/c2s/perturb/predictor"
)

// A drug lowers B2M and raises ISG15 in cells of a reference; the same is predicted for
// another cell.
func Example() {
	genes := []string{"B2M", "ISG15", "ACTB"}
	// Four cells: two controls, two with the drug.
	cells := h5ad.Batch{
		Indptr:  []int64{0, 2, 4, 7, 10},
		Indices: []int32{0, 2, 0, 2, 0, 1, 2, 0, 1, 2},
		Values:  []float32{4, 3, 4, 3, 1, 5, 3, 1, 5, 3},
	}
	ctx := context.Background()
	reference, err := predictor.NewReference(ctx, predictor.Cells{
		Name: "reference", Genes: genes, Source: cellsentence.NewSliceSource(cells, 0),
		Perturbations: []perturb.Perturbation{{}, predictor.Parse("drug", "", "DMSO", "", "")}, Of: []int{0, 0, 1, 1},
	}, predictor.ReferenceConfig{MinCells: 2})
	if err != nil {
		fmt.Println(err)
		return
	}
	p, err := predictor.NewAdditive(reference, genes, predictor.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	out, err := p.Predict(ctx, perturb.Request{
		Cells:        []perturb.Cell{{Row: 0, Values: []float32{3.5, 0, 2.5}}},
		Perturbation: predictor.Parse("drug", "", "DMSO", "", ""),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(out.Cells[0].Values, out.Cells[0].Genes)
	_, err = p.Explain(predictor.Parse("drog", "", "DMSO", "", ""), "", "")
	fmt.Println(err)
	// Output:
	// [0.5 5 2.5] [ISG15 ACTB B2M]
	// reference does not know the perturbation "drog"
}
