package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"portico/fault"
	"portico/internal/parts"
	"portico/store"
	"portico/store/storetest"
	"portico/vpath"
)

// brisk are the times of a lease for tests, in the same order as the real ones.
func brisk() times {
	return times{
		beat: 100 * time.Millisecond, patience: time.Second, silence: 2500 * time.Millisecond,
		name: 10 * time.Second, again: 200 * time.Millisecond,
	}
}

func openWith(t *testing.T, dsn string, o Options) *Store {
	t.Helper()
	s, err := Open(t.Context(), dsn, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() }) // the server may be away
	return s
}

// eventually asks until the answer is yes.
func eventually(t *testing.T, what string, ask func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for !ask() {
		if !sleep(ctx, 20*time.Millisecond) {
			t.Fatalf("%s: not after 30 s", what)
		}
	}
}

func appendRow(s *Store, ctx context.Context, text string) error { //nolint:revive // reads like a method
	return s.Update(ctx, func(tx store.Tx) error { return storetest.Append(ctx, tx, s.Replica(), []byte(text)) })
}

// TestKilledServer kills the server under Updates of two replicas, again and
// again: whatever was acknowledged must be there, and both must heal by
// themselves.
func TestKilledServer(t *testing.T) {
	t.Parallel()
	p := parts.OwnPostgres(t)
	replicas := []*Store{
		openWith(t, p.DSN, Options{Replica: "a", times: brisk()}),
		openWith(t, p.DSN, Options{Replica: "b", times: brisk()}),
	}
	stop := make(chan struct{})
	var mu sync.Mutex
	acked := make(map[string]bool)
	var failures int
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			s := replicas[i%2]
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				id := fmt.Sprintf("%d-%d", i, n)
				err := appendRow(s, t.Context(), id)
				mu.Lock()
				if err == nil {
					acked[id] = true
				} else {
					failures++
				}
				mu.Unlock()
				if err != nil && !errors.Is(err, fault.ErrUnavailable) {
					t.Errorf("Update = %v, want fault.ErrUnavailable", err)
				}
			}
		})
	}
	count := func() int {
		mu.Lock()
		defer mu.Unlock()
		return len(acked)
	}
	for round := range 3 {
		before := count()
		eventually(t, "rows are stored", func() bool { return count() > before+50 })
		if round == 1 {
			p.Stop(t)
		} else {
			p.Kill(t)
		}
		p.Start(t)
	}
	before := count()
	eventually(t, "rows are stored again", func() bool { return count() > before+50 })
	close(stop)
	wg.Wait()
	if failures == 0 {
		t.Error("no Update failed: the server was not killed under one")
	}
	for _, s := range replicas {
		rows, err := s.AuditRows(t.Context(), s.Replica(), 0, 1<<30)
		if err != nil {
			t.Fatal(err)
		}
		for i, row := range rows {
			if row.Seq != int64(i+1) {
				t.Fatalf("row %d has the number %d", i+1, row.Seq)
			}
			delete(acked, string(row.JSON))
		}
	}
	if len(acked) != 0 {
		t.Errorf("%d acknowledged rows are lost: %v", len(acked), acked)
	}
	for _, s := range replicas {
		eventually(t, s.Replica()+" can be used", func() bool { return s.Check(t.Context()) == nil })
	}
}

// TestServerAway stops the server: each answer is an error that says so, soon,
// and all is well when it is back.
func TestServerAway(t *testing.T) {
	t.Parallel()
	p := parts.OwnPostgres(t)
	s := openWith(t, p.DSN, Options{Replica: "a", times: brisk()})
	if _, err := s.Locks(t.Context(), time.Unix(0, 0)); err != nil {
		t.Fatal(err)
	}
	c, err := s.Claim(t.Context(), vpath.Must("/w"))
	if err != nil {
		t.Fatal(err)
	}
	lost := make(chan error, 100)
	woken := make(chan struct{}, 1000)
	watching, over := context.WithCancel(t.Context())
	defer over()
	go func() {
		_ = s.Watch(watching, func() { woken <- struct{}{} }, func(err error) { lost <- err })
	}()
	<-woken
	p.Stop(t)
	<-c.Lost()
	if err := <-lost; !errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("lost(%v), want fault.ErrUnavailable", err)
	}
	c.Release() // does nothing, and does not hang
	eventually(t, "no claim is given", func() bool {
		_, err := s.Claim(t.Context(), vpath.Must("/w"))
		return errors.Is(err, fault.ErrUnavailable)
	})
	for what, err := range map[string]error{
		"Update": appendRow(s, t.Context(), "1"), "Check": s.Check(t.Context()),
		"Locks": second(s.Locks(t.Context(), time.Unix(0, 0))), "Alive": second(s.Alive(t.Context())),
	} {
		if !errors.Is(err, fault.ErrUnavailable) {
			t.Errorf("%s = %v, want fault.ErrUnavailable", what, err)
		}
	}
	for len(woken) > 0 {
		<-woken
	}
	p.Start(t)
	// The first of each heals: no answer is lost to a connection that has ended.
	if err := appendRow(s, t.Context(), "2"); err != nil {
		t.Errorf("Update = %v", err)
	}
	if _, err := s.Locks(t.Context(), time.Unix(0, 0)); err != nil {
		t.Errorf("Locks = %v", err)
	}
	<-woken
	eventually(t, "a claim is given", func() bool {
		c, err := s.Claim(t.Context(), vpath.Must("/w"))
		if err != nil {
			return false
		}
		c.Release()
		return true
	})
	if err := s.Check(t.Context()); err != nil {
		t.Errorf("Check = %v", err)
	}
}

