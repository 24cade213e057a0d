package blas

// SymmetricVector adds alpha·a·x to y, where a is an n × n symmetric matrix of
// which only the triangle part (Lower or Upper), stored row by row lda apart, is
// read. The work is cut by n alone, so that the number of workers does not change
// the result.
func SymmetricVector(workers, n int, alpha float64, a []float64, lda int, part Part, x, y []float64) {
	chunks := 1
	if n >= 512 {
		chunks = 4
	}
	partial := make([]float64, chunks*n)
	Share(workers, chunks, func(_, c int) {
		out := partial[c*n:][:n]
		// Groups of four rows are dealt out in turn: triangles have long and short rows.
		for i := 4 * c; i < n; i += 4 * chunks {
			symmetricRows(i, min(i+4, n), n, alpha, a, lda, part, x, out)
		}
	})
	for c := range chunks {
		for i, v := range partial[c*n:][:n] {
			y[i] += v
		}
	}
}

// symmetricRows adds what rows [i0, i1), at most four, and their mirror images
// contribute.
func symmetricRows(i0, i1, n int, alpha float64, a []float64, lda int, part Part, x, y []float64) {
	// Columns [from, to) are full for all rows of the group.
	from, to := 0, i0
	if part == Upper {
		from, to = i1, n
	}
	whole := from
	if i1-i0 == 4 {
		whole = from + (to-from)&^3
		s := [4]float64{alpha * x[i0], alpha * x[i0+1], alpha * x[i0+2], alpha * x[i0+3]}
		var dot [4]float64
		rows4(whole-from, a[min(i0*lda+from, len(a)):], lda, x[from:], y[from:], &s, &dot)
		for r, v := range dot {
			y[i0+r] += float64(alpha * v)
		}
	}
	for i := i0; i < i1; i++ {
		row := a[i*lda:]
		s, dot := alpha*x[i], 0.0
		for j := whole; j < to; j++ {
			y[j] += float64(s * row[j])
			dot += float64(row[j] * x[j])
		}
		// The small triangle on the diagonal.
		first, last := i0, i
		if part == Upper {
			first, last = i+1, i1
		}
		for j := first; j < last; j++ {
			y[j] += float64(s * row[j])
			dot += float64(row[j] * x[j])
		}
		y[i] += float64(alpha*dot) + float64(s*row[i])
	}
}

// MatrixVector adds alpha·a·x to y, or alpha·aᵀ·x if trans, where a is m × n, stored
// row by row lda apart.
func MatrixVector(workers int, trans bool, m, n int, alpha float64, a []float64, lda int, x, y []float64) {
	chunks := 1
	if m*n >= 1<<17 {
		chunks = 4
	}
	size := n // of what a chunk needs: its own sum, or a place to throw one away
	scratch := make([]float64, chunks*size)
	Share(workers, chunks, func(_, c int) {
		out := scratch[c*size:][:size]
		for i := 4 * c; i < m; i += 4 * chunks {
			end := min(i+4, m)
			if trans {
				vectorRows(i, end, n, alpha, a, lda, x, out)
			} else {
				rowsVector(i, end, n, alpha, a, lda, x, out, y)
			}
		}
	})
	if !trans {
		return
	}
	for c := range chunks {
		for j, v := range scratch[c*size:][:size] {
			y[j] += v
		}
	}
}

// rowsVector adds alpha·(row · x) to y for up to four rows; waste is overwritten.
func rowsVector(i0, i1, n int, alpha float64, a []float64, lda int, x, waste, y []float64) {
	whole := 0
	var none, dot [4]float64
	if i1-i0 == 4 {
		whole = n &^ 3
		rows4(whole, a[i0*lda:], lda, x, waste, &none, &dot)
	}
	for i := i0; i < i1; i++ {
		sum := dot[i-i0]
		row := a[i*lda:][:n]
		for j := whole; j < n; j++ {
			sum += float64(row[j] * x[j])
		}
		y[i] += float64(alpha * sum)
	}
}

// vectorRows adds alpha·x[i]·row to out for up to four rows.
func vectorRows(i0, i1, n int, alpha float64, a []float64, lda int, x, out []float64) {
	whole := 0
	if i1-i0 == 4 {
		whole = n &^ 3
		s := [4]float64{alpha * x[i0], alpha * x[i0+1], alpha * x[i0+2], alpha * x[i0+3]}
		var dot [4]float64
		rows4(whole, a[i0*lda:], lda, out, out, &s, &dot)
	}
	for i := i0; i < i1; i++ {
		s := alpha * x[i]
		row := a[i*lda:][:n]
		for j := whole; j < n; j++ {
			out[j] += float64(s * row[j])
		}
	}
}
