package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"reflect"
	"runtime"
	"time"

	"portico/config"
	"portico/identity"
	"portico/identity/contacts"
	"portico/identity/gate"
	"portico/identity/ldap"
	"portico/identity/oidc"
	"portico/identity/people"
	"portico/identity/static"
	"portico/store"
)

// waitingHashes is how many sign-ins may wait for a hash; more get 503 at once.
const waitingHashes = 64

// The terms for which an answer about somebody is kept in memory. Those of the
// config end with a reload; the store's people change when they sign in.
const (
	usersTerm   = 5 * time.Minute
	outsideTerm = 10 * time.Second

	contactsTerm = 10 * time.Second
)

// The beginnings of IDs, by which the directories are told apart.
const (
	usersPrefix   = "user:"
	firmPrefix    = "ldap:"
	outsidePrefix = "oidc:"
)

// directory is everybody who may sign in under one config.
type directory struct {
	*people.Chain
	cfg   *config.Config
	firm  *ldap.Directory // nil for none
	known *people.Chain   // without those whom the outside provider alone knows
	names spelling        // of the rules
}

// peopleStore is what the state knows of people; nil for commands that ask for
// those of the firm alone.
type peopleStore interface {
	store.PersonReader
	store.AccountReader
}

// newDirectory makes one of a config. before is the one in force, nil at the
// start: the firm's directory is taken over from it, with its connections, where
// nothing about it has changed.
func newDirectory(cfg *config.Config, before *directory, state peopleStore, queue *identity.Queue, clock func() time.Time, log *slog.Logger) (*directory, error) {
	d := &directory{cfg: cfg, names: spellingOf(cfg)}
	users, err := configUsers(cfg)
	if err != nil {
		return nil, err
	}
	var o people.Options
	if len(users) > 0 {
		known, err := static.New(users, queue)
		if err != nil {
			return nil, err
		}
		o.Users = people.Source{Directory: known, Prefix: usersPrefix, Term: usersTerm}
	}
	if err := d.addFirm(&o, before, clock, log); err != nil {
		return nil, err
	}
	if d.known, err = people.New(o); err != nil {
		return nil, err
	}
	if cfg.OIDC != nil && state != nil {
		o.Outside = people.Source{Directory: oidc.NewPeople(state, cfg.OIDC.Issuer, clock), Prefix: outsidePrefix, Term: outsideTerm}
	}
	if state != nil {
		o.Contacts = people.Source{Directory: contacts.New(contacts.Options{State: state, Queue: queue}), Prefix: identity.ContactPrefix, Term: contactsTerm}
	}
	d.Chain, err = people.New(o)
	return d, err
}

func (d *directory) addFirm(o *people.Options, before *directory, clock func() time.Time, log *slog.Logger) (err error) {
	if d.cfg.LDAP == nil {
		return nil
	}
	if before != nil && before.firm != nil && reflect.DeepEqual(before.cfg.LDAP, d.cfg.LDAP) {
		d.firm = before.firm
	} else if d.firm, err = ldap.New(ldapOptions(d.cfg.LDAP, clock, log)); err != nil {
		return fmt.Errorf("identity.ldap: %w", err)
	}
	o.Firm = people.Source{Directory: d.firm, Prefix: firmPrefix, Term: d.cfg.LDAP.Cache}
	return nil
}

// settings are what the gate lets people in by.
func (d *directory) settings() gate.Settings {
	only := d.cfg.OIDC != nil && d.cfg.OIDC.Only
	return gate.Settings{
		People: d, Term: d.Term, RequireAppPassword: d.cfg.RequireAppPassword,
		NoPasswords: only, Customers: d.Customers(),
	}
}

// close hangs up, but for what next has taken over; nil for nothing.
func (d *directory) close(next *directory) error {
	if d == nil || d.firm == nil || next != nil && next.firm == d.firm {
		return nil
	}
	return d.firm.Close()
}

func ldapOptions(c *config.LDAP, clock func() time.Time, log *slog.Logger) ldap.Options {
	o := ldap.Options{
		Servers: c.Servers, StartTLS: c.StartTLS, CA: c.CA, BindDN: c.BindDN, BindPassword: c.BindPassword.Reveal(),
		Users: ldap.Users(c.Users), Clock: clock, Log: log,
	}
	if c.Groups != nil {
		groups := ldap.Groups(*c.Groups)
		o.Groups = &groups
	}
	return o
}

func oidcOptions(c *config.OIDC, public *url.URL) oidc.Options {
	return oidc.Options{
		Issuer: c.Issuer, ClientID: c.ClientID, ClientSecret: c.ClientSecret.Reveal(), Title: c.Title, Scopes: c.Scopes,
		Claims:   oidc.Claims{Login: c.Login, Name: c.Name, Email: c.Email, Groups: c.Groups},
		Callback: public.JoinPath("auth", "oidc", "callback"), Only: c.Only,
	}
}

// newQueue bounds the hashes of the process: one queue, whatever is reloaded.
func newQueue() *identity.Queue { return identity.NewQueue(runtime.GOMAXPROCS(0), waitingHashes) }

// find looks somebody up for an admin's question, in the directories that the
// config names.
func find(ctx context.Context, cfg *config.Config, login string, clock func() time.Time, log *slog.Logger) (identity.Identity, error) {
	d, err := newDirectory(cfg, nil, nil, newQueue(), clock, log)
	if err != nil {
		return identity.Identity{}, err
	}
	who, err := d.ByLogin(ctx, identity.Login(login))
	err = errors.Join(err, d.close(nil))
	if errors.Is(err, identity.ErrRefused) {
		return who, unknownError{cfg, login}
	}
	return who, err
}
