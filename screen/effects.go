package screen

import (
	"math"

	"github.com/cellsentence/c2s/internal/stats"
	"github.com/cellsentence/c2s/screen/analysis"
	"github.com/cellsentence/c2s/screen/moderated"
	"github.com/cellsentence/c2s/screen/racing"
	"github.com/cellsentence/c2s/screen/record"
)

// judge decides, while a screen runs, which compounds go on. It knows the vehicle, which
// is the same in every shard, and of a compound its own rows.
type judge struct {
	meter *analysis.Meter
	rule  racing.Rule
	// model is what the vehicle's draws say of the scatter over donors of all cells.
	model moderated.Model
	rows  map[int][]record.Row // of an item at its main dose
}

// newJudge takes the rows of the vehicle.
func newJudge(p *Plan, h record.Header, vehicle []record.Row) (*judge, error) {
	all, early := &record.Table{Header: h}, &record.Table{Header: h}
	rank := [2]map[int32]int{{}, {}}
	for x := range p.Cells {
		for _, c := range p.Cells[x] {
			rank[x][int32(c.Row)] = c.Rank
		}
	}
	first := min(p.cfg.Racing.First, p.cfg.Cells)
	for _, r := range vehicle {
		all.Append(r)
		if rank[r.Context][r.Cell] < first {
			early.Append(r)
		}
	}
	j := &judge{rows: map[int][]record.Row{}}
	var err error
	if j.meter, err = analysis.NewMeter(all, analysis.U); err != nil {
		return nil, err
	}
	j.model = j.meter.Pilot()
	pilot, err := analysis.NewMeter(early, analysis.U)
	if err != nil {
		return nil, err
	}
	j.rule = racing.Default(p.cfg.Cells, pilot.Pilot().Prior.S2)
	j.rule.Least = p.cfg.Racing.T
	if !(j.rule.S2 > 0) { // a single draw tells nothing: each compound has its own variance
		j.rule.S2, j.rule.DF = 0, 0
	}
	return j, nil
}

// futile says that a compound is given up: see [racing.Rule.Futile].
func (j *judge) futile(item int) (bool, error) {
	e, err := j.meter.Effects(j.rows[item])
	return err == nil && j.rule.Futile(e), err
}

// leads says that the moderated t of the positive effect and of the split reach a value.
func (j *judge) leads(item int, least float64) (bool, error) {
	e, err := j.meter.Effects(j.rows[item])
	if err != nil {
		return false, err
	}
	fit := j.model.Fit(e)
	reaches := func(c moderated.Contrast) bool { return j.model.Estimate(fit, c).T(0) >= least } // NaN does not
	return reaches(moderated.Positive()) && reaches(moderated.Split()), nil
}

// cellMeans are the mean scores of the cells of a context, NaN for those without one.
func (p *Plan) cellMeans(x record.Context, rows []record.Row) []float64 {
	at := map[int32]int{}
	for i, c := range p.Cells[x] {
		at[int32(c.Row)] = i
	}
	sum, n := make([]float64, len(p.Cells[x])), make([]float64, len(p.Cells[x]))
	for _, r := range rows {
		if r.Context == x && r.Valid {
			sum[at[r.Cell]] += float64(r.U)
			n[at[r.Cell]]++
		}
	}
	for i := range sum {
		sum[i] /= n[i] // 0/0 is NaN
	}
	return sum
}

// meanScore is the mean over donors of the scores in a context.
func (p *Plan) meanScore(x record.Context, rows []record.Row) float64 {
	means := p.cellMeans(x, rows)
	var donors []float64
	for c := range p.Clusters {
		if v := p.weighted(x, c, means); !math.IsNaN(v) {
			donors = append(donors, v)
		}
	}
	return stats.Mean(donors)
}
