package storetest

import (
	"errors"
	"time"

	"portico/store"
	"portico/vpath"
)

func journal(s *suite) {
	first := store.Move{
		ID: "z", From: vpath.Must("/w/a"), To: vpath.Must("/w/b c'%"), Dir: true, Phase: "copy",
		Began: now(), Audit: []byte{0, 1, '"'},
	}
	second := store.Move{ID: "a", From: vpath.Must("/w/x"), To: vpath.Must("/v"), Phase: "copy", Began: now()} // the same moment
	third := store.Move{ID: "m", From: vpath.Must("/w/y"), To: vpath.Must("/u"), Phase: "copy", Began: now().Add(time.Microsecond)}
	s.update(func(tx store.Tx) error {
		return errors.Join(tx.PutMove(first), tx.PutMove(third), tx.PutMove(second))
	})
	s.equal("Moves", must[[]store.Move](s)(s.Moves(s.Context())), []store.Move{first, second, third})
	first.Phase, first.Audit = "delete", nil
	s.update(func(tx store.Tx) error { return tx.PutMove(first) })
	s.equal("a phase later", must[[]store.Move](s)(s.Moves(s.Context())), []store.Move{first, second, third})
	s.update(func(tx store.Tx) error { return errors.Join(tx.DropMove("z"), tx.DropMove("none")) })
	s.equal("after DropMove", must[[]store.Move](s)(s.Moves(s.Context())), []store.Move{second, third})
}

func intents(s *suite) {
	first := store.Intent{ID: "z", Replica: "a", Began: now(), Audit: []byte{0, 1, '"'}}
	second := store.Intent{ID: "a", Replica: "b", Began: now()} // the same moment
	third := store.Intent{ID: "m", Replica: "a", Began: now().Add(-time.Microsecond), Audit: []byte("{}")}
	s.update(func(tx store.Tx) error {
		return errors.Join(tx.PutIntent(first), tx.PutIntent(second), tx.PutIntent(third))
	})
	s.equal("Intents", must[[]store.Intent](s)(s.Intents(s.Context())), []store.Intent{third, first, second})
	first.Replica = "c"
	s.update(func(tx store.Tx) error {
		return errors.Join(tx.PutIntent(first), tx.DropIntent("a"), tx.DropIntent("none"))
	})
	s.reopen()
	s.equal("after DropIntent", must[[]store.Intent](s)(s.Intents(s.Context())), []store.Intent{third, first})
}

func usage(s *suite) {
	get := func(workspace string) store.Usage {
		u, found, err := s.Usage(s.Context(), workspace)
		if err != nil || found != (u.Workspace == workspace) {
			s.Fatalf("Usage(%q) = %v, %t, %v", workspace, u, found, err)
		}
		return u
	}
	s.update(func(tx store.Tx) error { return tx.AddUsage("w", 5) })
	s.equal("never counted", get("w"), store.Usage{})
	counted := store.Usage{Workspace: "w", Bytes: 1 << 50, Counted: now()}
	s.update(func(tx store.Tx) error {
		return errors.Join(tx.PutUsage(store.Usage{Workspace: "v", Counted: now()}), tx.PutUsage(store.Usage{Workspace: "w"}), tx.PutUsage(counted))
	})
	s.equal("counted", get("w"), counted)
	for _, step := range []struct{ add, want int64 }{{7, 1<<50 + 7}, {-8, 1<<50 - 1}, {-1 << 51, 0}, {3, 3}} {
		s.update(func(tx store.Tx) error { return tx.AddUsage("w", step.add) })
		s.equal("after AddUsage", get("w").Bytes, step.want)
	}
	s.equal("another", get("v").Bytes, int64(0))
}
