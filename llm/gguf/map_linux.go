package gguf

import (
	"math"
	"os"

	"golang.org/x/sys/unix"
)

// Local file systems, by the number that statfs gives (statfs(2)): on others a
// page that cannot be fetched would kill the process.
var localFS = [...]int64{
	unix.EXT4_SUPER_MAGIC, unix.XFS_SUPER_MAGIC, unix.BTRFS_SUPER_MAGIC,
	unix.TMPFS_MAGIC, unix.OVERLAYFS_SUPER_MAGIC, unix.F2FS_SUPER_MAGIC, 0x2fc12fc1, // the last is ZFS
}

// mapFile maps n bytes for reading. ok is false where that is not possible or not
// wise.
func mapFile(f *os.File, n int64) (b []byte, release func() error, ok bool) {
	var st unix.Statfs_t
	if n <= 0 || n > math.MaxInt || unix.Fstatfs(int(f.Fd()), &st) != nil {
		return nil, nil, false
	}
	for _, t := range localFS {
		if int64(st.Type) != t {
			continue
		}
		m, err := unix.Mmap(int(f.Fd()), 0, int(n), unix.PROT_READ, unix.MAP_SHARED)
		if err != nil {
			return nil, nil, false
		}
		return m, func() error { return unix.Munmap(m) }, true
	}
	return nil, nil, false
}
