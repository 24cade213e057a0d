package disk

import (
	"os"

	"golang.org/x/sys/unix"
)

// Local reports whether a path, such as a folder, lies on a local disk.
func Local(path string) (bool, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(path, &st); err != nil {
		return false, &os.PathError{Op: "statfs", Path: path, Err: err}
	}
	return st.Flags&unix.MNT_LOCAL != 0, nil
}

// LocalFile reports whether an open file lies on a local disk.
func LocalFile(f *os.File) bool {
	var st unix.Statfs_t
	return unix.Fstatfs(int(f.Fd()), &st) == nil && st.Flags&unix.MNT_LOCAL != 0
}
