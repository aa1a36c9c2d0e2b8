package sqlite

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// guard takes the lock that keeps a second server, or a second Open of this
// one, off the file. It is a flock on a file beside the database: SQLite's own
// locks belong to the process and would let a second Open in; and closing any
// other handle of the database would drop them.
//
// The kernel frees the lock when the process dies, however it dies. The file
// stays: removing it would let two processes lock two files of one name.
func guard(file string) (*os.File, error) {
	name := file + ".lock"
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // beside the file that the admin names
	if err != nil {
		return nil, unusable(err, "make %s; the account that runs Portico must be able to write in that folder", name)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		holder := pidIn(f)
		err = errors.Join(err, f.Close())
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, unusable(nil, "open the state database %s: another Portico has it open%s; "+
				"stop that one, or give this one a state file of its own", file, holder)
		}
		return nil, unusable(err, "lock %s", name)
	}
	if err := writePid(f); err != nil {
		return nil, errors.Join(unusable(err, "write %s", name), f.Close())
	}
	return f, nil
}

// pidIn helps the admin to find the other one; the lock does not depend on it.
func pidIn(f *os.File) string {
	b, err := io.ReadAll(io.LimitReader(f, 20))
	if pid := strings.TrimSpace(string(b)); err == nil && pid != "" {
		return " (process " + pid + ")"
	}
	return ""
}

func writePid(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt(fmt.Appendln(nil, os.Getpid()), 0)
	return err
}
