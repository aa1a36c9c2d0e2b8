package postgres

import (
	"errors"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5/stdlib"

	"portico/internal/parts"
)

// TestLateMigration is that of store/sqlite.
func TestLateMigration(t *testing.T) {
	config, err := connConfig(parts.Postgres(t).DSN, Options{Replica: "main"})
	if err != nil {
		t.Fatal(err)
	}
	db := stdlib.OpenDB(*config)
	files := fstest.MapFS{
		"migrations/00001_a.sql": {Data: []byte("-- +goose Up\nCREATE TABLE a (x INTEGER);\n")},
		"migrations/00003_c.sql": {Data: []byte("-- +goose Up\nCREATE TABLE c (x INTEGER);\n")},
	}
	first := up(t.Context(), db, config, files)
	files["migrations/00002_b.sql"] = &fstest.MapFile{Data: []byte("-- +goose Up\nALTER TABLE a ADD COLUMN late INTEGER;\n")}
	second := up(t.Context(), db, config, files)
	_, err = db.ExecContext(t.Context(), "INSERT INTO a (late) SELECT x FROM c")
	if err := errors.Join(first, second, err, db.Close()); err != nil {
		t.Errorf("the tables are not those of all three files: %v", err)
	}
}
