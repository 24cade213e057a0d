package score_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/cellsentence/c2s/cellsentence"
	"github.com/cellsentence/c2s/h5ad"
	"github.com/cellsentence/c2s/perturb/score"
)

// group is cells of one label, each a map from gene to value.
type group struct {
	label string
	cells []map[int]float64
}

// sparse is the groups as an input.
func sparse(genes int, groups ...group) score.Input {
	in := score.Input{Name: "made"}
	for g := range genes {
		in.Genes = append(in.Genes, fmt.Sprintf("G%d", g))
	}
	b := h5ad.Batch{Indptr: []int64{0}}
	values := []float64{}
	for _, g := range groups {
		for _, cell := range g.cells {
			in.Labels = append(in.Labels, g.label)
			for j := genes - 1; j >= 0; j-- { // unsorted indices are ordinary
				if v, ok := cell[j]; ok {
					b.Indices = append(b.Indices, int32(j))
					values = append(values, v)
				}
			}
			b.Indptr = append(b.Indptr, int64(len(b.Indices)))
		}
	}
	b.Values = values
	in.Cells = cellsentence.NewSliceSource(b, 7)
	return in
}

// random is n cells whose values are small whole or half numbers, a few negative,
// and some stored zeros.
func random(r *rand.Rand, label string, n, genes int, rate float64) group {
	g := group{label: label}
	for range n {
		cell := map[int]float64{}
		for j := range genes {
			if r.Float64() < rate {
				cell[j] = float64(r.IntN(9)-1) / 2
			}
		}
		g.cells = append(g.cells, cell)
	}
	return g
}

func TestDEEqualsSciPy(t *testing.T) {
	interpreter := python(t, "scipy.stats")
	r := rand.New(rand.NewPCG(1, 2))
	const genes = 60
	groups := []group{
		random(r, "control", 40, genes, 0.3), random(r, "a", 25, genes, 0.2),
		random(r, "b", 1, genes, 0.5), random(r, "c", 300, genes, 0.9), random(r, "d", 12, genes, 0.02),
	}
	var file struct {
		Genes  int                 `json:"genes"`
		Groups [][]map[int]float64 `json:"groups"`
	}
	file.Genes = genes
	for _, g := range groups {
		file.Groups = append(file.Groups, g.cells)
	}
	b, err := json.Marshal(file)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "cells.json")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	var want []struct{ U, P, FDR []float64 }
	ask(t, &want, interpreter, "scipy_de.py", path)

	cells, err := score.Load(context.Background(), sparse(genes, groups...), "control")
	if err != nil {
		t.Fatal(err)
	}
	var first []score.Table
	for _, workers := range []int{1, 3} {
		got, err := score.DE(context.Background(), cells, score.DEOptions{Epsilon: 1e-9, Workers: workers})
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = got
		} else if !reflect.DeepEqual(first, got) {
			t.Error("the number of workers changes the result")
		}
		for k, w := range want {
			for g := range genes {
				if got[k].U[g] != w.U[g] || !close12(got[k].P[g], w.P[g]) || !close12(got[k].FDR[g], w.FDR[g]) {
					t.Errorf("perturbation %d gene %d: got U %g p %.17g fdr %.17g, want %g %.17g %.17g",
						k, g, got[k].U[g], got[k].P[g], got[k].FDR[g], w.U[g], w.P[g], w.FDR[g])
				}
			}
		}
	}
}

// close12 is the promised agreement; the two erfc differ in the last digits.
func close12(got, want float64) bool { return math.Abs(got-want) <= 1e-12*math.Abs(want) }

// Fold changes by hand: control 1, 3, 0, 0 and perturbed 0, 8 of one gene; a gene
// that the control lacks; one that both lack.
func TestFoldChange(t *testing.T) {
	in := sparse(3,
		group{"control", []map[int]float64{{0: 1}, {0: 3}, {}, {}}},
		group{"p", []map[int]float64{{}, {0: 8, 1: 2}}})
	cells, err := score.Load(context.Background(), in, "control")
	if err != nil {
		t.Fatal(err)
	}
	geometric := math.Log2((math.Sqrt(9) - 1) / (math.Pow(2*4, 0.25) - 1))
	for _, c := range []struct {
		opts score.DEOptions
		want [3]float64
	}{
		{score.DEOptions{}, [3]float64{2, math.Inf(1), 0}},
		{score.DEOptions{Epsilon: 1}, [3]float64{math.Log2(5.0 / 2), 1, 0}},
		{score.DEOptions{Average: score.Geometric}, [3]float64{geometric, math.Inf(1), 0}},
		{score.DEOptions{Above: 0.5}, [3]float64{2, math.NaN(), math.NaN()}},
		{score.DEOptions{Log: true}, [3]float64{math.Log2(math.Expm1(8) / 2 / ((math.Expm1(1) + math.Expm1(3)) / 4)), math.Inf(1), 0}},
	} {
		got, err := score.DE(context.Background(), cells, c.opts)
		if err != nil {
			t.Fatal(err)
		}
		for g, want := range c.want {
			v := got[0].LFC[g]
			if !(math.Abs(v-want) < 1e-14 || v == want || math.IsNaN(v) && math.IsNaN(want)) {
				t.Errorf("%+v gene %d: got %g, want %g", c.opts, g, v, want)
			}
		}
	}
}

func TestDEStops(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cells, err := score.Load(ctx, sparse(3, group{"control", []map[int]float64{{0: 1}}}, group{"p", []map[int]float64{{1: 1}}}), "control")
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := score.DE(ctx, cells, score.DEOptions{}); err == nil {
		t.Error("a cancelled context gives a result")
	}
}
