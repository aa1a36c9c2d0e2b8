package sqlstore

import (
	"context"
	"fmt"

	"portico/fault"
	"portico/store"
)

const (
	// The last number of a stream is that of its newest row, or of its newest cut
	// where all rows are gone.
	auditLast = `coalesce((SELECT max(seq) FROM audit WHERE stream = $1), (SELECT max(seq) FROM audit_cuts WHERE stream = $1), 0)`

	sqlAppendAudit = `INSERT INTO audit (stream, seq, time, json, hash)
		SELECT $1, $2, $3, $4, $5 WHERE $2 = 1 + ` + auditLast
	sqlAuditRows = `SELECT stream, seq, time, json, hash FROM audit WHERE stream = $1 AND seq > $2 ORDER BY seq LIMIT $3`

	// Each subquery is one step in an index.
	auditHead = `coalesce((SELECT min(seq) FROM audit WHERE stream = s.name), 0),
		coalesce((SELECT max(seq) FROM audit WHERE stream = s.name), (SELECT max(seq) FROM audit_cuts WHERE stream = s.name), 0),
		coalesce((SELECT hash FROM audit WHERE stream = s.name ORDER BY seq DESC LIMIT 1),
			(SELECT hash FROM audit_cuts WHERE stream = s.name ORDER BY seq DESC LIMIT 1))`
	sqlAuditHead = `SELECT s.name, ` + auditHead + ` FROM (SELECT CAST($1 AS TEXT) AS name) AS s`

	// DISTINCT would read the whole index; this steps from one name to the next.
	sqlAuditStreams = `WITH RECURSIVE names (name) AS (
			SELECT min(stream) FROM audit
			UNION ALL SELECT (SELECT min(stream) FROM audit WHERE stream > names.name) FROM names WHERE names.name IS NOT NULL
		) SELECT s.name, ` + auditHead + ` FROM (
			SELECT name FROM names WHERE name IS NOT NULL UNION SELECT stream FROM audit_cuts
		) AS s ORDER BY s.name`

	cutColumns   = `stream, seq, hash, time, signature`
	sqlAuditCuts = `SELECT ` + cutColumns + ` FROM audit_cuts AS c
		WHERE seq = (SELECT max(seq) FROM audit_cuts WHERE stream = c.stream) ORDER BY stream`
	// A cut lies ahead of the one before it, and not behind the end.
	sqlPutCut = `INSERT INTO audit_cuts (` + cutColumns + `) SELECT $1, $2, $3, $4, $5
		WHERE $2 <= ` + auditLast + ` AND $2 > coalesce((SELECT max(seq) FROM audit_cuts WHERE stream = $1), 0)`
	sqlCutAudit = `DELETE FROM audit WHERE stream = $1 AND seq <= $2`

	sqlSinkAt    = `SELECT seq FROM audit_sinks WHERE sink = $1 AND stream = $2`
	sqlPutSinkAt = `INSERT INTO audit_sinks (sink, stream, seq) VALUES ($1, $2, $3)
		ON CONFLICT (sink, stream) DO UPDATE SET seq = excluded.seq`
)

// AuditStreams is of store.AuditReader.
func (r reader) AuditStreams(ctx context.Context) ([]store.AuditStream, error) {
	return collect(ctx, r.on, sqlAuditStreams, scanStream)
}

// AuditHead is of store.AuditReader.
func (r reader) AuditHead(ctx context.Context, stream string) (store.AuditStream, error) {
	s, _, err := one(ctx, r.on, sqlAuditHead, scanStream, stream)
	return s, err
}

func scanStream(row scanner) (s store.AuditStream, err error) {
	if err := row.Scan(&s.Name, &s.First, &s.Last, &s.Head); err != nil {
		return s, err
	}
	if s.First == 0 { // no row is left
		s.First = s.Last + 1
	}
	return s, nil
}

// AuditRows is of store.AuditReader.
func (r reader) AuditRows(ctx context.Context, stream string, after int64, limit int) ([]store.AuditRow, error) {
	// SQLite takes a negative limit for none at all.
	return collect(ctx, r.on, sqlAuditRows, func(row scanner) (a store.AuditRow, err error) {
		return a, row.Scan(&a.Stream, &a.Seq, moment{&a.Time}, &a.JSON, &a.Hash)
	}, stream, after, max(limit, 0))
}

// AuditCuts is of store.AuditReader.
func (r reader) AuditCuts(ctx context.Context) ([]store.AuditCut, error) {
	return collect(ctx, r.on, sqlAuditCuts, func(row scanner) (c store.AuditCut, err error) {
		return c, row.Scan(&c.Stream, &c.Seq, &c.Hash, moment{&c.Time}, &c.Signature)
	})
}

// SinkAt is of store.AuditReader.
func (r reader) SinkAt(ctx context.Context, sink, stream string) (int64, error) {
	return number(ctx, r.on, sqlSinkAt, sink, stream)
}

// AppendAudit is of store.AuditWriter.
func (x *tx) AppendAudit(row store.AuditRow) error {
	n, err := x.count("append audit", sqlAppendAudit, row.Stream, row.Seq, row.Time.UnixMicro(), string(row.JSON), blob(row.Hash))
	if err == nil && n == 0 {
		return fmt.Errorf("%s: append audit: row %d does not follow the last of stream %q: %w",
			x.w.dialect.Name, row.Seq, row.Stream, fault.ErrConflict)
	}
	return err
}

// CutAudit is of store.AuditWriter. A cut that lies behind the stream's last
// row, or not ahead of the cut before it, is a fault.ErrConflict.
func (x *tx) CutAudit(cut store.AuditCut) error {
	n, err := x.count("cut audit", sqlPutCut, cut.Stream, cut.Seq, blob(cut.Hash), cut.Time.UnixMicro(), blob(cut.Signature))
	if err != nil {
		return err
	}
	if n == 0 {
		return fmt.Errorf("%s: cut audit: stream %q cannot be cut at %d: %w", x.w.dialect.Name, cut.Stream, cut.Seq, fault.ErrConflict)
	}
	return x.do("cut audit", sqlCutAudit, cut.Stream, cut.Seq)
}

// PutSinkAt is of store.AuditWriter.
func (x *tx) PutSinkAt(sink, stream string, seq int64) error {
	return x.do("put sink", sqlPutSinkAt, sink, stream, seq)
}

// blob is never NULL.
func blob(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
