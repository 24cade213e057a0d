package scfid

import kernel "github.com/cellsentence/c2s/internal/blas"

// TransportMap is T of the influence function, the optimal transport map between
// the normal distributions of two samples, row by row: T·S_a·T = S_b (I. Olkin and
// F. Pukelsheim, 1982).
func TransportMap(a, b *Sample) ([]float64, error) {
	w, _, err := maps(a, b)
	d := a.dim
	t := make([]float64, d*d)
	kernel.Multiply(0, d, d, d, 1, kernel.Rows(w, d).T(), kernel.Rows(w, d), t, d, kernel.All)
	return t, err
}
