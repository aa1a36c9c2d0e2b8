package sqlstore

import (
	"context"
	"time"

	"portico/store"
)

const (
	personColumns = `id, login, name, email, member_of, seen`
	sqlPersonByID = `SELECT ` + personColumns + ` FROM people WHERE id = $1`
	// See sqlAttemptsUnder.
	sqlPeopleUnder = `SELECT ` + personColumns + ` FROM people
		WHERE substr(id, 1, length(CAST($1 AS TEXT))) = CAST($1 AS TEXT) AND seen >= $2 ORDER BY id`
	sqlPutPerson = `INSERT INTO people (` + personColumns + `) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (id) DO UPDATE SET login = excluded.login, name = excluded.name, email = excluded.email,
			member_of = excluded.member_of, seen = excluded.seen`

	attemptsColumns = `name, count, first_at, last_at, until_at, strikes`
	// $1 is a JSON list.
	sqlAttempts = `SELECT ` + attemptsColumns + ` FROM attempts WHERE name IN (SELECT value FROM json_each($1))`
	// Not LIKE: its wildcards would be ours to escape, and SQLite's takes a for A.
	sqlAttemptsUnder = `SELECT ` + attemptsColumns + ` FROM attempts
		WHERE substr(name, 1, length(CAST($1 AS TEXT))) = CAST($1 AS TEXT) ORDER BY name`
	sqlPutAttempts = `INSERT INTO attempts (` + attemptsColumns + `) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (name) DO UPDATE SET count = excluded.count, first_at = excluded.first_at, last_at = excluded.last_at,
			until_at = excluded.until_at, strikes = excluded.strikes`
	sqlDropAttempts = `DELETE FROM attempts WHERE last_at < $1 AND until_at < $1`
)

// PersonByID is of store.PersonReader.
func (r reader) PersonByID(ctx context.Context, id string) (store.Person, bool, error) {
	return one(ctx, r.on, sqlPersonByID, scanPerson, id)
}

// PeopleUnder is of store.PersonReader.
func (r reader) PeopleUnder(ctx context.Context, prefix string, since time.Time) ([]store.Person, error) {
	return collect(ctx, r.on, sqlPeopleUnder, scanPerson, prefix, since.UnixMicro())
}

func scanPerson(row scanner) (p store.Person, err error) {
	return p, row.Scan(&p.ID, &p.Login, &p.Name, &p.Email, texts{&p.Groups}, moment{&p.Seen})
}

// PutPerson is of store.PersonWriter.
func (x *tx) PutPerson(p store.Person) error {
	return x.do("put person", sqlPutPerson, p.ID, p.Login, p.Name, p.Email, list(p.Groups), p.Seen.UnixMicro())
}

// Attempts is of store.AttemptsReader.
func (r reader) Attempts(ctx context.Context, keys ...string) (map[string]store.Attempts, error) {
	rows, err := collect(ctx, r.on, sqlAttempts, scanAttempts, list(keys))
	if err != nil {
		return nil, err
	}
	all := make(map[string]store.Attempts, len(rows))
	for _, a := range rows {
		all[a.Key] = a
	}
	return all, nil
}

// AttemptsUnder is of store.AttemptsReader.
func (r reader) AttemptsUnder(ctx context.Context, prefix string) ([]store.Attempts, error) {
	return collect(ctx, r.on, sqlAttemptsUnder, scanAttempts, prefix)
}

func scanAttempts(row scanner) (a store.Attempts, err error) {
	return a, row.Scan(&a.Key, &a.Count, moment{&a.First}, moment{&a.Last}, moment{&a.Until}, &a.Strikes)
}

// PutAttempts is of store.AttemptsWriter.
func (x *tx) PutAttempts(a store.Attempts) error {
	return x.do("put attempts", sqlPutAttempts, a.Key, a.Count, a.First.UnixMicro(), a.Last.UnixMicro(), a.Until.UnixMicro(), a.Strikes)
}

// DropAttemptsBefore is of store.AttemptsWriter.
func (x *tx) DropAttemptsBefore(last time.Time) error {
	return x.do("drop attempts", sqlDropAttempts, last.UnixMicro())
}
