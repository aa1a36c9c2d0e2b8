package audit

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"portico/store"
)

const (
	sendEach   = 500              // rows at once
	sendWithin = 30 * time.Second // what a sink may take for them
)

// courier brings one sink what it has not taken. Each has a goroutine of its own:
// one that hangs keeps no other waiting, and no request at all.
type courier struct {
	l        *Log
	sink     Sink
	position string // the sink's name in the store
	next     func(ctx context.Context, stream string, after int64) (items []Item, upto int64, err error)
	wake     chan struct{} // holds one

	failing bool
	since   atomic.Int64 // when the Send that runs began, in µs; 0 if none does
	told    int64        // the since that Run has told of
}

// couriers are those of all sinks.
func (l *Log) couriers() []*courier {
	var all []*courier
	for _, s := range l.o.Sinks {
		all = append(all, &courier{l: l, sink: s, position: s.Name(), next: l.nextRows, wake: make(chan struct{}, 1)})
	}
	for _, s := range l.o.Checkpoints {
		m := &marker{l: l, last: map[string]time.Time{}}
		all = append(all, &courier{l: l, sink: s, position: checkpointPosition(s), next: m.next, wake: make(chan struct{}, 1)})
	}
	return all
}

func checkpointPosition(s Sink) string { return "checkpoint:" + s.Name() }

// run catches up each time it is woken.
func (c *courier) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.wake:
		}
		err := c.catchUp(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && !c.failing:
			c.l.o.Log.ErrorContext(ctx, "the audit sink takes nothing: what it lacks stays in the store and comes later", "sink", c.position, "err", err)
		case err == nil && c.failing:
			c.l.o.Log.InfoContext(ctx, "the audit sink takes rows again", "sink", c.position)
		}
		c.failing = err != nil
	}
}

func (c *courier) catchUp(ctx context.Context) error {
	for _, stream := range c.l.streams() {
		for {
			more, err := c.bring(ctx, stream)
			if err != nil {
				return err
			}
			if !more {
				break
			}
		}
	}
	return nil
}

// bring sends what is next, and then keeps how far the sink has come: after a
// crash between the two the same comes again.
func (c *courier) bring(ctx context.Context, stream string) (more bool, err error) {
	at, err := c.l.o.Store.SinkAt(ctx, c.position, stream)
	if err != nil {
		return false, err
	}
	items, upto, err := c.next(ctx, stream, at)
	if err != nil || len(items) == 0 {
		return false, err
	}
	if err := c.send(ctx, items); err != nil {
		return false, err
	}
	err = c.l.o.Store.Update(ctx, func(tx store.Tx) error {
		// Another replica may have brought this stream further.
		if now, err := tx.SinkAt(ctx, c.position, stream); err != nil || now >= upto {
			return err
		}
		return tx.PutSinkAt(c.position, stream, upto)
	})
	return true, err
}

// send gives up a sink that does not end with its context only when the program
// does: two Sends at once would bring rows out of order.
func (c *courier) send(ctx context.Context, items []Item) error {
	c.since.Store(c.l.o.Clock().UnixMicro())
	within, cancel := context.WithTimeout(ctx, sendWithin)
	done := make(chan error, 1)
	go func() {
		defer cancel()
		defer c.since.Store(0)
		done <- c.sink.Send(within, items)
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// nextRows are the rows that a sink gets next.
func (l *Log) nextRows(ctx context.Context, stream string, after int64) ([]Item, int64, error) {
	rows, err := l.o.Store.AuditRows(ctx, stream, after, sendEach)
	if err != nil || len(rows) == 0 {
		return nil, 0, err
	}
	return rowItems(rows), rows[len(rows)-1].Seq, nil
}

const (
	markEvery = time.Minute
	markRows  = 1000
)

// marker makes the checkpoints for one sink: each minute or 1,000 rows, where
// there is something new.
type marker struct {
	l    *Log
	last map[string]time.Time // of each stream
}

func (m *marker) next(ctx context.Context, stream string, after int64) ([]Item, int64, error) {
	head, err := m.l.o.Store.AuditHead(ctx, stream)
	if err != nil || head.Last <= after {
		return nil, 0, err
	}
	now := m.l.o.Clock()
	if head.Last-after < markRows && now.Sub(m.last[stream]) < markEvery {
		return nil, 0, nil
	}
	item, err := m.l.keys.checkpoint(head, now).item()
	if err != nil {
		return nil, 0, fmt.Errorf("audit: checkpoint: %w", err)
	}
	m.last[stream] = now
	return []Item{item}, head.Last, nil
}

// observe tells how far behind the sink is, and that it hangs.
func (c *courier) observe(ctx context.Context) {
	var behind int64
	for _, stream := range c.l.streams() {
		n, err := c.l.behind(ctx, c.position, stream)
		if err != nil {
			return // the store is away, which others tell
		}
		behind += n
	}
	c.l.o.Lag(c.position, behind)
	since := c.since.Load()
	if since == 0 || since == c.told || c.l.o.Clock().Sub(time.UnixMicro(since)) < sendWithin {
		return
	}
	c.told = since
	c.l.o.Log.LogAttrs(ctx, slog.LevelError, "the audit sink hangs: what it lacks stays in the store and comes later",
		slog.String("sink", c.position), slog.Int64("rows", behind))
}

// behind is how many rows a sink has not taken of a stream.
func (l *Log) behind(ctx context.Context, position, stream string) (int64, error) {
	at, err := l.o.Store.SinkAt(ctx, position, stream)
	if err != nil {
		return 0, err
	}
	head, err := l.o.Store.AuditHead(ctx, stream) // after the position: that is never ahead of it
	if err != nil {
		return 0, err
	}
	if at > head.Last {
		l.o.Log.LogAttrs(ctx, slog.LevelError, "rows of the audit log are gone that a sink has taken: somebody changed the state; run portico audit verify",
			slog.String("sink", position), slog.String("stream", stream), slog.Int64("taken", at), slog.Int64("last", head.Last))
		return 0, l.o.Store.Update(ctx, func(tx store.Tx) error { return tx.PutSinkAt(position, stream, head.Last) })
	}
	return head.Last - max(at, head.First-1), nil
}
