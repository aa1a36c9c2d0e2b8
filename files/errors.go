package files

import (
	"fmt"
	"time"

	"portico/fault"
	"portico/vpath"
)

// LockedError is a fault.ErrLocked that names the lock in the way.
type LockedError struct {
	Path   vpath.Path // the locked thing: a lock's root, visible to the principal
	Holder string     // name of who holds it
	Since  time.Time  // when it was taken; zero where the holder is not told either
}

// Named tells whether the principal may know who holds the lock. If not, Holder is
// a word that stands for anybody.
func (e *LockedError) Named() bool { return e.Holder != "" && e.Holder != somebody }

func (e *LockedError) Error() string {
	return fmt.Sprintf("%s is locked by %s", e.Path, e.Holder)
}

// Unwrap makes errors.Is(err, fault.ErrLocked) true.
func (e *LockedError) Unwrap() error { return fault.ErrLocked }

// Failure is one thing that an operation on a tree could not do.
type Failure struct {
	Path vpath.Path
	Dir  bool
	Err  error
}

// Partial is an operation on a tree that was done but for the things named
// (RFC 4918 §9.6.1: 207 naming the members that failed).
type Partial struct{ Failed []Failure } //nolint:errname // it was done, in part

func (e *Partial) Error() string { return fmt.Sprintf("%d members failed", len(e.Failed)) }
