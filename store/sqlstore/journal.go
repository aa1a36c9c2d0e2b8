package sqlstore

import (
	"context"

	"portico/store"
)

const (
	sqlMoves = `SELECT id, source, target, dir, phase, began, audit FROM moves ORDER BY began, number`

	// An upsert keeps the number, and so the order.
	sqlPutMove = `INSERT INTO moves (id, source, target, dir, phase, began, audit) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (id) DO UPDATE SET source = excluded.source, target = excluded.target, dir = excluded.dir,
			phase = excluded.phase, began = excluded.began, audit = excluded.audit`
	sqlDropMove = `DELETE FROM moves WHERE id = $1`

	sqlIntents   = `SELECT id, replica, began, audit FROM intents ORDER BY began, number`
	sqlPutIntent = `INSERT INTO intents (id, replica, began, audit) VALUES ($1, $2, $3, $4)
		ON CONFLICT (id) DO UPDATE SET replica = excluded.replica, began = excluded.began, audit = excluded.audit`
	sqlDropIntent = `DELETE FROM intents WHERE id = $1`
)

// Moves is of store.JournalReader.
func (r reader) Moves(ctx context.Context) ([]store.Move, error) {
	return collect(ctx, r.on, sqlMoves, func(row scanner) (m store.Move, err error) {
		return m, row.Scan(&m.ID, where{&m.From}, where{&m.To}, &m.Dir, &m.Phase, moment{&m.Began}, &m.Audit)
	})
}

// PutMove is of store.JournalWriter.
func (x *tx) PutMove(m store.Move) error {
	return x.do("put move", sqlPutMove, m.ID, key(m.From), key(m.To), m.Dir, m.Phase, m.Began.UnixMicro(), m.Audit)
}

// DropMove is of store.JournalWriter.
func (x *tx) DropMove(id string) error { return x.do("drop move", sqlDropMove, id) }

// Intents is of store.JournalReader.
func (r reader) Intents(ctx context.Context) ([]store.Intent, error) {
	return collect(ctx, r.on, sqlIntents, func(row scanner) (i store.Intent, err error) {
		return i, row.Scan(&i.ID, &i.Replica, moment{&i.Began}, &i.Audit)
	})
}

// PutIntent is of store.JournalWriter.
func (x *tx) PutIntent(i store.Intent) error {
	return x.do("put intent", sqlPutIntent, i.ID, i.Replica, i.Began.UnixMicro(), i.Audit)
}

// DropIntent is of store.JournalWriter.
func (x *tx) DropIntent(id string) error { return x.do("drop intent", sqlDropIntent, id) }
