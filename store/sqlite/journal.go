package sqlite

import (
	"context"
	"time"

	"portico/store"
)

const (
	sqlMoves = `SELECT id, source, target, dir, phase, began, audit FROM moves ORDER BY began, number`

	// An upsert keeps the number, and so the order.
	sqlPutMove = `INSERT INTO moves (id, source, target, dir, phase, began, audit) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET source = excluded.source, target = excluded.target, dir = excluded.dir,
			phase = excluded.phase, began = excluded.began, audit = excluded.audit`
	sqlDropMove = `DELETE FROM moves WHERE id = ?`

	sqlAuditRows   = `SELECT seq, time, json FROM audit WHERE seq > ? ORDER BY seq LIMIT ?`
	sqlAppendAudit = `INSERT INTO audit (time, json) VALUES (?, ?)`
)

// Moves is of store.JournalReader.
func (r reader) Moves(ctx context.Context) ([]store.Move, error) {
	return collect(ctx, r.on, sqlMoves, scanMove)
}

func scanMove(row scanner) (m store.Move, err error) {
	var from, to string
	var began int64
	if err := row.Scan(&m.ID, &from, &to, &m.Dir, &m.Phase, &began, &m.Audit); err != nil {
		return m, err
	}
	m.Began = time.UnixMicro(began).UTC()
	if m.From, err = unkey(from); err != nil {
		return m, err
	}
	m.To, err = unkey(to)
	return m, err
}

// PutMove is of store.JournalWriter.
func (x *tx) PutMove(m store.Move) error {
	return x.do("put move", sqlPutMove, m.ID, key(m.From), key(m.To), m.Dir, m.Phase, m.Began.UnixMicro(), m.Audit)
}

// DropMove is of store.JournalWriter.
func (x *tx) DropMove(id string) error { return x.do("drop move", sqlDropMove, id) }

// AuditRows is of store.AuditReader.
func (r reader) AuditRows(ctx context.Context, after int64, limit int) ([]store.AuditRow, error) {
	// SQLite takes a negative limit for none at all.
	return collect(ctx, r.on, sqlAuditRows, scanAudit, after, max(limit, 0))
}

func scanAudit(row scanner) (a store.AuditRow, err error) {
	var at int64
	if err := row.Scan(&a.Seq, &at, &a.JSON); err != nil {
		return a, err
	}
	a.Time = time.UnixMicro(at).UTC()
	return a, nil
}

// AppendAudit is of store.AuditWriter.
func (x *tx) AppendAudit(at time.Time, json []byte) error {
	return x.do("append audit", sqlAppendAudit, at.UnixMicro(), string(json))
}
