package files_test

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"portico/backends"
	"portico/backends/local"
	"portico/fault"
	"portico/files"
	"portico/store"
	"portico/vpath"
)

// clutterNames are what programs look for and keep; see vpath.
func clutterNames() []string {
	return []string{
		"desktop.ini", "Thumbs.db", "~$plan.docx", ".~lock.plan.odt#", ".plan.txt.swp",
		".hidden", ".metadata_never_index", ".Spotlight-V100", ".Trashes", ".fseventsd", ".TemporaryItems", "mach_kernel",
	}
}

// stored is a world over one kind of storage, and counts the calls to it.
type stored struct {
	*world
	calls atomic.Int64
}

// everyStorage runs a test over each kind of store in memory, and over a disk.
func everyStorage(t *testing.T, f func(s *stored)) {
	t.Helper()
	everyShape(t, func(t *onShape) {
		s := &stored{world: newWorld(t, options{shape: t.shape, quiet: true, shared: newMemState()})}
		s.setHook(func(string, vpath.Path) error {
			s.calls.Add(1)
			return nil
		})
		f(s)
	})
	t.Run("local", func(t *testing.T) {
		t.Parallel()
		s := &stored{world: newWorld(t, options{quiet: true, shared: newMemState()})}
		disk, err := local.Open(local.Options{
			Dir: t.TempDir(), Rand: rand.Reader, Clock: s.clock.Now, OnCall: func(backends.Call) { s.calls.Add(1) },
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { wantErr(t, "close", disk.Close(), nil) })
		for name := range s.back {
			if s.back[name], err = disk.At(vpath.Must("/" + name)); err != nil {
				t.Fatal(err)
			}
		}
		s.apply(0)
		f(s)
	})
}

// free wants nothing to be found at p, without a call to the storage.
func (s *stored) free(login, p string) {
	s.Helper()
	u, was := s.as(login), s.calls.Load()
	for _, o := range []*outcome{u.get(p), u.find(p), u.stat(p), u.ls(p)} {
		if !errors.Is(o.err, fs.ErrNotExist) || fault.Told(o.err) != p+" does not exist" {
			s.Errorf("%s: %v, want nothing there", o.what, o.err)
		}
	}
	if n := s.calls.Load() - was; n != 0 {
		s.Errorf("to look for %s takes %d calls to the storage", p, n)
	}
}

// marksHold wants no clutter in the storage that a look would not find. It is true of
// all that was made through us, at any moment, but for what a move has left behind or put aside.
func (w *world) marksHold(when string) {
	w.Helper()
	moves, err := w.state.Moves(context.Background())
	if err != nil {
		w.Fatal(err)
	}
	left := func(p vpath.Path) bool {
		return slices.ContainsFunc(moves, func(m store.Move) bool {
			return (m.Phase == "sweep" || m.Phase == "finish") && m.From.Contains(p)
		})
	}
	for name, b := range w.back {
		err := backends.Walk(context.Background(), b, vpath.Path{}, func(p vpath.Path, _ backends.Info) error {
			full, err := vpath.Must("/" + name).Join(p)
			if err != nil || !full.IsClutter() || left(full) || strings.HasPrefix(p.Top(), backends.Reserved+"-") {
				return err
			}
			_, found, err := w.state.NoiseAt(context.Background(), full.Parent(), "/"+full.Name(), w.clock.Now())
			if !found {
				w.Errorf("%s: %s is there without a mark", when, full)
			}
			return err
		})
		if err != nil {
			w.Fatal(err)
		}
	}
}

// Clutter lives as other files do, and a look for what is not there takes no call to
// the storage: before it is made, after its end, and where it has moved away.
func TestClutterAsksTheStorageWhereItIs(t *testing.T) {
	t.Parallel()
	everyStorage(t, func(s *stored) {
		s.seed("ann", "/firm/d/~~last", "/firm/e/", "/lab/")
		ann := s.as("ann")
		for _, name := range clutterNames() {
			d, e := "/firm/d/"+name, "/firm/e/"+name
			s.free("ann", d)
			s.free("bob", d)
			if o := ann.put(d, "1").ok(); !o.created {
				t.Errorf("%s: not new", o.what)
			}
			if o := ann.put(d, "two").ok(); o.created || o.node.Size != 3 {
				t.Errorf("%s: new, or %d bytes", o.what, o.node.Size)
			}
			s.as("bob").reads(d, "two")
			s.as("bob").put(d, "x").want(fs.ErrPermission)
			ann.ls("/firm/d").names(name, "~~last")
			ann.mv(d, e).ok()
			s.free("ann", d)
			ann.reads(e, "two")
			ann.cp(e, d).ok()
			ann.reads(d, "two")
			ann.mv("/firm/e", "/lab/e").ok()
			s.free("ann", e)
			ann.reads("/lab/e/"+name, "two")
			ann.cp("/lab/e", "/firm/e").ok()
			ann.reads(e, "two")
			ann.rm("/lab/e").ok()
			s.free("ann", "/lab/e/"+name)
			ann.rm(d).ok()
			s.free("ann", d)
			ann.rm(e).ok()
			ann.mkdir(e).ok()
			ann.put(e+"/x", "in it").ok()
			ann.mv(e, d).ok()
			ann.ls(d).names("x")
			ann.rm(d).ok()
			s.free("ann", d)
			s.marksHold(name)
		}
	})
}

// A lock makes the file, and what is renamed to a document is one.
func TestClutterIsLockedAndRenamed(t *testing.T) {
	t.Parallel()
	everyStorage(t, func(s *stored) {
		s.seed("ann", "/firm/d/b.txt")
		ann := s.as("ann")
		o := ann.lock("/firm/d/.b.swp").ok()
		ann.reads("/firm/d/.b.swp", "")
		token := files.Guard{Tokens: []string{o.lock.Token}}
		ann.put("/firm/d/.b.swp", "new", func(po *files.PutOptions) { po.Guard = token }).ok()
		ann.mv("/firm/d/.b.swp", "/firm/d/b.txt", files.TransferOptions{Overwrite: true, Guard: token}).ok() // davfs2, WEBDAV.md §2.5 D3
		ann.reads("/firm/d/b.txt", "new")
		s.free("ann", "/firm/d/.b.swp")
		ann.mv("/firm/d/b.txt", "/firm/d/~$b.txt").ok()
		ann.reads("/firm/d/~$b.txt", "new")
		ann.mv("/firm/d/~$b.txt", "/firm/d/c.txt").ok()
		ann.cp("/firm/d/c.txt", "/firm/d/~$c.txt").ok()
		ann.reads("/firm/d/~$c.txt", "new")
		s.marksHold("at the end")
	})
}

// It does not expire, and stays where noise is dropped because there is too much.
func TestClutterStays(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{quiet: true})
	ann := w.as("ann")
	w.seed("ann", "/firm/d/a", "/lab/b")
	ann.put("/firm/d/~$a", "ann").ok()
	w.mib("/firm/d/a", 1)
	w.mib("/lab/b", 256)
	ann.mv("/firm/d", "/lab/d").ok()
	ann.lacks("/lab/d/._a")
	w.clock.add(50 * 365 * 24 * time.Hour)
	ann.put("/lab/._new", "").done() // which ends what has expired
	ann.reads("/lab/d/~$a", "ann")
	w.marksHold("later")
}

