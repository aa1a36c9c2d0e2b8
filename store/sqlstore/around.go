package sqlstore

import (
	"cmp"
	"context"
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
	// less than a sorter of SQLite.
	sqlAround = `SELECT ` + lockColumns + ` FROM locks
			WHERE $5 AND path IN (SELECT value FROM json_each($1)) AND (infinite OR path = $2) AND expires > $3
		UNION ALL SELECT ` + lockColumns + ` FROM locks WHERE $5 AND $6 AND path > $2 AND path < $4 AND expires > $3
		UNION ALL SELECT ` + propAsLock + ` FROM props WHERE $7 AND path = $2
		UNION ALL SELECT ` + propAsLock + ` FROM props WHERE $7 AND $6 AND parent = $2`
)

// Around is of store.ListingReader.
func (r reader) Around(ctx context.Context, l store.Listing, now time.Time) (store.Around, error) {
	ask := collect[store.Lock]
	if !l.Members {
		ask = few[store.Lock]
	}
	from, to := below(l.Path)
	rows, err := ask(ctx, r.on, sqlAround, scanLock, ancestors(l.Path), from, now.UnixMicro(), to, l.Locks, l.Members, l.Props)
	if err != nil {
		return store.Around{}, err
	}
	return around(rows), nil
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
		slices.SortFunc(props, func(a, b store.Prop) int {
			return cmp.Or(cmp.Compare(a.Space, b.Space), cmp.Compare(a.Local, b.Local))
		})
	}
	return a
}
