package parts_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"portico/internal/parts"
)

func TestPostgresOutages(t *testing.T) {
	t.Parallel()
	p := parts.OwnPostgres(t)
	p.Exec(t, p.DSN, "CREATE TABLE kept (n int)")
	if other := p.Fresh(t); other.DSN == p.DSN {
		t.Error("Fresh gave the same database")
	}
	// answers asks over a connection that stands.
	answers := func(c *pgx.Conn, within time.Duration) error {
		ctx, cancel := context.WithTimeout(t.Context(), within)
		defer cancel()
		_, err := c.Exec(ctx, "SELECT FROM kept")
		return err
	}
	connect := func() *pgx.Conn {
		t.Helper()
		c, err := pgx.Connect(t.Context(), p.DSN)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close(context.Background()) })
		return c
	}
	for name, end := range map[string]func(testing.TB){"Stop": p.Stop, "Kill": p.Kill} {
		c := connect()
		end(t)
		if err := answers(c, time.Minute); err == nil || p.PID() != 0 {
			t.Errorf("after %s there is an answer, or process %d", name, p.PID())
		}
		p.Start(t)
		if err := answers(connect(), time.Minute); err != nil {
			t.Errorf("after %s and Start: %v", name, err)
		}
	}
	c := connect()
	p.Freeze(t)
	if err := answers(c, 100*time.Millisecond); err == nil {
		t.Error("a frozen server answers")
	}
	p.Thaw(t)
	if err := answers(connect(), time.Minute); err != nil {
		t.Errorf("after Thaw: %v", err)
	}
}
