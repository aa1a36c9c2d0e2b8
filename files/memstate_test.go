package files_test

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"portico/fault"
	"portico/internal/memstate"
	"portico/store"
	"portico/vpath"
)

// memState is a state store in memory that several replicas share: what package
// files needs of one, one transaction at a time.
type memState struct {
	store.State // memstate, for what people share with each other
	mu          sync.Mutex
	rows        memRows
}

type memRows struct {
	locks   map[string]store.Lock
	props   map[vpath.Path][]store.Prop
	moves   map[string]store.Move
	intents map[string]store.Intent
	usage   map[string]store.Usage
	uploads map[string]store.Upload
	audit   []store.AuditRow
}

func newMemState() *memState {
	return &memState{State: memstate.New(), rows: memRows{
		locks: map[string]store.Lock{}, props: map[vpath.Path][]store.Prop{}, moves: map[string]store.Move{},
		intents: map[string]store.Intent{}, usage: map[string]store.Usage{},
		uploads: map[string]store.Upload{},
	}}
}

func (r memRows) clone() memRows {
	props := maps.Clone(r.props)
	for p, list := range props {
		props[p] = slices.Clone(list)
	}
	return memRows{
		maps.Clone(r.locks), props, maps.Clone(r.moves), maps.Clone(r.intents), maps.Clone(r.usage), maps.Clone(r.uploads), slices.Clone(r.audit),
	}
}

// Update runs f on a copy, and keeps the copy if f agrees.
func (s *memState) Update(ctx context.Context, f func(store.Tx) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return s.State.Update(ctx, func(shared store.Tx) error {
		tx := memTx{noTx: noTx{shared}, memRows: s.rows.clone()}
		if err := f(&tx); err != nil {
			return err
		}
		s.rows = tx.memRows
		return nil
	})
}

func (s *memState) read() memRows {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rows // never changed, but replaced
}

func (s *memState) Shared() bool  { return false }
func (*memState) Replica() string { return "only" }

func (s *memState) LocksOn(ctx context.Context, p vpath.Path, now time.Time) ([]store.Lock, error) {
	return s.read().LocksOn(ctx, p, now)
}

func (s *memState) LocksBelow(ctx context.Context, p vpath.Path, now time.Time) ([]store.Lock, error) {
	return s.read().LocksBelow(ctx, p, now)
}

func (s *memState) LocksOf(ctx context.Context, holder string, now time.Time) (int, error) {
	return s.read().LocksOf(ctx, holder, now)
}

func (s *memState) Locks(ctx context.Context, now time.Time) ([]store.Lock, error) {
	return s.read().Locks(ctx, now)
}

func (s *memState) PropsOf(ctx context.Context, p vpath.Path) ([]store.Prop, error) {
	return s.read().PropsOf(ctx, p)
}

func (s *memState) PropsAt(ctx context.Context, list []vpath.Path) (map[vpath.Path][]store.Prop, int, error) {
	return s.read().PropsAt(ctx, list)
}

func (s *memState) PropBelow(ctx context.Context, p vpath.Path, space, local string) (map[vpath.Path]store.Prop, error) {
	return s.read().PropBelow(ctx, p, space, local)
}

func (s *memState) Around(ctx context.Context, l store.Listing, now time.Time) (store.Around, error) {
	return s.read().Around(ctx, l, now)
}

func (s *memState) Moves(ctx context.Context) ([]store.Move, error) { return s.read().Moves(ctx) }

func (s *memState) Intents(ctx context.Context) ([]store.Intent, error) {
	return s.read().Intents(ctx)
}

func (s *memState) Usage(ctx context.Context, w string) (store.Usage, bool, error) {
	return s.read().Usage(ctx, w)
}

func (r memRows) someLocks(now time.Time, want func(store.Lock) bool) (out []store.Lock) {
	for _, l := range r.locks {
		if l.Expires.After(now) && want(l) {
			out = append(out, l)
		}
	}
	slices.SortFunc(out, func(a, b store.Lock) int { return cmp.Compare(a.Token, b.Token) })
	return out
}

func (r memRows) LocksOn(_ context.Context, p vpath.Path, now time.Time) ([]store.Lock, error) {
	return r.someLocks(now, func(l store.Lock) bool { return l.Covers(p) }), nil
}

func (r memRows) LocksBelow(_ context.Context, p vpath.Path, now time.Time) ([]store.Lock, error) {
	return r.someLocks(now, func(l store.Lock) bool { return p.Contains(l.Path) }), nil
}

func (r memRows) LocksOf(_ context.Context, holder string, now time.Time) (int, error) {
	return len(r.someLocks(now, func(l store.Lock) bool { return l.Holder == holder })), nil
}

func (r memRows) Locks(_ context.Context, now time.Time) ([]store.Lock, error) {
	return r.someLocks(now, func(store.Lock) bool { return true }), nil
}

func (r memRows) PropsOf(_ context.Context, p vpath.Path) ([]store.Prop, error) {
	return r.props[p], nil
}

// PropsAt gives those of one thing at a time, where there are any: who asks must ask again.
func (r memRows) PropsAt(_ context.Context, list []vpath.Path) (map[vpath.Path][]store.Prop, int, error) {
	for i, p := range list {
		if len(r.props[p]) > 0 {
			return map[vpath.Path][]store.Prop{p: slices.Clone(r.props[p])}, i + 1, nil
		}
	}
	return nil, len(list), nil
}

