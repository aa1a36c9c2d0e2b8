package sqlstore

import (
	"context"
	"time"

	"portico/store"
)

const (
	sqlSessionBySum = `SELECT sum, owner, data, created, seen, expires FROM sessions WHERE sum = $1`

	sqlPutSession = `INSERT INTO sessions (sum, owner, data, created, seen, expires) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (sum) DO UPDATE SET owner = excluded.owner, data = excluded.data, created = excluded.created,
			seen = excluded.seen, expires = excluded.expires`
	sqlTouchSession        = `UPDATE sessions SET seen = $1 WHERE sum = $2`
	sqlDropSession         = `DELETE FROM sessions WHERE sum = $1`
	sqlDropSessionsOf      = `DELETE FROM sessions WHERE owner = $1`
	sqlDropExpiredSessions = `DELETE FROM sessions WHERE expires <= $1`
)

// SessionBySum is of store.SessionReader.
func (r reader) SessionBySum(ctx context.Context, sum store.Sum) (store.Session, bool, error) {
	return one(ctx, r.on, sqlSessionBySum, func(row scanner) (s store.Session, err error) {
		return s, row.Scan(secret{&s.Sum}, &s.Owner, &s.Data, moment{&s.Created}, moment{&s.Seen}, moment{&s.Expires})
	}, sum[:])
}

// PutSession is of store.SessionWriter.
func (x *tx) PutSession(s store.Session) error {
	return x.do("put session", sqlPutSession, s.Sum[:], s.Owner, blob(s.Data),
		s.Created.UnixMicro(), s.Seen.UnixMicro(), s.Expires.UnixMicro())
}

// TouchSession is of store.SessionWriter.
func (x *tx) TouchSession(sum store.Sum, seen time.Time) error {
	return x.do("touch session", sqlTouchSession, seen.UnixMicro(), sum[:])
}

// DropSession is of store.SessionWriter.
func (x *tx) DropSession(sum store.Sum) error { return x.do("drop session", sqlDropSession, sum[:]) }

// DropSessionsOf is of store.SessionWriter.
func (x *tx) DropSessionsOf(owner string) error {
	return x.do("drop sessions", sqlDropSessionsOf, owner)
}

// DropExpiredSessions is of store.SessionWriter.
func (x *tx) DropExpiredSessions(now time.Time) error {
	return x.do("drop expired sessions", sqlDropExpiredSessions, now.UnixMicro())
}
