package analysis

import (
	"context"
	"fmt"
	"math"

	"github.com/cellsentence/c2s/screen/moderated"
	"github.com/cellsentence/c2s/screen/record"
)

// screen is an analysis under way.
type screen struct {
	cfg       Config
	t         *record.Table
	weights   []float64 // of the cell types
	vehicle   vehicle
	cuts      [Bins - 1]float64
	clusters  [2]int
	responses map[slot]*response
	model     moderated.Model
	warnings  []string
}

func (s *screen) warn(format string, args ...any) {
	s.warnings = append(s.warnings, fmt.Sprintf(format, args...))
}

// Analyse finds the calls of a screen. The table is only read. Rows that contradict
// each other, and a screen without a vehicle, are an error that says BadInput.
func Analyse(ctx context.Context, t *record.Table, cfg Config) (*Result, error) {
	cfg, err := cfg.fill()
	if err != nil {
		return nil, err
	}
	if err := t.Check(); err != nil {
		return nil, err
	}
	s := &screen{cfg: cfg, t: t}
	if err := s.prepare(); err != nil {
		return nil, err
	}
	if err := s.respond(ctx); err != nil {
		return nil, err
	}
	s.learn()
	r := s.begin()
	if err := s.control(r); err != nil {
		return nil, err
	}
	if err := s.measure(ctx, r); err != nil {
		return nil, err
	}
	s.interferon(r)
	s.doses(r)
	s.baseline(r)
	call(r)
	decoys(r)
	panel(r)
	rank(r)
	s.remark(r)
	r.Warnings = s.warnings
	return r, nil
}

// prepare reads the vehicle.
func (s *screen) prepare() error {
	if err := s.readVehicle(); err != nil {
		return err
	}
	if err := s.weigh(); err != nil {
		return err
	}
	s.cut()
	return nil
}

// main is the response of an item at its main dose; nil if it was not run.
func (s *screen) main(item int) *response {
	return s.responses[slot{record.Compound, int32(item), s.t.Header.Items[item].MainDose}]
}

// learn finds the model from compounds and decoys that were run to their end. Those
// that a racing design gave up have fewer cells, hence other variances; positive
// controls are few and strong.
func (s *screen) learn() {
	var list []moderated.Effects
	for i, it := range s.t.Header.Items {
		if it.Kind != record.Test && it.Kind != record.Decoy || it.StoppedAt > 0 {
			continue
		}
		if r := s.main(i); r != nil {
			list = append(list, r.effects)
		}
	}
	s.model = moderated.Learn(list)
	if !s.testable() {
		s.warn("one donor or cell line in a context: there are estimates, but no test and no call")
	} else if !s.model.Learnt {
		s.warn("too few compounds to learn how variances compare between the contexts: they are taken as equal and uncorrelated")
	}
	if s.model.Prior.DF == 0 {
		s.warn("too few compounds to share their variances: tests rest on each compound's own")
	}
}

// testable says that both contexts have two donors, without which there is no call.
func (s *screen) testable() bool { return s.clusters[0] >= 2 && s.clusters[1] >= 2 }

// estimate is a contrast with its interval.
func (s *screen) estimate(e moderated.Estimate) Estimate {
	lo, hi := e.Interval(s.cfg.Level)
	return Estimate{Value: Number(e.Value), Lo: Number(lo), Hi: Number(hi)}
}

// atLeast keeps a p-value from being less than another; NaN stays.
func atLeast(p, q float64) float64 {
	if math.IsNaN(p) || math.IsNaN(q) {
		return math.NaN()
	}
	return max(p, q)
}
