package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"os"
	"path/filepath"

	"portico/store/sqlstore"
)

// Backup writes a copy to a file that does not exist yet; its folder must.
// The copy is whole, as of one moment, and safe on the disk when Backup returns.
func (s *Store) Backup(ctx context.Context, file string) error {
	return backup(ctx, s.read, file)
}

// Backup copies the database in the file from, which a server may have open and
// write to, as the method does.
func Backup(ctx context.Context, from, to string) error {
	db, err := beside(ctx, from)
	if err != nil {
		return err
	}
	return errors.Join(backup(ctx, db, to), db.Close())
}

// OpenReadOnly reads the database in a file, which a server may have open. It
// takes no lock that would keep one out, and changes nothing.
func OpenReadOnly(ctx context.Context, file string) (*sqlstore.Pool, error) {
	db, err := beside(ctx, file)
	if err != nil {
		return nil, err
	}
	return sqlstore.NewPool(&sqlstore.Dialect{Name: name}, db), nil
}

// OpenBeside opens the database in a file to be written, beside a server that may
// have it open: for a command that changes little and ends. It takes no guard,
// which is the server's for its whole life; SQLite's own locks make the two wait
// for each other, each for one commit of the other's. stream names this process
// in the audit: it must be no server's name, since each counts its own rows.
//
// Whatever a server keeps in memory about the state must not be changed this way.
func OpenBeside(ctx context.Context, file, stream string, o Options) (_ *Store, err error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if file, err = prepareFolder(file, o); err != nil {
		return nil, err
	}
	s := &Store{file: file, replica: stream, quit: make(chan struct{})}
	if s.read, err = beside(ctx, file); err != nil {
		return nil, err
	}
	// Not before: connecting to write makes a file that is not there.
	if s.was, err = os.Stat(file); err == nil {
		s.write, err = connectFor(file, false, besideWait)
	}
	if err != nil {
		return nil, errors.Join(unusable(err, "open the state database %s", file), s.read.Close())
	}
	s.write.SetMaxOpenConns(1)
	s.Engine = sqlstore.New(ctx, dialect(), s.read, s.write)
	return s, nil
}

// beside opens a file that must exist and have the tables of this Portico. The
// connection cannot write; the files -wal and -shm beside the database it shares
// with the server, as the log of SQLite asks for.
func beside(ctx context.Context, file string) (*sql.DB, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, unusable(err, "find the state database %s; name the file of the config's state.sqlite", file)
	}
	if !info.Mode().IsRegular() {
		return nil, unusable(nil, "use %s as the state database: it is not a file; name another", file)
	}
	if file, err = filepath.Abs(file); err != nil {
		return nil, unusable(err, "find the place of the state database %s", file)
	}
	db, err := connect(file, true)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(readers)
	if err := current(ctx, db, file); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func backup(ctx context.Context, db *sql.DB, file string) (err error) {
	// SQLite would make the file with mode 0644; it takes an empty one.
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // the admin names the file
	if err != nil {
		return unusable(err, "make the backup %s", file)
	}
	defer func() {
		err = errors.Join(err, f.Close())
		if err != nil {
			err = errors.Join(err, os.Remove(file))
		}
	}()
	if _, err := db.ExecContext(ctx, `VACUUM INTO ?`, file); err != nil {
		return fail("backup", err)
	}
	// VACUUM INTO does not sync what it wrote.
	if err := f.Sync(); err != nil {
		return fail("backup", err)
	}
	return syncFolder(filepath.Dir(file))
}

func syncFolder(dir string) error {
	d, err := os.Open(dir) //nolint:gosec // the folder of a file that the admin names
	if err != nil {
		return fail("sync", err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fail("sync", err)
	}
	return nil
}
