package local_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"portico/backends"
	"portico/fault"
	"portico/vpath"
)

// movable is a storage with a file, in a folder that the test may move.
func movable(t *testing.T) *disk {
	t.Helper()
	d := diskAt(t, filepath.Join(t.TempDir(), "files"))
	d.must(d.put("/file", "first"))
	return d
}

// sound makes a folder that was a storage before, with one file.
func (d *disk) sound(dir, content string) {
	d.Helper()
	d.must(os.MkdirAll(filepath.Join(dir, backends.Reserved), 0o700))
	d.must(os.WriteFile(filepath.Join(dir, "file"), []byte(content), 0o600))
}

// all runs each operation once.
func (d *disk) all() map[string]error {
	ctx, file, other := d.Context(), vpath.Must("/file"), vpath.Must("/other")
	errs := map[string]error{"Put": d.put("/file", "later"), "Check": d.s.Check(ctx)}
	_, errs["Stat"] = d.Stat(ctx, file)
	_, errs["Stat of the top"] = d.Stat(ctx, vpath.Path{})
	_, _, errs["List"] = d.List(ctx, vpath.Path{})
	_, errs["Open"] = d.read("/file")
	_, errs["Mkdir"] = d.Mkdir(ctx, other, backends.Meta{})
	_, errs["Copy"] = d.Backend.(backends.Copier).Copy(ctx, file, vpath.Must("/copy"), backends.Meta{})
	errs["Rename"] = d.Backend.(backends.Renamer).Rename(ctx, file, vpath.Must("/renamed"))
	errs["Walk"] = d.Backend.(backends.Walker).Walk(ctx, vpath.Path{}, func(vpath.Path, backends.Info) error { return nil })
	errs["Remove"] = d.Remove(ctx, other)
	errs["RemoveAll"] = d.Backend.(backends.Remover).RemoveAll(ctx, []vpath.Path{file})[file]
	_, errs["Free"] = d.Backend.(backends.Sizer).Free(ctx)
	_, errs["Reap"] = d.s.Reap(ctx, time.Now())
	_, errs["At"] = d.s.At(vpath.Must("/firm"))
	return errs
}

// wantAway demands that no operation finds a storage.
func (d *disk) wantAway() {
	d.Helper()
	for name, err := range d.all() {
		d.wantErr(name, err, fault.ErrUnavailable)
		if errors.Is(err, errNotExist) || errors.Is(err, errPermission) {
			d.Errorf("%s: %v blames the user", name, err)
		}
	}
}

func (d *disk) wantFile(content string) {
	d.Helper()
	if got, err := d.read("/file"); got != content || err != nil {
		d.Errorf("file = %q, %v, want %q", got, err, content)
	}
}

// wantOnDisk demands those names, Portico's own folder left out.
func (d *disk) wantOnDisk(dir string, want ...string) {
	d.Helper()
	list, err := os.ReadDir(dir)
	d.must(err)
	got := []string{}
	for _, e := range list {
		if e.Name() != backends.Reserved {
			got = append(got, e.Name())
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		d.Errorf("%s holds %q, want %q", dir, got, want)
	}
}

// TestFolderAway: what stands at Dir instead is no storage. Nothing happens in
// the old folder nor in that, and the old one is taken again when it is back.
func TestFolderAway(t *testing.T) {
	t.Parallel()
	for name, instead := range map[string]func(d *disk){
		"nothing":         func(*disk) {},
		"an empty folder": func(d *disk) { d.must(os.Mkdir(d.dir, 0o700)) },
		"a file":          func(d *disk) { d.must(os.WriteFile(d.dir, nil, 0o600)) },
		"a loop":          func(d *disk) { d.must(os.Symlink("files", d.dir)) },
		"a file in it for our own folder": func(d *disk) {
			d.must(os.Mkdir(d.dir, 0o700))
			d.must(os.WriteFile(d.path(backends.Reserved), nil, 0o600))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := movable(t)
			old := d.dir + ".old"
			d.must(os.Rename(d.dir, old))
			instead(d)
			d.wantAway()
			d.wantOnDisk(old, "file")
			if name == "an empty folder" {
				if list, err := os.ReadDir(d.dir); len(list) != 0 || err != nil {
					t.Errorf("the empty folder was filled: %v, %v", list, err)
				}
			}
			d.must(os.RemoveAll(d.dir))
			d.must(os.Rename(old, d.dir))
			d.wantFile("first")
			d.must(errors.Join(d.s.Check(t.Context()), d.put("/file", "second")))
			d.wantFile("second")
		})
	}
}

