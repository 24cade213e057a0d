package analysis

import (
	"math"

	"github.com/cellsentence/c2s/screen/moderated"
	"github.com/cellsentence/c2s/screen/record"
)

// Meter measures compounds one by one while a screen runs, in the way that [Analyse]
// does: for a race (package screen/racing), which decides on each from its own rows.
// It is for one goroutine.
type Meter struct {
	s *screen
	a *average
}

// NewMeter takes the vehicle rows of a screen, and its weights of cell types. Other
// rows are ignored.
func NewMeter(t *record.Table, score Score) (*Meter, error) {
	cfg, err := Config{Score: score}.fill()
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
	return &Meter{s, newAverage(s)}, nil
}

// Effects are the donor means of the rows of one compound, of the same header.
func (m *Meter) Effects(rows []record.Row) (moderated.Effects, error) {
	t := &record.Table{Header: m.s.t.Header}
	at := make([]int32, len(rows))
	for i, r := range rows {
		t.Append(r)
		at[i] = int32(i)
	}
	if err := t.Check(); err != nil {
		return moderated.Effects{}, err
	}
	r := m.a.respond(t, slot{arm: record.Vehicle}, at)
	return r.effects, r.err
}

// Pilot says how effects scatter over donors when nothing is done: each vehicle draw is
// taken for a compound and held against the other draws of its cells. Its prior is what
// is known of the variance of a compound before any was run, and a constant of the plan.
func (m *Meter) Pilot() moderated.Model {
	t := m.s.t
	byDraw := make(map[int16][]int32)
	last := int16(0)
	for i := range t.Len() {
		if t.Arm[i] == record.Vehicle && t.Item[i] < 0 {
			byDraw[t.Draw[i]] = append(byDraw[t.Draw[i]], int32(i))
			last = max(last, t.Draw[i])
		}
	}
	var list []moderated.Effects
	for draw := range int(last) + 1 {
		rows := byDraw[int16(draw)]
		e := m.a.respond(t, slot{arm: record.Vehicle}, rows).effects
		for _, side := range [][]float64{e.Pos, e.Neu} {
			for d := range side {
				// A draw is part of the mean that it is held against; the factor undoes that
				// where a cell has n draws.
				n := float64(m.s.vehicle.draws[0]+m.s.vehicle.draws[1]) / float64(len(m.s.vehicle.list))
				if side[d] *= n / (n - 1); math.IsInf(side[d], 0) {
					side[d] = math.NaN()
				}
			}
		}
		list = append(list, e)
	}
	return moderated.Learn(list)
}
