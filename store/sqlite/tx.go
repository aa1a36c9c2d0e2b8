package sqlite

import (
	"context"
	"database/sql"

	"portico/store"
	"portico/vpath"
)

// The contract, held by the compiler.
var (
	_ store.State = (*Store)(nil)
	_ store.Tx    = (*tx)(nil)
)

// asker reads: through the pool, or in the transaction.
type asker interface {
	ask(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	// failed takes the error of a read and gives it its name.
	failed(err error) error
}

// reader is store.Reader over either.
type reader struct{ on asker }

// tx is the writer's transaction, lent to one Update.
type tx struct {
	reader
	w      *writer
	over   bool  // given back
	broken error // the first failure of SQLite
}

func newTx(w *writer) *tx {
	x := &tx{w: w}
	x.on = x
	return x
}

// fit refuses all that comes after a failure: when SQLite has ended the
// transaction by itself, the next statement would be one of its own, and stay.
func (x *tx) fit() error {
	if x.over {
		return errOver
	}
	return x.broken
}

// ask reads in the transaction. It does not watch ctx: see writer.ctx.
func (x *tx) ask(_ context.Context, query string, args ...any) (*sql.Rows, error) {
	if err := x.fit(); err != nil {
		return nil, err
	}
	stmt, err := x.w.stmt(query) //nolint:sqlclosecheck // closed with its connection
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(x.w.ctx, args...) //nolint:contextcheck // on purpose, see above
}

func (x *tx) failed(err error) error {
	if x.broken == nil && !x.over {
		x.broken = fail("read", err)
	}
	return fail("read", err)
}

// do changes something.
func (x *tx) do(step, query string, args ...any) error {
	if err := x.fit(); err != nil {
		return err
	}
	if err := x.w.exec(query, args...); err != nil {
		x.broken = fail(step, err)
	}
	return x.broken
}

// scanner is a row.
type scanner interface{ Scan(to ...any) error }

// collect reads all rows of a query.
func collect[T any](ctx context.Context, on asker, query string, scan func(scanner) (T, error), args ...any) ([]T, error) {
	rows, err := on.ask(ctx, query, args...)
	if err != nil {
		return nil, on.failed(err)
	}
	defer rows.Close() //nolint:errcheck // Err below tells all
	var all []T
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, on.failed(err)
		}
		all = append(all, one)
	}
	if err := rows.Err(); err != nil {
		return nil, on.failed(err)
	}
	return all, nil
}

// key is how a path is kept: see migrations/00001_state.sql.
func key(p vpath.Path) string {
	if p.IsRoot() {
		return "/"
	}
	return p.String() + "/"
}

// below is the range of keys of p and all below it: from the first, up to and
// without the second.
func below(p vpath.Path) (from, to string) {
	k := key(p)
	return k, k[:len(k)-1] + "0"
}

func parentKey(p vpath.Path) string {
	if p.IsRoot() {
		return ""
	}
	return key(p.Parent())
}

// unkey reads a key back.
func unkey(k string) (vpath.Path, error) { return vpath.Parse(k) }
