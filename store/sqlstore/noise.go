package sqlstore

import (
	"context"
	"time"

	"portico/store"
	"portico/vpath"
)

const (
	noiseColumns = `path, name, creator, etag, body, created, changed, expires`
	noiseRows    = `SELECT ` + noiseColumns + ` FROM noise WHERE path = $1`

	sqlNoiseAt    = noiseRows + ` AND name = $2 AND expires > $3`
	sqlNoiseOf    = noiseRows + ` ORDER BY name`
	sqlNoiseNames = `SELECT name FROM noise WHERE path = $1 ORDER BY name`
	sqlNoiseSize  = `SELECT CAST(COALESCE(SUM(length(body)), 0) AS BIGINT) FROM noise` + inTree

	sqlDropNoise        = `DELETE FROM noise WHERE path = $1 AND name = $2`
	sqlDropNoiseOf      = `DELETE FROM noise WHERE path = $1`
	sqlDropNoiseBelow   = `DELETE FROM noise` + inTree
	sqlDropBodiesBelow  = sqlDropNoiseBelow + ` AND length(body) > 0`
	sqlDropExpiredNoise = `DELETE FROM noise WHERE expires <= $1`
	sqlMoveNoise        = `UPDATE noise` + setMovedTo
	sqlCopyNoise        = `INSERT INTO noise (` + noiseColumns + `)
		SELECT ` + movedTo + `, name, $5, etag, body, created, changed, expires FROM noise` + inTree
	sqlCopyNoiseOf = `INSERT INTO noise (` + noiseColumns + `)
		SELECT $2, name, $3, etag, body, created, changed, expires FROM noise WHERE path = $1`
)

func scanNoise(row scanner) (n store.Noise, err error) {
	err = row.Scan(where{&n.Of}, &n.Name, &n.Creator, &n.ETag, &n.Body, moment{&n.Created}, moment{&n.Changed}, moment{&n.Expires})
	n.Body = blob(n.Body)
	return n, err
}

// NoiseAt is of store.NoiseReader.
func (r reader) NoiseAt(ctx context.Context, of vpath.Path, name string, now time.Time) (store.Noise, bool, error) {
	return one(ctx, r.on, sqlNoiseAt, scanNoise, key(of), name, now.UnixMicro())
}

// NoiseOf is of store.NoiseReader.
func (r reader) NoiseOf(ctx context.Context, of vpath.Path) ([]store.Noise, error) {
	return few(ctx, r.on, sqlNoiseOf, scanNoise, key(of))
}

// NoiseNames is of store.NoiseReader.
func (r reader) NoiseNames(ctx context.Context, of vpath.Path) ([]string, error) {
	return few(ctx, r.on, sqlNoiseNames, func(row scanner) (name string, err error) { return name, row.Scan(&name) }, key(of))
}

// NoiseSize is of store.NoiseReader.
func (r reader) NoiseSize(ctx context.Context, p vpath.Path) (int64, error) {
	from, to := below(p)
	sum, _, err := one(ctx, r.on, sqlNoiseSize, func(row scanner) (n int64, err error) { return n, row.Scan(&n) }, from, to)
	return sum, err
}

// PutNoise is of store.NoiseWriter.
func (x *tx) PutNoise(n store.Noise) error {
	return x.put("put noise", "noise", 2, noiseColumns, key(n.Of), n.Name, n.Creator, n.ETag, blob(n.Body),
		n.Created.UnixMicro(), n.Changed.UnixMicro(), n.Expires.UnixMicro())
}

// DropNoise is of store.NoiseWriter.
func (x *tx) DropNoise(of vpath.Path, name string) error {
	return x.do("drop noise", sqlDropNoise, key(of), name)
}

// DropNoiseBelow is of store.NoiseWriter.
func (x *tx) DropNoiseBelow(p vpath.Path) error {
	from, to := below(p)
	return x.do("drop noise", sqlDropNoiseBelow, from, to)
}

// DropBodiesBelow is of store.NoiseWriter.
func (x *tx) DropBodiesBelow(p vpath.Path) error {
	from, to := below(p)
	return x.do("drop noise with a body", sqlDropBodiesBelow, from, to)
}

// DropExpiredNoise is of store.NoiseWriter.
func (x *tx) DropExpiredNoise(now time.Time) error {
	return x.do("drop expired noise", sqlDropExpiredNoise, now.UnixMicro())
}

// MoveNoise is of store.NoiseWriter. It refuses what MoveProps refuses.
func (x *tx) MoveNoise(from, to vpath.Path) error {
	return x.transferNoise("move noise", sqlMoveNoise, from, to)
}

// CopyNoise is of store.NoiseWriter. Deep, it refuses what MoveProps refuses.
func (x *tx) CopyNoise(from, to vpath.Path, creator string, deep bool) error {
	if deep {
		return x.transferNoise("copy noise", sqlCopyNoise, from, to, creator)
	}
	if from == to {
		return nil
	}
	if err := x.do("drop noise", sqlDropNoiseOf, key(to)); err != nil {
		return err
	}
	return x.do("copy noise", sqlCopyNoiseOf, key(from), key(to), creator)
}

func (x *tx) transferNoise(step, query string, from, to vpath.Path, more ...any) error {
	ok, err := x.moves(step, from, to)
	if err != nil || !ok {
		return err
	}
	if err := x.DropNoiseBelow(to); err != nil {
		return err
	}
	return x.do(step, query, append(moved(from, to), more...)...)
}
