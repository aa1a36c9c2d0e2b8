package files

import (
	"context"
	"errors"
	"sync"
	"time"

	"portico/backends"
	"portico/store"
	"portico/vpath"
)

// recount is how long a counted workspace is trusted: other tools may write to
// the same bucket or folder.
const recount = 15 * time.Minute

// countWait is the pause between two looks at a count that another process is at.
const countWait = 200 * time.Millisecond

// usage is the space that a workspace takes. It is counted when first needed, and
// carried on with each change, in the transaction that records it: the number of
// the state store counts. A process that is alone trusts the one that it has here.
//
// What uploads under way will take is known to their own process alone, so that
// several together can go beyond the quota by what they have under way at once.
type usage struct {
	counting sync.Mutex // held while all of it is counted, which may take long

	mu       sync.Mutex
	counted  time.Time // zero: never
	used     int64
	reserved int64 // by uploads under way
}

// delta is what an operation changes in the counts of two workspaces.
type delta struct{ from, to int64 }

// total is the number of bytes in sp, counted anew when the count is old. While
// one request counts, the others go by the old number, if there is one.
func (s *Service) total(ctx context.Context, sp *space) (*usage, error) {
	u := sp.usage
	if err := s.look(ctx, sp); err != nil {
		return nil, err
	}
	counted, fresh := u.state(s.Clock())
	switch {
	case fresh:
		return u, nil
	case !counted:
		u.counting.Lock()
	case !u.counting.TryLock():
		return u, nil
	}
	defer u.counting.Unlock()
	if _, fresh = u.state(s.Clock()); fresh {
		return u, nil
	}
	return u, s.recount(ctx, sp)
}

// look brings the count up to what the store says, where another process may have
// changed it, or has not told it yet.
func (s *Service) look(ctx context.Context, sp *space) error {
	u := sp.usage
	if counted, _ := u.state(s.Clock()); counted && !s.shared {
		return nil
	}
	row, ok, err := s.State.Usage(ctx, sp.Name)
	if err != nil {
		return unclaimed(ctx, err)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	// A process that is alone may have counted while the store answered: what it
	// has added since is not in this row.
	if ok && !row.Counted.IsZero() && (s.shared || u.counted.IsZero()) {
		u.used, u.counted = row.Bytes, row.Counted
	}
	return nil
}

// recount counts all of a workspace, if no other process is at that. The others go
// by the old number, and wait where there is none.
func (s *Service) recount(ctx context.Context, sp *space) error {
	for {
		release, ok, err := s.claimCount(ctx, sp)
		switch {
		case err != nil:
			return unclaimed(ctx, err)
		case ok:
			defer release()
			// It may have been another process that just came to the end of it.
			if err := s.look(ctx, sp); err != nil {
				return err
			}
			if _, fresh := sp.usage.state(s.Clock()); fresh {
				return nil
			}
			// The next client would begin anew where this one loses its patience.
			return s.count(context.WithoutCancel(ctx), sp)
		}
		if err := s.look(ctx, sp); err != nil {
			return err
		}
		if counted, _ := sp.usage.state(s.Clock()); counted {
			return nil
		}
		if err := pause(ctx, countWait); err != nil {
			return err
		}
	}
}

func (s *Service) claimCount(ctx context.Context, sp *space) (release func(), ok bool, err error) {
	if !s.shared {
		return func() {}, true, nil
	}
	claim, ok, err := s.State.ClaimName(ctx, "usage", sp.Name)
	if err != nil || !ok {
		return nil, false, err
	}
	return claim.Release, true, nil
}

// state tells whether there is a count, and whether it is trusted.
func (u *usage) state(now time.Time) (counted, fresh bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return !u.counted.IsZero(), !u.counted.IsZero() && now.Sub(u.counted) <= recount
}

// count walks through a workspace. What was added meanwhile may be in the sum or
// not: it counts, so that the quota holds in any case.
func (s *Service) count(ctx context.Context, sp *space) error {
	u, now := sp.usage, s.Clock()
	before, err := s.beginCount(ctx, sp)
	if err != nil {
		return unclaimed(ctx, err)
	}
	u.mu.Lock()
	mine := u.used
	u.mu.Unlock()
	var sum int64
	err = backends.Walk(ctx, sp.Backend, vpath.Path{}, func(_ vpath.Path, info backends.Info) error {
		sum += info.Size
		return nil
	})
	if err != nil {
		return err
	}
	err = s.State.Update(ctx, func(tx store.Tx) error {
		row, _, err := tx.Usage(ctx, sp.Name)
		if err != nil {
			return err
		}
		return tx.PutUsage(store.Usage{Workspace: sp.Name, Bytes: sum + max(row.Bytes-before, 0), Counted: now})
	})
	if err != nil {
		return unclaimed(ctx, err)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.used, u.counted = sum+max(u.used-mine, 0), now
	return nil
}

// beginCount gives the number at the beginning, and makes the row for a first
// count, so that it takes in what is added meanwhile.
func (s *Service) beginCount(ctx context.Context, sp *space) (bytes int64, err error) {
	row, ok, err := s.State.Usage(ctx, sp.Name)
	if err != nil || ok {
		return row.Bytes, err
	}
	return 0, s.State.Update(ctx, func(tx store.Tx) error {
		if _, ok, err := tx.Usage(ctx, sp.Name); err != nil || ok {
			return err
		}
		return tx.PutUsage(store.Usage{Workspace: sp.Name})
	})
}

// count carries a workspace's number in the store on. Without a quota nobody asks.
func (sp *space) count(tx store.Tx, n int64) error {
	if sp.Quota == 0 || n == 0 {
		return nil
	}
	return tx.AddUsage(sp.Name, n)
}

// recount carries the counts of both workspaces on in the store. A move that is
// taken up later does not know what it changes: then they are counted anew by the
// next who asks.
func (v *mover) recount(ctx context.Context, tx store.Tx) error {
	if v.delta == nil {
		return errors.Join(v.from.space.outdate(ctx, tx), v.to.space.outdate(ctx, tx))
	}
	return errors.Join(v.from.space.count(tx, v.delta.from), v.to.space.count(tx, v.delta.to))
}

// recounted does the same in this process.
func (v *mover) recounted() {
	if v.delta == nil {
		v.from.space.usage.outdate()
		v.to.space.usage.outdate()
		return
	}
	v.from.space.usage.add(v.delta.from)
	v.to.space.usage.add(v.delta.to)
}

// outdate has the workspace counted anew.
func (sp *space) outdate(ctx context.Context, tx store.Tx) error {
	row, ok, err := tx.Usage(ctx, sp.Name)
	if err != nil || !ok || row.Counted.IsZero() {
		return err
	}
	row.Counted = row.Counted.Add(-recount)
	return tx.PutUsage(row)
}

func (u *usage) outdate() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !u.counted.IsZero() {
		u.counted = u.counted.Add(-recount)
	}
}

// add carries the count on.
func (u *usage) add(n int64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.used = max(u.used+n, 0)
}
