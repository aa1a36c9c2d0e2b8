package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"portico/fault"
)

// times are how long the parts of a lease take. Each must be well below the
// next: beat, patience, silence.
type times struct {
	beat     time.Duration // between two signs of life
	patience time.Duration // for an answer; then all claims count as lost
	silence  time.Duration // for which the server keeps a session that says nothing
	name     time.Duration // for which Open waits for its name to become free
	again    time.Duration // the longest pause between two tries to connect
}

func (t times) orStandard() times {
	if t == (times{}) {
		return times{
			beat: 3 * time.Second, patience: 10 * time.Second, silence: 15 * time.Second,
			name: 2 * time.Second, again: 2 * time.Second,
		}
	}
	return t
}

// lease keeps one session after the other alive.
type lease struct {
	replica string
	config  *pgx.ConnConfig
	times   times
	log     *slog.Logger
	uptime  func() time.Duration

	ctx    context.Context // of its life
	cancel context.CancelFunc
	done   chan struct{} // closed when run has ended

	mu  sync.Mutex
	now *session // nil while none stands
}

// newLease takes options that are complete.
func newLease(ctx context.Context, config *pgx.ConnConfig, o Options) *lease {
	config = config.Copy()
	config.RuntimeParams["idle_session_timeout"] = strconv.FormatInt(o.times.silence.Milliseconds(), 10)
	l := &lease{replica: o.Replica, config: config, times: o.times, log: o.Log, uptime: o.uptime, done: make(chan struct{})}
	l.ctx, l.cancel = context.WithCancel(context.WithoutCancel(ctx))
	return l
}

// begin makes the first session, or says why it cannot be made.
func (l *lease) begin(ctx context.Context) error {
	waiting, cancel := context.WithTimeout(ctx, l.times.name)
	defer cancel()
	for pause := time.Duration(0); ; pause = longer(pause, l.times.again) {
		s, err := l.connect(ctx)
		if err == nil {
			l.set(s)
			go l.run(s) //nolint:contextcheck // it outlives Open
			return nil
		}
		if err != errTaken { //nolint:errorlint // our own, unwrapped
			return unusable(err, "reach the state database %s", place(l.config))
		}
		// The session of a process that was killed a moment ago takes a while to end.
		if !sleep(waiting, pause) {
			break
		}
	}
	if err := ctx.Err(); err != nil {
		return fail("open", err)
	}
	return unusable(nil, "use the state database %s as replica %q: another Portico that uses it has that name; "+
		"give each a server.replica of its own", place(l.config), l.replica)
}

// run makes a session again whenever one is lost.
func (l *lease) run(s *session) {
	defer close(l.done)
	for s != nil {
		s.beat(l.ctx)
		l.set(nil)
		s.lose(errLost)
		s.close(l.ctx)
		if l.ctx.Err() != nil {
			return
		}
		l.log.LogAttrs(l.ctx, slog.LevelWarn, "the connection that holds this replica's claims is lost; nothing is written before there is another",
			slog.Any("err", s.why))
		s = l.renew(s)
	}
}

// renew gives the session after was, or nil at the end of the store.
func (l *lease) renew(was *session) *session {
	over, cancel := context.WithTimeout(l.ctx, l.times.hold())
	defer cancel()
	s := l.again()
	if s == nil {
		return nil
	}
	l.settle(over, s, was)
	l.set(s)
	l.log.LogAttrs(l.ctx, slog.LevelInfo, "this replica can claim again")
	return s
}

// again connects until it succeeds, or gives nil at the end of the store.
func (l *lease) again() *session {
	said := ""
	for pause := time.Duration(0); sleep(l.ctx, pause); pause = longer(pause, l.times.again) {
		s, err := l.connect(l.ctx)
		if err == nil {
			return s
		}
		if text := err.Error(); text != said && l.ctx.Err() == nil {
			said = text
			l.log.LogAttrs(l.ctx, slog.LevelWarn, "the state database does not give this replica its name", slog.String("err", text))
		}
	}
	return nil
}

// end gives all claims back. The server frees the locks when it sees the end of
// the connection.
func (l *lease) end() {
	l.cancel()
	<-l.done
}

func (l *lease) set(s *session) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.now = s
}

func (l *lease) current() (*session, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.now == nil {
		return nil, fmt.Errorf("postgres: claim: %w", errLost)
	}
	return l.now, nil
}

// errTaken is the name of another replica that lives.
var errTaken = fmt.Errorf("another replica has this name: %w", fault.ErrUnavailable)

const (
	sqlTakeName = `SELECT pg_try_advisory_lock($1)`
	// Those whose lock nobody holds have ended. pg_locks shows the two halves of a
	// lock's number.
	sqlDropReplicas = `DELETE FROM replicas WHERE NOT ` + sqlHeld
	sqlHeld         = `EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND granted
		AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
		AND (classid::bigint << 32 | objid::bigint) = replicas.key)`
	sqlPutReplica = `INSERT INTO replicas (name, key, since) VALUES ($1, $2, now())
		ON CONFLICT (name) DO UPDATE SET key = excluded.key, since = excluded.since`
	sqlReplicas = `SELECT name FROM replicas WHERE ` + sqlHeld + ` ORDER BY name`
)

// connect makes a session that has the replica's name.
func (l *lease) connect(ctx context.Context) (*session, error) {
	ctx, cancel := context.WithTimeout(ctx, l.times.patience)
	defer cancel()
	conn, err := pgx.ConnectConfig(ctx, l.config)
	if err != nil {
		return nil, err
	}
	s := newSession(conn, l.times, l.uptime)
	if err = l.register(ctx, conn); err == nil {
		err = s.sign(ctx)
	}
	if err != nil {
		s.lose(err)
		s.close(ctx)
		return nil, err
	}
	return s, nil
}

func (l *lease) register(ctx context.Context, conn *pgx.Conn) error {
	number := lockOf("replica", l.replica)
	var free bool
	if err := conn.QueryRow(ctx, sqlTakeName, number).Scan(&free); err != nil {
		return err
	}
	if !free {
		return errTaken
	}
	if _, err := conn.Exec(ctx, sqlPutReplica, l.replica, number); err != nil {
		return err
	}
	_, err := conn.Exec(ctx, sqlDropReplicas)
	return err
}

// lockOf is the number of a lock. Two things that share one by chance keep each
// other waiting, and that is all.
func lockOf(kind string, parts ...string) int64 {
	h := sha256.New()
	for _, part := range append([]string{kind}, parts...) {
		_, _ = h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part)))) // a hash takes all
		_, _ = h.Write([]byte(part))
	}
	return int64(binary.BigEndian.Uint64(h.Sum(nil))) //nolint:gosec // any 64 bits will do
}

// longer is the pause after a pause.
func longer(pause, most time.Duration) time.Duration {
	return min(max(2*pause, 50*time.Millisecond), most)
}

// sleep waits; it is false if ctx ends first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
