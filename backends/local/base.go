package local

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync/atomic"

	"portico/backends"
)

// base is what is open of the folder at Options.Dir. While the server runs that
// folder may be moved away, replaced, unmounted (umount -l) or mounted over; the
// handles would go on into the old one, where nobody looks for files. So each
// operation asks first whether the base still stands at Dir, and one that does
// not is replaced by the next that does.
type base struct {
	s   *Storage
	top *folder // Options.Dir
	tmp *folder // where uploads grow

	// users are the operations that have top or tmp in hand, and the Storage
	// while the base is its own. The last one closes the handles.
	users atomic.Int64
}

// hold gives the base that stands at Dir, until release. There may be a new one
// since the last call; where there is none it is fault.ErrUnavailable.
func (s *Storage) hold() (*base, error) {
	if b := s.share(); b != nil {
		if b.stands() == nil {
			return b, nil
		}
		b.release()
	}
	return s.reopen()
}

// share is the Storage's base for one more user, nil if there is none.
func (s *Storage) share() *base {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now != nil {
		s.now.users.Add(1) // from one or more: the Storage counts
	}
	return s.now
}

// replace makes b the Storage's base, nil for none, and ends its use of the old.
// The caller's use of b becomes the Storage's.
func (s *Storage) replace(b *base) {
	s.mu.Lock()
	old := s.now
	s.now = b
	s.mu.Unlock()
	if old != nil {
		old.release()
	}
}

// reopen lets go of a base that is away, so that its disk can be unmounted in
// earnest, and opens what stands at Dir now.
func (s *Storage) reopen() (*base, error) {
	s.opening.Lock()
	defer s.opening.Unlock()
	if s.closed {
		return nil, unavailable(os.ErrClosed)
	}
	if b := s.share(); b != nil {
		if b.stands() == nil { // somebody was quicker
			return b, nil
		}
		b.release()
		s.replace(nil)
	}
	b, err := s.openBase((*folder).found)
	if err != nil {
		return nil, unavailable(fmt.Errorf("%s is not the folder that was opened, and cannot take its place: %w", s.o.Dir, err))
	}
	b.users.Add(1) // for the caller, beside the Storage
	s.replace(b)
	return b, nil
}

// found enters Portico's own folder at a reopening, when it is not made: without
// it this is the empty folder that a disk was mounted on, or a new one, and files
// must neither look removed nor be written to what the disk will hide again. It
// may be made with a restart, in the eyes of the administrator.
func (f *folder) found(name string) (*folder, error) {
	sub, err := f.enter(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("it has no %s: bring the folder back or mount its disk; if this is a new folder, restart Portico", name)
	}
	return sub, err
}

// openBase opens and probes the folder. own enters Portico's own in it.
func (s *Storage) openBase(own func(*folder, string) (*folder, error)) (*base, error) {
	b := &base{s: s}
	b.users.Add(1)
	if err := b.open(own); err != nil {
		b.release()
		return nil, err
	}
	return b, nil
}

func (b *base) open(enterOwn func(*folder, string) (*folder, error)) error {
	root, err := openDir(b.s.o.Dir)
	if err != nil {
		return err
	}
	if b.top, err = b.newFolder(root); err != nil {
		return err
	}
	b.top.kept = true
	own, err := enterOwn(b.top, backends.Reserved)
	if err != nil {
		return err
	}
	defer own.close()
	if b.tmp, err = own.private(tmpName); err != nil {
		return err
	}
	b.tmp.kept = true
	return b.probe()
}

// stands is nil if the base is what stands at Dir, else fault.ErrUnavailable. The
// open handle keeps the inode's number from being given to another folder.
func (b *base) stands() error {
	now, err := os.Stat(b.s.o.Dir)
	if err != nil {
		return unavailable(err)
	}
	if !os.SameFile(now, b.top.stat) {
		return b.away()
	}
	return nil
}

// joins is nil if f is in this base and may change: asked right before a rename,
// which must carry nothing from one base to another.
func (b *base) joins(ctx context.Context, f *folder) error {
	if f.base != b {
		return b.away()
	}
	return b.changes(ctx)
}

// changes is nil if the base stands, since nothing must change in a folder that is
// away, and the fence of ctx does. It is asked right before the kernel is.
func (b *base) changes(ctx context.Context) error {
	if err := b.stands(); err != nil {
		return err
	}
	return backends.Fence(ctx)
}

func (b *base) away() error {
	return unavailable(fmt.Errorf("%s is no longer the folder that was opened", b.s.o.Dir))
}

func (b *base) release() {
	if b.users.Add(-1) > 0 {
		return
	}
	for _, f := range []*folder{b.tmp, b.top} {
		if f != nil {
			f.release()
		}
	}
}
