package sqlstore

import (
	"context"
	"time"

	"portico/store"
	"portico/vpath"
)

const (
	lockColumns = `token, path, infinite, shared, holder, holder_as, owner_xml, created, expires, term`
	lockOrder   = ` ORDER BY path, created, token`

	// $1 is a JSON list of the path and its ancestors, 65 at most: each is
	// looked up in the index.
	sqlLocksOn = `SELECT ` + lockColumns + ` FROM locks
		WHERE path IN (SELECT value FROM json_each($1)) AND (infinite OR path = $2) AND expires > $3` + lockOrder
	sqlLocksBelow = `SELECT ` + lockColumns + ` FROM locks WHERE path >= $1 AND path < $2 AND expires > $3` + lockOrder
	sqlLocksOf    = `SELECT count(*) FROM locks WHERE holder = $1 AND +expires > $2`
	sqlLocks      = `SELECT ` + lockColumns + ` FROM locks WHERE expires > $1` + lockOrder

	sqlPutLock = `INSERT INTO locks (` + lockColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		ON CONFLICT (token) DO UPDATE SET path = excluded.path, infinite = excluded.infinite, shared = excluded.shared,
			holder = excluded.holder, holder_as = excluded.holder_as, owner_xml = excluded.owner_xml,
			created = excluded.created, expires = excluded.expires, term = excluded.term`
	sqlDropLock         = `DELETE FROM locks WHERE token = $1`
	sqlDropLocksBelow   = `DELETE FROM locks WHERE path >= $1 AND path < $2`
	sqlDropExpiredLocks = `DELETE FROM locks WHERE expires <= $1`
)

// LocksOn is of store.LockReader.
func (r reader) LocksOn(ctx context.Context, p vpath.Path, now time.Time) ([]store.Lock, error) {
	return few(ctx, r.on, sqlLocksOn, scanLock, ancestors(p), key(p), now.UnixMicro())
}

// ancestors are the keys of p and of all that it lies in.
func ancestors(p vpath.Path) list {
	keys := make(list, 0, p.Depth()+1)
	for a := range p.Ancestors() {
		keys = append(keys, key(a))
	}
	return keys
}

// LocksBelow is of store.LockReader.
func (r reader) LocksBelow(ctx context.Context, p vpath.Path, now time.Time) ([]store.Lock, error) {
	from, to := below(p)
	return collect(ctx, r.on, sqlLocksBelow, scanLock, from, to, now.UnixMicro())
}

// LocksOf is of store.LockReader.
func (r reader) LocksOf(ctx context.Context, holder string, now time.Time) (int, error) {
	n, err := number(ctx, r.on, sqlLocksOf, holder, now.UnixMicro())
	return int(n), err
}

// Locks is of store.LockReader.
func (r reader) Locks(ctx context.Context, now time.Time) ([]store.Lock, error) {
	return collect(ctx, r.on, sqlLocks, scanLock, now.UnixMicro())
}

func scanLock(row scanner) (l store.Lock, err error) {
	return l, row.Scan(&l.Token, where{&l.Path}, &l.Infinite, &l.Shared, &l.Holder, &l.HolderAs, &l.OwnerXML,
		moment{&l.Created}, moment{&l.Expires}, &l.Timeout)
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
