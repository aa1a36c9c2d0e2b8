package audit

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	"portico/fault"
	"portico/store"
)

// recoverEach bounds how many intents end in one transaction.
const recoverEach = 100

// token is 128 random bits.
func token(random io.Reader) (string, error) {
	var b [16]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", fmt.Errorf("audit: random: %w: %w", fault.ErrUnavailable, err)
	}
	return hex.EncodeToString(b[:]), nil
}

// Intend is of Recorder. Whatever goes wrong, its error wraps
// fault.ErrUnavailable, or is that of ctx.
func (l *Log) Intend(ctx context.Context, e Event) (string, error) {
	if e.Time.IsZero() {
		e.Time = l.o.Clock()
	}
	id, err := token(l.o.Rand)
	if err != nil {
		return "", err
	}
	id = l.life + "-" + id
	row, err := l.Keep(e, id)
	if err != nil {
		return "", errors.Join(err, fault.ErrUnavailable)
	}
	i := store.Intent{ID: id, Replica: l.o.Store.Replica(), Began: e.Time, Audit: row}
	err = l.o.Store.Update(ctx, func(tx store.Tx) error { return tx.PutIntent(i) })
	if err == nil {
		return id, nil
	}
	l.doubt(id)
	if ctx.Err() == nil && !errors.Is(err, fault.ErrUnavailable) {
		err = fmt.Errorf("%w: %w", fault.ErrUnavailable, err)
	}
	return "", fmt.Errorf("audit: intend: %w", err)
}

// Forget is of Recorder. An intent that nobody could drop would be told as a
// change of unknown outcome later: so it is tried again at the next tick of Run.
func (l *Log) Forget(ctx context.Context, tx store.Tx, id string) error {
	if tx != nil {
		if err := tx.DropIntent(id); err != nil {
			return fmt.Errorf("audit: forget: %w", err)
		}
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordWithin)
	defer cancel()
	if err := l.o.Store.Update(ctx, func(tx store.Tx) error { return tx.DropIntent(id) }); err != nil {
		l.doubt(id)
		return fmt.Errorf("audit: forget: %w", err)
	}
	return nil
}

// doubt remembers an intent that has no change to it, and may be in the store:
// a commit whose answer got lost may have happened.
func (l *Log) doubt(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.doubted = append(l.doubted, id)
}

// Leave is of Leaver. The next tick of Run writes the row.
func (l *Log) Leave(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.left = append(l.left, id)
}

var _ Leaver = (*Log)(nil)

// endLeft ends the intents that were left. One whose outcome was recorded by a
// commit of which nobody heard is no longer there.
func (l *Log) endLeft(ctx context.Context) error {
	l.mu.Lock()
	ids := slices.Clone(l.left)
	l.mu.Unlock()
	for part := range slices.Chunk(ids, recoverEach) {
		err := l.o.Store.Update(ctx, func(tx store.Tx) error {
			_, err := l.endIntents(ctx, tx, part)
			return err
		})
		if err != nil {
			return fmt.Errorf("audit: end intents: %w", err)
		}
		l.mu.Lock()
		l.left = slices.Delete(l.left, 0, len(part)) // later ones were put behind
		l.mu.Unlock()
	}
	return nil
}

// settle drops the doubted intents.
func (l *Log) settle(ctx context.Context) error {
	l.mu.Lock()
	ids := slices.Clone(l.doubted)
	l.mu.Unlock()
	if len(ids) == 0 {
		return nil
	}
	err := l.o.Store.Update(ctx, func(tx store.Tx) error {
		for _, id := range ids {
			if err := tx.DropIntent(id); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("audit: forget: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.doubted = slices.Delete(l.doubted, 0, len(ids)) // later ones were put behind
	return nil
}

// Recover ends the intents of processes that are gone: of earlier lives of this
// replica, and of replicas that alive does not name. Each becomes a row which
// says that nobody knows whether the change was made. Run does it at its start,
// and once a minute.
func (l *Log) Recover(ctx context.Context, alive []string) error {
	all, err := l.o.Store.Intents(ctx)
	if err != nil {
		return fmt.Errorf("audit: recover: %w", err)
	}
	orphans := map[string][]string{} // by replica
	for _, i := range all {
		if l.orphan(i, alive) {
			orphans[i.Replica] = append(orphans[i.Replica], i.ID)
		}
	}
	var errs []error
	for replica, ids := range orphans {
		errs = append(errs, l.recoverFrom(ctx, replica, ids))
	}
	return errors.Join(errs...)
}

func (l *Log) orphan(i store.Intent, alive []string) bool {
	if i.Replica == l.o.Store.Replica() {
		return !strings.HasPrefix(i.ID, l.life+"-")
	}
	return !slices.Contains(alive, i.Replica)
}

// recoverFrom ends the intents of one replica. Of several replicas that find
// them, one does it.
func (l *Log) recoverFrom(ctx context.Context, replica string, ids []string) error {
	claim, ok, err := l.o.Store.ClaimName(ctx, "audit-intents", replica)
	if err != nil || !ok {
		return err
	}
	if claim != nil { // a store for one process need not have one
		defer claim.Release()
	}
	for part := range slices.Chunk(ids, recoverEach) {
		n := 0
		err := l.o.Store.Update(ctx, func(tx store.Tx) (err error) {
			n, err = l.endIntents(ctx, tx, part)
			return err
		})
		if err != nil {
			return fmt.Errorf("audit: recover: %w", err)
		}
		if n > 0 {
			l.o.Log.WarnContext(ctx, "changes of unknown outcome are in the audit log", "replica", replica, "changes", n)
		}
	}
	return nil
}

// endIntents looks again at what is there, now that nobody else is at it.
func (l *Log) endIntents(ctx context.Context, tx store.Tx, ids []string) (n int, err error) {
	all, err := tx.Intents(ctx)
	if err != nil {
		return 0, err
	}
	for _, i := range all {
		if !slices.Contains(ids, i.ID) {
			continue
		}
		if err := l.Append(tx, l.unknown(i)); err != nil { //nolint:contextcheck // Append says why
			return n, err
		}
		n++
	}
	return n, nil
}

// unknownOutcome begins what such a row says.
const unknownOutcome = "the outcome is not known:"

func isUnknown(text string) bool { return strings.HasPrefix(text, unknownOutcome) }

// unknown is the event of an intent whose outcome nobody knows.
func (l *Log) unknown(i store.Intent) Event {
	e, err := l.Kept(i.Audit, i.ID)
	if err != nil {
		l.o.Log.Error("an intent cannot be read", slog.String("intent", i.ID), slog.Any("error", err))
	}
	what := "ended"
	if strings.HasPrefix(i.ID, l.life+"-") {
		what = "lost touch with a store"
	}
	e.Error = fmt.Sprintf(unknownOutcome+" the server %s %s while it was at this change, begun at %s",
		i.Replica, what, i.Began.UTC().Format(time.RFC3339Nano))
	e.Time, e.Intent = l.o.Clock(), i.ID
	return e
}
