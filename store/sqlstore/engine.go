package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"

	"portico/fault"
	"portico/store"
)

// maxBatch bounds how many Updates share a commit, and so how long the first
// of them waits for it. PostgreSQL keeps up to 64 savepoints of a transaction
// at hand; with more, every reader pays (its PGPROC_MAX_CACHED_SUBXIDS).
const maxBatch = 64

var (
	errClosed = fmt.Errorf("the store is closed: %w", fault.ErrUnavailable)
	errOver   = errors.New("the transaction is over")
	errPanic  = errors.New("the update panicked")
	errSum    = errors.New("a checksum does not have 32 bytes")
)

// Engine is a store over an open database: store.Reader and Update.
type Engine struct {
	*Pool
	writer *writer

	once   sync.Once
	closed error
}

// New makes an Engine that reads through one pool and writes through another,
// of which it uses one connection. It closes both. ctx gives its values to the
// statements of the writer; its end does nothing.
func New(ctx context.Context, d *Dialect, read, write *sql.DB) *Engine {
	e := &Engine{Pool: NewPool(d, read), writer: newWriter(context.WithoutCancel(ctx), d, write)}
	go e.writer.serve()
	return e
}

// Close waits for the batch that runs, and ends the store. Updates that wait
// are answered with an error. A second Close gives the answer of the first.
func (e *Engine) Close() error {
	e.once.Do(func() { e.closed = errors.Join(e.Pool.Close(), e.writer.stop()) })
	return e.closed
}

// Update runs f when its turn comes, in the caller's own goroutine, so that a
// panic of f is a panic of the caller, with its stack. If ctx ends before that,
// f is not run; once it has run, the result stands whatever becomes of ctx.
//
// Where the commit fails, all of the batch get an error, those too whose f
// refused: it may have judged by what its neighbours wrote.
func (e *Engine) Update(ctx context.Context, f func(store.Tx) error) error {
	if ctx.Err() != nil {
		return e.dialect.ended("update", ctx)
	}
	t := newTurn()
	select {
	case e.writer.turns <- t:
	case <-ctx.Done():
		return e.dialect.ended("update", ctx)
	case <-e.writer.quit:
		return fmt.Errorf("%s: update: %w", e.dialect.Name, errClosed)
	}
	select {
	case x := <-t.start:
		t.run(ctx, x, f)
		return <-t.answer
	case err := <-t.answer:
		return err
	case <-ctx.Done(): // the writer has not got to it: a server may be long in answering
		close(t.gone)
		return e.dialect.ended("update", ctx)
	}
}

// Probe writes one row and reads it back by the other way.
func (e *Engine) Probe(ctx context.Context) error {
	err := e.Update(ctx, func(t store.Tx) error {
		x, _ := t.(*tx) // of this package's own making
		return x.do("check", sqlProbe)
	})
	if err != nil {
		return err
	}
	_, err = number(ctx, e, sqlAlive)
	return err
}

const (
	sqlProbe = `UPDATE probe SET count = count + 1`
	sqlAlive = `SELECT count FROM probe`
)

// turn is one Update on its way. It is sent to the writer, which lends it the
// transaction and, when all of the batch is committed or none, answers.
type turn struct {
	start  chan *tx
	gone   chan struct{} // closed by a caller who no longer waits for start
	ran    chan error    // what f gave
	answer chan error

	verdict error // of f; kept by the writer until the commit
}

func newTurn() *turn {
	return &turn{start: make(chan *tx), gone: make(chan struct{}), ran: make(chan error, 1), answer: make(chan error, 1)}
}

// run gives the transaction back in any case: f may panic, and a test's f may
// end its goroutine.
func (t *turn) run(ctx context.Context, x *tx, f func(store.Tx) error) {
	verdict := errPanic
	defer func() { t.ran <- verdict }()
	if ctx.Err() != nil {
		verdict = x.w.dialect.ended("update", ctx)
		return
	}
	verdict = f(x)
}
