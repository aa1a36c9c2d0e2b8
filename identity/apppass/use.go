package apppass

import (
	"context"
	"log/slog"
	"maps"
	"time"

	"portico/store"
)

const (
	useEvery = time.Minute // how often the use of one app password is written
	maxUses  = 1024        // app passwords whose use waits to be written
	useTime  = 10 * time.Second
)

// use is when and where an app password was used.
type use struct {
	at   time.Time
	from string
}

// Used notes that p, as Find gave it, was used. It never waits: the note is
// written in the background, at most once a minute for each app password over
// all replicas, and left out where too many wait.
func (k *Keeper) Used(ctx context.Context, p store.AppPassword, from string) {
	now := k.o.Clock()
	if now.Before(p.Used.Add(useEvery)) {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, waits := k.uses[p.ID]; waits || k.closed || len(k.uses) >= maxUses {
		return
	}
	k.uses[p.ID] = use{now, from}
	if !k.writing {
		k.writing = true
		k.writer.Add(1)
		go k.write(context.WithoutCancel(ctx))
	}
}

// write writes what waits, and ends when nothing does. What is being written
// stays in the map until it is, so that those who come meanwhile add nothing.
func (k *Keeper) write(ctx context.Context) {
	defer k.writer.Done()
	for {
		batch := k.batch()
		if batch == nil {
			return
		}
		k.put(ctx, batch)
		k.mu.Lock()
		for id := range batch {
			delete(k.uses, id)
		}
		k.mu.Unlock()
	}
}

// batch gives all that waits, nil for nothing: then the writer has ended.
func (k *Keeper) batch() map[string]use {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.uses) == 0 {
		k.writing = false
		return nil
	}
	return maps.Clone(k.uses)
}

func (k *Keeper) put(ctx context.Context, batch map[string]use) {
	ctx, cancel := context.WithTimeout(ctx, useTime)
	defer cancel()
	err := k.o.Store.Update(ctx, func(tx store.Tx) error {
		for id, u := range batch {
			if err := tx.TouchAppPassword(id, u.at, u.from); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil { // a note for people; the sign-in it speaks of was right
		k.o.Log.LogAttrs(ctx, slog.LevelWarn, "the last use of app passwords is not written", slog.Any("error", err))
	}
}

// Close waits until what was noted is written.
func (k *Keeper) Close() error {
	k.mu.Lock()
	k.closed = true
	k.mu.Unlock()
	k.writer.Wait()
	return nil
}
