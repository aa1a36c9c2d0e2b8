package audit

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func TestKeys(t *testing.T) {
	k := testKeys(t)
	if again := testKeys(t); again.ID() != k.ID() || again.Public() != k.Public() || !bytes.Equal(again.mac, k.mac) {
		t.Error("the same secret gives other keys")
	}
	if other := testKeysOf(t, "x"); other.ID() == k.ID() || bytes.Equal(other.mac, k.mac) {
		t.Error("another secret gives the same keys")
	}
	if bytes.Equal(k.mac, k.sign.Seed()) {
		t.Error("the two keys are one")
	}
	if _, err := NewKeys(testSecret[:31]); err == nil || !strings.Contains(err.Error(), "31 bytes") || strings.Contains(err.Error(), "kkk") {
		t.Errorf("NewKeys of 31 bytes = %v", err)
	}
	for _, text := range []string{"", "x", k.Public()[1:]} {
		if _, err := PublicKeys(text); err == nil {
			t.Errorf("PublicKeys(%q) = nil", text)
		}
	}
	for _, shown := range []string{fmt.Sprint(k), fmt.Sprintf("%+v", k), fmt.Sprintf("%#v", k)} {
		if shown != "audit key "+k.ID() {
			t.Errorf("keys are shown as %q", shown)
		}
	}
}

func TestKeyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	if _, err := ReadKeyFile(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("ReadKeyFile of none = %v", err)
	}
	var all [8][]byte
	var g sync.WaitGroup
	for i := range all {
		g.Go(func() {
			var err error
			if all[i], err = KeyFile(path, rand.Reader); err != nil {
				t.Error(err)
			}
		})
	}
	g.Wait()
	for _, secret := range all {
		if len(secret) < minKey || !bytes.Equal(secret, all[0]) {
			t.Errorf("secrets %d and %d bytes long, or not the same", len(secret), len(all[0]))
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
		t.Errorf("%v, %v, want the key alone", entries, err)
	}
}

func TestKeyFileRefused(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		name, text string
		mode       fs.FileMode
		want       string
	}{
		{"group", strings.Repeat("k", 40), 0o640, "chmod 600"},
		{"others", strings.Repeat("k", 40), 0o604, "chmod 600"},
		{"short", strings.Repeat("k", 31) + "\n", 0o600, "has 31 bytes and needs 32"},
		{"empty", "", 0o600, "has 0 bytes"},
	} {
		path := filepath.Join(dir, c.name)
		if err := os.WriteFile(path, []byte(c.text), c.mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, c.mode); err != nil { // whatever the umask is
			t.Fatal(err)
		}
		if _, err := KeyFile(path, rand.Reader); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "kkk") {
			t.Errorf("%s: KeyFile = %v, want %q", c.name, err, c.want)
		}
	}
	if _, err := KeyFile(filepath.Join(dir, "none", "key"), rand.Reader); err == nil || !strings.Contains(err.Error(), "cannot make") {
		t.Errorf("KeyFile in no folder = %v", err)
	}
	if _, err := KeyFile(filepath.Join(dir, "new"), strings.NewReader("few")); err == nil {
		t.Error("KeyFile without random bytes = nil")
	}
}
