package postgres

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"portico/fault"
	"portico/internal/parts"
)

// wantRefusal wants an error that says why, without the password.
func wantRefusal(t *testing.T, dsn string, o Options, words ...string) {
	t.Helper()
	s, err := Open(t.Context(), dsn, o)
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
	if strings.Contains(err.Error(), "secret") {
		t.Errorf("Open = %q: it tells the password", err)
	}
}

func TestTLSIsWanted(t *testing.T) {
	for _, dsn := range []string{
		"postgres://u:secret@db.example/d",
		"postgres://u:secret@db.example/d?sslmode=prefer",
		"postgres://u:secret@db.example/d?sslmode=allow",
		"postgres://u:secret@db.example/d?sslmode=disable",
		"postgres://u:secret@127.0.0.1,db.example/d?sslmode=disable",
		"postgres://u:secret@192.0.2.1/d",
		"host=db.example user=u password=secret sslmode=disable",
	} {
		wantRefusal(t, dsn, Options{Replica: "a"}, "without TLS", "sslmode=verify-full")
	}
	for _, dsn := range []string{
		"postgres://u:secret@db.example/d?sslmode=verify-full",
		"postgres://u:secret@db.example/d?sslmode=require",
		"postgres://u:secret@127.0.0.1/d",
		"postgres://u:secret@[::1]/d?sslmode=disable",
		"postgres://u:secret@localhost/d",
		"host=/run/postgresql user=u",
	} {
		if _, err := connConfig(dsn, Options{}); err != nil {
			t.Errorf("connConfig(%s) = %v", dsn, err)
		}
	}
	if _, err := connConfig("postgres://u:secret@db.example/d", Options{DangerouslyAllowPlaintext: true}); err != nil {
		t.Errorf("connConfig with plaintext allowed = %v", err)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	p := parts.Postgres(t)
	u, err := url.Parse(p.DSN)
	if err != nil {
		t.Fatal(err)
	}
	with := func(change func(u *url.URL)) string {
		other := *u
		change(&other)
		return other.String()
	}
	o := Options{Replica: "a"}
	wantRefusal(t, with(func(u *url.URL) { u.User = url.UserPassword("portico", "wrong-secret") }), o, "cannot reach", u.Host, "password authentication failed")
	wantRefusal(t, with(func(u *url.URL) { u.Path = "/none" }), o, "cannot reach the state database none", "does not exist")
	wantRefusal(t, with(func(u *url.URL) { u.Host = "127.0.0.1:1" }), o, "cannot reach", "127.0.0.1:1")
	wantRefusal(t, "postgres://u:secret@127.0.0.1:port/d", o, "cannot read the address", "postgres://USER:PASSWORD@HOST/DATABASE")
	wantRefusal(t, "postgres://u:secret@127.0.0.1/d?sslmode=secret", o, "cannot read the address")
	wantRefusal(t, "host='secret", o, "cannot read the address")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Open(ctx, p.DSN, o); !errors.Is(err, context.Canceled) {
		t.Errorf("Open = %v, want context.Canceled", err)
	}
}

func TestNameTaken(t *testing.T) {
	t.Parallel()
	p := parts.Postgres(t)
	a := opened(t, p.DSN, "gate 1")
	hasty := times{beat: time.Second, patience: 5 * time.Second, silence: 10 * time.Second, name: 100 * time.Millisecond, again: time.Second}
	wantRefusal(t, p.DSN, Options{Replica: "gate 1", times: hasty}, `"gate 1"`, "server.replica of its own")
	if err := a.Check(t.Context()); err != nil {
		t.Errorf("Check after the refusal = %v", err)
	}
	// The same name on another database is another replica.
	opened(t, p.Fresh(t).DSN, "gate 1")
	// One who has ended is no hindrance, not even a moment before.
	closing := time.AfterFunc(200*time.Millisecond, func() { _ = a.Close() })
	defer closing.Stop()
	opened(t, p.DSN, "gate 1")
}

func TestHostIsTheName(t *testing.T) {
	t.Parallel()
	if got := opened(t, parts.Postgres(t).DSN, "").Replica(); got == "" {
		t.Error("the replica has no name")
	}
}

// TestStartTogether starts replicas at once on an empty database.
func TestStartTogether(t *testing.T) {
	t.Parallel()
	p := parts.Postgres(t)
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			s, err := Open(t.Context(), p.DSN, Options{Replica: strconv.Itoa(i)})
			if err != nil {
				t.Error(err)
				return
			}
			if err := errors.Join(s.Check(t.Context()), s.Close()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestNewerSchema(t *testing.T) {
	t.Parallel()
	p := parts.Postgres(t)
	s := open(t, p.DSN, "a")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	p.Exec(t, p.DSN, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, true)")
	wantRefusal(t, p.DSN, Options{Replica: "a"}, "newer Portico", "version 99", "backup")
}

// TestSettings holds what must not be left to the server's configuration.
func TestSettings(t *testing.T) {
	t.Parallel()
	p := parts.Postgres(t)
	s := opened(t, p.DSN, "a")
	p.Exec(t, p.DSN, "ALTER ROLE portico IN DATABASE "+s.config.Database+" SET synchronous_commit = off")
	conn, err := pgx.ConnectConfig(t.Context(), s.config)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	for setting, want := range map[string]string{
		"synchronous_commit": "on", "statement_timeout": "10s", "lock_timeout": "8s",
		"idle_in_transaction_session_timeout": "5s", "idle_session_timeout": "0", "application_name": "portico a",
		"tcp_keepalives_idle": "5", "tcp_user_timeout": "15000",
	} {
		var got string
		if err := conn.QueryRow(t.Context(), "SHOW "+setting).Scan(&got); err != nil || got != want {
			t.Errorf("%s = %s, %v, want %s", setting, got, err, want)
		}
	}
	held, err := s.lease.current()
	if err != nil {
		t.Fatal(err)
	}
	var got string
	if err := held.use(t.Context(), func(ctx context.Context, conn *pgx.Conn) error {
		return conn.QueryRow(ctx, "SHOW idle_session_timeout").Scan(&got)
	}); err != nil || got != "15s" {
		t.Errorf("idle_session_timeout of the lease = %s, %v, want 15s", got, err)
	}
}

func TestLogOfALostLease(t *testing.T) {
	t.Parallel()
	p := parts.Postgres(t)
	var log syncBuffer
	s := openWith(t, p.DSN, Options{Replica: "a", times: brisk(), Log: slog.New(slog.NewTextHandler(&log, nil))})
	p.Exec(t, p.Admin, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", strings.TrimPrefix(mustParse(t, p.DSN).Path, "/"))
	eventually(t, "the log tells", func() bool {
		return strings.Contains(log.String(), "claims is lost") && strings.Contains(log.String(), "can claim again")
	})
	if err := s.Check(t.Context()); err != nil {
		t.Errorf("Check = %v", err)
	}
	if strings.Contains(log.String(), "secret") {
		t.Errorf("the log tells the password:\n%s", log.String())
	}
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func mustParse(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
