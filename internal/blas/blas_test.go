package blas

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"
)

func random(r *rand.Rand, n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = r.NormFloat64()
	}
	return x
}

// The assembly and its twin in Go fuse the same products in the same order: every
// bit is equal.
func TestKernelsEqualTheirTwins(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, k := range []int{1, 2, 3, 4, 5, 7, 8, 63, 256} {
		a, b, c := random(r, 4*k), random(r, 12*k), random(r, 4*20)
		want := append([]float64(nil), c...)
		tileGo(k, a, b, want, 20)
		tile(k, a, b, c, 20)
		equal(t, fmt.Sprintf("tile k=%d", k), c, want)
	}
	for _, n := range []int{0, 4, 8, 12, 100} {
		a, x, y := random(r, 4*(n+3)), random(r, n), random(r, n)
		s, want := [4]float64{1, -2, 0.5, 3}, append([]float64(nil), y...)
		var dotGo, dot [4]float64
		rows4Go(n, a, n+3, x, want, &s, &dotGo)
		rows4(n, a, n+3, x, y, &s, &dot)
		equal(t, fmt.Sprintf("rows4 n=%d", n), append(y, dot[:]...), append(want, dotGo[:]...))
	}
}

func equal(t *testing.T, name string, got, want []float64) {
	t.Helper()
	for i := range want {
		if math.Float64bits(got[i]) != math.Float64bits(want[i]) {
			t.Fatalf("%s: [%d] = %v, want %v", name, i, got[i], want[i])
		}
	}
}

// naive is the product by its definition, and the sum of absolute products, which
// bounds the rounding error.
func naive(m, n, k int, alpha float64, a, b View) (c, bound []float64) {
	c, bound = make([]float64, m*n), make([]float64, m*n)
	for i := range m {
		for j := range n {
			for p := range k {
				v := a.Data[i*a.Row+p*a.Col] * b.Data[p*b.Row+j*b.Col] * alpha
				c[i*n+j] += v
				bound[i*n+j] += math.Abs(v)
			}
		}
	}
	return c, bound
}

func TestMultiply(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	for _, s := range [][3]int{{1, 1, 1}, {4, 12, 4}, {5, 13, 9}, {37, 41, 300}, {131, 3, 17}, {150, 149, 257}, {9, 3100, 5}} {
		m, n, k := s[0], s[1], s[2]
		for _, trans := range []int{0, 1, 2, 3} {
			for _, part := range []Part{All, Lower, Upper} {
				a, b := Rows(random(r, m*k), k), Rows(random(r, k*n), n)
				if trans&1 != 0 {
					a = Rows(a.Data, m).T()
				}
				if trans&2 != 0 {
					b = Rows(b.Data, k).T()
				}
				start := random(r, m*n)
				want, bound := naive(m, n, k, 0.75, a, b)
				one := append([]float64(nil), start...)
				Multiply(1, m, n, k, 0.75, a, b, one, n, part)
				for i := range m {
					for j := range n {
						e := start[i*n+j]
						if part == All || part == Lower && j <= i || part == Upper && j >= i {
							e += want[i*n+j]
						}
						// k roundings of at most the sum of absolute products.
						if d := math.Abs(one[i*n+j] - e); d > float64(k+2)*2.3e-16*(bound[i*n+j]+math.Abs(e)) {
							t.Fatalf("%v trans %d part %d: [%d,%d] is off by %g", s, trans, part, i, j, d)
						}
					}
				}
				for _, workers := range []int{2, 3, 8} {
					many := append([]float64(nil), start...)
					Multiply(workers, m, n, k, 0.75, a, b, many, n, part)
					equal(t, fmt.Sprintf("%v, %d workers", s, workers), many, one)
				}
			}
		}
	}
}

