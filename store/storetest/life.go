package storetest

import (
	"context"
	"errors"

	"portico/fault"
	"portico/store"
	"portico/vpath"
)

func reopen(s *suite) {
	l := lock("/w/a", true)
	m := store.Move{ID: "m", From: vpath.Must("/w/a"), To: vpath.Must("/w/b"), Phase: "copy", Began: now(), Audit: []byte("{}")}
	s.update(func(tx store.Tx) error {
		return errors.Join(tx.PutLock(l), tx.PutProp(l.Path, prop("p", "/w/a")), tx.PutMove(m), s.put(tx, 1))
	})
	for range 2 {
		s.reopen()
		s.equal("locks", must[[]store.Lock](s)(s.Locks(s.Context(), now())), []store.Lock{l})
		s.equal("props", s.texts("/w/a"), want("/w/a", "/w/a"))
		s.equal("moves", must[[]store.Move](s)(s.Moves(s.Context())), []store.Move{m})
		s.equal("rows", s.rows(), []string{"1"})
	}
}

func check(s *suite) {
	for range 2 {
		if err := s.Check(s.Context()); err != nil {
			s.Errorf("Check = %v", err)
		}
	}
	if err := s.Check(ended(s.T)); !errors.Is(err, context.Canceled) {
		s.Errorf("Check = %v, want context.Canceled", err)
	}
}

// closed wants errors, never a hang or a panic.
func closed(s *suite) {
	st := s.State
	if err := st.Close(); err != nil {
		s.Fatalf("Close = %v", err)
	}
	if err := st.Close(); err != nil {
		s.Errorf("second Close = %v", err)
	}
	ran := false
	if err := st.Update(s.Context(), func(store.Tx) error { ran = true; return nil }); !errors.Is(err, fault.ErrUnavailable) || ran {
		s.Errorf("Update = %v (ran %t), want fault.ErrUnavailable", err, ran)
	}
	if _, err := st.Locks(s.Context(), now()); !errors.Is(err, fault.ErrUnavailable) {
		s.Errorf("Locks = %v, want fault.ErrUnavailable", err)
	}
	if err := st.Check(s.Context()); !errors.Is(err, fault.ErrUnavailable) {
		s.Errorf("Check = %v, want fault.ErrUnavailable", err)
	}
}

func readerCancelled(s *suite) {
	s.putLocks(lock("/w", true))
	over, w := ended(s.T), vpath.Must("/w")
	all := store.Listing{Path: w, Locks: true, Props: true}
	for name, read := range map[string]func() error{
		"Moves":            func() error { _, err := s.Moves(over); return err },
		"LocksOn":          func() error { _, err := s.LocksOn(over, w, now()); return err },
		"Around":           func() error { _, err := s.Around(over, all, now()); return err },
		"AppPasswordBySum": func() error { _, _, err := s.AppPasswordBySum(over, sum("x")); return err },
	} {
		must[[]store.Lock](s)(s.Locks(s.Context(), now()))
		if err := read(); !errors.Is(err, context.Canceled) || errors.Is(err, fault.ErrUnavailable) {
			s.Errorf("%s = %v, want context.Canceled and no fault of the store", name, err)
		}
	}
}
