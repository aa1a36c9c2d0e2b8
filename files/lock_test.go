package files_test

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"time"

	"portico/fault"
	"portico/files"
	"portico/vpath"
)

func TestLock(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *onShape) {
		w := newWorld(t, options{shape: t.shape})
		w.seed("ann", "/firm/x", "/firm/d/y")
		ann, root := w.as("ann"), w.as("root")
		l := ann.lock("/firm/x", infinite).ok().lock
		if !strings.HasPrefix(l.Token, "opaquelocktoken:") || l.Infinite || l.Holder != "ANN" || l.OwnerXML != "<o/>" || l.Timeout != files.DefaultLock {
			t.Errorf("lock %+v", l)
		}
		// Every change by another, or without the token, is refused.
		for _, u := range []*user{ann, root} {
			u.put("/firm/x", "1").want(fault.ErrLocked)
			u.rm("/firm/x").want(fault.ErrLocked)
			u.mv("/firm/x", "/firm/z").want(fault.ErrLocked)
			u.cp("/firm/d/y", "/firm/x").want(fault.ErrLocked)
			u.mv("/firm/d/y", "/firm/x").want(fault.ErrLocked)
			u.patch("/firm/x", files.Guard{}, color("red")).want(fault.ErrLocked)
			u.lock("/firm/x").want(fault.ErrLocked)
			u.lock("/firm/x", sharedly).want(fault.ErrLocked)
			u.cp("/firm/x", "/firm/copy").ok() // a copy reads
		}
		o := root.put("/firm/x", "1", putIf(with(l.Token))).want(fault.ErrLocked)
		if e, ok := errors.AsType[*files.LockedError](o.err); !ok || e.Holder != "ANN" || e.Path.String() != "/firm/x" || strings.Contains(o.err.Error(), l.Token) {
			t.Errorf("error %v", o.err)
		}
		ann.put("/firm/x", "2", putIf(with(l.Token))).ok()
		ann.put("/firm/x", "3", putIf(files.Guard{Tokens: []string{l.Token}})).ok() // Word sends Lock-Token alone
		root.unlock("/firm/x", l.Token).want(fs.ErrPermission)
		w.as("bob").unlock("/firm/x", l.Token).want(fs.ErrPermission)
		w.as("stranger").unlock("/firm/x", l.Token).want(fs.ErrNotExist)
		ann.unlock("/firm/d/y", l.Token).want(fault.ErrConflict)
		ann.unlock("/firm/x", "opaquelocktoken:other").want(fault.ErrConflict)
		ann.unlock("/firm/x", l.Token).ok()
		root.put("/firm/x", "4").ok()
	})
}

// M3: a token of one's own for another resource does not open a lock here.
func TestTokenOpensOnlyItsOwnLock(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	w.seed("ann", "/firm/victim", "/firm/mine")
	hers := w.as("ann").lock("/firm/victim").ok().lock.Token
	own := w.as("root").lock("/firm/mine").ok().lock.Token
	w.as("root").put("/firm/victim", "1", putIf(tagged("/firm/mine", own))).want(fault.ErrLocked)
	w.as("root").put("/firm/victim", "1", putIf(tagged("/firm/victim", hers))).want(fault.ErrLocked)
	w.as("ann").put("/firm/victim", "1", putIf(tagged("/firm/victim", hers))).ok()
	// MOVE shows two tokens in two tagged lists (WEBDAV.md 1.16).
	two := tagged("/firm/victim", hers)
	two.If = append(two.If, tagged("/firm/mine", own).If...)
	w.as("ann").mv("/firm/victim", "/firm/mine", copyIf(two)).want(fault.ErrLocked)
	w.as("root").unlock("/firm/mine", own).ok()
	own = w.as("ann").lock("/firm/mine").ok().lock.Token
	two.If = append(two.If, tagged("/firm/mine", own).If...)
	w.as("ann").mv("/firm/victim", "/firm/mine", copyIf(two)).ok()
	// The replaced file's lock stays on its path, the moved one's is gone.
	if o := w.as("ann").find("/firm/mine").ok(); len(o.node.Locks) != 1 || o.node.Locks[0].Token != own {
		t.Errorf("locks %+v", o.node.Locks)
	}
	if n, err := w.svc.Locks(t.Context()); n != 1 || err != nil {
		t.Errorf("%d locks, %v", n, err)
	}
}

