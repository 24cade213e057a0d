package blas

import (
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"
)

// Implementation is gonum's BLAS with the float64 routines that its Cholesky,
// eigenvalue and singular value decompositions spend their time in replaced by
// this package's. Give it to blas64.Use.
type Implementation struct {
	gonum.Implementation

	// Workers is the number of goroutines of one call; 0 means as many as there
	// are processors.
	Workers int
}

// small is the size, in multiplications, below which gonum's own routines are
// taken: packing does not pay, and they check the arguments.
const small = 1 << 13

// Dgemm is C = alpha·op(A)·op(B) + beta·C.
func (g Implementation) Dgemm(tA, tB blas.Transpose, m, n, k int, alpha float64, a []float64, lda int, b []float64, ldb int, beta float64, c []float64, ldc int) {
	if m*n*k < small || min(m, n, k) < 4 {
		g.Implementation.Dgemm(tA, tB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
		return
	}
	scale(m, n, beta, c, ldc, All)
	Multiply(g.Workers, m, n, k, alpha, view(tA, a, lda), view(tB, b, ldb), c, ldc, All)
}

// Dsyrk is C = alpha·A·Aᵀ + beta·C, or with Aᵀ·A, on one triangle.
func (g Implementation) Dsyrk(ul blas.Uplo, tA blas.Transpose, n, k int, alpha float64, a []float64, lda int, beta float64, c []float64, ldc int) {
	if n*n*k < small || min(n, k) < 4 {
		g.Implementation.Dsyrk(ul, tA, n, k, alpha, a, lda, beta, c, ldc)
		return
	}
	v, part := view(tA, a, lda), triangle(ul)
	scale(n, n, beta, c, ldc, part)
	Multiply(g.Workers, n, n, k, alpha, v, v.T(), c, ldc, part)
}

// Dsyr2k is C = alpha·(A·Bᵀ + B·Aᵀ) + beta·C, or with Aᵀ·B + Bᵀ·A, on one triangle.
func (g Implementation) Dsyr2k(ul blas.Uplo, tA blas.Transpose, n, k int, alpha float64, a []float64, lda int, b []float64, ldb int, beta float64, c []float64, ldc int) {
	if n*n*k < small || min(n, k) < 4 {
		g.Implementation.Dsyr2k(ul, tA, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
		return
	}
	part := triangle(ul)
	scale(n, n, beta, c, ldc, part)
	// One pass over c: [A B]·[B A]ᵀ.
	left, right := make([]float64, 2*n*k), make([]float64, 2*n*k)
	va, vb := view(tA, a, lda), view(tA, b, ldb)
	for i := range n {
		for p := range k {
			x, y := va.Data[i*va.Row+p*va.Col], vb.Data[i*vb.Row+p*vb.Col]
			left[i*2*k+p], left[i*2*k+k+p] = x, y
			right[i*2*k+p], right[i*2*k+k+p] = y, x
		}
	}
	Multiply(g.Workers, n, n, 2*k, alpha, Rows(left, 2*k), Rows(right, 2*k).T(), c, ldc, part)
}

// Dsymv is y = alpha·A·x + beta·y for a symmetric A.
func (g Implementation) Dsymv(ul blas.Uplo, n int, alpha float64, a []float64, lda int, x []float64, incX int, beta float64, y []float64, incY int) {
	if n < 32 || incX < 1 || incY < 1 {
		g.Implementation.Dsymv(ul, n, alpha, a, lda, x, incX, beta, y, incY)
		return
	}
	in, out := dense(x, n, incX), dense(y, n, incY)
	scaleVector(beta, out)
	SymmetricVector(g.Workers, n, alpha, a, lda, triangle(ul), in, out)
	spread(out, y, incY)
}

// Dgemv is y = alpha·op(A)·x + beta·y.
func (g Implementation) Dgemv(tA blas.Transpose, m, n int, alpha float64, a []float64, lda int, x []float64, incX int, beta float64, y []float64, incY int) {
	if m*n < small || incX < 1 || incY < 1 {
		g.Implementation.Dgemv(tA, m, n, alpha, a, lda, x, incX, beta, y, incY)
		return
	}
	lenX, lenY := n, m
	if tA != blas.NoTrans {
		lenX, lenY = m, n
	}
	in, out := dense(x, lenX, incX), dense(y, lenY, incY)
	scaleVector(beta, out)
	MatrixVector(g.Workers, tA != blas.NoTrans, m, n, alpha, a, lda, in, out)
	spread(out, y, incY)
}

// view is op(A).
func view(t blas.Transpose, a []float64, lda int) View {
	if t == blas.NoTrans {
		return Rows(a, lda)
	}
	return Rows(a, lda).T()
}

func triangle(ul blas.Uplo) Part {
	if ul == blas.Upper {
		return Upper
	}
	return Lower
}

// scale is c = beta·c on a part; beta 0 also removes NaN.
func scale(m, n int, beta float64, c []float64, ldc int, part Part) {
	if beta == 1 {
		return
	}
	for i := range m {
		row := c[i*ldc:][:n]
		switch part {
		case Lower:
			row = row[:i+1]
		case Upper:
			row = row[i:]
		}
		scaleVector(beta, row)
	}
}

func scaleVector(beta float64, y []float64) {
	if beta == 0 {
		clear(y)
		return
	}
	for i := range y {
		y[i] *= beta
	}
}

// dense is the vector of n numbers inc apart: x itself if inc is 1, else a copy.
func dense(x []float64, n, inc int) []float64 {
	if inc == 1 {
		return x[:n]
	}
	out := make([]float64, n)
	for i := range out {
		out[i] = x[i*inc]
	}
	return out
}

// spread undoes dense for a vector that was written to.
func spread(from, to []float64, inc int) {
	if inc == 1 {
		return
	}
	for i, v := range from {
		to[i*inc] = v
	}
}
