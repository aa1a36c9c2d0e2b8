package audit

import (
	"context"
	"errors"
	"fmt"
	"time"

	"portico/store"
)

const (
	cutEvery = 24 * time.Hour
	cutEach  = 10_000 // rows in one transaction, so that requests need not wait for long
)

// keepCutting cuts once a day, counted from the start, when signals come.
func (l *Log) keepCutting(ctx context.Context, wake <-chan struct{}) {
	var last time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-wake:
		}
		now := l.o.Clock()
		if !last.IsZero() && now.Sub(last) < cutEvery {
			continue
		}
		if err := errors.Join(l.Cut(ctx), l.ForgetAddresses(ctx)); err != nil {
			if ctx.Err() == nil {
				l.o.Log.WarnContext(ctx, "old audit rows or addresses are not removed yet", "err", err)
			}
			continue // at the next tick again
		}
		last = now
	}
}

// ForgetAddresses destroys the keys of the days that lie wholly before
// Addresses: the rows stay, and nobody can read from where they came. Run does it
// once a day.
func (l *Log) ForgetAddresses(ctx context.Context) error {
	if l.o.Addresses <= 0 {
		return nil
	}
	day := l.o.Clock().Add(-l.o.Addresses).UTC().Format(time.DateOnly) // the names of later days come after it
	var n int64
	err := l.o.Store.Update(ctx, func(tx store.Tx) (err error) {
		n, err = tx.DropAuditKeysBefore(ofDay, day)
		return err
	})
	if err != nil {
		return fmt.Errorf("audit: addresses: %w", err)
	}
	if n > 0 {
		l.o.Log.InfoContext(ctx, "erased old addresses in the audit", "days", n, "before", day)
	}
	return nil
}

// Cut removes the rows that are older than Keep, but none that a sink has not
// taken. What is left begins with a signed cut. Run does it once a day.
func (l *Log) Cut(ctx context.Context) error {
	if l.o.Keep <= 0 {
		return nil
	}
	before := l.o.Clock().Add(-l.o.Keep)
	for _, stream := range l.streams() {
		for {
			n, err := l.cutOnce(ctx, stream, before)
			if err != nil {
				return err
			}
			if n < cutEach {
				break
			}
		}
	}
	return nil
}

func (l *Log) cutOnce(ctx context.Context, stream string, before time.Time) (int, error) {
	upto, err := l.taken(ctx, stream)
	if err != nil {
		return 0, err
	}
	last, n, err := l.lastOld(ctx, stream, before, upto)
	if err != nil || n == 0 {
		return 0, err
	}
	cut := l.keys.cut(last, l.o.Clock())
	if err := l.o.Store.Update(ctx, func(tx store.Tx) error { return tx.CutAudit(cut) }); err != nil {
		return 0, err
	}
	l.o.Log.InfoContext(ctx, "removed old audit rows", "stream", stream, "rows", n, "upto", cut.Seq)
	return n, nil
}

// taken is the row up to which all sinks have a stream.
func (l *Log) taken(ctx context.Context, stream string) (int64, error) {
	head, err := l.o.Store.AuditHead(ctx, stream)
	if err != nil {
		return 0, err
	}
	upto := head.Last
	var positions []string
	for _, s := range l.o.Sinks {
		positions = append(positions, s.Name())
	}
	for _, s := range l.o.Checkpoints {
		positions = append(positions, checkpointPosition(s))
	}
	for _, p := range positions {
		at, err := l.o.Store.SinkAt(ctx, p, stream)
		if err != nil {
			return 0, err
		}
		upto = min(upto, at)
	}
	return upto, nil
}

// lastOld is the last of the rows at the beginning that are from before a moment,
// and how many they are.
func (l *Log) lastOld(ctx context.Context, stream string, before time.Time, upto int64) (last store.AuditRow, n int, err error) {
	for n < cutEach {
		rows, err := l.o.Store.AuditRows(ctx, stream, last.Seq, min(sendEach, cutEach-n))
		if err != nil || len(rows) == 0 {
			return last, n, err
		}
		for _, r := range rows {
			if r.Seq > upto || !r.Time.Before(before) {
				return last, n, nil
			}
			last, n = r, n+1
		}
	}
	return last, n, nil
}
