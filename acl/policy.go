package acl

import (
	"errors"
	"fmt"
	"slices"

	"portico/vpath"
)

// Policy is a Spec made ready for questions. It never changes, so that any
// number of requests may use it at once.
type Policy struct {
	roster roster
	of     map[Subject]*rules    // by whom they name
	at     map[vpath.Path]*rules // by where they stand
	cuts   map[vpath.Path]Source // folders with inherit: false
	pins   map[vpath.Path]pin    // folders with a rule in the config, and all above them
	folded map[string]vpath.Path // the former alone, by the key under which twins meet
}

// rules are those that share a subject or a place.
type rules struct {
	grants []Grant
	denies []Deny
}

// pin is the rule of the config that keeps a folder where it is.
type pin struct {
	folder vpath.Path
	at     Source
}

// Compile makes a policy; it keeps no slice of spec. It reports at once all
// faults that would make a rule something that its writer did not mean.
func Compile(spec Spec) (*Policy, error) {
	if faults := check(spec); len(faults) > 0 {
		return nil, fmt.Errorf("acl: compile: %w", errors.Join(faults...))
	}
	p := &Policy{
		roster: newRoster(spec.Groups),
		of:     map[Subject]*rules{},
		at:     map[vpath.Path]*rules{},
		cuts:   map[vpath.Path]Source{},
		pins:   map[vpath.Path]pin{},
		folded: map[string]vpath.Path{},
	}
	for _, f := range spec.Folders {
		p.pin(f.Path, f.At)
		if !f.Inherit {
			p.cuts[f.Path] = f.At
		}
	}
	for _, g := range spec.Grants {
		for _, rs := range []*rules{entry(p.of, g.Subject), entry(p.at, g.Path)} {
			rs.grants = append(rs.grants, g)
		}
		if g.At != (Source{}) { // those of the state store follow the folder that they stand on
			p.pin(g.Path, g.At)
		}
	}
	// Denies come from the config alone: a share could otherwise shut out those
	// who gave it.
	for _, d := range spec.Denies {
		for _, rs := range []*rules{entry(p.of, d.Subject), entry(p.at, d.Path)} {
			rs.denies = append(rs.denies, d)
		}
		p.pin(d.Path, d.At)
	}
	return p, nil
}

// entry is m[k], made if it is not there.
func entry[K comparable](m map[K]*rules, k K) *rules {
	if m[k] == nil {
		m[k] = &rules{}
	}
	return m[k]
}

// pin notes that the config speaks of folder. A folder's own rule goes before
// one further down.
func (p *Policy) pin(folder vpath.Path, at Source) {
	for q := range folder.Ancestors() {
		if have, known := p.pins[q]; !known || q == folder && have.folder != folder {
			p.pins[q] = pin{folder, at}
		}
	}
	p.folded[vpath.Fold(folder.String())] = folder
}

// Pinned tells whether path must stay where it is: it is a workspace's root, or
// a rule of the config stands on it or beneath it. The rule's place and folder
// are for an admin: whoever asks may not be allowed to see that folder.
func (p *Policy) Pinned(path vpath.Path) (Source, vpath.Path, bool) {
	if pin, ok := p.pins[path]; ok {
		return pin.at, pin.folder, true
	}
	return Source{}, path, path.Depth() <= 1
}

// Twin finds the folder with a rule in the config from which path differs only
// in case. Nothing may be made under such a name: Windows and macOS would open
// the one for the other, and rules speak of one alone.
func (p *Policy) Twin(path vpath.Path) (vpath.Path, bool) {
	folder, ok := p.folded[vpath.Fold(path.String())]
	if own, ruled := p.pins[path]; !ok || ruled && own.folder == path {
		return vpath.Path{}, false
	}
	return folder, true
}

// check finds the faults of a spec.
func check(spec Spec) []error {
	var faults []error
	refuse := func(at Source, format string, args ...any) {
		err := fmt.Errorf(format, args...)
		if at != (Source{}) {
			err = fmt.Errorf("%s: %w", at, err)
		}
		faults = append(faults, err)
	}
	place := func(at Source, path vpath.Path, who Subject) {
		if path.IsRoot() {
			refuse(at, "a rule on / would hold in no workspace; name a folder in one, such as /firm")
		}
		if who == "" {
			refuse(at, "the rule on %s names nobody; write user:LOGIN, group:NAME or everyone", path)
		}
	}
	for _, f := range spec.Folders {
		place(f.At, f.Path, Everyone)
	}
	for _, g := range spec.Grants {
		place(g.At, g.Path, g.Subject)
		// Rule 2 goes by the name, so the name must not stand for anything else.
		if g.Role.Name == ownerRole && g.Role.Rights.whole != everyRight {
			refuse(g.At, "the role owner on %s does not hold all rights; use the built-in one", g.Path)
		}
	}
	for _, d := range spec.Denies {
		place(d.At, d.Path, d.Subject)
		// It would look as if read:own were denied and read left, and nobody could
		// say what that means.
		if d.Rights.own != 0 {
			refuse(d.At, "the deny on %s names %s; a deny takes a right as a whole, so leave :own out", d.Path, d.Rights)
		}
	}
	return faults
}

// Named are all whom a grant of the config names at path or above it, each once,
// the nearest folder's first. Where rules above are hidden, some of them hold
// nothing there.
func (p *Policy) Named(path vpath.Path) []Subject {
	var list []Subject
	for q := path; !q.IsRoot(); q = q.Parent() {
		at := p.at[q]
		if at == nil {
			continue
		}
		for _, g := range at.grants {
			if !slices.Contains(list, g.Subject) {
				list = append(list, g.Subject)
			}
		}
	}
	return list
}
