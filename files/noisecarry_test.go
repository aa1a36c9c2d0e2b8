package files_test

import (
	"errors"
	"io/fs"
	"testing"
	"time"

	"portico/audit"
	"portico/fault"
	"portico/files"
	"portico/store"
	"portico/vpath"
)

// mib is the noise beside one thing, as large as a test wants it.
func (w *world) mib(of string, n int) {
	w.Helper()
	err := w.state.Update(w.Context(), func(tx store.Tx) error {
		return tx.PutNoise(store.Noise{Of: vpath.Must(of), Name: "._", Creator: id("tom"), ETag: "e", Body: make([]byte, n<<20), Expires: w.clock.Now().Add(time.Hour)})
	})
	if err != nil {
		w.Fatal(err)
	}
}

// Nobody reads a file without a trace by copying it into noise.
func TestNoiseHidesNoRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	w.seed("ann", "/firm/secret")
	ann := w.as("ann")
	for _, o := range []*outcome{ann.cp("/firm/secret", "/firm/._x").ok(), ann.mv("/firm/secret", "/firm/._y")} {
		if o.err != nil || len(o.events) == 0 || o.events[0].Action != audit.Read || o.events[0].Path != "/firm/secret" || o.events[0].Bytes == 0 {
			t.Errorf("%s: %v, events %+v", o.what, o.err, o.events)
		}
	}
	ann.cp("/firm/._x", "/firm/._z").done()
	ann.cp("/firm/._x", "/firm/file").ok()
	w.seed("hal", "/firm/HR/a")
	for _, p := range []string{"/firm/HR/a", "/firm/none", "/firm/._none"} {
		ann.cp(p, "/firm/._x").want(fs.ErrNotExist)
	}
	w.rec.Fail(errors.New("disk full"))
	if o := ann.cp("/firm/file", "/firm/._new"); !errors.Is(o.err, fault.ErrUnavailable) {
		t.Errorf("%s without a record: %v", o.what, o.err)
	}
	w.rec.Fail(nil)
	ann.lacks("/firm/._new")
}

// What was written to the source while it moved is not lost.
func TestNoiseMovesWhatItRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{quiet: true})
	ann := w.as("ann")
	ann.put("/firm/tmp", "old").ok()
	w.setHook(func(op string, _ vpath.Path) error {
		if op == "Open" { // the next call is that of its end
			w.setHook(func(string, vpath.Path) error {
				w.setHook(nil)
				ann.put("/firm/tmp", "newer").ok()
				return nil
			})
		}
		return nil
	})
	if o := ann.mv("/firm/tmp", "/firm/._a"); !errors.Is(o.err, fault.ErrPrecondition) {
		t.Errorf("%s: %v", o.what, o.err)
	}
	w.setHook(nil)
	if o := ann.get("/firm/tmp"); o.body != "newer" {
		t.Errorf("%s = %q, %v", o.what, o.body, o.err)
	}
}

// Its time is a row of the state, and not one of an old file of that name.
func TestNoiseHasATime(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *onShape) {
		w := newWorld(t, options{shape: t.shape, quiet: true})
		w.seed("ann", "/firm/._a")
		ann := w.as("ann")
		ann.put("/firm/._a", "fork").done()
		w.setHook(func(op string, p vpath.Path) error {
			t.Errorf("the storage is asked: %s %s", op, p)
			return nil
		})
		when := time.Date(2019, 3, 4, 5, 6, 7, 0, time.UTC)
		before := ann.find("/firm/._a").node
		ann.patch("/firm/._a", files.Guard{}, files.PropChange{ModTime: when}, color("red")).done()
		after := ann.find("/firm/._a").node
		if !after.ModTime.Equal(when) || after.ETag != before.ETag || len(after.Props) != 1 {
			t.Errorf("after it %+v, before %+v", after, before)
		}
		ann.reads("/firm/._a", "fork")
		ann.patch("/firm/._none", files.Guard{}, files.PropChange{ModTime: when}).want(fs.ErrNotExist)
	})
}

// What comes along with a copy, or a move from elsewhere, is bounded as what is
// sent; the files come in any case.
func TestNoiseThatComesAlongIsBounded(t *testing.T) {
	t.Parallel()
	for name, carried := range map[string]struct {
		full bool
		do   func(w *world, ann *user)
	}{
		"copy":             {true, func(_ *world, ann *user) { ann.cp("/firm/d", "/lab/e").ok() }},
		"copy with room":   {false, func(_ *world, ann *user) { ann.cp("/firm/d", "/lab/e").ok() }},
		"copy in part":     {true, func(w *world, ann *user) { w.seed("hal", "/firm/d/HR/x"); ann.cp("/firm/d", "/lab/e").ok() }},
		"copy over a file": {true, func(w *world, ann *user) { w.seed("ann", "/lab/e"); ann.cp("/firm/d", "/lab/e").ok() }},
		"move":             {true, func(_ *world, ann *user) { ann.mv("/firm/d", "/lab/e").ok() }},
		"move with room":   {false, func(_ *world, ann *user) { ann.mv("/firm/d", "/lab/e").ok() }},
	} {
		w := newWorld(t, options{quiet: true, shared: newMemState()})
		w.seed("ann", "/firm/d/a", "/lab/b")
		w.mib("/firm/d/a", 1)
		if w.mib("/lab/b", 255); carried.full {
			w.mib("/lab/c", 1)
		}
		ann := w.as("ann")
		carried.do(w, ann)
		if o := ann.get("/lab/e/a"); o.body != "/firm/d/a" {
			t.Errorf("%s: the file is %q, %v", name, o.body, o.err)
		}
		if o := ann.find("/lab/e/._a"); errors.Is(o.err, fs.ErrNotExist) != carried.full {
			t.Errorf("%s: what came along: %v", name, o.err)
		}
		if o := ann.find("/lab/._b"); o.err != nil {
			t.Errorf("%s: what was there: %v", name, o.err)
		}
		if o := ann.put("/lab/._c", ""); o.err != nil {
			t.Errorf("%s: less than there was: %v", name, o.err)
		}
	}
}

// A copy is its maker's, who may have the right to what is theirs alone.
func TestNoiseBelongsToWhoCopies(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{quiet: true})
	w.seed("ann", "/firm/d/a", "/firm/d/hal")
	w.mib("/firm/d/a", 1)
	w.mib("/firm/d/hal", 1)
	w.as("ann").cp("/firm/d", "/firm/e").ok()
	w.as("ann").cp("/firm/d/a", "/firm/one").ok()
	for p, want := range map[string]string{"/firm/e/._a": id("ann"), "/firm/._one": id("ann"), "/firm/d/._a": id("tom")} {
		if o := w.as("ann").find(p); o.err != nil || o.node.By != want {
			t.Errorf("%s is %s's, %v, want %s", p, o.node.By, o.err, want)
		}
	}
}
