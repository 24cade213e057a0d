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
	columns       []column
	parts         []string // the metrics of the overall score
	warnings      []string
}

// column is a metric of all runs.
type column struct {
	name   string
	toward float64
	// score and normalised are a number a run; the latter is NaN where runs were not
	// scored between the same anchors.
	score, normalised, low, high []float64
	base, top                    float64
	// values are those of the perturbations, run by run; nil for a metric of all
	// together.
	values [][]float64
}

// commonTip tells how runs that differ can be compared after all.
const commonTip = "score them alike, or compare what they have in common with --common"

// align puts runs beside each other. Where they differ in what was scored it is an
// error, unless common asks for what they share.
func align(runs []Run, common bool) (*table, error) {
	first := &runs[0]
	t := &table{perturbations: first.Scores.Perturbations}
	alike := true // in all that normalised scores hang on
	for i := range runs[1:] {
		r := &runs[i+1]
		differs := difference(first, r)
		if differs == "" {
			continue
		}
		if !common {
			return nil, badInput(commonTip, "%s and %s do not compare: %s", first.Name, r.Name, differs)
		}
		if r.Real != first.Real || r.Scores.Genes != first.Scores.Genes {
			alike = false
			t.warnings = append(t.warnings, fmt.Sprintf("%s and %s: %s; what sets them apart may be that", first.Name, r.Name, differs))
		}
	}
	if common {
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
		if len(have) > len(t.perturbations) {
			alike = false
			t.warnings = append(t.warnings, fmt.Sprintf("%d of %d perturbations are in all runs: scores are of these, and are not normalised, since the anchors are of all", len(t.perturbations), len(have)))
		}
	}
	for i := range first.Scores.Metrics {
		name := first.Scores.Metrics[i].Name
		c, differs := t.column(runs, name, alike)
		switch {
		case differs == "":
			t.columns = append(t.columns, *c)
		case !common:
			return nil, badInput(commonTip, "the runs do not compare: %s", differs)
		default:
			t.warnings = append(t.warnings, differs+": the metric was left out")
		}
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

// column is one metric of all runs, or why there is none.
func (t *table) column(runs []Run, name string, alike bool) (*column, string) {
	first := runs[0].Scores.metric(name)
	c := &column{name: name, toward: first.toward(), base: first.base(), top: float64(first.Ceiling)}
	for i := range runs {
		s := runs[i].Scores
		m := s.metric(name)
		switch {
		case m == nil:
			return nil, fmt.Sprintf("%s has no metric %s", runs[i].Name, name)
		case m.Lower != first.Lower || len(m.Values) == 0 != (len(first.Values) == 0):
			return nil, fmt.Sprintf("%s of %s is of another kind than that of %s", name, runs[i].Name, runs[0].Name)
		}
		normalised, low, high := float64(m.Normalised), float64(m.Low), float64(m.High)
		if !alike {
			normalised, low, high = math.NaN(), math.NaN(), math.NaN()
		} else if m.Baseline != first.Baseline || !near(m.base(), c.base) || !near(float64(m.Ceiling), c.top) {
			return nil, fmt.Sprintf("%s of %s and of %s stands between different anchors, from another seed, other splits or another version", name, runs[0].Name, runs[i].Name)
		}
		c.normalised, c.low, c.high = append(c.normalised, normalised), append(c.low, low), append(c.high, high)
		if len(m.Values) == 0 {
			c.score = append(c.score, float64(m.Score))
			continue
		}
		place := make(map[string]int, len(s.Perturbations))
		for k, p := range s.Perturbations {
			place[p] = k
		}
		values := make([]float64, len(t.perturbations))
		for k, p := range t.perturbations {
			values[k] = float64(m.Values[place[p]])
		}
		c.values = append(c.values, values)
		c.score = append(c.score, mean(values))
	}
	if !alike && c.values == nil && len(t.perturbations) < len(runs[0].Scores.Perturbations) {
		return nil, name + " is of all perturbations together"
	}
	return c, ""
}

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
