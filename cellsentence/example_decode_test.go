package cellsentence_test

import (
	"context"
	"fmt"
	"log"
	"math"
	"strings"

	"github.com/cellsentence/c2s/cellsentence"
	"github.com/cellsentence/c2s/h5ad"
)

// A sentence becomes expression again by the line of tutorial 1 of Cell2Sentence.
func ExampleDecoder_Decode() {
	model := &cellsentence.RankModel{Kind: cellsentence.RankLinear, Slope: -0.6757, Intercept: 2.2379}
	words := []string{"ACTB", "CD74", "LYZ"}
	d, err := cellsentence.NewDecoder(words, cellsentence.DecoderConfig{Model: model})
	if err != nil {
		log.Fatal(err)
	}
	for b, err := range d.Decode(context.Background(), batches([]string{"LYZ ACTB MALAT1"}, 1)) {
		if err != nil {
			log.Fatal(err)
		}
		for k, col := range b.Indices {
			fmt.Printf("%s %.4f\n", words[col], b.Values.([]float32)[k])
		}
	}
	fmt.Println(d.Warnings())
	// Output:
	// ACTB 2.0345
	// LYZ 2.2379
	// [1 word of 3 not in the vocabulary, such as "MALAT1" (1): they keep their position]
}

// Cells whose expression falls with the square root of the rank, as a line cannot
// say but a conditional model learns.
func ExampleMeasureFidelity() {
	var genes []string
	m := h5ad.Batch{Indptr: []int64{0}}
	var values []float32
	for g := range 60 {
		genes = append(genes, fmt.Sprint("G", g))
	}
	for cell := range 40 {
		n := 30 + cell%30
		for g := range n {
			m.Indices = append(m.Indices, int32(g))
			values = append(values, float32(3-2*math.Sqrt(float64(g)/float64(n))))
		}
		m.Indptr = append(m.Indptr, int64(len(values)))
	}
	m.Values = values
	open := func(context.Context) (cellsentence.Source, error) { return cellsentence.NewSliceSource(m, 0), nil }
	f, err := cellsentence.MeasureFidelity(context.Background(), genes, open, cellsentence.FidelityConfig{Seed: 1})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("linear R² %.3f, conditional %.3f\n", f.Report.Linear.R2, f.Report.Conditional.R2)
	// Output:
	// linear R² 0.910, conditional 1.000
}

// Mouse genes get the names of their human orthologs.
func ExampleGeneMap_Apply() {
	const table = "human_symbol\tsymbol\tsupport_n\nTP53\tTrp53\t12\nHBA1\tHba-a1\t3\n"
	m, err := cellsentence.ReadGeneMap(strings.NewReader(table))
	if err != nil {
		log.Fatal(err)
	}
	names := []string{"Trp53", "Hba-a1", "Gm42418"}
	g, err := m.Apply(names)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(g.Names)
	fmt.Println(g.Warnings(names)[0])
	// Output:
	// [TP53 HBA1 Gm42418]
	// the gene map does not know 1 of 3 genes (such as "Gm42418"): they keep their names
}
