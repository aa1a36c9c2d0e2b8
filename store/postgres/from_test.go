package postgres

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"portico/fault"
	"portico/internal/parts"
	"portico/store/sqlite"
	"portico/store/storetest"
)

func TestMigrateFrom(t *testing.T) {
	t.Parallel()
	p := parts.Postgres(t)
	file := filepath.Join(t.TempDir(), "state.db")
	if _, err := MigrateFrom(t.Context(), file, p.DSN); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("MigrateFrom of no file = %v, want fs.ErrNotExist", err)
	}
	from, err := sqlite.Open(t.Context(), file, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	storetest.Fill(t, from, 10)
	want := storetest.Dump(t, from)
	if _, err := MigrateFrom(t.Context(), file, p.DSN); !errors.Is(err, fault.ErrUnavailable) || !strings.Contains(err.Error(), "another Portico") {
		t.Errorf("MigrateFrom of a file in use = %v, want a refusal", err)
	}
	if err := from.Close(); err != nil {
		t.Fatal(err)
	}
	all, err := MigrateFrom(t.Context(), file, p.DSN)
	if err != nil || len(all) < 10 {
		t.Fatalf("MigrateFrom = %v, %v", all, err)
	}
	got := storetest.Dump(t, opened(t, p.DSN, "a"))
	for key := range want {
		if got[key] != want[key] {
			t.Errorf("%s is %v, want %v", key, got[key], want[key])
		}
	}
	if _, err := MigrateFrom(t.Context(), file, p.DSN); !errors.Is(err, fault.ErrConflict) {
		t.Errorf("a second MigrateFrom = %v, want fault.ErrConflict", err)
	}
}

func TestPing(t *testing.T) {
	t.Parallel()
	p := parts.Postgres(t)
	if version, err := Ping(t.Context(), p.DSN); err != nil || !strings.HasPrefix(version, "PostgreSQL 1") {
		t.Errorf("Ping = %q, %v", version, err)
	}
	for _, dsn := range []string{p.DSN + "x", "postgres://u:secret@db.example/d", "postgres://u:secret@127.0.0.1:1/d"} {
		if _, err := Ping(t.Context(), strings.Replace(dsn, "?sslmode=disablex", "x?sslmode=disable", 1)); !errors.Is(err, fault.ErrUnavailable) ||
			strings.Contains(err.Error(), "secret") {
			t.Errorf("Ping(%s) = %v, want fault.ErrUnavailable without the password", dsn, err)
		}
	}
	config, err := connConfig(p.DSN, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := tooOld("130012", config); err == nil || !strings.Contains(err.Error(), "PostgreSQL 13") {
		t.Errorf("tooOld of 13 = %v", err)
	}
}
