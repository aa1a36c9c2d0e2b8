package sqlstore

import (
	"context"
	"fmt"

	"portico/fault"
	"portico/store"
)

const (
	auditKeyColumns = `kind, name, lookup, wrapped`

	sqlAuditKey    = `SELECT ` + auditKeyColumns + ` FROM audit_keys WHERE kind = $1 AND name = $2`
	sqlAuditKeyFor = `SELECT ` + auditKeyColumns + ` FROM audit_keys WHERE kind = $1 AND lookup = $2`

	sqlPutAuditKey   = `INSERT INTO audit_keys (` + auditKeyColumns + `) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`
	sqlDropAuditKey  = `DELETE FROM audit_keys WHERE kind = $1 AND name = $2`
	sqlDropAuditKeys = `DELETE FROM audit_keys WHERE kind = $1 AND name < $2`
)

func scanAuditKey(row scanner) (k store.AuditKey, err error) {
	return k, row.Scan(&k.Kind, &k.Name, &k.Lookup, &k.Wrapped)
}

// AuditKey is of store.AuditKeyReader.
func (r reader) AuditKey(ctx context.Context, kind, name string) (store.AuditKey, bool, error) {
	return one(ctx, r.on, sqlAuditKey, scanAuditKey, kind, name)
}

// AuditKeyFor is of store.AuditKeyReader.
func (r reader) AuditKeyFor(ctx context.Context, kind, lookup string) (store.AuditKey, bool, error) {
	return one(ctx, r.on, sqlAuditKeyFor, scanAuditKey, kind, lookup)
}

// PutAuditKey is of store.AuditKeyWriter.
func (x *tx) PutAuditKey(k store.AuditKey) error {
	n, err := x.count("put audit key", sqlPutAuditKey, k.Kind, k.Name, k.Lookup, blob(k.Wrapped))
	if err == nil && n == 0 {
		return fmt.Errorf("%s: put audit key: there is one of kind %q and name %q, or of its lookup: %w",
			x.w.dialect.Name, k.Kind, k.Name, fault.ErrConflict)
	}
	return err
}

// DropAuditKey is of store.AuditKeyWriter.
func (x *tx) DropAuditKey(kind, name string) error {
	return x.do("drop audit key", sqlDropAuditKey, kind, name)
}

// DropAuditKeysBefore is of store.AuditKeyWriter.
func (x *tx) DropAuditKeysBefore(kind, name string) (int64, error) {
	return x.count("drop audit keys", sqlDropAuditKeys, kind, name)
}
