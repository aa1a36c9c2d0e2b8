package sqlite

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"portico/fault"
	"portico/store"
	"portico/vpath"
)

// behind runs the functions as one batch: they wait while another Update holds
// the writer. It gives their answers.
func behind(t *testing.T, s *Store, all ...func(*tx) error) []error {
	t.Helper()
	entered, leave := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		_ = s.Update(t.Context(), func(store.Tx) error {
			close(entered)
			<-leave
			return nil
		})
	})
	<-entered
	answers := make([]error, len(all))
	// The writer takes the first alone if the others are late; then it waits
	// in it until all have arrived.
	var waiting sync.WaitGroup
	waiting.Add(len(all))
	for i, f := range all {
		wg.Go(func() {
			waiting.Done()
			answers[i] = s.Update(t.Context(), func(tt store.Tx) error {
				waiting.Wait()
				return f(tt.(*tx))
			})
		})
	}
	waiting.Wait()
	close(leave)
	wg.Wait()
	return answers
}

func row(n int) func(*tx) error {
	return func(x *tx) error { return x.AppendAudit(time.Unix(0, 0), fmt.Append(nil, n)) }
}

func count(t *testing.T, s *Store) int {
	t.Helper()
	rows, err := s.AuditRows(t.Context(), 0, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	return len(rows)
}

// TestCommitFails makes COMMIT itself fail, by a foreign key that is checked
// only then: nobody of the batch may be told of a success.
func TestCommitFails(t *testing.T) {
	s := opened(t, filepath.Join(t.TempDir(), "state.db"))
	_, err := s.writer.db.ExecContext(t.Context(), `CREATE TABLE child (a INTEGER REFERENCES audit (seq) DEFERRABLE INITIALLY DEFERRED)`)
	if err != nil {
		t.Fatal(err)
	}
	bad := func(x *tx) error {
		// The batch is open; whoever joins it shares its end.
		return x.do("test", `INSERT INTO child (a) VALUES (12345)`)
	}
	if err := s.Update(t.Context(), func(tt store.Tx) error { return bad(tt.(*tx)) }); !errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("Update = %v, want fault.ErrUnavailable", err)
	}
	stored := 0
	for _, err := range behind(t, s, row(1), bad, row(2), row(3), row(4)) {
		switch {
		case err == nil:
			stored++
		case !errors.Is(err, fault.ErrUnavailable):
			t.Errorf("Update = %v, want fault.ErrUnavailable", err)
		}
	}
	if got := count(t, s); got != stored {
		t.Errorf("%d Updates were told of a success, %d rows are stored", stored, got)
	}
	if err := s.Update(t.Context(), func(tt store.Tx) error { return row(5)(tt.(*tx)) }); err != nil {
		t.Errorf("the next Update = %v: the store did not recover", err)
	}
	if got := count(t, s); got != stored+1 {
		t.Errorf("%d rows, want %d", got, stored+1)
	}
}

