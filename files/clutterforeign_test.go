package files_test

import (
	"context"
	"io/fs"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"portico/backends/mem"
	"portico/fault"
	"portico/files"
	"portico/store"
	"portico/vpath"
)

// updates counts the transactions of a state store, tells the allocations of the
// largest, and fails them.
type updates struct {
	store.State
	n      atomic.Int64
	allocs atomic.Uint64
	fails  atomic.Bool
}

func (u *updates) Update(ctx context.Context, change func(store.Tx) error) error {
	if u.fails.Load() {
		return fault.ErrUnavailable
	}
	u.n.Add(1)
	return u.State.Update(ctx, func(tx store.Tx) error {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		err := change(tx)
		runtime.ReadMemStats(&after)
		u.allocs.Store(max(u.allocs.Load(), after.Mallocs-before.Mallocs))
		return err
	})
}

// paged are the names that a page for people lists.
func (u *user) paged(p string, w files.Want) []string {
	u.w.Helper()
	who := u.principal()
	who.Via = "page"
	tree, err := u.w.svc.As(u.ctx, who)
	if err != nil {
		u.w.Fatal(err)
	}
	_, below, err := tree.Find(u.ctx, vpath.Must(p), true, w)
	if err != nil {
		u.w.Errorf("page of %s: %v", p, err)
	}
	var names []string
	for _, n := range below {
		names = append(names, n.Path.Name())
	}
	slices.Sort(names)
	return names
}

// A folder of a name that programs have for files alone is somebody's: it is listed,
// by drives and by pages, and found from then on. A look at it before takes no call.
func TestClutterNamesOfPeoplesFolders(t *testing.T) {
	t.Parallel()
	everyStorage(t, func(s *stored) {
		s.seed("ann", "/firm/d/.hidden/doc", "/firm/d/~$archive/in/doc", "/firm/d/.Spotlight-V100/x", "/firm/d/.Trashes/x", "/firm/d/desktop.ini", "/lab/")
		for _, p := range []string{"/firm/d/.hidden", "/firm/d/~$archive", "/firm/d/.Trashes"} {
			s.free("ann", p)
		}
		s.as("bob").ls("/firm/d").names(".hidden", "~$archive")
		for _, w := range []files.Want{{}, {Names: true}} {
			if got := s.as("ann").paged("/firm/d", w); !slices.Equal(got, []string{".hidden", "~$archive"}) {
				t.Errorf("%+v: a page lists %q", w, got)
			}
		}
		for _, name := range []string{".Spotlight-V100", ".Trashes", "desktop.ini"} {
			s.free("ann", "/firm/d/"+name)
		}
		ann := s.as("ann")
		ann.ls("/firm/d/.hidden").names("doc")
		ann.reads("/firm/d/~$archive/in/doc", "/firm/d/~$archive/in/doc")
		ann.mkdir("/firm/d/.b.swp").ok()
		ann.mkdir("/firm/d/.fseventsd").ok()
		if got := ann.paged("/firm/d", files.Want{}); !slices.Equal(got, []string{".b.swp", ".hidden", "~$archive"}) {
			t.Errorf("a page lists %q", got)
		}
		ann.ls("/firm/d").names(".b.swp", ".fseventsd", ".hidden", "~$archive")
		ann.mv("/firm/d/~$archive", "/lab/old").ok()
		s.free("ann", "/firm/d/~$archive")
		ann.rm("/firm/d/.hidden").ok()
		s.free("ann", "/firm/d/.hidden")
	})
}

// The marks of a listing are one transaction, once; where they cannot be written, the
// listing goes without those folders.
func TestClutterIsMarkedByAListing(t *testing.T) {
	t.Parallel()
	for name, w := range map[string]files.Want{"whole": {}, "names": {Names: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			up := &updates{State: newMemState()}
			world := newWorld(t, options{quiet: true, shared: up})
			world.seed("ann", "/firm/d/plan/", "/firm/d/.hidden/doc", "/firm/d/~$a/", "/firm/d/~$b/", "/firm/d/~$c")
			list := func(want ...string) {
				t.Helper()
				if got := world.as("ann").paged("/firm/d", w); !slices.Equal(got, want) {
					t.Errorf("listed %q, want %q", got, want)
				}
			}
			up.fails.Store(true)
			list("plan")
			up.fails.Store(false)
			for _, want := range []int64{1, 0} {
				was := up.n.Load()
				list(".hidden", "plan", "~$a", "~$b")
				if n := up.n.Load() - was; n != want {
					t.Errorf("a listing takes %d transactions, want %d", n, want)
				}
			}
		})
	}
}

// A blind drop never meets what other tools have put there, nor learns of it.
func TestClutterOfOtherToolsInADrop(t *testing.T) {
	t.Parallel()
	everyStorage(t, func(s *stored) {
		s.seed("root", "/firm/Drop/desktop.ini", "/firm/Drop/~$a", "/firm/Drop/.Trashes", "/firm/Drop/Thumbs.db/", "/firm/Drop/.fseventsd/", "/firm/src", "/firm/src2")
		ida := s.as("ida")
		if o := ida.put("/firm/Drop/desktop.ini", "ida").ok(); !o.created {
			t.Errorf("%s: not new", o.what)
		}
		ida.put("/firm/Drop/Thumbs.db", "ida").ok()
		ida.put("/firm/Drop/.Trashes/x", "in it").ok()
		ida.mkdir("/firm/Drop/.fseventsd").ok()
		s.grant("/", "ida", "editor")
		ida.cp("/firm/src", "/firm/Drop/~$a").ok()
		ida.mv("/firm/src2", "/firm/Drop/~$a").ok()
		got := s.tree("/firm/Drop")
		for _, want := range []string{
			"desktop.ini=/firm/Drop/desktop.ini", "desktop (2).ini=ida", "Thumbs (2).db=ida", ".Trashes=/firm/Drop/.Trashes", ".Trashes (2)/x=in it",
			"~$a=/firm/Drop/~$a", "~$a (2)=/firm/src", "~$a (3)=/firm/src2",
		} {
			if !slices.Contains(got, want) {
				t.Errorf("no %s in %q", want, got)
			}
		}
	})
}

