package storetest

import (
	"errors"
	"time"

	"portico/store"
)

// snapshot is one of ann's.
func snapshot(id string, used time.Time, data ...byte) store.Snapshot {
	return store.Snapshot{
		ID: id, Line: "line of " + id, Owner: "ann", Place: "dav\n/w/ü", Sum: sum(id), Size: int64(len(data)), Data: data,
		Created: at(0), Used: used,
	}
}

func snapshots(s *suite) {
	first, second := snapshot("s1", at(1), 0, 1, 0xff), snapshot("s2", at(2))
	third := snapshot("s3", at(3), 7)
	third.Owner = "bob"
	s.update(func(tx store.Tx) error {
		return errors.Join(tx.PutSnapshot(first), tx.PutSnapshot(second), tx.PutSnapshot(third))
	})
	s.reopen()
	ctx, list := s.Context(), must[[]store.Snapshot](s)
	is(s, "by ID", first)(s.SnapshotByID(ctx, "s1"))
	none[store.Snapshot](s, "by no ID")(s.SnapshotByID(ctx, "s"))
	bare := func(all ...store.Snapshot) []store.Snapshot {
		for i := range all {
			all[i].Data = nil
		}
		return all
	}
	s.equal("of ann", list(s.SnapshotsOf(ctx, "ann")), bare(second, first))
	s.equal("of nobody", list(s.SnapshotsOf(ctx, "an")), []store.Snapshot{})
	first.Used, second.Data, second.Size = at(5), []byte{9}, 1
	s.update(func(tx store.Tx) error {
		if err := errors.Join(tx.TouchSnapshot("s1", at(5)), tx.TouchSnapshot("none", at(5)), tx.PutSnapshot(second)); err != nil {
			return err
		}
		found, err := tx.SnapshotsOf(ctx, "ann")
		s.equal("in the transaction", found, bare(first, second))
		return err
	})
	is(s, "touched", first)(s.SnapshotByID(ctx, "s1"))
	is(s, "replaced", second)(s.SnapshotByID(ctx, "s2"))
}

func snapshotsDrop(s *suite) {
	s.update(func(tx store.Tx) error {
		return errors.Join(tx.PutSnapshot(snapshot("a", at(1))), tx.PutSnapshot(snapshot("b", at(2))), tx.PutSnapshot(snapshot("c", at(3))))
	})
	ids := func() (all []string) {
		for _, one := range must[[]store.Snapshot](s)(s.SnapshotsOf(s.Context(), "ann")) {
			all = append(all, one.ID)
		}
		return all
	}
	s.update(func(tx store.Tx) error { return errors.Join(tx.DropSnapshot("c"), tx.DropSnapshot("none")) })
	s.equal("after one", ids(), []string{"b", "a"})
	s.update(func(tx store.Tx) error { return tx.DropSnapshotsBefore(at(2)) })
	s.equal("after the old", ids(), []string{"b"})
	s.update(func(tx store.Tx) error { return tx.DropSnapshotsBefore(at(2).Add(time.Microsecond)) })
	s.equal("after all", ids(), []string{})
}
