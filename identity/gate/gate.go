// Package gate is the one check of passwords that all doors share.
package gate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"portico/identity"
	"portico/identity/apppass"
	"portico/identity/throttle"
	"portico/store"
)

// Settings are what a reload changes.
type Settings struct {
	People identity.Directory

	// Term is how long what People said of somebody may be kept. It is the time
	// within which a change in the directory takes effect.
	Term func(identity.Identity) time.Duration

	// RequireAppPassword closes the drives to people's own passwords.
	RequireAppPassword bool

	// NoPasswords closes all doors to the passwords of the firm's people: they come
	// through a provider, and to drives with app passwords.
	NoPasswords bool

	// Customers are asked about passwords while NoPasswords holds: no provider knows
	// them. Whoever is none of them costs as much, be it one of the firm or nobody.
	// nil is for a server without customers.
	Customers identity.Provider
}

// asked is who is asked about a password of this login, nil for nobody. A login
// that is no mail address is no customer's (package contacts), which tells nothing:
// who sent it sees as much. All addresses are treated alike.
func (s *Settings) asked(login identity.Login) identity.Provider {
	switch {
	case !s.NoPasswords:
		return s.People
	case s.Customers != nil && strings.Contains(string(login), "@"):
		return s.Customers
	}
	return nil
}

// Options are what a Gate needs.
type Options struct {
	Settings
	Throttle     *throttle.Throttle
	AppPasswords *apppass.Keeper
	Clock        func() time.Time
	Rand         io.Reader
	Log          *slog.Logger

	// Failed is told of each sign-in that was wrong, once it is counted: for the
	// audit; nil for nobody. Of those that are refused unseen it is not told, as
	// there may be thousands in a second. The login is as the directory spells it,
	// and "" where nobody has it: what was typed may be a password.
	Failed func(ctx context.Context, in identity.SignIn)

	// Attacked, if set, is told of somebody whose account has had a hundred wrong
	// passwords within a day, once a day: they should hear of it, and get a way in.
	// The login is as it was typed, which is what the guesses are counted by.
	Attacked func(ctx context.Context, typed identity.Login, who identity.Identity)
}

// Gate is the identity.Gate of all doors, and the identity.Directory of those who
// look people up without a password.
type Gate struct {
	o      Options
	now    atomic.Pointer[Settings]
	proofs *identity.Cache
	people *identity.Lookup
}

var _ identity.Gate = (*Gate)(nil)

// New makes a Gate. It fails where Rand does.
func New(o Options) (*Gate, error) {
	g := &Gate{o: o}
	g.now.Store(&o.Settings)
	term := func(who identity.Identity) time.Duration { return g.now.Load().Term(who) }
	var err error
	if g.proofs, err = identity.NewCache(identity.CacheOptions{Clock: o.Clock, Rand: o.Rand, Term: term}); err != nil {
		return nil, fmt.Errorf("gate: %w", err)
	}
	g.people = identity.NewLookup(identity.LookupOptions{Next: inForce{g}, Clock: o.Clock, Term: term})
	return g, nil
}

// Apply puts settings in force and forgets all that the old ones said.
func (g *Gate) Apply(s Settings) {
	g.now.Store(&s)
	g.Flush()
}

// Flush forgets all that is known of people and their passwords.
func (g *Gate) Flush() {
	g.proofs.Flush()
	g.people.Flush()
}

// People finds people without their passwords, from memory where it may.
func (g *Gate) People() identity.Directory { return g.people }

// Stats are the counts of proofs, and of look-ups without a password.
func (g *Gate) Stats() (proofs, lookups identity.CacheStats) {
	return g.proofs.Stats(), g.people.Stats()
}

