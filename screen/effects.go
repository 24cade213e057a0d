package screen

import (
	"math"

	"github.com/cellsentence/c2s/screen/moderated"
	"github.com/cellsentence/c2s/screen/record"
)

// place is what was done where.
type place struct {
	context record.Context
	arm     record.Arm
	item    int
	dose    int16
}

// score is the U of a cell after something was done to it, over draws.
type score struct {
	sum float64
	n   int
}

// effects keeps the scores of a run, by which it decides what to go on with.
type effects struct {
	p     *Plan
	sum   map[place][]score // by cell
	draws [2][][]float64    // of the vehicle: by context, cell and draw
	model moderated.Model
}

func (e *effects) add(a *answer) {
	if !a.row.Valid {
		return
	}
	at := place{a.context, a.arm, a.item, a.dose}
	if e.sum[at] == nil {
		e.sum[at] = make([]score, len(e.p.Cells[a.context]))
	}
	s := &e.sum[at][a.cell]
	s.sum, s.n = s.sum+float64(a.row.U), s.n+1
	if a.arm == record.Vehicle {
		if e.draws[a.context] == nil {
			e.draws[a.context] = make([][]float64, len(e.p.Cells[a.context]))
		}
		e.draws[a.context][a.cell] = append(e.draws[a.context][a.cell], float64(a.row.U))
	}
}

// mean is that of a cell, NaN if it has no valid score.
func (s score) mean() float64 { return s.sum / float64(s.n) }

// cell is the effect on a cell: its score less the mean of its vehicle draws.
func (e *effects) cell(at place, cell int) float64 {
	after, before := e.sum[at], e.sum[place{at.context, record.Vehicle, -1, 0}]
	if after == nil || before == nil {
		return nan
	}
	return after[cell].mean() - before[cell].mean()
}

// score is the mean over donors of the score itself.
func (e *effects) score(at place) float64 {
	scores := e.sum[at]
	return e.overDonors(at.context, func(cell int) float64 {
		if scores == nil {
			return nan
		}
		return scores[cell].mean()
	})
}

func (e *effects) overDonors(x record.Context, of func(cell int) float64) float64 {
	sum, n := 0.0, 0
	for _, v := range e.donors(x, of) {
		if !math.IsNaN(v) {
			sum, n = sum+v, n+1
		}
	}
	return sum / float64(n)
}

// donors is the mean of a number over the cells of each donor, at the weights of the
// cell types.
func (e *effects) donors(x record.Context, of func(cell int) float64) []float64 {
	values := make([]float64, len(e.p.Cells[x]))
	for i := range values {
		values[i] = of(i)
	}
	out := make([]float64, len(e.p.Clusters))
	for c := range out {
		out[c] = e.p.weighted(x, c, values)
	}
	return out
}

// of is the effects of a compound on donors.
func (e *effects) of(item int, dose int16) moderated.Effects {
	var out [2][]float64
	for x := range out {
		at := place{record.Context(x), record.Compound, item, dose}
		out[x] = e.donors(record.Context(x), func(cell int) float64 { return e.cell(at, cell) })
	}
	return moderated.Effects{Pos: out[record.Positive], Neu: out[record.Neutral]}
}

// learn takes the prior of variances from the vehicle: each of its draws against the
// others is a compound that does nothing. All shards have the same vehicle, and so the
// same prior. Without repeated draws there is none.
func (e *effects) learn(draws int) {
	e.model = moderated.Model{Shape: moderated.Round()}
	if draws < 3 {
		return
	}
	var list []moderated.Effects
	for d := range draws {
		var out [2][]float64
		for x := range out {
			vehicle := e.sum[place{record.Context(x), record.Vehicle, -1, 0}]
			out[x] = e.donors(record.Context(x), func(cell int) float64 {
				if vehicle == nil || d >= len(e.draws[x][cell]) {
					return nan
				}
				one, s := e.draws[x][cell][d], vehicle[cell]
				return one - (s.sum-one)/float64(s.n-1)
			})
		}
		list = append(list, moderated.Effects{Pos: out[record.Positive], Neu: out[record.Neutral]})
	}
	e.model = moderated.Learn(list)
}

// futile is the rule of the design racing: the compound's moderated t of the effect in
// the positive context, or, once there are neutral cells, of the split, is below a
// value. Only the compound's own effects and those of the vehicle count, so that shards
// agree. What cannot be tested, with one donor, is not dropped, but what does nothing at
// all is.
func (e *effects) futile(item int, dose int16, least float64, split bool) bool {
	pos, apart := e.t(item, dose)
	return pos < least || split && apart < least
}

// leads says that both t reach a value.
func (e *effects) leads(item int, dose int16, least float64) bool {
	pos, split := e.t(item, dose)
	return pos >= least && split >= least
}

// t is the moderated t of the positive effect and of the split; NaN without a test.
func (e *effects) t(item int, dose int16) (pos, split float64) {
	fit := e.model.Fit(e.of(item, dose))
	t := func(c moderated.Contrast) float64 {
		one := e.model.Estimate(fit, c)
		if one.Flat {
			return math.Copysign(0, one.Value) // no scatter, no evidence
		}
		return one.T(0)
	}
	return t(moderated.Positive()), t(moderated.Split())
}
