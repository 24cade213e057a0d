// Package racing gives up compounds of a screen that have become hopeless, so that the
// model's time goes to the others.
//
// Start with a [Rule]; after each of its stages, ask [Rule.Futile]. It stops for
// futility only, never for success: a compound that is given up gets p = 1, so that no
// error rate can rise. It looks at the compound's own rows and at constants of the
// plan, nothing else, so that the shards of a run agree whatever they have seen.
package racing

import (
	"errors"
	"fmt"

	"github.com/cellsentence/c2s/screen/moderated"
	"github.com/cellsentence/c2s/screen/record"
)

// Stage is what has been asked when a stage ends: the number of cells a donor in each
// context, of those that the plan lists first.
type Stage [2]int

// Rule is the constants of a race.
type Rule struct {
	// Stages rise; the last is the whole design, after which nothing is given up.
	Stages []Stage `json:"stages"`
	// Least is the moderated t-statistic, of the effect in the positive context and of
	// the split, below which a compound is hopeless.
	Least float64 `json:"least_t"`
	// S2 is the variance of a donor's effect that is expected at the first stage, by
	// vehicle draws ([analysis.Meter.Pilot]), and DF the degrees of freedom that this is
	// worth; 0 leaves each compound to its own variance.
	S2 float64 `json:"s2"`
	DF float64 `json:"df"`
}

// Default is the rule for a design of so many cells a donor and context: a quarter of
// the cells in the positive context, then in the neutral one, then all. s2 is as in
// Rule; that it is worth four degrees of freedom is a guess on the safe side, as a
// small variance makes fewer compounds hopeless.
func Default(cells int, s2 float64) Rule {
	first := min(max(cells/4, 3), cells)
	r := Rule{Stages: []Stage{{first, 0}, {first, first}}, Least: 1, S2: s2, DF: 4}
	if first < cells {
		r.Stages = append(r.Stages, Stage{cells, cells})
	}
	return r
}

// Check reports rules that make no sense.
func (r Rule) Check() error {
	if len(r.Stages) == 0 {
		return errors.New("a race without a stage")
	}
	var last Stage
	for i, s := range r.Stages {
		for c := range s {
			if s[c] < last[c] {
				return fmt.Errorf("stage %d of the race has fewer cells than the one before it", i+1)
			}
		}
		if s == last {
			return fmt.Errorf("stage %d of the race adds no cell", i+1)
		}
		last = s
	}
	if last[0] != last[1] {
		return fmt.Errorf("the race ends with %d cells a donor in the positive context and %d in the neutral one", last[0], last[1])
	}
	if !(r.DF >= 0) || !(r.S2 >= 0) || r.DF > 0 && r.S2 == 0 || !(r.Least == r.Least) {
		return fmt.Errorf("the race has the prior variance %g with %g degrees of freedom and the least t %g", r.S2, r.DF, r.Least)
	}
	return nil
}

// Futile reports that a compound is hopeless, from its donor means of all rows so far
// ([analysis.Meter.Effects]). What cannot be judged goes on: fewer than two donors, or
// effects that do not vary.
func (r Rule) Futile(e moderated.Effects) bool {
	m := moderated.Model{Shape: moderated.Round()}
	if r.DF > 0 {
		m.Prior = moderated.Prior{DF: r.DF, S2: r.S2, Pooled: r.DF + 1000}
	}
	f := m.Fit(e)
	if f.N[record.Positive] == 0 {
		return false
	}
	// Comparisons with NaN are false: such a compound goes on.
	if m.Estimate(f, moderated.Positive()).T(0) < r.Least {
		return true
	}
	return f.N[record.Neutral] > 0 && m.Estimate(f, moderated.Split()).T(0) < r.Least
}
