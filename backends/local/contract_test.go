package local_test

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"portico/backends"
	"portico/backends/backendtest"
	"portico/backends/local"
)

// open opens a storage in dir and closes it with the test.
func open(t *testing.T, dir string, onCall func(backends.Call)) *local.Storage {
	t.Helper()
	s, err := local.Open(local.Options{Dir: dir, Rand: rand.Reader, Clock: time.Now, OnCall: onCall})
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

func TestContract(t *testing.T) {
	t.Parallel()
	plant := func(t *testing.T, s backends.Storage, name, content string) {
		t.Helper()
		path := filepath.Join(s.(*local.Storage).Dir(), name)
		if err := os.MkdirAll(filepath.Dir(path+"x"), 0o777); err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, "/") {
			if err := os.MkdirAll(path, 0o777); err != nil {
				t.Fatal(err)
			}
			return
		}
		if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	again := func(t *testing.T, s backends.Storage) backends.Storage {
		t.Helper()
		again, err := local.Open(local.Options{Dir: s.(*local.Storage).Dir(), Rand: rand.Reader, Clock: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		return again
	}
	backendtest.RunWith(t, backendtest.Options{Plant: plant, Again: again}, func(t *testing.T) backends.Storage {
		t.Helper()
		return open(t, t.TempDir(), nil)
	})
}
