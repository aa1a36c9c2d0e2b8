// Package throttle slows those down who guess. Its counters are in the store, so
// that all replicas and all doors count together (THREATS.md §4.4, rows 51 and 57).
//
// # Which counter holds
//
// A sign-in comes for an account from a place: one IPv4 address, or one IPv6
// network of 64 bits, which a provider gives to one customer. A place from which
// an account has signed in within the last 30 days is that account's known
// device: a place is all that a drive shows of itself before it has proved
// anything.
//
//   - From a known device a sign-in is held up by the counter of this device
//     alone: 5 free failures, then a delay of 0.2 s that doubles with each up to
//     30 s. So nobody elsewhere can keep the owner out, and neither can somebody
//     at the same address who guesses at other accounts.
//   - From anywhere else two counters hold. That of the account delays likewise,
//     and after 100 failures in a day it refuses until the day has passed. That
//     of the place refuses for 30 minutes after 20 failures in 10 minutes, and
//     half as long again each further time within a day, up to 24 hours.
//
// A failure counts for the place always; and for the device where it is known,
// else for the account. So a forgotten drive with an old password does not use
// up the account's day. A success takes back nothing but the counter of the
// device, from where it came.
//
// Two things pass all counters, and package gate sees to them: a valid app
// password, which cannot be guessed; and a password that this process has seen
// proved from the same place, so that a drive which is open stays open even
// when somebody at its own address guesses at its own account. What this costs:
// who shares the address of an open drive can try passwords against it without
// a delay. He is logged, and app passwords end it.
//
// # What is counted
//
// An attempt on an account is counted before its password is looked at, and
// taken back where it was right: otherwise a thousand at once would all be
// looked at before the first has failed. What is refused unseen does not count,
// or a drive that repeats itself would never come in again.
//
// Logins that do not exist count like those that do. A login may be a password
// that was typed into the wrong field: of an account's key only 20 bits of a
// SHA-256 are kept, which fit a thousandth of all passwords. This also bounds
// the table against an attacker who makes logins up. Two accounts that share a
// key share their counter for strangers, which costs nobody more than a delay.
//
// Without the store nobody gets past: errors wrap fault.ErrUnavailable.
package throttle

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"portico/fault"
	"portico/identity"
	"portico/store"
)

// Store is what a Throttle needs of the state store.
type Store interface {
	store.AttemptsReader
	Update(ctx context.Context, f func(store.Tx) error) error
}

// Options are what a Throttle needs.
type Options struct {
	Store Store
	Clock func() time.Time
	Log   *slog.Logger
}

// Throttle counts failures and says who has to wait. Many may use it at once.
type Throttle struct {
	o     Options
	swept atomic.Int64 // UnixNano
}

// New makes a Throttle.
func New(o Options) *Throttle { return &Throttle{o: o} }

// sweepEvery is how often a process drops the rows that have expired.
const sweepEvery = time.Hour

// Try is one attempt that may be looked at. Exactly one of Proved, Failed and
// Unseen ends it; a process that dies before leaves it counted.
type Try struct {
	t     *Throttle
	keys  keys
	known bool           // it comes from a known device, whose counter holds
	was   store.Attempts // the counter, before this attempt
	count int            // and after it
}

// Begin asks whether a password for login from address may be looked at, and
// counts it. The error is a *identity.ThrottledError where it may not.
func (t *Throttle) Begin(ctx context.Context, login identity.Login, address string) (*Try, error) {
	y := &Try{t: t, keys: keysOf(login, address)}
	now := t.o.Clock()
	// Asked first without a transaction: a flood of what is refused anyway must
	// not stand in the way of those who write.
	_, wait, err := y.look(ctx, t.o.Store, now)
	if err == nil && wait <= 0 {
		wait, err = y.begin(ctx, now)
	}
	switch {
	case err != nil:
		return nil, away("begin", err)
	case wait > 0:
		return nil, &identity.ThrottledError{After: wait}
	}
	return y, nil
}

func (y *Try) begin(ctx context.Context, now time.Time) (wait time.Duration, err error) {
	err = y.t.o.Store.Update(ctx, func(tx store.Tx) error {
		var counter store.Attempts
		if counter, wait, err = y.look(ctx, tx, now); err != nil || wait > 0 {
			return err
		}
		y.was = counter
		counter = slower(counter, now, !y.known)
		y.count = counter.Count
		return tx.PutAttempts(counter)
	})
	return wait, err
}

// look reads the counters that hold, and tells how long they refuse.
func (y *Try) look(ctx context.Context, in store.AttemptsReader, now time.Time) (counter store.Attempts, wait time.Duration, err error) {
	rows, err := in.Attempts(ctx, y.keys.all()...)
	if err != nil {
		return counter, 0, err
	}
	y.known = rows[y.keys.known].Until.After(now)
	counter = y.counter(rows)
	until := counter.Until
	if place := rows[y.keys.place].Until; !y.known && place.After(until) {
		until = place
	}
	return counter, until.Sub(now), nil
}

