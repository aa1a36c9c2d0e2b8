// Package memstate is a store in memory of all that lets people in: app passwords,
// sessions, people, failed sign-ins. It is for the tests of what stands on these
// roles. storetest holds the real stores to the same
// contract.
package memstate

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"portico/store"
)

// State holds what lets people in. The roles that it lacks panic.
type State struct {
	mu      sync.Mutex
	content content
	err     error
	updates int
}

type content struct {
	sessions  map[store.Sum]store.Session
	people    map[string]store.Person
	passwords map[string]store.AppPassword
	attempts  map[string]store.Attempts
}

func (c content) clone() content {
	return content{maps.Clone(c.sessions), maps.Clone(c.people), maps.Clone(c.passwords), maps.Clone(c.attempts)}
}

// New makes an empty one.
func New() *State {
	return &State{content: content{
		map[store.Sum]store.Session{}, map[string]store.Person{}, map[string]store.AppPassword{}, map[string]store.Attempts{},
	}}
}

// Fail makes all calls fail with err, or work again with nil.
func (s *State) Fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

// Updates counts the transactions that were begun.
func (s *State) Updates() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.updates
}

// AllAttempts are all rows of failures.
func (s *State) AllAttempts() map[string]store.Attempts {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.content.attempts)
}

// Sessions are all that there are.
func (s *State) Sessions() []store.Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []store.Session
	for _, one := range s.content.sessions {
		all = append(all, one)
	}
	return all
}

// SessionBySum is of store.SessionReader.
func (s *State) SessionBySum(ctx context.Context, sum store.Sum) (store.Session, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return store.Session{}, false, s.err
	}
	return (&tx{content: s.content}).SessionBySum(ctx, sum)
}

// PersonByID is of store.PersonReader.
func (s *State) PersonByID(ctx context.Context, id string) (store.Person, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return store.Person{}, false, s.err
	}
	return (&tx{content: s.content}).PersonByID(ctx, id)
}

// AppPasswordBySum is of store.AppPasswordReader.
func (s *State) AppPasswordBySum(ctx context.Context, sum store.Sum) (store.AppPassword, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return store.AppPassword{}, false, s.err
	}
	return (&tx{content: s.content}).AppPasswordBySum(ctx, sum)
}

// AppPasswordsOf is of store.AppPasswordReader.
func (s *State) AppPasswordsOf(ctx context.Context, owner string) ([]store.AppPassword, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return nil, s.err
	}
	return (&tx{content: s.content}).AppPasswordsOf(ctx, owner)
}

// Attempts is of store.AttemptsReader.
func (s *State) Attempts(ctx context.Context, keys ...string) (map[string]store.Attempts, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return nil, s.err
	}
	return (&tx{content: s.content}).Attempts(ctx, keys...)
}

// Update runs f on a copy, which takes the place of all if f says yes.
func (s *State) Update(ctx context.Context, f func(store.Tx) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.updates++
	if err := cmp.Or(s.err, ctx.Err()); err != nil {
		return err
	}
	x := &tx{content: s.content.clone()}
	if err := f(x); err != nil {
		return err
	}
	s.content = x.content
	return nil
}

// tx is one transaction.
type tx struct {
	store.Tx // the roles that it lacks
	content
}

func (x *tx) SessionBySum(_ context.Context, sum store.Sum) (store.Session, bool, error) {
	one, ok := x.sessions[sum]
	return one, ok, nil
}

func (x *tx) PersonByID(_ context.Context, id string) (store.Person, bool, error) {
	one, ok := x.people[id]
	return one, ok, nil
}

func (x *tx) AppPasswordBySum(_ context.Context, sum store.Sum) (store.AppPassword, bool, error) {
	for _, p := range x.passwords {
		if p.Sum == sum {
			return p, true, nil
		}
	}
	return store.AppPassword{}, false, nil
}

func (x *tx) AppPasswordsOf(_ context.Context, owner string) ([]store.AppPassword, error) {
	var all []store.AppPassword
	for _, p := range x.passwords {
		if p.Owner == owner {
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(a, b store.AppPassword) int {
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID))
	})
	return all, nil
}

func (x *tx) PutAppPassword(p store.AppPassword) error {
	x.passwords[p.ID] = p
	return nil
}

func (x *tx) DropAppPassword(id string) error {
	delete(x.passwords, id)
	return nil
}

func (x *tx) TouchAppPassword(id string, used time.Time, from string) error {
	if p, ok := x.passwords[id]; ok {
		p.Used, p.UsedFrom = used, from
		x.passwords[id] = p
	}
	return nil
}

func (x *tx) Attempts(_ context.Context, keys ...string) (map[string]store.Attempts, error) {
	all := make(map[string]store.Attempts)
	for _, k := range keys {
		if a, ok := x.attempts[k]; ok {
			all[k] = a
		}
	}
	return all, nil
}

func (x *tx) PutAttempts(a store.Attempts) error {
	x.attempts[a.Key] = a
	return nil
}

func (x *tx) DropAttemptsBefore(last time.Time) error {
	maps.DeleteFunc(x.attempts, func(_ string, a store.Attempts) bool { return a.Last.Before(last) && a.Until.Before(last) })
	return nil
}

func (x *tx) PutSession(s store.Session) error {
	x.sessions[s.Sum] = s
	return nil
}

func (x *tx) TouchSession(sum store.Sum, seen time.Time) error {
	if s, ok := x.sessions[sum]; ok {
		s.Seen = seen
		x.sessions[sum] = s
	}
	return nil
}

func (x *tx) DropSession(sum store.Sum) error {
	delete(x.sessions, sum)
	return nil
}

func (x *tx) DropSessionsOf(owner string) error {
	maps.DeleteFunc(x.sessions, func(_ store.Sum, s store.Session) bool { return s.Owner == owner })
	return nil
}

func (x *tx) DropExpiredSessions(now time.Time) error {
	maps.DeleteFunc(x.sessions, func(_ store.Sum, s store.Session) bool { return !now.Before(s.Expires) })
	return nil
}

func (x *tx) PutPerson(p store.Person) error {
	x.people[p.ID] = p
	return nil
}
