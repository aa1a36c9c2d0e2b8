package sqlstore

import (
	"context"

	"portico/store"
)

const (
	sqlUsage    = `SELECT workspace, bytes, counted FROM usage WHERE workspace = $1`
	sqlPutUsage = `INSERT INTO usage (workspace, bytes, counted) VALUES ($1, $2, $3)
		ON CONFLICT (workspace) DO UPDATE SET bytes = excluded.bytes, counted = excluded.counted`
	// A space below nothing would be a gift to the next upload.
	sqlAddUsage = `UPDATE usage SET bytes = CASE WHEN bytes + $1 > 0 THEN bytes + $1 ELSE 0 END WHERE workspace = $2`
)

// Usage is of store.UsageReader.
func (r reader) Usage(ctx context.Context, workspace string) (store.Usage, bool, error) {
	return one(ctx, r.on, sqlUsage, func(row scanner) (u store.Usage, err error) {
		return u, row.Scan(&u.Workspace, &u.Bytes, moment{&u.Counted})
	}, workspace)
}

// PutUsage is of store.UsageWriter.
func (x *tx) PutUsage(u store.Usage) error {
	return x.do("put usage", sqlPutUsage, u.Workspace, u.Bytes, u.Counted.UnixMicro())
}

// AddUsage is of store.UsageWriter.
func (x *tx) AddUsage(workspace string, n int64) error {
	return x.do("add usage", sqlAddUsage, n, workspace)
}
