// Package local keeps files in a folder of a disk, as plain files that any other
// program can read and write too. It runs on Linux alone: it needs extended
// attributes, renameat2 and /proc/self/fd.
//
// What lies in the folder counts only as long as it is a plain file or a folder:
// symbolic links are not followed, not even those that stay inside, because a
// link is a second address under which a folder's rules would not hold. Pipes,
// sockets and devices do not exist for Portico either. A hard link to a file
// cannot be told from the file.
package local

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"sync"
	"time"

	"portico/backends"
	"portico/fault"
	"portico/vpath"
)

// tmpName is the folder inside backends.Reserved for files on their way. It lies
// on the same file system as the files, so that a rename publishes them.
const tmpName = "tmp"

// Modes leave out the others; the umask may take the group away too. Portico's
// own folder is for nobody else.
const (
	fileMode    fs.FileMode = 0o660
	folderMode  fs.FileMode = 0o770
	privateMode fs.FileMode = 0o700
)

// Options say where the files are. All but OnCall are needed.
type Options struct {
	// Dir is the folder. It is made if only its last element is missing: more
	// than that looks like a disk that is not mounted.
	Dir string

	Rand  io.Reader        // names versions of files
	Clock func() time.Time // dates the beginning of uploads

	// OnCall hears of each call to the disk that may be slow.
	OnCall func(backends.Call)
}

// Storage is a folder on a disk.
type Storage struct {
	o Options

	mu      sync.Mutex
	now     *base      // nil while Options.Dir is away
	opening sync.Mutex // one reopening at a time; goes before mu
	closed  bool       // under opening

	// tree is held for reading by whoever publishes or removes one name, and
	// for writing by a rename: no folder above a name moves while it is placed.
	tree  sync.RWMutex
	names locks // one name, from the judgement of a condition to the rename
	rand  sync.Mutex
	bufs  sync.Pool
}

// Open opens the folder and makes sure that the disk can do what Portico needs.
// Its errors are for the administrator and tell the mend.
func Open(o Options) (*Storage, error) {
	if o.Rand == nil || o.Clock == nil || o.Dir == "" {
		return nil, fmt.Errorf("local: open: Dir, Rand and Clock are needed: %w", fs.ErrInvalid)
	}
	s := &Storage{o: o}
	s.names.held = map[place]*held{}
	s.bufs.New = func() any { b := make([]byte, 256<<10); return &b }
	if err := makeDir(o.Dir); err != nil {
		return nil, fmt.Errorf("local: open %s: %w", o.Dir, err)
	}
	b, err := s.openBase((*folder).private)
	if err != nil {
		return nil, fmt.Errorf("local: open %s: %w", o.Dir, err)
	}
	s.replace(b)
	return s, nil
}

// Dir is the folder that the storage is in.
func (s *Storage) Dir() string { return s.o.Dir }

// At is the tree below root. Folders that are missing are made.
func (s *Storage) At(root vpath.Path) (backends.Backend, error) {
	b := &Backend{s: s, root: root}
	if root.Top() == backends.Reserved {
		return nil, fmt.Errorf("local: at %s: %w", root, errReserved())
	}
	base, err := s.hold()
	if err != nil {
		return nil, fmt.Errorf("local: at %s: %w", root, err)
	}
	f := base.top
	for name := range root.Elements() {
		sub, err := f.enterOrMake(name)
		f.close()
		if err != nil {
			return nil, fmt.Errorf("local: at %s: %w", root, err)
		}
		f = sub
	}
	f.close()
	return b, nil
}

// Check tells whether the folder stands where it should, and takes files.
func (s *Storage) Check(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("local: check: %w", err)
	}
	b, err := s.hold()
	if err != nil {
		return fmt.Errorf("local: check: %w", fault.Tell(err,
			"%s is no longer the folder that was opened: was the disk unmounted, or the folder moved? Bring it back, or restart Portico.", s.o.Dir))
	}
	defer b.release()
	u, err := b.newUpload()
	if err != nil {
		return fmt.Errorf("local: check: %w", err)
	}
	u.discard()
	return nil
}

// Close gives the folder back.
func (s *Storage) Close() error {
	s.opening.Lock()
	defer s.opening.Unlock()
	s.closed = true
	s.replace(nil)
	return nil
}

// do runs one call to the disk: it reports it, and names its error in the words
// of package fault.
func (s *Storage) do(name string, call func() error) error {
	return s.report(name, func() error { return named(call()) })
}

// report runs one call whose errors have their names already.
func (s *Storage) report(name string, call func() error) error {
	if s.o.OnCall == nil {
		return call()
	}
	start := s.o.Clock()
	err := call()
	s.o.OnCall(backends.Call{Name: name, Err: err, Took: s.o.Clock().Sub(start)})
	return err
}

// random is a number that nobody has had before.
func (s *Storage) random() (uint64, error) {
	s.rand.Lock()
	defer s.rand.Unlock()
	var b [8]byte
	if _, err := io.ReadFull(s.o.Rand, b[:]); err != nil {
		return 0, unavailable(err)
	}
	return binary.BigEndian.Uint64(b[:]), nil
}
