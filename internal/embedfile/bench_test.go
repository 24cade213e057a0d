package embedfile_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/cellsentence/c2s/internal/embedfile"
	"github.com/cellsentence/c2s/scfid"
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

// Mean and covariance of rows on disk, in one pass. A million rows are a file of
// 4.6 GB; MiB is the memory taken from the system.
func BenchmarkMoments(b *testing.B) {
	const d = 1152
	for _, n := range []int{100_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "x.npy")
			f, err := os.Create(path)
			if err != nil {
				b.Fatal(err)
			}
			out := bufio.NewWriterSize(f, 1<<20)
			w, err := embedfile.NewWriter[float32](out, n, d)
			if err != nil {
				b.Fatal(err)
			}
			// Pseudo-random rows, quickly: overlapping windows of one long row.
			r := rand.New(rand.NewPCG(1, 1))
			long := make([]float32, 10_007+d)
			for i := range long {
				long[i] = float32(r.NormFloat64())
			}
			for i := range n {
				if err := w.Write(long[i%10_007:][:d]); err != nil {
					b.Fatal(err)
				}
			}
			if err := w.Close(); err != nil {
				b.Fatal(err)
			}
			if err := out.Flush(); err != nil {
				b.Fatal(err)
			}
			if err := f.Close(); err != nil {
				b.Fatal(err)
			}
			a, err := embedfile.Open(context.Background(), path, 0)
			if err != nil {
				b.Fatal(err)
			}
			defer a.Close()
			b.SetBytes(int64(n) * d * 4)
			b.ResetTimer()
			for b.Loop() {
				m, err := scfid.Summarise(context.Background(), a, 0)
				if err != nil || m.N != n {
					b.Fatal(err)
				}
			}
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			b.ReportMetric(float64(m.Sys)/(1<<20), "MiB")
		})
	}
}
