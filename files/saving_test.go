package files_test

import (
	"errors"
	"fmt"
	"io/fs"
	"testing"
	"time"

	"portico/fault"
	"portico/files"
	"portico/store"
	"portico/vpath"
)

// unread is a body that must not be asked for.
type unread struct{ asked bool }

var errAsked = errors.New("the body was read")

func (u *unread) Read([]byte) (int, error) {
	u.asked = true
	return 0, errAsked
}

// TestNothingIsRead wants each refusal of a client that waits before the first byte of
// its body.
func TestNothingIsRead(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *onShape) {
		w := newWorld(t, options{shape: t.shape, quota: 100})
		w.seed("ann", "/firm/x", "/firm/locked")
		ann := w.as("ann")
		ann.lock("/firm/locked").ok()
		refused := func(p string, size int64, want error) {
			t.Helper()
			body := &unread{}
			_, _, err := ann.tree().Put(ann.ctx, vpath.Must(p), body, files.PutOptions{Size: size, Waits: true})
			if !errors.Is(err, want) || body.asked != errors.Is(want, errAsked) {
				t.Errorf("put %s of %d bytes: %v, read %v; want %v", p, size, err, body.asked, want)
			}
		}
		refused("/firm/none/x", 5, fault.ErrNoParent)
		refused("/firm/none/deeper/x", -1, fault.ErrNoParent)
		refused("/firm/x/below", 5, fault.ErrNoParent)
		refused("/firm/locked", 5, fault.ErrLocked)
		refused("/firm/new", 101, fault.ErrQuota)
		refused("/firm", 5, fs.ErrExist)
		left, err := ann.quotaOf("/firm")
		if err != nil {
			t.Fatal(err)
		}
		fill := make([]byte, left.Available)
		ann.put("/firm/fill", string(fill)).ok()
		refused("/firm/new", -1, fault.ErrQuota) // full, whatever may come
		refused("/firm/new", 1, fault.ErrQuota)
		refused("/firm/x", -1, errAsked) // the only one that may go on: it frees its own place
	})
}

// TestTimesOfOnesOwn lets the holder of a lock set Microsoft's properties without its
// token, as Office does, and nothing else.
func TestTimesOfOnesOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	w.seed("ann", "/firm/x", "/firm/d/y")
	ann, root := w.as("ann"), w.as("root")
	times := files.PropChange{Prop: store.Prop{Space: "urn:schemas-microsoft-com:", Local: "Win32LastModifiedTime", XML: "t"}}
	attributes := files.PropChange{Prop: store.Prop{Space: "urn:schemas-microsoft-com:", Local: "Win32FileAttributes", XML: "a"}}
	none := files.Guard{}
	token := ann.lock("/firm/x").ok().lock.Token
	ann.patch("/firm/x", none, times, attributes).ok()
	ann.patch("/firm/x", none, times, color("red")).want(fault.ErrLocked)
	ann.patch("/firm/x", none, color("red")).want(fault.ErrLocked)
	root.patch("/firm/x", none, times).want(fault.ErrLocked)
	root.patch("/firm/x", files.Guard{Tokens: []string{token}}, times).want(fault.ErrLocked)
	ann.unlock("/firm/x", token).ok()
	root.patch("/firm/x", none, times).ok()

	ann.lock("/firm/d", infinite).ok()
	ann.patch("/firm/d/y", none, times).ok()
	root.patch("/firm/d/y", none, times).want(fault.ErrLocked)
	// Of two who share a lock each may.
	ann.lock("/firm/x", sharedly).ok()
	root.patch("/firm/x", none, times).want(fault.ErrLocked)
	root.lock("/firm/x", sharedly).ok()
	root.patch("/firm/x", none, times).ok()
}

// TestSetModTime sets a file's time with a property, and refuses where either may not be.
func TestSetModTime(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *onShape) {
		w := newWorld(t, options{shape: t.shape})
		w.seed("ann", "/firm/x", "/firm/d/y")
		ann := w.as("ann")
		when := time.Date(2019, 3, 4, 5, 6, 7, 0, time.UTC)
		change := files.PropChange{ModTime: when}
		before, err := ann.tree().Stat(ann.ctx, vpath.Must("/firm/x"))
		if err != nil {
			t.Fatal(err)
		}
		if t.shape == nil { // a storage with all abilities
			ann.patch("/firm/x", files.Guard{}, change, color("red")).ok()
			after, err := ann.tree().Stat(ann.ctx, vpath.Must("/firm/x"))
			if err != nil || !after.ModTime.Equal(when) || after.ETag != before.ETag {
				t.Errorf("after it %+v (%v), before %+v", after, err, before)
			}
		} else {
			ann.patch("/firm/x", files.Guard{}, change, color("red")).want(fs.ErrPermission)
		}
		w.as("bob").patch("/firm/d/y", files.Guard{}, change).want(fs.ErrPermission)
		w.as("stranger").patch("/firm/x", files.Guard{}, change).want(fs.ErrNotExist)
		ann.lock("/firm/x").ok()
		ann.patch("/firm/x", files.Guard{}, change).want(fault.ErrLocked)
	})
}

// TestIntentOfATime has the audit know of it before the time changes, and of what became
// of it.
func TestIntentOfATime(t *testing.T) {
	t.Parallel()
	when := files.PropChange{ModTime: time.Date(2019, 3, 4, 5, 6, 7, 0, time.UTC)}
	var many []files.PropChange
	for i := range files.MaxProps + 1 {
		many = append(many, files.PropChange{Prop: store.Prop{Space: "urn:many", Local: fmt.Sprint("p", i), XML: "v"}})
	}
	for name, c := range map[string]struct {
		fails   error // of the storage
		changes []files.PropChange
		open    int
		want    error
	}{
		"done":     {nil, []files.PropChange{when, color("red")}, 0, nil},
		"refused":  {fault.ErrQuota, []files.PropChange{when}, 0, fault.ErrQuota},
		"in doubt": {fault.ErrUnavailable, []files.PropChange{when}, 1, fault.ErrUnavailable},
		"in part":  {nil, append(many, when), 1, fault.ErrQuota},
	} {
		w := newWorld(t, options{})
		w.seed("ann", "/firm/x")
		called := false
		w.setHook(func(op string, _ vpath.Path) error {
			if op != "SetModTime" {
				return nil
			}
			if called = true; len(w.rec.Open()) != 1 {
				t.Errorf("%s: the time is set with the intents %v", name, w.rec.Open())
			}
			return c.fails
		})
		ann := w.as("ann")
		err := ann.tree().PatchProps(ann.ctx, vpath.Must("/firm/x"), c.changes, files.Guard{})
		if open := w.rec.Open(); !errors.Is(err, c.want) || !called || len(open) != c.open || len(w.rec.Left()) != c.open {
			t.Errorf("%s: %v, the intents %v are open, want %v and %d", name, err, open, c.want, c.open)
		}
	}
}
