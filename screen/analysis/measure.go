package analysis

import (
	"context"
	"math"
	"sync"
	"sync/atomic"

	"github.com/cellsentence/c2s/screen/moderated"
	"github.com/cellsentence/c2s/screen/record"
)

// begin fills in what is known before any compound is looked at.
func (s *screen) begin() *Result {
	h := &s.t.Header
	r := &Result{
		Plan: h.Plan, Predictor: h.Predictor, Notice: h.Notice, Config: s.cfg, Design: h.Design, Order: h.Order,
		Program: h.Program, ProgramSeen: h.ProgramSeen,
		Clusters: s.clusters, CellTypes: make(map[string]float64),
		Calls: make(map[Call]int), Notes: notes(),
		Model: Model{
			PriorDF: Number(s.model.Prior.DF), PriorS2: Number(s.model.Prior.S2), Learnt: s.model.Learnt,
			Variances: [2]Number{Number(s.model.Shape.Pos), Number(s.model.Shape.Neu)}, Correlation: Number(s.model.Shape.Correlation()),
		},
	}
	if r.Program == nil {
		r.Program = []string{}
	}
	if r.Design == "" {
		r.Design = "fixed"
	}
	for k, w := range s.weights {
		r.CellTypes[h.CellTypes[k]] += w
	}
	for cluster := range h.Clusters {
		if len(s.vehicle.units[s.unit(record.Positive, int32(cluster))]) > 0 && len(s.vehicle.units[s.unit(record.Neutral, int32(cluster))]) > 0 {
			r.Shared++
		}
	}
	for key := range s.vehicle.cells {
		if !key.baseline {
			r.Cells[key.context]++
		}
	}
	draws := 0
	for _, u := range s.vehicle.units {
		draws += len(u)
	}
	r.VehicleDraws = Number(float64(draws) / float64(r.Cells[0]+r.Cells[1]))
	for c := range 2 {
		n := float64(s.vehicle.draws[c])
		r.VehicleValid[c] = Number(float64(s.vehicle.valid[c]) / n)
		r.VehicleCopies[c] = Number(float64(s.vehicle.copies[c]) / n)
	}
	return r
}

// measure takes the estimates and tests of all items, several at a time.
func (s *screen) measure(ctx context.Context, r *Result) error {
	h := &s.t.Header
	var list []*Compound
	for i, it := range h.Items {
		if it.Kind == record.Baseline {
			continue
		}
		c := &Compound{Item: i, Name: it.Name, Kind: it.Kind, Family: it.Family, Known: it.Known, Evidence: it.Evidence, Mechanism: it.Mechanism, Targets: it.Targets}
		list = append(list, c)
		if it.Kind == record.Test {
			r.Hits = append(r.Hits, c)
		} else {
			r.Others = append(r.Others, c)
		}
	}
	var at atomic.Int64
	var wg sync.WaitGroup
	for range s.cfg.Workers {
		wg.Go(func() {
			y := newSynergy(s)
			for ctx.Err() == nil {
				i := int(at.Add(1)) - 1
				if i >= len(list) {
					return
				}
				s.compound(r, list[i], y)
			}
		})
	}
	wg.Wait()
	lost := 0
	for k, a := range s.responses {
		if k.item < 0 || s.t.Header.Items[k.item].Kind != record.Baseline {
			r.Predictions += a.asked[0] + a.asked[1]
		}
		lost += a.lost[0] + a.lost[1]
	}
	if lost > 0 {
		s.warn("%d rows are of cells without a valid vehicle draw, and do not count", lost)
	}
	return context.Cause(ctx)
}