func TestLockedParentsAndChildren(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *onShape) {
		w := newWorld(t, options{shape: t.shape})
		w.seed("ann", "/firm/d/x", "/firm/d/sub/y", "/firm/src/z", "/firm/f")
		ann, root := w.as("ann"), w.as("root")
		// Depth 0 on a folder protects its list of members, not what is in them (§7.4).
		zero := ann.lock("/firm/d").ok().lock.Token
		root.put("/firm/d/x", "1").ok()
		root.put("/firm/d/sub/n", "1").ok()
		for _, o := range []*outcome{
			root.put("/firm/d/n", "1"), root.mkdir("/firm/d/n"), root.rm("/firm/d/x"), root.mv("/firm/d/x", "/firm/n"),
			root.mv("/firm/f", "/firm/d/f"), root.cp("/firm/f", "/firm/d/f"), root.lock("/firm/d/n"), root.rm("/firm/d"),
			root.mv("/firm/d", "/firm/e"), root.cp("/firm/src", "/firm/d"),
		} {
			o.want(fault.ErrLocked)
		}
		ann.put("/firm/d/n", "1", putIf(tagged("/firm/d", zero))).ok()
		root.lock("/firm/d/x").ok()
		ann.unlock("/firm/d", zero).ok()

		// A lock below is in the way of all that ends it (M5).
		for _, o := range []*outcome{
			ann.rm("/firm/d"), ann.mv("/firm/d", "/firm/e"), ann.cp("/firm/src", "/firm/d"), ann.mv("/firm/src", "/firm/d"), ann.lock("/firm/d", infinite),
		} {
			o.want(fault.ErrLocked)
			if e, ok := errors.AsType[*files.LockedError](o.err); !ok || e.Path.String() != "/firm/d/x" {
				t.Errorf("%s: %v", o.what, o.err)
			}
		}
		token := root.ls("/firm/d").ok().list[2].Locks[0].Token
		root.rm("/firm/d", files.Guard{Tokens: []string{token}}).ok()
		if n, err := w.svc.Locks(t.Context()); n != 0 || err != nil {
			t.Errorf("%d locks after DELETE, %v", n, err)
		}

		// Depth infinity covers what is there and what comes.
		deep := ann.lock("/firm/src", infinite).ok().lock
		if !deep.Infinite {
			t.Errorf("lock %+v", deep)
		}
		root.put("/firm/src/z", "1").want(fault.ErrLocked)
		root.put("/firm/src/n", "1").want(fault.ErrLocked)
		root.lock("/firm/src/z").want(fault.ErrLocked)
		ann.put("/firm/src/n", "1", putIf(with(deep.Token))).ok()
		if l := ann.refresh("/firm/src/z", deep.Token).ok().lock; l.Root.String() != "/firm/src" {
			t.Errorf("refreshed %+v", l)
		}
		ann.mv("/firm/src", "/firm/moved", copyIf(with(deep.Token))).ok()
		root.put("/firm/moved/z", "1").ok()
		ann.lock("/firm").want(fault.ErrConflict)
		ann.lock("/").want(fault.ErrConflict)
	})
}

func TestSharedLocks(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	w.seed("ann", "/firm/x")
	one := w.as("ann").lock("/firm/x", sharedly).ok().lock.Token
	two := w.as("root").lock("/firm/x", sharedly).ok().lock.Token
	w.as("ann").lock("/firm/x").want(fault.ErrLocked)
	w.as("ann").put("/firm/x", "1", putIf(with(one))).ok()
	w.as("root").put("/firm/x", "1", putIf(with(two))).ok()
	w.as("root").put("/firm/x", "1", putIf(with(one))).want(fault.ErrLocked)
	w.as("ann").unlock("/firm/x", one).ok()
	w.as("ann").put("/firm/x", "1").want(fault.ErrLocked)
}

