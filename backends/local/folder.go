package local

import (
	"errors"
	"io/fs"
	"os"
	"slices"

	"golang.org/x/sys/unix"

	"portico/fault"
)

// attempts bound the loops that read a name again because it changed meanwhile.
const attempts = 20

// folder is an open folder. All that happens in it goes through its handle with
// names of one element, so that no element of a path can be swapped for a link
// between a check and its use.
type folder struct {
	s    *Storage
	base *base // what it was reached through
	root *os.Root
	file *os.File    // the same folder, for reading, syncing and attributes
	stat fs.FileInfo // as it was opened
	kept bool        // the base's own: close ends one use of the base
}

// newFolder takes root over, also if it fails.
func (b *base) newFolder(root *os.Root) (*folder, error) {
	f := &folder{s: b.s, base: b, root: root}
	err := f.s.do("open folder", func() (err error) {
		// O_NONBLOCK saves os three calls that try to make the handle pollable.
		if f.file, err = root.OpenFile(".", unix.O_DIRECTORY|unix.O_NONBLOCK, 0); err != nil {
			return err
		}
		f.stat, err = f.file.Stat()
		return err
	})
	if err != nil {
		f.release()
		return nil, err
	}
	return f, nil
}

// close gives the handles back, to the base if they are its own.
func (f *folder) close() {
	if f.kept {
		f.base.release()
		return
	}
	f.release()
}

func (f *folder) release() {
	_ = f.root.Close() // nothing is written through it
	if f.file != nil {
		_ = f.file.Close()
	}
}

// sync makes the names in the folder durable.
func (f *folder) sync() error { return f.s.do("sync folder", f.file.Sync) }

// lstat describes what name is, links not followed.
func (f *folder) lstat(name string) (st fs.FileInfo, err error) {
	err = named(func() error { st, err = f.root.Lstat(name); return err }())
	return st, err
}

// enter opens a folder in f. A link is fs.ErrNotExist, a file fault.ErrNotDir.
//
// os.Root follows a link that stays inside, so enter asks what the name is, opens
// it, and makes sure that it got that very folder. The "/." makes os open name
// with O_DIRECTORY, which never waits for the other end of a pipe.
func (f *folder) enter(name string) (*folder, error) {
	for range attempts {
		before, err := f.lstat(name)
		if err != nil {
			return nil, err
		}
		if kind := kindOf(before); kind != isFolder {
			return nil, notFolder(kind)
		}
		root, err := f.root.OpenRoot(name + "/.")
		if err != nil {
			if !gone(err) {
				return nil, named(err)
			}
			continue // swapped just now: see what it has become
		}
		sub, err := f.base.newFolder(root)
		if err != nil {
			return nil, err
		}
		if os.SameFile(before, sub.stat) {
			return sub, nil
		}
		sub.release()
	}
	return nil, errRestless()
}

// gone tells the errors that a name gives which is not what it was a moment ago:
// removed, a file now, or a link out of the root (which has no errno).
func gone(err error) bool {
	errno, ok := errors.AsType[unix.Errno](err)
	return !ok || errno == unix.ENOENT || errno == unix.ENOTDIR || errno == unix.ELOOP || errno == unix.ENXIO
}

func notFolder(k kind) error {
	if k == isFile {
		return fault.ErrNotDir
	}
	return fs.ErrNotExist
}

// openFile opens a plain file for reading, with the same care as enter.
// O_NONBLOCK keeps a pipe that was put in its place from holding us.
func (f *folder) openFile(name string) (*os.File, fs.FileInfo, error) {
	for range attempts {
		before, err := f.lstat(name)
		if err != nil {
			return nil, nil, err
		}
		switch kindOf(before) {
		case isFolder:
			return nil, nil, fault.ErrIsDir
		case isOther:
			return nil, nil, fs.ErrNotExist
		case isFile:
		}
		file, err := f.root.OpenFile(name, unix.O_NONBLOCK, 0)
		if err != nil {
			if !gone(err) {
				return nil, nil, named(err)
			}
			continue
		}
		if after, err := file.Stat(); err == nil && os.SameFile(before, after) {
			return file, after, nil
		}
		_ = file.Close()
	}
	return nil, nil, errRestless()
}

// enterOrMake is enter for the folder of a workspace, which may be missing.
func (f *folder) enterOrMake(name string) (*folder, error) {
	sub, err := f.enter(name)
	if !errors.Is(err, fs.ErrNotExist) {
		return sub, err
	}
	err = f.s.do("mkdir", func() error { return f.root.Mkdir(name, folderMode) })
	switch {
	case errors.Is(err, fs.ErrExist): // a link, or somebody was quicker
		return f.enter(name)
	case err != nil:
		return nil, err
	}
	if err := f.sync(); err != nil {
		return nil, err
	}
	return f.enter(name)
}

// readNames are all names in the folder, sorted.
func (f *folder) readNames() (names []string, err error) {
	err = f.s.do("list", func() error {
		dir, err := f.root.OpenFile(".", unix.O_DIRECTORY|unix.O_NONBLOCK, 0) // its own offset
		if err != nil {
			return err
		}
		defer dir.Close() //nolint:errcheck // only read
		names, err = dir.Readdirnames(-1)
		return err
	})
	slices.Sort(names)
	return names, err
}

// readKinds are the names of all files and folders in the folder, sorted, and
// whether each is a folder.
func (f *folder) readKinds() (folders map[string]bool, names []string, err error) {
	var list []fs.DirEntry
	err = f.s.do("list", func() error {
		dir, err := reopen(f.file)
		if err != nil {
			return err
		}
		defer dir.Close() //nolint:errcheck // only read
		list, err = dir.ReadDir(-1)
		return err
	})
	folders = map[string]bool{}
	for _, e := range list {
		if !e.Type().IsRegular() && !e.IsDir() {
			continue
		}
		names = append(names, e.Name())
		if e.IsDir() {
			folders[e.Name()] = true
		}
	}
	slices.Sort(names)
	return folders, names, err
}

// kind is what a name stands for.
type kind int

const (
	isFile kind = iota
	isFolder
	isOther // a link, pipe, socket or device: does not exist for Portico
)

func kindOf(st fs.FileInfo) kind {
	switch {
	case st.Mode().IsRegular():
		return isFile
	case st.IsDir():
		return isFolder
	}
	return isOther
}

// place is a name in a folder, whatever path leads to the folder.
type place struct {
	dev, ino uint64
	name     string
}

func (f *folder) place(name string) place {
	dev, ino := identity(f.stat)
	return place{dev, ino, name}
}
