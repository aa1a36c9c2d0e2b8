package local_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"portico/backends"
	"portico/backends/local"
	"portico/fault"
	"portico/vpath"
)

// disk is a storage, its folder, and the workspace that serves all of it.
type disk struct {
	*testing.T
	dir string
	s   *local.Storage
	backends.Backend
}

func newDisk(t *testing.T) *disk {
	t.Helper()
	return diskAt(t, t.TempDir())
}

func diskAt(t *testing.T, dir string) *disk {
	t.Helper()
	s := open(t, dir, nil)
	b, err := s.At(vpath.Path{})
	if err != nil {
		t.Fatalf("At: %v", err)
	}
	return &disk{T: t, dir: dir, s: s, Backend: b}
}

// path is a place on the disk.
func (d *disk) path(name string) string { return filepath.Join(d.dir, name) }

// must ends the test on what the test itself cannot do.
func (d *disk) must(err error) {
	d.Helper()
	if err != nil {
		d.Fatal(err)
	}
}

func (d *disk) put(path, content string) error {
	_, err := d.Put(d.Context(), vpath.Must(path), strings.NewReader(content), backends.PutOptions{Size: int64(len(content))})
	return err
}

func (d *disk) read(path string) (string, error) {
	rc, _, err := d.Open(d.Context(), vpath.Must(path), backends.Range{})
	if err != nil {
		return "", err
	}
	data, err := io.ReadAll(rc)
	return string(data), errors.Join(err, rc.Close())
}

func (d *disk) names(path string) []string {
	d.Helper()
	_, list, err := d.List(d.Context(), vpath.Must(path))
	d.must(err)
	names := []string{}
	for _, info := range list {
		names = append(names, info.Name+info.Foreign)
	}
	return names
}

func (d *disk) wantNames(path string, want ...string) {
	d.Helper()
	if got := d.names(path); !slices.Equal(got, append([]string{}, want...)) {
		d.Errorf("List(%s) = %q, want %q", path, got, want)
	}
}

func (d *disk) wantErr(what string, err, want error) {
	d.Helper()
	if !errors.Is(err, want) {
		d.Errorf("%s: error %v, want %v", what, err, want)
	}
}

// wantHidden demands that path does not exist for any call, and is not replaced.
func (d *disk) wantHidden(path string) {
	d.Helper()
	ctx, p := d.Context(), vpath.Must(path)
	_, err := d.Stat(ctx, p)
	d.wantErr("Stat("+path+")", err, errNotExist)
	_, _, err = d.List(ctx, p)
	d.wantErr("List("+path+")", err, errNotExist)
	_, err = d.read(path)
	d.wantErr("Open("+path+")", err, errNotExist)
	d.wantErr("Remove("+path+")", d.Remove(ctx, p), errNotExist)
	r, c := d.Backend.(backends.Renamer), d.Backend.(backends.Copier)
	d.wantErr("Rename of "+path, r.Rename(ctx, p, vpath.Must("/mine")), errNotExist)
	_, err = c.Copy(ctx, p, vpath.Must("/mine"), backends.Meta{})
	d.wantErr("Copy of "+path, err, errNotExist)
	w := d.Backend.(backends.Walker)
	d.wantErr("Walk("+path+")", w.Walk(ctx, p, func(vpath.Path, backends.Info) error { return nil }), errNotExist)

	d.wantErr("Put over "+path, d.put(path, "x"), errPermission)
	_, err = d.Mkdir(ctx, p, backends.Meta{})
	d.wantErr("Mkdir over "+path, err, errPermission)
	d.must(os.WriteFile(d.path("plain"), []byte("plain"), 0o600))
	d.wantErr("Rename over "+path, r.Rename(ctx, vpath.Must("/plain"), p), errPermission)
	_, err = c.Copy(ctx, vpath.Must("/plain"), p, backends.Meta{})
	d.wantErr("Copy over "+path, err, errPermission)
	d.must(os.Remove(d.path("plain")))
}

// wantClosed demands that nothing is reached through path, a hidden thing.
func (d *disk) wantClosed(path string) {
	d.Helper()
	ctx, p := d.Context(), vpath.Must(path)
	_, err := d.Stat(ctx, p)
	d.wantErr("Stat("+path+")", err, errNotExist)
	_, err = d.read(path)
	d.wantErr("Open("+path+")", err, errNotExist)
	d.wantErr("Remove("+path+")", d.Remove(ctx, p), errNotExist)
	d.wantErr("Put("+path+")", d.put(path, "x"), fault.ErrNoParent)
	_, err = d.Mkdir(ctx, p, backends.Meta{})
	d.wantErr("Mkdir("+path+")", err, fault.ErrNoParent)
}