func (r memRows) PropBelow(_ context.Context, p vpath.Path, space, local string) (map[vpath.Path]store.Prop, error) {
	found := map[vpath.Path]store.Prop{}
	for at, list := range r.props {
		for _, one := range list {
			if p.Contains(at) && one.Space == space && one.Local == local {
				found[at] = one
			}
		}
	}
	return found, nil
}

func (r memRows) Around(_ context.Context, l store.Listing, now time.Time) (a store.Around, _ error) {
	p := l.Path
	if l.Locks {
		a.Locks = r.someLocks(now, func(k store.Lock) bool { return k.Covers(p) || l.Members && p.Contains(k.Path) })
	}
	a.Props = map[vpath.Path][]store.Prop{}
	size := 0
	for at, list := range r.props {
		if l.Props && (at == p || l.Members && at.Parent() == p) {
			a.Props[at] = slices.Clone(list) // takeSums takes of it
			for _, one := range list {
				size += len(one.XML)
			}
		}
	}
	if l.Bytes > 0 && size > l.Bytes {
		a.Props, a.Cut = nil, true
	}
	return a, nil
}

func (r memRows) Moves(context.Context) ([]store.Move, error) {
	return slices.SortedFunc(maps.Values(r.moves), func(a, b store.Move) int {
		return cmp.Or(a.Began.Compare(b.Began), cmp.Compare(a.ID, b.ID))
	}), nil
}

func (r memRows) Intents(context.Context) ([]store.Intent, error) {
	return slices.SortedFunc(maps.Values(r.intents), func(a, b store.Intent) int { return cmp.Compare(a.ID, b.ID) }), nil
}

func (r memRows) Usage(_ context.Context, w string) (store.Usage, bool, error) {
	u, ok := r.usage[w]
	return u, ok, nil
}

// memTx is a transaction of memState.
type memTx struct {
	noTx
	memRows
}

// noTx is one level deeper than memRows, whose methods count.
type noTx struct{ store.Tx }

func (x *memTx) PutLock(l store.Lock) error { x.locks[l.Token] = l; return nil }

func (x *memTx) DropLock(token string) error { delete(x.locks, token); return nil }

func (x *memTx) DropLocksBelow(p vpath.Path) error {
	maps.DeleteFunc(x.locks, func(_ string, l store.Lock) bool { return p.Contains(l.Path) })
	return nil
}

func (x *memTx) DropExpiredLocks(now time.Time) error {
	maps.DeleteFunc(x.locks, func(_ string, l store.Lock) bool { return !l.Expires.After(now) })
	return nil
}

func (x *memTx) PutProp(p vpath.Path, prop store.Prop) error {
	_ = x.DropProp(p, prop.Space, prop.Local)
	x.props[p] = append(x.props[p], prop)
	return nil
}

func (x *memTx) DropProp(p vpath.Path, space, local string) error {
	x.props[p] = slices.DeleteFunc(slices.Clone(x.props[p]), func(o store.Prop) bool { return o.Space == space && o.Local == local })
	return nil
}

func (x *memTx) DropProps(p vpath.Path) error { delete(x.props, p); return nil }

func (x *memTx) DropPropsBelow(p vpath.Path) error {
	maps.DeleteFunc(x.props, func(at vpath.Path, _ []store.Prop) bool { return p.Contains(at) })
	return nil
}

func (x *memTx) MoveProps(from, to vpath.Path) error {
	_ = x.DropPropsBelow(to)
	_ = x.CopyProps(from, to, true)
	return x.DropPropsBelow(from)
}

func (x *memTx) CopyProps(from, to vpath.Path, deep bool) error {
	for at, list := range maps.Clone(x.props) {
		if below, ok := from.Under(at); ok && (deep || at == from) {
			p, err := to.Join(below)
			if err != nil {
				return err
			}
			x.props[p] = slices.Clone(list)
		}
	}
	return nil
}

func (x *memTx) PutMove(m store.Move) error { x.moves[m.ID] = m; return nil }

func (x *memTx) DropMove(id string) error { delete(x.moves, id); return nil }

func (x *memTx) PutIntent(i store.Intent) error { x.intents[i.ID] = i; return nil }

func (x *memTx) DropIntent(id string) error { delete(x.intents, id); return nil }

func (x *memTx) PutUsage(u store.Usage) error { x.usage[u.Workspace] = u; return nil }

func (x *memTx) AddUsage(w string, n int64) error {
	if u, ok := x.usage[w]; ok {
		u.Bytes = max(u.Bytes+n, 0)
		x.usage[w] = u
	}
	return nil
}

func (x *memTx) AuditHead(_ context.Context, stream string) (store.AuditStream, error) {
	head := store.AuditStream{Name: stream, First: 1}
	for _, row := range x.audit {
		if row.Stream == stream {
			head.Last, head.Head = row.Seq, row.Hash
		}
	}
	return head, nil
}

func (x *memTx) AppendAudit(row store.AuditRow) error {
	if head, _ := x.AuditHead(context.Background(), row.Stream); row.Seq != head.Last+1 {
		return fault.ErrConflict
	}
	x.audit = append(x.audit, row)
	return nil
}

func (*memState) Close() error { return nil }
