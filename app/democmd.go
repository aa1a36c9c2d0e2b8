package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"portico/config"
	"portico/gateway"
	"portico/identity"
	"portico/notify"
	"portico/sharing"
	"portico/store"
)

// The customer of the demo who can sign in. The password is in no list that
// Portico refuses, so that they choose it like anybody; serve refuses it.
const (
	demoCustomer         = "claire@acme.example"
	demoCustomerPassword = "acme-reads-along"
)

// demoAge is how long ago the demo happened: mails that wait for others of their
// kind are due when the server starts.
const demoAge = 30 * time.Minute

type demoCmd struct {
	Config string `default:"example.yaml" help:"The config."`
}

// Help says what it is for.
func (demoCmd) Help() string {
	return `portico demo --config example.yaml

It fills a new state with customers, shares, links and deposits to look at, as the
people of example.yaml would make them, and prints who can sign in where. "make run"
does it once. It takes no config that others than this machine can reach, none
without the people of example.yaml, and no state in which there are customers.`
}

func (k demoCmd) Run(c *console) error {
	cfg, err := config.Load(k.Config, c.env)
	if err != nil {
		return err
	}
	if err := isDemo(cfg); err != nil {
		return err
	}
	clock := func() time.Time { return time.Now().Add(-demoAge) } //nolint:forbidigo // the command's clock
	s, err := newProcessAt(c.ctx, cfg, c.env, newLogger(c.err, "text", slog.LevelWarn), clock)
	if err != nil {
		return err
	}
	defer s.close()
	return s.demonstrate(c.ctx, c.out)
}

// isDemo tells a config of the demo's people on this machine alone from one that
// somebody works with: a customer with a known password has no place there.
func isDemo(cfg *config.Config) error {
	if reach := cfg.Server.Reach(); reach != "" {
		return fmt.Errorf("the demo's passwords are known to everybody, and %s is not loopback; use example.yaml as it came", reach)
	}
	for _, login := range []config.Login{"ann", "bob"} {
		hash, err := identity.ParseHash(cfg.Users[login].Password.Reveal())
		if err != nil || !hash.Verify(config.DemoPassword) {
			return fmt.Errorf("%s has no user %s with the password %s: the demo is for example.yaml alone", cfg.File, login, config.DemoPassword)
		}
	}
	return nil
}

// demonstrate does what the people of a small firm and its customers would, through
// the same doors, and says how to look at it.
func (s *process) demonstrate(ctx context.Context, out io.Writer) error {
	known, err := s.state.ContactsIn(ctx, demoFirm)
	if err != nil {
		return err
	}
	if len(known) > 0 {
		return errors.New("the demo is there already, or the state is in use; begin anew with make clean")
	}
	d := &demo{s: s, mailed: map[string]string{}}
	s.sharing.Tell = reader{s.notices, d.mailed}
	if d.ann, err = s.demoBy(ctx, "ann"); err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{
		d.papers, d.contacts, d.access, d.shares, d.answers, d.deposits, d.links,
	} {
		if err := step(ctx); err != nil {
			return fmt.Errorf("demo: %w", err)
		}
	}
	return d.tell(out)
}

// demoBy is somebody as sharing knows them, signed in.
func (s *process) demoBy(ctx context.Context, login string) (sharing.By, error) {
	who, err := s.gate.People().ByLogin(ctx, identity.Login(login))
	if err != nil {
		return sharing.By{}, fmt.Errorf("demo: %s: %w", login, err)
	}
	return demoActor(who), nil
}

func demoActor(who identity.Identity) sharing.By {
	p := gateway.Principal(who)
	p.Via = "demo"
	return sharing.By{Principal: p, ID: who.ID, Name: who.Name, Mail: who.Email, Contact: who.Contact}
}

// reader reads the mails of the demo's customers, as they would: the links in them
// are kept nowhere else.
type reader struct {
	to     *notify.Notifier
	mailed map[string]string // the link of the last mail, by event and address
}

// Tell implements sharing.Teller.
func (r reader) Tell(tx store.Tx, n notify.Notice) error {
	r.mailed[string(n.Event)+" "+n.Mail] = n.Data["link"]
	return r.to.Tell(tx, n)
}

// refuseDemoCustomer keeps a server that others can reach from letting in the demo's
// customer, whose password is in the README: somebody put example.yaml into use, with
// the state of the trial.
func (s *process) refuseDemoCustomer(ctx context.Context, cfg *config.Config) error {
	reach := cfg.Server.Reach()
	if reach == "" {
		return nil
	}
	a, found, err := s.state.AccountByMail(ctx, demoCustomer)
	if err != nil || !found || a.Closed || a.Password == "" {
		return err
	}
	hash, err := identity.ParseHash(a.Password)
	if err != nil || !hash.Verify(demoCustomerPassword) {
		return nil //nolint:nilerr // a hash that nobody can read lets nobody in
	}
	return fmt.Errorf("the state has the demo's customer %s, whose password is known to everybody, and %s is not loopback; begin with a new state", demoCustomer, reach)
}