// compound fills in one item.
func (s *screen) compound(r *Result, c *Compound, y *synergy) {
	it := &s.t.Header.Items[c.Item]
	c.StoppedAt = it.StoppedAt
	if int(it.MainDose) < len(s.t.Header.Doses) {
		c.dose = s.t.Header.Doses[it.MainDose]
	}
	c.Side, c.TargetShare, c.Moved = it.Side, it.TargetShare, it.Moved
	c.Specificity = missing()
	if it.Specificity != nil {
		c.Specificity = Number(*it.Specificity)
	}
	c.Excess, c.ExcessP, c.ExcessQ = noEstimate(), missing(), missing()
	c.DoseTrend, c.BaselineSplit, c.BaselineExcess = missing(), missing(), missing()
	c.DecoyP, c.DecoyFDR = missing(), missing()
	a := s.main(c.Item)
	if a == nil {
		a = new(response)
	}
	for cluster, info := range s.t.Header.Clusters {
		if c.Kind == record.Decoy {
			break // nobody asks which donor a decoy moved
		}
		d := Donor{Name: info.Name, Pos: missing(), Neu: missing()}
		if cluster < len(a.effects.Pos) {
			d.Pos, d.Neu = Number(a.effects.Pos[cluster]), Number(a.effects.Neu[cluster])
		}
		if !d.Pos.Missing() || !d.Neu.Missing() {
			c.Donors = append(c.Donors, d)
		}
	}
	c.CellsPos, c.CellsNeu = a.valid[0]-a.lost[0], a.valid[1]-a.lost[1]
	c.DonorsPos, c.DonorsNeu = a.donors[0], a.donors[1]
	s.answers(r, c, a)
	c.fit = s.model.Fit(a.effects)
	pos := s.model.Estimate(c.fit, moderated.Positive())
	neu := s.model.Estimate(c.fit, moderated.Neutral())
	split := s.model.Estimate(c.fit, moderated.Split())
	c.Pos, c.Neu, c.Split = s.estimate(pos), s.estimate(neu), s.estimate(split)
	c.TPos = Number(pos.T(0))
	relative := s.relative(r, c)
	margin := float64(r.Margin)
	c.PPos, c.PSplit = Number(pos.Greater(0)), Number(split.Greater(0))
	c.PEquiv, c.PRel = Number(neu.Within(margin)), Number(relative.Greater(0))
	all := func(ps ...float64) float64 {
		p := 0.0
		for _, q := range ps {
			p = atLeast(p, q)
		}
		return p
	}
	c.Calls = make(map[Call]Test)
	for call, p := range map[Call]float64{
		ContextSelective: all(float64(c.PPos), float64(c.PSplit), float64(c.PRel), float64(c.PEquiv)),
		Both:             all(float64(c.PPos), neu.Greater(0)),
		NeutralOnly:      all(neu.Greater(0), split.Less(0), relative.Less(0), pos.Within(margin)),
		Suppressor:       pos.Less(0),
		Inert:            all(pos.Within(margin), neu.Within(margin)),
	} {
		// What a race gave up, and what cannot be relied on, is no hit whatever its
		// numbers are, and counts as tested. Nor is an effect within the margin, by its
		// estimate: of predictors that hardly scatter the smallest one is significant, and
		// what counts as unmoved in one context is no rise in the other.
		// A screen that tests nothing has no p-value of these either.
		switch {
		case !s.testable():
			p = math.NaN()
		case c.StoppedAt > 0 || c.Call == Unreliable || call.moves(pos.Value, neu.Value) <= margin:
			p = 1
		}
		c.Calls[call] = Test{Number(p), missing()}
	}
	c.Synergy, c.SynergyP = missing(), missing()
	if c.StoppedAt == 0 {
		c.Synergy, c.SynergyP = y.of(a)
	}
}

// moves is the effect that a call speaks of, in its direction; +Inf where it speaks of
// none.
func (c Call) moves(pos, neu float64) float64 {
	switch c {
	case ContextSelective, Both:
		return pos
	case NeutralOnly:
		return neu
	case Suppressor:
		return -pos
	}
	return math.Inf(1)
}

// relative is the split in units of the positive control's effect in each context,
// whose error does not count: it is the same for all compounds. A control that does
// not move a context gives no unit, and then nothing agrees with the split.
func (s *screen) relative(r *Result, c *Compound) moderated.Estimate {
	c.RelPos, c.RelNeu = missing(), missing()
	none := moderated.Estimate{Value: math.NaN(), SE: math.NaN(), DF: math.NaN(), Flat: true}
	for _, k := range r.Assay.Controls {
		if k.Name != r.Assay.Control {
			continue
		}
		pos, neu := float64(k.Pos.Value), float64(k.Neu.Value)
		if !(pos > 0 && neu > 0) {
			return none
		}
		c.RelPos, c.RelNeu = c.Pos.Value/Number(pos), c.Neu.Value/Number(neu)
		return s.model.Estimate(c.fit, moderated.Contrast{1 / pos, -1 / neu})
	}
	return none
}

// answers judges the answers of an item by their context.
func (s *screen) answers(r *Result, c *Compound, a *response) {
	c.ValidRate, c.CopyRate = missing(), missing()
	excess := math.Inf(-1)
	for context, n := range a.asked {
		if n == 0 {
			continue
		}
		if v := Number(float64(a.valid[context]) / float64(n)); c.ValidRate.Missing() || v < c.ValidRate {
			c.ValidRate = v
		}
		copies := Number(float64(a.copies[context]) / float64(n))
		more := float64(copies - r.VehicleCopies[context])
		if more > excess || c.CopyRate.Missing() {
			excess, c.CopyRate = more, copies
		}
	}
	switch {
	case c.ValidRate < LeastValid:
		c.Call, c.Why = Unreliable, "too few answers are cells"
	case excess > MostCopies:
		c.Call, c.Why = Unreliable, "too many answers copy the input"
	}
}
