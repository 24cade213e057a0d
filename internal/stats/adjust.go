package stats

import (
	"math"
	"slices"
)

// Adjust gives the false discovery rates of p-values after Y. Benjamini and
// Y. Hochberg, J. R. Stat. Soc. B 57 (1995). NaN stay NaN and are not counted.
func Adjust(p []float64) []float64 {
	fdr := make([]float64, len(p))
	order := make([]int, 0, len(p))
	for i, v := range p {
		fdr[i] = math.NaN()
		if !math.IsNaN(v) {
			order = append(order, i)
		}
	}
	slices.SortFunc(order, func(a, b int) int {
		switch {
		case p[a] < p[b]:
			return -1
		case p[a] > p[b]:
			return 1
		}
		return a - b
	})
	least := 1.0
	m := float64(len(order))
	for k, i := range slices.Backward(order) {
		least = min(least, p[i]*(m/float64(k+1)))
		fdr[i] = least
	}
	return fdr
}
