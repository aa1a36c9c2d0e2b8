package local

import (
	"errors"
	"io/fs"
	"os"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// The calls that package os does not have. Names are of one element, and handles
// come from os.Root, so none of them can leave the storage.

// attrName is the one extended attribute of a file or folder.
const attrName = "user.portico"

// reopen is another handle to a folder, with an offset of its own. It is no handle
// of os.Root: package os would look at each name that it reads from one.
func reopen(dir *os.File) (*os.File, error) {
	fd := -1
	err := retry(func() (err error) {
		fd, err = unix.Openat(int(dir.Fd()), ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		return err
	})
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), "."), nil
}

// setAttr writes the attribute of an open file.
func setAttr(f *os.File, value []byte) error {
	return retry(func() error { return unix.Fsetxattr(int(f.Fd()), attrName, value, 0) })
}

// fileAttr reads the attribute of an open file, nil if there is none.
func fileAttr(f *os.File) ([]byte, error) {
	raw, _, err := readAttr(make([]byte, attrRoom), func(buf []byte) (int, error) { return unix.Fgetxattr(int(f.Fd()), attrName, buf) })
	return raw, err
}

// entry is what the kernel tells of a name in a folder. os.Root would make the same
// call, after work on each name that a listing feels.
type entry struct {
	name string
	st   unix.Stat_t
}

// look asks for it; a link is not followed.
func look(dir *os.File, name string) (*entry, error) {
	e := &entry{name: name}
	return e, retry(func() error { return unix.Fstatat(int(dir.Fd()), name, &e.st, unix.AT_SYMLINK_NOFOLLOW) })
}

// The methods of fs.FileInfo. Modes other than the kinds that Portico knows are not
// told apart.

func (e *entry) Name() string       { return e.name }
func (e *entry) Size() int64        { return e.st.Size }
func (e *entry) ModTime() time.Time { return time.Unix(e.st.Mtim.Unix()) }
func (e *entry) IsDir() bool        { return e.Mode().IsDir() }
func (e *entry) Sys() any           { return &e.st }

func (e *entry) Mode() fs.FileMode {
	mode := fs.FileMode(e.st.Mode) & fs.ModePerm
	switch e.st.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		return mode
	case unix.S_IFDIR:
		return mode | fs.ModeDir
	}
	return mode | fs.ModeIrregular
}

// identity is the number of a file, and of the disk that it is on.
func identity(st fs.FileInfo) (dev, ino uint64) {
	switch sys := st.Sys().(type) {
	case *syscall.Stat_t:
		return sys.Dev, sys.Ino
	case *unix.Stat_t:
		return sys.Dev, sys.Ino
	}
	return 0, 0
}

// attrs reads the attributes of names in one folder, each in one call and without
// opening it. It is for one goroutine.
type attrs struct {
	folder string // its address in /proc
	buf    []byte // of the last answer
}

func attrsIn(dir *os.File) *attrs {
	return &attrs{folder: "/proc/self/fd/" + strconv.Itoa(int(dir.Fd())) + "/", buf: make([]byte, attrRoom)}
}

// of is the attribute of a name, nil if there is none, until it is asked for the
// next. A link is not followed. A file that we may not read counts as one without
// an attribute: it must not keep its folder from being listed.
func (a *attrs) of(name string) (raw []byte, err error) {
	path := a.folder + name
	raw, a.buf, err = readAttr(a.buf, func(buf []byte) (int, error) { return unix.Lgetxattr(path, attrName, buf) })
	if errors.Is(err, unix.EACCES) {
		return nil, nil
	}
	return raw, err
}

// attrRoom is enough for all but odd content types.
const attrRoom = 512

// readAttr reads into buf, or a larger one that it gives back.
func readAttr(buf []byte, get func(buf []byte) (int, error)) (raw, used []byte, err error) {
	for {
		n, err := get(buf)
		switch {
		case err == nil:
			return buf[:n], buf, nil
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.ERANGE):
			buf = make([]byte, 2*len(buf)) // ends at the kernel's 64 KiB
		case errors.Is(err, unix.ENODATA):
			return nil, buf, nil
		default:
			return nil, buf, err
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
