package scfid

import (
	"context"
	"math"

	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/lapack"
	"gonum.org/v1/gonum/lapack/lapack64"

	kernel "github.com/cellsentence/c2s/internal/blas"
)

// Method is how the trace term tr (S₁S₂)^½ was computed. All are exact; which one
// is fast and accurate hangs on the shapes and on the condition of the covariances.
type Method string

// The methods. Each takes covariances as FᵀF and the trace term as the sum of the
// singular values of F₁F₂ᵀ, which needs no complex numbers and no regularisation.
const (
	// LowRank takes for F the centred rows of a set that has no more rows than
	// dimensions.
	LowRank Method = "low_rank"
	// Cholesky takes triangular factors, and the singular values as roots of
	// eigenvalues: both covariances are well conditioned.
	Cholesky Method = "cholesky"
	// CholeskySVD takes triangular factors and computes the singular values
	// themselves, which keeps the small ones of ill-conditioned covariances.
	CholeskySVD Method = "cholesky_svd"
	// Eigen takes F from the eigenvectors of a singular covariance.
	Eigen Method = "eigen"
)

// FD is a Fréchet distance (squared, as FID is) and its two terms.
type FD struct {
	Value    float64 // MeanTerm + CovTerm
	MeanTerm float64 // ‖μ₁−μ₂‖²
	CovTerm  float64 // tr S₁ + tr S₂ − 2 tr (S₁S₂)^½
	Method   Method
}

// Distance is the Fréchet distance between two samples. Where rounding makes the
// covariance term negative, which it never is, it is 0.
func Distance(ctx context.Context, a, b *Sample) (FD, error) {
	if a.dim != b.dim {
		return FD{}, badInput("embeddings of %d and of %d dimensions have no distance", a.dim, b.dim)
	}
	var f FD
	for j, v := range a.mean {
		f.MeanTerm += float64((v - b.mean[j]) * (v - b.mean[j]))
	}
	trace, method, err := traceTerm(ctx, a, b)
	if err != nil {
		return FD{}, err
	}
	f.CovTerm = max(0, a.trace+b.trace-2*trace)
	f.Value = f.MeanTerm + f.CovTerm
	f.Method = method
	return f, nil
}

// squareCondition is the product of the condition numbers up to which roots of the
// eigenvalues of a product are accurate: its eigenvalues have an absolute error of
// about 1e-16 of the largest, which must be small beside the smallest.
const squareCondition = 1e12

func traceTerm(ctx context.Context, a, b *Sample) (float64, Method, error) {
	if err := ctx.Err(); err != nil {
		return 0, "", err
	}
	method := LowRank
	switch {
	case a.form == byRows || b.form == byRows:
	case a.form == byEigen || b.form == byEigen:
		method = Eigen
	case a.cond*b.cond > squareCondition:
		method = CholeskySVD
	default:
		values, err := eigenvalues(a.workers, sandwich(a, b), a.dim)
		sum := 0.0
		for _, v := range values {
			sum += math.Sqrt(max(0, v))
		}
		return sum, Cholesky, err
	}
	sum, err := nuclear(a, b)
	return sum, method, err
}

// sandwich is F₁S₂F₁ᵀ of a triangular F₁, its upper triangle: the products skip the
// zeros of F₁.
func sandwich(a, b *Sample) []float64 {
	const width = 256
	d := a.dim
	full := append([]float64(nil), b.cov...)
	for i := range d {
		for j := range i {
			full[i*d+j] = full[j*d+i]
		}
	}
	// x = S₂F₁ᵀ: column block J of F₁ᵀ is zero above row J.
	x := make([]float64, d*d)
	for j := 0; j < d; j += width {
		w := min(width, d-j)
		kernel.Multiply(a.workers, d, w, d-j, 1, kernel.Rows(full[j:], d), kernel.Rows(a.factor[j*d+j:], d).T(), x[j:], d, kernel.All)
	}
	// F₁x: row block I of F₁ is zero left of column I; columns left of I are not wanted.
	clear(full)
	for i := 0; i < d; i += width {
		w := min(width, d-i)
		kernel.Multiply(a.workers, w, d-i, d-i, 1, kernel.Rows(a.factor[i*d+i:], d), kernel.Rows(x[i*d+i:], d), full[i*d+i:], d, kernel.Upper)
	}
	return full
}

// nuclear is the sum of the singular values of F₁F₂ᵀ.
func nuclear(a, b *Sample) (float64, error) {
	m, n := a.rank, b.rank
	if m == 0 || n == 0 {
		return 0, nil
	}
	if m < n { // LAPACK is better tested on tall matrices
		a, b, m, n = b, a, n, m
	}
	x := make([]float64, m*n)
	kernel.Multiply(a.workers, m, n, a.dim, 1, kernel.Rows(a.factor, a.dim), kernel.Rows(b.factor, b.dim).T(), x, n, kernel.All)
	values := make([]float64, n)
	g := blas64.General{Rows: m, Cols: n, Stride: n, Data: x}
	none := blas64.General{Stride: 1}
	var size [1]float64
	lapack64.Gesvd(lapack.SVDNone, lapack.SVDNone, g, none, none, values, size[:], -1)
	if !lapack64.Gesvd(lapack.SVDNone, lapack.SVDNone, g, none, none, values, make([]float64, int(size[0])), int(size[0])) {
		return 0, badInput("the singular values of the cross matrix do not converge")
	}
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum, nil
}
