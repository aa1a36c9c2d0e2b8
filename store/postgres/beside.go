package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"portico/store/sqlstore"
)

// OpenReadOnly reads a database beside the replicas that use it. It takes no
// replica's name, makes no tables and cannot write.
func OpenReadOnly(ctx context.Context, dsn string) (*sqlstore.Pool, error) {
	db, config, have, err := beside(ctx, dsn)
	if err != nil {
		return nil, err
	}
	if have == 0 {
		return nil, errors.Join(unusable(nil, "read the state database %s: there is no state in it yet; the first start of Portico makes it", place(config)), db.Close())
	}
	return sqlstore.NewPool(dialect(), db), nil
}

// OpenBeside opens a database to be written, as one more replica, for a command
// that changes little and ends. It makes no tables, and so keeps a command of a
// newer Portico from changing them under servers that are older. o.Replica must
// be no server's name.
func OpenBeside(ctx context.Context, dsn string, o Options) (*Store, error) {
	config, err := connConfig(dsn, o)
	if err != nil {
		return nil, err
	}
	db := stdlib.OpenDB(*config)
	have, err := look(ctx, db, config)
	if err = errors.Join(err, db.Close()); err != nil {
		return nil, err
	}
	known, err := newest()
	switch {
	case err != nil:
		return nil, err
	case have < known:
		return nil, unusable(nil, "use the state database %s: its tables are of version %d, and this Portico needs %d; "+
			"start a server of this version once, it brings them up to date", place(config), have, known)
	}
	return start(ctx, config, o)
}

// Ping tells whether a database could be used, and what it is. It changes
// nothing: a database without tables is as good as one with.
func Ping(ctx context.Context, dsn string) (what string, err error) {
	db, _, have, err := beside(ctx, dsn)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var version string
	if err := db.QueryRowContext(ctx, `SELECT current_setting('server_version')`).Scan(&version); err != nil {
		return "", fail("ping", err)
	}
	if have == 0 {
		return fmt.Sprintf("PostgreSQL %s, empty", version), nil
	}
	return fmt.Sprintf("PostgreSQL %s, tables of version %d", version, have), nil
}

// beside connects without a right to write, and gives the version of the tables,
// 0 for none. One that is newer than this Portico knows is refused.
func beside(ctx context.Context, dsn string) (db *sql.DB, config *pgx.ConnConfig, have int64, err error) {
	if config, err = connConfig(dsn, Options{Replica: "beside"}); err != nil {
		return nil, nil, 0, err
	}
	config.RuntimeParams["default_transaction_read_only"] = "on"
	config.ValidateConnect = nil // a standby will do
	db = stdlib.OpenDB(*config)
	db.SetMaxOpenConns(readers)
	if have, err = look(ctx, db, config); err != nil {
		return nil, nil, 0, errors.Join(err, db.Close())
	}
	return db, config, have, nil
}

func look(ctx context.Context, db *sql.DB, config *pgx.ConnConfig) (have int64, err error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return 0, unusable(err, "reach the state database %s", place(config))
	}
	defer conn.Close() //nolint:errcheck // it goes back to the pool
	if err := versionOf(ctx, conn, config); err != nil {
		return 0, err
	}
	var made sql.NullString
	if err := conn.QueryRowContext(ctx, `SELECT to_regclass('goose_db_version')::text`).Scan(&made); err != nil {
		return 0, fail("look", err)
	}
	if !made.Valid {
		return 0, nil
	}
	if err := conn.QueryRowContext(ctx, `SELECT coalesce(max(version_id), 0) FROM goose_db_version`).Scan(&have); err != nil {
		return 0, fail("look", err)
	}
	known, err := newest()
	if err == nil && have > known {
		err = tooNew(config, have, known)
	}
	return have, err
}

// newest is the version of the tables that this Portico makes.
func newest() (int64, error) {
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil || len(files) == 0 {
		return 0, fail("migrations", errors.Join(err, fs.ErrNotExist))
	}
	version, err := goose.NumericComponent(files[len(files)-1]) // Glob sorts them
	if err != nil {
		return 0, fail("migrations", err)
	}
	return version, nil
}

func tooNew(config *pgx.ConnConfig, have, known int64) error {
	return unusable(nil, "use the state database %s: a newer Portico wrote it (version %d, this one knows %d); "+
		"run that newer Portico, or restore a backup from before it", place(config), have, known)
}
