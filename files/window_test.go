package files_test

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/fault"
	"portico/files"
	"portico/store"
	"portico/vpath"
)

// Each thing has its own name in the window, with a number where an older one has
// it, whatever else is given or ends.
func TestNamesOfMounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{quiet: true})
	w.seed("ann", "/firm/a/Acme/1", "/firm/b/acme/2", "/firm/c/Acme/3", "/firm/c/deed.v2.pdf", "/firm/d/deed.v2.pdf", "/lab/z")
	give := func(p string) store.Grant {
		t.Helper()
		w.clock.add(time.Second)
		return w.as("root").give(p, eve, "viewer").grant()
	}
	first := give("/firm/a/Acme")
	give("/firm/b/acme")
	third := give("/firm/c/Acme")
	give("/firm/d/deed.v2.pdf")
	give("/firm/c/deed.v2.pdf")
	give("/lab")
	guest := w.outside(eve)
	guest.sees("/", "/Acme", "/Acme (3)", "/acme (2)", "/deed.v2 (2).pdf", "/deed.v2.pdf", "/lab")
	guest.sees("/Acme", "/Acme/1")
	guest.sees("/acme (2)", "/acme (2)/2")
	guest.get("/Acme (3)/3").ok()
	if got := guest.get("/deed.v2.pdf").ok().body; got != "/firm/d/deed.v2.pdf" {
		t.Errorf("the older one is %q", got)
	}
	guest.get("/ACME/1").want(fs.ErrNotExist)
	guest.get("/a/Acme/1").want(fs.ErrNotExist)
	guest.get("/firm/a/Acme/1").want(fs.ErrNotExist)
	if at, ok := guest.window().Share(third.ID); !ok || at != vpath.Must("/Acme (3)") {
		t.Errorf("the third share is at %s, %v", at, ok)
	}
	// A second share of one thing is no second mount.
	twice := w.as("ann").give("/firm/a/Acme", eve, "viewer")
	twice.want(fs.ErrPermission)
	w.grant("/", "meg", "manager")
	again := w.as("meg").give("/firm/a/Acme", eve, "depositor").grant()
	mounts := guest.window().Mounts()
	if len(mounts) != 6 || mounts[0].Name != "Acme" || !slices.Contains(mounts[0].Rights, "create") || !mounts[0].Dir {
		t.Errorf("mounts %+v", mounts)
	}
	if a, _ := guest.window().Share(again.ID); a != vpath.Must("/Acme") {
		t.Errorf("the second share of Acme is at %s", a)
	}
	w.as("root").withdraw(first.ID).ok()
	if at, ok := guest.window().Share(first.ID); ok {
		t.Errorf("a share that ended is at %s", at)
	}
}

// What is not there is left out, and so is what another tool has put in its place.
func TestMountsThatAreNotThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{quiet: true})
	w.seed("ann", "/firm/d/x", "/firm/f")
	w.as("root").give("/firm/d", eve, "viewer").ok()
	w.as("root").give("/firm/f", eve, "viewer").ok()
	w.outside(eve).sees("/", "/d", "/f")
	w.remove("/firm/f")
	w.remove("/firm/d/x")
	w.remove("/firm/d")
	w.outside(eve).sees("/")
	w.seed("ann", "/firm/f/pay.txt", "/firm/d")
	w.outside(eve).sees("/")
	w.outside(eve).get("/f/pay.txt").want(fs.ErrNotExist)
	w.outside(eve).get("/d").want(fs.ErrNotExist)
}

// A share of one file opens no sibling, by whatever way (THREATS.md row 39).
func TestAFileOpensNoSibling(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{quiet: true})
	w.seed("ann", "/firm/c/a.txt", "/firm/c/b.txt")
	w.as("root").give("/firm/c/a.txt", "link:7", "depositor").ok()
	v := w.visitor("7", "vic")
	v.sees("/", "/a.txt")
	v.get("/a.txt").ok()
	for _, p := range []string{"/b.txt", "/a.txt/b.txt", "/c/b.txt", "/c", "/firm/c/b.txt"} {
		v.get(p).want(fs.ErrNotExist)
		v.ls(p).want(fs.ErrNotExist)
		v.stat(p).want(fs.ErrNotExist)
		v.cp(p, "/a.txt/x").want(fs.ErrNotExist)
	}
	v.put("/b.txt", "x").want(fs.ErrPermission)
	v.put("/a.txt/b.txt", "x").want(fault.ErrNoParent)
	v.put("/a.txt", "a new version").ok() // what it was shared for
	w.visitor("8", "vic").sees("/")
	w.has("/firm/c", "a.txt=a new version", "b.txt=/firm/c/b.txt")
}