// TestFolderReplaced: another storage's folder is taken as it is. A workspace
// that it lacks is away, and not made.
func TestFolderReplaced(t *testing.T) {
	t.Parallel()
	d := movable(t)
	firm, err := d.s.At(vpath.Must("/firm"))
	d.must(err)
	old := d.dir + ".old"
	d.must(os.Rename(d.dir, old))
	d.sound(d.dir, "restored")
	d.wantFile("restored")
	d.must(errors.Join(d.put("/file", "written"), d.put("/new", "x"), d.s.Check(t.Context())))
	_, err = firm.Stat(t.Context(), vpath.Path{})
	d.wantErr("Stat in a workspace that is missing", err, fault.ErrUnavailable)
	_, err = firm.Mkdir(t.Context(), vpath.Must("/folder"), backends.Meta{})
	d.wantErr("Mkdir in a workspace that is missing", err, fault.ErrUnavailable)
	d.wantOnDisk(d.dir, "file", "new")
	d.wantOnDisk(old, "file", "firm")
}

// TestReplacedUnderWay replaces the folder in the middle of each operation that
// publishes. It must fail, and change neither folder.
func TestReplacedUnderWay(t *testing.T) {
	t.Parallel()
	for name, op := range map[string]struct {
		at string // the call after which the folder is replaced
		do func(d *disk) error
	}{
		"Put":   {"sync", func(d *disk) error { return d.put("/file", "later") }},
		"Mkdir": {"sync", func(d *disk) error { _, err := d.Mkdir(d.Context(), vpath.Must("/new"), backends.Meta{}); return err }},
		"Copy": {"sync", func(d *disk) error {
			_, err := d.Backend.(backends.Copier).Copy(d.Context(), vpath.Must("/file"), vpath.Must("/new"), backends.Meta{})
			return err
		}},
		"Rename": {"open folder", func(d *disk) error {
			return d.Backend.(backends.Renamer).Rename(d.Context(), vpath.Must("/folder/below"), vpath.Must("/new"))
		}},
		"Remove": {"open folder", func(d *disk) error { return d.Remove(d.Context(), vpath.Must("/folder/below")) }},
	} {
		for _, sound := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, sound=%t", name, sound), func(t *testing.T) {
				t.Parallel()
				d := &disk{T: t, dir: filepath.Join(t.TempDir(), "files")}
				d.sound(d.dir, "first")
				d.must(os.Mkdir(d.path("folder"), 0o700))
				d.must(os.WriteFile(d.path("folder/below"), nil, 0o600))
				old, armed := d.dir+".old", false
				d.s = open(t, d.dir, func(c backends.Call) {
					if !armed || c.Name != op.at {
						return
					}
					armed = false
					d.must(os.Rename(d.dir, old))
					if sound {
						d.sound(d.dir, "other")
					}
				})
				var err error
				d.Backend, err = d.s.At(vpath.Path{})
				d.must(err)
				armed = true
				d.wantErr(name, op.do(d), fault.ErrUnavailable)
				if armed {
					t.Fatal("the folder was never replaced")
				}
				d.wantOnDisk(old, "file", "folder")
				d.wantOnDisk(filepath.Join(old, "folder"), "below")
				d.wantOnDisk(filepath.Join(old, backends.Reserved, "tmp"))
				if sound {
					d.wantOnDisk(d.dir, "file")
					d.wantFile("other")
				}
			})
		}
	}
}

