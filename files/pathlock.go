package files

import (
	"context"
	"slices"
	"sync"

	"portico/vpath"
)

// pathLocks keeps two changes of one part of the tree from running through each
// other between their check and their act. It is not the locks of WebDAV, which
// belong to people and last for minutes.
type pathLocks struct {
	mu    sync.Mutex
	queue []*claim      // those that hold something and those that wait, the oldest first
	left  chan struct{} // closed and replaced when somebody leaves the queue
}

// claim is what one caller holds or waits for.
type claim struct{ paths []vpath.Path }

// acquire waits until nobody who came before holds or wants any of the paths,
// anything above or anything below them, and takes them all at once: two callers
// cannot wait for each other, and a large folder is not starved by a stream of
// small changes in it.
//
// Where it has to wait, it first asks may: how long a path is busy is nothing
// for one who may not know of it.
func (l *pathLocks) acquire(ctx context.Context, may func() error, paths ...vpath.Path) (release func(), err error) {
	if may != nil && l.busy(paths) {
		if err := may(); err != nil {
			return nil, err
		}
	}
	c := &claim{paths}
	l.mu.Lock()
	l.queue = append(l.queue, c)
	l.mu.Unlock()
	for {
		left := l.blocked(c)
		if left == nil {
			return func() { l.leave(c) }, nil
		}
		select {
		case <-left:
		case <-ctx.Done():
			l.leave(c)
			return nil, ctx.Err()
		}
	}
}

// busy tells whether a claim to the paths would have to wait.
func (l *pathLocks) busy(paths []vpath.Path) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return meets(l.queue, paths)
}

// blocked is nil when it is c's turn, else what is closed when that may have changed.
func (l *pathLocks) blocked(c *claim) <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !meets(l.queue[:slices.Index(l.queue, c)], c.paths) {
		return nil
	}
	if l.left == nil {
		l.left = make(chan struct{})
	}
	return l.left
}

func meets(queue []*claim, paths []vpath.Path) bool {
	return slices.ContainsFunc(queue, func(c *claim) bool {
		return slices.ContainsFunc(c.paths, func(h vpath.Path) bool {
			return slices.ContainsFunc(paths, func(p vpath.Path) bool { return h.Contains(p) || p.Contains(h) })
		})
	})
}

func (l *pathLocks) leave(c *claim) {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.Index(l.queue, c)
	l.queue = slices.Delete(l.queue, i, i+1)
	if l.left != nil {
		close(l.left)
		l.left = nil
	}
}