func TestSymlinksDoNotExist(t *testing.T) {
	t.Parallel()
	d := newDisk(t)
	outside := t.TempDir()
	d.must(os.WriteFile(filepath.Join(outside, "secret"), []byte("outside"), 0o600))
	d.must(os.Mkdir(d.path("hr"), 0o700))
	d.must(os.WriteFile(d.path("hr/secret"), []byte("inside"), 0o600))
	for name, target := range map[string]string{
		"out": outside, "outfile": filepath.Join(outside, "secret"), "up": "..", "self": ".", "loop": "loop",
		"in": "hr", "infile": "hr/secret", "dangling": "nowhere", "own": backends.Reserved,
	} {
		d.must(os.Symlink(target, d.path(name)))
		d.wantHidden("/" + name)
		d.wantClosed("/" + name + "/secret")
		if _, err := d.s.At(vpath.Must("/" + name)); err == nil {
			t.Errorf("At(/%s) serves a link", name)
		}
		if got, err := os.Readlink(d.path(name)); err != nil || got != target {
			t.Errorf("the link %s points to %q, %v now", name, got, err)
		}
	}
	d.wantNames("/", "hr")
	d.wantNames("/hr", "secret")
	for _, file := range []string{filepath.Join(outside, "secret"), d.path("hr/secret")} {
		if data, err := os.ReadFile(file); err != nil || !strings.HasSuffix(string(data), "side") {
			t.Errorf("%s holds %q, %v", file, data, err)
		}
	}
	// A folder with a link in it is not empty, whatever List shows.
	d.must(os.Mkdir(d.path("holder"), 0o700))
	d.must(os.Symlink("x", d.path("holder/link")))
	d.wantNames("/holder")
	d.wantErr("Remove(/holder)", d.Remove(t.Context(), vpath.Must("/holder")), fault.ErrNotEmpty)
}

// TestFolderSwappedForLinkInUpload: the file must not go through the link.
func TestFolderSwappedForLinkInUpload(t *testing.T) {
	t.Parallel()
	d := newDisk(t)
	d.must(os.Mkdir(d.path("hr"), 0o700))
	d.must(os.Mkdir(d.path("open"), 0o700))
	body := io.MultiReader(strings.NewReader("first half"), onRead(func() {
		d.must(os.Rename(d.path("open"), d.path("aside")))
		d.must(os.Symlink("hr", d.path("open")))
	}), strings.NewReader("second half"))
	_, err := d.Put(t.Context(), vpath.Must("/open/file"), body, backends.PutOptions{Size: -1})
	d.wantErr("Put", err, fault.ErrNoParent)
	d.wantNames("/hr")
	d.wantNames("/aside")
}

// onRead is an empty Reader that runs do when it is read.
func onRead(do func()) io.Reader { return readFunc(do) }

type readFunc func()

func (f readFunc) Read([]byte) (int, error) { f(); return 0, io.EOF }

// TestFolderMovedInUpload: the file must not turn up where the folder went,
// as nobody has decided on that path.
func TestFolderMovedInUpload(t *testing.T) {
	t.Parallel()
	d := newDisk(t)
	d.must(os.Mkdir(d.path("open"), 0o700))
	body := io.MultiReader(strings.NewReader("x"), onRead(func() {
		d.must(d.Backend.(backends.Renamer).Rename(t.Context(), vpath.Must("/open"), vpath.Must("/hr")))
	}))
	_, err := d.Put(t.Context(), vpath.Must("/open/file"), body, backends.PutOptions{Size: -1})
	d.wantErr("Put", err, fault.ErrNoParent)
	d.wantNames("/hr")
	d.wantNames("/", "hr")
}

// swapping exchanges pairs of names as fast as it can until the test has ended.
func (d *disk) swapping(pairs ...[2]string) (stop func()) {
	end, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-end:
				return
			default:
			}
			for _, p := range pairs {
				_ = unix.Renameat2(unix.AT_FDCWD, d.path(p[0]), unix.AT_FDCWD, d.path(p[1]), unix.RENAME_EXCHANGE)
			}
		}
	}()
	return func() { close(end); <-done }
}