func TestLockdiscovery(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	w.seed("ann", "/firm/d/x", "/firm/d/y")
	x := w.as("ann").lock("/firm/d/x", forHours).ok().lock
	w.as("root").lock("/firm/d", infinite).want(fault.ErrLocked)
	w.clock.add(time.Minute)
	o := w.as("bob").ls("/firm/d").ok()
	if len(o.node.Locks) != 0 || len(o.list[1].Locks) != 0 || len(o.list[0].Locks) != 1 {
		t.Fatalf("locks %+v", o.list)
	}
	if l := o.list[0].Locks[0]; l.Token != "" || l.OwnerXML != "" || l.Holder != "ANN" || l.Timeout != files.MaxLock-time.Minute || l.Root.String() != "/firm/d/x" {
		t.Errorf("bob is told %+v", l)
	}
	if l := w.as("ann").find("/firm/d/x").ok().node.Locks; len(l) != 1 || l[0].Token != x.Token || l[0].OwnerXML != "<o/>" {
		t.Errorf("ann is told %+v", l)
	}
}

func TestLocksEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	w.seed("ann", "/firm/x")
	l := w.as("ann").lock("/firm/x", briefly).ok().lock
	if l.Timeout != files.MinLock {
		t.Errorf("timeout %v", l.Timeout)
	}
	w.clock.add(files.MinLock - time.Second)
	w.as("root").put("/firm/x", "1").want(fault.ErrLocked)
	if l := w.as("ann").refresh("/firm/x", l.Token).ok().lock; l.Timeout != files.MinLock || l.Token == "" {
		t.Errorf("refreshed %+v", l)
	}
	w.clock.add(files.MinLock - time.Second)
	w.as("root").put("/firm/x", "1").want(fault.ErrLocked)
	w.clock.add(2 * time.Second)
	w.as("ann").refresh("/firm/x", l.Token).want(fault.ErrPrecondition)
	w.as("root").put("/firm/x", "1").ok()
	w.as("ann").unlock("/firm/x", l.Token).want(fault.ErrConflict)
}

func TestRefresh(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	w.seed("ann", "/firm/x", "/firm/y")
	token := w.as("ann").lock("/firm/x").ok().lock.Token
	w.as("ann").refresh("/firm/y", token).want(fault.ErrPrecondition)
	w.as("root").refresh("/firm/x", token).want(fault.ErrPrecondition)
	w.as("bob").refresh("/firm/x", token).want(fs.ErrPermission)
	w.as("ann").refresh("/lab/x", token).want(fs.ErrNotExist)
	w.as("bob").refresh("/lab/x", token).want(fs.ErrNotExist)
	longer := w.as("ann").act("refresh", func(tree *files.Tree, o *outcome) (err error) {
		o.lock, err = tree.Refresh(t.Context(), vpath.Must("/firm/x"), files.LockOptions{Timeout: time.Hour, Guard: with(token)})
		return err
	}).ok().lock
	if longer.Timeout != time.Hour {
		t.Errorf("refreshed %+v", longer)
	}
	// Who may no longer write does not keep others out for longer.
	w.grant("/", "ann", "viewer")
	w.as("ann").refresh("/firm/x", token).want(fs.ErrPermission)
	w.as("ann").unlock("/firm/x", token).ok()
}

func TestLockOfAFreeName(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *onShape) {
		w := newWorld(t, options{shape: t.shape})
		w.paint("/firm/new")
		o := w.as("ann").lock("/firm/new", infinite).ok()
		if !o.created || o.lock.Infinite {
			t.Errorf("created %v, %+v", o.created, o.lock)
		}
		w.has("/firm", "new=")
		if got := w.props("/firm"); len(got) != 0 {
			t.Errorf("properties %v", got)
		}
		w.as("root").put("/firm/new", "1").want(fault.ErrLocked)
		w.as("ann").put("/firm/new", "1", putIf(with(o.lock.Token))).ok()
		w.as("bob").lock("/firm/ghost").want(fs.ErrPermission) // M6
		w.as("ann").lock("/firm/no/ghost").want(fault.ErrNoParent)
		w.as("ann").lock("/firm/x", lockIf(with("opaquelocktoken:no"))).want(fault.ErrPrecondition)
		w.as("ann").lock("/firm/x", lockIf(files.Guard{Match: []string{"*"}})).want(fault.ErrPrecondition)
		w.as("ann").lock("/firm/PRN").want(fs.ErrInvalid)
		// WEBDAV.md 1.5: a store that breaks does not empty a file.
		w.seed("ann", "/firm/full")
		w.mem.FailNext("Stat", fault.ErrUnavailable)
		w.as("ann").lock("/firm/full").want(fault.ErrUnavailable)
		w.mem.FailNext("Put", fault.ErrUnavailable)
		w.as("ann").lock("/firm/y").want(fault.ErrUnavailable)
		w.rec.Fail(errors.New("disk full"))
		if o := w.as("ann").lock("/firm/y"); !errors.Is(o.err, fault.ErrUnavailable) {
			t.Errorf("error %v", o.err)
		}
		w.has("/firm", "full=/firm/full", "new=1")
	})
}

