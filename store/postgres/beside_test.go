package postgres

import (
	"errors"
	"strings"
	"testing"
	"time"

	"portico/fault"
	"portico/internal/parts"
	"portico/store"
)

// TestBeside reads what a replica has written, while it runs, and writes nothing.
func TestBeside(t *testing.T) {
	t.Parallel()
	p := parts.Postgres(t)
	if what, err := Ping(t.Context(), p.DSN); err != nil || !strings.HasSuffix(what, ", empty") {
		t.Errorf("Ping of an empty database = %q, %v", what, err)
	}
	if _, err := OpenReadOnly(t.Context(), p.DSN); !errors.Is(err, fault.ErrUnavailable) || !strings.Contains(err.Error(), "no state") {
		t.Errorf("OpenReadOnly of an empty database = %v", err)
	}
	s := opened(t, p.DSN, "a")
	err := s.Update(t.Context(), func(tx store.Tx) error {
		return tx.AppendAudit(store.AuditRow{Stream: "a", Seq: 1, Time: time.Unix(1, 0), JSON: []byte(`{}`), Hash: []byte("h")})
	})
	if err != nil {
		t.Fatal(err)
	}
	pool, err := OpenReadOnly(t.Context(), p.DSN)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	rows, err := pool.AuditRows(t.Context(), "a", 0, 10)
	if err != nil || len(rows) != 1 {
		t.Errorf("AuditRows = %v, %v", rows, err)
	}
	alive, err := s.Alive(t.Context())
	if err != nil || len(alive) != 1 {
		t.Errorf("Alive = %v, %v: a reader takes no name", alive, err)
	}
	p.Exec(t, p.DSN, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, true)`)
	for what, err := range map[string]error{"Ping": second(Ping(t.Context(), p.DSN)), "OpenReadOnly": second(OpenReadOnly(t.Context(), p.DSN))} {
		if !errors.Is(err, fault.ErrUnavailable) || !strings.Contains(err.Error(), "newer Portico") {
			t.Errorf("%s of a newer state = %v", what, err)
		}
	}
}

// TestOpenBeside writes as one more replica, and changes no tables.
func TestOpenBeside(t *testing.T) {
	t.Parallel()
	p := parts.Postgres(t)
	o := Options{Replica: "a command"}
	if _, err := OpenBeside(t.Context(), p.DSN, o); !errors.Is(err, fault.ErrUnavailable) || !strings.Contains(err.Error(), "start a server") {
		t.Errorf("OpenBeside of an empty database = %v", err)
	}
	server := opened(t, p.DSN, "a")
	s, err := OpenBeside(t.Context(), p.DSN, o)
	if err != nil {
		t.Fatal(err)
	}
	if alive, err := server.Alive(t.Context()); err != nil || len(alive) != 2 {
		t.Errorf("Alive = %v, %v; want the command beside the server", alive, err)
	}
	err = s.Update(t.Context(), func(tx store.Tx) error { return tx.PutAttempts(store.Attempts{Key: "k", Count: 1}) })
	if err = errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	if got, err := server.AttemptsUnder(t.Context(), "k"); err != nil || len(got) != 1 {
		t.Errorf("the server sees %v, %v", got, err)
	}
	p.Exec(t, p.DSN, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, true)`)
	if _, err := OpenBeside(t.Context(), p.DSN, o); !errors.Is(err, fault.ErrUnavailable) || !strings.Contains(err.Error(), "newer Portico") {
		t.Errorf("OpenBeside of a newer state = %v", err)
	}
}
