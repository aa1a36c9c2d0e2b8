package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	sqlNow = `SELECT clock_timestamp()`
	// Sessions of other users do not count: what is told of them is not all.
	sqlOutlived = `SELECT EXISTS (SELECT FROM pg_stat_activity WHERE usename = current_user AND backend_start < $1)`
)

// hold is how long nothing is claimed after a session was lost: a beat, after which
// each replica has asked, and half of one for the answer. Where the server's host
// is gone and nothing answers, all notice when their patience ends, and at most a
// beat apart.
func (t times) hold() time.Duration { return t.beat * 3 / 2 }

// settle waits until nobody counts on a claim that the server has forgotten. When
// a server crashes, restarts, or another takes its place, all locks are gone at
// once; but a replica learns of that when it next asks for a sign of life, and works
// on until then. So whoever comes back first takes nothing before over.
//
// Where a session is there that is older than the last answer to the old one, the
// server has stood all the time, and so have the locks of the others.
func (l *lease) settle(over context.Context, s, was *session) {
	if at := was.seen.Load(); at != nil {
		stood := false
		err := s.use(l.ctx, func(ctx context.Context, conn *pgx.Conn) error { //nolint:contextcheck // the lease's own
			return conn.QueryRow(ctx, sqlOutlived, *at).Scan(&stood)
		})
		if err != nil || stood {
			return // an error has ended s, and the next one has to settle
		}
	}
	select {
	case <-over.Done():
	case <-s.lost:
	}
}

// look asks the server for a sign of life.
func (s *session) look(ctx context.Context, conn *pgx.Conn) error {
	var at time.Time
	if err := conn.QueryRow(ctx, sqlNow).Scan(&at); err != nil {
		return err
	}
	s.seen.Store(&at)
	return nil
}
