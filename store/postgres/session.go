package postgres

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"portico/fault"
)

var errLost = fmt.Errorf("the connection to the database that holds the claims is lost: %w", fault.ErrUnavailable)

// session is one life of the lease session. Its locks go with it, on the server
// and here.
type session struct {
	conn  *pgx.Conn
	times times

	turn chan struct{} // holds a token: who has it may use conn
	lost chan struct{} // closed at the end
	once sync.Once
	why  error // before lost is closed

	seen atomic.Pointer[time.Time] // the server's clock at its last sign of life
}

func newSession(conn *pgx.Conn, t times) *session {
	s := &session{conn: conn, times: t, turn: make(chan struct{}, 1), lost: make(chan struct{})}
	s.turn <- struct{}{}
	return s
}

// lose ends the session. Closing the socket ends a statement that runs too, and
// tells the server.
func (s *session) lose(why error) {
	s.once.Do(func() {
		s.why = why
		close(s.lost)
		_ = s.conn.PgConn().Conn().Close() // it is of no use any more
	})
}

// close says goodbye where that is still possible.
func (s *session) close(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_ = s.conn.Close(ctx) // the socket is closed already
}

// use runs f with the connection, which is another's until ctx gets its turn.
// What has begun is not broken off with ctx: nobody would know what it has
// locked. An error of f ends the session for the same reason.
func (s *session) use(ctx context.Context, f func(ctx context.Context, conn *pgx.Conn) error) error {
	select {
	case <-s.turn:
	case <-s.lost:
		return errLost
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { s.turn <- struct{}{} }()
	select {
	case <-s.lost: // while we waited
		return errLost
	default:
	}
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.times.patience)
	defer cancel()
	if err := f(bounded, s.conn); err != nil {
		s.lose(err)
		return fmt.Errorf("%w: %w", errLost, err)
	}
	return nil
}

// beat asks for a sign of life again and again, until the session is lost or
// ctx ends. The time for which the claims are good runs from when the last
// answered question was asked, not from its answer: that may have lain about
// while this process was frozen.
func (s *session) beat(ctx context.Context) {
	dead := func() { s.lose(errSilent) }
	good := time.AfterFunc(s.times.patience, dead)
	defer func() { good.Stop() }()
	tick := time.NewTicker(s.times.beat)
	defer tick.Stop()
	for {
		select {
		case <-s.lost:
			return
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		next := time.AfterFunc(s.times.patience, dead)
		if err := s.use(ctx, s.look); err != nil {
			next.Stop()
			continue // lost or ctx has ended
		}
		good.Stop()
		good = next
	}
}

var errSilent = fmt.Errorf("the server does not answer: %w", fault.ErrUnavailable)
