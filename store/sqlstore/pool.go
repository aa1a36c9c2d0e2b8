package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"

	"portico/fault"
)

// Pool is store.Reader over a few connections. Each statement is compiled once
// a connection.
type Pool struct {
	reader
	dialect *Dialect
	db      *sql.DB

	mu    sync.Mutex
	stmts map[string]*sql.Stmt
}

// NewPool makes a Pool of db, which it closes.
func NewPool(d *Dialect, db *sql.DB) *Pool {
	p := &Pool{dialect: d, db: db, stmts: make(map[string]*sql.Stmt)}
	p.on = p
	return p
}

// Close ends it. Reads after that are errors.
func (p *Pool) Close() error { return p.db.Close() }

// ask reads outside any transaction.
func (p *Pool) ask(ctx context.Context, query string, args ...any) (*sql.Rows, func(), error) {
	ctx, cancel := p.dialect.within(ctx)
	stmt, err := p.stmt(ctx, query) //nolint:sqlclosecheck // closed with the pool
	if err != nil {
		cancel()
		return nil, nil, err
	}
	rows, err := stmt.QueryContext(ctx, args...)
	if err != nil {
		cancel()
		return nil, nil, err
	}
	return rows, func() { _ = rows.Close(); cancel() }, nil // Err has told all
}

// stmt compiles a statement once; database/sql does so again on each connection
// that first uses it.
func (p *Pool) stmt(ctx context.Context, query string) (*sql.Stmt, error) {
	p.mu.Lock()
	stmt, ok := p.stmts[query]
	p.mu.Unlock() // a server may be slow to answer
	if ok {
		return stmt, nil
	}
	stmt, err := p.db.PrepareContext(ctx, p.dialect.adapt(query)) //nolint:sqlclosecheck // closed with the pool
	if err == nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.stmts[query] = stmt // two at once make two, and both end with the pool
	}
	return stmt, err
}

func (p *Pool) words() *Dialect { return p.dialect }

// unwatched: for a context that can end, database/sql and the driver start a
// goroutine each, which cost nearly a third of such a question. A request that has
// ended is still refused, and one that must wait for a connection is watched.
func (p *Pool) unwatched(ctx context.Context) context.Context {
	if !p.dialect.Near || ctx.Err() != nil || p.db.Stats().Idle == 0 {
		return ctx
	}
	return context.WithoutCancel(ctx)
}

// again: after a server's restart all idle connections have ended.
func (p *Pool) again(ctx context.Context, err error) bool {
	return p.dialect.Lost != nil && ctx.Err() == nil && p.dialect.Lost(err)
}

func (p *Pool) failed(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return p.dialect.ended("read", ctx)
	case errors.Is(err, fault.ErrUnavailable):
		return fmt.Errorf("%s: read: %w", p.dialect.Name, err)
	}
	return p.dialect.fail("read", err)
}
