package audit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"portico/fault"
	"portico/store"
	"portico/vpath"
)

// recordWithin bounds the wait of a refusal's row for the store.
const recordWithin = 10 * time.Second

// Options are what a Log needs. Those without another word must be given.
type Options struct {
	Store store.State
	Key   []byte // the secret, 32 bytes or more; see KeyFile
	Clock func() time.Time
	Rand  io.Reader

	// Reads tells the paths whose reads are recorded, for people and for those
	// who come by a link; nil for none.
	Reads func(p vpath.Path, byLink bool) bool

	// Sinks get each row, Checkpoints each checkpoint, in order and at least
	// once. Their names must differ, and stay the same over restarts. Run is done
	// with them when it returns; who made them closes them.
	Sinks       []Sink
	Checkpoints []Sink

	// Keep is how long rows are kept; 0 for ever.
	Keep time.Duration

	// Plain leaves personal data in rows as they are: then none of it can be
	// erased. Else Addresses is how long addresses can be read; 0 for as long as
	// the row.
	Plain     bool
	Addresses time.Duration

	// Linger is how long Run waits for more rows when one has come: each round
	// costs a write of the store.
	Linger time.Duration

	// Lag hears how many rows a sink has not taken, at each tick of Run; may be nil.
	Lag func(sink string, rows int64)

	// Log takes what could not be recorded or sent; nil for nowhere.
	Log *slog.Logger
}

// Log is the Recorder that writes to the state store.
type Log struct {
	o    Options
	keys *Keys
	seal *sealer
	life string        // begins each intent's id: those of an earlier life of this replica are orphans
	wake chan struct{} // holds one

	// end is that of the last Append. The numbers of a stream are given by this
	// process alone: so a row with this number in the store is this row.
	end atomic.Pointer[store.AuditStream]

	mu      sync.Mutex
	doubted []string // intents that may be there, though the store said no
	left    []string // intents of this life that end without an outcome
	adopted map[string]store.Claim
}

var _ Recorder = (*Log)(nil)

// New makes a Log.
func New(o Options) (*Log, error) {
	if o.Store == nil || o.Clock == nil || o.Rand == nil {
		return nil, errors.New("audit: a store, a clock and a random source are needed")
	}
	keys, err := NewKeys(o.Key)
	if err != nil {
		return nil, err
	}
	o.Key = nil // keys has all of it
	if o.Reads == nil {
		o.Reads = func(vpath.Path, bool) bool { return false }
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Lag == nil {
		o.Lag = func(string, int64) {}
	}
	life, err := token(o.Rand)
	if err != nil {
		return nil, err
	}
	seal := &sealer{keys: keys, clock: o.Clock, random: o.Rand, boxes: map[string]held{}}
	return &Log{o: o, keys: keys, seal: seal, life: life, wake: make(chan struct{}, 1), adopted: map[string]store.Claim{}}, nil
}

// Append is of Recorder. The caller's transaction makes the change and its row
// one: neither is there without the other.
func (l *Log) Append(tx store.Tx, e Event) error {
	if e.Time.IsZero() {
		e.Time = l.o.Clock()
	}
	if err := l.append(tx, e); err != nil {
		return fmt.Errorf("audit: append: %w", err)
	}
	if e.Intent != "" {
		if err := tx.DropIntent(e.Intent); err != nil {
			return fmt.Errorf("audit: end intent: %w", err)
		}
	}
	l.poke()
	return nil
}

// append tries the end that it remembers, which saves a question of the store
// under its one lock. Where that row was undone since, the store refuses the
// next, and is asked.
func (l *Log) append(tx store.Tx, e Event) error {
	stream := l.o.Store.Replica()
	head := l.end.Load()
	if head != nil && head.Name == stream {
		err := l.appendTo(tx, *head, e)
		if !errors.Is(err, fault.ErrConflict) {
			return err
		}
		l.seal.drop() // the keys of an undone row were undone with it
	}
	now, err := tx.AuditHead(context.Background(), stream) // the transaction is bounded by its Update
	if err != nil {
		return err
	}
	return l.appendTo(tx, now, e)
}

func (l *Log) appendTo(tx store.Tx, head store.AuditStream, e Event) error {
	r, got := next(head, e), fresh{}
	if !l.o.Plain {
		var err error
		if r, got, err = l.seal.seal(tx, r); err != nil {
			return err
		}
	}
	row, err := l.keys.bind(head, r)
	if err != nil {
		return err
	}
	if err := tx.AppendAudit(row); err != nil {
		return err
	}
	l.seal.hold(got)
	l.end.Store(&store.AuditStream{Name: row.Stream, Last: row.Seq, Head: row.Hash})
	return nil
}

// poke tells Run that there is something to send, soon: the transaction is not
// over yet. It never waits.
func (l *Log) poke() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
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
	err := l.o.Store.Update(ctx, func(tx store.Tx) error { return l.Append(tx, e) }) //nolint:contextcheck // Append says why
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
	return err != nil || l.o.Reads(p, e.Actor.Type == ByLink) // what cannot be judged is recorded
}
