package files

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"portico/audit"
	"portico/fault"
	"portico/store"
)

// recordTimeout bounds the writing of an audit row after the request's own end.
const recordTimeout = 10 * time.Second

// event completes e with what is the same for all operations of this Tree.
func (t *Tree) event(e audit.Event) audit.Event {
	e.Time = t.s.Clock()
	e.RequestID, e.Address, e.Agent = t.who.RequestID, t.who.Address, t.who.Agent
	e.Actor = audit.Actor{ID: t.who.acl.ID, Login: string(t.who.acl.Self), Via: t.who.Via}
	return e
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
// is there already.
func (t *Tree) commit(ctx context.Context, e audit.Event, change func(store.Tx) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	e.Allowed = true
	var refused error
	err := t.s.State.Update(ctx, func(tx store.Tx) error {
		if refused = change(tx); refused != nil {
			return refused
		}
		return t.s.Audit.Append(tx, t.event(e))
	})
	if err == nil || refused != nil {
		return refused
	}
	t.s.Log.ErrorContext(ctx, "state not written after a change", "action", e.Action, "path", e.Path, "err", err)
	return unrecorded(err)
}

func unrecorded(err error) error {
	return fault.Tell(errors.Join(fault.ErrUnavailable, err), "the state store cannot be written: try again in a moment")
}
