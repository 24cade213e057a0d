package score

import (
	"math"
)

// spread is the sums of the Euclidean distances between two groups of cells.
type spread struct {
	between      float64 // over all pairs of one cell of each
	first, other float64 // over all ordered pairs within one
	n, m         int
}

// energyV is the E-distance with the zeros of a cell to itself counted in the
// means within (V-statistic), as cell-eval and pertpy's from_precomputed have it.
func (s spread) energyV() float64 {
	n, m := float64(s.n), float64(s.m)
	return 2*s.between/(n*m) - s.first/(n*n) - s.other/(m*m)
}

// energyU leaves them out (U-statistic), as pertpy's direct call does; it is
// undefined where a group has one cell.
func (s spread) energyU() float64 {
	n, m := float64(s.n), float64(s.m)
	return 2*s.between/(n*m) - s.first/(n*(n-1)) - s.other/(m*(m-1))
}

// pairs calls do with the squared distance of each cell of group g of x and each
// cell of group h of y.
func pairs(x, y *Cells, g, h int, do func(d2 float64)) {
	norm := make([]float64, y.size(h))
	for i := range norm {
		_, value := y.row(y.start[h] + i)
		norm[i] = squares(value)
	}
	dense := make([]float64, len(x.genes))
	for r := x.start[g]; r < x.start[g+1]; r++ {
		index, value := x.row(r)
		for i, j := range index {
			dense[j] = value[i]
		}
		own := squares(value)
		for i := range norm {
			q := y.start[h] + i
			if x == y && q == r {
				do(0)
				continue
			}
			dot := 0.0
			columns, other := y.row(q)
			for k, j := range columns {
				dot += dense[j] * other[k]
			}
			do(max(0, own+norm[i]-2*dot))
		}
		for _, j := range index {
			dense[j] = 0
		}
	}
}

func squares(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v * v
	}
	return sum
}

func distances(x, y *Cells, g, h int) float64 {
	sum := 0.0
	pairs(x, y, g, h, func(d2 float64) { sum += math.Sqrt(d2) })
	return sum
}
