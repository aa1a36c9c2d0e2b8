package sqlite

import (
	"errors"
	"path/filepath"
	"testing"
	"testing/fstest"
)

// TestLateMigration leaves a number out, and brings its file later: two changes that
// are made side by side may arrive in either order.
func TestLateMigration(t *testing.T) {
	db, err := connect(filepath.Join(t.TempDir(), "state.db"), false)
	if err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{
		"migrations/00001_a.sql": {Data: []byte("-- +goose Up\nCREATE TABLE a (x INTEGER);\n")},
		"migrations/00003_c.sql": {Data: []byte("-- +goose Up\nCREATE TABLE c (x INTEGER);\n")},
	}
	up := func() {
		t.Helper()
		p, err := provider(db, files)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Up(t.Context()); err != nil {
			t.Errorf("Up = %v", err)
		}
	}
	up()
	files["migrations/00002_b.sql"] = &fstest.MapFile{Data: []byte("-- +goose Up\nALTER TABLE a ADD COLUMN late INTEGER;\n")}
	up()
	up()
	_, err = db.ExecContext(t.Context(), "INSERT INTO a (late) SELECT x FROM c")
	if err := errors.Join(err, db.Close()); err != nil {
		t.Errorf("the tables are not those of all three files: %v", err)
	}
}
