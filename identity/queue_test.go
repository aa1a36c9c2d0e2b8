package identity

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"portico/fault"
)

// TestQueue sends 200 logins at once (File Browser, CVE-2026-54092): never more
// than the workers run, never more than the room wait, and the others are told
// at once that it is not their password.
func TestQueue(t *testing.T) {
	const workers, room, all = 2, 5, 200
	q := NewQueue(workers, room)
	leave := make(chan struct{})
	var running, most, ran, busy atomic.Int64
	var wg, told sync.WaitGroup
	told.Add(all - workers - room)
	for range all {
		wg.Go(func() {
			err := q.Do(t.Context(), func() {
				if n := running.Add(1); n > most.Load() {
					most.Store(n)
				}
				<-leave
				running.Add(-1)
				ran.Add(1)
			})
			if err != nil {
				if !errors.Is(err, fault.ErrUnavailable) || errors.Is(err, ErrRefused) {
					t.Errorf("Do = %v, want fault.ErrUnavailable", err)
				}
				busy.Add(1)
				told.Done()
			}
		})
	}
	told.Wait() // while all workers are still busy
	if got := q.Waiting(); got != room {
		t.Errorf("%d wait, want %d", got, room)
	}
	close(leave)
	wg.Wait()
	if most.Load() > workers || ran.Load() != workers+room || busy.Load() != all-workers-room {
		t.Errorf("at most %d ran at once, %d in all, %d were turned away", most.Load(), ran.Load(), busy.Load())
	}
	if q.Waiting() != 0 || q.Done() != workers+room {
		t.Errorf("at the end %d wait, %d are done", q.Waiting(), q.Done())
	}
}

func TestQueueLeave(t *testing.T) {
	q := NewQueue(0, 1) // one worker at least
	entered, leave := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() { _ = q.Do(t.Context(), func() { close(entered); <-leave }) })
	<-entered
	ctx, cancel := context.WithCancel(t.Context())
	left := make(chan error, 1)
	go func() { left <- q.Do(ctx, func() { t.Error("it ran") }) }()
	cancel()
	if err := <-left; !errors.Is(err, context.Canceled) || errors.Is(err, ErrRefused) {
		t.Errorf("Do = %v, want context.Canceled", err)
	}
	if q.Waiting() != 0 {
		t.Error("the one who left still takes a place")
	}
	close(leave)
	wg.Wait()
}

// TestQueuePanic: a panic must not cost a worker for good.
func TestQueuePanic(t *testing.T) {
	q := NewQueue(1, 1)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic is gone")
			}
		}()
		_ = q.Do(t.Context(), func() { panic("boom") })
	}()
	if err := q.Do(t.Context(), func() {}); err != nil {
		t.Errorf("Do = %v", err)
	}
}
