package mount

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"portico/fault"
	"portico/identity"
	"portico/lang"
	"portico/store"
)

// Term is how long a drive is watched after its person has asked for it. Nothing of
// it is kept longer.
const Term = 15 * time.Minute

// The bounds of all watches: what they hold, and what they write.
const (
	maxWatches = 500 // at once
	maxWrites  = 300 // of one process for one watch
	maxWaiting = 256 // requests that are seen and not judged yet
)

// kind and subject name the rows of watches among the tickets: one for each person,
// that expires. They are no secret, and nothing is good for them.
const (
	kind    = "mount"
	subject = "watch"
)

// Store is what a Doctor needs of the state store.
type Store interface {
	store.TicketReader
	Update(ctx context.Context, f func(store.Tx) error) error
	Shared() bool
}

// Options are what a Doctor stands on.
type Options struct {
	Store   Store
	Catalog *lang.Catalog
	Clock   func() time.Time
	Log     *slog.Logger
}

// Doctor watches the drives of those who ask for it, on all replicas: each sees the
// requests that it serves, and writes what is new to the store. While nobody is
// watched a request costs the reading of one number; else, a look at each watch.
type Doctor struct {
	Options
	seen chan Seen
	many atomic.Int32 // watches that this process knows of

	mu      sync.RWMutex
	watches map[string]*watching // by person
}

// watching is a watch as this process knows it.
type watching struct {
	watch
	until  time.Time
	text   *lang.Text // how its person reads
	writes int
}

// New makes a Doctor. Run has it work.
func New(o Options) *Doctor {
	return &Doctor{Options: o, seen: make(chan Seen, maxWaiting), watches: map[string]*watching{}}
}

// Watching tells whether anybody's drive is watched.
func (d *Doctor) Watching() bool { return d.many.Load() > 0 }

// Saw takes a request. It waits for nothing: where too many come at once some are
// lost, and the next like it tells as much.
func (d *Doctor) Saw(s Seen) {
	if !d.minds(s) {
		return
	}
	select {
	case d.seen <- s:
	default:
	}
}

// minds tells whether a request is of any watch.
func (d *Doctor) minds(s Seen) bool {
	d.mu.RLock()
	defer d.mu.RUnlock()
	for _, w := range d.watches {
		if w.concerns(s) != nobodys {
			return true
		}
	}
	return false
}

// Start watches somebody's drive from now on. What a watch of before saw is
// forgotten. address is where they are, and text how they read.
func (d *Doctor) Start(ctx context.Context, who identity.Identity, address string, text *lang.Text) error {
	w := watch{Person: who.ID, Login: who.Login, Address: address, Language: text.Tag(), Zone: text.Zone().String(), Marks: map[string]mark{}}
	d.mu.RLock()
	_, again := d.watches[who.ID]
	full := len(d.watches) >= maxWatches
	d.mu.RUnlock()
	if full && !again {
		return fault.Tell(fault.ErrBusy, "Too many drives are watched at the moment. Try again in a quarter of an hour.")
	}
	now := d.Clock()
	until := now.Add(Term)
	err := d.Store.Update(ctx, func(tx store.Tx) error {
		if err := dropOver(ctx, tx, now); err != nil {
			return err
		}
		return tx.PutTicket(w.ticket(now, until))
	})
	if err != nil {
		return fmt.Errorf("mount: start: %w", err)
	}
	d.keep(w, until)
	return nil
}

// Stop ends a watch, and forgets what it saw.
func (d *Doctor) Stop(ctx context.Context, person string) error {
	if err := d.Store.Update(ctx, func(tx store.Tx) error { return tx.DropTicket(sumOf(person)) }); err != nil {
		return fmt.Errorf("mount: stop: %w", err)
	}
	d.drop(person)
	return nil
}

// Look tells what a watch has seen, on all replicas; found is false where there is
// none.
func (d *Doctor) Look(ctx context.Context, person string) (r Report, found bool, err error) {
	t, found, err := d.Store.TicketBySum(ctx, sumOf(person))
	if err != nil {
		return Report{}, false, fmt.Errorf("mount: look: %w", err)
	}
	w, err := d.read(t, found)
	if w == nil || err != nil {
		return Report{}, false, err
	}
	return w.report(t.Expires), true, nil
}

// Run judges what was seen, until ctx ends. At each tick it learns what other
// replicas watch, and forgets what has ended.
func (d *Doctor) Run(ctx context.Context, tick <-chan time.Time) {
	d.refresh(ctx) // a process that was started anew goes on
	for {
		select {
		case <-ctx.Done():
			return
		case s := <-d.seen:
			d.judge(ctx, s)
		case <-tick:
			if d.Store.Shared() {
				d.refresh(ctx)
			}
			d.tidy(ctx)
		}
	}
}