// What other tools put into the storage is not shown, ends with its folder, and can
// be written over by who may write there.
func TestClutterOfOtherTools(t *testing.T) {
	t.Parallel()
	everyStorage(t, func(s *stored) {
		s.seed("ann", "/firm/d/plan", "/firm/d/Thumbs.db", "/firm/d/~$plan", "/firm/d/.Trashes/x", "/firm/d/folder.jpg", "/lab/")
		ann := s.as("ann")
		ann.ls("/firm/d").names("folder.jpg", "plan")
		for _, name := range []string{"Thumbs.db", "~$plan", ".Trashes"} {
			s.free("ann", "/firm/d/"+name)
			ann.rm("/firm/d/" + name).want(fs.ErrNotExist)
			ann.mv("/firm/d/"+name, "/firm/x").want(fs.ErrNotExist)
		}
		ann.put("/firm/d/desktop.ini", "1").ok()
		ann.ls("/firm/d").names("desktop.ini", "folder.jpg", "plan")
		s.as("tom").put("/firm/d/Thumbs.db", "2").want(fault.ErrPrecondition) // who may not replace files
		s.as("tom").put("/firm/d/mine", "2").ok()
		for _, name := range []string{"Thumbs.db", ".Trashes"} {
			s.as("tom").cp("/firm/d/mine", "/firm/d/"+name).want(fault.ErrConflict)
			s.as("tom").mv("/firm/d/mine", "/firm/d/"+name).want(fault.ErrConflict)
		}
		s.as("tom").rm("/firm/d/mine").ok()
		ann.cp("/firm/d/plan", "/firm/d/.Trashes").want(fault.ErrConflict)
		s.free("ann", "/firm/d/.Trashes")
		ann.lock("/firm/d/~$plan").want(fault.ErrPrecondition) // a lock on a free name empties no file
		ann.unlock("/firm/d/~$plan", ann.lock("/firm/d/~$plan").ok().lock.Token).ok()
		ann.cp("/firm/d/plan", "/firm/d/Thumbs.db").ok()
		ann.put("/firm/d/~$plan", "mine").ok()
		ann.reads("/firm/d/~$plan", "mine")
		ann.put("/firm/d/.Trashes/y", "what is ours is found").ok()
		ann.ls("/firm/d/.Trashes").names("x", "y")
		ann.mv("/firm/d", "/lab/d").ok()
		ann.ls("/lab/d").names(".Trashes", "Thumbs.db", "desktop.ini", "folder.jpg", "plan", "~$plan")
		ann.cp("/lab/d", "/firm/d").ok()
		ann.rm("/lab/d").ok()
		ann.rm("/firm/d").ok()
		if left := s.tree("/firm"); len(left) != 0 {
			t.Errorf("left behind: %q", left)
		}
	})
}

