package sqlstore

import (
	"context"
	"fmt"
	"unicode/utf8"

	"portico/fault"
	"portico/store"
	"portico/vpath"
)

const (
	propColumns = `path, space, local, xml`

	sqlPropsOf = `SELECT ` + propColumns + ` FROM props WHERE path = $1 ORDER BY space, local`
	sqlPropsIn = `SELECT ` + propColumns + ` FROM props WHERE path = $1
		UNION ALL SELECT ` + propColumns + ` FROM props WHERE parent = $1 ORDER BY path, space, local`

	sqlPutProp = `INSERT INTO props (parent, ` + propColumns + `) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (path, space, local) DO UPDATE SET xml = excluded.xml`
	sqlDropProp       = `DELETE FROM props WHERE path = $1 AND space = $2 AND local = $3`
	sqlDropProps      = `DELETE FROM props WHERE path = $1`
	sqlDropPropsBelow = `DELETE FROM props WHERE path >= $1 AND path < $2`

	// Of a tree, $1 to $2 is the range of keys, $3 the new key of the top and $4
	// of its parent, $5 where what lies below the top begins in an old key, in
	// characters from 1.
	movedPath   = `$3 || substr(path, $5)`
	movedParent = `CASE path WHEN $1 THEN $4 ELSE $3 || substr(parent, $5) END`

	sqlMoveProps = `UPDATE props SET path = ` + movedPath + `, parent = ` + movedParent + ` WHERE path >= $1 AND path < $2`
	sqlCopyProps = `INSERT INTO props (parent, ` + propColumns + `)
		SELECT ` + movedParent + `, ` + movedPath + `, space, local, xml FROM props WHERE path >= $1 AND path < $2`
	sqlCopyPropsOf = `INSERT INTO props (parent, ` + propColumns + `)
		SELECT $3, $2, space, local, xml FROM props WHERE path = $1`
)

// pathProp is a row.
type pathProp struct {
	path vpath.Path
	store.Prop
}

func scanProp(row scanner) (p pathProp, err error) {
	return p, row.Scan(where{&p.path}, &p.Space, &p.Local, &p.XML)
}

// PropsOf is of store.PropReader.
func (r reader) PropsOf(ctx context.Context, p vpath.Path) ([]store.Prop, error) {
	rows, err := collect(ctx, r.on, sqlPropsOf, scanProp, key(p))
	if err != nil {
		return nil, err
	}
	var props []store.Prop
	for _, row := range rows {
		props = append(props, row.Prop)
	}
	return props, nil
}

// PropsIn is of store.PropReader.
func (r reader) PropsIn(ctx context.Context, p vpath.Path) (map[vpath.Path][]store.Prop, error) {
	rows, err := collect(ctx, r.on, sqlPropsIn, scanProp, key(p))
	if err != nil {
		return nil, err
	}
	props := make(map[vpath.Path][]store.Prop)
	for _, row := range rows {
		props[row.path] = append(props[row.path], row.Prop)
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
	if from == to {
		return nil
	}
	if from.Contains(to) || to.Contains(from) {
		return fmt.Errorf("%s: %s: one lies in the other: %w", x.w.dialect.Name, step, fault.ErrConflict)
	}
	if err := x.DropPropsBelow(to); err != nil {
		return err
	}
	first, last := below(from)
	rest := utf8.RuneCountInString(first) + 1
	return x.do(step, query, first, last, key(to), parentKey(to), rest)
}
