package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"time"

	"portico/audit"
	"portico/config"
	"portico/identity"
	"portico/identity/throttle"
	"portico/store"
	"portico/store/postgres"
	"portico/store/sqlite"
)

// unlockCmd opens what the throttle has closed. It writes the state itself,
// beside the servers that use it: an admin who can read the config can do so, and
// a door of the API would be one more for others.
type unlockCmd struct {
	Login   string `arg:"" optional:"" help:"The name that somebody signs in with, as they type it."`
	Address string `help:"Free this address, too, or alone. Of IPv6, the network of 64 bits that it is in."`
	Config  string `default:"portico.yaml" help:"The config."`
	JSON    bool   `name:"json" help:"Print what was forgotten as JSON."`
}

// Help teaches by example.
func (unlockCmd) Help() string {
	return `portico unlock ann                          ann is let in again from new places
portico unlock --address 203.0.113.7        so is everybody at this address
portico unlock ann --address 203.0.113.7    both

An account with 100 wrong passwords in a day is closed to new places until the
day is over, and an address with 20 in ten minutes for a while that grows. This
forgets them. It works while the servers run, holds at once on all of them, and is
in the audit. Whoever guessed may begin anew: see in the audit from where.`
}

// unlocked is what a command forgot.
type unlocked struct {
	Login   string  `json:"login,omitempty"`
	Account *pardon `json:"account,omitempty"`
	Address *pardon `json:"address,omitempty"`
}

// pardon is what was held against an account or an address.
type pardon struct {
	Of       string     `json:"of"`
	Failures int        `json:"failures"`
	Until    *time.Time `json:"refused_until"`

	held throttle.Held
}

func pardonOf(whose string, h throttle.Held) *pardon {
	p := &pardon{Of: whose, Failures: h.Failures, held: h}
	if !h.Until.IsZero() {
		at := h.Until.UTC().Truncate(time.Second)
		p.Until = &at
	}
	return p
}

// String is the line for people to read.
func (p *pardon) String() string {
	if p.held.None() {
		return "nothing was held against " + p.Of
	}
	var was []string
	if p.Failures == 1 {
		was = append(was, "1 failed attempt")
	} else if p.Failures > 1 {
		was = append(was, fmt.Sprintf("%d failed attempts", p.Failures))
	}
	if p.Until != nil {
		was = append(was, "a refusal until "+p.Until.Format(time.RFC3339))
	}
	return p.Of + ": " + strings.Join(was, " and ") + " forgotten"
}

func (k unlockCmd) Run(c *console) error {
	if k.Login == "" && k.Address == "" {
		return errors.New("name whom to unlock: portico unlock LOGIN, or --address IP, or both")
	}
	cfg, err := config.Load(k.Config, c.env)
	if err != nil {
		return err
	}
	state, err := openBeside(c.ctx, cfg)
	if err != nil {
		return err
	}
	done, err := k.unlock(c.ctx, cfg, state)
	if err = errors.Join(err, state.Close()); err != nil {
		return err
	}
	if k.JSON {
		return printJSON(c.out, done)
	}
	return done.print(c.out)
}

// unlock forgets, and records what it forgot, in one transaction.
func (k unlockCmd) unlock(ctx context.Context, cfg *config.Config, state store.State) (done unlocked, err error) {
	clock := time.Now //nolint:forbidigo // the command's clock
	log, err := auditBeside(cfg, state, clock)
	if err != nil {
		return done, err
	}
	brake := throttle.New(throttle.Options{Store: state, Clock: clock, Log: slog.New(slog.DiscardHandler)})
	err = state.Update(ctx, func(tx store.Tx) error {
		done = unlocked{Login: k.Login}
		if k.Login != "" {
			held, err := brake.Pardon(ctx, tx, identity.Login(k.Login))
			if err != nil {
				return err
			}
			if done.Account, err = recordPardon(log, tx, k.Login, held); err != nil { //nolint:contextcheck // audit.Append says why
				return err
			}
		}
		if k.Address == "" {
			return nil
		}
		held, err := brake.PardonAddress(ctx, tx, k.Address)
		if err != nil {
			return err
		}
		done.Address, err = recordPardon(log, tx, throttle.Place(k.Address), held) //nolint:contextcheck // as above
		return err
	})
	if errors.Is(err, fs.ErrInvalid) {
		err = fmt.Errorf("%q is no address; write one as 203.0.113.7 or 2001:db8::1", k.Address)
	}
	return done, err
}

// recordPardon writes the row; where nothing was held, nothing was changed.
func recordPardon(log *audit.Log, tx store.Tx, whose string, held throttle.Held) (*pardon, error) {
	p := pardonOf(whose, held)
	if held.None() {
		return p, nil
	}
	return p, log.Append(tx, audit.Event{
		Actor: commandActor(), Action: audit.Pardon, Dest: whose, Allowed: true, Why: p.String(),
	})
}

func (u unlocked) print(w io.Writer) error {
	for _, p := range []*pardon{u.Account, u.Address} {
		if p == nil {
			continue
		}
		if _, err := fmt.Fprintln(w, p); err != nil {
			return err
		}
	}
	if u.Account == nil || u.Address != nil {
		return nil
	}
	_, err := fmt.Fprintln(w, "addresses that must wait after too many wrong passwords still must; portico unlock --address IP frees one")
	return err
}

// besideStream names the commands in the audit. No server can have it: a
// server.replica has no space, nor has a host's name.
const besideStream = "portico command"

// openBeside opens the state to be written, while servers use it.
func openBeside(ctx context.Context, cfg *config.Config) (store.State, error) {
	if cfg.State.SQLite == "" {
		s, err := postgres.OpenBeside(ctx, cfg.State.Postgres.Reveal(), postgres.Options{Replica: besideStream})
		if err != nil {
			return nil, err // a nil *Store in the interface would not be nil
		}
		return s, nil
	}
	s, err := sqlite.OpenBeside(ctx, cfg.State.SQLite, besideStream, sqlite.Options{})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// auditBeside is the audit of a command, over a state of openBeside.
func auditBeside(cfg *config.Config, state store.State, clock func() time.Time) (*audit.Log, error) {
	secret, err := auditSecret(cfg)
	if err != nil {
		return nil, err
	}
	return audit.New(audit.Options{Store: state, Key: secret, Clock: clock, Rand: rand.Reader})
}

// commandActor is who runs a command, as the audit names them: the system knows no
// more of them.
func commandActor() audit.Actor {
	return audit.Actor{Type: audit.ByCommand, ID: fmt.Sprintf("uid:%d", os.Getuid()), Via: "command"}
}
