package disk

import (
	"os"
	"slices"

	"golang.org/x/sys/unix"
)

// Local file systems, by the number that statfs gives (statfs(2)). NFS (0x6969),
// Lustre (0x0bd00bd0), SMB, Ceph, GPFS and FUSE are not among them.
var localTypes = []uint64{
	unix.EXT4_SUPER_MAGIC, unix.XFS_SUPER_MAGIC, unix.BTRFS_SUPER_MAGIC, unix.F2FS_SUPER_MAGIC, unix.BCACHEFS_SUPER_MAGIC,
	unix.TMPFS_MAGIC, unix.RAMFS_MAGIC, unix.OVERLAYFS_SUPER_MAGIC, 0x2fc12fc1, // the last is ZFS
}

// Local reports whether a path, such as a folder, lies on a local disk.
func Local(path string) (bool, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(path, &st); err != nil {
		return false, &os.PathError{Op: "statfs", Path: path, Err: err}
	}
	return local(&st), nil
}

// LocalFile reports whether an open file lies on a local disk.
func LocalFile(f *os.File) bool {
	var st unix.Statfs_t
	return unix.Fstatfs(int(f.Fd()), &st) == nil && local(&st)
}

// The type is an int32 on some processors, an int64 on others.
func local(st *unix.Statfs_t) bool { return slices.Contains(localTypes, uint64(uint32(st.Type))) }
