package throttle

import (
	"context"
	"fmt"
	"io/fs"
	"net/netip"
	"time"

	"portico/identity"
	"portico/store"
)

// Held is what was kept against an account or an address.
type Held struct {
	Failures int       // failed attempts that still count
	Until    time.Time // it would have been refused until then; zero where it was not refused
}

// None tells that there was nothing.
func (h Held) None() bool { return h.Failures == 0 && h.Until.IsZero() }

// Pardon forgets the failed attempts that are kept against an account: those of
// strangers, and those from each of its known devices, which stay known. The
// login is the one that was typed; another spelling that the directory takes (a
// mail address) is another account here. What its addresses have done stays
// with them: PardonAddress.
//
// It is part of the caller's transaction, so that none happens without a row in
// the audit. All replicas look at the store with each attempt, and so go by it
// with the next.
func (t *Throttle) Pardon(ctx context.Context, tx store.Tx, login identity.Login) (Held, error) {
	k := keysOf(login, "")
	rows, err := tx.AttemptsUnder(ctx, k.devices)
	if err != nil {
		return Held{}, away("pardon", err)
	}
	strangers, err := tx.Attempts(ctx, k.account)
	if err != nil {
		return Held{}, away("pardon", err)
	}
	if row, ok := strangers[k.account]; ok {
		rows = append(rows, row)
	}
	return t.forget(tx, rows)
}

// PardonAddress does the same for an address, or the IPv6 network that it is in:
// for wrong passwords, and for links that there are not. What is no address is
// fs.ErrInvalid.
func (t *Throttle) PardonAddress(ctx context.Context, tx store.Tx, address string) (Held, error) {
	if _, err := netip.ParseAddr(address); err != nil {
		return Held{}, fmt.Errorf("throttle: pardon: %q is no address: %w", address, fs.ErrInvalid)
	}
	found, err := tx.Attempts(ctx, signIn.key(address), LinkTokens.key(address))
	if err != nil {
		return Held{}, away("pardon", err)
	}
	rows := make([]store.Attempts, 0, len(found))
	for _, row := range found {
		rows = append(rows, row)
	}
	return t.forget(tx, rows)
}

// forget empties the rows that still say something; the sweep takes them away.
// An attempt that is being looked at meanwhile is forgotten with the others: one
// that is taken back later finds a count of 0, and leaves it (see takenBack).
func (t *Throttle) forget(tx store.Tx, rows []store.Attempts) (Held, error) {
	now := t.o.Clock()
	var was Held
	for _, row := range rows {
		one := heldBy(row, now)
		if one.None() {
			continue
		}
		if err := tx.PutAttempts(store.Attempts{Key: row.Key, Last: now}); err != nil {
			return Held{}, away("pardon", err)
		}
		was.Failures += one.Failures
		if one.Until.After(was.Until) {
			was.Until = one.Until
		}
	}
	return was, nil
}

// heldBy is what a row still says: nothing, where it has expired and waits for
// the sweep. The failures of an address that led to a refusal are in no count any
// more (see rule.failed); Until alone tells of them.
func heldBy(row store.Attempts, now time.Time) (h Held) {
	if row.Until.After(now) {
		h.Until = row.Until
	}
	if now.Before(row.First.Add(day)) {
		h.Failures = row.Count
	}
	return h
}
