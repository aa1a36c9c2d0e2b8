package sqlstore

import (
	"context"

	"portico/store"
	"portico/vpath"
)

const (
	labelColumns = `owner, path, name, color`
	sqlLabelsIn  = `SELECT ` + labelColumns + ` FROM labels WHERE owner = $1 AND path = $2
		UNION ALL SELECT ` + labelColumns + ` FROM labels WHERE owner = $1 AND parent = $2 ORDER BY path, name`

	sqlDropLabel       = `DELETE FROM labels WHERE owner = $1 AND path = $2 AND name = $3`
	sqlDropLabelsBelow = `DELETE FROM labels` + inTree
	sqlMoveLabels      = `UPDATE labels SET path = ` + movedTo + `, parent = ` + movedBelow + inTree
)

// LabelsIn is of store.LabelReader.
func (r reader) LabelsIn(ctx context.Context, owner string, p vpath.Path) ([]store.Label, error) {
	return collect(ctx, r.on, sqlLabelsIn, func(row scanner) (l store.Label, err error) {
		return l, row.Scan(&l.Owner, where{&l.Path}, &l.Name, &l.Color)
	}, owner, key(p))
}

// PutLabel is of store.LabelWriter.
func (x *tx) PutLabel(l store.Label) error {
	return x.put("put label", "labels", 3, "owner, path, name, parent, color", l.Owner, key(l.Path), l.Name, parentKey(l.Path), l.Color)
}

// DropLabel is of store.LabelWriter.
func (x *tx) DropLabel(owner string, p vpath.Path, name string) error {
	return x.do("drop label", sqlDropLabel, owner, key(p), name)
}

// DropLabelsBelow is of store.LabelWriter.
func (x *tx) DropLabelsBelow(p vpath.Path) error {
	from, to := below(p)
	return x.do("drop labels", sqlDropLabelsBelow, from, to)
}

// MoveLabels is of store.LabelWriter. It refuses what MoveProps refuses.
func (x *tx) MoveLabels(from, to vpath.Path) error {
	ok, err := x.moves("move labels", from, to)
	if err != nil || !ok {
		return err
	}
	if err := x.DropLabelsBelow(to); err != nil {
		return err
	}
	return x.do("move labels", sqlMoveLabels, append(moved(from, to), parentKey(to))...)
}
