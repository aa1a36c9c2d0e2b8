package oidc

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"portico/fault"
	"portico/identity"
	"portico/store"
)

// Remembered is how long somebody whom only the provider knows is taken for
// present after a sign-in: the provider does not tell when people leave. Their
// app passwords rest then, until they sign in again.
const Remembered = 30 * 24 * time.Hour

// idPrefix begins the ID of everybody whom a provider alone knows.
const idPrefix = "oidc:"

// People are those whom the provider alone knows and who have signed in. It is a
// directory that knows no passwords: they come to the pages through the
// provider, to the drive with app passwords.
type People struct {
	state store.PersonReader
	mine  string // prefix of the IDs of this issuer
	clock func() time.Time
}

var (
	_ identity.Directory = (*People)(nil)
	_ identity.Finder    = (*People)(nil)
)

// NewPeople are those of one issuer.
func NewPeople(state store.PersonReader, issuer *url.URL, clock func() time.Time) *People {
	sum := sha256.Sum256([]byte(issuer.String()))
	return &People{state, idPrefix + hex.EncodeToString(sum[:8]) + ":", clock}
}

// Authenticate is of identity.Provider: nobody here has a password.
func (*People) Authenticate(context.Context, identity.Login, string) (identity.Identity, error) {
	return identity.Identity{}, identity.ErrRefused
}

// ByID is of identity.Directory. Those of another issuer are refused: the config
// has changed, and nobody vouches for them any more.
func (d *People) ByID(ctx context.Context, id string) (identity.Identity, error) {
	if !strings.HasPrefix(id, d.mine) {
		return identity.Identity{}, identity.ErrRefused
	}
	p, ok, err := d.state.PersonByID(ctx, id)
	if err != nil {
		return identity.Identity{}, fmt.Errorf("oidc: by id: %w", err)
	}
	if !ok || d.clock().Sub(p.Seen) >= Remembered {
		return identity.Identity{}, identity.ErrRefused
	}
	return asIdentity(p), nil
}

// ByLogin is of identity.Directory.
func (d *People) ByLogin(ctx context.Context, login identity.Login) (identity.Identity, error) {
	holder, err := holderOf(ctx, d.state, login)
	if err != nil {
		return identity.Identity{}, fmt.Errorf("oidc: by login: %w", err)
	}
	return d.ByID(ctx, holder)
}

// ByMail is of identity.Finder.
func (d *People) ByMail(ctx context.Context, mail string) (identity.Identity, error) {
	all, err := d.present(ctx)
	if err != nil {
		return identity.Identity{}, fmt.Errorf("oidc: by mail: %w", err)
	}
	return identity.Only(slices.DeleteFunc(all, func(who identity.Identity) bool { return !who.HasMail(mail) }))
}

// Search is of identity.Finder.
func (d *People) Search(ctx context.Context, text string, limit int) ([]identity.Identity, error) {
	all, err := d.present(ctx)
	if err != nil {
		return nil, fmt.Errorf("oidc: search: %w", err)
	}
	return identity.Found(all, text, limit), nil
}

// present are all whom this issuer's sign-ins have named lately, without their
// groups. The rows of logins are not among them: those begin otherwise (see claimID).
func (d *People) present(ctx context.Context) ([]identity.Identity, error) {
	rows, err := d.state.PeopleUnder(ctx, d.mine, d.clock().Add(-Remembered))
	if err != nil {
		return nil, err
	}
	all := make([]identity.Identity, 0, len(rows))
	for _, p := range rows {
		if d.clock().Sub(p.Seen) < Remembered { // as ByID has it
			p.Groups = nil
			all = append(all, asIdentity(p))
		}
	}
	return all, nil
}

func asIdentity(p store.Person) identity.Identity {
	who := identity.Identity{ID: p.ID, Login: identity.Login(p.Login), Name: p.Name, Email: p.Email}
	for _, g := range p.Groups {
		who.Groups = append(who.Groups, identity.Membership{Group: g})
	}
	return who
}

// claimID is the row that holds a login for one subject. Its Name is the ID of
// that subject; it is nobody's own ID, as those have the sum of an issuer after
// the prefix.
func claimID(login identity.Login) string { return "oidc-login:" + login.Key() }

