package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"time"

	"portico/store"
	"portico/vpath"
)

// The contract, held by the compiler.
var (
	_ store.Reader = (*Pool)(nil)
	_ store.Tx     = (*tx)(nil)
)

// asker reads: through the pool, or in the transaction.
type asker interface {
	// ask answers with rows, and a function that ends the reading of them.
	ask(ctx context.Context, query string, args ...any) (*sql.Rows, func(), error)
	words() *Dialect
	// unwatched is ctx for a question whose answer comes so soon that nobody need
	// watch for the end of the request.
	unwatched(ctx context.Context) context.Context
	// again tells whether a read that failed may be made once more.
	again(ctx context.Context, err error) bool
	// failed takes the error of a read and gives it its name.
	failed(ctx context.Context, err error) error
}

// reader is store.Reader over either.
type reader struct{ on asker }

// tx is the writer's transaction, lent to one Update.
type tx struct {
	reader
	w      *writer
	over   bool  // given back
	broken error // the first failure of the database
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

// ask reads in the transaction. It does not watch ctx: an interrupt would undo
// the neighbours' work too.
func (x *tx) ask(_ context.Context, query string, args ...any) (*sql.Rows, func(), error) {
	if err := x.fit(); err != nil {
		return nil, nil, err
	}
	rows, err := x.w.query(query, args...)
	if err != nil {
		return nil, nil, err
	}
	return rows, func() { _ = rows.Close() }, nil // Err has told all
}

func (x *tx) words() *Dialect { return x.w.dialect }

func (x *tx) unwatched(ctx context.Context) context.Context { return ctx } // ask watches none

func (x *tx) again(context.Context, error) bool { return false }

func (x *tx) failed(_ context.Context, err error) error {
	err = x.w.dialect.fail("read", err)
	if x.broken == nil && !x.over {
		x.broken = err
	}
	return err
}

// do changes something.
func (x *tx) do(step, query string, args ...any) error {
	_, err := x.count(step, query, args...)
	return err
}

// count changes something, and tells how many rows.
func (x *tx) count(step, query string, args ...any) (int64, error) {
	if err := x.fit(); err != nil {
		return 0, err
	}
	if err := x.w.dialect.text(step, args); err != nil {
		return 0, err
	}
	n, err := x.w.exec(query, args...)
	if err != nil {
		x.broken = x.w.dialect.fail(step, err)
	}
	return n, x.broken
}

// scanner is a row.
type scanner interface{ Scan(to ...any) error }

// maxTries is one more than the connections of a pool that may all have ended.
const maxTries = 5

// bound ends the reading of rows that come to too much.
type bound[T any] struct {
	most  int // 0 for no bound
	weigh func(T) int
}

// collect reads all rows of a query.
func collect[T any](ctx context.Context, on asker, query string, scan func(scanner) (T, error), args ...any) ([]T, error) {
	all, _, err := collectSome(ctx, on, bound[T]{}, query, scan, args...)
	return all, err
}

// collectSome is collect up to a bound; cut tells that it was met.
func collectSome[T any](ctx context.Context, on asker, b bound[T], query string, scan func(scanner) (T, error), args ...any) (all []T, cut bool, err error) {
	if err := on.words().text("read", args); err != nil {
		return nil, false, err
	}
	all, cut, err = collectOnce(ctx, on, b, query, scan, args)
	for try := 1; err != nil && try < maxTries && on.again(ctx, err); try++ {
		all, cut, err = collectOnce(ctx, on, b, query, scan, args)
	}
	if err != nil {
		return nil, false, on.failed(ctx, err)
	}
	return all, cut, nil
}

func collectOnce[T any](ctx context.Context, on asker, b bound[T], query string, scan func(scanner) (T, error), args []any) (all []T, cut bool, err error) {
	rows, done, err := on.ask(ctx, query, args...) //nolint:sqlclosecheck // done closes them
	if err != nil {
		return nil, false, err
	}
	defer done()
	for size := 0; rows.Next(); {
		one, err := scan(rows)
		if err != nil {
			return nil, false, err
		}
		if b.most > 0 {
			if size += b.weigh(one); size > b.most {
				return nil, true, nil
			}
		}
		all = append(all, one)
	}
	return all, false, rows.Err()
}

// few is collect for a few rows that are found by their keys.
func few[T any](ctx context.Context, on asker, query string, scan func(scanner) (T, error), args ...any) ([]T, error) {
	return collect(on.unwatched(ctx), on, query, scan, args...)
}

// one reads the row of a query that gives at most one.
func one[T any](ctx context.Context, on asker, query string, scan func(scanner) (T, error), args ...any) (row T, found bool, err error) {
	rows, err := few(ctx, on, query, scan, args...)
	if err != nil || len(rows) == 0 {
		return row, false, err
	}
	return rows[0], true, nil
}

// number reads a query of one number.
func number(ctx context.Context, on asker, query string, args ...any) (int64, error) {
	n, _, err := one(ctx, on, query, func(row scanner) (n int64, err error) {
		return n, row.Scan(&n)
	}, args...)
	return n, err
}

// key is how a path is kept: see the first migration.
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

// list is a list of texts as one argument: both databases unfold JSON.
type list []string

// Value is of driver.Valuer.
func (l list) Value() (driver.Value, error) {
	if l == nil {
		l = list{}
	}
	b, err := json.Marshal(l)
	return string(b), err
}

// moment is a column of a time.
type moment struct{ to *time.Time }

// Scan is of sql.Scanner.
func (m moment) Scan(v any) error {
	var micros sql.NullInt64
	if err := micros.Scan(v); err != nil {
		return err
	}
	*m.to = time.UnixMicro(micros.Int64).UTC()
	return nil
}

// where is a column of a path.
type where struct{ to *vpath.Path }

// Scan is of sql.Scanner.
func (w where) Scan(v any) (err error) {
	var k sql.NullString
	if err := k.Scan(v); err != nil {
		return err
	}
	*w.to, err = unkey(k.String)
	return err
}

// texts is a column of a list of texts.
type texts struct{ to *[]string }

// Scan is of sql.Scanner.
func (t texts) Scan(v any) error {
	var b sql.NullString
	if err := b.Scan(v); err != nil {
		return err
	}
	err := json.Unmarshal([]byte(b.String), t.to)
	if len(*t.to) == 0 {
		*t.to = nil // as it was put, and as who asks "== nil" wants it
	}
	return err
}

// secret is a column of a Sum.
type secret struct{ to *store.Sum }

// Scan is of sql.Scanner.
func (s secret) Scan(v any) error {
	b, ok := v.([]byte)
	if !ok || len(b) != len(s.to) {
		return errSum
	}
	copy(s.to[:], b)
	return nil
}
