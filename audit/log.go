package audit

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"portico/store"
	"portico/vpath"
)

// recordWithin bounds the wait of a refusal's row for the store.
const recordWithin = 10 * time.Second

// Options are what a Log needs.
type Options struct {
	Store store.State

	// Reads tells the paths whose reads are recorded; nil for none.
	Reads func(vpath.Path) bool

	// Log takes what could not be recorded; nil for nowhere.
	Log *slog.Logger
}

// Log is the Recorder that writes to the state store.
type Log struct{ o Options }

var _ Recorder = (*Log)(nil)

// New makes a Log.
func New(o Options) *Log {
	if o.Reads == nil {
		o.Reads = func(vpath.Path) bool { return false }
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Log{o}
}

// Append is of Recorder. The caller's transaction makes the change and its row
// one: neither is there without the other.
func (l *Log) Append(tx store.Tx, e Event) error {
	row, err := Encode(e)
	if err != nil {
		return err
	}
	if err := tx.AppendAudit(e.Time, row); err != nil {
		return fmt.Errorf("audit: append: %w", err)
	}
	return nil
}

// Record is of Recorder. An error means that the row is not there, and the
// caller must not go on as if it were: a read that has to be recorded fails.
func (l *Log) Record(ctx context.Context, e Event) error {
	if !l.wanted(e) {
		return nil
	}
	if !e.Allowed || !e.Action.IsRead() {
		// Whoever is refused and hangs up at once is recorded all the same.
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), recordWithin)
		defer cancel()
	}
	err := l.o.Store.Update(ctx, func(tx store.Tx) error { return l.Append(tx, e) })
	if err != nil {
		l.o.Log.LogAttrs(ctx, slog.LevelError, "the audit row could not be written",
			slog.String("request_id", e.RequestID), slog.String("action", string(e.Action)), slog.Any("error", err))
		return fmt.Errorf("audit: record: %w", err)
	}
	return nil
}

// wanted tells what is worth a row:
//
//   - every change that was refused or that failed;
//   - every read that a rule refused, which is an event that gives a reason. A
//     refusal without one is a name that is not there: Explorer and Finder ask
//     for desktop.ini, ._x and .DS_Store in each folder, and such rows would
//     bury the others;
//   - reads and listings of the paths that Reads names. A Stat is no row even
//     there: it shows nothing that a listing does not.
func (l *Log) wanted(e Event) bool {
	switch {
	case !e.Action.IsRead():
		return true
	case !e.Allowed:
		return e.Why != ""
	case e.Action == Stat:
		return false
	}
	p, err := vpath.Parse(e.Path)
	return err != nil || l.o.Reads(p) // what cannot be judged is recorded
}
