package journal

import "golang.org/x/sys/unix"

// onLocalDisk reports whether the order of writes and mapped files can be relied on in
// a folder.
func onLocalDisk(dir string) (bool, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return false, err
	}
	return st.Flags&unix.MNT_LOCAL != 0, nil
}
