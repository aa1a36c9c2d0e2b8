package sqlite

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"portico/fault"
	"portico/store"
	"portico/store/storetest"
)

func TestContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T, dir string) store.State {
		t.Helper()
		return open(t, filepath.Join(dir, "state.db"), Options{})
	})
}

// open opens without closing.
func open(tb testing.TB, file string, o Options) *Store {
	tb.Helper()
	s, err := Open(tb.Context(), file, o)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// opened is closed at the end of the test.
func opened(tb testing.TB, file string) *Store {
	tb.Helper()
	s := open(tb, file, Options{})
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Errorf("Close = %v", err)
		}
	})
	return s
}

// wantRefusal wants an error that says why, and leaves nothing behind.
func wantRefusal(t *testing.T, file string, words ...string) {
	t.Helper()
	s, err := Open(t.Context(), file, Options{})
	if err == nil {
		t.Fatal(errors.Join(errors.New("Open = nil, want an error"), s.Close()))
	}
	if !errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("Open = %v, which is no fault.ErrUnavailable", err)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("Open = %q, want it to say %q", err, word)
		}
	}
}

func TestSettings(t *testing.T) {
	s := opened(t, filepath.Join(t.TempDir(), "state.db"))
	for name, want := range map[string]string{
		"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "5000",
	} {
		var got string
		if err := s.write.QueryRowContext(t.Context(), "PRAGMA "+name).Scan(&got); err != nil || got != want {
			t.Errorf("%s of the writer = %s, %v, want %s", name, got, err, want)
		}
	}
	if _, err := s.read.ExecContext(t.Context(), "DELETE FROM locks"); err == nil {
		t.Error("a reader can write")
	}
}

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "new", "odd ?name%20#.db")
	s := opened(t, file)
	if err := s.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"", "-wal", "-shm", ".lock"} {
		info, err := os.Stat(file + name)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, want 0600", name, info.Mode())
		}
	}
	wantRefusal(t, filepath.Join(dir, "no", "folder", "state.db"), "no", "by hand")
	wantRefusal(t, dir, dir)
	wantRefusal(t, "/sys/portico-state.db", "/sys", "able to write") // where root cannot write either
	junk := filepath.Join(dir, "junk.db")
	if err := os.WriteFile(junk, bytes.Repeat([]byte("junk"), 4096), 0o600); err != nil {
		t.Fatal(err)
	}
	wantRefusal(t, junk, "junk.db", "backup")
}

func TestSecondOpen(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "state.db")
	s := open(t, file, Options{})
	wantRefusal(t, file, file, "another Portico", "stop that one")
	link := filepath.Join(dir, "link.db")
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	wantRefusal(t, link, "another Portico")
	if err := s.Check(t.Context()); err != nil {
		t.Errorf("Check after a refused second Open = %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	opened(t, link)
}

// start runs this test's binary as the child of main_test.go.
func start(t *testing.T, file string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), "PORTICO_TEST_CHILD="+file)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		t.Fatal("the child did nothing")
	}
	return cmd, lines
}

func TestSecondProcess(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state.db")
	cmd, lines := start(t, file)
	wantRefusal(t, file, "another Portico", fmt.Sprintf("process %d", cmd.Process.Pid))
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() { // to its end
	}
	_ = cmd.Wait()
	opened(t, file) // the lock died with its holder
}

// TestKill kills a writing process again and again: whatever it was told is
// stored must be there, and the file whole.
func TestKill(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state.db")
	acked := make(map[string]bool)
	for range 30 {
		cmd, lines := start(t, file)
		acked[lines.Text()] = true
		kill := time.AfterFunc(rand.N(40*time.Millisecond), func() { _ = cmd.Process.Kill() })
		for lines.Scan() {
			acked[lines.Text()] = true
		}
		_ = cmd.Wait()
		kill.Stop()
	}
	s := opened(t, file)
	rows, err := s.AuditRows(t.Context(), "main", 0, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	for i, row := range rows {
		if row.Seq != int64(i+1) {
			t.Fatalf("row %d has the number %d", i+1, row.Seq)
		}
		delete(acked, string(row.JSON))
	}
	if len(acked) != 0 {
		t.Errorf("%d acknowledged rows are lost: %v", len(acked), acked)
	}
	var verdict string
	if err := s.read.QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
		t.Errorf("integrity_check = %s, %v", verdict, err)
	}
	t.Logf("%d rows over 30 kills", len(rows))
}

func TestNewerSchema(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state.db")
	s := open(t, file, Options{})
	_, err := s.write.ExecContext(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, 1)")
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	wantRefusal(t, file, "newer Portico", "version 99", "backup")
	wantRefusal(t, file, "newer Portico") // and the first refusal let go of the lock
}

func TestDamage(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state.db")
	s := open(t, file, Options{})
	err := s.Update(t.Context(), func(tx store.Tx) error {
		for i := range 2000 {
			if err := storetest.Append(t.Context(), tx, "main", fmt.Appendf(nil, `"row %d"`, i)); err != nil {
				return err
			}
		}
		return nil
	})
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteAt(bytes.Repeat([]byte{0xA5}, 4096), info.Size()-8192)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	wantRefusal(t, file, file, "restore a backup")
	// With no time for the check the damage is not found, and the log says so.
	var log bytes.Buffer
	s = open(t, file, Options{CheckFor: 1, Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if !strings.Contains(log.String(), "ran out of time") {
		t.Errorf("log = %q, want a warning", log.String())
	}
}

func TestNetworkDisk(t *testing.T) {
	for magic, want := range map[uint32]string{
		unix.NFS_SUPER_MAGIC: "NFS", 0xFF534D42: "SMB", 0xFE534D42: "SMB", 0x00C36400: "CephFS",
		unix.EXT4_SUPER_MAGIC: "", unix.XFS_SUPER_MAGIC: "", unix.TMPFS_MAGIC: "", unix.OVERLAYFS_SUPER_MAGIC: "", 0x65735546: "",
	} {
		if got := networkDisk(magic); got != want {
			t.Errorf("networkDisk(%#x) = %q, want %q", magic, got, want)
		}
	}
}

// TestReplaced takes the file away from under the store.
func TestReplaced(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state.db")
	s := opened(t, file)
	if err := os.Rename(file, file+".away"); err != nil {
		t.Fatal(err)
	}
	if err := s.Check(t.Context()); !errors.Is(err, fault.ErrUnavailable) || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Check = %v, want fault.ErrUnavailable", err)
	}
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Check(t.Context()); !errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("Check = %v, want fault.ErrUnavailable", err)
	}
	if err := os.Rename(file+".away", file); err != nil {
		t.Fatal(err)
	}
	if err := s.Check(t.Context()); err != nil {
		t.Errorf("Check with the file back = %v", err)
	}
}

func TestReplicaName(t *testing.T) {
	for given, want := range map[string]string{"": "main", "gate1": "gate1"} {
		s := open(t, filepath.Join(t.TempDir(), "state.db"), Options{Replica: given})
		if got := s.Replica(); got != want {
			t.Errorf("Replica = %q, want %q", got, want)
		}
		if s.Shared() {
			t.Error("Shared = true")
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
