//go:build !purego

package blas

import "golang.org/x/sys/cpu"

// vector reports whether the assembly can run here.
var vector = cpu.X86.HasAVX2 && cpu.X86.HasFMA

// Kernel names the kernel in use.
func Kernel() string {
	if vector {
		return "avx2"
	}
	return "go"
}

//go:noescape
func tileAVX2(k int, a, b, c *float64, ldc int)

//go:noescape
func rows4AVX2(n int, a *float64, lda int, x, y *float64, s, dot *[4]float64)

func tile(k int, a, b, c []float64, ldc int) {
	if !vector || k == 0 {
		tileGo(k, a, b, c, ldc)
		return
	}
	// The last element that each operand is read at must exist.
	_, _, _ = a[k*tileRows-1], b[k*tileCols-1], c[(tileRows-1)*ldc+tileCols-1]
	tileAVX2(k, &a[0], &b[0], &c[0], ldc)
}

func rows4(n int, a []float64, lda int, x, y []float64, s, dot *[4]float64) {
	if !vector || n == 0 {
		rows4Go(n, a, lda, x, y, s, dot)
		return
	}
	_, _, _ = a[3*lda+n-1], x[n-1], y[n-1]
	rows4AVX2(n, &a[0], lda, &x[0], &y[0], s, dot)
}
