package postgres

import (
	"testing"

	"portico/internal/parts"
	"portico/store"
	"portico/store/storetest"
)

func TestContract(t *testing.T) {
	made := make(map[string]parts.PG)
	storetest.Run(t, func(t *testing.T, dir string) store.State {
		t.Helper()
		p, ok := made[dir]
		if !ok {
			p = parts.Postgres(t)
			made[dir] = p
		}
		return open(t, p.DSN, "main")
	})
}

// open opens without closing.
func open(tb testing.TB, dsn, replica string) *Store {
	tb.Helper()
	s, err := Open(tb.Context(), dsn, Options{Replica: replica})
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// opened is closed at the end of the test.
func opened(tb testing.TB, dsn, replica string) *Store {
	tb.Helper()
	s := open(tb, dsn, replica)
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Errorf("Close = %v", err)
		}
	})
	return s
}

func TestShared(t *testing.T) {
	made := make(map[string]parts.PG) // by test
	storetest.RunShared(t, func(t *testing.T, replica string) store.State {
		t.Helper()
		p, ok := made[t.Name()]
		if !ok {
			p = parts.Postgres(t)
			made[t.Name()] = p
		}
		return open(t, p.DSN, replica)
	})
}
