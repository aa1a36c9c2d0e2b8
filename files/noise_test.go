package files_test

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"portico/fault"
	"portico/files"
	"portico/vpath"
)

// reads is get without a word to the audit, which is told nothing of noise.
func (u *user) reads(p, want string) {
	u.w.Helper()
	if o := u.get(p); o.err != nil || o.body != want {
		u.w.Errorf("%s = %q, %v, want %q", o.what, o.body, o.err, want)
	}
}

func (u *user) lacks(p string) {
	u.w.Helper()
	for _, o := range []*outcome{u.get(p), u.find(p)} {
		if !errors.Is(o.err, fs.ErrNotExist) || len(o.events) > 0 && o.err == nil {
			u.w.Errorf("%s = %q, %v, want nothing there", o.what, o.body, o.err)
		}
	}
}

// done is ok without an event.
func (o *outcome) done() *outcome {
	o.Helper()
	if o.err != nil || len(o.events) > 0 {
		o.Errorf("%s: %v, with %d events, want none", o.what, o.err, len(o.events))
	}
	return o
}

// What macOS puts beside a file works as a file at its own address, and shows
// nowhere: not in a listing, nor in the store, nor in the audit.
func TestNoise(t *testing.T) {
	everyShape(t, func(t *onShape) {
		w := newWorld(t, options{shape: t.shape})
		w.seed("ann", "/firm/d/a")
		ann := w.as("ann")
		ann.lacks("/firm/d/._a")
		for _, p := range []string{"/firm/d/._a", "/firm/d/.DS_Store", "/firm/d/._.DS_Store", "/firm/d/._none"} {
			if o := ann.put(p, "1").done(); !o.created || o.node.ETag == "" {
				t.Errorf("put %s: %v %+v", p, o.created, o.node)
			}
			if o := ann.put(p, "new").done(); o.created {
				t.Errorf("put %s again: created", p)
			}
			ann.reads(p, "new")
			o := ann.find(p)
			if o.err != nil || o.node.Size != 3 || o.node.Dir {
				t.Errorf("find %s = %+v, %v", p, o.node, o.err)
			}
			ann.put(p, "x", func(o *files.PutOptions) { o.Guard.Match = []string{"other"} }).want(fault.ErrPrecondition)
			ann.put(p, "x", func(o *files.PutOptions) { o.Guard.NoneMatch = []string{"*"} }).want(fault.ErrPrecondition)
			ann.put(p, "newer", func(po *files.PutOptions) { po.Guard.Match = []string{o.node.ETag} }).done()
		}
		ann.ls("/firm/d").names("a")
		w.has("/firm/d", "a=/firm/d/a")
		w.as("bob").reads("/firm/d/._a", "newer") // a viewer
		w.as("bob").put("/firm/d/._a", "x").want(fs.ErrPermission)
		w.as("tom").rm("/firm/d/._a").want(fs.ErrPermission) // deletes only what is his
		ann.mkdir("/firm/d/._x").want(fs.ErrPermission)
		if o := ann.put("/firm/none/._a", "x"); !errors.Is(o.err, fault.ErrNoParent) {
			t.Errorf("%s: %v", o.what, o.err)
		}
		if o := ann.put("/firm/d/._a", strings.Repeat("x", 1<<20+1)); !errors.Is(o.err, fault.ErrQuota) {
			t.Errorf("%s: %v", "too large", o.err)
		}
		ann.rm("/firm/d/._none").done()
		ann.lacks("/firm/d/._none")
	})
}

func TestNoiseIsLocked(t *testing.T) {
	w := newWorld(t, options{quiet: true})
	w.seed("ann", "/firm/d/a")
	ann := w.as("ann")
	o := ann.lock("/firm/d/._a").done()
	if !o.created {
		t.Error("a lock on a free name makes no file")
	}
	token := func(po *files.PutOptions) { po.Guard.Tokens = []string{o.lock.Token} }
	if o := ann.put("/firm/d/._a", "x"); !errors.Is(o.err, fault.ErrLocked) {
		t.Errorf("%s: %v", o.what, o.err)
	}
	ann.put("/firm/d/._a", "x", token).done()
	if o := ann.rm("/firm/d/._a"); !errors.Is(o.err, fault.ErrLocked) {
		t.Errorf("%s: %v", o.what, o.err)
	}
	ann.rm("/firm/d/._a", files.Guard{Tokens: []string{o.lock.Token}}).done()
	ann.put("/firm/d/._a", "x").done() // the lock has ended with it
}

