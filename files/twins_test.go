package files_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"
	"time"

	"portico/fault"
	"portico/files"
	"portico/vpath"
)

// Each way to make a file or folder refuses a name that differs from a neighbour's
// in case alone, and names that neighbour.
func TestTwins(t *testing.T) {
	everyShape(t, func(t *onShape) {
		for _, there := range []string{"/firm/Plan", "/firm/Plan/"} {
			w := newWorld(t, options{shape: t.shape})
			w.seed("ann", there, "/firm/src/f", "/firm/src/d/x")
			ann := w.as("ann")
			for what, create := range map[string]func() *outcome{
				"put":       func() *outcome { return ann.put("/firm/pLAN", "x") },
				"lock":      func() *outcome { return ann.lock("/firm/plan") },
				"mkdir":     func() *outcome { return ann.mkdir("/firm/plan") },
				"move":      func() *outcome { return ann.mv("/firm/src/f", "/firm/plan") },
				"move dir":  func() *outcome { return ann.mv("/firm/src/d", "/firm/plan") },
				"copy":      func() *outcome { return ann.cp("/firm/src/f", "/firm/PLAN") },
				"copy dir":  func() *outcome { return ann.cp("/firm/src/d", "/firm/plan") },
				"in pieces": func() *outcome { return pieces(ann, "/firm/plan") },
			} {
				o := create()
				if !errors.Is(o.err, fault.ErrConflict) || !strings.Contains(fault.Told(o.err), "/firm/Plan:") {
					t.Errorf("%s beside %s: %v, want a conflict that names it", what, there, o.err)
				}
				o.unchanged()
			}
		}
	})
}

// pieces begins an upload in pieces.
func pieces(u *user, p string) *outcome {
	return u.act("begin "+p, func(t *files.Tree, _ *outcome) error {
		_, err := t.BeginUpload(u.ctx, vpath.Must(p), files.UploadWish{Size: 1, Exists: files.ExistsAsk})
		if errors.Is(err, fs.ErrInvalid) { // this kind of store takes none
			return fault.Tell(fault.ErrConflict, "/firm/Plan: %s", err)
		}
		return err
	})
}

func TestTwinsThatAreNone(t *testing.T) {
	w := newWorld(t, options{})
	w.seed("ann", "/firm/Plan", "/firm/Dir/x", "/firm/other")
	ann := w.as("ann")
	ann.mv("/firm/Plan", "/firm/plan").ok() // to another case of its own name
	ann.mv("/firm/Dir", "/firm/DIR").ok()
	ann.put("/firm/plan", "again").ok() // an overwrite is no new name
	ann.put("/firm/DIR/plan", "x").ok() // another folder
	ann.rm("/firm/plan").ok()
	ann.put("/firm/PLAN", "x").ok() // its twin has ended
	ann.mv("/firm/other", "/firm/PLAN").ok()
	ann.put("/firm/OTHER", "x").ok() // moved away
}

// A save by a temporary file never meets itself.
func TestTwinsOfASave(t *testing.T) {
	w := newWorld(t, options{})
	ann := w.as("ann")
	ann.put("/firm/b.txt", "1").ok()
	for range 3 {
		ann.put("/firm/.b.swp", "2").ok()
		ann.mv("/firm/.b.swp", "/firm/b.txt").ok()
		ann.rm("/firm/b.txt").ok()
		ann.put("/firm/b.txt", "3").ok()
	}
}

// What may not be known of is not named.
func TestAHiddenTwinIsNotNamed(t *testing.T) {
	w := newWorld(t, options{rules: `
workspaces:
  firm:
    folders:
      /:    {grant: {"user:root": owner}}
      /Box: {grant: {"user:dan": member}}
`})
	w.seed("root", "/firm/Box/Secret")
	w.as("dan").put("/firm/Box/mine", "x").ok()
	w.as("dan").put("/firm/Box/MINE", "x").want(fault.ErrConflict)
	o := w.as("dan").put("/firm/Box/secret", "x")
	if !errors.Is(o.err, fault.ErrConflict) || strings.Contains(fault.Told(o.err), "Secret") {
		t.Errorf("%s: %v", o.what, o.err)
	}
	w.as("root").put("/firm/Box/secreT", "x").want(fault.ErrConflict)
}

// What other programs make is found by the next listing, some seconds later; and
// a folder that is written to all the time is listed once in that time.
func TestTwinsAreListedNowAndThen(t *testing.T) {
	w := newWorld(t, options{quiet: true})
	w.seed("ann", "/firm/d/a")
	lists := 0
	w.setHook(func(op string, _ vpath.Path) error {
		if op == "List" || op == "Names" {
			lists++
		}
		return nil
	})
	ann := w.as("ann")
	for i := range 50 {
		ann.put(fmt.Sprintf("/firm/d/f%d", i), "x").ok()
	}
	if lists != 1 {
		t.Errorf("50 uploads list the folder %d times, want once", lists)
	}
	w.seed("root", "/firm/d/Foreign")
	ann.put("/firm/d/FOREIGN", "x").ok()
	w.seed("root", "/firm/d/Late")
	w.clock.add(11 * time.Second)
	if o := ann.put("/firm/d/late", "x"); !errors.Is(o.err, fault.ErrConflict) {
		t.Errorf("%s: %v, want a conflict", o.what, o.err)
	}
	if lists != 2 {
		t.Errorf("the folder was listed %d times, want twice", lists)
	}
}