// Who says not to overwrite does not, and what is replaced makes room.
func TestClutterOfOtherToolsIsReplaced(t *testing.T) {
	t.Parallel()
	everyStorage(t, func(s *stored) {
		s.apply(200)
		s.seed("ann", "/firm/a", "/firm/Thumbs.db", "/lab/b")
		ann := s.as("ann")
		keep := files.TransferOptions{}
		ann.cp("/firm/a", "/firm/Thumbs.db", keep).want(fault.ErrPrecondition)
		ann.mv("/firm/a", "/firm/Thumbs.db", keep).want(fault.ErrPrecondition)
		ann.mv("/lab/b", "/firm/Thumbs.db", keep).want(fault.ErrPrecondition)
		if got := s.tree("/firm"); !slices.Contains(got, "Thumbs.db=/firm/Thumbs.db") {
			t.Errorf("a move that was refused left %q", got)
		}
		if o := ann.mv("/lab/b", "/firm/Thumbs.db").ok(); o.created {
			t.Errorf("%s: as a new one", o.what)
		}
		ann.reads("/firm/Thumbs.db", "/lab/b")
		if q, err := ann.quotaOf("/firm"); err != nil || q.Available != 200-int64(len("/firm/a")+len("/lab/b")) {
			t.Errorf("%+v, %v: the room of what was replaced is missing", q, err)
		}
	})
}

// A move over it that fails leaves it.
func TestClutterOfOtherToolsOutlastsAFailure(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *onShape) {
		w := newWorld(t, options{shape: t.shape, quiet: true})
		w.seed("ann", "/firm/Thumbs.db", "/lab/b")
		w.failing("Put", fault.ErrUnavailable)
		if o := w.as("ann").mv("/lab/b", "/firm/Thumbs.db"); o.err == nil {
			t.Errorf("%s: done without a Put", o.what)
		}
		w.setHook(nil)
		wantErr(t, "resume", w.svc.Resume(t.Context()), nil)
		if got := w.tree("/firm"); !slices.Equal(got, []string{"Thumbs.db=/firm/Thumbs.db"}) {
			t.Errorf("a move that failed left %q", got)
		}
		w.as("ann").reads("/lab/b", "/lab/b")
	})
}

// Into a folder that other tools have made one can write, and several servers answer
// as one does.
func TestClutterFolderOfOtherToolsTakesFiles(t *testing.T) {
	t.Parallel()
	for _, way := range []func(u *user) *outcome{
		func(u *user) *outcome { return u.put("/firm/.Trashes/y", "y") },
		func(u *user) *outcome { return u.put("/firm/.Trashes/._y", "y") },
		func(u *user) *outcome {
			return u.put("/firm/.Trashes/y", "y", func(o *files.PutOptions) { o.Waits = true })
		},
		func(u *user) *outcome { return u.cp("/firm/a", "/firm/.Trashes/y") },
		func(u *user) *outcome { return u.mv("/firm/a", "/firm/.Trashes/y") },
	} {
		one := newWorld(t, options{quiet: true})
		for _, w := range []*world{one, replicas(t, 2, mem.Objects, options{})[0].world} {
			w.seed("ann", "/firm/.Trashes/x", "/firm/a")
			if o := way(w.as("ann")); o.err != nil {
				t.Errorf("%s: %v", o.what, o.err)
			}
			w.as("bob").get("/firm/.Trashes/none").want(fs.ErrNotExist)
		}
	}
}

// How much there is in a folder does not tell how long others wait while it is moved or
// copied: no transaction looks at each member. It is not parallel, as it counts what
// the process allocates.
func TestClutterIsFoundOutsideTransactions(t *testing.T) { //nolint:paralleltest // see above
	const members = 3000
	for name, way := range map[string]func(u *user) *outcome{
		"move": func(u *user) *outcome { return u.mv("/firm/d", "/firm/e") },
		"copy": func(u *user) *outcome { return u.cp("/firm/d", "/firm/e") },
		"over": func(u *user) *outcome { return u.cp("/firm/d", "/firm/f") }, // which is a file, and makes way
	} {
		up := &updates{State: newMemState()}
		w := newWorld(t, options{quiet: true, shared: up})
		w.seed("ann", "/firm/f")
		for i := range members {
			w.seed("ann", "/firm/d/"+strings.Repeat("deep/", 5)+strconv.Itoa(i))
		}
		if o := way(w.as("ann")); o.err != nil {
			t.Errorf("%s: %v", o.what, o.err)
		}
		if n := up.allocs.Load(); n == 0 || n > members {
			t.Errorf("%s: %d allocations in a transaction, for %d files", name, n, members)
		}
	}
}