// judge writes down what is new in a request. What is not costs no write.
func (d *Doctor) judge(ctx context.Context, s Seen) {
	d.mu.RLock()
	var all []*watching
	for _, w := range d.watches {
		if w.concerns(s) != nobodys {
			all = append(all, w)
		}
	}
	d.mu.RUnlock()
	for _, w := range all {
		probe := w.clone()
		if !probe.note(s, d.Clock(), w.text) || !d.count(w) {
			continue
		}
		if err := d.write(ctx, w.Person, s); err != nil && ctx.Err() == nil {
			d.Log.WarnContext(ctx, "what a watched drive did is not kept", "err", err)
		}
	}
}

// count tells whether a watch may write once more, and counts that.
func (d *Doctor) count(w *watching) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if w.writes >= maxWrites {
		return false
	}
	w.writes++
	return true
}

// write takes a request into the row, which other replicas write too.
func (d *Doctor) write(ctx context.Context, person string, s Seen) error {
	var kept *watch
	var until time.Time
	err := d.Store.Update(ctx, func(tx store.Tx) error {
		t, found, err := tx.TicketBySum(ctx, sumOf(person))
		if err != nil {
			return err
		}
		if kept, err = d.read(t, found); kept == nil || err != nil {
			return err
		}
		until = t.Expires
		if !kept.note(s, d.Clock(), d.text(*kept)) {
			return nil
		}
		return tx.PutTicket(kept.ticket(t.Created, until))
	})
	switch {
	case err != nil:
		return fmt.Errorf("mount: write: %w", err)
	case kept == nil: // it was stopped, on another replica
		d.drop(person)
	default:
		d.keep(*kept, until)
	}
	return nil
}

// read is the watch of a row, nil where there is none that is good.
func (d *Doctor) read(t store.Ticket, found bool) (*watch, error) {
	if !found || t.Kind != kind || !t.Expires.After(d.Clock()) {
		return nil, nil //nolint:nilnil // none is no error
	}
	var w watch
	if err := json.Unmarshal(t.Data, &w); err != nil {
		return nil, fmt.Errorf("mount: read: %w", err)
	}
	return &w, nil
}

// refresh learns what is watched, and what other replicas saw.
func (d *Doctor) refresh(ctx context.Context) {
	rows, err := d.Store.TicketsOf(ctx, kind, subject)
	if err != nil {
		if ctx.Err() == nil {
			d.Log.WarnContext(ctx, "which drives are watched is not known", "err", err)
		}
		return
	}
	there := map[string]bool{}
	for _, t := range rows {
		if w, err := d.read(t, true); w != nil && err == nil && len(there) < maxWatches {
			there[w.Person] = true
			d.keep(*w, t.Expires)
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	maps.DeleteFunc(d.watches, func(person string, _ *watching) bool { return !there[person] })
	d.many.Store(int32(len(d.watches))) //nolint:gosec // maxWatches at most
}

// tidy forgets what has ended, in the store too.
func (d *Doctor) tidy(ctx context.Context) {
	now := d.Clock()
	d.mu.Lock()
	var over []string
	for person, w := range d.watches {
		if !w.until.After(now) {
			over = append(over, person)
			delete(d.watches, person)
		}
	}
	d.many.Store(int32(len(d.watches))) //nolint:gosec // maxWatches at most
	d.mu.Unlock()
	if len(over) == 0 {
		return
	}
	err := d.Store.Update(ctx, func(tx store.Tx) error { return dropOver(ctx, tx, now) })
	if err != nil && ctx.Err() == nil {
		d.Log.WarnContext(ctx, "what a watched drive did is kept for longer", "err", err)
	}
}

// dropOver drops the rows of watches that have ended, and no other tickets: an
// invitation whose time is over says so for a while (package sharing).
func dropOver(ctx context.Context, tx store.Tx, now time.Time) error {
	rows, err := tx.TicketsOf(ctx, kind, subject)
	for _, t := range rows {
		if err == nil && !t.Expires.After(now) {
			err = tx.DropTicket(t.Sum)
		}
	}
	return err
}

func (d *Doctor) keep(w watch, until time.Time) {
	text := d.text(w)
	d.mu.Lock()
	defer d.mu.Unlock()
	writes := 0
	if old, ok := d.watches[w.Person]; ok && old.until.Equal(until) {
		writes = old.writes
	}
	d.watches[w.Person] = &watching{w, until, text, writes}
	d.many.Store(int32(len(d.watches))) //nolint:gosec // maxWatches at most
}

func (d *Doctor) drop(person string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.watches, person)
	d.many.Store(int32(len(d.watches))) //nolint:gosec // maxWatches at most
}

// text is how the person of a watch reads.
func (d *Doctor) text(w watch) *lang.Text {
	zone, err := time.LoadLocation(w.Zone)
	if err != nil {
		zone = time.UTC
	}
	return d.Catalog.For(w.Language).In(zone)
}

func (w *watch) ticket(created, until time.Time) store.Ticket {
	data, _ := json.Marshal(w) // texts, times and a map of such
	return store.Ticket{Sum: sumOf(w.Person), Kind: kind, Subject: subject, Data: data, Created: created, Expires: until}
}

// sumOf is the key of somebody's row.
func sumOf(person string) store.Sum { return sha256.Sum256([]byte(kind + "\x00" + person)) }
