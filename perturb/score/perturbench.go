package score

import (
	"context"
	"math"
)

// perturBenchMetrics is the error of averages, the cosine of log fold changes, and
// for each the place of the right perturbation among all, as a share of them.
func perturBenchMetrics(_ context.Context, p *pair) ([]Metric, error) {
	real, pred := log2Changes(p.real.means), log2Changes(p.pred.means)
	rank := func(d distance, pred, real [][]float64) func(k int) float64 {
		return func(k int) float64 {
			// How near the prediction for k, and every other, is to what k truly did.
			nearer, before, after, ok := place(d, real[k], pred, k, nil)
			if !ok {
				return math.NaN()
			}
			return (float64(nearer) + float64(before+after)/2) / float64(len(real))
		}
	}
	return []Metric{
		lower(p.each("rmse_average", func(k int) float64 {
			return math.Sqrt(meanSquare(p.pred.means[k+1], p.real.means[k+1]))
		})),
		lower(p.each("rmse_rank_average", rank(l2, p.pred.means[1:], p.real.means[1:]))),
		correlation(p.each("cosine_logfc", func(k int) float64 { return 1 - cosine(pred[k], real[k], nil) })),
		lower(p.each("cosine_rank_logfc", rank(cosine, pred, real))),
	}, nil
}

// log2Changes is log2(mean + 0.1) of each perturbation less that of the control.
func log2Changes(means [][]float64) [][]float64 {
	logs := make([][]float64, len(means))
	for g, m := range means {
		logs[g] = make([]float64, len(m))
		for j, v := range m {
			logs[g][j] = math.Log2(v + 0.1)
		}
	}
	return effects(logs, logs[0])
}
