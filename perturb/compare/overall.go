package compare

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Overall is the name of the score over metrics.
const Overall = "overall"

// overall is the mean over metrics of each perturbation's value between the anchors of
// the metric: 0 is the baseline, 1 a replicate. Perturbations count in which all of its
// metrics are defined in all runs, so that all runs have the same ones. names choose the
// metrics; nil takes those that can.
func (t *table) overall(names []string) (*column, error) {
	for _, n := range names {
		at := slices.IndexFunc(t.columns, func(c column) bool { return c.name == n })
		if at < 0 {
			return nil, badInput("there are: "+t.names(), "no metric is called %q", n)
		}
		if why := t.unfit(&t.columns[at]); why != "" {
			return nil, badInput("choose others", "the metric %s cannot be part of the overall score, %s", n, why)
		}
	}
	var parts []*column
	out := map[string][]string{} // the metrics that are left out, by reason
	var reasons []string
	for i := range t.columns {
		c := &t.columns[i]
		if len(names) > 0 && !slices.Contains(names, c.name) {
			continue
		}
		if why := t.unfit(c); why != "" {
			if out[why] = append(out[why], c.name); len(out[why]) == 1 {
				reasons = append(reasons, why)
			}
			continue
		}
		parts = append(parts, c)
	}
	for _, why := range reasons {
		t.warnings = append(t.warnings, fmt.Sprintf("no part of the overall score, %s: %s", why, strings.Join(out[why], ", ")))
	}
	if len(parts) == 0 {
		return nil, nil
	}
	runs := len(parts[0].values)
	all := &column{name: Overall, toward: 1, top: 1}
	left := 0
	for r := range runs {
		values := make([]float64, len(t.perturbations))
		for k := range values {
			for _, c := range parts {
				for _, of := range c.values { // of all runs: what lacks one is left out of all
					if math.IsNaN(of[k]) {
						values[k] = math.NaN()
					}
				}
				values[k] += (c.values[r][k] - c.base) / (c.top - c.base) / float64(len(parts))
			}
			if r == 0 && math.IsNaN(values[k]) {
				left++
			}
		}
		all.values = append(all.values, values)
		low, high := interval(values)
		all.score, all.normalised = append(all.score, mean(values)), append(all.normalised, mean(values))
		all.low, all.high = append(all.low, low), append(all.high, high)
	}
	switch {
	case left == len(t.perturbations):
		t.warnings = append(t.warnings, "there is no overall score: no perturbation has all metrics; choose some with --metric")
		return nil, nil
	case left > 0:
		t.warnings = append(t.warnings, fmt.Sprintf("the overall score leaves out %d of %d perturbations, in which not all metrics are defined", left, len(t.perturbations)))
	}
	for _, c := range parts {
		t.parts = append(t.parts, c.name)
	}
	return all, nil
}

// unfit is why a metric cannot be part of the overall score, "" if it can.
func (t *table) unfit(c *column) string {
	switch {
	case c.diagnostic:
		return "as neither more nor less is better"
	case c.values == nil:
		return "being one number of all perturbations together"
	case slices.ContainsFunc(c.normalised, math.IsNaN):
		return "having no normalised score in all runs"
	}
	defined := len(t.perturbations)
	for k := range t.perturbations {
		if slices.ContainsFunc(c.values, func(of []float64) bool { return math.IsNaN(of[k]) }) {
			defined--
		}
	}
	if 2*defined < len(t.perturbations) {
		return fmt.Sprintf("being defined in %d of %d perturbations", defined, len(t.perturbations))
	}
	return ""
}

func (t *table) names() string {
	var out []string
	for i := range t.columns {
		out = append(out, t.columns[i].name)
	}
	return strings.Join(out, ", ")
}