// SignIn is of identity.Gate. It asks in this order:
//
//  1. Can it be anybody's? What is empty, too long or no text costs nothing and
//     counts nowhere, as it tests nothing.
//  2. What has the form of an app password is one, at every door, and no
//     directory sees it. A right one passes whatever the throttle says: it
//     cannot be guessed. A wrong one counts as a wrong password does, unless it
//     was mistyped or has expired, which its form or the store tell.
//  3. At a door for app passwords alone, all else is identity.ErrAppPassword.
//     The password is not looked at, so that nothing counts and nothing is told:
//     second factors of the firm's sign-in are worth nothing where a password
//     alone gets a word out of the drive (THREATS.md row 63). With NoPasswords
//     every door is such a one, or a password would make the app password; but
//     for mail addresses, which may be customers'. Those go on, to the customers
//     alone, and who is refused there hears the same as the firm's people.
//  4. What was proved from this address within the term of its directory is in.
//     This comes before the throttle, so that somebody who guesses at the same
//     address cannot shut out a drive that is open.
//  5. The throttle, unless this process has seen the password proved from here
//     before: then it is no guess, and the directory is asked again at once.
//  6. The directory. Its no counts, its yes makes the address a known device.
//     What it could not say leaves no trace.
func (g *Gate) SignIn(ctx context.Context, in identity.SignIn) (identity.Identity, error) {
	if !identity.Presentable(in.Login, in.Password) {
		return identity.Identity{}, identity.ErrRefused
	}
	if apppass.Looks(in.Password) {
		return g.appPassword(ctx, in)
	}
	s := g.now.Load()
	if s.asked(in.Login) == nil || in.Drive && s.RequireAppPassword {
		return identity.Identity{}, identity.ErrAppPassword
	}
	who, err := g.password(ctx, in)
	if s.NoPasswords && errors.Is(err, identity.ErrRefused) {
		err = identity.ErrAppPassword
	}
	return who, err
}

// password lets in who has this one of their own.
func (g *Gate) password(ctx context.Context, in identity.SignIn) (identity.Identity, error) {
	place := throttle.Place(in.Address)
	if who, ok := g.proofs.Known(place, in.Login, in.Password); ok {
		return who, nil
	}
	return g.proofs.Prove(ctx, place, in.Login, in.Password, func(ctx context.Context) (identity.Identity, error) {
		a := attempt{g, in, place}
		// Not before the attempt has begun: one that began before Apply is not
		// kept, one that begins after it must not ask the people of before.
		people := g.now.Load().asked(in.Login)
		if people == nil {
			return identity.Identity{}, identity.ErrAppPassword
		}
		if at, ok := g.proofs.Vouched(place, in.Login, in.Password); ok {
			return a.again(ctx, people, at)
		}
		return a.first(ctx, people)
	})
}

// appPassword lets the owner of an app password in, as the directory knows them
// now: who has left is out, also with this.
func (g *Gate) appPassword(ctx context.Context, in identity.SignIn) (identity.Identity, error) {
	p, err := g.o.AppPasswords.Find(ctx, in.Password)
	switch {
	case errors.Is(err, apppass.ErrUnknown):
		return identity.Identity{}, attempt{g: g, in: in}.count(ctx, err)
	case errors.Is(err, identity.ErrRefused):
		return identity.Identity{}, identity.ErrRefused
	case err != nil:
		return identity.Identity{}, fmt.Errorf("gate: %w", err)
	}
	return g.owner(ctx, in, p)
}

func (g *Gate) owner(ctx context.Context, in identity.SignIn, p store.AppPassword) (identity.Identity, error) {
	who, err := g.people.ByID(ctx, p.Owner)
	if err != nil {
		return identity.Identity{}, err
	}
	if who.Login.Key() != in.Login.Key() {
		return identity.Identity{}, attempt{g: g, in: in}.count(ctx, identity.ErrRefused)
	}
	who.Limit = identity.Limit{Workspace: p.Workspace, ReadOnly: p.ReadOnly}
	who.Key = p.ID
	g.o.AppPasswords.Used(ctx, p, in.Address)
	return who, nil
}

// attempt is one password that is not known, on its way.
type attempt struct {
	g     *Gate
	in    identity.SignIn
	place string
}

