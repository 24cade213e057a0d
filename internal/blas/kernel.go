package blas

import "math"

// The tile of the multiplication kernel: 4 × 12 accumulators are the 12 of 16
// vector registers that leave room for three vectors of b and one of a.
const (
	tileRows = 4
	tileCols = 12
)

// tileGo adds a·b to the tile c, whose rows are ldc apart: a is packed as k
// columns of 4, b as k rows of 12. The sum over k is fused and starts at zero; c
// is added last.
func tileGo(k int, a, b, c []float64, ldc int) {
	var acc [tileRows][tileCols]float64
	for p := range k {
		u := (*[tileRows]float64)(a[p*tileRows:])
		v := (*[tileCols]float64)(b[p*tileCols:])
		for i, x := range u {
			for j, y := range v {
				acc[i][j] = math.FMA(x, y, acc[i][j])
			}
		}
	}
	for i := range acc {
		row := c[i*ldc:][:tileCols]
		for j := range row {
			row[j] += acc[i][j]
		}
	}
}

// rows4Go passes once over four rows of n numbers, n a multiple of 4, lda apart:
// y += Σ s[r]·row r, and dot[r] = row r · x, where x and y are vectors of n. The
// sums of a dot product are kept by position modulo 4 and joined last.
func rows4Go(n int, a []float64, lda int, x, y []float64, s, dot *[4]float64) {
	var acc [4][4]float64
	for j := 0; j < n; j += 4 {
		for l := range 4 {
			v := y[j+l]
			for r := range 4 {
				e := a[r*lda+j+l]
				v = math.FMA(e, s[r], v)
				acc[r][l] = math.FMA(e, x[j+l], acc[r][l])
			}
			y[j+l] = v
		}
	}
	for r := range 4 {
		dot[r] = (acc[r][0] + acc[r][2]) + (acc[r][1] + acc[r][3])
	}
}
