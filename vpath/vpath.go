// Package vpath is the canonical path of everything that Portico serves.
//
// A path is parsed once, at the edge: from a request line, a Destination
// header, a tag of an If header, the config or a command line. From there on
// the same Path value is what acl judges, what a backend opens and what the
// audit records, so that no two parts can read one address in two ways.
//
// A path that is not canonical is refused, never repaired, with one exception:
// names are brought to Unicode Normalization Form C, because macOS sends NFD
// for what every other client sends as NFC.
//
// The first element is the workspace: /firm/Clients/Acme lies in "firm".
package vpath

import (
	"iter"
	"strings"
)

// Limits in bytes, as S3 has them for a key and disks for a name.
const (
	MaxName  = 255
	MaxPath  = 1024
	MaxDepth = 64
)

// Path is an absolute, canonical, NFC path. It is comparable, and the zero
// value is the root.
type Path struct {
	s string // "" for the root, else "/a/b" without a slash at the end
}

// String is the plain form: "/" or "/a/b".
func (p Path) String() string {
	if p.s == "" {
		return "/"
	}
	return p.s
}

// IsRoot tells whether p is "/".
func (p Path) IsRoot() bool { return p.s == "" }

// Name is the last element, "" for the root.
func (p Path) Name() string { return p.s[strings.LastIndexByte(p.s, '/')+1:] }

// Parent is the folder that holds p; the root is its own parent.
func (p Path) Parent() Path {
	if p.s == "" {
		return p
	}
	return Path{p.s[:strings.LastIndexByte(p.s, '/')]}
}

// Top is the first element, the workspace's name; "" for the root.
func (p Path) Top() string {
	if p.s == "" {
		return ""
	}
	name, _, _ := strings.Cut(p.s[1:], "/")
	return name
}

// Tail is p without its first element: the path inside the workspace.
func (p Path) Tail() Path {
	if p.s == "" {
		return p
	}
	return Path{p.s[1+len(p.Top()):]}
}

// Depth counts the elements; the root has none.
func (p Path) Depth() int { return strings.Count(p.s, "/") }

// Contains tells whether q is p or lies below it, judged by whole elements:
// /a contains /a/b and not /ab.
func (p Path) Contains(q Path) bool {
	rest, ok := strings.CutPrefix(q.s, p.s)
	return ok && (rest == "" || rest[0] == '/')
}

// Child is the path of a name inside p. The name is judged as in Parse.
func (p Path) Child(name string) (Path, error) {
	name, err := cleanName(name)
	if err != nil {
		return Path{}, err
	}
	return checked(p.s + "/" + name)
}

// Join puts q below p.
func (p Path) Join(q Path) (Path, error) { return checked(p.s + q.s) }

// Under is q's path as seen from p: /a/b/c under /a is /b/c. It is false where
// p does not contain q.
func (p Path) Under(q Path) (Path, bool) {
	if !p.Contains(q) {
		return Path{}, false
	}
	return Path{q.s[len(p.s):]}, true
}

// Ancestors yields p, then each folder above it, and the root last.
func (p Path) Ancestors() iter.Seq[Path] {
	return func(yield func(Path) bool) {
		for {
			if !yield(p) || p.s == "" {
				return
			}
			p = p.Parent()
		}
	}
}

// Elements yields the names from the top down.
func (p Path) Elements() iter.Seq[string] {
	return func(yield func(string) bool) {
		for rest := p.s; rest != ""; {
			name, more, found := strings.Cut(rest[1:], "/")
			if !yield(name) || !found {
				return
			}
			rest = rest[len(rest)-len(more)-1:]
		}
	}
}

// Compare orders paths so that a folder comes right before what lies in it.
func (p Path) Compare(q Path) int {
	a, b := p.s, q.s
	for i := 0; i < len(a) && i < len(b); i++ {
		if a[i] == b[i] {
			continue
		}
		if a[i] == '/' {
			return -1
		}
		if b[i] == '/' {
			return 1
		}
		return int(a[i]) - int(b[i])
	}
	return len(a) - len(b)
}

// Escaped is the percent-encoded form for an href.
func (p Path) Escaped() string { return Escape(p.String()) }

// Escape encodes a plain path for an href: all but the slash and the unreserved
// characters of RFC 3986 §2.3 are encoded, with upper-case digits, because old
// gvfs compares hrefs byte by byte.
func Escape(s string) string {
	const hex = "0123456789ABCDEF"
	plain := 0
	for i := range len(s) {
		if unreserved(s[i]) {
			plain++
		}
	}
	if plain == len(s) {
		return s
	}
	b := make([]byte, 0, plain+3*(len(s)-plain))
	for i := range len(s) {
		if c := s[i]; unreserved(c) {
			b = append(b, c)
		} else {
			b = append(b, '%', hex[c>>4], hex[c&15])
		}
	}
	return string(b)
}

func unreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		c == '/' || c == '-' || c == '.' || c == '_' || c == '~'
}
