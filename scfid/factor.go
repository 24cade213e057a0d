package scfid

import (
	"context"
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/lapack"
	"gonum.org/v1/gonum/lapack/gonum"
	"gonum.org/v1/gonum/lapack/lapack64"

	kernel "github.com/cellsentence/c2s/internal/blas"
)

// form is how a covariance S is written as FᵀF.
type form int

const (
	byRows     form = iota // F = centred rows / √(n−1): fewer rows than dimensions
	byCholesky             // F is upper triangular: S is safely positive definite
	byEigen                // F = Λ^½Vᵀ, eigenvalues that are rounding left out
)

// Sample is one side of a distance, prepared: the covariance and a factor of it.
type Sample struct {
	n, dim  int
	workers int
	mean    []float64
	trace   float64
	form    form
	factor  []float64 // rank × dim
	rank    int
	cov     []float64 // dim × dim, upper triangle; nil for byRows
	cond    float64   // estimate of the condition number; byCholesky only
}

// Prepare reads rows and prepares them for any number of distances, on up to
// workers goroutines (0 means as many as there are processors). Sets with no more
// rows than dimensions are kept as rows: nothing of dim × dim is made. Fewer than
// two rows are an error; NaN must have been dealt with before.
func Prepare(ctx context.Context, rows Rows, workers int) (*Sample, error) {
	n, d := rows.Len(), rows.Dim()
	if n < 2 {
		return nil, badInput("%d rows: a covariance needs two", n)
	}
	if n > d {
		m, err := Summarise(ctx, rows, workers)
		if err != nil {
			return nil, err
		}
		return FromMoments(ctx, m, workers)
	}
	x, err := load(ctx, rows)
	if err != nil {
		return nil, err
	}
	s := &Sample{n: n, dim: d, workers: workers, form: byRows, factor: x, rank: n}
	s.mean, _ = centre(x, d, workers)
	scale := 1 / math.Sqrt(float64(n-1))
	for i := range x {
		x[i] *= scale
		s.trace += float64(x[i] * x[i])
	}
	return s, nil
}