// What was given can be neither deleted nor renamed nor replaced by its recipient,
// as itself or as part of something else; and nothing is put beside it.
func TestAMountStays(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{quiet: true})
	w.seed("contact:x", "/firm/d/e/x")
	w.seed("ann", "/firm/f")
	guest := w.outside(eve)
	guest.p = files.Contact(files.Outsider{ID: id("contact:x"), Mail: "eve@client.example", Name: "Eve"}) // who made it
	for _, p := range []string{"/firm/d", "/firm/d/e", "/firm/f"} {
		w.as("root").give(p, eve, "depositor").ok()
		w.clock.add(time.Second)
	}
	before := w.dump()
	for _, p := range []string{"/", "/d", "/e", "/f", "/d/e"} {
		guest.rm(p).want(fs.ErrPermission)
		guest.mv(p, "/d/new").want(fs.ErrPermission)
		guest.cp("/e/x", p).want(fs.ErrPermission)
		guest.mv("/e/x", p).want(fs.ErrPermission)
	}
	guest.rm("/none").want(fs.ErrNotExist)
	guest.mv("/e", "/new").want(fs.ErrPermission)
	guest.mkdir("/new").want(fs.ErrPermission)
	guest.mkdir("/d").want(fs.ErrExist)
	guest.mkdir("/").want(fs.ErrExist)
	guest.put("/new", "x").want(fs.ErrPermission)
	guest.lockIt("/new").want(fs.ErrPermission)
	guest.lockIt("/").want(fault.ErrConflict)
	if after := w.dump(); after != before {
		t.Errorf("something changed:\n%s", cmp.Diff(before, after))
	}
	if words := guest.window().Rights(vpath.Must("/d")); slices.Contains(words, "delete:own") {
		t.Errorf("a mount may be %q", words)
	}
	if words := guest.window().Rights(vpath.Must("/d/e/x")); !slices.Contains(words, "delete:own") || slices.Contains(words, "delete") {
		t.Errorf("a file may be %q", words)
	}
	if words := guest.window().Rights(vpath.Must("/none")); words != nil {
		t.Errorf("nothing may be %q", words)
	}
}

// Two who drop things into one folder see nothing of each other, and both find a
// free name; the folder's own times tell nothing.
func TestABlindDrop(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{quiet: true})
	w.seed("ann", "/firm/Drop2/old.pdf")
	w.as("root").give("/firm/Drop2", eve, "inbox").ok()
	w.as("root").give("/firm/Drop2", gus, "inbox").ok()
	a, b := w.outside(eve), w.outside(gus)
	a.sees("/", "/Drop2")
	was := a.stat("/Drop2").ok().node
	w.clock.add(time.Hour)
	if n := b.put("/Drop2/old.pdf", "b").ok().node; n.Path != vpath.Must("/Drop2/old.pdf") {
		t.Errorf("dropped as %s", n.Path)
	}
	a.put("/Drop2/old.pdf", "a").ok()
	b.mkdir("/Drop2/sub").ok()
	a.sees("/Drop2")
	b.sees("/Drop2")
	now := a.stat("/Drop2").ok().node
	if diff := cmp.Diff(was, now, cmp.AllowUnexported(vpath.Path{})); diff != "" {
		t.Errorf("the folder tells of others:\n%s", diff)
	}
	for _, p := range []string{"/Drop2/old.pdf", "/Drop2/old (2).pdf", "/Drop2/old (3).pdf", "/Drop2/none"} {
		a.get(p).want(fs.ErrNotExist)
		a.rm(p).want(fs.ErrNotExist)
		a.mv(p, "/Drop2/x").want(fs.ErrNotExist)
	}
	a.lockIt("/Drop2/x").want(fs.ErrPermission)
	if got := w.tree("/firm/Drop2"); len(got) != 4 {
		t.Errorf("the folder holds %q", got)
	}
}

