package scfid_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/blas/gonum"

	kernel "github.com/cellsentence/c2s/internal/blas"
	"github.com/cellsentence/c2s/scfid"
)

// The shapes of testdata/timing.py, which times SciPy on the same.
var shapes = []int{512, 1152, 2304, 4608}

const benchRows = 10_000

// BenchmarkCovariance is one covariance and its factor, of n = 10,000.
func BenchmarkCovariance(b *testing.B) {
	for _, d := range shapes {
		b.Run(fmt.Sprint(d), func(b *testing.B) {
			x := rows(b, normal(source(1), benchRows, powerLaw(d), nil), d)
			b.ResetTimer()
			for b.Loop() {
				if _, err := scfid.Summarise(context.Background(), x, 0); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkTraceTerm is the rest of a distance: the factors of both covariances and
// the eigenvalues. gonum is without the kernels under LAPACK.
func BenchmarkTraceTerm(b *testing.B) {
	for name, impl := range map[string]blas.Float64{"kernels": kernel.Implementation{}, "gonum": gonum.Implementation{}} {
		for _, d := range shapes {
			b.Run(fmt.Sprintf("%s/%d", name, d), func(b *testing.B) {
				blas64.Use(impl)
				defer blas64.Use(kernel.Implementation{})
				var sides [2]*scfid.Moments
				for i := range sides {
					// Enough rows for full rank: the trace term sees d × d only.
					sides[i] = summarise(b, normal(source(uint64(i)), 2*d+100, powerLaw(d), nil), d)
				}
				b.ResetTimer()
				for b.Loop() {
					var s [2]*scfid.Sample
					for i, m := range sides {
						var err error
						if s[i], err = scfid.FromMoments(context.Background(), m, 0); err != nil {
							b.Fatal(err)
						}
					}
					if f := distance(b, s[0], s[1]); f.Method != scfid.Cholesky {
						b.Fatal(f.Method)
					}
				}
			})
		}
	}
}

// BenchmarkLowRank is the whole distance of 500 cells a side.
func BenchmarkLowRank(b *testing.B) {
	for _, d := range []int{2304, 4608} {
		b.Run(fmt.Sprint(d), func(b *testing.B) {
			x := rows(b, normal(source(1), 500, powerLaw(d), nil), d)
			y := rows(b, normal(source(2), 500, powerLaw(d), nil), d)
			b.ResetTimer()
			for b.Loop() {
				s, err := scfid.Prepare(context.Background(), x, 0)
				if err != nil {
					b.Fatal(err)
				}
				t, err := scfid.Prepare(context.Background(), y, 0)
				if err != nil {
					b.Fatal(err)
				}
				if f := distance(b, s, t); f.Method != scfid.LowRank {
					b.Fatal(f.Method)
				}
			}
		})
	}
}

// BenchmarkEvaluate is everything about 50,000 cells a side in 1,152 dimensions.
func BenchmarkEvaluate(b *testing.B) {
	const n, d = 50_000, 1152
	x := make([]float32, n*d)
	r := source(1)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	real, err := scfid.NewMatrix(x, d)
	if err != nil {
		b.Fatal(err)
	}
	y := make([]float32, n*d)
	for i := range y {
		y[i] = x[len(x)-1-i] + 0.1
	}
	gen, err := scfid.NewMatrix(y, d)
	if err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	for b.Loop() {
		got, err := scfid.Evaluate(context.Background(), scfid.Side{Rows: real}, scfid.Side{Rows: gen}, scfid.Config{})
		if err != nil {
			b.Fatal(err)
		}
		if got.CI == nil {
			b.Fatal(got.Warnings)
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b.ReportMetric(float64(m.Sys)/(1<<20), "MiB")
}
