package score_test

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/cellsentence/c2s/cellsentence"
	"github.com/cellsentence/c2s/h5ad"
	"github.com/cellsentence/c2s/perturb/score"
)

// Differential expression of 100 perturbations of 400 cells against 10,000 control
// cells and 5,000 genes, of which a tenth is expressed. pdex on the same shape:
//
//	pdex(adata, groupby="target", mode="ref", reference="control", is_log1p=True, epsilon=0.0, threads=2)
func BenchmarkDE(b *testing.B) {
	const genes, perts, each, control = 5000, 100, 400, 10000
	r := rand.New(rand.NewPCG(1, 2))
	m := h5ad.Batch{Indptr: []int64{0}}
	var values []float32
	in := score.Input{Name: "made", Genes: make([]string, genes)}
	for g := range in.Genes {
		in.Genes[g] = string(rune('A'+g%26)) + string(rune('0'+g/26))
	}
	for cell := range control + perts*each {
		label := "control"
		if cell >= control {
			label = "p" + string(rune('0'+(cell-control)/each))
		}
		in.Labels = append(in.Labels, label)
		for g := range genes {
			if r.Uint32()%10 == 0 {
				m.Indices = append(m.Indices, int32(g))
				values = append(values, float32(1+r.IntN(8))*(0.7+0.3*float32(r.IntN(3))))
			}
		}
		m.Indptr = append(m.Indptr, int64(len(m.Indices)))
	}
	m.Values = values
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		in.Cells = cellsentence.NewSliceSource(m, 0)
		cells, err := score.Load(ctx, in, "control")
		if err != nil {
			b.Fatal(err)
		}
		if _, err := score.DE(ctx, cells, score.DEOptions{Average: score.Geometric, Log: true}); err != nil {
			b.Fatal(err)
		}
	}
}
