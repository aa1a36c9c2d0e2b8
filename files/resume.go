package files

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"portico/store"
)

// resumeWait is how long Resume waits for the ends of one move. Where another
// process is at it, it takes care of it, too.
const resumeWait = time.Second

// grace is how long a move is left alone after its claim has come here. It may not
// have been its process that died, but the state store: then that process stops as
// well, but it may learn of that at its next sign of life alone, 3 s later, and calls
// of it may be on their way to the file store.
const grace = 4 * time.Second

// Resume ends the moves that a crash or a store that was away has left open. It
// is called before the first request, when the paths must be hidden at once,
// and again until it returns nil. A move that another process is at is its own.
func (s *Service) Resume(ctx context.Context) error {
	s.resuming.Lock()
	defer s.resuming.Unlock()
	failed := []error{s.journal.read(ctx)}
	if failed[0] != nil {
		return failed[0]
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	turns := make(chan struct{}, s.resumeAtOnce())
	for _, m := range s.moves.all() {
		turns <- struct{}{}
		all.Go(func() {
			defer func() { <-turns }()
			err := s.resumeOne(ctx, m)
			mu.Lock()
			defer mu.Unlock()
			failed = append(failed, err)
		})
	}
	all.Wait()
	return errors.Join(failed...)
}

// resumeAtOnce is how many moves Resume is at together: many of a process that
// has died would else wait for each other's grace.
func (s *Service) resumeAtOnce() int {
	if s.shared {
		return parallel
	}
	return 1
}

func (s *Service) resumeOne(ctx context.Context, m store.Move) error {
	held, release, err := s.acquireSoon(ctx, m)
	if held == nil {
		return err
	}
	defer release()
	// It may have been a request under way, and over by now.
	left, err := s.State.Moves(held)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(left, func(l store.Move) bool { return l.ID == m.ID })
	if i < 0 {
		s.moves.end(m)
		return nil
	}
	if s.shared {
		if err := pause(held, grace); err != nil {
			return orLost(held, err)
		}
	}
	going, stop := onward(held)
	defer stop()
	_, err = s.swapIn(going, s.rules.Load(), left[i], nil, s.owed(going, left[i]))
	return orLost(held, err)
}

// acquireSoon is acquire for the ends of a move. held is nil, without an error,
// where others have been at them for the whole time: that may be the move itself.
func (s *Service) acquireSoon(ctx context.Context, m store.Move) (held context.Context, release func(), err error) {
	if !s.shared {
		return s.acquire(ctx, nil, m.From, m.To)
	}
	soon, cancel := context.WithTimeout(ctx, resumeWait)
	defer cancel()
	claim, giveBack, err := s.take(soon, nil, m.From, m.To)
	switch {
	case err == nil:
		held, end := under(ctx, claim)
		return held, func() { end(); giveBack() }, nil
	case soon.Err() != nil && ctx.Err() == nil:
		return nil, nil, nil
	}
	return nil, nil, err
}

// KeepResuming calls Resume whenever a move is left open, until ctx ends. Where
// others share the store, a move whose process has died is taken up at the next
// tick, once the store has given its claim back.
func (s *Service) KeepResuming(ctx context.Context, every <-chan time.Time) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-every:
		}
		if s.moves.count() > 0 {
			if err := s.Resume(ctx); err != nil {
				s.Log.WarnContext(ctx, "moves still open", "err", err)
			}
		}
	}
}
