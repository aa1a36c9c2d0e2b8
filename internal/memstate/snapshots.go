package memstate

import (
	"cmp"
	"context"
	"maps"
	"time"

	"portico/store"
)

func snapshots(c *content) map[string]store.Snapshot { return c.snapshots }

// SnapshotByID is of store.SnapshotReader.
func (r reader) SnapshotByID(_ context.Context, id string) (store.Snapshot, bool, error) {
	return get(r, snapshots, id)
}

// SnapshotsOf is of store.SnapshotReader.
func (r reader) SnapshotsOf(_ context.Context, owner string) ([]store.Snapshot, error) {
	all, err := pick(r, snapshots, func(s store.Snapshot) bool { return s.Owner == owner },
		func(a, b store.Snapshot) int { return cmp.Or(b.Used.Compare(a.Used), cmp.Compare(a.ID, b.ID)) })
	for i := range all {
		all[i].Data = nil
	}
	return all, err
}

// PutSnapshot is of store.SnapshotWriter.
func (x *tx) PutSnapshot(s store.Snapshot) error {
	x.snapshots[s.ID] = s
	return nil
}

// TouchSnapshot is of store.SnapshotWriter.
func (x *tx) TouchSnapshot(id string, used time.Time) error {
	if s, ok := x.snapshots[id]; ok {
		s.Used = used
		x.snapshots[id] = s
	}
	return nil
}

// DropSnapshot is of store.SnapshotWriter.
func (x *tx) DropSnapshot(id string) error {
	delete(x.snapshots, id)
	return nil
}

// DropSnapshotsBefore is of store.SnapshotWriter.
func (x *tx) DropSnapshotsBefore(used time.Time) error {
	maps.DeleteFunc(x.snapshots, func(_ string, s store.Snapshot) bool { return s.Used.Before(used) })
	return nil
}
