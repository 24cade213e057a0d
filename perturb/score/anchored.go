package score

import (
	"math"
	"slices"
)

// Anchored is a metric between what a worthless prediction and what a second
// experiment would reach. Numbers that do not exist are NaN.
type Anchored struct {
	Metric
	// Score is the metric of all perturbations; ScoreLow and ScoreHigh are its 95 %
	// interval by bootstrap over perturbations, which one perturbation does not have.
	Score, ScoreLow, ScoreHigh float64
	// Control is what real control cells reach, in place of the perturbed ones.
	Control float64
	// MeanResponse is what the mean response of the other perturbations reaches.
	MeanResponse float64
	// Ceiling is what half of the real cells reaches against the other half,
	// averaged over splits; for correlations with the Spearman–Brown correction of the
	// mean.
	// Other metrics have no such correction: with half of the cells their ceiling is
	// on the careful side.
	Ceiling float64
	// Baseline names the better of Control and MeanResponse: "control" or
	// "mean-response", "" if neither is defined.
	Baseline string
	// BaselineValues and CeilingValues are both by perturbation, beside Values; nil for a
	// metric of the panel and where there is no baseline.
	BaselineValues, CeilingValues []float64
	// Normalised is (Score − baseline) / (Ceiling − baseline): a ratio of means over
	// the perturbations in which all three are defined. Low and High are its 95 %
	// interval by bootstrap over perturbations.
	Normalised, Low, High float64
	// Scored is the number of perturbations under Normalised.
	Scored int
	// Reason says why Normalised or its interval is missing, "" if neither is.
	Reason string
}

// anchored puts a metric between its anchors.
func anchored(m Metric, a anchors, at, perts int, cfg Config) Anchored {
	out := Anchored{Metric: m, Score: math.NaN(), ScoreLow: math.NaN(), ScoreHigh: math.NaN(), Control: math.NaN(), MeanResponse: math.NaN(), Ceiling: math.NaN(), Normalised: math.NaN(), Low: math.NaN(), High: math.NaN()}
	every := make([]int, perts)
	for k := range every {
		every[k] = k
	}
	top := ceiling(a.halves, at)
	out.Score = m.Total(every)
	out.ScoreLow, out.ScoreHigh = out.interval(every, cfg)
	out.Control = a.control[at].Total(every)
	if a.mean != nil {
		out.MeanResponse = a.mean[at].Total(every)
	}
	if top != nil {
		out.Ceiling = top.Total(every)
	}
	if m.Diagnostic {
		out.Reason = "reported, not scored"
		return out
	}
	base := out.baseline(a, at)
	if base == nil {
		out.Reason = "no baseline is defined"
		return out
	}
	if top == nil {
		out.Reason = "there is no replicate ceiling"
		return out
	}
	if m.Values != nil {
		out.BaselineValues, out.CeilingValues = base.Values, top.raised()
	}
	out.normalise(base, top, every, cfg)
	return out
}

// baseline is the better of the two anchors below.
func (a *Anchored) baseline(all anchors, at int) *Metric {
	better := a.MeanResponse > a.Control
	if a.Lower {
		better = a.MeanResponse < a.Control
	}
	switch {
	case better || math.IsNaN(a.Control) && !math.IsNaN(a.MeanResponse):
		a.Baseline = "mean-response"
		return &all.mean[at]
	case !math.IsNaN(a.Control):
		a.Baseline = "control"
		return &all.control[at]
	}
	return nil
}

// interval is that of the score.
func (a *Anchored) interval(every []int, cfg Config) (low, high float64) {
	rows := every
	if a.panel == nil {
		rows = slices.DeleteFunc(slices.Clone(every), func(k int) bool { return math.IsNaN(a.Values[k]) })
	}
	if len(rows) < 2 || math.IsNaN(a.Score) {
		return math.NaN(), math.NaN()
	}
	var values []float64
	resample(rows, cfg, func(drawn []int) {
		if v := a.Total(drawn); !math.IsNaN(v) {
			values = append(values, v)
		}
	})
	if len(values) == 0 {
		return math.NaN(), math.NaN()
	}
	slices.Sort(values)
	return quantile(values, 0.025), quantile(values, 0.975)
}

// resample draws perturbations with replacement, as often as the configuration says;
// the slice is used again.
func resample(rows []int, cfg Config, do func(drawn []int)) {
	drawn := make([]int, len(rows))
	for b := range cfg.Bootstraps {
		d := newDraws(cfg.Seed, forBootstrap, b)
		for i := range drawn {
			drawn[i] = rows[d.Below(i, len(rows))]
		}
		do(drawn)
	}
}

func (a *Anchored) normalise(base, top *Metric, every []int, cfg Config) {
	rows := every
	if a.panel == nil {
		rows = slices.DeleteFunc(slices.Clone(every), func(k int) bool {
			return math.IsNaN(a.Values[k] + base.Values[k] + top.Values[k])
		})
	}
	a.Scored = len(rows)
	ratio := func(perts []int) (value, gap float64) {
		b := base.Total(perts)
		gap = top.Total(perts) - b
		return (a.Total(perts) - b) / gap, gap
	}
	value, gap := ratio(rows)
	if a.Lower {
		gap = -gap
	}
	switch {
	case math.IsNaN(value) || math.IsInf(value, 0):
		a.Reason = "score, baseline and ceiling are not all defined, or the last two are equal"
		return
	case gap <= 0:
		a.Reason = "the replicate ceiling is no better than the baseline"
		return
	case len(rows) == 1:
		a.Normalised = value
		a.Reason = "with one perturbation an interval over perturbations does not exist"
		return
	}
	values, gaps := make([]float64, 0, cfg.Bootstraps), make([]float64, 0, cfg.Bootstraps)
	resample(rows, cfg, func(drawn []int) {
		if v, g := ratio(drawn); !math.IsNaN(v) {
			values, gaps = append(values, v), append(gaps, g)
		}
	})
	slices.Sort(values)
	slices.Sort(gaps)
	if len(gaps) == 0 || quantile(gaps, 0.025) <= 0 && quantile(gaps, 0.975) >= 0 {
		a.Reason = "the interval of ceiling − baseline includes 0"
		return
	}
	a.Normalised, a.Low, a.High = value, quantile(values, 0.025), quantile(values, 0.975)
}

// quantile interpolates between the values of a sorted slice.
func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	i := int(at)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}
