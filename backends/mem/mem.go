// Package mem keeps files in memory. It is the fake for the tests of whatever
// stands on package backends: quick, strict about the contract, and able to
// fail on demand.
package mem

import (
	"context"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"portico/backends"
	"portico/fault"
	"portico/vpath"
)

// Options change a Storage from the plain one that New gives.
type Options struct {
	// Shape takes abilities away. A caller finds them by type assertion, so
	// hiding one needs another type: see Bare and Objects, or give one with
	//
	//	func(b *mem.Backend) backends.Backend {
	//		return struct{ backends.Backend; backends.Copier }{b, b}
	//	}
	Shape func(*Backend) backends.Backend

	// OnCall hears of each call when it has ended.
	OnCall func(backends.Call)

	// Hook runs before each call, with its name ("Stat", "Put", "Publish" …)
	// and its path. Its error becomes the call's; it may block, to hold a call
	// where a test wants it.
	Hook func(op string, p vpath.Path) error

	// Clock gives the times of files. Nil for one that ticks a second a call.
	Clock func() time.Time
}

// Storage is a storage in memory.
type Storage struct {
	o Options

	mu     sync.RWMutex // guards top and all nodes below it
	top    *node
	number int // of the last version that was stored
	staged map[string]*staged
	done   map[string]string // ETags of what uploads in pieces became

	faults struct {
		sync.Mutex
		next map[string][]error
	}
	ticks struct {
		sync.Mutex
		now time.Time
	}
}

// New is an empty storage with all abilities.
func New() *Storage { return NewWith(Options{}) }

// NewWith is an empty storage.
func NewWith(o Options) *Storage {
	s := &Storage{o: o, staged: map[string]*staged{}, done: map[string]string{}}
	s.faults.next = map[string][]error{}
	s.ticks.now = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s.top = s.newFolder(backends.Meta{})
	return s
}

// Bare hides every optional ability: a Shape.
func Bare(b *Backend) backends.Backend { return struct{ backends.Backend }{b} }

// Objects leaves what an object store has: copies, walks, bulk removal and
// uploads in pieces, but no rename and no size. A Shape.
func Objects(b *Backend) backends.Backend {
	return struct {
		backends.Backend
		backends.Copier
		backends.Walker
		backends.Remover
		backends.Stager
	}{b, b, b, b, b}
}

// FailNext makes the next call of that name fail with err. Several for one name
// queue up. Beside the methods of Backend, Storage and the abilities, the name
// "Publish" stands for the last step of Put and Copy: the bytes have been read
// and Commit has agreed, and the store breaks.
func (s *Storage) FailNext(op string, err error) {
	s.faults.Lock()
	defer s.faults.Unlock()
	s.faults.next[op] = append(s.faults.next[op], err)
}

// At is the tree below root.
func (s *Storage) At(root vpath.Path) (backends.Backend, error) {
	if root.Top() == backends.Reserved {
		return nil, fmt.Errorf("mem: at %s: %w", root, errReserved())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.top
	for name := range root.Elements() {
		if n.kids[name] == nil {
			n.kids[name] = s.newFolder(backends.Meta{})
		}
		if n = n.kids[name]; !n.Dir {
			return nil, fmt.Errorf("mem: at %s: %w", root, fault.ErrNotDir)
		}
	}
	b := &Backend{s: s, root: root}
	if s.o.Shape != nil {
		return s.o.Shape(b), nil
	}
	return b, nil
}

// Check answers nil, or what FailNext has put there.
func (s *Storage) Check(ctx context.Context) error {
	return s.call(ctx, "Check", vpath.Path{}, func() error { return nil })
}

// Reap removes uploads in pieces; one of Put that breaks leaves nothing in memory.
func (s *Storage) Reap(ctx context.Context, before time.Time) (n int, err error) {
	err = s.call(ctx, "Reap", vpath.Path{}, func() error { n = s.reapStaged(before); return nil })
	return n, err
}

// Close does nothing.
func (*Storage) Close() error { return nil }

// call runs one call with the faults and hooks around it.
func (s *Storage) call(ctx context.Context, op string, p vpath.Path, do func() error) error {
	start := s.now()
	err := s.before(ctx, op, p)
	if err == nil {
		err = do()
	}
	if s.o.OnCall != nil {
		s.o.OnCall(backends.Call{Name: op, Err: err, Took: s.now().Sub(start)})
	}
	if err != nil {
		return fmt.Errorf("mem: %s %s: %w", op, p, err)
	}
	return nil
}

// changes tells the calls that others could see.
func changes(op string) bool {
	return op == "Publish" || op == "Mkdir" || op == "Remove" || op == "RemoveAll" || op == "Rename" || op == "SetModTime"
}

// before is what may stop a call: a cancelled ctx, the test's hook, the fence, a
// fault.
func (s *Storage) before(ctx context.Context, op string, p vpath.Path) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.o.Hook != nil {
		if err := s.o.Hook(op, p); err != nil {
			return err
		}
	}
	if changes(op) {
		if err := backends.Fence(ctx); err != nil {
			return err
		}
	}
	s.faults.Lock()
	defer s.faults.Unlock()
	queue := s.faults.next[op]
	if len(queue) == 0 {
		return nil
	}
	s.faults.next[op] = queue[1:]
	return queue[0]
}

// now is a clock that never stands still, so that tests see an order.
func (s *Storage) now() time.Time {
	if s.o.Clock != nil {
		return s.o.Clock()
	}
	s.ticks.Lock()
	defer s.ticks.Unlock()
	s.ticks.now = s.ticks.now.Add(time.Second)
	return s.ticks.now
}

func errReserved() error {
	return fault.Tell(fs.ErrPermission, "The name %s is kept for Portico itself.", backends.Reserved)
}
