//go:build !amd64 || purego

package blas

// Kernel names the kernel in use.
func Kernel() string { return "go" }

func tile(k int, a, b, c []float64, ldc int) { tileGo(k, a, b, c, ldc) }

func rows4(n int, a []float64, lda int, x, y []float64, s, dot *[4]float64) {
	rows4Go(n, a, lda, x, y, s, dot)
}
