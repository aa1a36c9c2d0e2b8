package storetest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"portico/fault"
	"portico/store"
	"portico/vpath"
)

var errNo = errors.New("no")

// Append adds a row behind the last of a stream.
func Append(ctx context.Context, tx store.Tx, stream string, json []byte) error {
	head, err := tx.AuditHead(ctx, stream)
	if err != nil {
		return err
	}
	hash := sha256.Sum256(append(head.Head, json...))
	return tx.AppendAudit(store.AuditRow{Stream: stream, Seq: head.Last + 1, Time: now(), JSON: json, Hash: hash[:]})
}

// put appends an audit row that holds n, and so counts.
func (s *suite) put(tx store.Tx, n int) error {
	return Append(s.Context(), tx, "main", fmt.Appendf(nil, `%d`, n))
}

// rows are the numbers that put wrote.
func (s *suite) rows() []string {
	s.Helper()
	var all []string
	for i, row := range must[[]store.AuditRow](s)(s.AuditRows(s.Context(), "main", 0, 10_000)) {
		if row.Seq != int64(i+1) {
			s.Fatalf("row %d has the number %d", i+1, row.Seq)
		}
		all = append(all, string(row.JSON))
	}
	return all
}

func updateSeesItself(s *suite) {
	l := lock("/w/a", true)
	s.update(func(tx store.Tx) error {
		if err := errors.Join(tx.PutLock(l), tx.PutProp(l.Path, prop("p", "")), s.put(tx, 1)); err != nil {
			return err
		}
		locks := must[[]store.Lock](s)(tx.LocksOn(s.Context(), vpath.Must("/w/a/b"), now()))
		s.equal("LocksOn inside", tokens(locks), []string{"/w/a"})
		s.equal("LocksOf inside", must[int](s)(tx.LocksOf(s.Context(), "id-ann", now())), 1)
		s.equal("PropsOf inside", len(must[[]store.Prop](s)(tx.PropsOf(s.Context(), l.Path))), 1)
		s.equal("AuditRows inside", len(must[[]store.AuditRow](s)(tx.AuditRows(s.Context(), "main", 0, 9))), 1)
		// Nobody else sees it yet.
		s.equal("Locks outside", tokens(must[[]store.Lock](s)(s.Locks(s.Context(), now()))), []string(nil))
		return nil
	})
	s.equal("Locks after", tokens(must[[]store.Lock](s)(s.Locks(s.Context(), now()))), []string{"/w/a"})
}

func updateErrorUndoes(s *suite) {
	s.update(func(tx store.Tx) error { return s.put(tx, 1) })
	err := s.Update(s.Context(), func(tx store.Tx) error {
		l := lock("/w/a", true)
		if err := errors.Join(s.put(tx, 2), tx.PutLock(l), tx.PutProp(l.Path, prop("p", "")), tx.PutMove(store.Move{ID: "m", From: l.Path, To: l.Path})); err != nil {
			return err
		}
		return fmt.Errorf("wrapped: %w", errNo)
	})
	if !errors.Is(err, errNo) {
		s.Errorf("Update = %v, want the error of f", err)
	}
	s.equal("rows", s.rows(), []string{"1"})
	s.equal("locks", tokens(must[[]store.Lock](s)(s.Locks(s.Context(), now()))), []string(nil))
	s.equal("props", s.texts("/w/a"), want())
	s.equal("moves", must[[]store.Move](s)(s.Moves(s.Context())), []store.Move{})
}

func updatePanicUndoes(s *suite) {
	func() {
		defer func() {
			if got := recover(); got != "boom" {
				s.Errorf("Update panicked with %v, want the value of f", got)
			}
		}()
		_ = s.Update(s.Context(), func(tx store.Tx) error {
			if err := s.put(tx, 1); err != nil {
				return err
			}
			panic("boom")
		})
		s.Error("Update returned although f panicked")
	}()
	s.update(func(tx store.Tx) error { return s.put(tx, 2) })
	s.equal("rows", s.rows(), []string{"2"})
}

// updateGoexitUndoes is what a t.Fatal inside f does.
func updateGoexitUndoes(s *suite) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Update(s.Context(), func(tx store.Tx) error {
			if err := s.put(tx, 1); err != nil {
				s.Error(err)
			}
			runtime.Goexit()
			return nil
		})
	}()
	<-done
	s.update(func(tx store.Tx) error { return s.put(tx, 2) })
	s.equal("rows", s.rows(), []string{"2"})
}

