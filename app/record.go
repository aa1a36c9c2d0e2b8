package app

import (
	"context"
	"crypto/rand"
	"errors"

	"portico/audit"
	"portico/config"
	"portico/identity"
	"portico/identity/session"
	"portico/portal"
	"portico/store"
)

// record is the audit with the sinks that it feeds.
type record struct {
	*audit.Log
	close func() error // after Run
}

func (s *process) openRecord(cfg *config.Config) (*record, error) {
	log, end, err := openAudit(cfg, audit.Options{
		Store: s.state, Clock: s.clock, Rand: rand.Reader, Reads: s.recordsReads, Lag: s.metrics.lag, Log: s.log,
	})
	if err != nil {
		return nil, errors.Join(err, end())
	}
	return &record{log, end}, nil
}

// signInFailed records a wrong password at any of the doors. The gate tells of
// those that it has counted, and so of no more than somebody may try: rows that
// anybody can make without limit would fill the store.
func (s *process) signInFailed(ctx context.Context, in identity.SignIn) {
	err := s.audit.Record(ctx, audit.Event{
		Time: s.clock(), RequestID: requestID(ctx), Address: in.Address, Action: audit.SignIn,
		Actor: audit.Actor{Type: audit.Staff, Login: string(in.Login), Via: in.Via}, Why: identity.ErrRefused.Error(),
	})
	if err != nil {
		s.log.ErrorContext(ctx, "a refused sign-in is not recorded", "err", err)
	}
}

// recordPeople records what the pages and the API refused.
func (s *process) recordPeople(ctx context.Context, e portal.Event) error {
	return s.audit.Record(ctx, peopleEvent(e))
}

// appendPeople records a change by the pages or the API, in its transaction.
func (s *process) appendPeople(e portal.Event) session.Also {
	return func(tx store.Tx) error { return s.audit.Append(tx, peopleEvent(e)) }
}

func peopleEvent(e portal.Event) audit.Event {
	actor := audit.Actor{Type: audit.Staff, ID: e.Who.ID, Login: string(e.Login), Via: e.Via, Key: e.Who.Key}
	if e.Who.Key != "" {
		actor.Type = audit.ByAppPassword
	}
	return audit.Event{
		Time: e.Time, RequestID: e.RequestID, Actor: actor, Address: e.Address, Agent: e.Agent,
		Action: audit.Action(e.Action), Dest: e.Object, Allowed: e.Allowed, Why: e.Why,
	}
}
