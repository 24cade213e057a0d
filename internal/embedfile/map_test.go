package embedfile_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/cellsentence/c2s/internal/embedfile"
)

// Reads that are large enough for a map give the numbers that the same bytes give behind
// a reader, from any row on, and a file that was cut off meanwhile is an error.
func TestMappedReads(t *testing.T) {
	const n, d = 3001, 130
	for _, dtype := range []string{"<f4", ">f8", "<f2", "<i4"} {
		for _, fortran := range []string{"False", "True"} {
			head := npy(fmt.Sprintf("{'descr': '%s', 'fortran_order': %s, 'shape': (%d, %d)}", dtype, fortran, n, d), 0)
			file := slices.Clone(head)
			for i := range n * d * int(dtype[2]-'0') {
				file = append(file, byte(i*i>>3)&0x3f)
			}
			path := filepath.Join(t.TempDir(), "x.npy")
			if err := os.WriteFile(path, file, 0o600); err != nil {
				t.Fatal(err)
			}
			a, err := embedfile.Open(context.Background(), path, 1)
			if err != nil {
				t.Fatal(err)
			}
			b, err := embedfile.NewArray(context.Background(), bytes.NewReader(file), int64(len(file)), path, 1)
			if err != nil {
				t.Fatal(err)
			}
			for _, from := range []int{0, 1, 7} {
				x, y := make([]float64, (n-from)*d), make([]float64, (n-from)*d)
				if err := a.ReadRows(context.Background(), from, x); err != nil {
					t.Fatal(err)
				}
				if err := b.ReadRows(context.Background(), from, y); err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(x, y) {
					t.Errorf("%s, Fortran order %s, from row %d: other numbers", dtype, fortran, from)
				}
			}
			if err := os.Truncate(path, int64(len(head))+100_000); err != nil {
				t.Fatal(err)
			}
			if err := a.ReadRows(context.Background(), 0, make([]float64, n*d)); err == nil {
				t.Errorf("%s, Fortran order %s: a file that was cut off was read", dtype, fortran)
			}
			if err := a.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}
