package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"portico/store"
	"portico/vpath"
)

// want is a lock of the lease session: of a claimed path, or shared, of a folder
// above one.
type want struct {
	number    int64
	exclusive bool
}

// wants are the locks of a claim. A path's own is exclusive and those above it
// are shared: so a claim stands in the way of each that has the same path, one
// above or one below, and of no other.
func wants(paths []vpath.Path) []want {
	var all []want
	for _, p := range paths {
		for a := range p.Ancestors() {
			all = append(all, want{lockOf("path", a.String()), a == p})
		}
	}
	return all
}

// Both pass over two lists of one length. A lock is counted: who has it may take
// it again, and must give it back as often.
const (
	sqlTake = `SELECT CASE WHEN x THEN pg_try_advisory_lock(n) ELSE pg_try_advisory_lock_shared(n) END
		FROM unnest($1::bigint[], $2::boolean[]) WITH ORDINALITY AS t (n, x, i) ORDER BY i`
	sqlGive = `SELECT CASE WHEN x THEN pg_advisory_unlock(n) ELSE pg_advisory_unlock_shared(n) END
		FROM unnest($1::bigint[], $2::boolean[]) AS t (n, x)`
)

// The pauses of a claim that has to wait. Nobody tells when a lock becomes free,
// and a lock is not kept for who came first: a claim of a folder in which others
// work without pause may wait for long, as its caller's context allows.
const (
	firstPause = 5 * time.Millisecond
	lastPause  = 100 * time.Millisecond
)

// Claim is of store.Replicas.
func (s *Store) Claim(ctx context.Context, paths ...vpath.Path) (store.Claim, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("postgres: claim: %w", err)
	}
	all := wants(paths)
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		c, err := s.lease.take(ctx, all)
		if err != nil || c != nil {
			return orNone(c), err
		}
		if !sleep(ctx, pause) {
			return nil, fmt.Errorf("postgres: claim: %w", ctx.Err())
		}
	}
}

// ClaimName is of store.Replicas.
func (s *Store) ClaimName(ctx context.Context, kind, name string) (store.Claim, bool, error) {
	if err := ctx.Err(); err != nil {
		return nil, false, fmt.Errorf("postgres: claim: %w", err)
	}
	c, err := s.lease.take(ctx, []want{{lockOf("name", kind, name), true}})
	return orNone(c), c != nil, err
}

// orNone keeps a nil *claim from becoming a Claim that is not nil.
func orNone(c *claim) store.Claim {
	if c == nil {
		return nil
	}
	return c
}

// Alive is of store.Replicas.
func (s *Store) Alive(ctx context.Context) (names []string, err error) {
	held, err := s.lease.current()
	if err != nil {
		return nil, err
	}
	err = held.use(ctx, func(ctx context.Context, conn *pgx.Conn) (err error) {
		rows, err := conn.Query(ctx, sqlReplicas)
		if err != nil {
			return err
		}
		names, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("postgres: alive: %w", err)
	}
	return names, nil
}

// claim is locks that are held.
type claim struct {
	on    *session
	locks []want
	once  sync.Once
}

// Held is of store.Claim.
func (c *claim) Held() bool { return c.on.held() }

// Lost is of store.Claim: locks go with their session.
func (c *claim) Lost() <-chan struct{} { return c.on.lost }

// Release is of store.Claim. A session on which it fails is ended, and so the
// locks are free in any case.
func (c *claim) Release() {
	c.once.Do(func() {
		_ = c.on.use(context.Background(), func(ctx context.Context, conn *pgx.Conn) error {
			return give(ctx, conn, c.locks)
		})
	})
}

// take gets all locks, or none and nil.
func (l *lease) take(ctx context.Context, all []want) (*claim, error) {
	s, err := l.current()
	if err != nil {
		return nil, err
	}
	free := true
	err = s.use(ctx, func(ctx context.Context, conn *pgx.Conn) error {
		got, err := try(ctx, conn, all)
		if err != nil || len(got) == len(all) {
			return err
		}
		free = false
		return give(ctx, conn, got)
	})
	if err != nil {
		return nil, fmt.Errorf("postgres: claim: %w", err)
	}
	if !free {
		return nil, nil //nolint:nilnil // says the comment
	}
	return &claim{on: s, locks: all}, nil
}

// try takes what is free.
func try(ctx context.Context, conn *pgx.Conn, all []want) (got []want, err error) {
	answers, err := each(ctx, conn, sqlTake, all)
	if err != nil {
		return nil, err
	}
	for i, yes := range answers {
		if yes {
			got = append(got, all[i])
		}
	}
	return got, nil
}

// give gives locks back. The server warns, and says false, where one was not
// held: then our count is wrong, and the session must not go on.
func give(ctx context.Context, conn *pgx.Conn, all []want) error {
	answers, err := each(ctx, conn, sqlGive, all)
	if err != nil {
		return err
	}
	for _, yes := range answers {
		if !yes {
			return errCount
		}
	}
	return nil
}

var errCount = errors.New("a lock to be released was not held")

func each(ctx context.Context, conn *pgx.Conn, query string, all []want) ([]bool, error) {
	if len(all) == 0 {
		return nil, nil
	}
	numbers, exclusive := make([]int64, len(all)), make([]bool, len(all))
	for i, w := range all {
		numbers[i], exclusive[i] = w.number, w.exclusive
	}
	rows, err := conn.Query(ctx, query, numbers, exclusive)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[bool])
}
