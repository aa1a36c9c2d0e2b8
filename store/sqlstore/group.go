package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"slices"
)

// writer owns the one connection that writes.
type writer struct {
	dialect *Dialect
	life    context.Context // never ends
	ctx     context.Context // of the batch: ends when the dialect's bound is over
	db      *sql.DB
	conn    *sql.Conn // nil before the first use, and after a failure
	stmts   map[string]*sql.Stmt

	turns chan *turn // unbuffered: what is not taken can still be withdrawn
	quit  chan struct{}
	done  chan struct{}
}

func newWriter(ctx context.Context, d *Dialect, db *sql.DB) *writer {
	return &writer{
		dialect: d, life: ctx, ctx: ctx, db: db,
		turns: make(chan *turn), quit: make(chan struct{}), done: make(chan struct{}),
	}
}

func (w *writer) stop() error {
	close(w.quit)
	<-w.done
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

// batch runs t and all who wait behind it in one transaction. Each has a
// savepoint, so that it can be undone alone.
func (w *writer) batch(t *turn) {
	ctx, cancel := w.dialect.within(w.life)
	defer cancel()
	w.ctx = ctx
	all := []*turn{t}
	err := w.begin()
	for err == nil {
		if err = w.lend(t); err != nil {
			break
		}
		if t = w.next(len(all)); t == nil {
			err = w.control(`RELEASE SAVEPOINT turn`, `COMMIT`)
			break
		}
		all = append(all, t)
		err = w.control(`RELEASE SAVEPOINT turn`, `SAVEPOINT turn`)
	}
	if err != nil {
		w.disconnect()
		// Those who wait would ask in vain, one after the other, and each for as
		// long as a server that is away makes this one wait.
		for t := w.next(len(all)); t != nil; t = w.next(len(all)) {
			all = append(all, t)
		}
	}
	for _, t := range all {
		if err != nil {
			t.verdict = w.dialect.fail("commit", err)
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

// lend runs one Update. Its error is one of the transaction as a whole: SQLite
// ends a transaction by itself when the disk is full or fails
// (https://www.sqlite.org/lang_transaction.html §3), and with it the savepoints;
// and a server may go away.
func (w *writer) lend(t *turn) error {
	x := newTx(w)
	select {
	case t.start <- x:
		t.verdict = <-t.ran
	case <-t.gone: // nobody reads the answer
		return nil
	}
	x.over = true
	if t.verdict == nil {
		t.verdict = x.broken // f did not look at an error
	}
	if t.verdict == nil {
		return nil
	}
	if err := w.control(`ROLLBACK TO SAVEPOINT turn`); err != nil {
		return cmp.Or(x.broken, err) // the cause, where it is known: "no such savepoint" helps nobody
	}
	return nil
}

// begin opens the transaction. Where the connection was lost while nobody used
// it, a server's restart say, another is made at once: nothing was done in it.
func (w *writer) begin() error {
	if w.conn != nil {
		if w.open() == nil {
			return nil
		}
		w.disconnect()
	}
	var err error
	w.stmts = make(map[string]*sql.Stmt)
	if w.conn, err = w.db.Conn(w.ctx); err != nil {
		w.conn = nil
		return err
	}
	return w.open()
}

func (w *writer) open() error {
	return w.control(slices.Concat(w.dialect.Begin, []string{`SAVEPOINT turn`})...)
}

// disconnect ends the connection, and with it an open transaction: after a
// failed write the next one starts from what is on the disk.
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

// control begins and ends transactions and savepoints.
func (w *writer) control(statements ...string) error {
	if w.dialect.Control != nil {
		return w.dialect.Control(w.ctx, w.conn, statements)
	}
	for _, one := range statements {
		if _, err := w.exec(one); err != nil {
			return err
		}
	}
	return nil
}

// stmt compiles a statement once a connection.
func (w *writer) stmt(query string) (*sql.Stmt, error) {
	if stmt, ok := w.stmts[query]; ok {
		return stmt, nil
	}
	stmt, err := w.conn.PrepareContext(w.ctx, w.dialect.adapt(query))
	if err == nil {
		w.stmts[query] = stmt
	}
	return stmt, err
}

func (w *writer) query(query string, args ...any) (*sql.Rows, error) {
	stmt, err := w.stmt(query) //nolint:sqlclosecheck // closed with its connection
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(w.ctx, args...)
}

func (w *writer) exec(query string, args ...any) (int64, error) {
	stmt, err := w.stmt(query) //nolint:sqlclosecheck // closed with its connection
	if err != nil {
		return 0, err
	}
	done, err := stmt.ExecContext(w.ctx, args...)
	if err != nil {
		return 0, err
	}
	return done.RowsAffected()
}
