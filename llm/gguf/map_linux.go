package gguf

import (
	"math"
	"os"

	"golang.org/x/sys/unix"

	"github.com/cellsentence/c2s/internal/disk"
)

// mapFile maps n bytes for reading. ok is false where that is not possible or, as on a
// network, not wise: a page that cannot be fetched would kill the process.
func mapFile(f *os.File, n int64) (b []byte, release func() error, ok bool) {
	if n <= 0 || n > math.MaxInt || !disk.LocalFile(f) {
		return nil, nil, false
	}
	m, err := unix.Mmap(int(f.Fd()), 0, int(n), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, nil, false
	}
	return m, func() error { return unix.Munmap(m) }, true
}
