package s3

import (
	"cmp"
	"io/fs"
	"strings"

	"portico/backends"
	"portico/fault"
	"portico/vpath"
)

// maxKey is S3's limit for a key, in bytes.
const maxKey = 1024

// What a Backend can do beside the contract.
var (
	_ backends.Backend = (*Backend)(nil)
	_ backends.Copier  = (*Backend)(nil)
	_ backends.Walker  = (*Backend)(nil)
	_ backends.Remover = (*Backend)(nil)
	_ backends.Stager  = (*Backend)(nil)
)

// Backend is one workspace's tree of objects.
type Backend struct {
	s    *Storage
	base string // what all keys begin with: "" or ends in a slash
	top  bool   // the workspace is the whole storage, so that Reserved lies in it
}

// key is the object's name of the file p.
func (b *Backend) key(p vpath.Path) string { return b.base + strings.TrimPrefix(p.String(), "/") }

// folder is what the keys of all that lies in p begin with, and the name of p's marker.
func (b *Backend) folder(p vpath.Path) string {
	if p.IsRoot() {
		return b.base
	}
	return b.key(p) + "/"
}

// reserved tells the paths that do not exist for anyone.
func (b *Backend) reserved(p vpath.Path) bool { return b.top && p.Top() == backends.Reserved }

// creatable judges a path that is to be written.
func (b *Backend) creatable(p vpath.Path) error {
	switch {
	case b.reserved(p):
		return errReserved()
	case len(b.folder(p)) > maxKey:
		return fault.Tell(fs.ErrInvalid, "The path is too long: the storage takes names of up to %d bytes with all folders, and this one has %d.",
			maxKey, len(b.folder(p)))
	}
	return nil
}

// member is the path of a name that a listing of dir gave. It is false for
// names that vpath refuses or would change: they are Foreign.
func member(dir vpath.Path, name string) (vpath.Path, bool) {
	p, err := dir.Child(name)
	return p, err == nil && p.Name() == name
}

// foreign is the entry for a name that cannot be a path. An empty name is that
// of a key with two slashes in a row.
func foreign(name string, dir bool) backends.Info {
	return backends.Info{Dir: dir, Foreign: cmp.Or(name, "/")}
}
