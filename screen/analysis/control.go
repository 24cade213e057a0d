package analysis

import (
	"cmp"
	"fmt"
	"math"

	"github.com/cellsentence/c2s/screen/moderated"
	"github.com/cellsentence/c2s/screen/record"
)

// control measures the positive controls, finds the margin, and says whether the
// screen could have seen an effect as large as it.
func (s *screen) control(r *Result) error {
	h := &s.t.Header
	name := s.cfg.Control
	if name == "" {
		name = h.Control
	}
	r.Assay.Controls = []Control{}
	unit := -1
	for i, it := range h.Items {
		if it.Kind != record.Control {
			continue
		}
		a := s.main(i)
		if a == nil {
			continue
		}
		if name == "" || it.Name == name {
			if unit < 0 {
				unit = len(r.Assay.Controls)
			}
		}
		f := s.model.Fit(a.effects)
		r.Assay.Controls = append(r.Assay.Controls, Control{
			Name:   it.Name,
			Pos:    s.estimate(s.model.Estimate(f, moderated.Positive())),
			Neu:    s.estimate(s.model.Estimate(f, moderated.Neutral())),
			ZPrime: s.zPrime(a),
		})
	}
	if name != "" && unit < 0 {
		return bad("", "no row of a positive control is named %q", name)
	}
	effect := missing()
	if unit >= 0 {
		r.Assay.Control = r.Assay.Controls[unit].Name
		effect = r.Assay.Controls[unit].Neu.Value
	}
	switch {
	case s.cfg.Margin > 0:
		r.Margin, r.MarginSource = Number(s.cfg.Margin), "given to the analysis"
	case h.Margin > 0:
		r.Margin, r.MarginSource = Number(h.Margin), "fixed in the plan"
	case effect > 0:
		share := cmp.Or(h.MarginShare, MarginShare)
		r.Margin = Number(share) * effect
		r.MarginSource = fmt.Sprintf("%g times the effect of %s in the neutral context, in these rows", share, r.Assay.Control)
	default:
		r.Margin, r.MarginSource = missing(), "none: no positive control raises the program in the neutral context"
	}
	a := &r.Assay
	switch {
	case unit < 0:
		a.Reason = "there is no positive control: nothing shows that the model could have raised the program"
	case a.Controls[unit].Neu.Lo.Missing():
		a.Reason = fmt.Sprintf("the effect of %s in the neutral context has no interval", a.Control)
	case r.Margin.Missing() || a.Controls[unit].Neu.Lo <= r.Margin:
		a.Reason = fmt.Sprintf("the effect of %s in the neutral context is not shown to exceed the margin: its lower bound is %.4g, the margin %.4g",
			a.Control, float64(a.Controls[unit].Neu.Lo), float64(r.Margin))
	default:
		a.Sensitive = true
		a.Reason = fmt.Sprintf("the lower bound of %s in the neutral context, %.4g, exceeds the margin, %.4g",
			a.Control, float64(a.Controls[unit].Neu.Lo), float64(r.Margin))
		if !(a.Controls[unit].Pos.Value > 0) {
			s.warn("%s does not raise the program in the positive context, which may be saturated: the split has no scale to agree with, and no compound is context-selective", a.Control)
		}
	}
	if !a.Sensitive {
		s.warn("no call can be interpreted: %s", a.Reason)
	}
	return nil
}

// zPrime is Zhang's factor on donor means, by context.
func (s *screen) zPrime(a *response) [2]Number {
	out := [2]Number{missing(), missing()}
	for context, effects := range [2][]float64{a.effects.Pos, a.effects.Neu} {
		vehicle := s.vehicleMeans(record.Context(context))
		var with, without []float64
		for cluster, e := range effects {
			if v := vehicle[cluster]; !math.IsNaN(e) && !math.IsNaN(v) {
				with = append(with, v+e)
				without = append(without, v)
			}
		}
		if len(with) < 2 {
			continue
		}
		m1, sd1 := moments(with)
		m0, sd0 := moments(without)
		if m1 != m0 {
			out[context] = Number(1 - 3*(sd1+sd0)/math.Abs(m1-m0))
		}
	}
	return out
}

// vehicleMeans are the donors' scores without a compound, types at common weights.
func (s *screen) vehicleMeans(context record.Context) []float64 {
	types, clusters := len(s.weights), len(s.t.Header.Clusters)
	sum, n := make([]float64, clusters*types), make([]float64, clusters*types)
	// In the order of the list: the order of a map is not the same twice.
	keys := make([]bool, len(s.vehicle.list))
	for key, at := range s.vehicle.cells {
		keys[at] = key.context == context && !key.baseline
	}
	for at, c := range s.vehicle.list {
		if keys[at] {
			sum[int(c.cluster)*types+int(c.kind)] += c.mean
			n[int(c.cluster)*types+int(c.kind)]++
		}
	}
	out := make([]float64, clusters)
	for cluster := range out {
		total, weight := 0.0, 0.0
		for k, w := range s.weights {
			if m := n[cluster*types+k]; m > 0 && w > 0 {
				total += w * sum[cluster*types+k] / m
				weight += w
			}
		}
		out[cluster] = total / weight
	}
	return out
}

// moments are the mean and the standard deviation with n − 1.
func moments(x []float64) (mean, sd float64) {
	for _, v := range x {
		mean += v
	}
	mean /= float64(len(x))
	for _, v := range x {
		sd += (v - mean) * (v - mean)
	}
	return mean, math.Sqrt(sd / float64(len(x)-1))
}
