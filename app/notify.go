package app

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"net/url"
	"os"
	"time"

	"portico/audit"
	"portico/config"
	"portico/identity"
	"portico/identity/unlock"
	"portico/notify"
	"portico/portal/web"
	"portico/store"
)

// sendEvery is how often it is looked whether a mail is due: a code is waited for.
const sendEvery = 2 * time.Second

// openNotices makes what tells people things. The state is there; the public
// address is known when the listener is.
func (s *process) openNotices(cfg *config.Config) error {
	mailer, err := newMailer(cfg)
	if err != nil {
		return err
	}
	o := notify.Options{
		State: s.state, Clock: s.clock, Rand: rand.Reader, Log: s.log, Catalog: s.catalog, Mailer: mailer,
		Public: s.public.Load,
		Brand: func(workspace string) notify.Brand {
			b := s.brand(workspace)
			return notify.Brand{Name: b.Name, Colour: b.Colour}
		},
		Language: s.language, Zone: s.zone,
	}
	if cfg.Mail != nil {
		o.From, o.ReplyTo = cfg.Mail.From, cfg.Mail.ReplyTo
	}
	s.notices = notify.New(o)
	s.unlock = unlock.New(unlock.Options{Store: s.state, Clock: s.clock, Rand: rand.Reader, Pardon: s.pardon})
	return nil
}

// newMailer is the way out of the config, nil for none. It does not connect: a mail
// server that is away is no reason not to start.
func newMailer(cfg *config.Config) (notify.Mailer, error) {
	m := cfg.Mail
	switch {
	case m == nil:
		return nil, nil //nolint:nilnil // no mails are sent
	case m.Dir != "":
		return notify.NewFolder(m.Dir)
	}
	o := notify.SMTP{Address: m.Relay.Address, TLS: m.Relay.TLS, Username: m.Relay.Username, Password: m.Relay.Password.Reveal()}
	if cfg.Server.PublicURL != nil {
		o.Hello = cfg.Server.PublicURL.Hostname()
	}
	if m.Relay.CA != "" {
		pem, err := os.ReadFile(m.Relay.CA)
		if err != nil {
			return nil, fmt.Errorf("mail.ca: %w", err)
		}
		o.Roots = x509.NewCertPool()
		o.Roots.AppendCertsFromPEM(pem) // config has tried it
	}
	return notify.NewSMTP(o)
}

// brand is how a workspace's firm looks. "" is the server's own: that of its one
// workspace, or Portico's.
func (s *process) brand(workspace string) config.Brand {
	all := s.cfg.Load().Workspaces
	for _, w := range all {
		if w.Name == workspace || workspace == "" && len(all) == 1 {
			return w.Brand
		}
	}
	return config.Brand{Name: "Portico"}
}

// brandPages is brand for the pages.
func (s *process) brandPages(workspace string) web.Brand { return web.Brand(s.brand(workspace)) }

// brands are those of all workspaces.
func (s *process) brands() []web.Brand {
	var all []web.Brand
	for _, w := range s.cfg.Load().Workspaces {
		all = append(all, web.Brand(w.Brand))
	}
	return all
}

// unread counts the notices of somebody, for the pages.
func (s *process) unread(ctx context.Context, who identity.Identity) (int, error) {
	return s.notices.Unread(ctx, who.ID)
}

// attacked tells somebody by mail that their password is being guessed, with a link
// that lets them in again (THREATS.md §4.4).
func (s *process) attacked(ctx context.Context, typed identity.Login, who identity.Identity) {
	err := s.state.Update(ctx, func(tx store.Tx) error {
		secret, until, err := s.unlock.Make(tx, typed)
		if err != nil {
			return err
		}
		return s.notices.Tell(tx, notify.Notice{
			To: who.ID, Mail: who.Email, Name: who.Name, Event: notify.Unlock, Always: true,
			Data: map[string]string{"until": until.UTC().Format(time.RFC3339), "link": "/unlock/" + url.PathEscape(secret)},
		})
	})
	if err != nil {
		s.log.ErrorContext(ctx, "somebody is not told that their password is being guessed", "err", err)
	}
}

// pardon forgets the wrong passwords of an account, as its owner asks by the link
// that was sent to them.
func (s *process) pardon(ctx context.Context, tx store.Tx, login identity.Login) error {
	held, err := s.throttle.Pardon(ctx, tx, login)
	if err != nil || held.None() {
		return err
	}
	return s.audit.Append(tx, audit.Event{ //nolint:contextcheck // audit.Append says why
		Time: s.clock(), RequestID: requestID(ctx), Actor: audit.Actor{Type: audit.Staff, Login: string(login), Via: "page"},
		Action: audit.Pardon, Dest: string(login), Allowed: true, Why: "by the link of a mail to the owner of the account",
	})
}

// language and zone are the firm's of the config in force.
func (s *process) language() string { return s.cfg.Load().Language }

func (s *process) zone() *time.Location { return s.cfg.Load().TimeZone }
