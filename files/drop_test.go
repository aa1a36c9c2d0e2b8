package files_test

import (
	"io/fs"
	"strings"
	"sync"
	"testing"

	"portico/backends/mem"
	"portico/fault"
	"portico/files"
	"portico/vpath"
)

func TestDropGetsFreeNames(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *onShape) {
		w := newWorld(t, options{shape: t.shape})
		w.seed("root", "/firm/Drop/")
		for i, want := range []string{"scan.tar.gz", "scan.tar (2).gz", "scan.tar (3).gz"} {
			o := w.as("ida").put("/firm/Drop/scan.tar.gz", strings.Repeat("x", i+1)).ok()
			if !o.created || o.node.Path.Name() != want {
				t.Errorf("upload %d: created %v as %s, want %s", i, o.created, o.node.Path, want)
			}
		}
		w.as("ida").put("/firm/Drop/.profile", "a").ok()
		w.as("ida").put("/firm/Drop/.profile", "b").ok()
		w.has("/firm/Drop", ".profile=a", ".profile (2)=b", "scan.tar (2).gz=xx", "scan.tar (3).gz=xxx", "scan.tar.gz=x")
		w.as("ida").get("/firm/Drop/scan.tar.gz").want(fs.ErrNotExist)
		w.as("ida").ls("/firm/Drop").names()
		w.as("ida").find("/firm/Drop").ok()
		w.as("ida").rm("/firm/Drop/scan.tar.gz").want(fs.ErrNotExist)
	})
}

func TestDropShortensLongNames(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	w.seed("root", "/firm/Drop/")
	long := strings.Repeat("é", 125) + ".docx" // 255 bytes
	for range 2 {
		w.as("ida").put("/firm/Drop/"+long, "x").ok()
	}
	ext := "." + strings.Repeat("y", 250)
	for range 2 {
		w.as("ida").put("/firm/Drop/a"+ext, "x").ok()
	}
	if got := w.tree("/firm/Drop"); len(got) != 4 {
		t.Errorf("the drop holds %q", got)
	}
}

// answer is all that one who drops something learns, but for the text.
func answer(o *outcome) string { return kind(o.err) }

// What one who sees nothing is told does not depend on what is there.
func TestDropTellsNothing(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *onShape) {
		none := "opaquelocktoken:none"
		try := func(there bool) (got []string) {
			w := newWorld(t, options{shape: t.shape})
			w.seed("root", "/firm/Drop/", "/firm/x.txt")
			w.grant("/x.txt", "ida", "viewer")
			if there {
				w.seed("ivo", "/firm/Drop/a.txt", "/firm/Drop/sub/b.txt")
			}
			for _, o := range []*outcome{
				w.as("ida").put("/firm/Drop/a.txt", "1"),
				w.as("ida").put("/firm/Drop/a.txt", "1", putIf(files.Guard{NoneMatch: []string{"*"}})),
				w.as("ida").put("/firm/Drop/a.txt", "1", putIf(files.Guard{Match: []string{"*"}})),
				w.as("ida").put("/firm/Drop/a.txt", "1", putIf(with(none))),
				w.as("ida").mkdir("/firm/Drop/sub"),
				w.as("ida").mkdir("/firm/Drop/sub", with(none)),
				w.as("ida").mkdir("/firm/Drop/SUB"),
				w.as("ida").put("/firm/Drop/sub/b.txt", "1"),
				w.as("ida").put("/firm/Drop/sub/deep/c.txt", "1"),
				w.as("ida").lock("/firm/Drop/a.txt"),
				w.as("ida").cp("/firm/x.txt", "/firm/Drop/a.txt"),
				w.as("ida").cp("/firm/x.txt", "/firm/Drop/a.txt", files.TransferOptions{}),
				w.as("ida").cp("/firm/x.txt", "/firm/Drop/sub"),
				w.as("ida").cp("/firm/x.txt", "/firm/Drop/other/deep/x.txt"),
				w.as("ida").get("/firm/Drop/a.txt"),
				w.as("ida").ls("/firm/Drop/sub"),
				w.as("ida").patch("/firm/Drop/a.txt", files.Guard{}, color("red")),
				w.as("ida").rm("/firm/Drop/sub"),
				w.as("ida").cp("/firm/Drop/sub", "/firm/Drop/sub2"),
				w.as("ida").mv("/firm/Drop/a.txt", "/firm/Drop/b.txt"),
			} {
				o.oneEvent(o.err == nil)
				got = append(got, o.what+": "+answer(o))
			}
			return got
		}
		compareAnswers(t, "ida", try(true), try(false))
	})
}

func TestDropKeepsWhatIsThere(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *onShape) {
		w := newWorld(t, options{shape: t.shape})
		w.seed("root", "/firm/Drop/", "/firm/x.txt", "/firm/F/y.txt")
		w.seed("ivo", "/firm/Drop/x.txt", "/firm/Drop/F/z.txt")
		w.grant("/x.txt", "ida", "editor")
		w.grant("/F", "ida", "viewer")
		w.as("ida").cp("/firm/x.txt", "/firm/Drop/x.txt").ok()
		w.as("ida").cp("/firm/F", "/firm/Drop/F").ok()
		w.as("ida").mkdir("/firm/Drop/F").ok()
		w.as("ida").mkdir("/firm/Drop/x.txt").ok()
		w.as("ida").put("/firm/Drop/x.txt/deep/a", "below a file").ok()
		w.as("ida").mkdir("/firm/Drop/x.txt/deep").ok()
		w.as("ida").cp("/firm/x.txt", "/firm/Drop/x.txt/b").ok()
		w.has("/firm/Drop", "F/", "F/z.txt=/firm/Drop/F/z.txt", "F (2)/", "F (2)/y.txt=/firm/F/y.txt",
			"x (2).txt=/firm/x.txt", "x (3).txt/", "x (3).txt/b=/firm/x.txt", "x (3).txt/deep/", "x (3).txt/deep/a=below a file",
			"x.txt=/firm/Drop/x.txt")
	})
}

