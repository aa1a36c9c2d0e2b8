package app

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"portico/config"
)

// runBeside starts what runs beside the requests and returns a function that
// waits for its end.
func (s *process) runBeside(ctx context.Context) (wait func()) {
	var g sync.WaitGroup
	g.Go(func() { s.check(ctx) }) // a storage that is away is no reason not to start, but to say so
	g.Go(func() { s.watchConfig(ctx) })
	g.Go(func() { s.reloadOnHangup(ctx) })
	g.Go(func() { s.reap(ctx) })
	g.Go(func() { s.files.Follow(ctx) })
	g.Go(func() { ticking(ctx, resumeEvery, s.files.KeepResuming) })
	g.Go(func() { ticking(ctx, auditTick, s.audit.Run) })
	g.Go(func() { ticking(ctx, sendEvery, s.notices.Run) })
	g.Go(func() { ticking(ctx, remindEvery, s.remind) })
	g.Go(func() { ticking(ctx, lookEvery, s.doctor.Run) })
	return g.Wait
}

// ticking runs what works at each tick.
func ticking(ctx context.Context, every time.Duration, work func(context.Context, <-chan time.Time)) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	work(ctx, tick.C)
}

func (s *process) watchConfig(ctx context.Context) {
	err := config.Watch(ctx, s.file, s.cfg.Load().Digest, func() { s.reloadConfig(ctx) })
	if err != nil {
		s.log.WarnContext(ctx, "the config is not watched: reload it with SIGHUP", "err", err)
	}
}

func (s *process) reloadOnHangup(ctx context.Context) {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangup:
			s.reloadConfig(ctx)
		}
	}
}

// reap removes what dead uploads and forgotten sync clients left behind, now and
// then.
func (s *process) reap(ctx context.Context) {
	tick := time.NewTicker(reapEvery)
	defer tick.Stop()
	for {
		// Those that have a row go first, and take it along.
		if err := s.files.ReapUploads(ctx); err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "uploads that nobody goes on with not removed", "err", err)
		}
		if err := s.files.ReapSnapshots(ctx); err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "old sync tokens not removed", "err", err)
		}
		for name, st := range s.storages {
			n, err := st.Reap(ctx, s.clock().Add(-reapAfter))
			if err != nil && ctx.Err() == nil {
				s.log.WarnContext(ctx, "remains of dead uploads not removed", "storage", name, "err", err)
			} else if n > 0 {
				s.log.InfoContext(ctx, "removed the remains of dead uploads", "storage", name, "count", n)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