// TestReaderOutlivesFolder: what is being read is read to its end.
func TestReaderOutlivesFolder(t *testing.T) {
	t.Parallel()
	d := movable(t)
	rc, _, err := d.Open(t.Context(), vpath.Must("/file"), backends.Range{})
	d.must(err)
	d.must(os.Rename(d.dir, d.dir+".old"))
	d.wantAway()
	got, err := io.ReadAll(rc)
	if string(got) != "first" || errors.Join(err, rc.Close()) != nil {
		t.Errorf("read %q, %v", got, err)
	}
}

// TestClosedStaysClosed: an operation after Close opens nothing anew.
func TestClosedStaysClosed(t *testing.T) {
	t.Parallel()
	d := movable(t)
	d.must(d.s.Close())
	d.wantAway()
}

// TestFolderFlips has many at work while two folders change places.
func TestFolderFlips(t *testing.T) {
	t.Parallel()
	d := movable(t)
	other, aside := d.dir+".other", d.dir+".aside"
	d.sound(other, "other")
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for j := range 100 {
				path := fmt.Sprintf("/file %d-%d", i, j)
				_, _, listed := d.List(t.Context(), vpath.Path{})
				for _, err := range []error{d.put(path, "x"), listed, d.s.Check(t.Context())} {
					if err != nil && !errors.Is(err, fault.ErrUnavailable) {
						t.Error(err)
					}
				}
			}
		})
	}
	for range 50 {
		d.must(errors.Join(os.Rename(d.dir, aside), os.Rename(other, d.dir), os.Rename(aside, other)))
	}
	wg.Wait()
	d.must(errors.Join(d.put("/file", "end"), d.s.Check(t.Context())))
	d.wantFile("end")
}

// TestHandlesAreClosed counts the open handles over many replacements. It runs
// alone: the handles of other tests would count too.
func TestHandlesAreClosed(t *testing.T) { //nolint:paralleltest // see above
	d := movable(t)
	other, aside := d.dir+".other", d.dir+".aside"
	d.sound(other, "other")
	count := func() int {
		list, err := os.ReadDir("/proc/self/fd")
		d.must(err)
		return len(list)
	}
	before := count()
	for range 100 {
		d.must(os.Rename(d.dir, aside))
		d.wantErr("Put", d.put("/file", "x"), fault.ErrUnavailable)
		d.must(os.Rename(other, d.dir))
		d.must(os.Rename(aside, other))
		d.must(d.put("/file", "x"))
	}
	if after := count(); after > before {
		t.Errorf("%d handles are open, %d before", after, before)
	}
}

// TestDiskUnmounted: the folder below the mount point is another one, and must
// not be filled. The same disk is taken when it is back, and so is one that is
// mounted over it, if it was a storage before.
func TestDiskUnmounted(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	store, over, dir := t.TempDir(), t.TempDir(), t.TempDir()
	mount(t, "tmpfs", store, "size=1m,mode=700")
	bind := func(from string) {
		t.Helper()
		if err := unix.Mount(from, dir, "", unix.MS_BIND, ""); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	}
	bind(store)
	d := diskAt(t, dir)
	d.must(errors.Join(d.put("/file", "first"), d.s.Check(t.Context())))
	d.must(unix.Unmount(dir, unix.MNT_DETACH))
	d.wantAway()
	if list, err := os.ReadDir(dir); len(list) != 0 || err != nil {
		t.Errorf("the mount point was filled: %v, %v", list, err)
	}
	d.must(unix.Unmount(store, 0)) // no handle keeps it busy
	mount(t, "tmpfs", store, "size=1m,mode=700")
	bind(store)
	d.wantAway() // a disk that has never been a storage
	d.sound(store, "back")
	d.wantFile("back")
	d.must(d.put("/file", strings.Repeat("x", 10)))
	d.sound(over, "over")
	bind(over)
	d.wantFile("over")
	d.must(unix.Unmount(dir, unix.MNT_DETACH))
	d.wantFile(strings.Repeat("x", 10))
}