// It goes where its file goes, and a client that then moves it itself finds it.
func TestNoiseFollows(t *testing.T) {
	everyShape(t, func(t *onShape) {
		w := newWorld(t, options{shape: t.shape, quiet: true})
		w.seed("ann", "/firm/d/a", "/firm/other")
		ann := w.as("ann")
		ann.put("/firm/d/._a", "fork").done()
		ann.put("/firm/d/.DS_Store", "view").done()
		ann.mv("/firm/d/a", "/firm/d/b").ok()
		ann.reads("/firm/d/._b", "fork")
		ann.reads("/firm/d/._a", "fork") // for the client that looks for it
		ann.mv("/firm/d/._a", "/firm/d/._b").done()
		ann.lacks("/firm/d/._a")
		ann.reads("/firm/d/._b", "fork")
		ann.cp("/firm/d/b", "/firm/d/c").ok()
		ann.reads("/firm/d/._c", "fork")
		ann.cp("/firm/d", "/firm/e").ok()
		ann.reads("/firm/e/._b", "fork")
		ann.reads("/firm/e/.DS_Store", "view")
		ann.mv("/firm/e", "/lab/e").ok()
		ann.reads("/lab/e/._c", "fork")
		ann.lacks("/firm/e/._c")
		ann.rm("/lab/e").ok()
		ann.lacks("/lab/e/._c")
		ann.lacks("/lab/e/.DS_Store")
		ann.rm("/firm/d/b").ok()
		ann.lacks("/firm/d/._b")
		ann.mv("/firm/other", "/firm/d/c").ok() // what it replaces ends with its own
		ann.lacks("/firm/d/._c")
		ann.mv("/firm/d/c", "/firm/d/z").ok()
		w.clock.add(2 * time.Minute)
		ann.lacks("/firm/d/._c")
	})
}

// rsync writes to a name of its own, and renames.
func TestNoiseByATemporaryFile(t *testing.T) {
	w := newWorld(t, options{quiet: true})
	ann := w.as("ann")
	ann.put("/firm/.._a.x1", "fork").ok()
	ann.mv("/firm/.._a.x1", "/firm/._a")
	ann.reads("/firm/._a", "fork")
	ann.lacks("/firm/.._a.x1")
	ann.cp("/firm/._a", "/firm/copy")
	ann.reads("/firm/copy", "fork")
	ann.mv("/firm/._a", "/firm/copy", files.TransferOptions{}).want(fault.ErrPrecondition)
	ann.reads("/firm/._a", "fork")
	ann.mkdir("/firm/d").ok()
	if o := ann.mv("/firm/d", "/firm/._d"); !errors.Is(o.err, fs.ErrPermission) {
		t.Errorf("%s: %v", o.what, o.err)
	}
	w.as("bob").mv("/firm/._a", "/firm/x").want(fs.ErrPermission)
}

func TestNoiseExpires(t *testing.T) {
	w := newWorld(t, options{quiet: true})
	ann := w.as("ann")
	ann.put("/firm/._a", "1").done()
	ann.put("/firm/._b", "1").done()
	for range 3 {
		w.clock.add(60 * 24 * time.Hour)
		ann.reads("/firm/._a", "1") // what is used stays
	}
	ann.lacks("/firm/._b")
}

// What macOS asks for at each step costs no call to the file store, and tells
// nobody what they may not know.
func TestNoiseProbes(t *testing.T) {
	w := newWorld(t, options{quiet: true})
	w.seed("hal", "/firm/HR/a", "/firm/d/a")
	w.as("hal").put("/firm/HR/._a", "secret").done()
	calls := 0
	w.setHook(func(string, vpath.Path) error {
		calls++
		return nil
	})
	for _, p := range []string{"/firm/._.", "/firm/.DS_Store", "/firm/d/._a", "/firm/d/._x", "/firm/HR/._a", "/firm/HR/.DS_Store", "/firm/none/._a"} {
		w.as("ann").lacks(p)
	}
	if calls != 0 {
		t.Errorf("the probes call the store %d times", calls)
	}
	a, b := w.as("ann").get("/firm/HR/._a"), w.as("ann").get("/firm/HR/._b")
	if strings.ReplaceAll(fault.Told(a.err), "._a", "._b") != fault.Told(b.err) {
		t.Errorf("what is hidden is told as %v, and what is not there as %v", a.err, b.err)
	}
}