// Two visitors of one link do not own each other's; strangers own nothing.
func TestVisitorsOfALink(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{quiet: true})
	w.seed("ann", "/firm/d/")
	w.as("root").give("/firm/d", "link:7", "depositor").ok()
	vic, val, nobody := w.visitor("7", "vic"), w.visitor("7", "val"), w.visitor("7", "")
	vic.put("/d/vic.txt", "x").ok()
	nobody.put("/d/no.txt", "x").ok()
	val.rm("/d/vic.txt").want(fs.ErrPermission)
	nobody.rm("/d/vic.txt").want(fs.ErrPermission)
	nobody.rm("/d/no.txt").want(fs.ErrPermission)
	val.rm("/d/no.txt").want(fs.ErrPermission)
	vic.lockIt("/d/vic.txt").ok()
	locked, ok := errors.AsType[*files.LockedError](val.put("/d/vic.txt", "y").err)
	if !ok || locked.Holder != "somebody" || locked.Path != vpath.Must("/d/vic.txt") {
		t.Errorf("the lock in the way is %+v", locked)
	}
	w.as("ann").mkdir("/firm/e").ok()
	for _, by := range []string{"link:7/vic", "link:7"} {
		if !slices.ContainsFunc(w.as("root").ls("/firm/d").ok().list, func(n files.Node) bool { return n.By == by }) {
			t.Errorf("nothing is by %s", by)
		}
	}
	for _, n := range vic.ls("/d").ok().list {
		if n.By != "" {
			t.Errorf("%s tells that it is by %s", n.Path, n.By)
		}
	}
}

// Conditions and locks speak of the window's paths.
func TestLocksInAWindow(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{quiet: true})
	w.seed("ann", "/firm/p/d/x", "/firm/p/d/y")
	w.as("root").give("/firm/p/d", eve, "depositor").ok()
	guest := w.outside(eve)
	l := guest.lockIt("/d/x").ok().lock
	if l.Root != vpath.Must("/d/x") || l.Token == "" {
		t.Fatalf("lock %+v", l)
	}
	win := guest.window()
	x, put := vpath.Must("/d/x"), func(p string, g files.Guard) error {
		_, _, err := win.Put(t.Context(), vpath.Must(p), strings.NewReader("new"), files.PutOptions{Size: 3, Guard: g})
		return err
	}
	if err := put("/d/x", files.Guard{}); !errors.Is(err, fault.ErrLocked) {
		t.Errorf("put without the token: %v", err)
	}
	if err := put("/d/x", tagged("/d/x", l.Token)); err != nil {
		t.Errorf("put with a tag of the window: %v", err)
	}
	if err := put("/d/y", tagged("/firm/p/d/x", l.Token)); !errors.Is(err, fault.ErrPrecondition) {
		t.Errorf("put with a tag of the firm: %v", err)
	}
	if err := win.Check(t.Context(), vpath.Must("/"), tagged("/d/x", l.Token)); err != nil {
		t.Errorf("check: %v", err)
	}
	if err := win.Check(t.Context(), vpath.Must("/none"), with(l.Token)); !errors.Is(err, fault.ErrPrecondition) {
		t.Errorf("check of nothing: %v", err)
	}
	if _, err := win.Refresh(t.Context(), x, files.LockOptions{Guard: with(l.Token)}); err != nil {
		t.Errorf("refresh: %v", err)
	}
	if err := win.PatchProps(t.Context(), x, []files.PropChange{color("red")}, with(l.Token)); err != nil {
		t.Errorf("patch: %v", err)
	}
	if err := win.Unlock(t.Context(), x, l.Token); err != nil {
		t.Errorf("unlock: %v", err)
	}
	// A lock of the firm's on a folder above lies on the mount.
	w.as("ann").lock("/firm/p", infinite).ok()
	list := guest.ls("/d").ok().list
	if len(list) != 2 || len(list[0].Locks) != 1 || list[0].Locks[0].Root != vpath.Must("/d") || list[0].Locks[0].Holder != "ANN" {
		t.Errorf("shown: %+v", list)
	}
	locked, ok := errors.AsType[*files.LockedError](guest.put("/d/x", "z").err)
	if !ok || locked.Path != vpath.Must("/d/x") {
		t.Errorf("the lock in the way is %+v", locked)
	}
	if q, err := win.Quota(t.Context(), x); err != nil || q.Used != -1 {
		t.Errorf("quota %+v, %v", q, err)
	}
}
