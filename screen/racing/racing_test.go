package racing_test

import (
	"math"
	"testing"

	"github.com/cellsentence/c2s/screen/moderated"
	"github.com/cellsentence/c2s/screen/racing"
)

func TestFutile(t *testing.T) {
	own := racing.Rule{Stages: []racing.Stage{{3, 0}, {3, 3}, {12, 12}}, Least: 1}
	prior := own
	prior.DF, prior.S2 = 4, 1
	nan := math.NaN()
	for _, c := range []struct {
		name     string
		rule     racing.Rule
		pos, neu []float64
		want     bool
	}{
		// Means of 3 with a standard deviation of 1: t is 3·√3.
		{"strong", own, []float64{2, 3, 4}, nil, false},
		{"down", own, []float64{-2, -3, -4}, nil, true},
		{"nothing", own, []float64{-1, 0, 1}, nil, true},
		// 0.5 with a standard deviation of 1: t is 0.866; of 0.7: 1.237.
		{"just below", own, []float64{-0.5, 0.5, 1.5}, nil, true},
		{"just above", own, []float64{-0.2, 0.5, 1.2}, nil, false},
		// The prior pulls that standard deviation to √((4 + 2·0.49)/6) = 0.911: t is 0.951.
		{"by the prior", prior, []float64{-0.2, 0.5, 1.2}, nil, true},
		// A split of 2 with a standard deviation of 1: t is 2/√(2/3); a split of 0.
		{"split", own, []float64{2, 3, 4}, []float64{0, 1, 2}, false},
		{"no split", own, []float64{2, 3, 4}, []float64{2, 3, 4}, true},
		{"split the other way", own, []float64{2, 3, 4}, []float64{5, 6, 7}, true},
		// What cannot be judged goes on.
		{"one donor", own, []float64{-3}, nil, false},
		{"no donor", own, nil, nil, false},
		{"no answer", own, []float64{nan, nan, -1}, nil, false},
		{"flat", own, []float64{-1, -1, -1}, nil, false},
		{"one donor of the neutral context", own, []float64{2, 3, 4}, []float64{9, nan, nan}, false},
	} {
		if got := c.rule.Futile(moderated.Effects{Pos: c.pos, Neu: c.neu}); got != c.want {
			t.Errorf("%s: futile is %v", c.name, got)
		}
	}
}

func TestCheck(t *testing.T) {
	for _, cells := range []int{1, 2, 3, 12, 50, 1000} {
		r := racing.Default(cells, 0.5)
		if err := r.Check(); err != nil {
			t.Errorf("%d cells: %v", cells, err)
		}
		if last := r.Stages[len(r.Stages)-1]; last != (racing.Stage{cells, cells}) {
			t.Errorf("%d cells: the last stage is %v", cells, last)
		}
	}
	if r := racing.Default(50, 1); r.Stages[0] != (racing.Stage{12, 0}) || r.Stages[1] != (racing.Stage{12, 12}) {
		t.Errorf("50 cells: stages %v", r.Stages)
	}
	for _, r := range []racing.Rule{
		{},
		{Stages: []racing.Stage{{5, 5}, {4, 6}}},
		{Stages: []racing.Stage{{5, 5}, {5, 5}}},
		{Stages: []racing.Stage{{5, 4}}},
		{Stages: []racing.Stage{{5, 5}}, DF: 4},
		{Stages: []racing.Stage{{5, 5}}, DF: -1, S2: 1},
		{Stages: []racing.Stage{{5, 5}}, Least: math.NaN()},
	} {
		if r.Check() == nil {
			t.Errorf("no error for %+v", r)
		}
	}
}
