package local_test

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"portico/backends"
	"portico/fault"
	"portico/vpath"
)

// tracer keeps the names of the calls that a storage makes.
type tracer struct {
	mu    sync.Mutex
	calls []string
}

func (tr *tracer) on(c backends.Call) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.calls = append(tr.calls, c.Name)
}

// take gives what matters to durability since the last take.
func (tr *tracer) take() []string {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	var out []string
	for _, name := range tr.calls {
		if name != "open folder" && name != "open" && name != "list" {
			out = append(out, name)
		}
	}
	tr.calls = nil
	return out
}

// TestSyncOrder holds the order of calls that makes a change durable: content,
// then name, then the folder, and only then the answer.
func TestSyncOrder(t *testing.T) {
	t.Parallel()
	var tr tracer
	s := open(t, t.TempDir(), tr.on)
	b, err := s.At(vpath.Must("/firm"))
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	want := func(what string, err error, calls ...string) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if got := tr.take(); !slices.Equal(got, calls) {
			t.Errorf("%s calls %q, want %q", what, got, calls)
		}
	}
	tr.take()
	p, dir, q := vpath.Must("/file"), vpath.Must("/folder"), vpath.Must("/folder/file")
	_, err = b.Put(ctx, p, strings.NewReader("x"), backends.PutOptions{Size: 1, Commit: func() error {
		want("Put before Commit", nil, "create", "set attribute", "sync")
		return nil
	}})
	want("Put after Commit", err, "rename", "sync folder")
	_, err = b.Mkdir(ctx, dir, backends.Meta{})
	want("Mkdir", err, "create", "set attribute", "sync", "rename", "sync folder")
	_, err = b.(backends.Copier).Copy(ctx, p, q, backends.Meta{})
	want("Copy", err, "create", "copy", "set attribute", "sync", "rename", "sync folder")
	err = b.(backends.Renamer).Rename(ctx, p, vpath.Must("/other"))
	want("Rename in a folder", err, "rename", "sync folder")
	err = b.(backends.Renamer).Rename(ctx, vpath.Must("/other"), vpath.Must("/folder/other"))
	want("Rename between folders", err, "rename", "sync folder", "sync folder")
	err = b.Remove(ctx, q)
	want("Remove", err, "remove", "sync folder")
	failed := b.(backends.Remover).RemoveAll(ctx, []vpath.Path{vpath.Must("/folder/other"), dir})
	want("RemoveAll", errors.Join(failed[dir]), "remove", "remove", "sync folder")
}

// TestKilledUpload kills a process that uploads, as a crash would, and looks at
// what it leaves.
func TestKilledUpload(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := diskAt(t, dir)
	d.must(d.put("/old", "old bytes"))
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestUploadThatHangs$")
	cmd.Env = append(os.Environ(), "PORTICO_HANG_IN="+dir)
	out, err := cmd.StdoutPipe()
	d.must(err)
	d.must(cmd.Start())
	if _, err := io.ReadFull(out, make([]byte, len(halfSent))); err != nil {
		t.Fatalf("the child says nothing: %v", err)
	}
	// While it lives, its uploads are spared, however old.
	if n, err := d.s.Reap(t.Context(), time.Now().Add(time.Hour)); n != 0 || err != nil {
		t.Errorf("Reap of a running upload = %d, %v", n, err)
	}
	d.must(cmd.Process.Kill())
	_ = cmd.Wait() // says that it was killed
	d.wantNames("/", "old")
	if got, err := d.read("/old"); got != "old bytes" || err != nil {
		t.Errorf("old file = %q, %v", got, err)
	}
	if n, err := d.s.Reap(t.Context(), time.Unix(1, 0)); n != 0 || err != nil {
		t.Errorf("Reap of the past = %d, %v", n, err)
	}
	if n, err := d.s.Reap(t.Context(), time.Now().Add(time.Hour)); n != 1 || err != nil {
		t.Errorf("Reap = %d, %v, want the upload of the killed process", n, err)
	}
	left, err := os.ReadDir(filepath.Join(dir, backends.Reserved, "tmp"))
	if len(left) != 0 || err != nil {
		t.Errorf("%v is left, %v", left, err)
	}
}

