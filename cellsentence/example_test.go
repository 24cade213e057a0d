package cellsentence_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/cellsentence/c2s/cellsentence"
	"github.com/cellsentence/c2s/h5ad"
)

// Three cells of four genes in compressed sparse rows.
var (
	genes  = []string{"Cd3e", "Cd19", "Nkg7", "B2m"}
	matrix = h5ad.Batch{
		Indptr:  []int64{0, 2, 2, 5},
		Indices: []int32{0, 3, 1, 2, 3},
		Values:  []float32{2, 7, 1, 4, 3},
	}
)

func ExampleEncoder() {
	e, err := cellsentence.NewEncoder(genes, cellsentence.Config{Seed: cellsentence.DefaultSeed})
	if err != nil {
		log.Fatal(err)
	}
	for s, err := range e.Encode(context.Background(), cellsentence.NewSliceSource(matrix, 0)) {
		if err != nil {
			log.Fatal(err)
		}
		for i := range s.Len() {
			fmt.Printf("cell %d: %q, %d genes, total %g\n", s.Start+i, s.At(i), s.NGenes[i], s.Total[i])
		}
	}
	for _, w := range e.Warnings() {
		fmt.Println("warning:", w)
	}
	// Output:
	// cell 0: "B2M CD3E", 2 genes, total 9
	// cell 1: "", 0 genes, total 0
	// cell 2: "NKG7 B2M CD19", 3 genes, total 8
	// warning: 1 cell without an expressed gene: an empty sentence each
}

func ExampleCountVocabulary() {
	v, err := cellsentence.CountVocabulary(context.Background(), genes, cellsentence.NewSliceSource(matrix, 0), cellsentence.Config{})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := v.WriteTo(os.Stdout); err != nil {
		log.Fatal(err)
	}
	// Output:
	// CD3E	1
	// CD19	1
	// NKG7	1
	// B2M	2
}

func ExampleClassifyGenes() {
	ids := cellsentence.ClassifyGenes([]string{"ENSG00000010610", "ENSG00000177455.15", "ENSA"})
	fmt.Println(ids.Kind(), ids.Ensembl, "of", ids.Total)
	// Output: mixed 2 of 3
}
