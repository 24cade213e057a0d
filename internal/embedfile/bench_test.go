package embedfile_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/cellsentence/c2s/internal/embedfile"
)

// Rows from the page cache, by dtype; MB/s is of the file.
func BenchmarkReadRows(b *testing.B) {
	const n, d = 20_000, 1152
	for _, dtype := range []string{"<f4", "<f8", "<f2", ">f4"} {
		b.Run(dtype, func(b *testing.B) {
			size := n * d * int(dtype[2]-'0')
			path := filepath.Join(b.TempDir(), "x.npy")
			file := npy(fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%d, %d)}", dtype, n, d), 0)
			file = append(file, bytes.Repeat([]byte{0x3c}, size)...)
			if err := os.WriteFile(path, file, 0o600); err != nil {
				b.Fatal(err)
			}
			a, err := embedfile.Open(context.Background(), path, 0)
			if err != nil {
				b.Fatal(err)
			}
			defer a.Close()
			x := make([]float64, 4096*d)
			b.SetBytes(int64(size))
			for b.Loop() {
				for start := 0; start < n; start += 4096 {
					if err := a.ReadRows(context.Background(), start, x[:min(4096, n-start)*d]); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
