package compare

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// table is the scores of all runs on the same perturbations.
type table struct {
	perturbations []string
	some          bool // not all perturbations of all runs
	columns       []column
	parts         []string // the metrics of the overall score
	warnings      []string
}

// column is a metric of all runs.
type column struct {
	name       string
	toward     float64
	diagnostic bool
	// score and normalised are a number a run; the latter is NaN where runs were not
	// scored between the same anchors.
	score, normalised, low, high []float64
	base, top                    float64
	// values are those of the perturbations, run by run; nil for a metric of all
	// together.
	values [][]float64
}

// commonTip tells how runs that differ can be compared after all.
const commonTip = "score them alike (counts with one --normalize), or compare what they have in common with --common"

// align puts runs beside each other. Where they differ in what was scored it is an
// error, unless common asks for what they share.
func align(runs []Run, common bool) (*table, error) {
	first := &runs[0]
	t := &table{perturbations: first.Scores.Perturbations}
	for i := range runs[1:] {
		r := &runs[i+1]
		differs := difference(first, r)
		if differs == "" {
			continue
		}
		if !common {
			return nil, badInput(commonTip, "%s and %s do not compare: %s", first.Name, r.Name, differs)
		}
		t.warnings = append(t.warnings, fmt.Sprintf("%s and %s: %s", first.Name, r.Name, differs))
	}
	have := map[string]int{}
	for i := range runs {
		for _, p := range runs[i].Scores.Perturbations {
			have[p]++
		}
	}
	t.perturbations = slices.DeleteFunc(slices.Clone(t.perturbations), func(p string) bool { return have[p] < len(runs) })
	if len(t.perturbations) == 0 {
		return nil, badInput("", "the runs have no perturbation in common")
	}
	t.some = len(have) > len(t.perturbations)
	if t.some {
		t.warnings = append(t.warnings, fmt.Sprintf("%d of %d perturbations are in all runs: scores and anchors are of these", len(t.perturbations), len(have)))
	}
	for i := range first.Scores.Metrics {
		c, differs := t.column(runs, first.Scores.Metrics[i].Name)
		switch {
		case c == nil && !common:
			return nil, badInput(commonTip, "the runs do not compare: %s", differs)
		case c == nil:
			t.warnings = append(t.warnings, differs+": the metric was left out")
			continue
		case differs != "" && !common:
			return nil, badInput(commonTip, "the runs do not compare: %s", differs)
		case differs != "":
			t.warnings = append(t.warnings, differs+": it has no normalised score")
		}
		t.columns = append(t.columns, *c)
	}
	if len(t.columns) == 0 {
		return nil, badInput("", "the runs have no metric in common")
	}
	return t, nil
}

// difference says what was not the same in the scoring of two runs, "" if all was.
func difference(a, b *Run) string {
	s, t := a.Scores, b.Scores
	missing := func(p, q []string) (out []string) {
		for _, name := range p {
			if !slices.Contains(q, name) {
				out = append(out, name)
			}
		}
		return out
	}
	switch {
	case s.Preset != t.Preset:
		return fmt.Sprintf("their presets are %s and %s", s.Preset, t.Preset)
	case a.Real != b.Real:
		return "they were held against different real files"
	}
	if only := append(missing(s.Perturbations, t.Perturbations), missing(t.Perturbations, s.Perturbations)...); len(only) > 0 {
		more := ""
		if len(only) > 3 {
			more = ", …"
		}
		return fmt.Sprintf("they have %d and %d perturbations, and %d are in one only: %s%s", len(s.Perturbations), len(t.Perturbations), len(only), strings.Join(only[:min(3, len(only))], ", "), more)
	}
	if s.Genes != t.Genes {
		return fmt.Sprintf("they were scored on %d and %d genes", s.Genes, t.Genes)
	}
	for i := range t.Metrics {
		if name := t.Metrics[i].Name; s.metric(name) == nil {
			return fmt.Sprintf("%s has the metric %s, and %s has not", b.Name, name, a.Name)
		}
	}
	return ""
}

