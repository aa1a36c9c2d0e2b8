package sqlite

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"portico/fault"
	"portico/store"
)

// TestOpenBeside writes to a database while another process does so without end;
// nothing of either is lost.
func TestOpenBeside(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state.db")
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
	for i := range 3 {
		s, err := OpenBeside(t.Context(), file, "a command", Options{})
		if err != nil {
			t.Fatal(err)
		}
		if s.Replica() != "a command" || s.Shared() {
			t.Errorf("Replica = %q, Shared = %t", s.Replica(), s.Shared())
		}
		row := store.AuditRow{Stream: s.Replica(), Seq: int64(i + 1), Time: time.Unix(1, 0), JSON: []byte(`{}`), Hash: []byte("h")}
		if err := s.Update(t.Context(), func(tx store.Tx) error { return tx.AppendAudit(row) }); err != nil {
			t.Errorf("Update = %v", err)
		}
		if err := errors.Join(s.Close(), s.Close()); err != nil {
			t.Errorf("Close = %v", err)
		}
	}
	r, err := OpenReadOnly(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if head, err := r.AuditHead(t.Context(), "a command"); err != nil || head.Last != 3 {
		t.Errorf("AuditHead = %+v, %v; want 3 rows", head, err)
	}
}

// TestOpenBesideRefuses makes no database, and takes none that is not one.
func TestOpenBesideRefuses(t *testing.T) {
	dir := t.TempDir()
	none, odd, old := filepath.Join(dir, "none.db"), filepath.Join(dir, "odd.db"), filepath.Join(dir, "old.db")
	if err := os.WriteFile(odd, []byte(strings.Repeat("no database", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	s := opened(t, old)
	if _, err := s.write.ExecContext(t.Context(), `DELETE FROM goose_db_version WHERE version_id = (SELECT max(version_id) FROM goose_db_version)`); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{none: "cannot find", odd: "as a state database", old: "start the server once"} {
		s, err := OpenBeside(t.Context(), file, "a command", Options{})
		if err == nil {
			t.Fatal(s.Close())
		}
		if !errors.Is(err, fault.ErrUnavailable) || !strings.Contains(err.Error(), want) {
			t.Errorf("OpenBeside(%s) = %v, want it to say %q", file, err, want)
		}
	}
	if _, err := os.Stat(none); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file was made: %v", err)
	}
}

// TestDestroyedKeyIsOverwritten looks for what was deleted in the bytes of the
// file.
func TestDestroyedKeyIsOverwritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state.db")
	s, err := Open(t.Context(), file, Options{})
	if err != nil {
		t.Fatal(err)
	}
	secret := bytes.Repeat([]byte("canary"), 10)
	update := func(f func(store.Tx) error) {
		t.Helper()
		if err := s.Update(t.Context(), f); err != nil {
			t.Fatal(err)
		}
	}
	holds := func() bool { // the last to close a file brings all of the log into it
		t.Helper()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(file)
		if err == nil {
			s, err = Open(t.Context(), file, Options{})
		}
		if err != nil {
			t.Fatal(err)
		}
		return bytes.Contains(text, secret)
	}
	for i := range 300 { // several pages
		name := fmt.Sprint("p_", i)
		update(func(tx store.Tx) error {
			return tx.PutAuditKey(store.AuditKey{Kind: "person", Name: name, Lookup: name, Wrapped: secret})
		})
	}
	if !holds() {
		t.Error("the file does not hold the keys")
	}
	for i := range 300 {
		update(func(tx store.Tx) error { return tx.DropAuditKey("person", fmt.Sprint("p_", i)) })
	}
	if holds() {
		t.Error("the file holds a key that was destroyed")
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
