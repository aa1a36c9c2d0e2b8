package files_test

import (
	"context"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"portico/backends"
	"portico/fault"
	"portico/files"
	"portico/store"
	"portico/vpath"
)

// landing is a copy or a move, as a user makes it.
type landing struct {
	name string
	do   func(u *user, src, dst string, o ...files.TransferOptions) *outcome
}

func landings() []landing {
	return []landing{{"copy", (*user).cp}, {"move", (*user).mv}}
}

func timedAt(when time.Time) files.TransferOptions {
	return files.TransferOptions{Overwrite: true, ModTime: when}
}

// failing has all calls op of the store fail.
func (w *world) failing(op string, err error) {
	w.setHook(func(o string, _ vpath.Path) error {
		if o == op {
			return err
		}
		return nil
	})
}

// A file has the time that its client gives with a copy or a move, in its workspace and
// in another, on a free name and over another file; and nothing is said of a folder.
func TestLandedTime(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *onShape) {
		when := time.Date(2020, 2, 3, 4, 5, 6, 0, time.UTC)
		for _, l := range landings() {
			for _, dst := range []string{"/firm/new", "/firm/old", "/lab/new"} {
				w := newWorld(t, options{shape: t.shape})
				w.seed("ann", "/firm/src", "/firm/old", "/firm/d/in")
				ann := w.as("ann")
				_, keeps := w.back["firm"].(backends.Timer) // else only a copy, which is a new file, has it
				keeps = keeps || l.name == "copy"
				if o := l.do(ann, "/firm/src", dst, timedAt(when)).ok(); o.timed != keeps || o.created == (dst == "/firm/old") {
					t.Errorf("%s to %s: timed %t, created %t", l.name, dst, o.timed, o.created)
				}
				if n := ann.stat(dst).ok().node; n.ModTime.Equal(when) != keeps {
					t.Errorf("%s to %s: the time is %v", l.name, dst, n.ModTime)
				}
				if o := l.do(ann, "/firm/d", "/firm/e", timedAt(when)).ok(); o.timed {
					t.Errorf("%s of a folder: timed", l.name)
				}
				if n := ann.stat("/firm/e/in").ok().node; n.ModTime.Equal(when) {
					t.Errorf("%s of a folder gave its time to what lies in it", l.name)
				}
			}
		}
	})
}

// A copy over something of another kind is made out of sight first.
func TestLandedTimeOfAnotherKind(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *onShape) {
		when := time.Date(2020, 2, 3, 4, 5, 6, 0, time.UTC)
		w := newWorld(t, options{shape: t.shape})
		w.seed("ann", "/firm/old/in")
		ann := w.as("ann")
		ann.put("/firm/src", "one", withSums("SHA1:1")).ok()
		if o := ann.cp("/firm/src", "/firm/old", timedAt(when)).ok(); !o.timed || o.created {
			t.Errorf("timed %t, created %t", o.timed, o.created)
		}
		if n := ann.about("/firm/old"); !n.ModTime.Equal(when) || n.Sums != "SHA1:1" {
			t.Errorf("%v, sums %q", n.ModTime, n.Sums)
		}
	})
}

// Where no time comes, a file keeps its own, and where the one comes that it has,
// nothing is set.
func TestLandedTimeKept(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *onShape) {
		for _, l := range landings() {
			w := newWorld(t, options{shape: t.shape})
			w.seed("ann", "/firm/src")
			ann := w.as("ann")
			was := ann.stat("/firm/src").ok().node.ModTime
			if o := l.do(ann, "/firm/src", "/firm/a").ok(); o.timed {
				t.Errorf("%s: a time that nobody gave was kept", l.name)
			}
			w.failing("SetModTime", fs.ErrPermission)
			if o := l.do(ann, "/firm/a", "/firm/b", timedAt(was.Truncate(time.Second))).ok(); !o.timed {
				t.Errorf("%s: the file has the time", l.name)
			}
			if n := ann.stat("/firm/b").ok().node; n.ModTime.Unix() != was.Unix() {
				t.Errorf("%s: %v, want %v", l.name, n.ModTime, was)
			}
		}
	})
}

// A time that cannot be set is no failure of a move, and is not told of as kept.
func TestLandedTimeRefused(t *testing.T) {
	t.Parallel()
	for _, failure := range []error{fs.ErrPermission, fault.ErrUnavailable} {
		w := newWorld(t, options{})
		w.seed("ann", "/firm/src")
		w.failing("SetModTime", failure)
		o := w.as("ann").mv("/firm/src", "/firm/dst", timedAt(time.Unix(1e9, 0))).ok()
		if o.timed {
			t.Errorf("%v: the time is told of as kept", failure)
		}
		if n := w.as("ann").stat("/firm/dst").ok().node; n.ModTime.Unix() == 1e9 {
			t.Errorf("%v: %v", failure, n.ModTime)
		}
	}
}

