// Package static knows the people that the config names.
package static

import (
	"context"
	"fmt"
	"hash/fnv"

	"portico/identity"
)

// User is somebody in the config.
type User struct {
	ID          string
	Login       identity.Login
	Name, Email string
	Hash        identity.Hash
}

// Provider is an identity.Directory over a list that does not change; a reload
// makes a new one.
type Provider struct {
	users  map[string]User // by Login.Key
	byID   map[string]User
	decoys []identity.Hash
	queue  *identity.Queue
	verify func(identity.Hash, string) bool // Hash.Verify, but in the test that counts
}

var (
	_ identity.Directory = (*Provider)(nil)
	_ identity.Finder    = (*Provider)(nil)
)

// New makes a provider that hashes in q. Two users whose logins differ only in
// case, or in the form of an accent, are an error, and so are two with one ID,
// and a user who lacks a login, an ID or a hash.
func New(users []User, q *identity.Queue) (*Provider, error) {
	p := &Provider{users: make(map[string]User), byID: make(map[string]User), queue: q, verify: identity.Hash.Verify}
	for _, u := range users {
		if !identity.Presentable(u.Login, "any") || u.ID == "" || u.Hash.IsZero() {
			return nil, fmt.Errorf("static: the user %q lacks a usable login, an ID or a password hash; give all three", u.Login)
		}
		key := u.Login.Key()
		if twin, ok := p.users[key]; ok {
			return nil, fmt.Errorf("static: the logins %q and %q are one; rename a user", twin.Login, u.Login)
		}
		if twin, ok := p.byID[u.ID]; ok {
			return nil, fmt.Errorf("static: the users %q and %q have one ID; give each its own", twin.Login, u.Login)
		}
		p.users[key], p.byID[u.ID] = u, u
		p.decoys = append(p.decoys, u.Hash.Decoy())
	}
	if len(p.decoys) == 0 {
		p.decoys = []identity.Hash{identity.Hash{}.Decoy()}
	}
	return p, nil
}

// Authenticate is of identity.Provider. A login that nobody has costs one hash
// as well, so that neither the answer nor its time tells who works here.
func (p *Provider) Authenticate(ctx context.Context, login identity.Login, password string) (identity.Identity, error) {
	if !identity.Presentable(login, password) {
		return identity.Identity{}, identity.ErrRefused
	}
	user, known := p.users[login.Key()]
	hash := user.Hash
	if !known {
		hash = p.decoy(login)
	}
	proved := false
	if err := p.queue.Do(ctx, func() { proved = p.verify(hash, password) }); err != nil {
		return identity.Identity{}, fmt.Errorf("static: %w", err)
	}
	switch {
	case !known:
		return identity.Identity{}, identity.ErrRefused
	case !proved:
		return identity.Identity{}, &identity.WrongError{Whose: user.Login}
	}
	return user.identity(), nil
}

// ByLogin is of identity.Directory.
func (p *Provider) ByLogin(_ context.Context, login identity.Login) (identity.Identity, error) {
	return found(p.users[login.Key()])
}

// ByID is of identity.Directory.
func (p *Provider) ByID(_ context.Context, id string) (identity.Identity, error) {
	return found(p.byID[id])
}

// ByMail is of identity.Finder.
func (p *Provider) ByMail(_ context.Context, mail string) (identity.Identity, error) {
	var all []identity.Identity
	for _, u := range p.users {
		if who := u.identity(); who.HasMail(mail) {
			all = append(all, who)
		}
	}
	return identity.Only(all)
}

// Search is of identity.Finder.
func (p *Provider) Search(_ context.Context, text string, limit int) ([]identity.Identity, error) {
	all := make([]identity.Identity, 0, len(p.users))
	for _, u := range p.users {
		all = append(all, u.identity())
	}
	return identity.Found(all, text, limit), nil
}

func found(u User) (identity.Identity, error) {
	if u.ID == "" {
		return identity.Identity{}, identity.ErrRefused
	}
	return u.identity(), nil
}

func (u User) identity() identity.Identity {
	return identity.Identity{ID: u.ID, Login: u.Login, Name: u.Name, Email: u.Email}
}

// decoy picks the cost of one of the users, always the same for one login: where
// some hashes are bcrypt and some argon2id, strangers are spread over them as
// the people are.
func (p *Provider) decoy(login identity.Login) identity.Hash {
	h := fnv.New32a()
	_, _ = h.Write([]byte(login.Key())) // never fails
	return p.decoys[int(h.Sum32())%len(p.decoys)]
}
