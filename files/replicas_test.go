package files_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"portico/backends"
	"portico/fault"
	"portico/store"
	"portico/vpath"
)

// hub is what several processes share: the state, and who claims what.
type hub struct {
	store.State
	mu      sync.Mutex
	claims  map[*hubClaim]bool
	left    chan struct{} // closed and replaced when a claim ends
	members []*replica
	first   *world // whose hook the storage calls
}

// hubClaim is something that one process holds against the others.
type hubClaim struct {
	hub   *hub
	of    *replica
	paths []vpath.Path
	name  string
	lost  chan struct{}
	late  atomic.Bool // too late by this process's own clock
}

func (c *hubClaim) Held() bool {
	select {
	case <-c.lost:
		return false
	default:
		return !c.late.Load()
	}
}

func (c *hubClaim) Lost() <-chan struct{} { return c.lost }

func (c *hubClaim) Release() {
	c.hub.mu.Lock()
	defer c.hub.mu.Unlock()
	c.hub.end(c)
}

func (h *hub) end(c *hubClaim) {
	if h.claims[c] {
		delete(h.claims, c)
		close(h.left)
		h.left = make(chan struct{})
	}
}

// add is nil if it is c's turn, else what is closed when that may have changed.
func (h *hub) add(c *hubClaim) <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	for other := range h.claims {
		if other.of == c.of {
			continue
		}
		if c.name != "" && c.name == other.name || meet(c.paths, other.paths) {
			return h.left
		}
	}
	h.claims[c] = true
	return nil
}

func meet(a, b []vpath.Path) bool {
	return slices.ContainsFunc(a, func(p vpath.Path) bool {
		return slices.ContainsFunc(b, func(q vpath.Path) bool { return p.Contains(q) || q.Contains(p) })
	})
}

// held tells how many claims there are.
func (h *hub) held() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.claims)
}

// replica is one process: a world of its own over what the hub shares.
type replica struct {
	*world
	*hub
	name string
	dead atomic.Bool
	step func(op string) error // runs before each call to a store, if set

	watch     sync.Mutex
	wake      func()
	lostTouch func(error)
	deaf      bool  // hears of no commit
	brief     error // ends the next watch at once

	stolen []*hubClaim // it does not know of it yet
}

// replicas are n processes over one state and one storage.
func replicas(tb testing.TB, n int, shape mem2backend, o options) []*replica {
	tb.Helper()
	h := &hub{State: newMemState(), claims: map[*hubClaim]bool{}, left: make(chan struct{})}
	o.quiet, o.shape = true, shape
	if o.shared == nil {
		o.shared = h.State
	}
	h.State = o.shared
	first := newWorld(tb, o)
	h.first = first
	for i := range n {
		r := &replica{hub: h, name: fmt.Sprintf("r%d", i)}
		r.world = &world{
			TB: tb, mem: first.mem, rules: first.rules, rec: first.rec, clock: first.clock, quiet: true, firm: first.firm,
			back: map[string]backends.Backend{}, state: r.stateOf(),
		}
		for name, b := range first.back {
			r.back[name] = r.backend(b)
		}
		h.members = append(h.members, r)
	}
	for _, r := range h.members {
		r.start(o.quota)
		if err := r.svc.Resume(tb.Context()); err != nil {
			tb.Fatal(err)
		}
	}
	return h.members
}

// stateOf is the state store as this process has it.
func (r *replica) stateOf() store.State { return &replicaState{State: r.State, r: r} }

// call is a call to a store: none comes out of a dead process.
func (r *replica) call(op string) error {
	if r.dead.Load() {
		return errDead
	}
	if r.step != nil {
		if err := r.step(op); err != nil {
			return err
		}
	}
	if r.dead.Load() {
		return errDead
	}
	return nil
}

var errDead = fmt.Errorf("the process is dead: %w", fault.ErrUnavailable)

// kill ends the process: what it holds is free, and nothing it does from here on
// is done.
func (r *replica) kill() {
	r.dead.Store(true)
	r.lose()
}

// lose gives what the process holds to others.
func (r *replica) lose() {
	r.hub.mu.Lock()
	defer r.hub.mu.Unlock()
	for c := range r.claims {
		if c.of == r {
			close(c.lost)
			r.end(c)
		}
	}
}

// steal gives what the process holds to others, and does not tell it.
func (r *replica) steal() {
	r.hub.mu.Lock()
	defer r.hub.mu.Unlock()
	for c := range r.claims {
		if c.of == r {
			r.end(c)
			r.stolen = append(r.stolen, c)
		}
	}
}

// lapse is steal from a process that was halted for long and goes on: it knows by
// its clock, and by nothing else yet.
func (r *replica) lapse() {
	r.steal()
	for _, c := range r.stolen {
		c.late.Store(true)
	}
}

// follow runs Follow beside the test.
func (r *replica) follow() {
	r.Helper()
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { r.svc.Follow(ctx) })
	r.Cleanup(func() { stop(); running.Wait() })
}

// replicaState is the store as one process has it.
type replicaState struct {
	store.State
	r *replica
}

func (s *replicaState) Replica() string { return s.r.name }
func (*replicaState) Shared() bool      { return true }

func (s *replicaState) Update(ctx context.Context, f func(store.Tx) error) error {
	if err := s.r.call("Update"); err != nil {
		return err
	}
	was, _ := s.State.Moves(ctx)
	given, _ := s.GrantsChange(ctx)
	err := s.State.Update(ctx, f)
	now, _ := s.GrantsChange(ctx)
	if is, _ := s.State.Moves(ctx); fmt.Sprint(was) != fmt.Sprint(is) || now != given {
		s.r.tell()
	}
	return err
}