// counter is the row that counts this attempt beside that of the place.
func (y *Try) counter(rows map[string]store.Attempts) store.Attempts {
	key := y.keys.account
	if y.known {
		key = y.keys.device
	}
	row := rows[key]
	row.Key = key
	return row
}

// Failed ends an attempt that was wrong. alarm is true for one that brought the
// account, or a known device, to a hundred within a day: an admin should know.
func (y *Try) Failed(ctx context.Context) (alarm bool, err error) {
	if err := y.t.guess(ctx, signIn, y.keys.place, y.keys.shown); err != nil {
		return false, err
	}
	return y.count == dayLimit, nil
}

// Proved ends an attempt that was right, and makes its place a known device.
func (y *Try) Proved(ctx context.Context) error {
	now := y.t.o.Clock()
	return y.end(ctx, "proved", func(tx store.Tx, counter store.Attempts) error {
		switch {
		case y.known:
			counter = store.Attempts{Key: counter.Key, Last: now}
		case counter.Count == y.count: // nobody has failed meanwhile
			counter = y.was
		default:
			counter = takenBack(counter, true)
		}
		if err := tx.PutAttempts(counter); err != nil {
			return err
		}
		return tx.PutAttempts(y.keys.remember(now))
	})
}

// Unseen ends an attempt that nobody has looked at, because the directory was
// away or the client has left. A delay begins anew: who leaves early and comes
// back gains nothing.
func (y *Try) Unseen(ctx context.Context) error {
	return y.end(ctx, "unseen", func(tx store.Tx, counter store.Attempts) error {
		return tx.PutAttempts(takenBack(counter, !y.known))
	})
}

func (y *Try) end(ctx context.Context, name string, f func(tx store.Tx, counter store.Attempts) error) error {
	err := y.t.o.Store.Update(ctx, func(tx store.Tx) error {
		rows, err := tx.Attempts(ctx, y.keys.all()...)
		if err != nil {
			return err
		}
		return f(tx, y.counter(rows))
	})
	return away(name, err)
}

// Remember makes a place a known device of an account, or keeps it one: for a
// proof that went past the counters.
func (t *Throttle) Remember(ctx context.Context, login identity.Login, address string) error {
	row := keysOf(login, address).remember(t.o.Clock())
	return away("remember", t.o.Store.Update(ctx, func(tx store.Tx) error { return tx.PutAttempts(row) }))
}

// Blocked gives a *identity.ThrottledError where subject has guessed too often:
// what it presents must not be looked at.
func (t *Throttle) Blocked(ctx context.Context, kind Kind, subject string) error {
	key := kind.key(subject)
	rows, err := t.o.Store.Attempts(ctx, key)
	if err != nil {
		return away("blocked", err)
	}
	if wait := rows[key].Until.Sub(t.o.Clock()); wait > 0 {
		return &identity.ThrottledError{After: wait}
	}
	return nil
}

// Guess counts a wrong guess of a subject.
func (t *Throttle) Guess(ctx context.Context, kind Kind, subject string) error {
	key := kind.key(subject)
	return t.guess(ctx, kind, key, key)
}

func (t *Throttle) guess(ctx context.Context, kind Kind, key, shown string) error {
	now := t.o.Clock()
	sweep := t.sweepDue(now)
	var struck bool
	var until time.Time
	err := t.o.Store.Update(ctx, func(tx store.Tx) error {
		rows, err := tx.Attempts(ctx, key)
		if err != nil {
			return err
		}
		row := rows[key]
		row.Key = key
		next := kind.rule().failed(row, now)
		struck, until = next.Strikes > row.Strikes, next.Until
		if err := tx.PutAttempts(next); err != nil || !sweep {
			return err
		}
		return tx.DropAttemptsBefore(now.Add(-day))
	})
	if err == nil && struck {
		t.o.Log.WarnContext(ctx, "throttle: refused for a while after too many wrong guesses", "who", shown, "for", until.Sub(now))
	}
	return away("guess", err)
}

// sweepDue is true now and then, for one caller.
func (t *Throttle) sweepDue(now time.Time) bool {
	last := t.swept.Load()
	return now.UnixNano()-last >= int64(sweepEvery) && t.swept.CompareAndSwap(last, now.UnixNano())
}

// away names the function, and makes sure that a store which fails in any way is
// taken for one that is away: never for a yes, nor for a wrong password.
func away(name string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fault.ErrUnavailable), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("throttle: %s: %w", name, err)
	}
	return fmt.Errorf("throttle: %s: %w: %w", name, fault.ErrUnavailable, err)
}
