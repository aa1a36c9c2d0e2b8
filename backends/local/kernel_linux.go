package local

import (
	"errors"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// The calls that package os does not have. Names are of one element, and handles
// come from os.Root, so none of them can leave the storage.

// attrName is the one extended attribute of a file or folder.
const attrName = "user.portico"

// setAttr writes the attribute of an open file.
func setAttr(f *os.File, value []byte) error {
	return retry(func() error { return unix.Fsetxattr(int(f.Fd()), attrName, value, 0) })
}

// fileAttr reads the attribute of an open file, nil if there is none.
func fileAttr(f *os.File) ([]byte, error) {
	return readAttr(func(buf []byte) (int, error) { return unix.Fgetxattr(int(f.Fd()), attrName, buf) })
}

// nameAttr reads the attribute of a name in a folder in one call, without opening
// it. A link is not followed. A file that we may not read counts as one without
// an attribute: it must not keep its folder from being listed.
func nameAttr(dir *os.File, name string) ([]byte, error) {
	path := "/proc/self/fd/" + strconv.Itoa(int(dir.Fd())) + "/" + name
	raw, err := readAttr(func(buf []byte) (int, error) { return unix.Lgetxattr(path, attrName, buf) })
	if errors.Is(err, unix.EACCES) {
		return nil, nil
	}
	return raw, err
}

func readAttr(get func(buf []byte) (int, error)) ([]byte, error) {
	buf := make([]byte, 512) // enough for all but odd content types
	for {
		n, err := get(buf)
		switch {
		case err == nil:
			return buf[:n], nil
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.ERANGE):
			buf = make([]byte, 2*len(buf)) // ends at the kernel's 64 KiB
		case errors.Is(err, unix.ENODATA):
			return nil, nil
		default:
			return nil, err
		}
	}
}

// rename moves a name from one folder to another. With replace unset, a name
// that is there makes it fail with EEXIST, whoever made it.
func rename(from *folder, old string, to *folder, name string, replace bool) error {
	flags := uint(unix.RENAME_NOREPLACE)
	if replace {
		flags = 0
	}
	err := retry(func() error {
		return unix.Renameat2(int(from.file.Fd()), old, int(to.file.Fd()), name, flags)
	})
	if !replace && errors.Is(err, unix.EINVAL) {
		// A file system without the flag: then only our own lock protects.
		if _, err := to.root.Lstat(name); err == nil {
			return unix.EEXIST
		}
		return rename(from, old, to, name, true)
	}
	return err
}

// lockFile marks an open file as in use until it is closed, or the process ends.
// It fails with EWOULDBLOCK where another has done so.
func lockFile(f *os.File) error {
	return retry(func() error { return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) })
}

// unlockFile ends the lock before the file is closed: a child process that is just
// being started may hold a copy of the handle for a moment, and the lock with it.
func unlockFile(f *os.File) { _ = retry(func() error { return unix.Flock(int(f.Fd()), unix.LOCK_UN) }) }

// room tells how many bytes there are left on f's disk: for us, and in all.
func room(f *os.File) (ours, all int64, err error) {
	var st unix.Statfs_t
	err = retry(func() error { return unix.Fstatfs(int(f.Fd()), &st) })
	return int64(st.Bavail) * st.Bsize, int64(st.Bfree) * st.Bsize, err //nolint:gosec // no disk has 2^63 bytes
}

// retry runs a call again that a signal has interrupted.
func retry(call func() error) error {
	for {
		if err := call(); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// openAny opens whatever is there without waiting for anybody.
const openAny = unix.O_RDONLY | unix.O_NONBLOCK
