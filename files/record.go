package files

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"time"

	"portico/audit"
	"portico/fault"
	"portico/store"
	"portico/vpath"
)

// recordTimeout bounds the writing of an audit row after the request's own end.
const recordTimeout = 10 * time.Second

// event completes e with what is the same for all operations of this Tree.
func (t *Tree) event(e audit.Event) audit.Event {
	e.Time = t.s.Clock()
	e.RequestID, e.Address, e.Agent = t.who.RequestID, t.who.Address, t.who.Agent
	_, name, _ := strings.Cut(string(t.who.acl.Self), ":")
	e.Actor = audit.Actor{Type: t.who.actorType(), ID: t.who.acl.ID, Login: name, Via: t.who.Via, Key: t.who.Key}
	if t.as != nil {
		by := t.as.who
		_, login, _ := strings.Cut(by.Subject(), ":")
		e.RequestID, e.Address, e.Agent = by.RequestID, by.Address, by.Agent
		e.Actor = audit.Actor{Type: by.actorType(), ID: by.acl.ID, Login: login, Via: by.Via, Key: by.Key, As: name}
	}
	if t.s.Epoch != nil {
		e.Epoch = t.s.Epoch()
	}
	return e
}

// actorType is what let the principal in.
func (p Principal) actorType() audit.ActorType {
	kind, _, _ := strings.Cut(string(p.acl.Self), ":")
	switch {
	case p.Key != "":
		return audit.ByAppPassword
	case kind == "contact":
		return audit.Contact
	case kind == "link":
		return audit.ByLink
	}
	return audit.Staff
}

// intend makes sure that a change of files leaves a trace whatever happens, right
// before the first byte of it can be seen. Where that fails, nothing is changed.
// e goes to commit with the outcome, or to unmade where there is none.
func (t *Tree) intend(ctx context.Context, e audit.Event) (audit.Event, error) {
	if err := errors.Join(stillHeld(ctx), t.mayChange()); err != nil || silent(e.Path) {
		return e, err
	}
	bounded, cancel := context.WithTimeout(ctx, recordTimeout)
	defer cancel()
	e.Allowed = true
	id, err := t.s.Audit.Intend(bounded, t.event(e))
	if err != nil {
		if ctx.Err() == nil {
			t.s.Log.ErrorContext(ctx, "no change without a record", "action", e.Action, "path", e.Path, "err", err)
		}
		return e, unrecorded(err)
	}
	e.Intent = id
	if err := stillHeld(ctx); err != nil { // it took its time
		t.forgetIntent(ctx, e)
		return e, err
	}
	return e, nil
}

// unmade ends the intent of e where the file store has refused the change with
// err, and gives err back. Where nobody knows what has become of it, since a store
// was away in the midst of it or something could not be undone, the intent is
// left to the audit, which tells so.
func (t *Tree) unmade(ctx context.Context, e audit.Event, undone bool, err error) error {
	switch {
	case e.Intent == "":
	case undone && isRefusal(err) && stillHeld(ctx) == nil:
		t.forgetIntent(ctx, e)
	default:
		t.leaveIntent(e)
	}
	return err
}

// leaveIntent tells the audit that nobody will tell it the outcome of e.
func (t *Tree) leaveIntent(e audit.Event) {
	if l, ok := t.s.Audit.(audit.Leaver); ok && e.Intent != "" {
		l.Leave(e.Intent)
	}
}

func (t *Tree) forgetIntent(ctx context.Context, e audit.Event) {
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	if err := t.s.Audit.Forget(bounded, nil, e.Intent); err != nil {
		t.s.Log.WarnContext(ctx, "the audit will tell of a change that was not made", "action", e.Action, "path", e.Path, "err", err)
	}
}

// isRefusal tells an error of a store that has looked and said no.
func isRefusal(err error) bool {
	if errors.Is(err, fault.ErrUnavailable) {
		return false
	}
	for _, no := range []error{
		fs.ErrExist, fs.ErrNotExist, fs.ErrPermission, fs.ErrInvalid, fault.ErrIsDir, fault.ErrNotDir, fault.ErrNotEmpty,
		fault.ErrNoParent, fault.ErrConflict, fault.ErrPrecondition, fault.ErrLocked, fault.ErrTruncated, fault.ErrTooLarge,
		fault.ErrQuota, fault.ErrBusy,
	} {
		if errors.Is(err, no) {
			return true
		}
	}
	return false
}