func TestMoveIntoDrop(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *onShape) {
		w := newWorld(t, options{shape: t.shape, rules: `
workspaces:
  firm:
    folders:
      /Mine: {grant: {"user:ida": editor}}
      /Drop: {grant: {"user:ida": inbox}}
`})
		w.seed("ida", "/firm/Mine/x.txt", "/firm/Mine/F/y.txt")
		w.seed("ivo", "/firm/Drop/x.txt")
		w.as("ida").mv("/firm/Mine/x.txt", "/firm/Drop/x.txt").ok()
		w.as("ida").mv("/firm/Mine/F", "/firm/Drop/new/F").ok()
		w.has("/firm/Drop", "new/", "new/F/", "new/F/y.txt=/firm/Mine/F/y.txt", "x (2).txt=/firm/Mine/x.txt", "x.txt=/firm/Drop/x.txt")
		w.has("/firm/Mine")
	})
}

// A cut upload leaves no folder that was made for it.
func TestCutDropLeavesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	w.seed("root", "/firm/Drop/")
	w.as("ida").act("put", func(tree *files.Tree, _ *outcome) error {
		_, _, err := tree.Put(t.Context(), vpath.Must("/firm/Drop/new/deep/x"), cut("abc"), files.PutOptions{Size: 9})
		return err
	}).want(fault.ErrTruncated)
	w.seed("root", "/firm/Drop/old/")
	w.mem.FailNext("Mkdir", fault.ErrUnavailable)
	w.as("ida").put("/firm/Drop/old/deep/x", "1").want(fault.ErrUnavailable)
	w.mem.FailNext("Mkdir", fault.ErrUnavailable)
	w.as("ida").mkdir("/firm/Drop/old/deep").want(fault.ErrUnavailable)
}

// Two who drop files of one name at once both find a place for them.
func TestDropsAtOnce(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *onShape) {
		w := newWorld(t, options{shape: t.shape})
		w.seed("root", "/firm/Drop/", "/firm/x.txt")
		w.grant("/x.txt", "ida", "viewer")
		w.grant("/x.txt", "ivo", "viewer")
		var all sync.WaitGroup
		for i := range 12 {
			tree := w.as([]string{"ida", "ivo"}[i%2]).tree()
			all.Go(func() {
				var err error
				if i%3 == 0 {
					_, err = tree.Copy(t.Context(), vpath.Must("/firm/x.txt"), vpath.Must("/firm/Drop/x.txt"), over)
				} else {
					_, _, err = tree.Put(t.Context(), vpath.Must("/firm/Drop/x.txt"), strings.NewReader("1"), files.PutOptions{Size: 1})
				}
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if got := w.tree("/firm/Drop"); len(got) != 12 {
			t.Errorf("the drop holds %d files: %q", len(got), got)
		}
	})
}

// While something hidden is moved out of a drop, its name is dropped beside it.
func TestDropDuringAMove(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{shape: mem.Objects})
	w.seed("ivo", "/firm/Drop/a/b.txt", "/firm/Done/")
	w.mem.FailNext("RemoveAll", fault.ErrUnavailable)
	w.as("root").mv("/firm/Drop/a", "/firm/Done/a").ok()
	if n := w.svc.Moves(); n != 1 {
		t.Fatalf("%d moves open, want 1", n)
	}
	w.as("ida").put("/firm/Drop/a", "1").ok()
	w.as("ida").mkdir("/firm/Drop/a").ok()
	w.as("ann").put("/firm/Drop/a", "1").want(fault.ErrUnavailable)
	if err := w.svc.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.has("/firm/Drop", "a (2)=1")
	w.has("/firm/Done", "a/", "a/b.txt=/firm/Drop/a/b.txt")
}

func TestTwinOfAHiddenRuleIsNotNamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	w.seed("root", "/firm/Drop/", "/firm/src/hr/x")
	for _, o := range []*outcome{
		w.as("ann").put("/firm/hr", "1").want(fault.ErrConflict),
		w.as("ann").mkdir("/firm/hr").want(fault.ErrConflict),
		w.as("ann").cp("/firm/src/hr", "/firm/hr").want(fault.ErrConflict),
		w.as("ann").cp("/firm/src", "/firm/hr").want(fault.ErrConflict),
	} {
		if strings.Contains(o.err.Error(), "HR") || strings.Contains(o.events[0].Why, "HR") {
			t.Errorf("%s: %v names what is hidden", o.what, o.err)
		}
	}
	if o := w.as("ann").mkdir("/firm/DROP").want(fault.ErrConflict); !strings.Contains(o.err.Error(), "/firm/Drop") {
		t.Errorf("%s: %v does not name the twin", o.what, o.err)
	}
	w.seed("root", "/firm/team/")
	if o := w.as("ann").mkdir("/firm/TEAM").want(fault.ErrConflict); !strings.Contains(o.err.Error(), "/firm/team") {
		t.Errorf("%s: %v does not name the twin", o.what, o.err)
	}
	w.as("ann").mv("/firm/team", "/firm/TEAM").ok()
}
