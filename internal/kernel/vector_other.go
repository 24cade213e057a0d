//go:build !amd64

package kernel

// simd is for processors that this package has assembly for.
const simd = false

// Features names the instructions in use, "" for none beyond the compiler's.
func Features() string { return "" }

func (m *Matrix) mulVector(dst, x []float32, data []byte, tokens, from, to int) {
	m.mulPlain(dst, x, data, tokens, from, to)
}

func addRowsVector([]float32, []float32, []float32) int { return 0 }

func expVector(*float32, int) {}
