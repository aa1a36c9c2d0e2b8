package identitytest

import (
	"context"
	"sync"

	"portico/identity"
)

// Fake is a provider in memory that counts its calls, and can be made to wait,
// to fail and to change. It passes the suite.
type Fake struct {
	mu     sync.Mutex
	people map[string]Person
	calls  int
	err    error
	gate   chan struct{}
	inside chan struct{}
}

var _ identity.Provider = (*Fake)(nil)

// NewFake makes one that knows these people. An ID is "id-" and the login.
func NewFake(people ...Person) *Fake {
	f := &Fake{people: make(map[string]Person)}
	for _, p := range people {
		f.people[p.Login.Key()] = p
	}
	return f
}

// Authenticate is of identity.Provider.
func (f *Fake) Authenticate(ctx context.Context, login identity.Login, password string) (identity.Identity, error) {
	f.mu.Lock()
	f.calls++
	gate, inside, err := f.gate, f.inside, f.err
	p, known := f.people[login.Key()]
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
	case !identity.Presentable(login, password) || !known || p.Password != password:
		return identity.Identity{}, identity.ErrRefused
	}
	return identity.Identity{ID: "id-" + string(p.Login), Login: p.Login, Name: p.Name, Email: p.Email}, nil
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