// record tells the audit of a read, or of an operation that changed nothing,
// and gives err back. A read that cannot be recorded is refused.
//
// What is hidden from the principal is a refusal, but in a read it is recorded
// like a name that is free: one row more, written durably, takes a time that
// could be measured.
func (t *Tree) record(ctx context.Context, e audit.Event, err error) error {
	if done, ok := errors.AsType[*recordedError](err); ok {
		return done.error
	}
	if silent(e.Path) && (err == nil || e.Action.IsRead() && errors.Is(err, fs.ErrNotExist)) {
		return err
	}
	e.Allowed = true
	verdict, judged := errors.AsType[*verdictError](err)
	switch {
	case err == nil:
	case judged && !e.Action.IsRead():
		e.Allowed, e.Why = false, verdict.String()
	case errors.Is(err, fs.ErrPermission):
		e.Allowed, e.Why = false, fault.Told(err)
	default:
		e.Error = err.Error()
	}
	rec := t.s.Audit.Record(ctx, t.event(e))
	if rec == nil || err != nil {
		return err // the refusal stands, recorded or not
	}
	t.s.Log.ErrorContext(ctx, "audit record failed", "action", e.Action, "err", rec)
	return unrecorded(rec)
}

// refused is record for an operation that was to change something: if it did,
// commit has recorded it.
func (t *Tree) refused(ctx context.Context, e audit.Event, err error) error {
	if err == nil {
		return nil
	}
	return t.record(ctx, e, err)
}

// recordedError is the error of an operation whose event commit has recorded:
// it was done in part.
type recordedError struct{ error }

// inPart completes the event of an operation that was done but for err, and
// marks err so that it is not recorded again.
func inPart(e audit.Event, err error) (audit.Event, error) {
	if err == nil {
		return e, nil
	}
	e.Error = err.Error()
	return e, &recordedError{err}
}

// commit makes a change of the state and the audit row of the operation durable
// together. It goes on when the client has gone, because the file's own change
// is there already; but not when the claim is lost, since another process may have
// changed what this one would assert.
func (t *Tree) commit(ctx context.Context, e audit.Event, change func(store.Tx) error) error {
	if err := t.mayChange(); err != nil {
		return err
	}
	if err := t.s.confirm(ctx); err != nil {
		t.leaveIntent(e)
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	e.Allowed = true
	var refused error
	err := t.s.State.Update(ctx, func(tx store.Tx) error {
		if refused = stillHeld(ctx); refused != nil { // it waited for its turn to write
			return refused
		}
		if refused = change(tx); refused != nil {
			return refused
		}
		if silent(e.Path) {
			return nil
		}
		return t.s.Audit.Append(tx, t.event(e))
	})
	if err != nil && !isRefusal(refused) { // a refusal can be undone, by who called
		t.leaveIntent(e)
	}
	if err == nil || refused != nil {
		return refused
	}
	t.s.Log.ErrorContext(ctx, "state not written after a change", "action", e.Action, "path", e.Path, "err", err)
	return unrecorded(err)
}

// commitNew is commit for a new thing at p, which inherits nothing of what stood
// there.
func (t *Tree) commitNew(ctx context.Context, e audit.Event, p vpath.Path, also func(store.Tx) error) error {
	err := t.commit(ctx, e, func(tx store.Tx) error { return errors.Join(beginAt(tx, p), also(tx)) })
	t.s.twins.add(p)
	t.s.reread(ctx, p) // whatever the answer: it may have been lost
	return err
}

func unrecorded(err error) error {
	return fault.Tell(errors.Join(fault.ErrUnavailable, err), "the state store cannot be written: try again in a moment")
}

// keep makes of an event what the journal of moves keeps: sealed, if the audit
// can do that.
func (s *Service) keep(e audit.Event, id string) ([]byte, error) {
	if k, ok := s.Audit.(audit.Keeper); ok {
		return k.Keep(e, id)
	}
	return audit.Encode(e)
}

// kept is keep back. A move whose event cannot be read, after audit.key was
// changed, is recorded without who began it: it must not lie half done for ever.
func (s *Service) kept(m store.Move) audit.Event {
	read := func(text []byte, _ string) (audit.Event, error) { return audit.Decode(text) }
	if k, ok := s.Audit.(audit.Keeper); ok {
		read = k.Kept
	}
	e, err := read(m.Audit, m.ID)
	if err == nil {
		return e
	}
	s.Log.Error("who began a move cannot be read", "from", m.From, "to", m.To, "err", err)
	return audit.Event{
		Time: s.Clock(), Actor: audit.Actor{Type: audit.SystemItself}, Action: audit.Move, Path: m.From.String(), Dest: m.To.String(),
		Allowed: true, Why: "who began it cannot be read: was audit.key changed?",
	}
}
