package reward

import (
	"cmp"
	"math"
	"slices"
)

// TauB is Kendall's tau-b of two series of one length: pairs in the same order less
// pairs in opposite order, over the geometric mean of the pairs that are not tied in x
// and those that are not tied in y. It is NaN where one of them is constant or has
// less than two values, where a value is NaN, and where the lengths differ. It takes
// O(n log n) (W. Knight, "A computer method for calculating Kendall's tau with
// ungrouped data", JASA 61 (1966) 436–439).
func TauB(x, y []float64) float64 {
	n := len(x)
	if len(y) != n || slices.ContainsFunc(x, math.IsNaN) || slices.ContainsFunc(y, math.IsNaN) {
		return math.NaN()
	}
	points := make([][2]float64, n)
	for i := range points {
		points[i] = [2]float64{x[i], y[i]}
	}
	slices.SortFunc(points, func(a, b [2]float64) int {
		return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1]))
	})
	sorted := make([]float64, n)
	var tiesX, tiesBoth int64
	runX, runBoth := int64(0), int64(0)
	for i, p := range points {
		sorted[i] = p[1]
		if i > 0 && p[0] == points[i-1][0] {
			runX++
		} else {
			runX = 0
		}
		if i > 0 && p == points[i-1] {
			runBoth++
		} else {
			runBoth = 0
		}
		tiesX += runX
		tiesBoth += runBoth
	}
	swaps := inversions(sorted, make([]float64, n))
	var tiesY, runY int64
	for i := range sorted {
		if i > 0 && sorted[i] == sorted[i-1] {
			runY++
		} else {
			runY = 0
		}
		tiesY += runY
	}
	pairs := int64(n) * int64(n-1) / 2
	freeX, freeY := pairs-tiesX, pairs-tiesY
	if freeX <= 0 || freeY <= 0 {
		return math.NaN()
	}
	// Pairs tied in neither are pairs − tiesX − tiesY + tiesBoth, of which swaps are
	// discordant. Two roots, as SciPy takes them, so that no product overflows.
	score := pairs - tiesX - tiesY + tiesBoth - 2*swaps
	tau := float64(score) / math.Sqrt(float64(freeX)) / math.Sqrt(float64(freeY))
	return max(-1, min(1, tau))
}

// inversions sorts v and counts the pairs that were out of order; tmp is as long.
func inversions(v, tmp []float64) int64 {
	n := len(v)
	if n < 2 {
		return 0
	}
	half := n / 2
	count := inversions(v[:half], tmp[:half]) + inversions(v[half:], tmp[half:])
	copy(tmp, v)
	i, j := 0, half
	for k := range v {
		if j == n || (i < half && tmp[i] <= tmp[j]) {
			v[k] = tmp[i]
			i++
		} else {
			v[k] = tmp[j]
			count += int64(half - i)
			j++
		}
	}
	return count
}

// MinGap is the least difference between the tau of a replicate and of the control for
// which [Corrected] is given: below it, the reward would be noise times a large number.
const MinGap = 0.02

// Corrected is (tau − control) / (ceiling − control): 0 for a prediction as good as a
// copy of the control cell, 1 for one as good as a replicate of the real cell. It is NaN
// where ceiling − control is below [MinGap] or one of them is NaN.
func Corrected(tau, control, ceiling float64) float64 {
	if gap := ceiling - control; gap >= MinGap {
		return (tau - control) / gap
	}
	return math.NaN()
}