// Every routine of Implementation agrees with gonum's own.
func TestImplementationAgreesWithGonum(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	var own Implementation
	var ref gonum.Implementation
	for _, n := range []int{33, 64, 130, 600} {
		k := 40
		ld := max(n, k) + 5
		a, b, c := random(r, ld*ld), random(r, ld*ld), random(r, ld*ld)
		x, y := random(r, 2*ld), random(r, 3*ld)
		for _, ul := range []blas.Uplo{blas.Upper, blas.Lower} {
			for _, beta := range []float64{0, 1, -0.5} {
				check := func(name string, run func(b blas.Float64, out []float64), out []float64) {
					t.Helper()
					got, want := append([]float64(nil), out...), append([]float64(nil), out...)
					run(own, got)
					run(ref, want)
					for i := range want {
						// Sums of up to 600 products of order one.
						if math.Abs(got[i]-want[i]) > 1e-11 {
							t.Fatalf("%s n=%d uplo %c beta %g: [%d] = %v, want %v", name, n, ul, beta, i, got[i], want[i])
						}
					}
				}
				for _, tr := range []blas.Transpose{blas.NoTrans, blas.Trans} {
					check("Dgemm", func(b64 blas.Float64, o []float64) {
						b64.Dgemm(tr, blas.Trans, n, n, k, 1.5, a, ld, b, ld, beta, o, ld)
					}, c)
					check("Dsyrk", func(b64 blas.Float64, o []float64) {
						b64.Dsyrk(ul, tr, n, k, 1.5, a, ld, beta, o, ld)
					}, c)
					check("Dsyr2k", func(b64 blas.Float64, o []float64) {
						b64.Dsyr2k(ul, tr, n, k, 1.5, a, ld, b, ld, beta, o, ld)
					}, c)
					check("Dgemv", func(b64 blas.Float64, o []float64) {
						b64.Dgemv(tr, n, n-1, 1.5, a, ld, x, 2, beta, o, 3)
					}, y)
				}
				check("Dsymv", func(b64 blas.Float64, o []float64) {
					b64.Dsymv(ul, n, 1.5, a, ld, x, 1, beta, o, 1)
				}, y)
				check("Dsymv strided", func(b64 blas.Float64, o []float64) {
					b64.Dsymv(ul, n, 1.5, a, ld, x, 2, beta, o, 3)
				}, y)
			}
		}
	}
}

func TestVectorsAreTheSameForAnyWorkers(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	n := 700
	a, x := random(r, n*n), random(r, n)
	for _, part := range []Part{Lower, Upper} {
		one, many := make([]float64, n), make([]float64, n)
		SymmetricVector(1, n, 1.25, a, n, part, x, one)
		SymmetricVector(5, n, 1.25, a, n, part, x, many)
		equal(t, "SymmetricVector", many, one)
	}
	for _, trans := range []bool{false, true} {
		one, many := make([]float64, n), make([]float64, n)
		MatrixVector(1, trans, n, n, 1.25, a, n, x, one)
		MatrixVector(5, trans, n, n, 1.25, a, n, x, many)
		equal(t, "MatrixVector", many, one)
	}
}

func BenchmarkMultiply(b *testing.B) {
	for _, n := range []int{512, 1152, 2304} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			r := rand.New(rand.NewPCG(5, 5))
			x, y, c := random(r, n*n), random(r, n*n), make([]float64, n*n)
			for b.Loop() {
				Multiply(0, n, n, n, 1, Rows(x, n), Rows(y, n), c, n, All)
			}
			b.ReportMetric(2*float64(n)*float64(n)*float64(n)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GF/s")
		})
	}
}

// The rank-k update of a covariance: both operands are read across.
func BenchmarkRankUpdate(b *testing.B) {
	const n, k = 1152, 4096
	r := rand.New(rand.NewPCG(6, 6))
	x, c := random(r, n*k), make([]float64, n*n)
	for b.Loop() {
		v := Rows(x, n)
		Multiply(0, n, n, k, 1, v.T(), v, c, n, Upper)
	}
	b.ReportMetric(float64(n)*float64(n+1)*k*float64(b.N)/b.Elapsed().Seconds()/1e9, "GF/s")
}

func BenchmarkSymmetricVector(b *testing.B) {
	const n = 2304
	r := rand.New(rand.NewPCG(7, 7))
	a, x, y := random(r, n*n), random(r, n), make([]float64, n)
	for b.Loop() {
		SymmetricVector(0, n, 1, a, n, Upper, x, y)
	}
	b.ReportMetric(4*n*n*float64(b.N)/b.Elapsed().Seconds()/1e9, "GB/s")
}