// A folder that is hidden stays so: who may not look into it gets the answer for a
// free name, at the price of one, whether there is clutter in it or not.
func TestClutterIsHiddenWithItsFolder(t *testing.T) {
	t.Parallel()
	everyStorage(t, func(s *stored) {
		s.seed("hal", "/firm/HR/plan")
		s.as("hal").put("/firm/HR/~$plan", "hal").ok()
		s.as("hal").reads("/firm/HR/~$plan", "hal")
		cost := map[string]int64{}
		for _, name := range []string{"~$plan", "~$none"} {
			for what, look := range map[string]func(*user, string) *outcome{"get": (*user).get, "find": (*user).find, "stat": (*user).stat, "list": (*user).ls} {
				was := s.calls.Load()
				o := look(s.as("ann"), "/firm/HR/"+name)
				if !errors.Is(o.err, fs.ErrNotExist) || fault.Told(o.err) != "/firm/HR/"+name+" does not exist" {
					s.Errorf("%s: %v", o.what, o.err)
				}
				cost[what+name] = s.calls.Load() - was
			}
		}
		for _, what := range []string{"get", "find", "stat", "list"} {
			if cost[what+"~$plan"] != cost[what+"~$none"] {
				s.Errorf("%s costs %d calls where there is something, and %d where there is nothing", what, cost[what+"~$plan"], cost[what+"~$none"])
			}
		}
		s.free("hal", "/firm/HR/~$none")
	})
}