// WEBDAV.md 1.14: Windows locks, puts, deletes and puts again.
func TestDeleteEndsTheLock(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	token := w.as("ann").lock("/firm/x").ok().lock.Token
	w.as("ann").put("/firm/x", "", putIf(with(token))).ok()
	w.as("ann").rm("/firm/x", with(token)).ok()
	w.as("ann").put("/firm/x", "1").ok()
	w.as("ann").rm("/firm/x", with(token)).want(fault.ErrPrecondition)
}

// A folder that is replaced by a copy or a move takes its members' locks along.
func TestReplacedMembersLoseTheirLocks(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *onShape) {
		for _, file := range []bool{true, false} {
			w := newWorld(t, options{shape: t.shape})
			w.seed("ann", "/firm/s/a", "/firm/s/k", "/firm/d/k", "/firm/d/old", "/firm/d/a/deep")
			ann := w.as("ann")
			g := files.Guard{Tokens: []string{
				ann.lock("/firm/d/k").ok().lock.Token, ann.lock("/firm/d/old").ok().lock.Token, ann.lock("/firm/d/a/deep").ok().lock.Token,
			}}
			if file {
				ann.mv("/firm/s/k", "/firm/d", copyIf(g)).ok()
				w.has("/firm", "d=/firm/s/k", "s/", "s/a=/firm/s/a")
				w.locks()
				continue
			}
			ann.cp("/firm/s", "/firm/d", copyIf(g)).ok()
			w.locks("/firm/d/k")
			ann.mv("/firm/s", "/firm/d", copyIf(g)).ok()
			w.locks()
			w.has("/firm", "d/", "d/a=/firm/s/a", "d/k=/firm/s/k")
		}
	})
}

// locks are the paths with locks.
func (w *world) locks(want ...string) {
	w.Helper()
	all, err := w.state.Locks(w.Context(), w.clock.Now())
	if err != nil {
		w.Fatal(err)
	}
	var got []string
	for _, l := range all {
		got = append(got, l.Path.String())
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		w.Errorf("locks on %q, want %q", got, want)
	}
}

func TestLocksEach(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{quiet: true})
	w.seed("ann", "/firm/x")
	for i := range files.MaxLocksEach {
		w.as("ann").lock(fmt.Sprintf("/firm/f%d", i)).ok()
	}
	w.as("ann").lock("/firm/x").want(fault.ErrBusy)
	w.as("ann").lock("/firm/n").want(fault.ErrBusy)
	if o := w.as("root").stat("/firm/n"); !errors.Is(o.err, fs.ErrNotExist) {
		t.Errorf("a refused lock left a file: %v", o.err)
	}
	w.as("root").lock("/firm/x").ok()
	w.clock.add(time.Hour)
	w.as("ann").lock("/firm/x").ok()
}

// A lock on what may not be known of is in the way, and not named.
func TestHiddenLocksAreNotNamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{rules: `
workspaces:
  firm: {folders: {/: {grant: {"user:pat": ownlist, "user:root": owner}}}}
roles:
  ownlist: ["list:own", "read:own", create, write, delete]
`})
	w.seed("pat", "/firm/d/mine")
	w.seed("eve", "/firm/d/secret")
	w.as("root").lock("/firm/d/secret").ok()
	for _, o := range []*outcome{w.as("pat").rm("/firm/d"), w.as("pat").lock("/firm/d", infinite)} {
		o.want(fault.ErrLocked)
		if text := o.err.Error(); strings.Contains(text, "secret") || strings.Contains(text, "ROOT") {
			t.Errorf("%s: %s", o.what, text)
		}
	}
	w.as("root").lock("/firm/d/mine").ok()
	if o := w.as("pat").put("/firm/d/mine", "1").want(fault.ErrLocked); !strings.Contains(o.err.Error(), "ROOT") {
		t.Errorf("%v does not name the holder", o.err)
	}
}
