package sqlite

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"portico/store"
	"portico/vpath"
)

const (
	lockColumns = `token, path, infinite, shared, holder, holder_as, owner_xml, created, expires, term`
	lockOrder   = ` ORDER BY path, created, token`

	// ?1 is a JSON list of the path and its ancestors, 65 at most: each is
	// looked up in the index.
	sqlLocksOn = `SELECT ` + lockColumns + ` FROM locks
		WHERE path IN (SELECT value FROM json_each(?1)) AND (infinite OR path = ?2) AND expires > ?3` + lockOrder
	sqlLocksBelow = `SELECT ` + lockColumns + ` FROM locks WHERE path >= ? AND path < ? AND expires > ?` + lockOrder
	sqlLocksOf    = `SELECT count(*) FROM locks WHERE holder = ? AND +expires > ?`
	sqlLocks      = `SELECT ` + lockColumns + ` FROM locks WHERE expires > ?` + lockOrder

	sqlPutLock          = `INSERT OR REPLACE INTO locks (` + lockColumns + `) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	sqlDropLock         = `DELETE FROM locks WHERE token = ?`
	sqlDropLocksBelow   = `DELETE FROM locks WHERE path >= ? AND path < ?`
	sqlDropExpiredLocks = `DELETE FROM locks WHERE expires <= ?`
)

// LocksOn is of store.LockReader.
func (r reader) LocksOn(ctx context.Context, p vpath.Path, now time.Time) ([]store.Lock, error) {
	keys := make([]string, 0, p.Depth()+1)
	for a := range p.Ancestors() {
		keys = append(keys, key(a))
	}
	list, err := json.Marshal(keys)
	if err != nil {
		return nil, fail("locks", err)
	}
	return collect(ctx, r.on, sqlLocksOn, scanLock, string(list), key(p), now.UnixMicro())
}

// LocksBelow is of store.LockReader.
func (r reader) LocksBelow(ctx context.Context, p vpath.Path, now time.Time) ([]store.Lock, error) {
	from, to := below(p)
	return collect(ctx, r.on, sqlLocksBelow, scanLock, from, to, now.UnixMicro())
}

// LocksOf is of store.LockReader.
func (r reader) LocksOf(ctx context.Context, holder string, now time.Time) (int, error) {
	n, err := collect(ctx, r.on, sqlLocksOf, func(row scanner) (n int, err error) {
		return n, row.Scan(&n)
	}, holder, now.UnixMicro())
	if err != nil {
		return 0, err
	}
	return n[0], nil // a count is one row
}

// Locks is of store.LockReader.
func (r reader) Locks(ctx context.Context, now time.Time) ([]store.Lock, error) {
	return collect(ctx, r.on, sqlLocks, scanLock, now.UnixMicro())
}

func scanLock(row scanner) (l store.Lock, err error) {
	var path string
	var created, expires int64
	err = row.Scan(&l.Token, &path, &l.Infinite, &l.Shared, &l.Holder, &l.HolderAs, &l.OwnerXML,
		&created, &expires, &l.Timeout)
	if err != nil {
		return l, err
	}
	l.Created, l.Expires = time.UnixMicro(created).UTC(), time.UnixMicro(expires).UTC()
	l.Path, err = unkey(path)
	return l, err
}

// PutLock is of store.LockWriter.
func (x *tx) PutLock(l store.Lock) error {
	return x.do("put lock", sqlPutLock, l.Token, key(l.Path), l.Infinite, l.Shared, l.Holder, l.HolderAs,
		l.OwnerXML, l.Created.UnixMicro(), l.Expires.UnixMicro(), int64(l.Timeout))
}

// DropLock is of store.LockWriter.
func (x *tx) DropLock(token string) error { return x.do("drop lock", sqlDropLock, token) }

// DropLocksBelow is of store.LockWriter.
func (x *tx) DropLocksBelow(p vpath.Path) error {
	from, to := below(p)
	return x.do("drop locks", sqlDropLocksBelow, from, to)
}

// DropExpiredLocks is of store.LockWriter.
func (x *tx) DropExpiredLocks(now time.Time) error {
	return x.do("drop expired locks", sqlDropExpiredLocks, now.UnixMicro())
}

// reads are the queries that the pool compiles at the start.
func reads() []string {
	return slices.Concat(
		[]string{sqlLocksOn, sqlLocksBelow, sqlLocksOf, sqlLocks},
		[]string{sqlPropsOf, sqlPropsIn, sqlMoves, sqlAuditRows, sqlAlive},
	)
}
