package postgres

import (
	"context"
	"errors"
	"os"

	"portico/store/sqlite"
	"portico/store/sqlstore"
)

// moving names the process that copies, among the replicas of the new state.
const moving = "migrate-state"

// MigrateFrom copies the state in a file of SQLite, which no server may have
// open, to the database that dsn names, which must hold nothing yet. It answers
// with what was copied, after it was read back and found to be the same. Where
// it fails, the database is as empty as it was.
func MigrateFrom(ctx context.Context, file, dsn string) (all []sqlstore.Table, err error) {
	if _, err := os.Stat(file); err != nil { // sqlite.Open would make it
		return nil, unusable(err, "find the state database %s", file)
	}
	from, err := sqlite.Open(ctx, file, sqlite.Options{})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	to, err := Open(ctx, dsn, Options{Replica: moving})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	return sqlstore.Copy(ctx, from.Pool, to.Engine)
}