// again asks the directory about a password that it has said yes to before.
func (a attempt) again(ctx context.Context, people identity.Provider, vouched time.Time) (identity.Identity, error) {
	who, err := people.Authenticate(ctx, a.in.Login, a.in.Password)
	switch {
	case errors.Is(err, identity.ErrRefused):
		a.g.proofs.Disown(a.place, a.in.Login, a.in.Password)
		return identity.Identity{}, a.count(ctx, err)
	case err != nil:
		return identity.Identity{}, fmt.Errorf("gate: %w", err)
	}
	if a.g.o.Clock().Sub(vouched) < refreshDevice {
		return who, nil
	}
	if err := a.g.o.Throttle.Remember(context.WithoutCancel(ctx), a.in.Login, a.in.Address); err != nil {
		return identity.Identity{}, fmt.Errorf("gate: %w", err)
	}
	a.vouch()
	return who, nil
}

// refreshDevice is how often a device that is in use is noted anew. It stays
// known for 30 times as long.
const refreshDevice = 24 * time.Hour

// first asks the throttle, and then the directory.
func (a attempt) first(ctx context.Context, people identity.Provider) (identity.Identity, error) {
	try, err := a.g.o.Throttle.Begin(ctx, a.in.Login, a.in.Address)
	if err != nil {
		return identity.Identity{}, err
	}
	who, err := people.Authenticate(ctx, a.in.Login, a.in.Password)
	// A client that leaves must not keep its failure from being counted.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteTime)
	defer cancel()
	switch {
	case err == nil:
		if err := try.Proved(ctx); err != nil {
			return identity.Identity{}, err
		}
		a.vouch()
		return who, nil
	case errors.Is(err, identity.ErrRefused):
		return identity.Identity{}, a.failed(ctx, try, err)
	}
	return identity.Identity{}, errors.Join(err, try.Unseen(ctx))
}

// noteTime bounds the writing of an outcome.
const noteTime = 15 * time.Second

func (a attempt) vouch() {
	a.g.proofs.Vouch(a.place, a.in.Login, a.in.Password, a.g.o.Clock())
}

// count counts a failure that was found out without asking the throttle first.
// Where it refuses, that is the answer, as for any other wrong password.
func (a attempt) count(ctx context.Context, refusal error) error {
	try, err := a.g.o.Throttle.Begin(ctx, a.in.Login, a.in.Address)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteTime)
	defer cancel()
	return a.failed(ctx, try, refusal)
}

// failed gives identity.ErrRefused once the failure is counted.
func (a attempt) failed(ctx context.Context, try *throttle.Try, refusal error) error {
	alarm, err := try.Failed(ctx)
	if err != nil {
		return err
	}
	if a.g.o.Failed != nil {
		in := a.in
		in.Login = ""
		if wrong, ok := errors.AsType[*identity.WrongError](refusal); ok {
			in.Login = wrong.Whose
		}
		a.g.o.Failed(ctx, in)
	}
	if alarm {
		a.alarm(ctx)
	}
	return identity.ErrRefused
}

// alarm tells the log of an account that is attacked. It names the login only
// where somebody has it: else it could be a password in the wrong field.
func (a attempt) alarm(ctx context.Context) {
	login := "one that nobody has"
	if who, err := a.g.people.ByLogin(ctx, a.in.Login); err == nil {
		login = string(who.Login)
		if a.g.o.Attacked != nil {
			a.g.o.Attacked(ctx, a.in.Login, who)
		}
	}
	a.g.o.Log.WarnContext(ctx, "100 wrong passwords for one login within a day: until the day has passed, "+
		"it is let in from devices it has used before, and with app passwords", "login", login, "last_address", a.in.Address)
}

// inForce is the directory of the settings in force.
type inForce struct{ g *Gate }

func (f inForce) Authenticate(ctx context.Context, login identity.Login, password string) (identity.Identity, error) {
	return f.g.now.Load().People.Authenticate(ctx, login, password)
}

func (f inForce) ByLogin(ctx context.Context, login identity.Login) (identity.Identity, error) {
	return f.g.now.Load().People.ByLogin(ctx, login)
}

func (f inForce) ByID(ctx context.Context, id string) (identity.Identity, error) {
	return f.g.now.Load().People.ByID(ctx, id)
}
