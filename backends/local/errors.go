package local

import (
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/sys/unix"

	"portico/backends"
	"portico/fault"
)

// named gives an error of the disk the name that package fault or io/fs has for
// it. The original is told, not wrapped: a file that Portico may not read is no
// fs.ErrPermission, which would blame the user, and ENOTEMPTY no fs.ErrExist.
func named(err error) error {
	if err == nil {
		return nil
	}
	errno, ok := errors.AsType[unix.Errno](err)
	if !ok {
		return unavailable(err) // a handle that is closed, a path that leads out
	}
	switch errno {
	case unix.ENOENT, unix.ELOOP:
		return because(fs.ErrNotExist, err)
	case unix.EEXIST:
		return because(fs.ErrExist, err)
	case unix.ENOTDIR:
		return because(fault.ErrNotDir, err)
	case unix.EISDIR:
		return because(fault.ErrIsDir, err)
	case unix.ENOTEMPTY:
		return because(fault.ErrNotEmpty, err)
	case unix.ENOSPC, unix.EDQUOT:
		return fault.Tell(because(fault.ErrQuota, err), "The disk is full.")
	case unix.EFBIG:
		return fault.Tell(because(fault.ErrTooLarge, err), "The disk cannot hold a file of that size.")
	case unix.ENAMETOOLONG:
		return fault.Tell(because(fs.ErrInvalid, err), "The name is longer than the server's disk can hold.")
	case unix.EILSEQ:
		return fault.Tell(because(fs.ErrInvalid, err), "The name has a character that the server's disk cannot hold.")
	case unix.EXDEV:
		return fault.Tell(because(fault.ErrUnavailable, err),
			"Another file system is mounted inside the storage; files cannot be moved onto it. Make it a storage of its own.")
	default: // EIO, EROFS, EACCES, EMFILE …: not the user's doing
		return unavailable(err)
	}
}

func unavailable(err error) error { return because(fault.ErrUnavailable, err) }

func because(kind, err error) error { return fmt.Errorf("%w (%v)", kind, err) } //nolint:errorlint // on purpose, see named

func errReserved() error {
	return fault.Tell(fs.ErrPermission, "The name %s is kept for Portico itself.", backends.Reserved)
}

// errTaken is a creation where a link, a pipe or a device stands in the way. It
// is not replaced: whoever put it there meant it.
func errTaken() error {
	return fault.Tell(fs.ErrPermission,
		"Something on the server's disk has that name already that is neither a file nor a folder. Choose another name, or ask your administrator.")
}

func errTop() error { return fault.Tell(fs.ErrInvalid, "The top folder cannot be removed.") }

// errRestless is a name that another program changes faster than it can be read.
func errRestless() error {
	return fmt.Errorf("%w (the name changes all the time)", fault.ErrUnavailable)
}
