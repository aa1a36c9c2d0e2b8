package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	driver "modernc.org/sqlite"

	"portico/fault"
	"portico/store"
	"portico/store/sqlstore"
)

const (
	name         = "sqlite" // in front of errors
	readers      = 4        // connections; each has a page cache of some 2 MiB
	busyWait     = 5 * time.Second
	besideWait   = time.Minute // of a command, for a server that hardly ever pauses
	defaultCheck = 5 * time.Second
)

// Options are the choices of who opens a store. The zero value is right for a
// server.
type Options struct {
	// Replica names this process in its audit stream; "main" if empty.
	Replica string

	// Log takes what an admin should know, such as a check that ran out of
	// time; nil for nowhere.
	Log *slog.Logger

	// CheckFor bounds the integrity check at the start, which reads the whole
	// file: 5 s if zero. What could not be read in that time is not checked.
	CheckFor time.Duration

	// DangerouslyAllowNetworkDisk opens a file on NFS, SMB or the like, where
	// locks of files may not work: two servers on one file destroy it.
	DangerouslyAllowNetworkDisk bool
}

// Store is an open file. It is a store.State.
type Store struct {
	*sqlstore.Engine

	replica     string
	file        string
	was         fs.FileInfo // of the file at the start, to see that it is still there
	guard       *os.File    // holds the lock on the file beside it
	read, write *sql.DB     // the Engine closes them

	quit   chan struct{} // closed by Close
	once   sync.Once
	closed error
}

// The contract, held by the compiler.
var _ store.State = (*Store)(nil)

// Open opens the file, or makes it, and brings its tables up to date. The
// folder that holds it is made if only that one is missing. ctx bounds the
// opening, not the life of the store.
//
// A file that cannot be used gives an error that says what to do about it.
func Open(ctx context.Context, file string, o Options) (*Store, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.CheckFor == 0 {
		o.CheckFor = defaultCheck
	}
	file, err := prepareFolder(file, o)
	if err != nil {
		return nil, err
	}
	s := &Store{file: file, replica: cmp.Or(o.Replica, "main"), quit: make(chan struct{})}
	if err := s.open(ctx, o); err != nil {
		return nil, errors.Join(err, s.release())
	}
	return s, nil
}

func (s *Store) open(ctx context.Context, o Options) (err error) {
	if s.guard, err = guard(s.file); err != nil {
		return err
	}
	if s.was, err = makeFile(s.file); err != nil {
		return err
	}
	if s.write, err = connect(s.file, false); err != nil {
		return err
	}
	s.write.SetMaxOpenConns(1)
	if err := quickCheck(ctx, s.write, s.file, o); err != nil {
		return err
	}
	if err := migrate(ctx, s.write, s.file); err != nil {
		return err
	}
	if s.read, err = connect(s.file, true); err != nil {
		return err
	}
	s.read.SetMaxOpenConns(readers)
	s.read.SetMaxIdleConns(readers)
	s.Engine = sqlstore.New(ctx, dialect(), s.read, s.write)
	return nil
}

func dialect() *sqlstore.Dialect {
	return &sqlstore.Dialect{Name: name, Begin: []string{`BEGIN IMMEDIATE`}, Near: true}
}

// Close waits for the batch that runs, and ends the store. Updates that wait
// are answered with an error. A second Close gives the answer of the first.
func (s *Store) Close() error {
	s.once.Do(func() {
		close(s.quit)
		s.closed = s.release()
	})
	return s.closed
}

// release gives up what open got, in the opposite order: the guard last, when
// nobody in this process can touch the file any more.
func (s *Store) release() error {
	var errs []error
	switch {
	case s.Engine != nil:
		errs = append(errs, s.Engine.Close())
	case s.write != nil:
		errs = append(errs, s.write.Close())
	}
	if s.guard != nil {
		errs = append(errs, s.guard.Close())
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("sqlite: close: %w", err)
	}
	return nil
}

