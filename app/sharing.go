package app

import (
	"context"
	"crypto/rand"
	"time"

	"portico/audit"
	"portico/config"
	"portico/files"
	"portico/gateway"
	"portico/identity"
	"portico/sharing"
	"portico/store"
)

// remindEvery is how often it is looked whether a share ends soon.
const remindEvery = time.Hour

// openSharing makes what people share with each other and with customers. Files
// and notices are there, and tell it of deposits and of what was opened.
func (s *process) openSharing(cfg *config.Config) (err error) {
	secret, err := auditSecret(cfg) // receipts have a key of their own, derived from it
	if err != nil {
		return err
	}
	s.sharing, err = sharing.New(sharing.Options{
		State: s.state, Files: s.files, Tell: s.notices, Throttle: s.throttle, Queue: s.queue, People: s.gate.People(),
		Principal: gateway.Principal, Colleague: s.colleague, Staff: s.staff, Audit: s.appendDeed, Changed: s.gate.Flush,
		Title: s.title, Firm: s.brand("").Name, Base: s.public.Load,
		Secret: secret, Clock: s.clock, Zone: s.zone, Rand: rand.Reader, Log: s.log,
	})
	return err
}

// deposited and opened are the hooks of files, which is made before sharing.
func (s *process) deposited(ctx context.Context, tx store.Tx, d store.Deposit) error {
	return s.sharing.Deposited(ctx, tx, d)
}

func (s *process) openedFirst(ctx context.Context, tx store.Tx, o files.Opening) error {
	return s.sharing.Opened(ctx, tx, o)
}

// title is a workspace's, for people to read.
func (s *process) title(workspace string) string {
	for _, w := range s.cfg.Load().Workspaces {
		if w.Name == workspace {
			return w.Title
		}
	}
	return workspace
}

// appendDeed records what somebody did to people and not to files.
func (s *process) appendDeed(tx store.Tx, d sharing.Deed) error {
	actor := audit.Actor{Type: audit.SystemItself}
	if d.By.ID != "" {
		p := d.By.Principal
		actor = audit.Actor{Type: audit.Staff, ID: d.By.ID, Login: p.Name, Via: p.Via, Key: p.Key}
		if d.By.Contact {
			actor.Type = audit.Contact
		}
	}
	e := audit.Event{
		Time: s.clock(), RequestID: d.By.Principal.RequestID, Address: d.By.Principal.Address, Agent: d.By.Principal.Agent,
		Actor: actor, Action: audit.Action(d.Action), Dest: d.About, Allowed: true,
	}
	if !d.Path.IsRoot() {
		e.Path = d.Path.String()
	}
	return s.audit.Append(tx, e)
}

// remind tells people of shares that end soon.
func (s *process) remind(ctx context.Context, tick <-chan time.Time) {
	for {
		if err := s.sharing.RemindEnding(ctx, s.clock()); err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "not everybody is told of a share that ends", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick:
		}
	}
}

// customer is somebody who acts.
func customer(who identity.Identity) sharing.By {
	return sharing.By{Principal: gateway.Principal(who), ID: who.ID, Name: who.Name, Mail: who.Email, Contact: who.Contact}
}

// firmOf is the workspace of the one firm that knows a customer: their pages look
// like it.
func (s *process) firmOf(ctx context.Context, who identity.Identity) (string, error) {
	return s.sharing.FirmOf(ctx, customer(who))
}

// arrived makes a customer active where they were invited: whoever came with the
// password needs no invitation any more.
func (s *process) arrived(ctx context.Context, who identity.Identity) error {
	return s.sharing.SignedIn(ctx, customer(who))
}
