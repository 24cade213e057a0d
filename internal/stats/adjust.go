package stats

import (
	"cmp"
	"math"
	"slices"
)

// Adjust gives the false discovery rates of p-values after Y. Benjamini and
// Y. Hochberg, J. R. Stat. Soc. B 57 (1995). NaN stay NaN and are not counted.
func Adjust(p []float64) []float64 {
	fdr := make([]float64, len(p))
	for i := range fdr {
		fdr[i] = math.NaN()
	}
	order := rising(p)
	least := 1.0
	m := float64(len(order))
	for k, i := range slices.Backward(order) {
		least = min(least, p[i]*(m/float64(k+1)))
		fdr[i] = least
	}
	return fdr
}

// rising is the places of the p-values by rising value, without those that are NaN.
func rising(p []float64) []int {
	order := make([]int, 0, len(p))
	for i, v := range p {
		if !math.IsNaN(v) {
			order = append(order, i)
		}
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(p[a], p[b]), a-b)
	})
	return order
}
