package compare

import (
	"encoding/json"
	"io"
	"math"
)

// Scores is what c2s perturb score found out about a prediction.
type Scores struct {
	Preset        string   `json:"preset"`
	Perturbations []string `json:"perturbations"`
	Genes         int      `json:"genes"`
	Metrics       []Metric `json:"metrics"`
	Flags         []Flag   `json:"flags"`
}

// Metric is a score with its anchors, as package score defines them.
type Metric struct {
	Name         string `json:"name"`
	Lower        bool   `json:"lower_is_better"`
	Score        Number `json:"score"`
	Control      Number `json:"control"`
	MeanResponse Number `json:"mean_response"`
	Ceiling      Number `json:"ceiling"`
	Baseline     string `json:"baseline"` // "control", "mean-response", or "" if there is none
	Normalised   Number `json:"normalised"`
	Low          Number `json:"low"`
	High         Number `json:"high"`
	Reason       string `json:"reason"` // why Normalised is missing
	// Diagnostic says that neither more nor less of it is better.
	Diagnostic bool `json:"diagnostic"`
	// Values, and those of the anchors, are one a perturbation; empty for a metric of all
	// together, and for an anchor that does not exist.
	Values         []Number `json:"values"`
	BaselineValues []Number `json:"baseline_values"`
	CeilingValues  []Number `json:"ceiling_values"`
}

// Flag is a sign that scores were raised by something other than predicting.
type Flag struct {
	Name    string `json:"name"`
	Message string `json:"message"`
}

// base is the anchor below.
func (m *Metric) base() float64 {
	switch m.Baseline {
	case "control":
		return float64(m.Control)
	case "mean-response":
		return float64(m.MeanResponse)
	}
	return math.NaN()
}

// toward is 1 where more is better, else −1.
func (m *Metric) toward() float64 {
	if m.Lower {
		return -1
	}
	return 1
}

// metric is that of a name, nil if there is none.
func (s *Scores) metric(name string) *Metric {
	for i := range s.Metrics {
		if s.Metrics[i].Name == name {
			return &s.Metrics[i]
		}
	}
	return nil
}

// maxScores bounds a scores.json: 20,000 perturbations × 100 metrics are some 40 MB.
const maxScores = 1 << 30

const scoreAgain = "make it again with c2s perturb score"

// ReadScores reads the scores.json of c2s perturb score. What does not hold together is
// an error with BadInput.
func ReadScores(r io.Reader) (*Scores, error) {
	var raw struct {
		Preset        string            `json:"preset"`
		Perturbations []string          `json:"perturbations"`
		Genes         int               `json:"genes"`
		Metrics       []json.RawMessage `json:"metrics"`
		Flags         []Flag            `json:"flags"`
	}
	if err := json.NewDecoder(io.LimitReader(r, maxScores)).Decode(&raw); err != nil {
		return nil, badInput(scoreAgain, "no scores of perturbations: %w", err)
	}
	switch {
	case raw.Preset == "":
		return nil, badInput(scoreAgain, "no scores of perturbations: the preset is missing")
	case len(raw.Perturbations) == 0:
		return nil, badInput(scoreAgain, "no scores of perturbations: there is no perturbation")
	case len(raw.Metrics) == 0:
		return nil, badInput(scoreAgain, "no scores of perturbations: there is no metric")
	}
	s := &Scores{Preset: raw.Preset, Perturbations: raw.Perturbations, Genes: raw.Genes, Flags: raw.Flags}
	if twice := repeated(s.Perturbations); twice != "" {
		return nil, badInput(scoreAgain, "the perturbation %q is there twice", twice)
	}
	for _, text := range raw.Metrics {
		m, err := readMetric(text, len(s.Perturbations))
		if err != nil {
			return nil, err
		}
		if s.metric(m.Name) != nil {
			return nil, badInput(scoreAgain, "the metric %q is there twice", m.Name)
		}
		s.Metrics = append(s.Metrics, m)
	}
	return s, nil
}

// readMetric reads a metric, all of whose numbers must be there: what is missing must not
// be taken for 0.
func readMetric(text json.RawMessage, perturbations int) (m Metric, err error) {
	var has map[string]json.RawMessage
	if err := json.Unmarshal(text, &has); err != nil {
		return m, badInput(scoreAgain, "a metric: %w", err)
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return m, badInput(scoreAgain, "a metric: %w", err)
	}
	if m.Name == "" {
		return m, badInput(scoreAgain, "a metric has no name")
	}
	for _, key := range []string{"lower_is_better", "score", "control", "mean_response", "ceiling", "baseline", "normalised", "low", "high", "diagnostic", "values", "baseline_values", "ceiling_values"} {
		if _, ok := has[key]; !ok {
			return m, badInput(scoreAgain, "the metric %q has no %q", m.Name, key)
		}
	}
	for _, values := range [][]Number{m.Values, m.BaselineValues, m.CeilingValues} {
		if n := len(values); n != 0 && n != perturbations {
			return m, badInput(scoreAgain, "the metric %q has %d values for %d perturbations", m.Name, n, perturbations)
		}
	}
	switch m.Baseline {
	case "", "control", "mean-response":
	default:
		return m, badInput(scoreAgain, "the metric %q has the baseline %q, which is none", m.Name, m.Baseline)
	}
	return m, nil
}

// repeated is the first name that is there twice, or "".
func repeated(names []string) string {
	seen := make(map[string]bool, len(names))
	for _, n := range names {
		if seen[n] {
			return n
		}
		seen[n] = true
	}
	return ""
}
