package screen

import (
	"context"
	"fmt"
	"math"

	"github.com/cellsentence/c2s/internal/stats"
	"github.com/cellsentence/c2s/perturb"
	"github.com/cellsentence/c2s/screen/record"
)

// The rule of the pilot.
const (
	pilotCorrelation = 0.9 // concordance, by which the positive controls must agree in both orders
	pilotDraws       = 8   // of each cell at most, so that luck does not hide it
)

// pilot decides whether prompts name the cell first: the positive controls must do the
// same to cells in both orders.
func (r *run) pilot(ctx context.Context) error {
	switch {
	case !r.RunConfig.CompoundFirst:
		r.res.Order = "cell first, as the model was trained"
		return nil
	case r.CellFirst == nil || r.cfg.Order != orderPilot:
		r.res.Order = "compound first, as the model was trained"
		return nil
	}
	draws := min(r.Draws, pilotDraws)
	arms := []arm{{record.Vehicle, -1, 0, draws}}
	for i, item := range r.Items {
		if item.Kind == record.Control {
			arms = append(arms, arm{record.Compound, i, item.MainDose, draws})
		}
	}
	few := func(c Cell) bool { return c.Rank < r.cfg.Racing.First }
	for range r.jobs(arms, both(), few) {
		r.res.Progress.Total += 2
	}
	var moved [2][]float64
	for order, by := range []perturb.Predictor{r.Predictor, r.CellFirst} {
		rows := map[int][]record.Row{}
		err := r.all(ctx, by, "pilot of the order", r.jobs(arms, both(), few), func(a *answer) error {
			rows[a.item] = append(rows[a.item], a.row)
			return nil
		})
		if err != nil {
			return err
		}
		for _, a := range arms[1:] {
			for _, x := range both() {
				moved[order] = append(moved[order], r.groupEffects(x, rows[a.item], rows[-1])...)
			}
		}
	}
	clear(r.tokens) // are those of the order that is taken
	var a, b []float64
	for i := range moved[0] {
		if !math.IsNaN(moved[0][i]) && !math.IsNaN(moved[1][i]) {
			a, b = append(a, moved[0][i]), append(b, moved[1][i])
		}
	}
	r.res.Pilot = concordance(a, b)
	if r.res.Pilot >= pilotCorrelation {
		r.Predictor, r.CompoundFirst = r.CellFirst, false
		r.res.Order = fmt.Sprintf("cell first: in a pilot of %d groups of cells the positive controls did the same as in the trained order (r = %.3f)", len(a), r.res.Pilot)
	} else {
		r.res.Order = fmt.Sprintf("compound first, as the model was trained: in a pilot of %d groups of cells the positive controls did otherwise with the cell first (r = %.3f, expected %g)", len(a), r.res.Pilot, pilotCorrelation)
	}
	r.Log.Info(r.res.Order)
	return nil
}

// concordance is the correlation of L. Lin (Biometrics 45, 1989), which is at most
// Pearson's and falls where the one is shifted or scaled: effects of opposite sign may
// correlate through the vehicle that both are held against. It is NaN for fewer than two.
func concordance(a, b []float64) float64 {
	ma, mb := stats.Mean(a), stats.Mean(b)
	var va, vb, ab float64
	for i := range a {
		va += (a[i] - ma) * (a[i] - ma)
		vb += (b[i] - mb) * (b[i] - mb)
		ab += (a[i] - ma) * (b[i] - mb)
	}
	if len(a) < 2 {
		return nan
	}
	return 2 * ab / (va + vb + float64(len(a))*(ma-mb)*(ma-mb))
}

// groupEffects is the mean effect on the cells of each type in a context, NaN where there
// is none. Single cells, and the few that a donor has of a type, are ruled by luck.
func (p *Plan) groupEffects(x record.Context, after, before []record.Row) []float64 {
	a, b := p.cellMeans(x, after), p.cellMeans(x, before)
	sum, n := make([]float64, len(p.CellTypes)), make([]float64, len(p.CellTypes))
	for i, c := range p.Cells[x] {
		if effect := a[i] - b[i]; !math.IsNaN(effect) {
			sum[c.CellType] += effect
			n[c.CellType]++
		}
	}
	for g := range sum {
		sum[g] /= n[g] // 0/0 is NaN
	}
	return sum
}