// prepareFolder gives the file's real place, without symbolic links: the guard
// lies beside it, and must be one and the same for all who use the file.
func prepareFolder(file string, o Options) (string, error) {
	file, err := filepath.Abs(file)
	if err != nil {
		return "", unusable(err, "find the place of the state database %s", file)
	}
	dir := filepath.Dir(file)
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) { //nolint:gosec // the admin names the folder
		return "", unusable(err, "make the folder %s for the state database; make it by hand, or name another file", dir)
	}
	if target, err := filepath.EvalSymlinks(file); err == nil {
		file, dir = target, filepath.Dir(target)
	} else if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return "", unusable(err, "find the folder of the state database %s", file)
	}
	kind, err := diskKind(dir)
	if err != nil {
		return "", unusable(err, "ask for the kind of disk of %s", dir)
	}
	if kind != "" && !o.DangerouslyAllowNetworkDisk {
		return "", unusable(nil, "keep the state database %s on a network disk (%s), where locks are not reliable; put it on a local disk", file, kind)
	}
	return filepath.Join(dir, filepath.Base(file)), nil
}

// makeFile sees to it that nobody else reads the file: SQLite would make it
// with 0644, and gives its log the mode of the file.
func makeFile(file string) (fs.FileInfo, error) {
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // the admin names the file
	if err != nil {
		return nil, unusable(err, "open the state database %s; the account that runs Portico must own it", file)
	}
	info, err := f.Stat()
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, unusable(err, "open the state database %s", file)
	}
	if !info.Mode().IsRegular() {
		return nil, unusable(nil, "use %s as the state database: it is not a file; name another", file)
	}
	return info, nil
}

// connect makes a pool; it opens no connection yet. The URI form keeps a ? or
// % of the file's name from being read as a parameter.
func connect(file string, readOnly bool) (*sql.DB, error) {
	return connectFor(file, readOnly, busyWait)
}

// connectFor is connect for who would rather wait longer for another's commit:
// SQLite keeps no queue, and a server that writes at once again mostly wins.
func connectFor(file string, readOnly bool, wait time.Duration) (*sql.DB, error) {
	q := url.Values{"_pragma": {
		fmt.Sprintf("busy_timeout(%d)", wait.Milliseconds()),
		"foreign_keys(1)",
	}}
	if readOnly {
		q.Set("mode", "ro")
	} else {
		// The log shrinks to 64 MiB after a checkpoint: a burst must not take
		// the disk for good.
		q["_pragma"] = append(q["_pragma"], "journal_mode(WAL)", "synchronous(FULL)", "journal_size_limit(67108864)")
		// A key of the audit that was destroyed is overwritten with zeros. "fast"
		// leaves copies behind in pages that were split or given up.
		q["_pragma"] = append(q["_pragma"], "secure_delete(1)")
	}
	u := url.URL{Scheme: "file", Path: file, RawQuery: q.Encode()}
	c, err := driver.NewConnector(u.String())
	if err != nil {
		return nil, fail("connect", err)
	}
	return sql.OpenDB(c), nil
}

// unusable is the error of a store that cannot be opened, as a sentence for
// the admin: "cannot …".
func unusable(err error, format string, args ...any) error {
	what := "cannot " + fmt.Sprintf(format, args...)
	if err == nil {
		return fmt.Errorf("sqlite: %s (%w)", what, fault.ErrUnavailable)
	}
	return fmt.Errorf("sqlite: %s: %w (%w)", what, err, fault.ErrUnavailable)
}

// fail names the step that failed. A request that ended is no fault of the
// store; everything else is: the caller may try again later.
func fail(step string, err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, fault.ErrUnavailable) {
		return fmt.Errorf("sqlite: %s: %w", step, err)
	}
	return fmt.Errorf("sqlite: %s: %w: %w", step, fault.ErrUnavailable, err)
}