// Two that upload twins at once: whoever is published last is told.
func TestTwinsAtOnce(t *testing.T) {
	w := newWorld(t, options{quiet: true})
	ann := w.as("ann")
	tree := ann.tree()
	body := &lateBody{late: func() { ann.put("/firm/Twin", "first").ok() }}
	_, _, err := tree.Put(t.Context(), vpath.Must("/firm/twin"), body, files.PutOptions{Size: -1})
	if !errors.Is(err, fault.ErrConflict) {
		t.Errorf("the second twin: %v, want a conflict", err)
	}
}

// lateBody is an empty body, before whose end something happens.
type lateBody struct{ late func() }

func (b *lateBody) Read([]byte) (int, error) {
	if b.late != nil {
		late := b.late
		b.late = nil
		late()
	}
	return 0, io.EOF
}

// A store that cannot be listed takes files all the same.
func TestTwinsWithoutAListing(t *testing.T) {
	w := newWorld(t, options{quiet: true})
	w.setHook(func(op string, _ vpath.Path) error {
		if op == "List" || op == "Names" {
			return fault.ErrUnavailable
		}
		return nil
	})
	w.as("ann").put("/firm/a", "x").ok()
}

// Where new names must be safe on Windows, each way to make another one is refused
// with the mend; what is there can be read, renamed and deleted.
func TestWindowsSafe(t *testing.T) {
	everyShape(t, func(t *onShape) {
		w := newWorld(t, options{shape: t.shape})
		w.seed("ann", "/firm/old:name", "/firm/sub/b?c/x", "/firm/src/f", "/lab/d/e|f")
		var list []files.Workspace
		for name, b := range w.back {
			list = append(list, files.Workspace{Name: name, Backend: b, WindowsSafe: name == "firm"})
		}
		w.svc.Apply(w.policy(), list)
		ann := w.as("ann")
		for what, create := range map[string]func() *outcome{
			"put":         func() *outcome { return ann.put("/firm/a:b", "x") },
			"lock":        func() *outcome { return ann.lock("/firm/a*") },
			"mkdir":       func() *outcome { return ann.mkdir("/firm/a?") },
			"move":        func() *outcome { return ann.mv("/firm/src/f", "/firm/<f>") },
			"copy":        func() *outcome { return ann.cp("/firm/src", `/firm/"src"`) },
			"copy below":  func() *outcome { return ann.cp("/firm/sub", "/firm/sub2") },
			"move below":  func() *outcome { return ann.mv("/lab/d", "/firm/d") },
			"device":      func() *outcome { return ann.put("/firm/NUL.txt", "x") },
			"trailing":    func() *outcome { return ann.put("/firm/a.", "x") },
			"same, moved": func() *outcome { return ann.mv("/firm/old:name", "/firm/src/old:name") },
		} {
			o := create().want(fs.ErrInvalid)
			var bad *vpath.Error
			if !errors.As(o.err, &bad) || !strings.Contains(bad.Error(), "Windows") {
				t.Errorf("%s: %v does not tell the reason", what, o.err)
			}
		}
		ann.get("/firm/old:name").ok()
		ann.put("/firm/old:name", "new").ok()
		ann.cp("/firm/old:name", "/firm/fine").ok()
		ann.mv("/firm/old:name", "/firm/new-name").ok()
		ann.mv("/firm/sub", "/firm/sub3").ok() // no name in it is new
		ann.rm("/firm/sub3/b?c").ok()
		ann.put("/lab/a:b", "x").ok() // another workspace
	})
}

// BenchmarkTwins is a PUT of a new name into a folder of 10,000, and of an old one,
// which is not compared.
func BenchmarkTwins(b *testing.B) {
	s, _ := benchService(b)
	who := files.Staff(files.Person{ID: "id-bob", Login: "bob", Name: "Bob", Groups: []files.Membership{{Group: "staff"}}})
	put := func(ctx context.Context, p string) {
		tree, err := s.As(ctx, who)
		if err == nil {
			_, _, err = tree.Put(ctx, vpath.Must(p), strings.NewReader("x"), files.PutOptions{Size: 1})
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	for i := range 10_000 {
		put(b.Context(), fmt.Sprintf("/firm/a/file-%d.docx", i))
	}
	b.Run("Old", func(b *testing.B) {
		for b.Loop() {
			put(b.Context(), "/firm/a/file-7.docx")
		}
	})
	n := 0
	b.Run("New", func(b *testing.B) {
		for b.Loop() {
			n++
			put(b.Context(), fmt.Sprintf("/firm/a/New-%d.docx", n))
		}
	})
}
