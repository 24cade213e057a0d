package embedfile_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/cellsentence/c2s/internal/embedfile"
)

// BenchmarkMapped reads 100,000 × 1152 float32 that are in the page cache as an open
// Array does (array) and through its buffer (pread), and decodes them out of one map of
// the whole file, made anew (map) or touched before (touched).
func BenchmarkMapped(b *testing.B) {
	const n, d = 100_000, 1152
	path := filepath.Join(b.TempDir(), "x.npy")
	head := npy(fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d)}", n, d), 0)
	if err := os.WriteFile(path, append(head, bytes.Repeat([]byte{0x3c}, n*d*4)...), 0o600); err != nil {
		b.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	size := len(head) + n*d*4
	x := make([]float64, 4096*d)
	mapped := func(b *testing.B) []byte {
		m, err := unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ, unix.MAP_SHARED)
		if err != nil {
			b.Fatal(err)
		}
		_ = unix.Madvise(m, unix.MADV_SEQUENTIAL) // advice: without it reading is only slower
		return m
	}
	decode := func(m []byte) {
		at := len(head)
		for start := 0; start < n; start += 4096 {
			dst := x[:min(4096, n-start)*d]
			src := m[at : at+4*len(dst)]
			for i := range dst {
				dst[i] = float64(math.Float32frombits(binary.LittleEndian.Uint32(src[4*i:])))
			}
			at += len(src)
		}
	}
	read := func(a *embedfile.Array) func(b *testing.B) {
		return func(b *testing.B) {
			b.SetBytes(int64(n) * d * 4)
			for b.Loop() {
				for start := 0; start < n; start += 4096 {
					if err := a.ReadRows(context.Background(), start, x[:min(4096, n-start)*d]); err != nil {
						b.Fatal(err)
					}
				}
			}
		}
	}
	own, err := embedfile.Open(context.Background(), path, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer own.Close()
	b.Run("array", read(own))
	buffered, err := embedfile.NewArray(context.Background(), f, int64(size), path, 0)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("pread", read(buffered))
	b.Run("map", func(b *testing.B) {
		b.SetBytes(int64(n) * d * 4)
		for b.Loop() {
			m := mapped(b)
			decode(m)
			if err := unix.Munmap(m); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("touched", func(b *testing.B) {
		m := mapped(b)
		decode(m)
		b.SetBytes(int64(n) * d * 4)
		for b.Loop() {
			decode(m)
		}
		if err := unix.Munmap(m); err != nil {
			b.Fatal(err)
		}
	})
}