// The checksums of a file are those of its copies, whatever they replace, and of no
// other version.
func TestSumsOfCopies(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *onShape) {
		for _, l := range landings() {
			w := newWorld(t, options{shape: t.shape})
			ann := w.as("ann")
			fresh := func() {
				ann.mkdir("/firm/d") // or it is there still
				ann.mkdir("/firm/d/e")
				ann.put("/firm/d/a", "one", withSums("SHA1:a")).ok()
				ann.put("/firm/d/e/b", "two", withSums("MD5:b")).ok()
				ann.put("/firm/d/plain", "three").ok()
			}
			want := func(p, sums string) {
				t.Helper()
				if n := ann.about(p); n.Sums != sums || len(n.Props) > 0 {
					t.Errorf("%s: %s has %q and %d properties, want %q", l.name, p, n.Sums, len(n.Props), sums)
				}
			}
			fresh()
			l.do(ann, "/firm/d/a", "/firm/a").ok()
			want("/firm/a", "SHA1:a")
			ann.put("/firm/other", "four", withSums("MD5:other")).ok()
			l.do(ann, "/firm/a", "/firm/other").ok() // over a file with its own
			want("/firm/other", "SHA1:a")
			fresh()
			l.do(ann, "/firm/d/plain", "/firm/other").ok() // over it without any
			want("/firm/other", "")
			fresh()
			for _, dst := range []string{"/firm/tree", "/lab/tree", "/firm/other"} {
				l.do(ann, "/firm/d", dst).ok()
				want(dst+"/a", "SHA1:a")
				want(dst+"/e/b", "MD5:b")
				want(dst+"/plain", "")
				fresh()
			}
			ann.put("/lab/tree/a", "five").ok() // without one
			want("/lab/tree/a", "")
		}
	})
}

// The storage is asked for many files at a time whether they are still what was copied:
// both ends of the copy are held until it has answered.
func TestSumsOfManyCopies(t *testing.T) {
	t.Parallel()
	const many = 8
	w := newWorld(t, options{})
	ann := w.as("ann")
	ann.mkdir("/firm/d").ok()
	for i := range many {
		ann.put(fmt.Sprintf("/firm/d/%d", i), "one", withSums(fmt.Sprintf("SHA1:%d", i))).ok()
	}
	var asked sync.WaitGroup
	asked.Add(many)
	together := make(chan struct{})
	go func() { asked.Wait(); close(together) }()
	var copied atomic.Int64
	w.setHook(func(op string, p vpath.Path) error {
		switch {
		case op == "Copy":
			copied.Add(1)
		case op == "Stat" && p.Depth() == 2 && p.Top() == "d" && copied.Load() == many:
			asked.Done()
			select {
			case <-together:
			case <-time.After(10 * time.Second):
				t.Errorf("%s waits for an answer before another file is asked for", p)
			}
		}
		return nil
	})
	ann.cp("/firm/d", "/firm/e").ok()
	w.setHook(nil)
	for i := range many {
		if n := ann.about(fmt.Sprintf("/firm/e/%d", i)); n.Sums != fmt.Sprintf("SHA1:%d", i) {
			t.Errorf("%s has %q", n.Path, n.Sums)
		}
	}
}

// What changed while it was copied has no checksum: they are of what was copied.
func TestSumsOfAMovingTarget(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	ann := w.as("ann")
	ann.put("/firm/a", "one", withSums("SHA1:a")).ok()
	w.once("Copy", func() {
		_, err := w.back["firm"].Put(t.Context(), vpath.Must("/a"), strings.NewReader("foreign"), backends.PutOptions{})
		if err != nil {
			t.Error(err)
		}
	})
	ann.cp("/firm/a", "/firm/b").ok()
	for _, p := range []string{"/firm/a", "/firm/b"} {
		if n := ann.about(p); n.Sums != "" {
			t.Errorf("%s has %q", p, n.Sums)
		}
	}
}

// A part of a file makes a version of which nobody has proved anything.
func TestSumsAfterPatch(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *onShape) {
		w := newWorld(t, options{shape: t.shape})
		ann := w.as("ann")
		ann.put("/firm/a", "one", withSums("SHA1:a")).ok()
		if _, err := ann.tree().Patch(ann.ctx, vpath.Must("/firm/a"), strings.NewReader("x"), files.PatchOptions{Size: 1}); err != nil {
			t.Fatal(err)
		}
		ann.cp("/firm/a", "/firm/b").ok()
		for _, p := range []string{"/firm/a", "/firm/b"} {
			if n := ann.about(p); n.Sums != "" {
				t.Errorf("%s has %q", p, n.Sums)
			}
		}
	})
}

// hush is a state store that tells no property of one name.
type hush struct{ store.State }

func (hush) PropBelow(context.Context, vpath.Path, string, string) (map[vpath.Path]store.Prop, error) {
	return nil, fault.ErrUnavailable
}

// The checksums are the least that can be lost: the copy stands without them.
func TestSumsLost(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{state: func(s store.State) store.State { return hush{s} }})
	ann := w.as("ann")
	ann.put("/firm/a", "one", withSums("SHA1:a")).ok()
	ann.cp("/firm/a", "/firm/b").ok()
	if n := ann.about("/firm/b"); n.Sums != "" || n.Size != 3 {
		t.Errorf("%+v", n)
	}
}
