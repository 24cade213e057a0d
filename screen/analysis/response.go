package analysis

import (
	"context"
	"math"
	"sync"
	"sync/atomic"

	"github.com/cellsentence/c2s/screen/moderated"
	"github.com/cellsentence/c2s/screen/record"
)

// slot is what was given: an arm, an item and a dose.
type slot struct {
	arm  record.Arm
	item int32
	dose int16
}

// response is what became of the cells of a slot.
type response struct {
	effects moderated.Effects // donor means of the change against the vehicle
	// asked counts the rows by context, of which valid have a score, copies are copies,
	// and lost have no vehicle to compare with.
	asked, valid, copies, lost [2]int
	// donors is the number of those with an effect.
	donors [2]int
	// classes counts scores by unit and class, centred on the unit's vehicle.
	classes [][Bins]float64
	err     error
}

// maxSparse is the number of treatments times donors that needs no rows of its own.
const maxSparse = 10_000_000

// respond takes the effects of all slots, several at a time.
func (s *screen) respond(ctx context.Context) error {
	t := s.t
	ids := make(map[slot]int32)
	var slots []slot
	var counts []int
	of := make([]int32, t.Len())
	last, lastID := slot{item: -2}, int32(0)
	for i := range t.Len() {
		if t.Arm[i] == record.Vehicle {
			of[i] = -1
			continue
		}
		k := slot{t.Arm[i], t.Item[i], t.Dose[i]}
		if k != last {
			id, known := ids[k]
			if !known {
				id = int32(len(slots))
				ids[k] = id
				slots = append(slots, k)
				counts = append(counts, 0)
			}
			last, lastID = k, id
		}
		of[i] = lastID
		counts[lastID]++
	}
	// Each slot keeps numbers for every donor: without rows for them, the memory would be
	// that of the header's lists and not of the rows.
	if n := float64(len(slots)) * float64(len(t.Header.Clusters)); n > float64(maxSparse)+4*float64(t.Len()) {
		return bad("", "%d rows are too few for %d treatments of %d donors or cell lines", t.Len(), len(slots), len(t.Header.Clusters))
	}
	// Rows by slot, in their order within it, so that sums hang on nothing else.
	starts := make([]int, len(slots)+1)
	for id, n := range counts {
		starts[id+1] = starts[id] + n
	}
	rows := make([]int32, starts[len(slots)])
	next := append([]int(nil), starts...)
	for i, id := range of {
		if id >= 0 {
			rows[next[id]] = int32(i)
			next[id]++
		}
	}
	list := make([]response, len(slots))
	var at atomic.Int64
	var wg sync.WaitGroup
	for range s.cfg.Workers {
		wg.Go(func() {
			a := newAverage(s)
			for ctx.Err() == nil {
				id := int(at.Add(1)) - 1
				if id >= len(slots) {
					return
				}
				list[id] = a.respond(t, slots[id], rows[starts[id]:starts[id+1]])
			}
		})
	}
	wg.Wait()
	if err := context.Cause(ctx); err != nil {
		return err
	}
	s.responses = make(map[slot]*response, len(slots))
	for id, k := range slots {
		if list[id].err != nil {
			return list[id].err
		}
		s.responses[k] = &list[id]
	}
	return nil
}

// average adds up the cells of a slot.
type average struct {
	s   *screen
	sum []float64 // by unit and type
	n   []float64
}

func newAverage(s *screen) *average {
	n := 2 * len(s.t.Header.Clusters) * len(s.t.Header.CellTypes)
	return &average{s, make([]float64, n), make([]float64, n)}
}

// respond takes the effects of some rows, all of one slot.
func (a *average) respond(t *record.Table, k slot, rows []int32) response {
	s := a.s
	clear(a.sum)
	clear(a.n)
	var r response
	types := len(t.Header.CellTypes)
	baseline := k.item >= 0 && t.Header.Items[k.item].Kind == record.Baseline
	if k.arm == record.Compound && !baseline {
		r.classes = make([][Bins]float64, 2*len(t.Header.Clusters))
	}
	for _, row := range rows {
		i := int(row)
		context := t.Context[i]
		r.asked[context]++
		r.copies[context] += count(t.Copy[i])
		score, ok := s.value(t, i)
		if !ok {
			continue
		}
		r.valid[context]++
		at, known := s.vehicle.cells[cellKey{t.Cell[i], context, baseline}]
		if !known {
			r.lost[context]++
			continue
		}
		c := &s.vehicle.list[at]
		if err := sameCell(t, i, c); err != nil {
			r.err = err
			return r
		}
		u := s.unit(context, c.cluster)
		a.sum[u*types+int(c.kind)] += score - c.mean
		a.n[u*types+int(c.kind)]++
		if r.classes != nil {
			r.classes[u][s.class(score-s.vehicle.mean[u])]++
		}
	}
	r.effects = moderated.Effects{Pos: a.donors(record.Positive), Neu: a.donors(record.Neutral)}
	for context, list := range [2][]float64{r.effects.Pos, r.effects.Neu} {
		for _, v := range list {
			r.donors[context] += count(!math.IsNaN(v))
		}
	}
	return r
}

// donors averages the types of each donor at common weights.
func (a *average) donors(context record.Context) []float64 {
	s := a.s
	types := len(s.weights)
	out := make([]float64, len(s.t.Header.Clusters))
	for cluster := range out {
		base := s.unit(context, int32(cluster)) * types
		sum, weight := 0.0, 0.0
		for k, w := range s.weights {
			if n := a.n[base+k]; n > 0 && w > 0 {
				sum += w * (a.sum[base+k] / n)
				weight += w
			}
		}
		out[cluster] = sum / weight // NaN without a cell
	}
	return out
}
