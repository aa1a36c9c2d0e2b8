package memstate_test

import (
	"context"
	"errors"
	"testing"

	"portico/internal/memstate"
	"portico/store"
	"portico/store/storetest"
)

// TestContract holds the roles of sharing to what the real stores do. A store that
// is opened again is the same one.
func TestContract(t *testing.T) {
	made := make(map[string]*memstate.State)
	storetest.RunSharing(t, func(_ *testing.T, dir string) store.State {
		if made[dir] == nil {
			made[dir] = memstate.New()
		}
		return made[dir]
	})
}

// TestFail wants each way in to give the error that the test asked for.
func TestFail(t *testing.T) {
	s, want := memstate.New(), errors.New("away")
	s.Fail(want)
	_, one := s.GrantsTo(t.Context(), "user:ann")
	_, _, two := s.LinkByID(t.Context(), "l")
	three := s.Update(t.Context(), func(store.Tx) error { return nil })
	for i, err := range []error{one, two, three, s.Check(t.Context())} {
		if !errors.Is(err, want) {
			t.Errorf("call %d = %v, want %v", i, err, want)
		}
	}
	s.Fail(nil)
	if err := s.Check(t.Context()); err != nil || s.Updates() != 1 {
		t.Errorf("Check = %v after %d updates, want none after 1", err, s.Updates())
	}
}

// TestAlone: nobody else uses it, so Watch has nothing to tell.
func TestAlone(t *testing.T) {
	s := memstate.New()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Watch(ctx, func() { t.Error("woken") }, func(error) { t.Error("lost") }); err != nil {
		t.Errorf("Watch = %v", err)
	}
	if all, err := s.Alive(t.Context()); err != nil || len(all) != 1 || all[0] != s.Replica() || s.Shared() {
		t.Errorf("Alive = %q, %v, Shared = %t", all, err, s.Shared())
	}
	if err := s.Update(t.Context(), func(tx store.Tx) error { return tx.PutNotice(store.Notice{ID: "n"}) }); err != nil || len(s.Notices()) != 1 {
		t.Errorf("Update = %v, and %d notices", err, len(s.Notices()))
	}
}
