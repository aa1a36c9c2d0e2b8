// Package contacts knows the customers: people without an account of the firm,
// who were invited and have set a password. They are known by their mail address.
package contacts

import (
	"context"
	"fmt"
	"strings"

	"golang.org/x/text/unicode/norm"

	"portico/identity"
	"portico/store"
)

// Options are what a Directory stands on.
type Options struct {
	State store.AccountReader
	Queue *identity.Queue
}

// Directory is an identity.Directory over the accounts of the store. What it says
// is of the moment: it remembers nothing.
type Directory struct {
	o      Options
	decoy  identity.Hash
	verify func(identity.Hash, string) bool // Hash.Verify, but in the test that counts
}

var _ identity.Directory = (*Directory)(nil)

// New makes a Directory.
func New(o Options) *Directory {
	return &Directory{o: o, decoy: identity.Hash{}.Decoy(), verify: identity.Hash.Verify}
}

// Of is who has an account.
func Of(a store.Account) identity.Identity {
	return identity.Identity{
		ID: identity.ContactPrefix + a.ID, Login: identity.Login(a.Mail), Name: a.Name, Email: a.Mail, Contact: true,
		PasswordSet: a.Changed, // ends the sessions of the one before
	}
}

// IsOpen tells an account that lets somebody in: closed ones do not, nor those
// whose owner has not set a password.
func IsOpen(a store.Account) bool { return a.ID != "" && !a.Closed && a.Password != "" }

// Authenticate is of identity.Provider. An account that there is not, that is
// closed or has no password costs one hash as well, so that neither the answer
// nor its time tells who is a customer (THREATS.md row 59).
func (d *Directory) Authenticate(ctx context.Context, login identity.Login, password string) (identity.Identity, error) {
	if !identity.Presentable(login, password) {
		return identity.Identity{}, identity.ErrRefused
	}
	account, err := d.byLogin(ctx, login)
	if err != nil {
		return identity.Identity{}, fmt.Errorf("contacts: %w", err)
	}
	hash := d.decoy
	open := IsOpen(account)
	if open {
		parsed, err := identity.ParseHash(account.Password)
		if open = err == nil; open { // a hash that cannot be read fits no password
			hash = parsed
		}
	}
	proved := false
	if err := d.o.Queue.Do(ctx, func() { proved = d.verify(hash, password) }); err != nil {
		return identity.Identity{}, fmt.Errorf("contacts: %w", err)
	}
	switch {
	case !open:
		return identity.Identity{}, identity.ErrRefused
	case !proved:
		return identity.Identity{}, &identity.WrongError{Whose: identity.Login(account.Mail)}
	}
	return Of(account), nil
}

// ByLogin is of identity.Directory.
func (d *Directory) ByLogin(ctx context.Context, login identity.Login) (identity.Identity, error) {
	account, err := d.byLogin(ctx, login)
	return found(account, err)
}

// ByID is of identity.Directory.
func (d *Directory) ByID(ctx context.Context, id string) (identity.Identity, error) {
	account, ok := strings.CutPrefix(id, identity.ContactPrefix)
	if !ok || account == "" {
		return identity.Identity{}, identity.ErrRefused
	}
	a, known, err := d.o.State.AccountByID(ctx, account)
	if !known {
		a = store.Account{}
	}
	return found(a, err)
}

// byLogin is the zero value where nobody has the login.
func (d *Directory) byLogin(ctx context.Context, login identity.Login) (store.Account, error) {
	if !identity.Presentable(login, "any") {
		return store.Account{}, nil
	}
	// As package sharing keeps an address; Login.Key folds more than case.
	mail := strings.ToLower(norm.NFC.String(string(login)))
	a, known, err := d.o.State.AccountByMail(ctx, mail)
	if err != nil || !known {
		return store.Account{}, err
	}
	return a, nil
}

// found is who has an account. A closed one is identity.ErrRefused and not
// ErrTaken: this directory is the last, and nobody comes after it.
func found(a store.Account, err error) (identity.Identity, error) {
	switch {
	case err != nil:
		return identity.Identity{}, fmt.Errorf("contacts: %w", err)
	case !IsOpen(a):
		return identity.Identity{}, identity.ErrRefused
	}
	return Of(a), nil
}
