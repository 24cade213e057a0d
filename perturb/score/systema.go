package score

import (
	"context"
	"math"
	"slices"

	"github.com/cellsentence/c2s/internal/stats"
)

// systemaMetrics takes effects from the unweighted mean of the real perturbations'
// profiles on both sides.
func systemaMetrics(_ context.Context, p *pair) ([]Metric, error) {
	origin := make([]float64, len(p.real.cells.genes))
	for _, m := range p.real.means[1:] {
		for j, v := range m {
			origin[j] += v / float64(p.perts())
		}
	}
	real, pred := effects(p.real.means, origin), effects(p.pred.means, origin)
	return []Metric{
		correlation(p.each("pearson_delta", func(k int) float64 { return stats.Pearson(pred[k], real[k]) })),
		correlation(p.each("pearson_delta_top20", func(k int) float64 {
			top := largest(real[k], 20)
			return stats.Pearson(take(pred[k], top), take(real[k], top))
		})),
		p.each("centroid_accuracy", func(k int) float64 {
			// Equal distances do not count: only what is strictly farther is told apart.
			nearer, before, after, ok := place(l2, p.pred.means[k+1], p.real.means[1:], k, nil)
			if others := p.perts() - 1; ok && others > 0 {
				return float64(others-nearer-before-after) / float64(others)
			}
			return math.NaN()
		}),
	}, nil
}

// largest is the places of the n largest entries by absolute value, ties in order.
func largest(x []float64, n int) []int {
	at := make([]int, len(x))
	for i := range at {
		at[i] = i
	}
	slices.SortStableFunc(at, func(a, b int) int {
		switch u, v := math.Abs(x[a]), math.Abs(x[b]); {
		case u > v:
			return -1
		case u < v:
			return 1
		}
		return 0
	})
	return at[:min(n, len(at))]
}