func second[T any](_ T, err error) error { return err }

// TestRestartBetween restarts the server while nobody asks: the next Update and
// the next reads find out, and nobody hears of it.
func TestRestartBetween(t *testing.T) {
	t.Parallel()
	p := parts.OwnPostgres(t)
	s := openWith(t, p.DSN, Options{Replica: "a", times: brisk()})
	use := func() {
		t.Helper()
		var wg sync.WaitGroup
		for i := range 2 * readers {
			wg.Go(func() {
				if i == 0 {
					if err := appendRow(s, t.Context(), "x"); err != nil {
						t.Errorf("Update = %v", err)
					}
				}
				if _, err := s.Moves(t.Context()); err != nil {
					t.Errorf("Moves = %v", err)
				}
			})
		}
		wg.Wait()
	}
	use()
	for range 2 {
		p.Kill(t)
		p.Start(t)
		use()
	}
}

// TestFrozenServer halts the server: the worst outage, since nothing fails.
func TestFrozenServer(t *testing.T) {
	t.Parallel()
	p := parts.OwnPostgres(t)
	s := openWith(t, p.DSN, Options{Replica: "a", times: brisk()})
	c, err := s.Claim(t.Context(), vpath.Must("/w"))
	if err != nil {
		t.Fatal(err)
	}
	lost := make(chan error, 100)
	watching, over := context.WithCancel(t.Context())
	defer over()
	go func() { _ = s.Watch(watching, func() {}, func(err error) { lost <- err }) }()
	p.Freeze(t)
	<-c.Lost()
	if err := s.Check(t.Context()); !errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("Check = %v, want fault.ErrUnavailable", err)
	}
	if err := <-lost; !errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("lost(%v), want fault.ErrUnavailable", err)
	}
	// A request ends with its own time, whatever the store waits for.
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := appendRow(s, ctx, "x"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Update = %v, want context.DeadlineExceeded", err)
	}
	if _, err := s.Moves(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Moves = %v, want context.DeadlineExceeded", err)
	}
	p.Thaw(t)
	eventually(t, "it can be used", func() bool { return s.Check(t.Context()) == nil })
	eventually(t, "a claim is given", func() bool {
		c, err := s.Claim(t.Context(), vpath.Must("/w"))
		if err == nil {
			c.Release()
		}
		return err == nil
	})
}

// TestStuckWriter is a replica that is halted in the middle of its transaction:
// the server ends that, and the others go on.
func TestStuckWriter(t *testing.T) {
	t.Parallel()
	p := parts.Postgres(t)
	a := openWith(t, p.DSN, Options{Replica: "a", times: brisk()})
	b := openWith(t, p.DSN, Options{Replica: "b", times: brisk()})
	entered, leave := make(chan struct{}), make(chan struct{})
	stuck := make(chan error, 1)
	go func() {
		stuck <- a.Update(t.Context(), func(tx store.Tx) error {
			err := storetest.Append(t.Context(), tx, "a", []byte("{}"))
			close(entered)
			<-leave
			return err
		})
	}()
	<-entered
	if err := appendRow(b, t.Context(), "{}"); err != nil {
		t.Errorf("Update of the other = %v", err)
	}
	close(leave)
	if err := <-stuck; !errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("Update of the one that was stuck = %v, want fault.ErrUnavailable", err)
	}
	if err := appendRow(a, t.Context(), "{}"); err != nil {
		t.Errorf("its next Update = %v", err)
	}
	for stream, want := range map[string]int64{"a": 1, "b": 1} {
		if head, err := b.AuditHead(t.Context(), stream); err != nil || head.Last != want {
			t.Errorf("stream %s has %d rows, %v, want %d", stream, head.Last, err, want)
		}
	}
}
