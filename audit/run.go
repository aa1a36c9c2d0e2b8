package audit

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"portico/store"
)

// lookEvery is how often Run looks for replicas that died, and for what commands
// have recorded.
const lookEvery = time.Minute

// Run sends rows and checkpoints to the sinks, ends the intents of processes that
// are gone, and cuts what is too old. It works soon after each row, and at each
// tick; a tick a second is right. It returns when ctx has ended.
func (l *Log) Run(ctx context.Context, tick <-chan time.Time) {
	all := l.couriers()
	var beside sync.WaitGroup
	defer l.disown()
	defer beside.Wait()
	for _, c := range all {
		beside.Go(func() { c.run(ctx) })
	}
	cutter := make(chan struct{}, 1)
	beside.Go(func() { l.keepCutting(ctx, cutter) })
	var looked time.Time
	for ticked := true; ; {
		if ticked {
			looked = l.look(ctx, looked)
			signal(cutter)
		}
		for _, c := range all {
			if ticked {
				c.observe(ctx)
			}
			signal(c.wake)
		}
		var ok bool
		if ticked, ok = l.await(ctx, tick); !ok {
			return
		}
	}
}

func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// await waits for a tick or for rows; not ok at the end.
func (l *Log) await(ctx context.Context, tick <-chan time.Time) (ticked, ok bool) {
	select {
	case <-ctx.Done():
		return false, false
	case <-tick:
		return true, true
	case <-l.wake:
	}
	linger := time.NewTimer(l.o.Linger)
	defer linger.Stop()
	select {
	case <-ctx.Done():
		return false, false
	case <-tick:
		return true, true
	case <-linger.C:
		return false, true
	}
}

// look sees after what other processes left behind, at the start and then now and
// then. Where the store is for one server alone, these are the commands that an
// admin runs beside it, and lives of it under another name. It gives when it has
// last done so.
func (l *Log) look(ctx context.Context, last time.Time) time.Time {
	if err := l.settle(ctx); err != nil && ctx.Err() == nil {
		l.o.Log.WarnContext(ctx, "intents that had no change are still there", "err", err)
	}
	if err := l.endLeft(ctx); err != nil && ctx.Err() == nil {
		l.o.Log.WarnContext(ctx, "changes of unknown outcome are not in the audit log yet", "err", err)
	}
	now := l.o.Clock()
	if !last.IsZero() && now.Sub(last) < lookEvery {
		return last
	}
	alive, err := l.o.Store.Alive(ctx)
	if err == nil {
		err = l.Recover(ctx, alive)
	}
	if err == nil {
		err = l.adopt(ctx, alive)
	}
	if err != nil {
		if ctx.Err() == nil {
			l.o.Log.WarnContext(ctx, "what dead servers left of the audit log waits", "err", err)
		}
		return last // at the next tick again
	}
	return now
}

// streams are those that this process sends: its own, and those of dead replicas.
func (l *Log) streams() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string{l.o.Store.Replica()}, slices.Sorted(maps.Keys(l.adopted))...)
}

// adopt takes over the streams of dead replicas, each of one survivor, and gives
// up those that are alive again. A name in Kubernetes may never come back.
func (l *Log) adopt(ctx context.Context, alive []string) error {
	all, err := l.o.Store.AuditStreams(ctx)
	if err != nil {
		return err
	}
	l.abandon(alive)
	for _, s := range all {
		if slices.Contains(alive, s.Name) || slices.Contains(l.streams(), s.Name) {
			continue
		}
		claim, ok, err := l.o.Store.ClaimName(ctx, "audit-stream", s.Name)
		if err != nil {
			return err
		}
		if ok && claim != nil {
			l.mu.Lock()
			l.adopted[s.Name] = claim
			l.mu.Unlock()
		}
	}
	return nil
}

// abandon gives up the adopted streams of those who are alive, and those that
// another may have by now.
func (l *Log) abandon(alive []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	maps.DeleteFunc(l.adopted, func(name string, claim store.Claim) bool {
		gone := slices.Contains(alive, name) || !claim.Held()
		if gone {
			claim.Release()
		}
		return gone
	})
}

// disown gives up all of them.
func (l *Log) disown() { l.abandon(slices.Collect(maps.Keys(l.adopted))) }
