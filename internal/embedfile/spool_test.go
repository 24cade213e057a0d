package embedfile_test

import (
	"context"
	"math"
	"os"
	"testing"

	"github.com/cellsentence/c2s/internal/embedfile"
)

// What went in comes out, at any row, from memory and from the file, and the file is
// gone at the end.
func TestSpool(t *testing.T) {
	const n, d = 9001, 37 // 2.5 MiB as float64: more than two blocks, no multiple of one
	x := make([]float64, n*d)
	for i := range x {
		x[i] = float64(float32(math.Sin(float64(i))))
	}
	for _, narrow := range []bool{false, true} {
		for _, budget := range []int64{0, 1} {
			tmp := t.TempDir()
			t.Setenv("TMPDIR", tmp)
			s, err := embedfile.NewSpool("x", d, narrow, budget)
			if err != nil {
				t.Fatal(err)
			}
			for at, step := 0, 1; at < len(x); at, step = at+step, step+777 {
				if err := s.Append(x[at:min(len(x), at+step)]); err != nil {
					t.Fatal(err)
				}
			}
			a, err := s.Array()
			if err != nil {
				t.Fatal(err)
			}
			if a.Len() != n || a.Dim() != d {
				t.Fatalf("%d × %d", a.Len(), a.Dim())
			}
			same(t, "all rows", readAll(t, a), x)
			row := make([]float64, d)
			for _, i := range []int{0, 1, 4242, n - 1} {
				if err := a.ReadRows(context.Background(), i, row); err != nil {
					t.Fatal(err)
				}
				same(t, "a row", row, x[i*d:][:d])
			}
			if err := a.Close(); err != nil {
				t.Error(err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			if left, err := os.ReadDir(tmp); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		}
	}
}

func TestSpoolOfHalfARow(t *testing.T) {
	s, err := embedfile.NewSpool("x", 3, false, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Append([]float64{1, 2, 3, 4}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Array(); err == nil {
		t.Error("four numbers became rows of three")
	}
	if _, err := embedfile.NewSpool("x", 0, false, 0); err == nil {
		t.Error("rows of no numbers")
	}
}
