package postgres

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"io/fs"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

// The numbers of locks that are one for all. Those of claims are hashes of 64
// bits: one that hits these makes somebody wait, and nothing wrong.
const (
	lockWriter  = 0x706f727469636f01 // "portico", 1
	lockMigrate = 0x706f727469636f02
)

// oldest is the first version of PostgreSQL with idle_session_timeout.
const oldest = 14

// A released file of this folder is never changed: the next change is a new
// file. An older replica may still run beside the new one.
//
//go:embed migrations/*.sql
var migrations embed.FS

// migrate brings the tables up to date, one replica at a time. It refuses a
// database that a later Portico has changed: this one does not know what the
// change means.
func migrate(ctx context.Context, config *pgx.ConnConfig) (err error) {
	patient := config.Copy()
	patient.RuntimeParams["statement_timeout"] = "5min" // a change of a large table, or another replica's
	patient.RuntimeParams["lock_timeout"] = "5min"
	patient.RuntimeParams["idle_in_transaction_session_timeout"] = "1min"
	db := stdlib.OpenDB(*patient)
	defer func() { err = errors.Join(err, db.Close()) }()
	conn, err := db.Conn(ctx)
	if err != nil {
		return unusable(err, "reach the state database %s", place(config))
	}
	defer conn.Close() //nolint:errcheck // db.Close ends it, and with it the lock
	if err := versionOf(ctx, conn, config); err != nil {
		return err
	}
	if _, err := conn.ExecContext(ctx, `SELECT pg_advisory_lock($1)`, int64(lockMigrate)); err != nil {
		return fail("migrate", err)
	}
	return up(ctx, db, config, migrations)
}

const sqlVersion = `SELECT current_setting('server_version_num'), current_setting('server_version')`

func versionOf(ctx context.Context, conn *sql.Conn, config *pgx.ConnConfig) error {
	var number, text string
	if err := conn.QueryRowContext(ctx, sqlVersion).Scan(&number, &text); err != nil {
		return fail("version", err)
	}
	return tooOld(number, config)
}

// tooOld judges a server_version_num: 150006 is 15.6.
func tooOld(number string, config *pgx.ConnConfig) error {
	n, err := strconv.Atoi(number)
	if err != nil {
		return fail("version", err)
	}
	if n/10000 < oldest {
		return unusable(nil, "use the state database %s: the server is PostgreSQL %d, and Portico needs %d or later", place(config), n/10000, oldest)
	}
	return nil
}

func up(ctx context.Context, db *sql.DB, config *pgx.ConnConfig, folder fs.FS) error {
	files, err := fs.Sub(folder, "migrations")
	if err != nil {
		return fail("migrate", err)
	}
	p, err := goose.NewProvider(goose.DialectPostgres, db, files,
		goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()),
		goose.WithAllowOutofOrder(true)) // two changes made side by side get their numbers before either is here
	if err != nil {
		return fail("migrate", err)
	}
	have, known, err := p.GetVersions(ctx)
	if err != nil {
		return fail("migrate", err)
	}
	if have > known {
		return tooNew(config, have, known)
	}
	if _, err := p.Up(ctx); err != nil {
		return fail("migrate", err)
	}
	return nil
}
