package compare

import (
	"context"
	"math"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/cellsentence/c2s/internal/stats"
)

// Pair is two runs by one metric. Differences are in the unit of the metric, counted so
// that above 0 the first is better, whether more of the metric is or less.
type Pair struct {
	Metric string `json:"metric"`
	First  string `json:"first"`
	Second string `json:"second"`
	// N is the number of perturbations in which both have a value.
	N          int    `json:"n"`
	Difference Number `json:"difference"`
	// Low and High are the 95 % interval of the mean difference, by Student's t over
	// perturbations.
	Low  Number `json:"low"`
	High Number `json:"high"`
	// P is of Wilcoxon's signed ranks, two-sided; Holm is adjusted over the pairs of the
	// metric.
	P    Number `json:"p"`
	Holm Number `json:"p_holm"`
	// G is Hedges' g: the difference in standard deviations over perturbations, pooled
	// over both runs.
	G     Number `json:"hedges_g"`
	Apart bool   `json:"apart"` // Holm is at most 0.05
}

// level is the chance of a false finding that a metric's pairs are held to.
const level = 0.05

// pairs compares all runs, in the order of the ranking, by one metric.
func (c *column) pairs(ctx context.Context, runs []Run, order []int) ([]Pair, error) {
	if c.values == nil {
		return nil, nil
	}
	var out []Pair
	var ps []float64
	for i, a := range order {
		for _, b := range order[i+1:] {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			p := Pair{Metric: c.name, First: runs[a].Name, Second: runs[b].Name, Difference: missing(), Low: missing(), High: missing(), P: missing(), Holm: missing(), G: missing()}
			var x, y, diff []float64
			for k, v := range c.values[a] {
				if w := c.values[b][k]; !math.IsNaN(v) && !math.IsNaN(w) {
					x, y, diff = append(x, c.toward*v), append(y, c.toward*w), append(diff, c.toward*(v-w))
				}
			}
			p.N = len(diff)
			p.Difference = Number(mean(diff))
			if p.N > 1 {
				low, high := interval(diff)
				p.Low, p.High = Number(low), Number(high)
				_, pv := stats.SignedRank(diff)
				if math.IsNaN(pv) { // no difference anywhere
					pv = 1
				}
				p.P, p.G = Number(pv), Number(stats.HedgesG(x, y))
			}
			ps = append(ps, float64(p.P))
			out = append(out, p)
		}
	}
	for i, v := range stats.Holm(ps) {
		out[i].Holm, out[i].Apart = Number(v), v <= level
	}
	return out, nil
}

// interval is the 95 % interval of a mean, by Student's t; NaN with fewer than two
// numbers.
func interval(x []float64) (low, high float64) {
	m, n := mean(x), 0.0
	squares := 0.0
	for _, v := range x {
		if !math.IsNaN(v) {
			squares += (v - m) * (v - m)
			n++
		}
	}
	if n < 2 {
		return math.NaN(), math.NaN()
	}
	half := distuv.StudentsT{Sigma: 1, Nu: n - 1}.Quantile(1-level/2) * math.Sqrt(squares/(n-1)/n)
	return m - half, m + half
}
