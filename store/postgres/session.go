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

	uptime func() time.Duration
	asked  atomic.Int64 // by uptime: when the last sign of life that came was asked for
}

func newSession(conn *pgx.Conn, t times, uptime func() time.Duration) *session {
	s := &session{conn: conn, times: t, turn: make(chan struct{}, 1), lost: make(chan struct{}), uptime: uptime}
	s.turn <- struct{}{}
	return s
}

// held tells whether the locks are this session's for certain. The server ends a
// session, and gives its locks to others, when for so long after its last answer
// nothing has come from here:
//
//	idle_session_timeout                 15 s (silence)
//	tcp_user_timeout, of that answer     15 s
//	keepalives: 5 s idle, 3 probes of 3  14 s
//
// That answer came after its question was asked. So until asked + 14 s nobody else
// has the locks, and this side counts on them until asked + 10 s (patience): the
// 4 s between are for what goes wrong with clocks, and for a call on its way.
//
// lost alone would not do. When a process was halted and goes on, its timers and
// the goroutine that closes lost run in no order with those that are about to write.
//
// What this cannot know is a server that crashes while this process is halted for
// less than that, or an admin who ends the session (see settle, and Alive).
func (s *session) held() bool {
	select {
	case <-s.lost:
		return false
	default:
	}
	if s.uptime()-time.Duration(s.asked.Load()) < s.times.patience {
		return true
	}
	s.lose(errSilent) // so that it stays lost, whatever answer lies about
	return false
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
		if err := s.sign(ctx); err != nil {
			next.Stop()
			continue // lost or ctx has ended
		}
		good.Stop()
		good = next
	}
}

// sign asks for a sign of life.
func (s *session) sign(ctx context.Context) error {
	at := s.uptime()
	if err := s.use(ctx, s.look); err != nil {
		return err
	}
	s.asked.Store(int64(at))
	return nil
}

var errSilent = fmt.Errorf("the server does not answer: %w", fault.ErrUnavailable)
