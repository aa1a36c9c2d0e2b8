package identity

import (
	"context"
	"fmt"
	"sync/atomic"

	"portico/fault"
)

// Room is how many may wait for a Queue, by default.
const Room = 64

// Queue bounds the hashing in the whole process: each hash takes a core and
// 19 MiB for some 50 ms, so that a flood of logins would otherwise take the
// server down. One Queue outlives all reloads.
type Queue struct {
	workers chan struct{}
	room    int64
	waiting atomic.Int64
	done    atomic.Uint64
}

// NewQueue makes a queue for so many workers, one a core as a rule, and a
// waiting room.
func NewQueue(workers, room int) *Queue {
	return &Queue{workers: make(chan struct{}, max(workers, 1)), room: int64(room)}
}

// Do runs f when a worker is free. It does not when ctx ends before, nor when
// the waiting room is full: that is a fault.ErrUnavailable, answered at once,
// because whoever waits longer has given up by then.
func (q *Queue) Do(ctx context.Context, f func()) error {
	select {
	case q.workers <- struct{}{}:
	default:
		if err := q.wait(ctx); err != nil {
			return err
		}
	}
	defer func() {
		q.done.Add(1)
		<-q.workers
	}()
	f()
	return nil
}

func (q *Queue) wait(ctx context.Context) error {
	defer q.waiting.Add(-1)
	if q.waiting.Add(1) > q.room {
		return fmt.Errorf("identity: too many logins wait to be checked: %w", fault.ErrUnavailable)
	}
	select {
	case q.workers <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("identity: waiting to be checked: %w", ctx.Err())
	}
}

// Waiting and Done are for the metrics: how many wait now, and how many were
// served.
func (q *Queue) Waiting() int { return int(q.waiting.Load()) }

// Done counts the calls that ran.
func (q *Queue) Done() uint64 { return q.done.Load() }
