// Package memstate is a store in memory of all that lets people in, of what they
// share, of customers and notices, and of what sync clients were told. It is for
// the tests of what stands on these roles. storetest holds it to the contract of
// the real stores.
package memstate

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"portico/fault"
	"portico/store"
	"portico/vpath"
)

// State is a store.State. The roles that it lacks panic: locks, properties, the
// journal, usage and audit.
type State struct {
	reader
	lacking

	mu      sync.Mutex
	content content
	err     error
	updates int
}

// The contract, held by the compiler.
var _ store.State = (*State)(nil)

// lacking and lackingTx are there for the compiler: what reader and tx have lies
// less deep, and so comes before it.
type (
	lacking   struct{ store.State }
	lackingTx struct{ store.Tx }
)

type content struct {
	sessions  map[store.Sum]store.Session
	people    map[string]store.Person
	passwords map[string]store.AppPassword
	attempts  map[string]store.Attempts

	grants    map[string]store.Grant
	change    int64
	links     map[string]store.Link
	downloads map[string]store.Download
	deposits  map[string]store.Deposit
	labels    map[labelKey]store.Label
	uploads   map[string]store.Upload

	contacts    map[contactKey]store.Contact
	accounts    map[string]store.Account
	tickets     map[store.Sum]store.Ticket
	notices     map[string]store.Notice
	preferences map[string]store.Preferences
	noise       map[noiseKey]store.Noise
	snapshots   map[string]store.Snapshot
}

// copyOf copies a map; of none it makes an empty one.
func copyOf[K comparable, V any](m map[K]V) map[K]V {
	made := make(map[K]V, len(m))
	maps.Copy(made, m)
	return made
}

func (c content) clone() content {
	return content{
		sessions: copyOf(c.sessions), people: copyOf(c.people), passwords: copyOf(c.passwords), attempts: copyOf(c.attempts),
		grants: copyOf(c.grants), change: c.change, links: copyOf(c.links), downloads: copyOf(c.downloads),
		deposits: copyOf(c.deposits), labels: copyOf(c.labels), uploads: copyOf(c.uploads),
		contacts: copyOf(c.contacts), accounts: copyOf(c.accounts), tickets: copyOf(c.tickets),
		notices: copyOf(c.notices), preferences: copyOf(c.preferences), noise: copyOf(c.noise),
		snapshots: copyOf(c.snapshots),
	}
}

// New makes an empty one.
func New() *State {
	s := &State{content: content{}.clone()}
	s.look = func(f func(*content)) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.err == nil {
			f(&s.content)
		}
		return s.err
	}
	return s
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
	return slices.Collect(maps.Values(s.content.sessions))
}

// Notices are all that there are, oldest first.
func (s *State) Notices() []store.Notice {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.SortedFunc(maps.Values(s.content.notices), oldest(noticeAge))
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
	x.look = func(f func(*content)) error {
		f(&x.content)
		return nil
	}
	if err := f(x); err != nil {
		return err
	}
	s.content = x.content
	return nil
}

// Check is of store.State.
func (s *State) Check(context.Context) error { return s.look(func(*content) {}) }

// Close is of store.State.
func (s *State) Close() error { return nil }

// Replica is of store.Replicas.
func (s *State) Replica() string { return "main" }

// Shared is of store.Replicas.
func (s *State) Shared() bool { return false }

// Alive is of store.Replicas.
func (s *State) Alive(context.Context) ([]string, error) { return []string{s.Replica()}, nil }

// Watch is of store.Replicas.
func (s *State) Watch(ctx context.Context, _ func(), _ func(error)) error {
	<-ctx.Done()
	return nil
}

// tx is one transaction.
type tx struct {
	reader
	lackingTx
	content
}

// reader is store.Reader, of what look shows.
type reader struct {
	look func(func(*content)) error
}

// get finds one by its key.
func get[K comparable, V any](r reader, in func(*content) map[K]V, key K) (v V, ok bool, err error) {
	err = r.look(func(c *content) { v, ok = in(c)[key] })
	return v, ok, err
}

// pick finds those that are wanted, in order.
func pick[K comparable, V any](r reader, in func(*content) map[K]V, want func(V) bool, order func(a, b V) int) (all []V, err error) {
	err = r.look(func(c *content) {
		for _, v := range in(c) {
			if want(v) {
				all = append(all, v)
			}
		}
	})
	slices.SortFunc(all, order)
	return all, err
}

// first is the first of what pick gives.
func first[V any](all []V, err error) (v V, ok bool, _ error) {
	if err != nil || len(all) == 0 {
		return v, false, err
	}
	return all[0], true, nil
}

// oldest and newest are orders by what at gives: a moment, and an ID where two
// have the same.
func oldest[V any](at func(V) (time.Time, string)) func(a, b V) int { return aged(at, 1) }
func newest[V any](at func(V) (time.Time, string)) func(a, b V) int { return aged(at, -1) }

func aged[V any](at func(V) (time.Time, string), sign int) func(a, b V) int {
	return func(a, b V) int {
		first, one := at(a)
		second, two := at(b)
		return cmp.Or(sign*first.Compare(second), cmp.Compare(one, two))
	}
}

// most gives up to limit of the first.
func most[V any](all []V, limit int) []V { return all[:min(max(limit, 0), len(all))] }

// move lets each rename the paths at from and below it, after drop has taken away
// what is at to. It refuses what the real stores refuse.
func move(from, to vpath.Path, drop func(vpath.Path) error, each func(rename func(*vpath.Path) bool)) error {
	if from == to {
		return nil
	}
	if from.Contains(to) || to.Contains(from) {
		return fmt.Errorf("memstate: move: one lies in the other: %w", fault.ErrConflict)
	}
	err := drop(to)
	each(func(p *vpath.Path) bool {
		rest, below := from.Under(*p)
		if !below {
			return false
		}
		there, failed := to.Join(rest)
		if failed != nil {
			err = failed
			return false
		}
		*p = there
		return true
	})
	return err
}
