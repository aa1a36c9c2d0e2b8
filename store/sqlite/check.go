package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"os"
	"path/filepath"

	"portico/store"
)

const (
	sqlProbe = `UPDATE probe SET count = count + 1`
	sqlAlive = `SELECT count FROM probe`
)

// quickCheck reads the file for damage, for as long as the options allow.
func quickCheck(ctx context.Context, db *sql.DB, file string, o Options) error {
	bounded, cancel := context.WithTimeout(ctx, o.CheckFor)
	defer cancel()
	var verdict string
	err := db.QueryRowContext(bounded, `PRAGMA quick_check(1)`).Scan(&verdict)
	switch {
	case ctx.Err() != nil:
		return fail("check", ctx.Err())
	case errors.Is(err, context.DeadlineExceeded):
		o.Log.LogAttrs(ctx, slog.LevelWarn, "the check of the state database ran out of time; the rest of it is not checked",
			slog.String("file", file), slog.Duration("after", o.CheckFor))
		return nil
	case err != nil:
		return unusable(err, "read the state database %s; restore a backup if the file is damaged", file)
	case verdict != "ok":
		return unusable(nil, "use the state database %s, it is damaged: %s; restore a backup", file, verdict)
	}
	return nil
}

// Check writes one row and reads it back by the other way. It also sees a file
// that was removed or replaced under the server, which SQLite does not: it
// would go on writing to what nobody can open again.
func (s *Store) Check(ctx context.Context) error {
	now, err := os.Stat(s.file)
	if err != nil {
		return unusable(err, "find the state database %s, which was there at the start; restart Portico when it is back", s.file)
	}
	if !os.SameFile(now, s.was) {
		return unusable(nil, "go on with the state database %s: another file has taken its place; restart Portico", s.file)
	}
	err = s.Update(ctx, func(t store.Tx) error {
		x, _ := t.(*tx) // of this package's own making
		return x.do("check", sqlProbe)
	})
	if err != nil {
		return err
	}
	_, err = collect(ctx, s, sqlAlive, func(row scanner) (count int64, err error) {
		return count, row.Scan(&count)
	})
	return err
}

// Backup writes a copy to a file that does not exist yet; its folder must.
// The copy is whole, as of one moment, and safe on the disk when Backup returns.
func (s *Store) Backup(ctx context.Context, file string) (err error) {
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
	if _, err := s.pool.ExecContext(ctx, `VACUUM INTO ?`, file); err != nil {
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
