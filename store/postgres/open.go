package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"portico/fault"
	"portico/store"
	"portico/store/sqlstore"
)

const (
	name    = "postgres" // in front of errors
	readers = 4          // connections

	// within bounds a read and a batch, when the server answers nothing at all.
	// Where it answers, its own limits are shorter: see connConfig.
	within = 15 * time.Second

	checkWithin = 5 * time.Second
)

// Options are the choices of who opens a store.
type Options struct {
	// Replica names this process among those that use the database; the host's
	// name if empty.
	Replica string

	// Log takes what an admin should know; nil for nowhere.
	Log *slog.Logger

	// DangerouslyAllowPlaintext connects to another host without TLS: whoever
	// is on the way reads the password and all that Portico keeps.
	DangerouslyAllowPlaintext bool

	// Both are zero but in tests.
	times  times
	uptime func() time.Duration
}

// Store is an open database. It is a store.State.
type Store struct {
	*sqlstore.Engine

	config *pgx.ConnConfig
	lease  *lease
	times  times
	quit   chan struct{} // closed by Close

	once   sync.Once
	closed error
}

// The contract, held by the compiler.
var _ store.State = (*Store)(nil)

// Open connects to the database that dsn names (postgres://… or the words of
// libpq), brings its tables up to date, and takes the replica's name. ctx
// bounds the opening, not the life of the store.
//
// A database that cannot be used gives an error that says what to do about it.
func Open(ctx context.Context, dsn string, o Options) (*Store, error) {
	if o.Replica == "" {
		host, err := os.Hostname()
		if err != nil {
			return nil, unusable(err, "ask for the host's name; give this replica a server.replica")
		}
		o.Replica = host
	}
	config, err := connConfig(dsn, o)
	if err != nil {
		return nil, err
	}
	if err := migrate(ctx, config); err != nil {
		return nil, err
	}
	return start(ctx, config, o)
}

// start takes the replica's name, and opens the pools.
func start(ctx context.Context, config *pgx.ConnConfig, o Options) (*Store, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.uptime == nil {
		o.uptime = sinceBoot
	}
	o.times = o.times.orStandard()
	s := &Store{config: config, times: o.times, quit: make(chan struct{})}
	s.lease = newLease(ctx, config, o)
	if err := s.lease.begin(ctx); err != nil {
		return nil, err
	}
	read, write := stdlib.OpenDB(*config), stdlib.OpenDB(*config)
	read.SetMaxOpenConns(readers)
	read.SetMaxIdleConns(readers)
	write.SetMaxOpenConns(1)
	s.Engine = sqlstore.New(ctx, dialect(), read, write)
	return s, nil
}

// Close waits for the batch that runs, and ends the store: claims and the
// replica's name are free at once. A second Close gives the answer of the first.
func (s *Store) Close() error {
	s.once.Do(func() {
		close(s.quit)
		s.closed = s.Engine.Close()
		s.lease.end()
	})
	return s.closed
}

// Check is of store.State. A replica without its lease session cannot claim, and
// so cannot change a file.
func (s *Store) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, checkWithin, errSlow)
	defer cancel()
	err := s.Probe(ctx)
	if err == nil {
		_, err = s.Alive(ctx) // asks the lease session, which may be dead and not know it
	}
	if err != nil && errors.Is(context.Cause(ctx), errSlow) {
		return fmt.Errorf("postgres: check: %w", errSlow)
	}
	return err
}

var errSlow = fmt.Errorf("the database does not answer within %v: %w", checkWithin, fault.ErrUnavailable)

// Replica is of store.Replicas.
func (s *Store) Replica() string { return s.lease.replica }

// Shared is of store.Replicas.
func (s *Store) Shared() bool { return true }

func dialect() *sqlstore.Dialect {
	return &sqlstore.Dialect{
		Name: name,
		// READ COMMITTED gives each statement a view of its own, taken when it
		// begins. So all that follows the lock sees what the replica that had it
		// before has committed; in REPEATABLE READ the view would be that of the
		// statement which waited.
		Begin:   []string{`BEGIN ISOLATION LEVEL READ COMMITTED`, fmt.Sprintf(`SELECT pg_advisory_xact_lock(%d)`, lockWriter)},
		Adapt:   adapt,
		Control: control,
		Lost:    broken,
		Within:  within,
	}
}

// control sends its statements at once, which spares the way there and back for
// each.
func control(ctx context.Context, conn *sql.Conn, statements []string) error {
	return conn.Raw(func(c any) error {
		wire, ok := c.(*stdlib.Conn)
		if !ok {
			return errForeign
		}
		results, err := wire.Conn().PgConn().Exec(ctx, join(statements)).ReadAll()
		if err != nil {
			return err
		}
		// The COMMIT of a transaction that has failed is no error: it is answered
		// with ROLLBACK.
		if slices.Contains(statements, `COMMIT`) && results[len(results)-1].CommandTag.String() != `COMMIT` {
			return errUndone
		}
		return nil
	})
}

var (
	errForeign = errors.New("not a connection of this package")
	errUndone  = errors.New("the server has undone the transaction")
)

// broken tells the errors after which a connection is of no more use. An answer
// that did not come in time is not among them: the next would not come either.
func broken(err error) bool {
	if errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	if refusal, ok := errors.AsType[*pgconn.PgError](err); ok {
		return slices.Contains([]string{"57P01", "57P02", "57P05"}, refusal.Code) // shutdown, crash, idle_session_timeout
	}
	_, refused := errors.AsType[*pgconn.ConnectError](err)
	return !refused
}
