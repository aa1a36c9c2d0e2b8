package sqlite

import "golang.org/x/sys/unix"

// diskKind names the network file system that holds dir, or "" for a local
// disk. FUSE counts as local: under that number hide sshfs and the disks of
// container engines on a Mac alike.
func diskKind(dir string) (string, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return "", err
	}
	return networkDisk(uint32(s.Type)), nil //nolint:gosec // the numbers have 32 bits; the type of the field differs by machine
}

// networkDisk knows the numbers of statfs(2).
func networkDisk(magic uint32) string {
	switch magic {
	case unix.NFS_SUPER_MAGIC:
		return "NFS"
	case unix.SMB_SUPER_MAGIC, unix.CIFS_SUPER_MAGIC, unix.SMB2_SUPER_MAGIC:
		return "SMB"
	case unix.AFS_SUPER_MAGIC, unix.AFS_FS_MAGIC:
		return "AFS"
	case unix.CEPH_SUPER_MAGIC:
		return "CephFS"
	case unix.CODA_SUPER_MAGIC:
		return "Coda"
	case unix.NCP_SUPER_MAGIC:
		return "NCP"
	case unix.V9FS_MAGIC:
		return "9P"
	}
	return ""
}
