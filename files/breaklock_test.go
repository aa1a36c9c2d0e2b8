package files_test

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"time"

	"portico/audit"
	"portico/fault"
	"portico/files"
	"portico/vpath"
)

func (u *user) breakLock(p, id string) *outcome {
	u.w.Helper()
	return u.act("break lock "+p, func(t *files.Tree, o *outcome) (err error) {
		o.lock, err = t.BreakLock(u.ctx, vpath.Must(p), id)
		return err
	})
}

// lockOn is the lock on p as somebody sees it.
func (u *user) lockOn(p string) files.Lock {
	u.w.Helper()
	locks := u.find(p).ok().node.Locks
	if len(locks) != 1 {
		u.w.Fatalf("locks on %s: %+v", p, locks)
	}
	return locks[0]
}

// TestBreakLock: a lock is ended by its holder and by who may give access, and by
// nobody else; the audit tells whose it was.
func TestBreakLock(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	w.seed("ann", "/firm/x", "/firm/y")
	ann, root, bob, tom := w.as("ann"), w.as("root"), w.as("bob"), w.as("tom")
	token := ann.lock("/firm/x").ok().lock.Token
	seen := root.lockOn("/firm/x")
	if seen.Token != "" || seen.ID == "" || seen.ID == token || !seen.Since.Equal(w.clock.Now()) || seen.Holder != "ANN" {
		t.Errorf("root sees %+v", seen)
	}
	for _, u := range []*user{bob, tom} {
		u.breakLock("/firm/x", seen.ID).want(fs.ErrPermission)
		u.breakLock("/firm/y", seen.ID).want(fs.ErrNotExist)
		u.breakLock("/firm/x", token).want(fs.ErrNotExist) // the token is no ID
	}
	for _, u := range []*user{root, ann} {
		u.breakLock("/firm/none", seen.ID).want(fs.ErrNotExist)
	}
	w.as("stranger").breakLock("/firm/x", seen.ID).want(fs.ErrNotExist)
	w.as("hal").breakLock("/firm/x", seen.ID).want(fs.ErrNotExist)
	ann.put("/firm/x", "1", putIf(with(token))).ok() // it stands

	if ended := root.breakLock("/firm/x", seen.ID).ok().lock; ended.ID != seen.ID || ended.Root != vpath.Must("/firm/x") || ended.Holder != "ANN" || ended.Token != "" {
		t.Errorf("root is told of %+v", ended)
	}
	last := w.rec.Appended()[len(w.rec.Appended())-1]
	if last.Action != audit.Unlock || last.Path != "/firm/x" || last.Dest == "" || last.Dest == last.Actor.ID || !last.Allowed {
		t.Errorf("the audit has %+v", last)
	}
	root.put("/firm/x", "2").ok()
	ann.put("/firm/x", "3", putIf(with(token))).want(fault.ErrPrecondition)             // its program is told
	if again := root.breakLock("/firm/x", seen.ID).ok().lock; again != (files.Lock{}) { // twice is no error
		t.Errorf("root is told of %+v, which had ended", again)
	}

	ann.lock("/firm/y").ok()
	ann.breakLock("/firm/y", ann.lockOn("/firm/y").ID).ok() // her own, from a browser
	bob.put("/firm/y", "1").want(fs.ErrPermission)
}

// TestLocksBelow: who holds grant sees what is locked, but for what is hidden from them.
func TestLocksBelow(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	w.seed("ann", "/firm/a/x", "/firm/b")
	w.seed("hal", "/firm/HR/pay")
	w.as("ann").lock("/firm/a/x").ok()
	w.as("root").lock("/firm/b").ok()
	w.as("hal").lock("/firm/HR/pay").ok()
	list := func(who, p string) (paths []string, err error) {
		u := w.as(who)
		locks, err := u.tree().LocksBelow(u.ctx, vpath.Must(p))
		for _, l := range locks {
			paths = append(paths, l.Root.String()+" "+l.Holder)
		}
		return paths, err
	}
	if got, err := list("root", "/firm/a"); err != nil || len(got) != 1 || got[0] != "/firm/a/x ANN" {
		t.Errorf("below /firm/a: %q, %v", got, err)
	}
	if got, err := list("hal", "/firm/HR"); err != nil || len(got) != 1 || got[0] != "/firm/HR/pay HAL" {
		t.Errorf("below /firm/HR: %q, %v", got, err)
	}
	for who, want := range map[string]error{"ann": fs.ErrPermission, "bob": fs.ErrPermission, "stranger": fs.ErrNotExist} {
		if got, err := list(who, "/firm"); !errors.Is(err, want) || got != nil {
			t.Errorf("%s sees %q, %v; want %v", who, got, err, want)
		}
	}
}

// TestLocksFromAbove: a lock on a folder above keeps people out as one in the folder
// does, and is in the list; one that does not reach down, or lies beside it, is not.
func TestLocksFromAbove(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	w.seed("ann", "/firm/a/b/x", "/firm/a/c/y", "/firm/e/z")
	ann := w.as("ann")
	ann.lock("/firm/a/b/x", sharedly).ok()
	ann.lock("/firm/a/b", sharedly, infinite).ok()
	ann.lock("/firm/a", sharedly, infinite).ok()
	ann.lock("/firm/a/c", sharedly, infinite).ok()
	ann.lock("/firm/e", sharedly).ok()
	root := w.as("root")
	for p, want := range map[string]string{
		"/firm/a/b": "/firm/a /firm/a/b /firm/a/b/x", "/firm/a/b/x": "/firm/a /firm/a/b /firm/a/b/x", "/firm/e/z": "",
		"/firm/a/c/y": "/firm/a /firm/a/c", "/firm": "/firm/a /firm/a/b /firm/a/b/x /firm/a/c /firm/e",
	} {
		locks, err := root.tree().LocksBelow(t.Context(), vpath.Must(p))
		var roots []string
		for _, l := range locks {
			roots = append(roots, l.Root.String())
		}
		if got := strings.Join(roots, " "); err != nil || got != want {
			t.Errorf("%s is locked by %q, %v; want %q", p, got, err, want)
		}
	}
}

// TestSinceWhenItIsLocked: the refusal names the holder, and since when.
func TestSinceWhenItIsLocked(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	w.seed("ann", "/firm/x")
	w.as("ann").lock("/firm/x").ok()
	since := w.clock.Now()
	w.clock.add(5 * time.Minute)
	_, _, err := w.as("root").tree().Put(t.Context(), vpath.Must("/firm/x"), strings.NewReader("1"), files.PutOptions{Size: 1})
	if l, ok := errors.AsType[*files.LockedError](err); !ok || !l.Named() || !l.Since.Equal(since) {
		t.Errorf("error %#v", err)
	}
}