const halfSent = "half of it has been sent\n"

// TestUploadThatHangs is the child of TestKilledUpload, and nothing by itself.
func TestUploadThatHangs(t *testing.T) {
	dir := os.Getenv("PORTICO_HANG_IN")
	if dir == "" {
		return
	}
	d := diskAt(t, dir)
	body := io.MultiReader(strings.NewReader(strings.Repeat("x", 1<<20)), onRead(func() {
		_, _ = os.Stdout.WriteString(halfSent)
		select {}
	}))
	_, err := d.Put(t.Context(), vpath.Must("/old"), body, backends.PutOptions{Size: -1})
	t.Errorf("Put came back: %v", err)
}

// TestReapOfStrangers: what lies in our folder under any name is dated by its
// own time, folders and links included.
func TestReapOfStrangers(t *testing.T) {
	t.Parallel()
	d := newDisk(t)
	tmp := d.path(backends.Reserved + "/tmp/")
	d.must(os.MkdirAll(filepath.Join(tmp, "dir/sub"), 0o700))
	d.must(os.WriteFile(filepath.Join(tmp, "file"), nil, 0o600))
	d.must(os.Symlink("/", filepath.Join(tmp, "link")))
	if n, err := d.s.Reap(t.Context(), time.Now().Add(-time.Hour)); n != 0 || err != nil {
		t.Errorf("Reap of the past = %d, %v", n, err)
	}
	if n, err := d.s.Reap(t.Context(), time.Now().Add(time.Hour)); n != 3 || err != nil {
		t.Errorf("Reap = %d, %v, want 3", n, err)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	for name, ruin := range map[string]func(d *disk){
		"removed": func(d *disk) { d.must(os.Rename(d.dir, d.dir+".old")) },
		"replaced": func(d *disk) {
			d.must(os.Rename(d.dir, d.dir+".old"))
			d.must(os.Mkdir(d.dir, 0o700))
		},
		"without its own folder": func(d *disk) { d.must(os.RemoveAll(d.path(backends.Reserved))) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := diskAt(t, filepath.Join(t.TempDir(), "files"))
			d.must(d.s.Check(t.Context()))
			ruin(d)
			d.wantErr("Check", d.s.Check(t.Context()), fault.ErrUnavailable)
		})
	}
}

// TestUploadWithoutOwnFolder: the user's file must not look missing because
// ours is.
func TestUploadWithoutOwnFolder(t *testing.T) {
	t.Parallel()
	d := newDisk(t)
	body := io.MultiReader(strings.NewReader("x"), onRead(func() { d.must(os.RemoveAll(d.path(backends.Reserved))) }))
	_, err := d.Put(t.Context(), vpath.Must("/file"), body, backends.PutOptions{Size: -1})
	d.wantErr("Put", err, fault.ErrUnavailable)
	d.wantErr("next Put", d.put("/file", "x"), fault.ErrUnavailable)
	d.wantNames("/")
}

// TestWorkspaceGone: a workspace whose folder vanishes is away, not empty.
func TestWorkspaceGone(t *testing.T) {
	t.Parallel()
	d := newDisk(t)
	b, err := d.s.At(vpath.Must("/firm"))
	d.must(err)
	d.must(os.Remove(d.path("firm")))
	_, err = b.Stat(t.Context(), vpath.Path{})
	d.wantErr("Stat", err, fault.ErrUnavailable)
	_, _, err = b.List(t.Context(), vpath.Path{})
	d.wantErr("List", err, fault.ErrUnavailable)
	_, err = b.Stat(t.Context(), vpath.Must("/file"))
	d.wantErr("Stat of a file", err, fault.ErrUnavailable)
	d.must(os.WriteFile(d.path("firm"), nil, 0o600))
	_, err = b.Stat(t.Context(), vpath.Must("/file"))
	d.wantErr("Stat with a file in its place", err, fault.ErrUnavailable)
}
