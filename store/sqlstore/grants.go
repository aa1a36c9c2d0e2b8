package sqlstore

import (
	"context"

	"portico/store"
	"portico/vpath"
)

const (
	grantColumns = `id, subject, path, dir, role, giver, giver_name, state, created, until_at, opened, message, labels, batch`
	grants       = `SELECT ` + grantColumns + ` FROM grants WHERE `

	sqlAcceptedGrants = grants + `state = 'accepted'` + oldestFirst
	sqlGrantByID      = grants + `id = $1`
	sqlGrantsTo       = grants + `subject = $1` + newestFirst
	sqlGrantsBy       = grants + `giver = $1` + newestFirst
	// $1 is a JSON list of the path and its ancestors, as in sqlLocksOn.
	sqlGrantsAbove = grants + `path IN (SELECT value FROM json_each($1))` + oldestFirst
	sqlGrantsBelow = grants + `path >= $1 AND path < $2` + oldestFirst

	sqlDropGrant       = `DELETE FROM grants WHERE id = $1`
	sqlDropGrantsTo    = `DELETE FROM grants WHERE subject = $1`
	sqlDropGrantsBelow = `DELETE FROM grants` + inTree
	sqlMoveGrants      = `UPDATE grants` + setMovedTo

	sqlGrantsChange = `SELECT count FROM changes WHERE name = 'grants'`
	// Who judges by what it has read of grants reads again when this has changed,
	// so it goes in the transaction of the change.
	sqlGrantsChanged = `INSERT INTO changes (name, count) VALUES ('grants', 1)
		ON CONFLICT (name) DO UPDATE SET count = changes.count + 1`
)

func scanGrant(row scanner) (g store.Grant, err error) {
	return g, row.Scan(&g.ID, &g.Subject, where{&g.Path}, &g.Dir, &g.Role, &g.Giver, &g.GiverName, &g.State,
		moment{&g.Created}, moment{&g.Until}, moment{&g.Opened}, &g.Message, &g.Labels, &g.Batch)
}

// AcceptedGrants is of store.GrantReader.
func (r reader) AcceptedGrants(ctx context.Context) ([]store.Grant, error) {
	return collect(ctx, r.on, sqlAcceptedGrants, scanGrant)
}

// GrantsChange is of store.GrantReader.
func (r reader) GrantsChange(ctx context.Context) (int64, error) {
	return number(ctx, r.on, sqlGrantsChange)
}

// GrantByID is of store.GrantReader.
func (r reader) GrantByID(ctx context.Context, id string) (store.Grant, bool, error) {
	return one(ctx, r.on, sqlGrantByID, scanGrant, id)
}

// GrantsTo is of store.GrantReader.
func (r reader) GrantsTo(ctx context.Context, subject string) ([]store.Grant, error) {
	return collect(ctx, r.on, sqlGrantsTo, scanGrant, subject)
}

// GrantsBy is of store.GrantReader.
func (r reader) GrantsBy(ctx context.Context, giver string) ([]store.Grant, error) {
	return collect(ctx, r.on, sqlGrantsBy, scanGrant, giver)
}

// GrantsAbove is of store.GrantReader.
func (r reader) GrantsAbove(ctx context.Context, p vpath.Path) ([]store.Grant, error) {
	return few(ctx, r.on, sqlGrantsAbove, scanGrant, ancestors(p))
}

// GrantsBelow is of store.GrantReader.
func (r reader) GrantsBelow(ctx context.Context, p vpath.Path) ([]store.Grant, error) {
	from, to := below(p)
	return collect(ctx, r.on, sqlGrantsBelow, scanGrant, from, to)
}

// PutGrant is of store.GrantWriter.
func (x *tx) PutGrant(g store.Grant) error {
	return x.grant("put grant", upsert("grants", 1, grantColumns), g.ID, g.Subject, key(g.Path), g.Dir, g.Role, g.Giver, g.GiverName,
		string(g.State), g.Created.UnixMicro(), g.Until.UnixMicro(), g.Opened.UnixMicro(), g.Message, g.Labels, g.Batch)
}

// DropGrant is of store.GrantWriter.
func (x *tx) DropGrant(id string) error { return x.grant("drop grant", sqlDropGrant, id) }

// DropGrantsTo is of store.GrantWriter.
func (x *tx) DropGrantsTo(subject string) error {
	return x.grant("drop grants", sqlDropGrantsTo, subject)
}

// DropGrantsBelow is of store.GrantWriter.
func (x *tx) DropGrantsBelow(p vpath.Path) error {
	from, to := below(p)
	return x.grant("drop grants", sqlDropGrantsBelow, from, to)
}

// MoveGrants is of store.GrantWriter. It refuses what MoveProps refuses.
func (x *tx) MoveGrants(from, to vpath.Path) error {
	ok, err := x.moves("move grants", from, to)
	if err != nil || !ok {
		return err
	}
	if err := x.DropGrantsBelow(to); err != nil {
		return err
	}
	return x.grant("move grants", sqlMoveGrants, moved(from, to)...)
}

// grant changes grants, and tells so where it has changed any.
func (x *tx) grant(step, query string, args ...any) error {
	n, err := x.count(step, query, args...)
	if err != nil || n == 0 {
		return err
	}
	return x.do(step, sqlGrantsChanged)
}
