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
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"portico/acl"
	"portico/audit"
	"portico/backends"
	"portico/fault"
	"portico/store"
	"portico/vpath"
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

	// Giver is who gave something, by their identity.Identity.ID, as they are now:
	// what people give is worth no more than their own rights at this moment. It
	// is asked for each request that rests on a grant, so that it answers from
	// memory. fs.ErrNotExist: they have left, and what they gave gives nothing;
	// any other error, and the request is answered with fault.ErrUnavailable. nil:
	// nobody is known.
	Giver func(ctx context.Context, id string) (Person, error)

	// Deposited, if set, hears of each file that somebody from outside has just
	// made or replaced, in the transaction of its record. ID, where it is empty, and
	// Receipt are the hook's to fill, and to put the deposit into the store. Of a
	// placeholder, too, which has no receipt: the hook may refuse it, and then
	// there is neither file nor lock.
	Deposited func(ctx context.Context, tx store.Tx, d store.Deposit) error

	// Opened, if set, hears when a deposit is read by somebody else for the first
	// time, and when it is by somebody of the firm, or something that was given by its recipient, in a transaction of its
	// own.
	Opened func(ctx context.Context, tx store.Tx, o Opening) error

	// Epoch, if set, names the config that is in force, for the audit.
	Epoch func() string
}

// Workspace is a drive, with the backend that holds it.
type Workspace struct {
	Name    string
	Title   string
	Backend backends.Backend
	Quota   int64 // bytes, 0 for none

	// WindowsSafe takes no new names that Windows cannot hold. What has one stays
	// readable, and can be moved away and deleted.
	WindowsSafe bool
}

// Service holds all workspaces and the rules over them.
type Service struct {
	Options
	rules    atomic.Pointer[rules]
	paths    pathLocks
	names    names
	twins    twins
	moves    moves
	journal  journal
	turns    turns // of uploads in pieces
	grants   grants
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
	s.grants.state = o.State
	s.journal.also = s.grants.read
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

// As gives the files as a member of staff may see and use them, under the rules
// of this moment. It asks who gave them something: a directory that is away is
// fault.ErrUnavailable. Customers and visitors have a Window, which shows them no
// folder above what they were given.
func (s *Service) As(ctx context.Context, p Principal) (*Tree, error) {
	if p.isOutside() {
		return nil, fault.Tell(fs.ErrPermission, "the workspaces are for the firm's own people: what was shared with you is under another address")
	}
	return s.tree(ctx, p)
}

// tree is As for all principals.
func (s *Service) tree(ctx context.Context, p Principal) (*Tree, error) {
	r := s.rules.Load()
	view, err := s.view(ctx, r, p.acl)
	if err != nil {
		return nil, fmt.Errorf("files: as: %w", err)
	}
	return &Tree{s: s, r: r, who: p, view: view}, nil
}

// Opening is the first reading of a deposit, or of what a grant gives; the other
// one is nil.
type Opening struct {
	Deposit *store.Deposit
	Grant   *store.Grant
	By      string // the name of who reads
	Path    vpath.Path
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
	views map[string]kept
}

// maxViews bounds the views kept; beyond it they are made anew.
const maxViews = 10_000
