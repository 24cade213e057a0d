package pca_test

import (
	"context"
	"fmt"
	"iter"
	"log"

	"github.com/cellsentence/c2s/scfid/pca"
)

// Four cells of two genes, all of whose difference lies along one line.
func Example() {
	cells := func(context.Context) iter.Seq2[pca.Batch, error] {
		return func(yield func(pca.Batch, error) bool) {
			yield(pca.Batch{
				Indptr:  []int64{0, 2, 4, 6, 8},
				Indices: []int32{0, 1, 0, 1, 0, 1, 0, 1},
				Values:  []float64{1, 4, 2, 3, 3, 2, 4, 1},
			}, nil)
		}
	}
	m, err := pca.Fit(context.Background(), []string{"CD3D", "MS4A1"}, cells, pca.Config{Components: 1, Logged: true})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.2f of %.2f\n", m.Variance[0], m.TotalVariance)
	// Output: 3.33 of 3.33
}
