package journal

import (
	"slices"

	"golang.org/x/sys/unix"
)

// Local file systems, by the number that statfs gives (statfs(2)). NFS (0x6969),
// Lustre (0x0bd00bd0), SMB, Ceph, GPFS, FUSE and whatever is not known here are
// treated as networks.
var localDisks = []uint64{
	unix.EXT4_SUPER_MAGIC, unix.XFS_SUPER_MAGIC, unix.BTRFS_SUPER_MAGIC, unix.F2FS_SUPER_MAGIC, unix.BCACHEFS_SUPER_MAGIC,
	unix.TMPFS_MAGIC, unix.RAMFS_MAGIC, unix.OVERLAYFS_SUPER_MAGIC, 0x2fc12fc1, // the last is ZFS
}

// onLocalDisk reports whether the order of writes and mapped files can be relied on in
// a folder.
func onLocalDisk(dir string) (bool, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return false, err
	}
	// Its type is an int32 on some processors, an int64 on others.
	return slices.Contains(localDisks, uint64(uint32(st.Type))), nil
}
