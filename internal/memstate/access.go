package memstate

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"portico/store"
)

// SessionBySum is of store.SessionReader.
func (r reader) SessionBySum(_ context.Context, sum store.Sum) (store.Session, bool, error) {
	return get(r, func(c *content) map[store.Sum]store.Session { return c.sessions }, sum)
}

// PersonByID is of store.PersonReader.
func (r reader) PersonByID(_ context.Context, id string) (store.Person, bool, error) {
	return get(r, func(c *content) map[string]store.Person { return c.people }, id)
}

// PeopleUnder is of store.PersonReader.
func (r reader) PeopleUnder(_ context.Context, prefix string, since time.Time) ([]store.Person, error) {
	return pick(r, func(c *content) map[string]store.Person { return c.people },
		func(p store.Person) bool { return strings.HasPrefix(p.ID, prefix) && !p.Seen.Before(since) },
		func(a, b store.Person) int { return cmp.Compare(a.ID, b.ID) })
}

// AppPasswordBySum is of store.AppPasswordReader.
func (r reader) AppPasswordBySum(_ context.Context, sum store.Sum) (store.AppPassword, bool, error) {
	return first(pick(r, passwords, func(p store.AppPassword) bool { return p.Sum == sum }, passwordOrder))
}

// AppPasswordsOf is of store.AppPasswordReader.
func (r reader) AppPasswordsOf(_ context.Context, owner string) ([]store.AppPassword, error) {
	return pick(r, passwords, func(p store.AppPassword) bool { return p.Owner == owner }, passwordOrder)
}

func passwords(c *content) map[string]store.AppPassword { return c.passwords }

func passwordOrder(a, b store.AppPassword) int {
	return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID))
}

// Attempts is of store.AttemptsReader.
func (r reader) Attempts(_ context.Context, keys ...string) (all map[string]store.Attempts, err error) {
	err = r.look(func(c *content) {
		all = maps.Clone(c.attempts)
		maps.DeleteFunc(all, func(k string, _ store.Attempts) bool { return !slices.Contains(keys, k) })
	})
	return all, err
}

// AttemptsUnder is of store.AttemptsReader.
func (r reader) AttemptsUnder(_ context.Context, prefix string) ([]store.Attempts, error) {
	return pick(r, func(c *content) map[string]store.Attempts { return c.attempts },
		func(a store.Attempts) bool { return strings.HasPrefix(a.Key, prefix) },
		func(a, b store.Attempts) int { return cmp.Compare(a.Key, b.Key) })
}

// PutAppPassword is of store.AppPasswordWriter.
func (x *tx) PutAppPassword(p store.AppPassword) error {
	x.passwords[p.ID] = p
	return nil
}

// DropAppPassword is of store.AppPasswordWriter.
func (x *tx) DropAppPassword(id string) error {
	delete(x.passwords, id)
	return nil
}

// TouchAppPassword is of store.AppPasswordWriter.
func (x *tx) TouchAppPassword(id string, used time.Time, from string) error {
	if p, ok := x.passwords[id]; ok {
		p.Used, p.UsedFrom = used, from
		x.passwords[id] = p
	}
	return nil
}

// PutAttempts is of store.AttemptsWriter.
func (x *tx) PutAttempts(a store.Attempts) error {
	x.attempts[a.Key] = a
	return nil
}

// DropAttemptsBefore is of store.AttemptsWriter.
func (x *tx) DropAttemptsBefore(last time.Time) error {
	maps.DeleteFunc(x.attempts, func(_ string, a store.Attempts) bool { return a.Last.Before(last) && a.Until.Before(last) })
	return nil
}

// PutSession is of store.SessionWriter.
func (x *tx) PutSession(s store.Session) error {
	x.sessions[s.Sum] = s
	return nil
}

// TouchSession is of store.SessionWriter.
func (x *tx) TouchSession(sum store.Sum, seen time.Time) error {
	if s, ok := x.sessions[sum]; ok {
		s.Seen = seen
		x.sessions[sum] = s
	}
	return nil
}

// DropSession is of store.SessionWriter.
func (x *tx) DropSession(sum store.Sum) error {
	delete(x.sessions, sum)
	return nil
}

// DropSessionsOf is of store.SessionWriter.
func (x *tx) DropSessionsOf(owner string) error {
	maps.DeleteFunc(x.sessions, func(_ store.Sum, s store.Session) bool { return s.Owner == owner })
	return nil
}

// DropExpiredSessions is of store.SessionWriter.
func (x *tx) DropExpiredSessions(now time.Time) error {
	maps.DeleteFunc(x.sessions, func(_ store.Sum, s store.Session) bool { return !now.Before(s.Expires) })
	return nil
}

// PutPerson is of store.PersonWriter.
func (x *tx) PutPerson(p store.Person) error {
	x.people[p.ID] = p
	return nil
}
