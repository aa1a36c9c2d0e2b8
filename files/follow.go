package files

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"portico/fault"
	"portico/store"
)

const (
	// staleAfter is how old the last look at the journal may be in a store that
	// others share. The store looks once a second whatever happens.
	staleAfter = 3 * time.Second
	// askWithin bounds one look at it.
	askWithin = 5 * time.Second
	// watchAgain is the pause after a watch that ended by itself.
	watchAgain = time.Second
)

// journal reads the journal of moves, for all who need to know it at once.
type journal struct {
	state store.State
	moves *moves
	clock func() time.Time
	also  func(context.Context) error // reads what changes with it: the grants

	mu   sync.Mutex
	next *reading      // the one that has not begun, if somebody waits for it
	turn chan struct{} // holds a value while one reads

	asked atomic.Pointer[time.Time] // when the last reading began that had an answer
	deaf  atomic.Bool               // the watch has lost touch, and has not found it again
}

// reading is one look at the journal, for all who asked before it began.
type reading struct {
	done chan struct{}
	err  error
}

// read brings moves up to what the journal holds at some moment after the call.
//
// One reads at a time, so that an old answer never overtakes a new one; whoever
// comes meanwhile shares the next reading. It is nobody's own: one caller who
// loses patience does not take it from the others.
func (j *journal) read(ctx context.Context) error {
	r := j.join(ctx)
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (j *journal) join(ctx context.Context) *reading {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.next == nil {
		j.next = &reading{done: make(chan struct{})}
		go j.run(context.WithoutCancel(ctx), j.next)
	}
	return j.next
}

func (j *journal) run(ctx context.Context, r *reading) {
	j.turn <- struct{}{}
	defer func() { <-j.turn }()
	j.mu.Lock()
	j.next = nil // who comes now may want to know more than this one will
	j.mu.Unlock()
	r.err = j.ask(ctx)
	close(r.done)
}

func (j *journal) ask(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	began := j.clock()
	j.moves.watch()
	list, err := j.state.Moves(ctx)
	if err != nil {
		j.moves.blink()
		return err
	}
	// The grants first: what is known at a place that does not count yet is waited
	// for, and what is known at one that no longer does would be taken for gone.
	if err := j.also(ctx); err != nil {
		j.moves.blink()
		return err
	}
	j.moves.take(list)
	j.asked.Store(&began)
	return nil
}

// stale is nil if what moves holds is what the journal held a moment ago.
func (j *journal) stale() error {
	at := j.asked.Load()
	if !j.deaf.Load() && at != nil && j.clock().Sub(*at) <= staleAfter {
		return nil
	}
	return fault.Tell(fault.ErrUnavailable, "this server has lost touch with the state store and the other servers: try again in a moment")
}

// Stale is nil if this process knows what the others do to the tree. Where it is
// not, nothing is answered: a folder that another process moves would be shown
// at both of its places, or half. In a store for one process it is always nil.
func (s *Service) Stale() error {
	if !s.shared {
		return nil
	}
	return s.journal.stale()
}

// Follow keeps what this process knows of the moves of others in step with the
// journal, until ctx ends. A store that others share needs it from the first
// request to the last one: 3 s without it, and every request is answered with
// fault.ErrUnavailable. In a store for one process it does nothing.
func (s *Service) Follow(ctx context.Context) {
	if !s.shared {
		<-ctx.Done()
		return
	}
	f := &follower{s: s, wakes: make(chan int64, 1)}
	var reader sync.WaitGroup
	reader.Go(func() { f.read(ctx) })
	defer reader.Wait()
	for ctx.Err() == nil {
		err := s.State.Watch(ctx, f.wake, f.lost)
		if ctx.Err() != nil {
			return
		}
		f.lost(err)
		_ = pause(ctx, watchAgain)
	}
}

// pause waits, or tells that ctx ended first.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// follower is between the store's watch, which must not wait, and the reading.
type follower struct {
	s *Service

	mu     sync.Mutex
	losses int64      // how often the watch has lost touch
	wakes  chan int64 // losses at the last wake that nobody has answered
}

// wake has the journal read. Of several that nobody has answered the last counts.
func (f *follower) wake() {
	f.mu.Lock()
	defer f.mu.Unlock()
	select {
	case <-f.wakes:
	default:
	}
	f.wakes <- f.losses
}

func (f *follower) lost(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.losses++
	if !f.s.journal.deaf.Swap(true) {
		f.s.Log.Error("the other servers cannot be followed: requests are refused until they can", "err", err)
	}
}

// read answers the wakes. One that came after the last loss, and whose reading
// had an answer, ends the deafness.
func (f *follower) read(ctx context.Context) {
	for {
		var losses int64
		select {
		case <-ctx.Done():
			return
		case losses = <-f.wakes:
		}
		if err := f.s.journal.read(ctx); err != nil {
			if ctx.Err() == nil {
				f.s.Log.WarnContext(ctx, "the journal of moves cannot be read", "err", err)
			}
			continue
		}
		f.found(losses)
	}
}

// found ends the deafness, if there was no loss since.
func (f *follower) found(losses int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.losses == losses {
		f.s.journal.deaf.Store(false)
	}
}
