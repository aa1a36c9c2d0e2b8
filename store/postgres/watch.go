package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	watchEvery  = time.Second
	watchWithin = 3 * time.Second // for an answer
)

// Watch is of store.Replicas. It has a connection of its own, which hears the
// notes that the triggers on the tables of moves and of changes send with each
// commit. One that gets lost does no harm: wake is called every second too.
func (s *Store) Watch(ctx context.Context, wake func(), lost func(error)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(s.lease.ctx, cancel) //nolint:contextcheck // of the store
	defer stop()
	for pause := time.Duration(0); sleep(ctx, pause); pause = longer(pause, s.times.again) {
		heard, err := s.listen(ctx, wake)
		if ctx.Err() != nil {
			return nil
		}
		lost(fail("watch", err))
		if heard {
			pause = 0
		}
	}
	return nil
}

// listen calls wake until the connection is lost. It tells whether it stood.
func (s *Store) listen(ctx context.Context, wake func()) (heard bool, err error) {
	conn, err := pgx.ConnectConfig(ctx, s.config)
	if err != nil {
		return false, err
	}
	defer func() {
		bye, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = conn.Close(bye) // it is not needed any more
	}()
	if err := ask(ctx, conn, `LISTEN portico_moves`); err != nil {
		return false, err
	}
	for {
		wake()
		if err := note(ctx, conn); err != nil {
			return true, err
		}
	}
}

// note returns at the next note, or when a second has passed and the server is
// known to be there.
func note(ctx context.Context, conn *pgx.Conn) error {
	bounded, cancel := context.WithTimeout(ctx, watchEvery)
	defer cancel()
	_, err := conn.WaitForNotification(bounded)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case !errors.Is(err, context.DeadlineExceeded) || conn.IsClosed():
		return err
	}
	return ask(ctx, conn, `SELECT 1`)
}

func ask(ctx context.Context, conn *pgx.Conn, statement string) error {
	ctx, cancel := context.WithTimeout(ctx, watchWithin)
	defer cancel()
	_, err := conn.Exec(ctx, statement)
	return err
}
