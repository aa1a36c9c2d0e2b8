package sqlstore

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"portico/fault"
	"portico/vpath"
)

// Of a tree that moves, $1 to $2 is the range of keys, $3 the new key of the top,
// $4 where what lies below the top begins in an old key, in characters from 1,
// and $5 the new key of the top's parent. The tables of shares have the same
// rules as dead properties: what a path has follows its file.
const (
	movedTo     = `$3 || substr(path, $4)`
	movedBelow  = `CASE path WHEN $1 THEN $5 ELSE $3 || substr(parent, $4) END`
	inTree      = ` WHERE path >= $1 AND path < $2`
	setMovedTo  = ` SET path = ` + movedTo + inTree
	newestFirst = ` ORDER BY created DESC, id`
	oldestFirst = ` ORDER BY created, id`
)

// moves tells whether there is anything to do for a move. One onto itself changes
// nothing; one into itself, or onto a folder that holds it, is a fault.ErrConflict.
func (x *tx) moves(step string, from, to vpath.Path) (bool, error) {
	if from == to {
		return false, nil
	}
	if from.Contains(to) || to.Contains(from) {
		return false, fmt.Errorf("%s: %s: one lies in the other: %w", x.w.dialect.Name, step, fault.ErrConflict)
	}
	return true, nil
}

// moved are the first four arguments of a statement that moves a tree.
func moved(from, to vpath.Path) []any {
	first, last := below(from)
	return []any{first, last, key(to), utf8.RuneCountInString(first) + 1}
}

// put inserts a row, or replaces the one that has the same in the first keys
// columns.
func (x *tx) put(step, table string, keys int, columns string, values ...any) error {
	return x.do(step, upsert(table, keys, columns), values...)
}

// upsert is the statement of put. It says by name what is replaced: REPLACE is
// SQLite's alone, and takes the place of any row that is in the way.
func upsert(table string, keys int, columns string) string {
	names := strings.Split(columns, ", ")
	places, sets := make([]string, len(names)), make([]string, len(names))
	for i, name := range names {
		places[i] = "$" + strconv.Itoa(i+1)
		sets[i] = name + " = excluded." + name
	}
	return `INSERT INTO ` + table + ` (` + columns + `) VALUES (` + strings.Join(places, ", ") + `)
		ON CONFLICT (` + strings.Join(names[:keys], ", ") + `) DO UPDATE SET ` + strings.Join(sets[keys:], ", ")
}
