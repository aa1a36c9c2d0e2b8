package identitytest

import (
	"context"
	"errors"
	"sync"

	"portico/identity"
)

// Fake is a directory in memory that counts its calls, and can be made to wait,
// to fail and to change. It passes the suite.
type Fake struct {
	prefix string

	mu     sync.Mutex
	people map[string]Person
	calls  int
	err    error
	gate   chan struct{}
	inside chan struct{}
}

var _ identity.Directory = (*Fake)(nil)

// NewFake makes one that knows these people. An ID is "id-" and
// the person's own, or else the login.
func NewFake(people ...Person) *Fake { return NewFakeOf("id-", people...) }

// NewFakeOf makes one whose IDs begin otherwise.
func NewFakeOf(prefix string, people ...Person) *Fake {
	f := &Fake{prefix: prefix, people: make(map[string]Person)}
	for _, p := range people {
		f.people[p.Login.Key()] = p
	}
	return f
}

// Authenticate is of identity.Provider.
func (f *Fake) Authenticate(ctx context.Context, login identity.Login, password string) (identity.Identity, error) {
	who, err := f.find(ctx, func(p Person) bool {
		return identity.Presentable(login, password) && p.Login.Key() == login.Key() && p.Password == password
	})
	f.mu.Lock()
	defer f.mu.Unlock()
	if p, known := f.people[login.Key()]; known && errors.Is(err, identity.ErrRefused) && identity.Presentable(login, password) {
		err = &identity.WrongError{Whose: p.Login}
	}
	return who, err
}

// ByLogin is of identity.Directory.
func (f *Fake) ByLogin(ctx context.Context, login identity.Login) (identity.Identity, error) {
	return f.find(ctx, func(p Person) bool { return p.Login.Key() == login.Key() })
}

// ByID is of identity.Directory.
func (f *Fake) ByID(ctx context.Context, id string) (identity.Identity, error) {
	return f.find(ctx, func(p Person) bool { return f.id(p) == id })
}

func (f *Fake) find(ctx context.Context, is func(Person) bool) (identity.Identity, error) {
	f.mu.Lock()
	f.calls++
	gate, inside, err := f.gate, f.inside, f.err
	var who identity.Identity
	for _, p := range f.people {
		if is(p) {
			who = identity.Identity{ID: f.id(p), Login: p.Login, Name: p.Name, Email: p.Email, Groups: p.Groups}
		}
	}
	f.mu.Unlock()
	if gate != nil {
		inside <- struct{}{}
		select {
		case <-gate:
		case <-ctx.Done():
			return identity.Identity{}, ctx.Err()
		}
	}
	switch {
	case err != nil:
		return identity.Identity{}, err
	case who.ID == "":
		return identity.Identity{}, identity.ErrRefused
	}
	return who, nil
}

// id is of the directory's kind and the login that somebody came with.
func (f *Fake) id(p Person) string {
	if p.ID != "" {
		return f.prefix + p.ID
	}
	return f.prefix + string(p.Login)
}

// Calls counts the calls so far.
func (f *Fake) Calls() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls
}

// Set adds somebody, or changes them.
func (f *Fake) Set(p Person) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.people[p.Login.Key()] = p
}

// Drop takes somebody out.
func (f *Fake) Drop(login identity.Login) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.people, login.Key())
}

// Fail makes all calls fail with err, or work again with nil.
func (f *Fake) Fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
}

// Hold makes each call stop after it has looked at the people, until release.
// inside receives once for each call that has stopped.
func (f *Fake) Hold() (inside <-chan struct{}, release func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	gate := make(chan struct{})
	f.gate, f.inside = gate, make(chan struct{}, 1000)
	return f.inside, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		close(gate)
		f.gate = nil
	}
}
