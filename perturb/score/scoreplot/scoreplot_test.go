package scoreplot_test

import (
	"bytes"
	"math"
	"testing"

	"github.com/cellsentence/c2s/perturb/score"
	"github.com/cellsentence/c2s/perturb/score/scoreplot"
)

// Figures are there for what can be drawn, the same each time, and none for nothing.
func TestFigures(t *testing.T) {
	nan := math.NaN()
	r := &score.Result{
		Perturbations: []string{"a", "b", "a perturbation of a very long name, indeed"},
		Metrics: []score.Anchored{
			{Metric: score.Metric{Name: "mse", Lower: true, Values: []float64{1, 2, nan}}, Normalised: nan},
			{
				Metric: score.Metric{Name: "r", Values: []float64{0.5, nan, 0.9}}, Normalised: 5, Low: -3, High: 7, Scored: 2,
				BaselineValues: []float64{0.1, 0, nan}, CeilingValues: []float64{0.8, nan, 0.7},
			},
		},
	}
	m := scoreplot.Shown(r)
	if m == nil || m.Name != "r" {
		t.Fatalf("shown is %v", m)
	}
	draw := func() []byte {
		var b bytes.Buffer
		first, err := scoreplot.Metrics(r)
		if err != nil {
			t.Fatal(err)
		}
		second, err := scoreplot.Perturbations(r, m)
		if err != nil {
			t.Fatal(err)
		}
		if err := first.SVG(&b); err != nil {
			t.Fatal(err)
		}
		if err := second.SVG(&b); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	want := draw()
	for range 5 {
		if !bytes.Equal(draw(), want) {
			t.Fatal("another figure of the same result")
		}
	}
	r.Metrics = r.Metrics[:1]
	if _, err := scoreplot.Metrics(r); err == nil {
		t.Error("a figure of nothing")
	}
	if scoreplot.Shown(r) != nil {
		t.Error("a metric that is not normalised is shown")
	}
}
