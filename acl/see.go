package acl

import (
	"slices"

	"portico/vpath"
)

// SeesFolder tells whether the principal may know that there is a folder at
// path: they hold list, list:own or read on it, or a grant that leaves them any
// right sits at it or beneath it. "/" is visible to all.
//
// The question has no creator, so list counts here if there is any creator for
// whom the principal would hold it.
func (v *View) SeesFolder(path vpath.Path) bool {
	if _, shown := v.shown[path]; shown || path.IsRoot() {
		return true
	}
	st := v.stand(0, path, v.crowd[0].who.ID)
	if st.held&bit(List) != 0 || v.held(0, path, "")&bit(Read) != 0 {
		return true
	}
	return st.shares && v.anyCreator(func(creator string) bool { return v.held(0, path, creator)&bit(List) != 0 })
}

// SeesFile tells whether the principal may know that there is a file at path:
// they hold list or read on it, or a grant at the file itself gives them any
// right. creator is as for Decide.
func (v *View) SeesFile(path vpath.Path, creator string) bool {
	st := v.judge(0, path, creator)
	return st.held&(bit(List)|bit(Read)) != 0 || st.here != 0
}

// SeesAll tells whether the principal may list and read everything in the
// workspace at root, and so may know its size. It takes no account of what they
// created, and answers no where the rules leave doubt.
func (v *View) SeesAll(root vpath.Path) bool {
	const both = 1<<List | 1<<Read
	all := func(path vpath.Path) bool { return v.held(0, path, "")&both == both }
	if !all(root) || v.crowd[0].owns[root.Top()] {
		return all(root)
	}
	// Going down a path, rights are lost only where something hides or denies.
	for path := range v.policy.cuts {
		if root.Contains(path) && !all(path) {
			return false
		}
	}
	for i := range v.crowd {
		for path, n := range v.crowd[i].at {
			if n.deny != 0 && root.Contains(path) && !all(path) {
				return false
			}
		}
	}
	return true
}

// anyCreator tries all creators that can make a difference.
func (v *View) anyCreator(ok func(creator string) bool) bool {
	return slices.ContainsFunc(v.creators, ok)
}
