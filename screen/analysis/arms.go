package analysis

import (
	"math"

	"github.com/cellsentence/c2s/internal/stats"
	"github.com/cellsentence/c2s/screen/moderated"
	"github.com/cellsentence/c2s/screen/record"
)

// interferon tests what compounds add to a little interferon in the neutral context:
// δ(both) − δ(compound) − δ(interferon) on each donor, with variances shared as those
// of the effects are.
func (s *screen) interferon(r *Result) {
	var alone *response
	for dose := range max(1, len(s.t.Header.Doses)) { // the lowest, should there be several
		if alone = s.responses[slot{record.Interferon, -1, int16(dose)}]; alone != nil {
			break
		}
	}
	if alone == nil {
		return
	}
	var list []moderated.Effects
	var of []*Compound
	for _, c := range r.Hits {
		main := s.t.Header.Items[c.Item].MainDose
		both := s.responses[slot{record.CompoundAndIFN, int32(c.Item), main}]
		single := s.main(c.Item)
		if both == nil || single == nil {
			continue
		}
		e := make([]float64, len(s.t.Header.Clusters))
		for d := range e {
			e[d] = both.effects.Neu[d] - single.effects.Neu[d] - alone.effects.Neu[d]
		}
		list = append(list, moderated.Effects{Neu: e})
		of = append(of, c)
	}
	m := moderated.Learn(list)
	p := make([]float64, len(list))
	for i, c := range of {
		e := m.Estimate(m.Fit(list[i]), moderated.Neutral())
		p[i] = e.Greater(0)
		c.Excess, c.ExcessP = s.estimate(e), Number(p[i])
	}
	for i, q := range stats.Adjust(p) {
		of[i].ExcessQ = Number(q)
	}
}

// leastDoses is the number of doses from which on a trend is tested.
const leastDoses = 3

// doses tests whether the effect in the positive context rises with the dose: the
// contrast of the doses' places with each donor's effects, one-sided.
func (s *screen) doses(r *Result) {
	var list []moderated.Effects
	var of []*Compound
	rising := s.t.Header.Doses
	if n := s.t.Header.Rising; n > 0 {
		rising = rising[:n]
	}
	for _, c := range r.Hits {
		var with []*response
		for dose, name := range rising {
			if a := s.responses[slot{record.Compound, int32(c.Item), int16(dose)}]; a != nil && a.donors[record.Positive] > 0 {
				with = append(with, a)
				mean := s.model.Fit(a.effects).Mean[record.Positive]
				c.Doses = append(c.Doses, Dose{name, Number(mean)})
			}
		}
		if len(with) < 2 {
			c.Doses = nil // one dose is the effect itself
		}
		if len(with) < leastDoses {
			continue
		}
		e := make([]float64, len(s.t.Header.Clusters))
		middle := float64(len(with)-1) / 2
		for d := range e {
			for k, a := range with {
				e[d] += (float64(k) - middle) * a.effects.Pos[d] // NaN unless the donor has all doses
			}
		}
		list = append(list, moderated.Effects{Pos: e})
		of = append(of, c)
	}
	m := moderated.Learn(list)
	for i, c := range of {
		c.DoseTrend = Number(m.Estimate(m.Fit(list[i]), moderated.Positive()).Greater(0))
	}
}

// baseline adds the split that a predictor without a language model sees.
func (s *screen) baseline(r *Result) {
	byName := make(map[string]int)
	for i, it := range s.t.Header.Items {
		if it.Kind == record.Baseline && it.Name != "" {
			byName[it.Name] = i
		}
	}
	for _, c := range append(append([]*Compound(nil), r.Hits...), r.Others...) {
		i, ok := byName[c.Name]
		if !ok {
			continue
		}
		a := s.main(i)
		if a == nil {
			continue
		}
		mean := s.model.Fit(a.effects).Mean
		if v := mean[0] - mean[1]; !math.IsNaN(v) {
			c.BaselineSplit = Number(v)
			c.BaselineExcess = c.Split.Value - Number(v)
		}
	}
}
