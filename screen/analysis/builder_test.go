package analysis_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/cellsentence/c2s/screen/analysis"
	"github.com/cellsentence/c2s/screen/record"
)

// bench builds a screen by hand: donors in both contexts, cells of one type, four
// vehicle draws a cell whose errors cancel.
type bench struct {
	record.Table
	cells int
}

const donors = 5

func newBench(cells int) *bench {
	b := &bench{cells: cells}
	b.Header.CellTypes = []string{"all"}
	b.Header.Doses = []string{"0.1 uM", "1 uM", "10 uM"}
	for d := range donors {
		b.Header.Clusters = append(b.Header.Clusters, record.Cluster{Name: fmt.Sprintf("D%d", d+1), In: [2]bool{true, true}})
	}
	for context := range 2 {
		for d := range donors {
			for c := range cells {
				for draw, e := range []float64{-0.01, 0.01, 0.02, -0.02} {
					b.row(record.Row{Context: record.Context(context), Item: -1, Cluster: int32(d), Cell: int32(d*cells + c), Draw: int16(draw)}, base(context, d, c)+e)
				}
			}
		}
	}
	return b
}

// base is the score of an input cell.
func base(context, donor, cell int) float64 {
	return 0.3 + 0.1*float64(1-context) + 0.02*float64(donor) + 0.001*float64(cell)
}

func (b *bench) row(r record.Row, score float64) {
	r.U, r.Expr, r.Valid = float32(score), float32(10*score), true
	b.Append(r)
}

// add screens an item whose effect on each donor is given, by context; nil leaves the
// context out.
func (b *bench) add(it record.Item, pos, neu []float64) int32 {
	i := int32(len(b.Header.Items))
	b.Header.Items = append(b.Header.Items, it)
	b.arm(record.Compound, i, it.MainDose, pos, neu)
	return i
}

func (b *bench) arm(arm record.Arm, item int32, dose int16, pos, neu []float64) {
	for context, e := range [2][]float64{pos, neu} {
		for d, v := range e {
			for c := range b.cells {
				b.row(record.Row{Context: record.Context(context), Arm: arm, Item: item, Dose: dose, Cluster: int32(d), Cell: int32(d*b.cells + c)}, base(context, d, c)+v)
			}
		}
	}
}

// noisy is a mean with errors of standard deviation 0.004 on each donor.
func noisy(r *rand.Rand, mean float64) []float64 {
	e := make([]float64, donors)
	for d := range e {
		e[d] = mean + 0.004*r.NormFloat64()
	}
	return e
}

func compound(name string) record.Item { return record.Item{Name: name, Kind: record.Test} }

// crowd adds inert compounds, from which variances are learnt.
func (b *bench) crowd(r *rand.Rand, n int) {
	for i := range n {
		b.add(compound(fmt.Sprintf("inert-%02d", i)), noisy(r, 0), noisy(r, 0))
	}
}

func (b *bench) control(r *rand.Rand, pos, neu float64) {
	b.add(record.Item{Name: "IFN-gamma", Kind: record.Control}, noisy(r, pos), noisy(r, neu))
}

func analyse(t *testing.T, b *bench, cfg analysis.Config) *analysis.Result {
	t.Helper()
	r, err := analysis.Analyse(t.Context(), &b.Table, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func find(t *testing.T, r *analysis.Result, name string) *analysis.Compound {
	t.Helper()
	for _, c := range append(append([]*analysis.Compound(nil), r.Hits...), r.Others...) {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("no compound %q", name)
	return nil
}

func near(t *testing.T, what string, got analysis.Number, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(float64(got)-want) <= tolerance) {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

// single is the rounding of a score in single precision, and its mean's.
const single = 2e-7
