package sqlstore

import (
	"context"
	"time"

	"portico/store"
)

const (
	snapshotAbout = `id, line, owner, place, sum, size, created, used`

	sqlSnapshotByID = `SELECT ` + snapshotAbout + `, data FROM snapshots WHERE id = $1`
	// The data are left out: they are thousands of times what is asked for.
	sqlSnapshotsOf = `SELECT ` + snapshotAbout + ` FROM snapshots WHERE owner = $1 ORDER BY used DESC, id`

	sqlTouchSnapshot = `UPDATE snapshots SET used = $1 WHERE id = $2`
	sqlDropSnapshot  = `DELETE FROM snapshots WHERE id = $1`
	sqlDropSnapshots = `DELETE FROM snapshots WHERE used < $1`
)

func scanSnapshot(row scanner, also ...any) (s store.Snapshot, err error) {
	return s, row.Scan(append([]any{
		&s.ID, &s.Line, &s.Owner, &s.Place, secret{&s.Sum}, &s.Size, moment{&s.Created}, moment{&s.Used},
	}, also...)...)
}

// SnapshotByID is of store.SnapshotReader.
func (r reader) SnapshotByID(ctx context.Context, id string) (store.Snapshot, bool, error) {
	return one(ctx, r.on, sqlSnapshotByID, func(row scanner) (store.Snapshot, error) {
		var data []byte
		s, err := scanSnapshot(row, &data)
		s.Data = data
		return s, err
	}, id)
}

// SnapshotsOf is of store.SnapshotReader.
func (r reader) SnapshotsOf(ctx context.Context, owner string) ([]store.Snapshot, error) {
	return collect(ctx, r.on, sqlSnapshotsOf, func(row scanner) (store.Snapshot, error) { return scanSnapshot(row) }, owner)
}

// PutSnapshot is of store.SnapshotWriter.
func (x *tx) PutSnapshot(s store.Snapshot) error {
	return x.put("put snapshot", "snapshots", 1, snapshotAbout+", data", s.ID, s.Line, s.Owner, s.Place, s.Sum[:], s.Size,
		s.Created.UnixMicro(), s.Used.UnixMicro(), blob(s.Data))
}

// TouchSnapshot is of store.SnapshotWriter.
func (x *tx) TouchSnapshot(id string, used time.Time) error {
	return x.do("touch snapshot", sqlTouchSnapshot, used.UnixMicro(), id)
}

// DropSnapshot is of store.SnapshotWriter.
func (x *tx) DropSnapshot(id string) error { return x.do("drop snapshot", sqlDropSnapshot, id) }

// DropSnapshotsBefore is of store.SnapshotWriter.
func (x *tx) DropSnapshotsBefore(used time.Time) error {
	return x.do("drop snapshots", sqlDropSnapshots, used.UnixMicro())
}
