package mem

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"portico/backends"
	"portico/fault"
	"portico/vpath"
)

// node is a file or a folder. A file's node never changes once it is in the
// tree: a new version is a new node, so that readers keep theirs.
type node struct {
	backends.Info
	data []byte
	kids map[string]*node // of a folder
}

func (s *Storage) newFolder(m backends.Meta) *node {
	now := s.now()
	return &node{
		kids: map[string]*node{},
		Info: backends.Info{Dir: true, ModTime: now, Created: now, Meta: backends.Meta{Creator: m.Creator}},
	}
}

// newFile is called with the lock held, for the sake of number.
func (s *Storage) newFile(data []byte, m backends.Meta) *node {
	s.number++
	sum := sha256.Sum256(data)
	m.SHA256 = hex.EncodeToString(sum[:])
	n := &node{data: data, Info: backends.Info{
		Size:    int64(len(data)),
		ModTime: m.ModTime,
		Created: s.now(),
		ETag:    fmt.Sprintf("v%d", s.number),
		Meta:    m,
	}}
	if m.ModTime.IsZero() {
		n.ModTime = n.Created
	}
	return n
}

// named is what the node tells of itself under a name.
func (n *node) named(name string) backends.Info {
	info := n.Info
	info.Name = name
	return info
}

// find is the node at p inside b, fs.ErrNotExist if there is none.
func (b *Backend) find(p vpath.Path) (*node, error) {
	n := b.s.top
	for name := range b.root.Elements() {
		if n = n.kids[name]; n == nil {
			return nil, fs.ErrNotExist
		}
	}
	if b.reserved(p) {
		return nil, fs.ErrNotExist
	}
	for name := range p.Elements() {
		if n = n.kids[name]; n == nil {
			return nil, fs.ErrNotExist
		}
	}
	return n, nil
}

// parent is the folder in which p can be made.
func (b *Backend) parent(p vpath.Path) (*node, error) {
	if b.reserved(p) {
		return nil, errReserved()
	}
	for q := range p.Parent().Ancestors() {
		if n, err := b.find(q); err == nil && !n.Dir {
			return nil, fault.ErrNotDir
		}
	}
	n, err := b.find(p.Parent())
	if err != nil {
		return nil, fault.ErrNoParent
	}
	return n, nil
}

func (b *Backend) reserved(p vpath.Path) bool {
	return b.root.IsRoot() && p.Top() == backends.Reserved
}

// members are n's, sorted; p is n's own path.
func (b *Backend) members(p vpath.Path, n *node) []backends.Info {
	out := make([]backends.Info, 0, len(n.kids))
	for _, name := range slices.Sorted(maps.Keys(n.kids)) {
		if b.root.IsRoot() && p.IsRoot() && name == backends.Reserved {
			continue
		}
		info := n.kids[name].named(name)
		if q, err := p.Child(name); err != nil || q.Name() != name {
			info.Name, info.Foreign = "", name
		}
		out = append(out, info)
	}
	return out
}

// Plant puts a file into the store the way another program would: name is a
// slash path from the storage's top that nobody judges, and folders above it
// appear by themselves. A slash at the end makes a folder.
func (s *Storage) Plant(name, content string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	parts := strings.Split(name, "/")
	n := s.top
	for _, part := range parts[:len(parts)-1] {
		if n.kids[part] == nil {
			n.kids[part] = s.newFolder(backends.Meta{})
		}
		n = n.kids[part]
	}
	if last := parts[len(parts)-1]; last != "" {
		f := s.newFile([]byte(content), backends.Meta{})
		f.SHA256 = ""
		n.kids[last] = f
	}
}
