package embedfile_test

import (
	"archive/zip"
	"bytes"
	"context"
	"testing"

	"github.com/cellsentence/c2s/internal/embedfile"
)

func archive(t testing.TB, members map[string][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, data := range members {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Whatever the bytes, an array is read or refused; an array that was opened has
// all its numbers.
func FuzzArray(f *testing.F) {
	f.Add(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2)}", 16))
	f.Add(npy("{'descr': '>f2', 'fortran_order': True, 'shape': (2L, 2L), }", 8))
	f.Add(npy("{'descr': '|O', 'fortran_order': False, 'shape': ()}", 0))
	f.Fuzz(func(t *testing.T, b []byte) {
		ctx := context.Background()
		for _, budget := range []int64{0, 1} {
			a, err := embedfile.NewArray(ctx, bytes.NewReader(b), int64(len(b)), "f", budget)
			if err != nil {
				return
			}
			if a.Len()*a.Dim() > len(b) {
				t.Fatalf("%d × %d numbers in %d bytes", a.Len(), a.Dim(), len(b))
			}
			if err := a.ReadRows(ctx, 0, make([]float64, a.Len()*a.Dim())); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func FuzzStats(f *testing.F) {
	mu := npy("{'descr': '<f8', 'fortran_order': False, 'shape': (2,)}", 16)
	f.Add(archive(f, map[string][]byte{"mu.npy": mu, "sigma.npy": npy("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 2)}", 16)}))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := embedfile.NewStats(context.Background(), bytes.NewReader(b), int64(len(b)), "f")
		if err == nil && len(s.Sigma) != len(s.Mu)*len(s.Mu) {
			t.Fatalf("%d and %d numbers", len(s.Mu), len(s.Sigma))
		}
	})
}
