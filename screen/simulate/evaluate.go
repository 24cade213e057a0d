package simulate

import (
	"context"

	"github.com/cellsentence/c2s/screen/analysis"
)

// Outcome is how the analyses of some screens fared against the truth.
type Outcome struct {
	// Recall is the share of context-selective compounds that were called so, FDR the
	// mean over screens of the share of such calls that are wrong, 0 without calls;
	// Precision is the share of all such calls that are right, 0 without calls.
	Recall    float64 `json:"recall"`
	FDR       float64 `json:"fdr"`
	Precision float64 `json:"precision"`
	// Calls counts compounds by call, Truth by what they are and what they are called.
	Calls map[analysis.Call]int           `json:"calls"`
	Truth map[Class]map[analysis.Call]int `json:"truth"`
	// Predictions is what was asked of the model for all but the vehicle, a screen.
	Predictions float64 `json:"predictions"`
	// Calibration is the FDR and the recall by nominal rate.
	Calibration []Calibration `json:"calibration"`
	// InertPos and InertSplit are the shares of inert compounds with p_pos and p_split of
	// at most 0.05, Coverage that of true splits within their intervals.
	InertPos   float64 `json:"inert_p_pos_below_005"`
	InertSplit float64 `json:"inert_p_split_below_005"`
	Coverage   float64 `json:"split_coverage"`
	Screens    int     `json:"screens"`

	sums sums
}

// Calibration is what calls at a nominal rate are.
type Calibration struct {
	Q      float64 `json:"q"`
	FDR    float64 `json:"fdr"`
	Recall float64 `json:"recall"`
}

// sums are what the shares of an outcome are made of.
type sums struct{ selective, right, called, inert, inertPos, inertSplit, intervals, covered int }

// nominal are the rates of a calibration.
func nominal() []float64 { return []float64{0.01, 0.05, 0.1, 0.2} }

// NewOutcome is the outcome of no screen.
func NewOutcome() *Outcome {
	o := &Outcome{Calls: make(map[analysis.Call]int), Truth: make(map[Class]map[analysis.Call]int)}
	for _, q := range nominal() {
		o.Calibration = append(o.Calibration, Calibration{Q: q})
	}
	return o
}

// Add judges a result by the truth of its items, as [Table] gives it.
func (o *Outcome) Add(r *analysis.Result, truth []Truth) {
	selective, right, called := 0, 0, 0
	before := float64(o.Screens)
	average := func(to *float64, v float64) { *to = (*to*before + v) / (before + 1) }
	s := &o.sums
	for _, c := range r.Hits {
		t := truth[c.Item]
		if o.Truth[t.Class] == nil {
			o.Truth[t.Class] = make(map[analysis.Call]int)
		}
		o.Truth[t.Class][c.Call]++
		o.Calls[c.Call]++
		selective += one(t.Class == Selective)
		called += one(c.Call == analysis.ContextSelective)
		right += one(c.Call == analysis.ContextSelective && t.Class == Selective)
		if t.Class == Inert {
			s.inert++
			s.inertPos += one(c.PPos <= 0.05)
			s.inertSplit += one(c.PSplit <= 0.05)
		}
		if split := analysis.Number(t.Pos - t.Neu); !c.Split.Lo.Missing() {
			s.intervals++
			s.covered += one(c.Split.Lo <= split && split <= c.Split.Hi)
		}
	}
	s.selective += selective
	s.right += right
	s.called += called
	o.Recall, o.Precision = ratio(s.right, s.selective), ratio(s.right, s.called)
	o.InertPos, o.InertSplit, o.Coverage = ratio(s.inertPos, s.inert), ratio(s.inertSplit, s.inert), ratio(s.covered, s.intervals)
	average(&o.FDR, ratio(called-right, called))
	average(&o.Predictions, float64(r.Predictions))
	for i := range o.Calibration {
		k := &o.Calibration[i]
		called, right := 0, 0
		for _, c := range r.Hits {
			if c.Q <= analysis.Number(k.Q) && r.Assay.Sensitive {
				called++
				right += one(truth[c.Item].Class == Selective)
			}
		}
		average(&k.FDR, ratio(called-right, called))
		average(&k.Recall, ratio(right, selective))
	}
	o.Screens++
}

func one(v bool) int {
	if v {
		return 1
	}
	return 0
}

// ratio is a share, 0 of none.
func ratio(k, n int) float64 {
	if n == 0 {
		return 0
	}
	return float64(k) / float64(n)
}

// Design is how a screen is run.
type Design string

// The designs.
const (
	Fixed  Design = "fixed"
	Racing Design = "racing"
)

// Evaluate simulates screens with the seeds from cfg.Seed on, runs them by a design,
// analyses and judges them. each, unless nil, is called after each screen.
func Evaluate(ctx context.Context, cfg Config, how analysis.Config, design Design, screens int, each func()) (*Outcome, error) {
	o := NewOutcome()
	for i := range screens {
		one := cfg
		one.Seed += uint64(i)
		t, truth, err := Table(ctx, one)
		if err != nil {
			return nil, err
		}
		if design == Racing {
			if t, err = Race(ctx, one, t); err != nil {
				return nil, err
			}
		}
		r, err := analysis.Analyse(ctx, t, how)
		if err != nil {
			return nil, err
		}
		o.Add(r, truth)
		if each != nil {
			each()
		}
	}
	return o, nil
}