// Pages for people do not list what programs keep for themselves; drives do.
func TestClutterIsOnNoPage(t *testing.T) {
	w := newWorld(t, options{quiet: true})
	w.seed("ann", "/firm/d/plan.docx", "/firm/d/._legacy")
	for _, p := range []string{"/firm/d/~$plan.docx", "/firm/d/Thumbs.db", "/firm/d/.plan.swp"} {
		w.as("ann").put(p, "").ok()
	}
	for via, want := range map[string]int{"page": 1, "api": 1, "dav": 4} {
		who := w.as("ann").principal()
		who.Via = via
		tree, err := w.svc.As(t.Context(), who)
		if err != nil {
			t.Fatal(err)
		}
		_, below, err := tree.Find(t.Context(), vpath.Must("/firm/d"), true, files.Want{})
		if err != nil || len(below) != want {
			t.Errorf("via %s: %d names, %v, want %d", via, len(below), err, want)
		}
	}
	w.as("ann").rm("/firm/d").ok() // all of it
}

// Whatever is done with noise, no file is lost, changed or shown more.
func TestNoiseTouchesNoFile(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		with, without := newWorld(t, options{quiet: true, shared: newMemState()}), newWorld(t, options{quiet: true, shared: newMemState()})
		name := rapid.SampledFrom([]string{"/firm/a", "/firm/b", "/firm/d", "/firm/d/a", "/firm/d/b", "/firm/e"})
		beside := func(p string) string {
			v := vpath.Must(p)
			return v.Parent().String() + "/" + rapid.SampledFrom([]string{"._" + v.Name(), ".DS_Store", "._.DS_Store"}).Draw(rt, "noise")
		}
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			p, q, body := name.Draw(rt, "p"), name.Draw(rt, "q"), rapid.StringMatching(`[a-z]{1,3}`).Draw(rt, "body")
			switch rapid.IntRange(0, 8).Draw(rt, "op") {
			case 0:
				with.as("ann").put(beside(p), body)
			case 1:
				with.as("ann").rm(beside(p))
			case 2:
				with.as("ann").mv(beside(p), beside(q))
			case 3: // one that is still held stops the end of its folder, as any lock does
				at := beside(p)
				if o := with.as("ann").lock(at); o.err == nil {
					o = with.as("ann").unlock(at, o.lock.Token)
					if o.err != nil {
						rt.Fatal(o.err)
					}
				}
			default:
				op := rapid.IntRange(0, 4).Draw(rt, "file op")
				one, two := realOp(with.as("ann"), op, p, q, body), realOp(without.as("ann"), op, p, q, body)
				if (one.err == nil) != (two.err == nil) {
					rt.Fatalf("%s: %v with noise, %v without", one.what, one.err, two.err)
				}
			}
			if a, b := with.shownFiles(), without.shownFiles(); a != b {
				rt.Fatalf("with noise:\n%s\nwithout:\n%s", a, b)
			}
		}
	})
}

func realOp(u *user, op int, p, q, body string) *outcome {
	switch op {
	case 0:
		return u.put(p, body)
	case 1:
		return u.mkdir(p)
	case 2:
		return u.rm(p)
	case 3:
		return u.cp(p, q)
	default:
		return u.mv(p, q)
	}
}

// shownFiles is what ann sees of /firm, with the bytes.
func (w *world) shownFiles() string {
	var b strings.Builder
	var walk func(p string)
	walk = func(p string) {
		o := w.as("ann").ls(p)
		for _, n := range o.list {
			b.WriteString(n.Path.String())
			if n.Dir {
				b.WriteByte('\n')
				walk(n.Path.String())
				continue
			}
			b.WriteString(" = " + w.as("ann").get(n.Path.String()).body + "\n")
		}
	}
	walk("/firm")
	return b.String()
}
