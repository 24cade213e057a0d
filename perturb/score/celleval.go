package score

import (
	"context"
	"math"
	"slices"

	"github.com/cellsentence/c2s/internal/stats"
)

// cellEvalEffects is the metrics of cell-eval (v1) on mean profiles and cells. Each
// side's effects are taken from its own control.
func cellEvalEffects(ctx context.Context, p *pair) ([]Metric, error) {
	real := effects(p.real.means, p.real.means[0])
	pred := effects(p.pred.means, p.pred.means[0])
	bulk := func(do func(x, y []float64) float64) func(k int) float64 {
		return func(k int) float64 { return do(p.pred.means[k+1], p.real.means[k+1]) }
	}
	delta := func(do func(x, y []float64) float64) func(k int) float64 {
		return func(k int) float64 { return do(pred[k], real[k]) }
	}
	out := []Metric{
		correlation(p.each("pearson_delta", delta(stats.Pearson))),
		lower(p.each("mse", bulk(meanSquare))),
		lower(p.each("mae", bulk(meanAbsolute))),
		lower(p.each("mse_delta", delta(meanSquare))),
		lower(p.each("mae_delta", delta(meanAbsolute))),
	}
	for _, d := range []struct {
		name string
		of   distance
	}{{"l1", l1}, {"l2", l2}, {"cosine", cosine}} {
		out = append(out, p.each("discrimination_score_"+d.name, func(k int) float64 {
			return discriminateByPosition(d.of, pred, real, k, set(p.exact[k]))
		}))
	}
	x, err := p.real.cells.fromControl(ctx, p.workers)
	if err != nil {
		return nil, err
	}
	y, err := p.pred.cells.fromControl(ctx, p.workers)
	if err != nil {
		return nil, err
	}
	return append(out, correlated("pearson_edistance", energies(x), energies(y), stats.Pearson)), nil
}

func energies(s []spread) []float64 {
	out := make([]float64, len(s))
	for i := range s {
		out[i] = s[i].energyV()
	}
	return out
}

// Bounds of cell-eval's guess of what values are.
const (
	fraction = 1e-3 // a fractional part above this makes values logarithms
	logLimit = 15   // log(1 + x) stays below this
)

// isCounts reports whether no value has a fractional part.
func (c *Cells) isCounts() bool {
	for _, v := range c.value {
		if _, f := math.Modf(v); f > fraction {
			return false
		}
	}
	return true
}

// logNormalised is the cells as cell-eval (v1) wants them: counts are scaled to total,
// or to the median total of the cells if it is 0, and become log(1 + x); values with
// fractions are taken as such logarithms and must look like them.
func (c *Cells) logNormalised(total float64) (*Cells, error) {
	for r := range c.rows() {
		index, value := c.row(r)
		for i, v := range value {
			if v < 0 {
				return nil, badInput("%s: gene %s of %s: %g is negative; give counts, or log(1 + x) of normalised counts", c.name, c.genes[index[i]], c.labelOf(r), v)
			}
		}
	}
	if !c.isCounts() {
		for r := range c.rows() {
			index, value := c.row(r)
			for i, v := range value {
				if v >= logLimit {
					return nil, badInput("%s: gene %s of %s: %g is too large for log(1 + x), and the values have fractions, so that they are no counts; give one or the other", c.name, c.genes[index[i]], c.labelOf(r), v)
				}
			}
		}
		return c, nil
	}
	// In the steps and the float32 of scanpy's normalize_total and log1p: which
	// values of different cells tie depends on it.
	if total == 0 {
		total = c.medianTotal()
	}
	target := float32(total)
	return c.transform(func(_ int, in, out []float64) {
		scale := float32(sum(in)) / target
		for i, v := range in {
			out[i] = float64(float32(math.Log1p(float64(float32(v) / scale))))
		}
	}), nil
}

// labelOf names the group of row r.
func (c *Cells) labelOf(r int) string { return c.groups[c.groupOf(r)] }

// totalOfControl is what the counts of the control cells added up to when their
// logarithm was taken, if that was the same for nearly all of them; else 0.
func (c *Cells) totalOfControl() float64 {
	var totals []float64
	for r := range c.size(0) {
		_, value := c.row(r)
		t := 0.0
		for _, v := range value {
			t += math.Expm1(v)
		}
		totals = append(totals, t)
	}
	if len(totals) == 0 {
		return 0
	}
	slices.Sort(totals)
	low, middle, high := quantile(totals, 0.05), quantile(totals, 0.5), quantile(totals, 0.95)
	if !(middle > 0) || high-low > 0.01*middle {
		return 0
	}
	// Logarithms are rounded, as are most totals that people choose.
	return math.Round(middle*1000) / 1000
}

// medianTotal is the median of the cells' totals, empty cells left out.
func (c *Cells) medianTotal() float64 {
	var totals []float64
	for r := range c.rows() {
		_, value := c.row(r)
		if t := sum(value); t > 0 {
			totals = append(totals, t)
		}
	}
	if len(totals) == 0 {
		return 1
	}
	slices.Sort(totals)
	n := len(totals)
	return (totals[(n-1)/2] + totals[n/2]) / 2
}

func sum(x []float64) float64 {
	s := 0.0
	for _, v := range x {
		s += v
	}
	return s
}
