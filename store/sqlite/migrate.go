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
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fail("migrate", err)
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, files,
		goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return fail("migrate", err)
	}
	have, known, err := p.GetVersions(ctx)
	if err != nil {
		return fail("migrate", err)
	}
	if have > known {
		return unusable(nil, "use the state database %s: a newer Portico wrote it (version %d, this one knows %d); "+
			"run that newer Portico, or restore a backup from before it", file, have, known)
	}
	if _, err := p.Up(ctx); err != nil {
		return fail("migrate", err)
	}
	return nil
}