// column is one metric of all runs. differs is why there is none, or why it has no
// normalised scores: runs must have been scored between the same anchors.
func (t *table) column(runs []Run, name string) (c *column, differs string) {
	first := runs[0].Scores.metric(name)
	c = &column{name: name, toward: first.toward(), diagnostic: first.Diagnostic, base: first.base(), top: float64(first.Ceiling)}
	var baselines, ceilings [][]float64
	for i := range runs {
		s := runs[i].Scores
		m := s.metric(name)
		switch {
		case m == nil:
			return nil, fmt.Sprintf("%s has no metric %s", runs[i].Name, name)
		case m.Lower != first.Lower || m.Diagnostic != first.Diagnostic || len(m.Values) == 0 != (len(first.Values) == 0):
			return nil, fmt.Sprintf("%s of %s is of another kind than that of %s", name, runs[i].Name, runs[0].Name)
		case len(m.Values) == 0 && t.some:
			return nil, name + " is of all perturbations together"
		case len(m.Values) == 0:
			c.score = append(c.score, float64(m.Score))
		default:
			c.values = append(c.values, t.values(s, m.Values))
			c.score = append(c.score, mean(c.values[i]))
		}
		c.normalised, c.low, c.high = append(c.normalised, float64(m.Normalised)), append(c.low, float64(m.Low)), append(c.high, float64(m.High))
		baselines, ceilings = append(baselines, t.values(s, m.BaselineValues)), append(ceilings, t.values(s, m.CeilingValues))
		same := m.Baseline == first.Baseline && allNear(baselines[i], baselines[0]) && allNear(ceilings[i], ceilings[0])
		if !t.some {
			same = same && near(m.base(), c.base) && near(float64(m.Ceiling), c.top)
		}
		if !same && differs == "" {
			differs = fmt.Sprintf("%s of %s and of %s stands between different anchors, from other cells, another seed, other splits or another version", name, runs[0].Name, runs[i].Name)
		}
	}
	switch {
	case differs != "":
		c.base, c.top = math.NaN(), math.NaN()
		c.fill(math.NaN())
	case t.some:
		c.between(baselines[0], ceilings[0])
	}
	return c, differs
}

// values are those of the common perturbations, nil of none.
func (t *table) values(s *Scores, list []Number) []float64 {
	if len(list) == 0 {
		return nil
	}
	place := make(map[string]int, len(s.Perturbations))
	for k, p := range s.Perturbations {
		place[p] = k
	}
	out := make([]float64, len(t.perturbations))
	for k, p := range t.perturbations {
		out[k] = float64(list[place[p]])
	}
	return out
}

// fill gives all runs the same normalised score, without an interval.
func (c *column) fill(v float64) {
	for i := range c.normalised {
		c.normalised[i], c.low[i], c.high[i] = v, math.NaN(), math.NaN()
	}
}

// between normalises over the common perturbations as package score does over all: a
// ratio of means over those in which value and anchors are defined. Where the ceiling is
// no better than the baseline there is none.
func (c *column) between(baseline, ceiling []float64) {
	c.base, c.top = mean(baseline), mean(ceiling)
	c.fill(math.NaN())
	if baseline == nil || ceiling == nil {
		return
	}
	for i, values := range c.values {
		var v, b, t []float64
		for k := range values {
			if !math.IsNaN(values[k] + baseline[k] + ceiling[k]) {
				v, b, t = append(v, values[k]), append(b, baseline[k]), append(t, ceiling[k])
			}
		}
		if gap := mean(t) - mean(b); c.toward*gap > 0 {
			c.normalised[i] = (mean(v) - mean(b)) / gap
		}
	}
}

func allNear(a, b []float64) bool { return slices.EqualFunc(a, b, near) }

// near reports whether two anchors are equal but for the last digits, which another
// processor may round otherwise.
func near(a, b float64) bool {
	return math.IsNaN(a) && math.IsNaN(b) || math.Abs(a-b) <= 1e-9*max(1, math.Abs(a), math.Abs(b))
}

// mean is that of what is there, NaN of nothing.
func mean(x []float64) float64 {
	sum, n := 0.0, 0
	for _, v := range x {
		if !math.IsNaN(v) {
			sum += v
			n++
		}
	}
	return sum / float64(n)
}
