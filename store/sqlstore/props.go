package sqlstore

import (
	"cmp"
	"context"
	"slices"

	"portico/store"
	"portico/vpath"
)

const (
	propColumns = `path, space, local, xml`

	sqlPropsOf = `SELECT space, local, xml FROM props WHERE path = $1 ORDER BY space, local`

	// Things with their number of properties, and with all of them.
	sqlCountProps = `SELECT path, count(*) FROM props WHERE path IN (SELECT value FROM json_each($1)) GROUP BY path`
	sqlPropsAt    = `SELECT ` + propColumns + ` FROM props WHERE path IN (SELECT value FROM json_each($1))`
	sqlPropBelow  = `SELECT ` + propColumns + ` FROM props WHERE path >= $1 AND path < $2 AND space = $3 AND local = $4`

	// What PropsAt looks at and reads at once. Package files lets a property have 8 KiB,
	// so that the rows take 4 MiB at most. Windows sets four properties on each file.
	thingsAtOnce = 128
	propsAtOnce  = 4 * thingsAtOnce

	sqlPutProp = `INSERT INTO props (parent, ` + propColumns + `) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (path, space, local) DO UPDATE SET xml = excluded.xml`
	sqlDropProp       = `DELETE FROM props WHERE path = $1 AND space = $2 AND local = $3`
	sqlDropProps      = `DELETE FROM props WHERE path = $1`
	sqlDropPropsBelow = `DELETE FROM props` + inTree

	sqlMoveProps = `UPDATE props SET path = ` + movedTo + `, parent = ` + movedBelow + inTree
	sqlCopyProps = `INSERT INTO props (parent, ` + propColumns + `)
		SELECT ` + movedBelow + `, ` + movedTo + `, space, local, xml FROM props` + inTree
	sqlCopyPropsOf = `INSERT INTO props (parent, ` + propColumns + `)
		SELECT $3, $2, space, local, xml FROM props WHERE path = $1`
)

func scanProp(row scanner) (p store.Prop, err error) {
	return p, row.Scan(&p.Space, &p.Local, &p.XML)
}

// PropsOf is of store.PropReader.
func (r reader) PropsOf(ctx context.Context, p vpath.Path) ([]store.Prop, error) {
	return few(ctx, r.on, sqlPropsOf, scanProp, key(p))
}

// propAt is a property with the thing that has it.
type propAt struct {
	path vpath.Path
	store.Prop
}

func scanPropAt(row scanner) (p propAt, err error) {
	return p, row.Scan(where{&p.path}, &p.Space, &p.Local, &p.XML)
}

// countAt is how many properties a thing has.
type countAt struct {
	path vpath.Path
	n    int
}

func scanCountAt(row scanner) (c countAt, err error) { return c, row.Scan(where{&c.path}, &c.n) }

// PropsAt is of store.PropReader.
func (r reader) PropsAt(ctx context.Context, list []vpath.Path) (props map[vpath.Path][]store.Prop, done int, err error) {
	list = list[:min(len(list), thingsAtOnce)]
	counts, err := few(ctx, r.on, sqlCountProps, scanCountAt, keys(list))
	if err != nil || len(counts) == 0 {
		return nil, len(list), err
	}
	list = affordable(list, counts)
	rows, err := few(ctx, r.on, sqlPropsAt, scanPropAt, keys(list))
	if err != nil {
		return nil, 0, err
	}
	props = make(map[vpath.Path][]store.Prop, len(counts))
	for _, row := range rows {
		props[row.path] = append(props[row.path], row.Prop)
	}
	for _, some := range props {
		sortProps(some)
	}
	return props, len(list), nil
}

// affordable are the first things of a list, at least one, whose properties may all be
// read at once.
func affordable(list []vpath.Path, counts []countAt) []vpath.Path {
	has := make(map[vpath.Path]int, len(counts))
	for _, c := range counts {
		has[c.path] = c.n
	}
	sum := 0
	for i, p := range list {
		if sum += has[p]; sum > propsAtOnce && i > 0 {
			return list[:i]
		}
	}
	return list
}

func keys(paths []vpath.Path) list {
	l := make(list, len(paths))
	for i, p := range paths {
		l[i] = key(p)
	}
	return l
}

func sortProps(props []store.Prop) {
	slices.SortFunc(props, func(a, b store.Prop) int {
		return cmp.Or(cmp.Compare(a.Space, b.Space), cmp.Compare(a.Local, b.Local))
	})
}

// PropBelow is of store.PropReader.
func (r reader) PropBelow(ctx context.Context, p vpath.Path, space, local string) (map[vpath.Path]store.Prop, error) {
	from, to := below(p)
	rows, err := collect(ctx, r.on, sqlPropBelow, scanPropAt, from, to, space, local)
	if err != nil {
		return nil, err
	}
	props := make(map[vpath.Path]store.Prop, len(rows))
	for _, row := range rows {
		props[row.path] = row.Prop
	}
	return props, nil
}

// PutProp is of store.PropWriter.
func (x *tx) PutProp(p vpath.Path, prop store.Prop) error {
	return x.do("put property", sqlPutProp, parentKey(p), key(p), prop.Space, prop.Local, prop.XML)
}

// DropProp is of store.PropWriter.
func (x *tx) DropProp(p vpath.Path, space, local string) error {
	return x.do("drop property", sqlDropProp, key(p), space, local)
}

// DropProps is of store.PropWriter.
func (x *tx) DropProps(p vpath.Path) error { return x.do("drop properties", sqlDropProps, key(p)) }

// DropPropsBelow is of store.PropWriter.
func (x *tx) DropPropsBelow(p vpath.Path) error {
	from, to := below(p)
	return x.do("drop properties", sqlDropPropsBelow, from, to)
}

// MoveProps is of store.PropWriter. A move onto itself changes nothing; one
// into itself, or onto a folder that holds it, is a fault.ErrConflict.
func (x *tx) MoveProps(from, to vpath.Path) error {
	return x.transfer("move properties", sqlMoveProps, from, to)
}

// CopyProps is of store.PropWriter. What to had is dropped first: all of its
// tree if deep, else its own. Deep, it refuses what MoveProps refuses.
func (x *tx) CopyProps(from, to vpath.Path, deep bool) error {
	if deep {
		return x.transfer("copy properties", sqlCopyProps, from, to)
	}
	if from == to {
		return nil
	}
	if err := x.DropProps(to); err != nil {
		return err
	}
	return x.do("copy properties", sqlCopyPropsOf, key(from), key(to), parentKey(to))
}

func (x *tx) transfer(step, query string, from, to vpath.Path) error {
	ok, err := x.moves(step, from, to)
	if err != nil || !ok {
		return err
	}
	if err := x.DropPropsBelow(to); err != nil {
		return err
	}
	return x.do(step, query, append(moved(from, to), parentKey(to))...)
}
