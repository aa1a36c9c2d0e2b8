package postgres

import (
	"context"
	"errors"
	"testing"
	"time"

	"portico/internal/parts"
	"portico/vpath"
)

// TestTerminatedLease ends the lease session from outside: what it held is lost
// for its replica before the other one gets it.
func TestTerminatedLease(t *testing.T) {
	t.Parallel()
	p := parts.Postgres(t)
	a := openWith(t, p.DSN, Options{Replica: "a", times: brisk()})
	b := openWith(t, p.DSN, Options{Replica: "b", times: brisk()})
	c, err := a.Claim(t.Context(), vpath.Must("/w/x"))
	if err != nil {
		t.Fatal(err)
	}
	name, ok, err := a.ClaimName(t.Context(), "k", "n")
	if err != nil || !ok {
		t.Fatalf("ClaimName = %t, %v", ok, err)
	}
	held, err := a.lease.current()
	if err != nil {
		t.Fatal(err)
	}
	p.Exec(t, p.Admin, "SELECT pg_terminate_backend($1)", held.conn.PgConn().PID())
	got, err := b.Claim(t.Context(), vpath.Must("/w"))
	if err != nil {
		t.Fatal(err)
	}
	<-c.Lost()
	<-name.Lost()
	c.Release()
	name.Release()
	eventually(t, "a has a lease again", func() bool {
		c, ok, err := a.ClaimName(t.Context(), "k", "n")
		if err == nil && ok {
			c.Release()
		}
		return err == nil && ok
	})
	// The new lease has nothing of the old.
	select {
	case <-got.Lost():
		t.Error("the other's claim was lost too")
	default:
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := a.Claim(ctx, vpath.Must("/w/x")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Claim = %v, want context.DeadlineExceeded", err)
	}
	got.Release()
	again, err := a.Claim(t.Context(), vpath.Must("/w/x"))
	if err != nil {
		t.Fatal(err)
	}
	again.Release()
}

// TestSilentReplica is a process that is frozen, as far as the server can see:
// it says nothing more. It must count its claims as lost before the server gives
// them to another.
func TestSilentReplica(t *testing.T) {
	t.Parallel()
	p := parts.Postgres(t)
	mute := brisk()
	mute.beat = time.Hour
	a := openWith(t, p.DSN, Options{Replica: "a", times: mute})
	b := openWith(t, p.DSN, Options{Replica: "b", times: brisk()})
	c, err := a.Claim(t.Context(), vpath.Must("/w"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := b.Claim(t.Context(), vpath.Must("/w"))
	if err != nil {
		t.Fatal(err)
	}
	defer got.Release()
	select {
	case <-c.Lost():
	default:
		t.Error("two replicas held one claim")
	}
}

// TestServerEndsSilence holds that the server itself ends a session that says
// nothing, as it must when a process is halted and cannot.
func TestServerEndsSilence(t *testing.T) {
	t.Parallel()
	p := parts.Postgres(t)
	halted := brisk()
	halted.beat, halted.patience, halted.silence = time.Hour, time.Hour, 500*time.Millisecond
	a := openWith(t, p.DSN, Options{Replica: "a", times: halted})
	b := openWith(t, p.DSN, Options{Replica: "b", times: brisk()})
	if _, err := a.Claim(t.Context(), vpath.Must("/w")); err != nil {
		t.Fatal(err)
	}
	got, err := b.Claim(t.Context(), vpath.Must("/w"))
	if err != nil {
		t.Fatal(err)
	}
	got.Release()
	if alive, err := b.Alive(t.Context()); err != nil || len(alive) != 1 {
		t.Errorf("Alive = %q, %v, want b alone", alive, err)
	}
}
