package score_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/cellsentence/c2s/perturb/score"
)

// Quartiles are the nearest value: of 1, 2, 4 and 10 those at 0.75, 1.5 and 2.25,
// that is 2, 4 and 4. The deviation is √(48.75/3).
func TestWrite(t *testing.T) {
	r := score.Result{
		Preset:        score.CellEval,
		Perturbations: []string{"a", "b", "c", "d", "e"},
		Metrics:       []score.Anchored{{Metric: score.Metric{Name: "m", Values: []float64{10, 1, math.NaN(), 4, 2}}, Score: 4.25, Low: math.NaN()}, {Metric: score.Metric{Name: "panel"}, Score: 0.5}},
		Tricks:        []score.Trick{{Name: "t", Scores: []float64{math.Inf(1), 2}}},
	}
	var b strings.Builder
	if err := r.WriteResults(&b); err != nil {
		t.Fatal(err)
	}
	if want := "perturbation,m,panel\na,10,0.5\nb,1,0.5\nc,,0.5\nd,4,0.5\ne,2,0.5\n"; b.String() != want {
		t.Errorf("got %q", b.String())
	}
	b.Reset()
	if err := r.WriteAggregate(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"count,4,5\n", "null_count,1,0\n", "mean,4.25,0.5\n", "std,4.031128874149275,0\n", "25%,2,0.5\n", "50%,4,0.5\n", "75%,4,0.5\n", "max,10,0.5\n"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no line %q in\n%s", want, b.String())
		}
	}
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"values":[10,1,null,4,2]`, `"low":null`, `"scores":[null,2]`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
}
