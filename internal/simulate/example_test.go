package simulate_test

import (
	"context"
	"fmt"

	"github.com/cellsentence/c2s/internal/simulate"
)

// A small world: what one of its cells is, and what is true of a perturbation.
func Example() {
	w, err := simulate.New(simulate.Config{NGenes: 500, Seed: 42})
	if err != nil {
		fmt.Println(err)
		return
	}
	for b, err := range w.Rows(context.Background(), 2, simulate.Options{}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		for i, c := range b.Truth {
			fmt.Printf("%s: %s of %s, %s, %s, %d genes\n", w.Barcode(c.Row), w.CellTypes[c.Spec.CellType].Name,
				w.Donors[c.Spec.Donor], w.Contexts[c.Spec.Context].Name, w.Perturbations[c.Spec.Perturbation].Name,
				b.Indptr[i+1]-b.Indptr[i])
		}
	}
	const split = 3 // w.Perturbations[3] raises antigen presentation in one context
	for c := range w.Contexts {
		fc, err := w.LogFC(split, c, 0)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s, %s: TAP1 %+.2f\n", w.Perturbations[split].Name, w.Contexts[c].Name, fc[w.Column("TAP1")])
	}
	// Output:
	// AGAATGAATAAAACCA-1: CD4 T cell of D3, interferon-low, control, 109 genes
	// TGTAGGCGACCCTTGA-1: CD8 T cell of D2, interferon-low, sim-stressor, 102 genes
	// sim-split, interferon-low: TAP1 +0.00
	// sim-split, interferon-positive: TAP1 +0.68
}

// A screen of 200 compounds, ten of which are true hits.
func ExampleCompounds() {
	list, err := simulate.Compounds(42, 200, 10)
	if err != nil {
		fmt.Println(err)
		return
	}
	n := map[string]int{}
	for _, p := range list {
		n[p.Class]++
	}
	fmt.Println(len(list), n[simulate.ClassSplit], n[simulate.ClassAdditive] > 0)
	// Output: 200 10 true
}
