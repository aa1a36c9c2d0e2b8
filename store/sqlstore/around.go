package sqlstore

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"portico/store"
	"portico/vpath"
)

const (
	// A property in the columns of a lock. No lock has an empty token.
	propAsLock = `'', path, false, false, space, local, xml, 0, 0, 0`

	// $1 is the list of sqlLocksOn, $4 where the range of what lies below ends, $5
	// to $7 tell what is wanted: both databases skip a part whose flag is false
	// without a look at its table. The order is made in around, which costs
	// less than a sorter of SQLite. $8 bounds what a server sends in vain where the
	// properties are cut: what was asked for comes, whether it is read or not.
	sqlAround = `SELECT ` + lockColumns + ` FROM locks
			WHERE $5 AND path IN (SELECT value FROM json_each($1)) AND (infinite OR path = $2) AND expires > $3
		UNION ALL SELECT ` + lockColumns + ` FROM locks WHERE $5 AND $6 AND path > $2 AND path < $4 AND expires > $3
		UNION ALL SELECT ` + propAsLock + ` FROM props WHERE $7 AND path = $2
		UNION ALL SELECT ` + propAsLock + ` FROM props WHERE $7 AND $6 AND parent = $2
		LIMIT $8`

	maxRows = 1 << 16 // of a listing that is bounded
	rowCost = 200     // bytes of a row in memory beside its texts
)

// Around is of store.ListingReader.
func (r reader) Around(ctx context.Context, l store.Listing, now time.Time) (store.Around, error) {
	if !l.Members {
		ctx = r.on.unwatched(ctx) // a few rows that are found by their keys
	}
	b, limit := bound[store.Lock]{most: l.Bytes, weigh: weigh}, math.MaxInt64
	if l.Bytes > 0 && l.Props {
		limit = maxRows
	}
	from, to := below(l.Path)
	rows, cut, err := collectSome(ctx, r.on, b, sqlAround, scanLock,
		ancestors(l.Path), from, now.UnixMicro(), to, l.Locks, l.Members, l.Props, limit)
	if err != nil {
		return store.Around{}, err
	}
	if cut || len(rows) == limit {
		l.Props, l.Bytes = false, 0 // the locks are few, and wanted all
		a, err := r.Around(ctx, l, now)
		a.Cut = true
		return a, err
	}
	return around(rows), nil
}

// weigh is about what a property takes in memory.
func weigh(p store.Lock) int {
	if p.Token != "" { // a lock
		return 0
	}
	return rowCost + len(p.Path.String()) + len(p.Holder) + len(p.HolderAs) + len(p.OwnerXML)
}

// around takes the locks and the properties apart.
func around(rows []store.Lock) (a store.Around) {
	for _, row := range rows {
		if row.Token != "" {
			a.Locks = append(a.Locks, row)
			continue
		}
		if a.Props == nil {
			a.Props = make(map[vpath.Path][]store.Prop)
		}
		a.Props[row.Path] = append(a.Props[row.Path], store.Prop{Space: row.Holder, Local: row.HolderAs, XML: row.OwnerXML})
	}
	slices.SortFunc(a.Locks, func(a, b store.Lock) int {
		return cmp.Or(a.Path.Compare(b.Path), a.Created.Compare(b.Created), cmp.Compare(a.Token, b.Token))
	})
	for _, props := range a.Props {
		sortProps(props)
	}
	return a
}
