package score

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"math"
	"slices"
	"strconv"
)

// WriteResults writes cell-eval's results.csv: a row for each perturbation and a
// column for each metric. A metric of the panel has its one number in every row; a
// value that does not exist is empty.
func (r *Result) WriteResults(w io.Writer) error {
	out := csv.NewWriter(w)
	if err := out.Write(append([]string{"perturbation"}, r.names()...)); err != nil {
		return err
	}
	for k, p := range r.Perturbations {
		row := []string{p}
		for i := range r.Metrics {
			row = append(row, cellText(r.Metrics[i].at(k)))
		}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// WriteAggregate writes cell-eval's agg_results.csv: a row for each statistic over
// the perturbations (count, null_count, mean, std with n − 1, min, quartiles as the
// nearest value, max), a column for each metric.
func (r *Result) WriteAggregate(w io.Writer) error {
	out := csv.NewWriter(w)
	if err := out.Write(append([]string{"statistic"}, r.names()...)); err != nil {
		return err
	}
	columns := make([][]float64, len(r.Metrics))
	for i := range r.Metrics {
		for k := range r.Perturbations {
			if v := r.Metrics[i].at(k); !math.IsNaN(v) {
				columns[i] = append(columns[i], v)
			}
		}
		slices.Sort(columns[i])
	}
	for _, s := range []struct {
		name string
		of   func(sorted []float64) float64
	}{
		{"count", func(x []float64) float64 { return float64(len(x)) }},
		{"null_count", func(x []float64) float64 { return float64(len(r.Perturbations) - len(x)) }},
		{"mean", func(x []float64) float64 { return sum(x) / float64(len(x)) }},
		{"std", deviation},
		{"min", func(x []float64) float64 { return nearest(x, 0) }},
		{"25%", func(x []float64) float64 { return nearest(x, 0.25) }},
		{"50%", func(x []float64) float64 { return nearest(x, 0.5) }},
		{"75%", func(x []float64) float64 { return nearest(x, 0.75) }},
		{"max", func(x []float64) float64 { return nearest(x, 1) }},
	} {
		row := []string{s.name}
		for _, x := range columns {
			row = append(row, cellText(s.of(x)))
		}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

func (r *Result) names() []string {
	names := make([]string, len(r.Metrics))
	for i := range r.Metrics {
		names[i] = r.Metrics[i].Name
	}
	return names
}

// at is the value of one perturbation, or of the panel.
func (a *Anchored) at(k int) float64 {
	if a.Values == nil {
		return a.Score
	}
	return a.Values[k]
}

func cellText(v float64) string {
	if math.IsNaN(v) {
		return ""
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

func deviation(x []float64) float64 {
	if len(x) < 2 {
		return math.NaN()
	}
	mean := sum(x) / float64(len(x))
	total := 0.0
	for _, v := range x {
		total += (v - mean) * (v - mean)
	}
	return math.Sqrt(total / float64(len(x)-1))
}

// nearest is the value at a quantile, without interpolation.
func nearest(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	return sorted[int(math.Round(q*float64(len(sorted)-1)))]
}

// number is v in JSON, which knows neither NaN nor infinity.
func number(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

// MarshalJSON writes numbers that do not exist as null.
func (m ChallengeMember) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]any{
		"name": m.Name, "value": number(m.Value), "baseline": number(m.Baseline), "replicate": number(m.Replicate), "score": number(m.Score),
	})
}

// MarshalJSON writes a score that does not exist as null.
func (c Challenge) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]any{"score": number(c.Score), "members": c.Members})
}

// MarshalJSON writes numbers that do not exist, or are infinite, as null.
func (a Anchored) MarshalJSON() ([]byte, error) {
	numbers := func(list []float64) []*float64 {
		out := make([]*float64, len(list))
		for i, v := range list {
			out[i] = number(v)
		}
		return out
	}
	return json.Marshal(map[string]any{
		"name": a.Name, "lower_is_better": a.Lower, "correlation": a.Correlation, "diagnostic": a.Diagnostic,
		"score": number(a.Score), "score_low": number(a.ScoreLow), "score_high": number(a.ScoreHigh), "n": a.Defined(), "control": number(a.Control), "mean_response": number(a.MeanResponse),
		"ceiling": number(a.Ceiling), "baseline": a.Baseline, "normalised": number(a.Normalised),
		"low": number(a.Low), "high": number(a.High), "scored": a.Scored, "reason": a.Reason,
		"undefined": a.Undefined(), "values": numbers(a.Values),
		"baseline_values": numbers(a.BaselineValues), "ceiling_values": numbers(a.CeilingValues),
	})
}

// MarshalJSON writes scores that do not exist as null.
func (t Trick) MarshalJSON() ([]byte, error) {
	scores := make([]any, len(t.Scores))
	for i, v := range t.Scores {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			scores[i] = v
		}
	}
	return json.Marshal(map[string]any{"name": t.Name, "what": t.What, "refused": t.Refused, "scores": scores, "flags": t.Flags})
}