// TestLinkRace swaps a folder and a file for links while all calls run.
func TestLinkRace(t *testing.T) {
	t.Parallel()
	d := newDisk(t)
	for _, dir := range []string{"hr", "name"} {
		d.must(os.Mkdir(d.path(dir), 0o700))
	}
	d.must(os.WriteFile(d.path("hr/secret"), []byte("secret"), 0o600))
	d.must(os.Symlink("hr", d.path("link")))
	d.must(os.WriteFile(d.path("file"), []byte("public"), 0o600))
	d.must(os.Symlink("hr/secret", d.path("filelink")))
	stop := d.swapping([2]string{"name", "link"}, [2]string{"file", "filelink"})
	defer stop()
	for range 2000 {
		if content, err := d.read("/name/secret"); err == nil {
			t.Fatalf("read %q through a link", content)
		}
		if content, err := d.read("/file"); err == nil && content != "public" {
			t.Fatalf("read %q through a link", content)
		}
		if _, list, err := d.List(t.Context(), vpath.Must("/name")); err == nil && len(list) > 0 {
			t.Fatalf("listed %q through a link", list[0].Name)
		}
		if err := d.Remove(t.Context(), vpath.Must("/name/secret")); err == nil {
			t.Fatal("removed a file through a link")
		}
	}
	for range 100 {
		_ = d.put("/name/planted", "x") // may go well while name is a folder
		if _, err := os.Lstat(d.path("hr/planted")); err == nil {
			t.Fatal("put a file through a link")
		}
	}
}

func TestSpecialFilesDoNotExist(t *testing.T) {
	t.Parallel()
	d := newDisk(t)
	d.must(syscall.Mkfifo(d.path("pipe"), 0o600))
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	d.must(err)
	defer func() { d.must(unix.Close(fd)) }()
	d.must(unix.Bind(fd, &unix.SockaddrUnix{Name: d.path("socket")}))
	for _, name := range []string{"pipe", "socket"} {
		d.wantHidden("/" + name) // would hang at a pipe that is opened
		d.wantClosed("/" + name + "/x")
		if _, err := d.s.At(vpath.Must("/" + name)); err == nil {
			t.Errorf("At(/%s) serves it", name)
		}
	}
	d.wantNames("/")
}

// TestPipeRace swaps a file and a folder for a pipe: no call may wait for the
// pipe's other end.
func TestPipeRace(t *testing.T) {
	t.Parallel()
	d := newDisk(t)
	d.must(os.WriteFile(d.path("file"), []byte("x"), 0o600))
	d.must(os.Mkdir(d.path("folder"), 0o700))
	d.must(syscall.Mkfifo(d.path("pipe1"), 0o600))
	d.must(syscall.Mkfifo(d.path("pipe2"), 0o600))
	stop := d.swapping([2]string{"file", "pipe1"}, [2]string{"folder", "pipe2"})
	defer stop()
	for range 2000 {
		if got, err := d.read("/file"); err == nil && got != "x" {
			t.Fatalf("read %q", got)
		}
		_, _, _ = d.List(t.Context(), vpath.Must("/folder"))
		_, _ = d.Stat(t.Context(), vpath.Must("/folder/below"))
	}
}

func TestForeignNames(t *testing.T) {
	t.Parallel()
	d := newDisk(t)
	d.must(os.Mkdir(d.path("folder"), 0o700))
	foreign := []string{"back\\slash", "new\nline", "not\xffutf8", "e\u0301nfd", "tab\t"}
	for _, name := range foreign {
		d.must(os.WriteFile(filepath.Join(d.path("folder"), name), []byte("x"), 0o600))
	}
	d.must(os.Mkdir(d.path("folder/dir\\"), 0o700))
	d.must(os.WriteFile(d.path("folder/dir\\/below"), nil, 0o600))
	_, list, err := d.List(t.Context(), vpath.Must("/folder"))
	d.must(err)
	got := map[string]bool{}
	for _, info := range list {
		if info.Name != "" {
			t.Errorf("a foreign entry has the name %q", info.Name)
		}
		got[info.Foreign] = info.Dir
	}
	for _, name := range foreign {
		if dir, ok := got[name]; !ok || dir {
			t.Errorf("List misses the file %q: %v", name, got)
		}
	}
	if !got["dir\\"] || len(got) != len(foreign)+1 {
		t.Errorf("List = %v", got)
	}
	seen := 0
	d.must(d.Backend.(backends.Walker).Walk(t.Context(), vpath.Path{}, func(p vpath.Path, i backends.Info) error {
		if i.Foreign != "" {
			seen++
			if p != vpath.Must("/folder") {
				t.Errorf("Walk gives %q at %s", i.Foreign, p)
			}
		}
		return nil
	}))
	if seen != len(foreign)+1 {
		t.Errorf("Walk saw %d foreign entries", seen)
	}
	d.wantErr("Remove", d.Remove(t.Context(), vpath.Must("/folder")), fault.ErrNotEmpty)
}
