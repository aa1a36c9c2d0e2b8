package files_test

import (
	"io/fs"
	"slices"
	"strings"
	"testing"

	"portico/backends/mem"
	"portico/files"
)

// roleRights is the table of DESIGN.md §5, in its own words.
var roleRights = map[string]string{
	"viewer":      "list read",
	"commenter":   "list read comment",
	"inbox":       "create",
	"depositor":   "list read comment create write delete:own",
	"contributor": "list read comment create write:own delete:own",
	"member":      "list:own read:own comment create write:own delete:own share:own",
	"editor":      "list read comment create write delete",
	"manager":     "list read comment create write delete share invite",
	"coadmin":     "list read comment create write:own delete share invite grant",
	"admin":       "list read comment create write delete share invite grant audit settings",
	"owner":       "list read comment create write delete share grant invite audit settings transfer",
}

// holder is somebody with one role on all of /firm.
type holder struct{ rights []string }

func (h holder) may(right string, mine bool) bool {
	return slices.Contains(h.rights, right) || mine && slices.Contains(h.rights, right+":own")
}

func (h holder) sees(mine bool) bool { return h.may("list", mine) || h.may("read", mine) }

// seesFolder asks for any creator.
func (h holder) seesFolder() bool { return h.may("list", true) || h.may("read", false) }

// use is what an existing file's operation answers.
func (h holder) use(mine bool, rights ...string) error {
	for _, r := range rights {
		if !h.may(r, mine) {
			if h.sees(mine) {
				return fs.ErrPermission
			}
			return fs.ErrNotExist
		}
	}
	return nil
}

// make is what an operation on a free name in a folder below the grant answers.
func (h holder) make() error {
	switch {
	case h.may("create", false):
		return nil
	case h.seesFolder():
		return fs.ErrPermission
	}
	return fs.ErrNotExist
}

// replace is PUT on a file that exists: who may create and sees nothing gets a
// free name, who may create and does not see this one is told to choose another.
func (h holder) replace(mine bool) error {
	switch {
	case h.sees(mine):
		return h.use(mine, "write")
	case h.may("create", false) && !h.sees(true):
		return nil
	case h.may("create", false):
		return fs.ErrPermission
	}
	return h.make()
}

func either(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// operation is one row of the table of DESIGN.md §5.
type operation struct {
	name string
	do   func(u *user) *outcome
	want func(h holder) error
}

func operations() []operation {
	const mine, theirs, dir = "/firm/dir/mine.txt", "/firm/dir/theirs.txt", "/firm/dir"
	return []operation{
		{"get own", func(u *user) *outcome { return u.get(mine) }, func(h holder) error { return h.use(true, "read") }},
		{"get other", func(u *user) *outcome { return u.get(theirs) }, func(h holder) error { return h.use(false, "read") }},
		{"stat own", func(u *user) *outcome { return u.stat(mine) }, func(h holder) error { return h.seen(true) }},
		{"put new", func(u *user) *outcome { return u.put("/firm/dir/new.txt", "n") }, holder.make},
		{"put own", func(u *user) *outcome { return u.put(mine, "n") }, func(h holder) error { return h.replace(true) }},
		{"put other", func(u *user) *outcome { return u.put(theirs, "n") }, func(h holder) error { return h.replace(false) }},
		{"mkdir", func(u *user) *outcome { return u.mkdir("/firm/dir/sub") }, holder.make},
		{"delete own", func(u *user) *outcome { return u.rm(mine) }, func(h holder) error {
			return either(h.seen(true), h.use(true, "delete"))
		}},
		{"delete other", func(u *user) *outcome { return u.rm(theirs) }, func(h holder) error {
			return either(h.seen(false), h.use(false, "delete"))
		}},
		{"delete folder", func(u *user) *outcome { return u.rm(dir) }, func(h holder) error {
			if !h.seesFolder() {
				return fs.ErrNotExist
			}
			if !h.may("delete", false) {
				return fs.ErrPermission
			}
			return nil
		}},
		{"copy to new", func(u *user) *outcome { return u.cp(mine, "/firm/dir/new.txt") }, func(h holder) error {
			return either(h.use(true, "read"), h.make())
		}},
		{"copy over other", func(u *user) *outcome { return u.cp(mine, theirs) }, func(h holder) error {
			return either(h.use(true, "read"), h.replace(false))
		}},
		{"move to new", func(u *user) *outcome { return u.mv(mine, "/firm/dir/new.txt") }, func(h holder) error {
			return either(h.use(true, "read", "delete"), h.make())
		}},
		{"move other", func(u *user) *outcome { return u.mv(theirs, "/firm/dir/new.txt") }, func(h holder) error {
			return either(h.use(false, "read", "delete"), h.make())
		}},
		{"move over other", func(u *user) *outcome { return u.mv(mine, theirs) }, func(h holder) error {
			return either(h.use(true, "read", "delete"), h.replace(false))
		}},
		{"patch own", func(u *user) *outcome { return u.patch(mine, files.Guard{}, color("red")) }, func(h holder) error {
			return either(h.seen(true), h.use(true, "write"))
		}},
		{"patch other", func(u *user) *outcome { return u.patch(theirs, files.Guard{}, color("red")) }, func(h holder) error {
			return either(h.seen(false), h.use(false, "write"))
		}},
		{"lock own", func(u *user) *outcome { return u.lock(mine) }, func(h holder) error { return h.lock(true, true) }},
		{"lock other", func(u *user) *outcome { return u.lock(theirs) }, func(h holder) error { return h.lock(false, true) }},
		{"lock free name", func(u *user) *outcome { return u.lock("/firm/dir/new.txt") }, func(h holder) error { return h.lock(true, false) }},
	}
}

// seen is for operations that ask first whether the thing is seen.
func (h holder) seen(mine bool) error {
	if !h.sees(mine) {
		return fs.ErrNotExist
	}
	return nil
}

// lock: one who drops blindly cannot lock anything, be it there or not.
func (h holder) lock(mine, exists bool) error {
	if h.may("create", false) && !h.sees(true) {
		return fs.ErrPermission
	}
	if exists {
		return h.replace(mine)
	}
	return h.make()
}

func TestEveryRoleAndOperation(t *testing.T) {
	t.Parallel()
	for role, words := range roleRights {
		t.Run(role, func(t *testing.T) {
			t.Parallel()
			h := holder{strings.Fields(words)}
			state := openState(t)
			for _, op := range operations() {
				w := newWorld(t, options{shape: mem.Objects, shared: cleared(t, state), rules: `
workspaces:
  firm: {folders: {/: {grant: {"user:pat": ` + role + `}}}}
`})
				w.seed("pat", "/firm/dir/", "/firm/dir/mine.txt")
				w.seed("eve", "/firm/dir/theirs.txt")
				got := op.do(w.as("pat"))
				if want := op.want(h); want != nil {
					got.want(want)
				} else {
					got.ok()
				}
				w.as("nobody").get("/firm/dir/mine.txt").want(fs.ErrNotExist)
			}
		})
	}
}
