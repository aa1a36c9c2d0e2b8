package sqlstore

import (
	"context"
	"time"

	"portico/store"
)

//nolint:gosec // the words of statements
const (
	passwordColumns = `id, sum, owner, login, name, workspace, read_only, created, expires, used, used_from`

	sqlPasswordBySum = `SELECT ` + passwordColumns + ` FROM app_passwords WHERE sum = $1`
	sqlPasswordsOf   = `SELECT ` + passwordColumns + ` FROM app_passwords WHERE owner = $1 ORDER BY created, id`

	sqlPutPassword = `INSERT INTO app_passwords (` + passwordColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
		ON CONFLICT (id) DO UPDATE SET sum = excluded.sum, owner = excluded.owner, login = excluded.login, name = excluded.name,
			workspace = excluded.workspace, read_only = excluded.read_only, created = excluded.created,
			expires = excluded.expires, used = excluded.used, used_from = excluded.used_from`
	sqlDropPassword  = `DELETE FROM app_passwords WHERE id = $1`
	sqlTouchPassword = `UPDATE app_passwords SET used = $1, used_from = $2 WHERE id = $3`
)

func scanPassword(row scanner) (p store.AppPassword, err error) {
	return p, row.Scan(&p.ID, secret{&p.Sum}, &p.Owner, &p.Login, &p.Name, &p.Workspace, &p.ReadOnly,
		moment{&p.Created}, moment{&p.Expires}, moment{&p.Used}, &p.UsedFrom)
}

// AppPasswordBySum is of store.AppPasswordReader.
func (r reader) AppPasswordBySum(ctx context.Context, sum store.Sum) (store.AppPassword, bool, error) {
	return one(ctx, r.on, sqlPasswordBySum, scanPassword, sum[:])
}

// AppPasswordsOf is of store.AppPasswordReader.
func (r reader) AppPasswordsOf(ctx context.Context, owner string) ([]store.AppPassword, error) {
	return collect(ctx, r.on, sqlPasswordsOf, scanPassword, owner)
}

// PutAppPassword is of store.AppPasswordWriter.
func (x *tx) PutAppPassword(p store.AppPassword) error {
	return x.do("put app password", sqlPutPassword, p.ID, p.Sum[:], p.Owner, p.Login, p.Name, p.Workspace, p.ReadOnly,
		p.Created.UnixMicro(), p.Expires.UnixMicro(), p.Used.UnixMicro(), p.UsedFrom)
}

// DropAppPassword is of store.AppPasswordWriter.
func (x *tx) DropAppPassword(id string) error {
	return x.do("drop app password", sqlDropPassword, id)
}

// TouchAppPassword is of store.AppPasswordWriter.
func (x *tx) TouchAppPassword(id string, used time.Time, from string) error {
	return x.do("touch app password", sqlTouchPassword, used.UnixMicro(), from, id)
}