// TestFull fills the database: SQLite then may end the transaction by itself,
// and a statement after that would be stored alone.
func TestFull(t *testing.T) {
	s := opened(t, filepath.Join(t.TempDir(), "state.db"))
	limit := func(pages int) {
		t.Helper()
		if err := s.Update(t.Context(), func(tt store.Tx) error {
			_, err := tt.(*tx).w.conn.ExecContext(t.Context(), fmt.Sprintf("PRAGMA max_page_count=%d", pages))
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	limit(1) // the present size, which is the least
	big := strings.Repeat("x", 1<<16)
	var second error
	err := s.Update(t.Context(), func(tx store.Tx) error {
		for range 10 {
			_ = tx.AppendAudit(time.Unix(0, 0), []byte(big)) // a caller that does not look
		}
		second = tx.AppendAudit(time.Unix(0, 0), []byte("small"))
		return nil
	})
	if !errors.Is(err, fault.ErrUnavailable) || !strings.Contains(err.Error(), "full") {
		t.Errorf("Update = %v, want fault.ErrUnavailable that says full", err)
	}
	if second == nil {
		t.Error("a statement after the failure was taken")
	}
	if got := count(t, s); got != 0 {
		t.Errorf("%d rows of a failed Update are stored", got)
	}
	limit(1 << 20)
	if err := s.Check(t.Context()); err != nil {
		t.Errorf("Check with room again = %v", err)
	}
}

// TestReadOnly makes every write fail: Check must tell, and reads go on.
func TestReadOnly(t *testing.T) {
	s := opened(t, filepath.Join(t.TempDir(), "state.db"))
	if err := s.Update(t.Context(), func(tt store.Tx) error {
		_, err := tt.(*tx).w.conn.ExecContext(t.Context(), "PRAGMA query_only=1")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if err := s.Check(t.Context()); !errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("Check = %v, want fault.ErrUnavailable", err)
	}
	if got := count(t, s); got != 0 {
		t.Errorf("%d rows", got)
	}
}

// TestPastTransaction ends the transaction inside an Update, as SQLite does on
// a failure of the disk: the whole batch must be told.
func TestPastTransaction(t *testing.T) {
	s := opened(t, filepath.Join(t.TempDir(), "state.db"))
	end := func(x *tx) error {
		_, err := x.w.conn.ExecContext(x.w.ctx, "ROLLBACK")
		return errors.Join(err, errors.New("judged by what is gone"))
	}
	stored := 0
	for _, err := range behind(t, s, row(1), row(2), end, row(3)) {
		if err == nil {
			stored++
		} else if !errors.Is(err, fault.ErrUnavailable) {
			t.Errorf("Update = %v, want fault.ErrUnavailable", err)
		}
	}
	if got := count(t, s); got != stored {
		t.Errorf("%d Updates were told of a success, %d rows are stored", stored, got)
	}
}

// TestTurnTooLate: the context ended after the writer took the turn and before
// f began.
func TestTurnTooLate(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	late := &turn{ran: make(chan error, 1)}
	late.run(ctx, nil, func(store.Tx) error {
		t.Error("f ran")
		return nil
	})
	if err := <-late.ran; !errors.Is(err, context.Canceled) {
		t.Errorf("the verdict is %v, want context.Canceled", err)
	}
}

// TestBatch holds that those who wait share commits.
func TestBatch(t *testing.T) {
	s := opened(t, filepath.Join(t.TempDir(), "state.db"))
	all := make([]func(*tx) error, 2*maxBatch)
	var most, now atomic.Int64
	for i := range all {
		all[i] = func(x *tx) error {
			// data_version is no help on the writer's own connection; the rows
			// that nobody else can see yet are.
			outside, err := s.AuditRows(t.Context(), 0, 1<<20)
			if err != nil {
				return err
			}
			most.Store(max(most.Load(), now.Add(1)-int64(len(outside))))
			return row(i)(x)
		}
	}
	for i, err := range behind(t, s, all...) {
		if err != nil {
			t.Errorf("Update %d = %v", i, err)
		}
	}
	if got := most.Load(); got < 2 || got > maxBatch {
		t.Errorf("the largest batch held %d, want 2 to %d", got, maxBatch)
	}
	if got := count(t, s); got != len(all) {
		t.Errorf("%d rows, want %d", got, len(all))
	}
}

// TestCloseWaits closes while an Update runs and others wait: each is
// answered, and what was told to be stored is.
func TestCloseWaits(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state.db")
	s := open(t, file, Options{})
	entered, leave := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	var stored atomic.Int64
	try := func(f func(*tx) error) {
		if err := s.Update(t.Context(), func(tt store.Tx) error { return f(tt.(*tx)) }); err == nil {
			stored.Add(1)
		} else if !errors.Is(err, fault.ErrUnavailable) {
			t.Errorf("Update = %v", err)
		}
	}
	wg.Go(func() { try(func(x *tx) error { close(entered); <-leave; return row(0)(x) }) })
	<-entered
	for i := range 10 {
		wg.Go(func() { try(row(i)) })
	}
	closing := make(chan error)
	go func() { closing <- s.Close() }()
	<-s.writer.quit
	close(leave)
	wg.Wait()
	if err := <-closing; err != nil {
		t.Errorf("Close = %v", err)
	}
	if got := int64(count(t, opened(t, file))); got != stored.Load() || got == 0 {
		t.Errorf("%d rows, %d were told of a success", got, stored.Load())
	}
}

func BenchmarkUpdate(b *testing.B) {
	for _, goroutines := range []int{1, 16} {
		b.Run(strconv.Itoa(goroutines), func(b *testing.B) {
			s := opened(b, filepath.Join(b.TempDir(), "state.db"))
			work := make(chan int)
			var wg sync.WaitGroup
			for range goroutines {
				wg.Go(func() {
					for n := range work {
						if err := s.Update(b.Context(), func(tt store.Tx) error { return row(n)(tt.(*tx)) }); err != nil {
							b.Error(err)
						}
					}
				})
			}
			b.ResetTimer()
			for n := range b.N {
				work <- n
			}
			close(work)
			wg.Wait()
		})
	}
}

func BenchmarkLocksOn(b *testing.B) {
	s := opened(b, filepath.Join(b.TempDir(), "state.db"))
	p := deepPath()
	for b.Loop() {
		if _, err := s.LocksOn(b.Context(), p, time.Unix(0, 0)); err != nil {
			b.Fatal(err)
		}
	}
}

func deepPath() vpath.Path { return vpath.Must("/firm/Clients/Acme/2026/March/letter.docx") }
