package scfid

import (
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/lapack/gonum"

	kernel "github.com/cellsentence/c2s/internal/blas"
)

// reflectors is the number of Householder reflections that are gathered before the
// rest of the matrix is brought up to date.
const reflectors = 32

// tridiagonal reduces the symmetric d × d matrix a, of which the upper triangle is
// read and destroyed, to a tridiagonal one with the same eigenvalues, and gives its
// diagonal and what is beside it (J. Dongarra, D. Sorensen and S. Hammarling, "Block
// reduction of matrices to condensed forms for eigenvalue computations", 1989).
// LAPACK's sytrd does the same, but gonum's reads the reflections down columns,
// where each number is on a line of memory of its own; here they are rows.
func tridiagonal(workers int, a []float64, d int) (diag, beside []float64) {
	diag, beside = make([]float64, d), make([]float64, max(0, d-1))
	// The reflections v and their products w, as rows: v, w and v once more, so that
	// vwᵀ + wvᵀ is one product of the first two and the last two.
	stack := make([]float64, 3*reflectors*d)
	v, w, again := stack[:reflectors*d], stack[reflectors*d:2*reflectors*d], stack[2*reflectors*d:]
	for k := 0; k < d; k += reflectors {
		end := min(d, k+reflectors)
		for i := k; i < end; i++ {
			p := panelOf{workers, d, i - k, v, w}
			row := a[i*d+i:][:d-i]
			p.update(row, i)
			diag[i] = row[0]
			if i == d-1 {
				return diag, beside
			}
			beside[i] = p.reflect(row[1:], a[(i+1)*d+i+1:], i+1)
		}
		rest := d - end
		for r := range reflectors {
			copy(again[r*d+end:][:rest], v[r*d+end:])
		}
		kernel.Multiply(workers, rest, rest, 2*reflectors, -1, kernel.Rows(stack[end:], d).T(),
			kernel.Rows(w[end:cap(w)], d), a[end*d+end:], d, kernel.Upper)
	}
	return diag, beside
}

// panelOf is the first n reflections and products of a panel: rows of v and w, which
// are meant at the columns of the matrix.
type panelOf struct {
	workers, d, n int
	v, w          []float64
}

// update takes what the reflections change off row, which starts at column i.
func (p panelOf) update(row []float64, i int) {
	if p.n == 0 {
		return
	}
	var v, w [reflectors]float64
	for l := range p.n {
		v[l], w[l] = p.v[l*p.d+i], p.w[l*p.d+i]
	}
	kernel.MatrixVector(p.workers, true, p.n, len(row), -1, p.v[i:], p.d, w[:p.n], row)
	kernel.MatrixVector(p.workers, true, p.n, len(row), -1, p.w[i:], p.d, v[:p.n], row)
}

// reflect makes the reflection that leaves only the first number of row, gives that
// number, and adds the reflection to the panel. The rest of the matrix, from row and
// column i on, is as it was before the panel.
func (p panelOf) reflect(row, rest []float64, i int) float64 {
	m := len(row)
	v, w := p.v[p.n*p.d+i:][:m], p.w[p.n*p.d+i:][:m]
	clear(w)
	beside, tau := gonum.Implementation{}.Dlarfg(m, row[0], row[1:], 1)
	v[0] = 1
	copy(v[1:], row[1:])
	kernel.SymmetricVector(p.workers, m, 1, rest, p.d, kernel.Upper, v, w)
	if p.n > 0 {
		var x, y [reflectors]float64
		kernel.MatrixVector(p.workers, false, p.n, m, 1, p.w[i:], p.d, v, x[:p.n])
		kernel.MatrixVector(p.workers, false, p.n, m, 1, p.v[i:], p.d, v, y[:p.n])
		kernel.MatrixVector(p.workers, true, p.n, m, -1, p.v[i:], p.d, x[:p.n], w)
		kernel.MatrixVector(p.workers, true, p.n, m, -1, p.w[i:], p.d, y[:p.n], w)
	}
	product, reflection := blas64.Vector{N: m, Inc: 1, Data: w}, blas64.Vector{N: m, Inc: 1, Data: v}
	blas64.Scal(tau, product)
	blas64.Axpy(-tau/2*blas64.Dot(product, reflection), reflection, product)
	return beside
}
