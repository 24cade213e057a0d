package embedfile

import (
	"os"

	"golang.org/x/sys/unix"

	"github.com/cellsentence/c2s/internal/disk"
)

// mapFile maps n bytes at off for reading. ok is false where that is not possible or, as
// on a network, not wise: a page that cannot be fetched would end the program.
func mapFile(f *os.File, off int64, n int) (b []byte, release func(), ok bool) {
	if !disk.LocalFile(f) {
		return nil, nil, false
	}
	lead := off % int64(os.Getpagesize())
	m, err := unix.Mmap(int(f.Fd()), off-lead, n+int(lead), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, nil, false
	}
	_ = unix.Madvise(m, unix.MADV_SEQUENTIAL) // advice: without it reading is only slower
	return m[lead:], func() { _ = unix.Munmap(m) }, true
}
