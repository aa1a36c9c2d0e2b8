package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"

	"portico/fault"
	"portico/store"
)

// maxBatch bounds how many Updates share a commit, and so how long the first
// of them waits for it.
const maxBatch = 64

var (
	errClosed = fmt.Errorf("the store is closed: %w", fault.ErrUnavailable)
	errOver   = errors.New("the transaction is over")
	errPanic  = errors.New("the update panicked")
)

// turn is one Update on its way. It is sent to the writer, which lends it the
// transaction and, when all of the batch is committed or none, answers.
type turn struct {
	start  chan *tx
	ran    chan error // what f gave
	answer chan error

	verdict error // of f; kept by the writer until the commit
}

// Update runs f when its turn comes, in the caller's own goroutine, so that a
// panic of f is a panic of the caller, with its stack. If ctx ends before that,
// f is not run; once it has run, the result stands whatever becomes of ctx.
//
// Where the commit fails, all of the batch get an error, those too whose f
// refused: it may have judged by what its neighbours wrote.
func (s *Store) Update(ctx context.Context, f func(store.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return fail("update", err)
	}
	t := &turn{start: make(chan *tx), ran: make(chan error, 1), answer: make(chan error, 1)}
	select {
	case s.writer.turns <- t:
	case <-ctx.Done():
		return fail("update", ctx.Err())
	case <-s.writer.quit:
		return fmt.Errorf("sqlite: update: %w", errClosed)
	}
	select {
	case x := <-t.start:
		t.run(ctx, x, f)
		return <-t.answer
	case err := <-t.answer:
		return err
	}
}

// run gives the transaction back in any case: f may panic, and a test's f may
// end its goroutine.
func (t *turn) run(ctx context.Context, x *tx, f func(store.Tx) error) {
	verdict := errPanic
	defer func() { t.ran <- verdict }()
	if ctx.Err() != nil {
		verdict = fail("update", ctx.Err())
		return
	}
	verdict = f(x)
}

// writer owns the one connection that writes.
type writer struct {
	ctx   context.Context // never ends: an interrupt in a transaction would undo the neighbours' work too
	db    *sql.DB
	conn  *sql.Conn // nil before the first use, and after a failure
	stmts map[string]*sql.Stmt

	turns   chan *turn // unbuffered: what is not taken can still be withdrawn
	quit    chan struct{}
	done    chan struct{}
	started bool
}

func newWriter(ctx context.Context, db *sql.DB) *writer {
	return &writer{
		ctx: ctx, db: db,
		turns: make(chan *turn), quit: make(chan struct{}), done: make(chan struct{}),
	}
}

func (w *writer) start() {
	w.started = true
	go w.serve()
}

func (w *writer) stop() error {
	close(w.quit)
	if w.started {
		<-w.done
	}
	w.disconnect()
	return w.db.Close()
}

func (w *writer) serve() {
	defer close(w.done)
	for {
		select {
		case t := <-w.turns:
			w.batch(t)
		case <-w.quit:
			return
		}
	}
}

// batch runs t and all who wait behind it in one transaction.
func (w *writer) batch(t *turn) {
	err := w.begin()
	all := []*turn{t}
	for err == nil && t != nil {
		if err = w.lend(t); err != nil {
			break
		}
		if t = w.next(len(all)); t != nil {
			all = append(all, t)
		}
	}
	if err == nil {
		err = w.exec(`COMMIT`)
	}
	if err != nil {
		w.undo()
	}
	for _, t := range all {
		if err != nil {
			t.verdict = fail("commit", err)
		}
		t.answer <- t.verdict
	}
}

// next is one who waits, if there is one and the batch has room.
func (w *writer) next(n int) *turn {
	if n >= maxBatch {
		return nil
	}
	select {
	case t := <-w.turns:
		return t
	default:
		return nil
	}
}

// lend runs one Update inside a savepoint, so that it can be undone alone. Its
// error is one of the transaction as a whole: SQLite ends a transaction by
// itself when the disk is full or fails (https://www.sqlite.org/lang_transaction.html
// §3), and with it the savepoints.
func (w *writer) lend(t *turn) error {
	if err := w.exec(`SAVEPOINT turn`); err != nil {
		return err
	}
	x := newTx(w)
	t.start <- x
	t.verdict = <-t.ran
	x.over = true
	if t.verdict == nil {
		t.verdict = x.broken // f did not look at an error
	}
	if t.verdict != nil {
		if err := w.exec(`ROLLBACK TO turn`); err != nil {
			return cmp.Or(x.broken, err) // the cause, where it is known: "no such savepoint" helps nobody
		}
	}
	return w.exec(`RELEASE turn`)
}

func (w *writer) begin() (err error) {
	if w.conn == nil {
		w.stmts = make(map[string]*sql.Stmt)
		if w.conn, err = w.db.Conn(w.ctx); err != nil {
			w.conn = nil
			return err
		}
	}
	return w.exec(`BEGIN IMMEDIATE`)
}

// undo ends the transaction, if SQLite has not done so, and the connection:
// after a failed write the next one starts from what is on the disk.
func (w *writer) undo() {
	if w.conn != nil {
		_ = w.exec(`ROLLBACK`)
	}
	w.disconnect()
}

func (w *writer) disconnect() {
	if w.conn == nil {
		return
	}
	for _, stmt := range w.stmts {
		_ = stmt.Close()
	}
	// ErrBadConn makes database/sql close the connection instead of keeping it.
	_ = w.conn.Raw(func(any) error { return driver.ErrBadConn })
	_ = w.conn.Close()
	w.conn = nil
}

// stmt compiles a statement once a connection.
func (w *writer) stmt(query string) (*sql.Stmt, error) {
	if stmt, ok := w.stmts[query]; ok {
		return stmt, nil
	}
	stmt, err := w.conn.PrepareContext(w.ctx, query)
	if err == nil {
		w.stmts[query] = stmt
	}
	return stmt, err
}

func (w *writer) exec(query string, args ...any) error {
	stmt, err := w.stmt(query) //nolint:sqlclosecheck // closed with its connection
	if err != nil {
		return err
	}
	_, err = stmt.ExecContext(w.ctx, args...)
	return err
}