// holderOf is the ID of the one who has a login, "" for nobody.
func holderOf(ctx context.Context, in store.PersonReader, login identity.Login) (string, error) {
	p, ok, err := in.PersonByID(ctx, claimID(login))
	if err != nil || !ok {
		return "", err
	}
	return p.Name, nil
}

// person finds who the claims are about.
//
// One whom the firm's directory knows IS that person: the firm's provider
// vouches for the login as a bind would. Else it is somebody of the provider's
// alone, by issuer and subject, who keeps the login against all other subjects:
// rules are written for logins, and a login that wanders from one to the other
// would take rights along.
func (p *Provider) person(ctx context.Context, f flow, c claimed) (SignedIn, error) {
	found, err := p.o.Directory.ByLogin(ctx, c.login)
	switch {
	case err == nil && p.o.Vouches != nil && !p.o.Vouches(found):
		p.o.Log.WarnContext(ctx, "oidc: a sign-in was refused: the provider does not vouch for the users of the config", "login", c.login)
		return SignedIn{}, &RefusedError{c.login, p.notVouched(c.login)}
	case err == nil && !strings.HasPrefix(found.ID, idPrefix):
		return SignedIn{Who: found, Groups: c.groups, Next: f.next, Keep: p.keep(ctx, f, nil)}, nil
	case errors.Is(err, identity.ErrTaken):
		p.o.Log.WarnContext(ctx, "oidc: a sign-in was refused: the directory has the login, and its account is closed or not the only one", "login", c.login)
		return SignedIn{}, &RefusedError{c.login, fault.Say("The account %s is closed here. Ask your administrator.", c.login)}
	case err != nil && !errors.Is(err, identity.ErrRefused):
		return SignedIn{}, fmt.Errorf("oidc: finish: %w", err)
	}
	one := store.Person{
		ID: p.people.mine + c.subject, Login: string(c.login), Name: c.name, Email: c.email, Groups: c.groups, Seen: p.o.Clock(),
	}
	if one.Name == "" {
		one.Name = one.Login
	}
	// Asked here for the sentence, and once more in Keep for certain.
	if err := p.checkHolder(ctx, p.o.State, one); err != nil {
		return SignedIn{}, err
	}
	return SignedIn{Who: asIdentity(one), Next: f.next, Keep: p.keep(ctx, f, &one)}, nil
}

// notVouched is the sentence for an account that is not the provider's.
func (p *Provider) notVouched(login identity.Login) fault.Sentence {
	if p.o.Only {
		return fault.Say("The account %s cannot sign in this way, and there is no other. Ask your administrator.", login)
	}
	return fault.Say("The account %s has a password of its own here: sign in with that.", login)
}

// keep is SignedIn.Keep.
func (p *Provider) keep(ctx context.Context, f flow, one *store.Person) func(store.Tx) error {
	return func(tx store.Tx) error {
		used := func(mark store.Sum) (bool, error) {
			_, ok, err := tx.SessionBySum(ctx, mark)
			return ok, err
		}
		if err := f.use(tx, used, p.o.Clock()); err != nil || one == nil {
			return err
		}
		if err := p.checkHolder(ctx, tx, *one); err != nil {
			return err
		}
		claim := store.Person{ID: claimID(identity.Login(one.Login)), Login: one.Login, Name: one.ID, Seen: one.Seen}
		if err := tx.PutPerson(claim); err != nil {
			return err
		}
		return tx.PutPerson(*one)
	}
}

// checkHolder refuses a login that another subject has.
func (p *Provider) checkHolder(ctx context.Context, in store.PersonReader, one store.Person) error {
	holder, err := holderOf(ctx, in, identity.Login(one.Login))
	if err != nil {
		return fmt.Errorf("oidc: finish: %w", err)
	}
	if holder == "" || holder == one.ID {
		return nil
	}
	p.o.Log.ErrorContext(ctx, "oidc: two subjects claim one login; the first keeps it. Give one of them another login at the provider",
		"login", one.Login, "holder", holder, "refused", one.ID)
	return &RefusedError{identity.Login(one.Login), fault.Say("Somebody else signs in here under the login %s. Ask your administrator, whose log says more.", one.Login)}
}
