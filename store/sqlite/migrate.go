package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"io/fs"

	"github.com/pressly/goose/v3"
)

// A released file of this folder is never changed: the next change is a new file.
//
//go:embed migrations/*.sql
var migrations embed.FS

// migrate brings the tables up to date, and refuses a database that a later
// Portico has changed: this one does not know what the change means.
func migrate(ctx context.Context, db *sql.DB, file string) error {
	p, err := provider(db, migrations)
	if err != nil {
		return err
	}
	have, known, err := p.GetVersions(ctx)
	if err != nil {
		return fail("migrate", err)
	}
	if have > known {
		return newer(file, have, known)
	}
	if _, err := p.Up(ctx); err != nil {
		return fail("migrate", err)
	}
	return nil
}

func provider(db *sql.DB, folder fs.FS) (*goose.Provider, error) {
	files, err := fs.Sub(folder, "migrations")
	if err != nil {
		return nil, fail("migrate", err)
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, files,
		goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()),
		goose.WithAllowOutofOrder(true)) // two changes made side by side get their numbers before either is here
	if err != nil {
		return nil, fail("migrate", err)
	}
	return p, nil
}

func newer(file string, have, known int64) error {
	return unusable(nil, "use the state database %s: a newer Portico wrote it (version %d, this one knows %d); "+
		"run that newer Portico, or restore a backup from before it", file, have, known)
}

// current refuses a database whose tables are not those of this Portico, and
// changes nothing: goose would make its table, so this reads that table itself.
func current(ctx context.Context, db *sql.DB, file string) error {
	p, err := provider(db, migrations)
	if err != nil {
		return err
	}
	sources := p.ListSources()
	known := sources[len(sources)-1].Version
	var have int64
	err = db.QueryRowContext(ctx, `SELECT max(version_id) FROM goose_db_version WHERE is_applied`).Scan(&have)
	switch {
	case ctx.Err() != nil:
		return fail("open", ctx.Err())
	case err != nil:
		return unusable(err, "read %s as a state database; name the file of the config's state.sqlite", file)
	case have > known:
		return newer(file, have, known)
	case have < known:
		return unusable(nil, "use the state database %s: an older Portico wrote it (version %d, this one needs %d); "+
			"start the server once, it brings the file up to date", file, have, known)
	}
	return nil
}
