package scfid

import (
	"math"
	"math/rand/v2"
	"testing"
)

// The eigenvalues are LAPACK's, by gonum's own reduction.
func TestEigenvaluesAreLAPACKs(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, d := range []int{1, 2, 3, 5, 31, 32, 33, 34, 64, 65, 100, 257} {
		for _, scale := range []float64{1, 1e-9, 1e150, 1e-150, 0} {
			a := make([]float64, d*d)
			for i := range d {
				for j := i; j < d; j++ {
					a[i*d+j] = scale * r.NormFloat64() / float64(1+i)
				}
			}
			a[len(a)-1] *= 1e-130 // a block of its own if all beside it is as small
			for i := range d - 1 {
				a[i*d+d-1] *= 1e-130
			}
			// gonum's sterf panics at some scales: eigenvectors takes steqr.
			want, err := eigenvectors(append([]float64(nil), a...), d)
			if err != nil {
				t.Fatal(err)
			}
			got, err := eigenvalues(0, append([]float64(nil), a...), d)
			if err != nil {
				t.Fatal(err)
			}
			one, _ := eigenvalues(1, append([]float64(nil), a...), d)
			top := max(math.Abs(want[0]), math.Abs(want[d-1]))
			for i := range want {
				// Both are backward stable: some d·2^-53 of the largest.
				if math.Abs(got[i]-want[i]) > float64(d+10)*0x1p-52*top {
					t.Fatalf("d %d, scale %g: eigenvalue %d is %v, LAPACK %v", d, scale, i, got[i], want[i])
				}
				if got[i] != one[i] {
					t.Fatalf("d %d: eigenvalue %d hangs on the number of workers", d, i)
				}
			}
		}
	}
}
