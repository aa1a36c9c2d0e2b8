package files

import (
	"context"
	"errors"
	"fmt"
	"time"

	"portico/backends"
	"portico/fault"
	"portico/store"
	"portico/vpath"
)

// A change of the tree holds its paths from its judgement to its record. In this
// process that is its turn in pathLocks. Where other processes share the store
// it is a claim there as well, and then three things more are due:
//
//   - the journal of moves is read again when the claim is there, since what
//     this process remembers of others may be old;
//   - who has lost the claim publishes nothing more, and asserts nothing more in
//     the state: another process may be at the same paths;
//   - who is refused because of that is told so with fault.ErrUnavailable.
//
// A change waits for its turn first and for its claim then, and whoever has a
// claim waits for neither: so nobody waits for each other in a circle.

// claimKey is where a context keeps the claim that its work stands on.
type claimKey struct{}

// claimOf is nil where nothing is claimed, or nothing needs to be.
func claimOf(ctx context.Context) store.Claim {
	claim, _ := ctx.Value(claimKey{}).(store.Claim)
	return claim
}

// errLost is what happens to a change whose claim is lost.
var errLost = fault.Tell(fault.ErrUnavailable,
	"this server has lost touch with the state store in the midst of the change, and has stopped: look what is there, and try again shortly")

// stillHeld is nil as long as nobody else can be at the paths that ctx stands on.
// It is asked right before each step that others could see, and by the backends
// as their fence, right before each call that they write.
func stillHeld(ctx context.Context) error {
	if claim := claimOf(ctx); claim != nil && !claim.Held() {
		return errLost
	}
	return nil
}

// update is State.Update for work that stands on a claim, which is asked for within
// the transaction: who was halted before it writes nothing. Who is halted in it
// writes nothing either, as the state store ends a transaction that stands still
// sooner than it gives claims to others.
func (s *Service) update(ctx context.Context, change func(store.Tx) error) error {
	return s.State.Update(ctx, func(tx store.Tx) error {
		if err := stillHeld(ctx); err != nil {
			return err
		}
		return change(tx)
	})
}

// confirm is stillHeld, asked of the store itself: its connection may have broken
// without a word, and another process may have the claim already. Claims go with
// the connection that Alive asks, so that an answer tells that they stood all the
// time, and a failure closes Lost. It is asked once, when the change is there and
// before anybody is told so.
func (s *Service) confirm(ctx context.Context) error {
	if claimOf(ctx) == nil {
		return nil
	}
	if _, err := s.State.Alive(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("%w (%v)", errLost, err) //nolint:errorlint // what came of it is for the log alone
	}
	return stillHeld(ctx)
}

// orLost is err, or errLost where the claim was lost: then err is no more than
// what came of it. What has been recorded is done, whatever came later.
func orLost(ctx context.Context, err error) error {
	if err == nil || stillHeld(ctx) == nil {
		return err
	}
	if _, done := errors.AsType[*recordedError](err); done || errors.Is(err, errLost) {
		return err
	}
	return fmt.Errorf("%w (%v)", errLost, err) //nolint:errorlint // what came of it is for the log alone
}

// under is ctx as work does that stands on claim: it ends when that is lost, and
// no store takes a change of it from then on.
func under(ctx context.Context, claim store.Claim) (context.Context, context.CancelFunc) {
	ctx = context.WithValue(ctx, claimKey{}, claim)
	standing := ctx
	ctx = backends.WithFence(ctx, func() error { return stillHeld(standing) })
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		select {
		case <-claim.Lost():
			cancel(errLost)
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil) }
}

// onward is ctx without the client's patience, for what must not stop half way.
// A lost claim ends it all the same.
func onward(ctx context.Context) (context.Context, context.CancelFunc) {
	free := context.WithoutCancel(ctx)
	if claim := claimOf(ctx); claim != nil {
		return under(free, claim)
	}
	return free, func() {}
}

// take gets the turn in this process and the claim in the store, nil in a store
// for one process.
//
// How long a path is busy is nothing for one who may not know of it. Whether
// another process is at it cannot be asked beforehand: there may is always asked.
func (s *Service) take(ctx context.Context, may func() error, paths ...vpath.Path) (claim store.Claim, release func(), err error) {
	if !s.shared {
		release, err = s.paths.acquire(ctx, may, paths...)
		return nil, release, err
	}
	if may != nil {
		if err := may(); err != nil {
			return nil, nil, err
		}
	}
	leave, err := s.paths.acquire(ctx, nil, paths...)
	if err != nil {
		return nil, nil, err
	}
	if claim, err = s.State.Claim(ctx, paths...); err != nil {
		leave()
		return nil, nil, unclaimed(ctx, err)
	}
	release = func() { claim.Release(); leave() }
	if err := s.journal.read(ctx); err != nil {
		release()
		return nil, nil, unclaimed(ctx, err)
	}
	return claim, release, nil
}

// unclaimed is the error of a store that could not be asked before a change.
func unclaimed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fault.Tell(errors.Join(fault.ErrUnavailable, err), "the state store cannot be reached: nothing was changed, try again in a moment")
}

// acquire is take, with the context of what is done until release.
func (s *Service) acquire(ctx context.Context, may func() error, paths ...vpath.Path) (held context.Context, release func(), err error) {
	claim, giveBack, err := s.take(ctx, may, paths...)
	if err != nil {
		return nil, nil, err
	}
	if claim == nil {
		return ctx, giveBack, nil
	}
	held, end := under(ctx, claim)
	return held, func() { end(); giveBack() }, nil
}

// holding runs a change with its paths held.
func (s *Service) holding(ctx context.Context, may func() error, change func(context.Context) error, paths ...vpath.Path) error {
	held, release, err := s.acquire(ctx, may, paths...)
	if err != nil {
		return err
	}
	defer release()
	return orLost(held, change(held))
}

// patience is how long an upload that is all there waits for its path.
const patience = 30 * time.Second

// hold takes an upload's path. It does not wait for ever: meanwhile the upload
// keeps what it has of the memory for all uploads, and a move between workspaces,
// which the path may wait for, needs some of that itself.
func (t *Tree) hold(ctx context.Context, p vpath.Path) (held context.Context, release func(), err error) {
	bounded, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	claim, giveBack, err := t.s.take(bounded, nil, p)
	switch {
	case err != nil && ctx.Err() == nil && bounded.Err() != nil:
		err = fault.Tell(fault.ErrUnavailable, "%s is being moved or changed by somebody else: nothing was saved, try again shortly", p)
		return nil, nil, err
	case err != nil:
		return nil, nil, err
	case claim == nil:
		return ctx, giveBack, nil
	}
	held, end := under(ctx, claim)
	return held, func() { end(); giveBack() }, nil
}
