// Package files is the one door to a file.
//
// Service.As gives the tree as one principal may see and use it. Every method
// of that Tree decides (acl), does (backends) and records (audit); it also holds
// the locks and the dead properties of WebDAV, so that pages and the API respect
// a drive's locks. Nothing else in Portico calls both acl and a backend.
//
// What is not visible does not exist: it is fs.ErrNotExist, with the very text
// that a free name gets. What is visible but not permitted is fs.ErrPermission,
// and its text is the sentence of the decision.
package files

import (
	"context"
	"io"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"portico/acl"
	"portico/audit"
	"portico/backends"
	"portico/store"
)

// Options are what a Service stands on.
type Options struct {
	State store.State
	Audit audit.Recorder
	Clock func() time.Time
	Rand  io.Reader // for lock tokens and journal ids
	Log   *slog.Logger

	// Decided, if set, hears of every decision, for metrics.
	Decided func(allowed bool)

	// Epoch, if set, names the config that is in force, for the audit.
	Epoch func() string
}

// Workspace is a drive, with the backend that holds it.
type Workspace struct {
	Name    string
	Title   string
	Backend backends.Backend
	Quota   int64 // bytes, 0 for none
}

// Service holds all workspaces and the rules over them.
type Service struct {
	Options
	rules    atomic.Pointer[rules]
	paths    pathLocks
	names    names
	moves    moves
	journal  journal
	shared   bool       // other processes may be at the same files
	resuming sync.Mutex // one Resume at a time
	uploads  atomic.Int64

	// gone counts what was deleted or moved away, so that an upload that was
	// under way meanwhile looks again at its folder and its file. It is counted
	// when the thing has gone and its path is still held. What other processes
	// delete it does not count: in a shared store every upload looks again.
	gone atomic.Int64
}

// New makes a Service without workspaces: Apply gives it some.
func New(o Options) *Service {
	s := &Service{Options: o, moves: newMoves(), shared: o.State.Shared()}
	s.journal = journal{state: o.State, moves: &s.moves, clock: o.Clock, turn: make(chan struct{}, 1)}
	if s.shared {
		s.moves.stale = s.journal.stale
	}
	s.rules.Store(&rules{spaces: map[string]*space{}})
	return s
}

// Apply replaces policy and workspaces at once. Requests that have begun end
// under the rules that they began with.
func (s *Service) Apply(p *acl.Policy, list []Workspace) {
	old := s.rules.Load()
	r := &rules{policy: p, spaces: make(map[string]*space, len(list))}
	for _, w := range list {
		sp := &space{Workspace: w}
		if was := old.spaces[w.Name]; was != nil && was.Backend == w.Backend {
			sp.usage = was.usage // counted already
		} else {
			sp.usage = &usage{}
		}
		r.spaces[w.Name] = sp
	}
	r.names = slices.Sorted(maps.Keys(r.spaces))
	s.rules.Store(r)
}

// As gives the files as p may see and use them, under the rules of this moment.
func (s *Service) As(p Principal) *Tree {
	r := s.rules.Load()
	return &Tree{s: s, r: r, who: p, view: r.view(p.acl, s.Clock())}
}

// Uploads is the number of uploads in flight.
func (s *Service) Uploads() int64 { return s.uploads.Load() }

// Moves is the number of moves that are not over, those that wait for their
// store included.
func (s *Service) Moves() int { return s.moves.count() }

// Locks is the number of locks.
func (s *Service) Locks(ctx context.Context) (int, error) {
	all, err := s.State.Locks(ctx, s.Clock())
	return len(all), err
}

// space is a workspace with what is known about it.
type space struct {
	Workspace
	usage *usage
}

// rules are one generation of policy and workspaces. They never change, but for
// the views that are kept.
type rules struct {
	policy *acl.Policy
	spaces map[string]*space
	names  []string // of spaces, sorted

	mu    sync.Mutex
	views map[string]*acl.View
}

// maxViews bounds the views kept; beyond it they are made anew.
const maxViews = 10_000

// view is the policy as it concerns p. It is kept for the next request, since
// making one reads all rules.
func (r *rules) view(p acl.Principal, now time.Time) *acl.View {
	key := p.Key()
	r.mu.Lock()
	defer r.mu.Unlock()
	if v := r.views[key]; v != nil && (v.Expires().IsZero() || now.Before(v.Expires())) {
		return v
	}
	if len(r.views) >= maxViews || r.views == nil {
		r.views = map[string]*acl.View{}
	}
	v := r.policy.View(p, now)
	r.views[key] = v
	return v
}