// tell wakes the other processes.
func (r *replica) tell() {
	for _, o := range r.members {
		o.watch.Lock()
		if o != r && o.wake != nil && !o.deaf {
			o.wake()
		}
		o.watch.Unlock()
	}
}

func (s *replicaState) Moves(ctx context.Context) ([]store.Move, error) {
	if s.r.dead.Load() {
		return nil, errDead
	}
	return s.State.Moves(ctx)
}

func (s *replicaState) Claim(ctx context.Context, paths ...vpath.Path) (store.Claim, error) {
	if err := s.r.call("Claim"); err != nil {
		return nil, err
	}
	c := &hubClaim{hub: s.r.hub, of: s.r, paths: paths, lost: make(chan struct{})}
	for {
		left := s.r.add(c)
		if left == nil {
			return c, nil
		}
		select {
		case <-left:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if s.r.dead.Load() {
			return nil, errDead
		}
	}
}

// Alive asks the connection that holds the claims, and so learns what was stolen.
func (s *replicaState) Alive(context.Context) ([]string, error) {
	if s.r.dead.Load() {
		return nil, errDead
	}
	s.r.hub.mu.Lock()
	defer s.r.hub.mu.Unlock()
	for _, c := range s.r.stolen {
		close(c.lost)
	}
	s.r.stolen = nil
	return []string{s.r.name}, nil
}

func (s *replicaState) ClaimName(_ context.Context, kind, name string) (store.Claim, bool, error) {
	if err := s.r.call("ClaimName"); err != nil {
		return nil, false, err
	}
	c := &hubClaim{hub: s.r.hub, of: s.r, name: kind + " " + name, lost: make(chan struct{})}
	if s.r.add(c) != nil {
		return nil, false, nil
	}
	return c, true, nil
}

func (s *replicaState) Watch(ctx context.Context, wake func(), lost func(error)) error {
	s.r.watch.Lock()
	if err := s.r.brief; err != nil {
		s.r.brief = nil
		s.r.watch.Unlock()
		return err
	}
	s.r.wake, s.r.lostTouch = wake, lost
	wake()
	s.r.watch.Unlock()
	<-ctx.Done()
	return nil
}

// backend is b as this process has it.
func (r *replica) backend(b backends.Backend) backends.Backend {
	p := &procBackend{b, r}
	_, renames := b.(backends.Renamer)
	_, copies := b.(backends.Copier)
	switch {
	case renames:
		return struct {
			*procBackend
			procCopier
			procRenamer
			procStager
		}{p, procCopier{p}, procRenamer{p}, procStager{b.(backends.Stager), r}}
	case copies:
		return struct {
			*procBackend
			procCopier
			procStager
		}{p, procCopier{p}, procStager{b.(backends.Stager), r}}
	}
	return p
}

type procBackend struct {
	backends.Backend
	r *replica
}

func (p *procBackend) Stat(ctx context.Context, at vpath.Path) (backends.Info, error) {
	if err := p.r.call("Stat"); err != nil {
		return backends.Info{}, err
	}
	return p.Backend.Stat(ctx, at)
}

func (p *procBackend) List(ctx context.Context, at vpath.Path) (backends.Info, []backends.Info, error) {
	if err := p.r.call("List"); err != nil {
		return backends.Info{}, nil, err
	}
	return p.Backend.List(ctx, at)
}

func (p *procBackend) Mkdir(ctx context.Context, at vpath.Path, m backends.Meta) (backends.Info, error) {
	if err := p.r.call("Mkdir"); err != nil {
		return backends.Info{}, err
	}
	return p.Backend.Mkdir(ctx, at, m)
}

func (p *procBackend) Remove(ctx context.Context, at vpath.Path) error {
	if err := p.r.call("Remove"); err != nil {
		return err
	}
	return p.Backend.Remove(ctx, at)
}

func (p *procBackend) Put(ctx context.Context, at vpath.Path, body io.Reader, o backends.PutOptions) (backends.Info, error) {
	commit := o.Commit
	o.Commit = func() error {
		if commit != nil {
			if err := commit(); err != nil {
				return err
			}
		}
		return p.r.call("Publish")
	}
	return p.Backend.Put(ctx, at, body, o)
}

type procCopier struct{ *procBackend }

func (p procCopier) Copy(ctx context.Context, src, dst vpath.Path, m backends.Meta) (backends.Info, error) {
	if err := p.r.call("Copy"); err != nil {
		return backends.Info{}, err
	}
	return p.Backend.(backends.Copier).Copy(ctx, src, dst, m)
}

type procRenamer struct{ *procBackend }

func (p procRenamer) Rename(ctx context.Context, src, dst vpath.Path) error {
	if err := p.r.call("Rename"); err != nil {
		return err
	}
	return p.Backend.(backends.Renamer).Rename(ctx, src, dst)
}

// onStep runs f at the n-th call from now on, counted from 1.
func (r *replica) onStep(n int64, f func()) (count *atomic.Int64) {
	count = &atomic.Int64{}
	r.step = func(string) error {
		if count.Add(1) == n {
			f()
		}
		return nil
	}
	return count
}

// settle takes up what is left open, until nothing is.
func (r *replica) settle() {
	r.Helper()
	if err := r.svc.Resume(context.Background()); err != nil {
		r.Errorf("resume: %v", err)
	}
	left, err := r.Moves(context.Background())
	if err != nil || len(left) > 0 || r.svc.Moves() > 0 {
		r.Errorf("%d moves in the journal, %d open (%v)", len(left), r.svc.Moves(), err)
	}
}

// is503 wants the answer of a server that cannot know.
func (o *outcome) is503() {
	o.Helper()
	if !errors.Is(o.err, fault.ErrUnavailable) || fault.Told(o.err) == "" {
		o.Errorf("%s: %v, want a 503 with a sentence", o.what, o.err)
	}
}