// updateCancelled ends the wait of one whose turn has not come.
func updateCancelled(s *suite) {
	if err := s.Update(ended(s.T), func(tx store.Tx) error { return s.put(tx, 1) }); !errors.Is(err, context.Canceled) {
		s.Errorf("Update = %v, want context.Canceled", err)
	}
	entered, leave := make(chan struct{}), make(chan struct{})
	first := make(chan error, 1)
	go func() {
		first <- s.Update(s.Context(), func(tx store.Tx) error {
			close(entered)
			<-leave
			return s.put(tx, 2)
		})
	}()
	<-entered
	plain, cancel := context.WithCancel(s.Context())
	ctx := &watched{Context: plain, asked: make(chan struct{})}
	second := make(chan error, 1)
	go func() { second <- s.Update(ctx, func(tx store.Tx) error { return s.put(tx, 3) }) }()
	<-ctx.asked
	cancel()
	if err := <-second; !errors.Is(err, context.Canceled) || errors.Is(err, fault.ErrUnavailable) {
		s.Errorf("Update = %v, want context.Canceled and no fault of the store", err)
	}
	close(leave)
	if err := <-first; err != nil {
		s.Errorf("Update = %v", err)
	}
	s.equal("rows", s.rows(), []string{"2"})
}

// watched tells when somebody begins to wait for its end.
type watched struct {
	context.Context
	once  sync.Once
	asked chan struct{}
}

func (w *watched) Done() <-chan struct{} {
	w.once.Do(func() { close(w.asked) })
	return w.Context.Done()
}

// updateCancelledLate ends the context while f runs: what f gives stands.
func updateCancelledLate(s *suite) {
	ctx, cancel := context.WithCancel(s.Context())
	err := s.Update(ctx, func(tx store.Tx) error {
		cancel()
		if _, err := tx.Moves(ctx); err != nil {
			return err
		}
		return s.put(tx, 1) //nolint:contextcheck // that one has ended
	})
	if err != nil {
		s.Errorf("Update = %v, want nil", err)
	}
	s.equal("rows", s.rows(), []string{"1"})
}

// updateMany runs 200 at once, of which every fourth fails and every tenth panics.
func updateMany(s *suite) {
	const n = 200
	var wg sync.WaitGroup
	var good atomic.Int64
	for i := range n {
		wg.Go(func() {
			defer func() { _ = recover() }()
			if updateOne(s, i) {
				good.Add(1)
			}
		})
	}
	wg.Wait()
	rows := s.rows()
	if int64(len(rows)) != good.Load() {
		s.Errorf("%d rows after %d good Updates", len(rows), good.Load())
	}
	seen := make(map[string]bool)
	for _, row := range rows {
		if seen[row] {
			s.Errorf("the Update %s ran twice", row)
		}
		seen[row] = true
	}
}

// updateOne is one Update of updateMany. It tells whether its row is stored.
func updateOne(s *suite, i int) bool {
	var verdict error
	if i%4 == 0 {
		verdict = errNo
	}
	err := s.Update(s.Context(), func(tx store.Tx) error {
		if i%10 == 0 {
			defer panic(i)
		}
		return errors.Join(s.put(tx, i), verdict)
	})
	if errors.Is(err, errNo) != (verdict != nil) || verdict == nil && err != nil {
		s.Errorf("Update %d = %v, want %v", i, err, verdict)
	}
	return err == nil
}

// updateBatchIsolation makes many wait behind one, so that they share a
// commit, and counts with a read and a write: a lost update would show.
func updateBatchIsolation(s *suite) {
	const n = 50
	entered, leave := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		_ = s.Update(s.Context(), func(store.Tx) error {
			close(entered)
			<-leave
			return errNo
		})
	})
	<-entered
	for i := range n {
		wg.Go(func() {
			_ = s.Update(s.Context(), func(tx store.Tx) error {
				locks, err := tx.Locks(s.Context(), now())
				if err != nil {
					return err
				}
				if err := tx.PutLock(lock(fmt.Sprintf("/w/%03d", len(locks)), false)); err != nil {
					return err
				}
				if i%2 == 1 {
					return errNo
				}
				return nil
			})
		})
	}
	close(leave)
	wg.Wait()
	locks := must[[]store.Lock](s)(s.Locks(s.Context(), now()))
	if len(locks) != n/2 {
		s.Errorf("%d locks, want %d: an Update did not see the one before it, or one that was undone", len(locks), n/2)
	}
}

func updateTxKept(s *suite) {
	var kept store.Tx
	s.update(func(tx store.Tx) error { kept = tx; return nil })
	if err := s.put(kept, 1); err == nil {
		s.Error("a Tx that was kept still writes")
	}
	if _, err := kept.Moves(s.Context()); err == nil {
		s.Error("a Tx that was kept still reads")
	}
	s.equal("rows", s.rows(), []string(nil))
}