// FromMoments prepares a mean and a covariance. A covariance with an eigenvalue
// below −1e-6 of the largest is an error: it is not positive semi-definite.
func FromMoments(ctx context.Context, m *Moments, workers int) (*Sample, error) {
	d := len(m.Mean)
	raw := m.Cov.RawSymmetric()
	s := &Sample{n: m.N, dim: d, workers: workers, mean: m.Mean, rank: d, cov: raw.Data}
	if raw.Stride != d {
		s.cov = make([]float64, d*d)
		for i := range d {
			copy(s.cov[i*d:][:d], raw.Data[i*raw.Stride:])
		}
	}
	for i := range d {
		s.trace += s.cov[i*d+i]
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.factor = append([]float64(nil), s.cov...)
	if cholesky(workers, s.factor, d) {
		if s.cond = condition(s.cov, s.factor, d); s.cond < safeCondition {
			s.form = byCholesky
			return s, nil
		}
	}
	return s, s.eigen()
}

// safeCondition is the condition number up to which a Cholesky factor is trusted:
// a thousand times less than what float64 can tell from singular.
const safeCondition = 1e13

// eigen factors a covariance that is not safely positive definite. Eigenvalues up
// to dim·2^-52 of the largest are rounding and count as zero.
func (s *Sample) eigen() error {
	d := s.dim
	v := append([]float64(nil), s.cov...)
	values, err := eigenvectors(v, d)
	if err != nil {
		return err
	}
	top := values[d-1]
	switch {
	case top < 0 || values[0] < -1e-6*top:
		return badInput("the covariance is not positive semi-definite: its eigenvalues reach from %g to %g", values[0], top)
	}
	cut := float64(d) * 0x1p-52 * top
	s.form, s.rank, s.factor = byEigen, 0, nil
	for k := d - 1; k >= 0 && values[k] > cut; k-- {
		root := math.Sqrt(values[k])
		for i := range d {
			s.factor = append(s.factor, root*v[i*d+k])
		}
		s.rank++
	}
	return nil
}

// eigenvectors gives the eigenvalues of the upper triangle of the d × d matrix a,
// rising, and leaves the eigenvectors in its columns.
func eigenvectors(a []float64, d int) ([]float64, error) {
	sym := blas64.Symmetric{N: d, Stride: max(1, d), Data: a, Uplo: blas.Upper}
	values := make([]float64, d)
	var size [1]float64
	lapack64.Syev(lapack.EVCompute, sym, values, size[:], -1)
	if !lapack64.Syev(lapack.EVCompute, sym, values, make([]float64, int(size[0])), int(size[0])) {
		return nil, errEigen
	}
	return values, nil
}

// eigenvalues gives the eigenvalues, rising, of the upper triangle of the d × d
// matrix a, which it destroys.
func eigenvalues(workers int, a []float64, d int) ([]float64, error) {
	largest := 0.0
	for i := range d {
		for _, v := range a[i*d+i : (i+1)*d] {
			largest = max(largest, v, -v)
		}
	}
	// Far from 1, squares of the numbers overflow or vanish; powers of two cost no
	// digits.
	_, shift := math.Frexp(largest)
	if shift > -100 && shift < 100 {
		shift = 0
	}
	if shift != 0 {
		for i, v := range a {
			a[i] = math.Ldexp(v, -shift)
		}
	}
	values, beside := tridiagonal(workers, a, d)
	// gonum's sterf panics at a block of numbers that are all below 2^-403. What is
	// dropped here is far below rounding.
	for _, x := range [][]float64{values, beside} {
		for i, v := range x {
			if max(v, -v) < 0x1p-300 {
				x[i] = 0
			}
		}
	}
	if !(gonum.Implementation{}).Dsterf(d, values, beside) {
		return nil, errEigen
	}
	for i, v := range values {
		values[i] = math.Ldexp(v, shift)
	}
	return values, nil
}

const errEigen = inputError("the eigenvalues of the covariance do not converge")

// panel is the width of the blocks of the factorisations: what is left to
// routines that are not blocked.
const panel = 96

// cholesky replaces the upper triangle of the d × d matrix a by R with RᵀR = a; ok
// is false when a is not positive definite. What is below the diagonal becomes 0.
func cholesky(workers int, a []float64, d int) (ok bool) {
	for k := 0; k < d; k += panel {
		nb := min(panel, d-k)
		diag := blas64.Symmetric{N: nb, Stride: d, Data: a[k*d+k:], Uplo: blas.Upper}
		t, ok := lapack64.Potrf(diag)
		if !ok {
			return false
		}
		rest := d - k - nb
		if rest == 0 {
			break
		}
		right := blas64.General{Rows: nb, Cols: rest, Stride: d, Data: a[k*d+k+nb:]}
		triangularSolve(workers, blas.Trans, t, right)
		v := kernel.Rows(right.Data, d)
		kernel.Multiply(workers, rest, rest, nb, -1, v.T(), v, a[(k+nb)*d+k+nb:], d, kernel.Upper)
	}
	for i := range d {
		clear(a[i*d:][:i])
	}
	return true
}

// solve replaces the d × m matrix b by R⁻¹b for an upper triangular R.
func solve(workers int, r []float64, d int, b []float64, m int) {
	for k := (d - 1) / panel * panel; k >= 0; k -= panel {
		nb := min(panel, d-k)
		t := blas64.Triangular{N: nb, Stride: d, Data: r[k*d+k:], Uplo: blas.Upper, Diag: blas.NonUnit}
		triangularSolve(workers, blas.NoTrans, t, blas64.General{Rows: nb, Cols: m, Stride: m, Data: b[k*m:]})
		kernel.Multiply(workers, k, m, nb, -1, kernel.Rows(r[k:], d), kernel.Rows(b[k*m:], m), b, m, kernel.All)
	}
}

// triangularSolve is blas64.Trsm from the left, of columns shared out to workers.
func triangularSolve(workers int, trans blas.Transpose, t blas64.Triangular, b blas64.General) {
	const width = 128
	kernel.Share(workers, (b.Cols+width-1)/width, func(_, block int) {
		columns := b
		columns.Data, columns.Cols = b.Data[block*width:], min(width, b.Cols-block*width)
		blas64.Trsm(blas.Left, trans, 1, t, columns)
	})
}

// condition estimates the condition number, in the 1-norm, of a from its Cholesky
// factor.
func condition(a, factor []float64, d int) float64 {
	norm := 0.0
	sums := make([]float64, d)
	for i := range d {
		for j := i; j < d; j++ {
			v := math.Abs(a[i*d+j])
			sums[j] += v
			if j > i {
				sums[i] += v
			}
		}
	}
	for _, v := range sums {
		norm = max(norm, v)
	}
	// ‖a⁻¹‖ by Higham's estimator. LAPACK's pocon scales each solution against
	// overflow, column by column, which takes several times as long; here a solution
	// that overflows makes the condition infinite.
	r := blas64.Triangular{N: d, Stride: d, Data: factor, Uplo: blas.Upper, Diag: blas.NonUnit}
	x := blas64.Vector{N: d, Inc: 1, Data: make([]float64, d)}
	v, sign := make([]float64, d), make([]int, d)
	var (
		estimator gonum.Implementation
		inverse   float64
		step      int
		state     [3]int
	)
	for {
		inverse, step = estimator.Dlacn2(d, v, x.Data, sign, inverse, step, &state)
		if step == 0 {
			return norm * inverse
		}
		blas64.Trsv(blas.Trans, r, x)
		blas64.Trsv(blas.NoTrans, r, x)
		for _, e := range x.Data {
			if e-e != 0 {
				return math.Inf(1)
			}
		}
	}
}
