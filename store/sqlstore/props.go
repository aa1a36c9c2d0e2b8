package sqlstore

import (
	"context"

	"portico/store"
	"portico/vpath"
)

const (
	propColumns = `path, space, local, xml`

	sqlPropsOf = `SELECT space, local, xml FROM props WHERE path = $1 ORDER BY space, local`

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
