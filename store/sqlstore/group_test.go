package sqlstore_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"portico/fault"
	"portico/store"
	"portico/store/sqlite"
	"portico/store/sqlstore"
	"portico/store/storetest"
)

// behind runs the functions as one batch: they wait while another Update holds
// the writer. It gives their answers.
func behind(t *testing.T, s *sqlite.Store, all ...func(store.Tx) error) []error {
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
			answers[i] = s.Update(t.Context(), func(tx store.Tx) error {
				waiting.Wait()
				return f(tx)
			})
		})
	}
	waiting.Wait()
	close(leave)
	wg.Wait()
	return answers
}

func row(t *testing.T, n int) func(store.Tx) error {
	t.Helper()
	return func(tx store.Tx) error { return storetest.Append(t.Context(), tx, "main", fmt.Append(nil, n)) }
}

func count(t *testing.T, s *sqlite.Store) int {
	t.Helper()
	rows, err := s.AuditRows(t.Context(), "main", 0, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	return len(rows)
}

// TestCommitFails makes COMMIT itself fail, by a foreign key that is checked
// only then: nobody of the batch may be told of a success.
func TestCommitFails(t *testing.T) {
	s := opened(t, filepath.Join(t.TempDir(), "state.db"))
	err := s.Update(t.Context(), func(tx store.Tx) error {
		return sqlstore.Raw(tx, `CREATE TABLE child (a INTEGER REFERENCES moves (number) DEFERRABLE INITIALLY DEFERRED)`)
	})
	if err != nil {
		t.Fatal(err)
	}
	bad := func(x store.Tx) error {
		// The batch is open; whoever joins it shares its end.
		return sqlstore.Raw(x, `INSERT INTO child (a) VALUES (12345)`)
	}
	if err := s.Update(t.Context(), bad); !errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("Update = %v, want fault.ErrUnavailable", err)
	}
	stored := 0
	for _, err := range behind(t, s, row(t, 1), bad, row(t, 2), row(t, 3), row(t, 4)) {
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
	if err := s.Update(t.Context(), row(t, 5)); err != nil {
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
			_, err := sqlstore.Conn(tt).ExecContext(t.Context(), fmt.Sprintf("PRAGMA max_page_count=%d", pages))
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
			_ = storetest.Append(t.Context(), tx, "main", []byte(big)) // a caller that does not look
		}
		second = storetest.Append(t.Context(), tx, "main", []byte("small"))
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

// TestNoWrites makes the write of a check fail: Check must tell, and reads go on.
func TestNoWrites(t *testing.T) {
	s := opened(t, filepath.Join(t.TempDir(), "state.db"))
	if err := s.Update(t.Context(), func(tx store.Tx) error {
		return sqlstore.Raw(tx, "CREATE TRIGGER no BEFORE UPDATE ON probe BEGIN SELECT RAISE(ABORT, 'no'); END")
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

// TestLostConnection spoils the connection between two Updates: the next one
// must get another.
func TestLostConnection(t *testing.T) {
	s := opened(t, filepath.Join(t.TempDir(), "state.db"))
	if err := s.Update(t.Context(), func(tx store.Tx) error {
		_, err := sqlstore.Conn(tx).ExecContext(t.Context(), "PRAGMA query_only=1")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if err := s.Check(t.Context()); err != nil {
		t.Errorf("Check = %v", err)
	}
}

// TestPastTransaction ends the transaction inside an Update, as SQLite does on
// a failure of the disk: the whole batch must be told.
func TestPastTransaction(t *testing.T) {
	s := opened(t, filepath.Join(t.TempDir(), "state.db"))
	end := func(x store.Tx) error {
		_, err := sqlstore.Conn(x).ExecContext(t.Context(), "ROLLBACK")
		return errors.Join(err, errors.New("judged by what is gone"))
	}
	stored := 0
	for _, err := range behind(t, s, row(t, 1), row(t, 2), end, row(t, 3)) {
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

// TestBatch holds that those who wait share commits.
func TestBatch(t *testing.T) {
	s := opened(t, filepath.Join(t.TempDir(), "state.db"))
	all := make([]func(store.Tx) error, 2*sqlstore.MaxBatch)
	var most, now atomic.Int64
	for i := range all {
		all[i] = func(x store.Tx) error {
			// data_version is no help on the writer's own connection; the rows
			// that nobody else can see yet are.
			outside, err := s.AuditRows(t.Context(), "main", 0, 1<<20)
			if err != nil {
				return err
			}
			most.Store(max(most.Load(), now.Add(1)-int64(len(outside))))
			return row(t, i)(x)
		}
	}
	for i, err := range behind(t, s, all...) {
		if err != nil {
			t.Errorf("Update %d = %v", i, err)
		}
	}
	if got := most.Load(); got < 2 || got > sqlstore.MaxBatch {
		t.Errorf("the largest batch held %d, want 2 to %d", got, sqlstore.MaxBatch)
	}
	if got := count(t, s); got != len(all) {
		t.Errorf("%d rows, want %d", got, len(all))
	}
}

// TestCloseWaits closes while an Update runs and others wait: each is
// answered, and what was told to be stored is.
func TestCloseWaits(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state.db")
	s := open(t, file)
	entered, leave := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	var stored atomic.Int64
	try := func(f func(store.Tx) error) {
		if err := s.Update(t.Context(), f); err == nil {
			stored.Add(1)
		} else if !errors.Is(err, fault.ErrUnavailable) {
			t.Errorf("Update = %v", err)
		}
	}
	wg.Go(func() { try(func(x store.Tx) error { close(entered); <-leave; return row(t, 0)(x) }) })
	<-entered
	for i := range 10 {
		wg.Go(func() { try(row(t, i)) })
	}
	closing := make(chan error)
	go func() { closing <- s.Close() }()
	<-s.Quit()
	close(leave)
	wg.Wait()
	if err := <-closing; err != nil {
		t.Errorf("Close = %v", err)
	}
	if got := int64(count(t, opened(t, file))); got != stored.Load() || got == 0 {
		t.Errorf("%d rows, %d were told of a success", got, stored.Load())
	}
}
