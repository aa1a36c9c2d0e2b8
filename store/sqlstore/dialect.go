package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"portico/fault"
)

// Dialect is what a database does in its own way.
type Dialect struct {
	Name string // in front of errors

	// Begin opens the transaction of a batch: BEGIN, and what must follow before
	// anybody reads in it.
	Begin []string

	// Adapt turns a statement of this package, which is written for SQLite, into
	// the database's own words; nil where it has none.
	Adapt func(query string) string

	// Control runs the statements that begin and end transactions; nil for one
	// after the other. A database that answers over a network takes them at once.
	Control func(ctx context.Context, conn *sql.Conn, statements []string) error

	// Lost tells the errors of a connection that has ended, after which a read is
	// made again on another; nil for none.
	Lost func(error) bool

	// Near tells that the database is in this process: what is found by key is
	// there in microseconds.
	Near bool

	// Within bounds a read, and a batch of Updates from its beginning to the
	// commit; 0 for no bound. A server that is frozen answers nothing, not even
	// an error.
	Within time.Duration
}

func (d *Dialect) adapt(query string) string {
	if d.Adapt == nil {
		return query
	}
	return d.Adapt(query)
}

// control begins and ends transactions.
func (d *Dialect) control(ctx context.Context, conn *sql.Conn, statements ...string) error {
	if d.Control != nil {
		return d.Control(ctx, conn, statements)
	}
	for _, one := range statements {
		if _, err := conn.ExecContext(ctx, one); err != nil {
			return err
		}
	}
	return nil
}

func (d *Dialect) within(ctx context.Context) (context.Context, context.CancelFunc) {
	if d.Within == 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, d.Within)
}

// fail names the step that failed. Whatever a database says, the store could
// not answer: the caller may try again later.
func (d *Dialect) fail(step string, err error) error {
	return fmt.Errorf("%s: %s: %w: %w", d.Name, step, fault.ErrUnavailable, err)
}

// ended is the error of a request that ended: that is no fault of the store.
func (d *Dialect) ended(step string, ctx context.Context) error { //nolint:revive // the word order of fail
	return fmt.Errorf("%s: %s: %w", d.Name, step, ctx.Err())
}

// text refuses what PostgreSQL cannot keep as text and SQLite can: a NUL, and
// bytes that are no UTF-8. So both give the same answer, and a client's bad name
// is not taken for a failure of the store.
func (d *Dialect) text(step string, args []any) error {
	for _, arg := range args {
		all, ok := arg.(list)
		if s, isText := arg.(string); isText {
			all, ok = list{s}, true
		}
		if ok && slices.ContainsFunc(all, bad) {
			return fmt.Errorf("%s: %s: a text holds NUL or is no UTF-8: %w", d.Name, step, fs.ErrInvalid)
		}
	}
	return nil
}

func bad(s string) bool { return strings.ContainsRune(s, 0) || !utf8.ValidString(s) }
