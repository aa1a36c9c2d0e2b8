package sqlite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"portico/fault"
	"portico/store"
	"portico/store/storetest"
	"portico/vpath"
)

func TestBackup(t *testing.T) {
	dir := t.TempDir()
	s := opened(t, filepath.Join(dir, "state.db"))
	p := vpath.Must("/w/a")
	prop := store.Prop{Space: "urn:x", Local: "p", XML: "<p xmlns='urn:x'/>"}
	if err := s.Update(t.Context(), func(tx store.Tx) error { return tx.PutProp(p, prop) }); err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(dir, "it's a copy.db")
	if err := s.Backup(t.Context(), copied); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(copied); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the copy has mode %v, %v; want 0600", info.Mode(), err)
	}
	if err := s.Backup(t.Context(), copied); !errors.Is(err, fs.ErrExist) {
		t.Errorf("Backup onto a file = %v, want fs.ErrExist", err)
	}
	if props, err := opened(t, copied).PropsOf(t.Context(), p); err != nil || len(props) != 1 || props[0] != prop {
		t.Errorf("the copy holds %v, %v", props, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	none := filepath.Join(dir, "none.db")
	if err := s.Backup(ctx, none); !errors.Is(err, context.Canceled) {
		t.Errorf("Backup = %v, want context.Canceled", err)
	}
	if _, err := os.Stat(none); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a backup that failed left its file: %v", err)
	}
}

// TestBesideAServer reads and copies a database that another process serves.
func TestBesideAServer(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "state.db")
	cmd, lines := start(t, file) // writes without end
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	for range 50 {
		lines.Scan()
	}
	go func() {
		for lines.Scan() { // or it would wait for a reader
		}
	}()
	r, err := OpenReadOnly(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var before int64
	for i := range 3 {
		to := filepath.Join(dir, fmt.Sprintf("copy%d.db", i))
		head, err := r.AuditHead(t.Context(), "main")
		if err != nil || head.Last <= before {
			t.Errorf("AuditHead = %v, %v, want more than %d: the server goes on", head, err, before)
		}
		if err := Backup(t.Context(), file, to); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(to); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the copy has mode %v, %v, want 0600", info.Mode(), err)
		}
		s := opened(t, to)
		rows, err := s.AuditRows(t.Context(), "main", 0, 1<<30)
		if err != nil || int64(len(rows)) < head.Last || rows[len(rows)-1].Seq != int64(len(rows)) {
			t.Errorf("the copy has %d rows, %v, want at least %d without gaps", len(rows), err, head.Last)
		}
		before = head.Last
	}
	if err := Backup(t.Context(), file, filepath.Join(dir, "copy0.db")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("Backup onto a file = %v, want fs.ErrExist", err)
	}
}

// TestReadOnlyChangesNothing opens what no server has open, and what cannot be
// opened.
func TestReadOnlyChangesNothing(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "state.db")
	s := open(t, file, Options{})
	err := s.Update(t.Context(), func(tx store.Tx) error { return storetest.Append(t.Context(), tx, "main", []byte("{}")) })
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	was, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	r, err := OpenReadOnly(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	if rows, err := r.AuditRows(t.Context(), "main", 0, 9); err != nil || len(rows) != 1 {
		t.Errorf("AuditRows = %v, %v", rows, err)
	}
	beside := opened(t, file) // the reader keeps nobody out
	if err := beside.Check(t.Context()); err != nil {
		t.Errorf("Check beside a reader = %v", err)
	}
	if err := errors.Join(r.Close(), beside.Close()); err != nil {
		t.Fatal(err)
	}
	if is, err := os.ReadFile(file); err != nil || len(is) != len(was) {
		t.Errorf("the file has %d bytes, %v, want %d", len(is), err, len(was))
	}
	junk, empty, older := filepath.Join(dir, "junk.db"), filepath.Join(dir, "empty.db"), filepath.Join(dir, "older.db")
	if err := errors.Join(os.WriteFile(junk, bytes.Repeat([]byte("junk"), 4096), 0o600), os.WriteFile(empty, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	if err := Backup(t.Context(), file, older); err != nil {
		t.Fatal(err)
	}
	version(t, older, "DELETE FROM goose_db_version WHERE version_id > 1")
	newer := filepath.Join(dir, "newer.db")
	if err := Backup(t.Context(), file, newer); err != nil {
		t.Fatal(err)
	}
	version(t, newer, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, 1)")
	for name, word := range map[string]string{
		filepath.Join(dir, "none.db"): "state.sqlite", dir: "not a file", junk: "state.sqlite", empty: "state.sqlite",
		older: "start the server once", newer: "newer Portico",
	} {
		if _, err := OpenReadOnly(t.Context(), name); !errors.Is(err, fault.ErrUnavailable) || !strings.Contains(err.Error(), word) {
			t.Errorf("OpenReadOnly(%s) = %v, want fault.ErrUnavailable that says %q", name, err, word)
		}
		target := filepath.Join(dir, "none", "copy.db")
		if err := Backup(t.Context(), name, target); err == nil {
			t.Errorf("Backup(%s) = nil, want an error", name)
		}
	}
	if info, err := os.Stat(empty); err != nil || info.Size() != 0 {
		t.Errorf("the empty file now has %d bytes, %v", info.Size(), err)
	}
}

// version changes what goose knows of a file.
func version(t *testing.T, file, statement string) {
	t.Helper()
	db, err := connect(file, false)
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.ExecContext(t.Context(), statement)
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}
