package local_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"portico/backends"
	"portico/backends/local"
	"portico/fault"
	"portico/vpath"
)

// inNamespace runs the calling test again in a process that may mount disks
// which no other process sees, and is true in that process. It needs no root.
func inNamespace(t *testing.T) bool {
	t.Helper()
	if os.Getenv("PORTICO_IN_NAMESPACE") == t.Name() {
		return true
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), "PORTICO_IN_NAMESPACE="+t.Name())
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("in a mount namespace of its own: %v\n%s", err, out)
	}
	return false
}

// mount puts a disk of that kind at dir.
func mount(t *testing.T, kind, dir, options string) {
	t.Helper()
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		t.Fatalf("making mounts private: %v", err)
	}
	if err := unix.Mount(kind, dir, kind, 0, options); err != nil {
		t.Fatalf("mount -t %s -o %s: %v", kind, options, err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
}

// TestFullDisk fills a disk of 1 MiB.
func TestFullDisk(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	dir := t.TempDir()
	mount(t, "tmpfs", dir, "size=1m,mode=700")
	d := diskAt(t, dir)
	d.must(d.put("/old", "old bytes"))
	before, err := d.Stat(t.Context(), vpath.Must("/old"))
	d.must(err)
	big := strings.Repeat("x", 2<<20)
	for _, path := range []string{"/old", "/new"} {
		for _, size := range []int64{int64(len(big)), -1} {
			_, err := d.Put(t.Context(), vpath.Must(path), strings.NewReader(big), backends.PutOptions{Size: size})
			d.wantErr("Put", err, fault.ErrQuota)
			if told := fault.Told(err); told != "The disk is full." {
				t.Errorf("the user is told %q", told)
			}
		}
	}
	after, err := d.Stat(t.Context(), vpath.Must("/old"))
	d.must(err)
	if after != before {
		t.Errorf("Stat = %+v, want %+v", after, before)
	}
	d.wantNames("/", "old")
	if n, err := d.s.Reap(t.Context(), time.Now().Add(time.Hour)); n != 0 || err != nil {
		t.Errorf("Reap found %d left-overs, %v", n, err)
	}
	// What announces more than there is must not be read at all.
	body := onRead(func() { t.Error("the body was read") })
	_, err = d.Put(t.Context(), vpath.Must("/new"), body, backends.PutOptions{Size: 2 << 20})
	d.wantErr("Put", err, fault.ErrQuota)
	d.must(d.put("/small", "there is room for this"))
}

// TestDiskGoesReadOnly is what Linux does to a disk with errors.
func TestDiskGoesReadOnly(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	dir := t.TempDir()
	mount(t, "tmpfs", dir, "size=1m,mode=700")
	d := diskAt(t, dir)
	d.must(d.put("/old", "old bytes"))
	if err := unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	d.wantErr("Check", d.s.Check(t.Context()), fault.ErrUnavailable)
	d.wantErr("Put", d.put("/new", "x"), fault.ErrUnavailable)
	d.wantErr("Remove", d.Remove(t.Context(), vpath.Must("/old")), fault.ErrUnavailable)
	if got, err := d.read("/old"); got != "old bytes" || err != nil {
		t.Errorf("old file = %q, %v", got, err)
	}
	wantRefused(t, dir, "cannot be written to")
}

// TestDiskInside: a rename cannot go onto another disk.
func TestDiskInside(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	d := newDisk(t)
	d.must(os.Mkdir(d.path("other"), 0o700))
	mount(t, "tmpfs", d.path("other"), "size=1m,mode=700")
	err := d.put("/other/file", "x")
	d.wantErr("Put", err, fault.ErrUnavailable)
	if !strings.Contains(fault.Told(err), "Another file system") {
		t.Errorf("the user is told %q", fault.Told(err))
	}
	d.wantNames("/other")
}

func TestNoAttributes(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	dir := t.TempDir()
	mount(t, "ramfs", dir, "mode=700")
	wantRefused(t, dir, "no user extended attributes")
}

// wantRefused demands that Open refuses dir with that sentence.
func wantRefused(t *testing.T, dir, sentence string) {
	t.Helper()
	s, err := local.Open(local.Options{Dir: dir, Rand: rand.Reader, Clock: time.Now})
	if err == nil {
		_ = s.Close()
		t.Fatalf("Open(%s) takes it", dir)
	}
	if !strings.Contains(err.Error(), sentence) || !strings.Contains(err.Error(), dir) {
		t.Errorf("Open: %q, want the folder's name and %q", err, sentence)
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	wantRefused(t, filepath.Join(dir, "not/there"), "does not exist")
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	wantRefused(t, file, "cannot be opened")
	taken := filepath.Join(dir, "taken")
	for _, path := range []string{taken, filepath.Join(dir, "elsewhere")} {
		if err := os.Mkdir(path, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("../elsewhere", filepath.Join(taken, backends.Reserved)); err != nil {
		t.Fatal(err)
	}
	wantRefused(t, taken, ".portico in it is no folder")
	if _, err := local.Open(local.Options{Dir: dir}); err == nil {
		t.Error("Open takes no clock")
	}
}

func TestOpenMakesTheFolder(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "files")
	d := diskAt(t, dir)
	d.must(d.put("/file", "x"))
	// A second opening finds what the first has left.
	again := diskAt(t, dir)
	again.wantNames("/", "file")
	st, err := os.Stat(filepath.Join(dir, backends.Reserved))
	if err != nil || st.Mode().Perm() != 0o700 {
		t.Errorf("Portico's own folder has the mode %v, %v", st.Mode(), err)
	}
}

// asNobody runs do in a thread without root's rights over files.
func asNobody(t *testing.T, do func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		do()
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		if err := unix.Setfsuid(65534); err != nil {
			t.Errorf("setfsuid: %v", err)
			return
		}
		do()
	}()
	<-done
}

func nobodys(t *testing.T, path string) {
	t.Helper()
	if os.Geteuid() != 0 {
		return
	}
	if err := os.Chown(path, 65534, 65534); err != nil {
		t.Fatal(err)
	}
}

// TestNotAllowed: what the server's user may not read is the administrator's
// matter. It must not look missing, empty, or refused to the user.
func TestNotAllowed(t *testing.T) {
	t.Parallel()
	base, err := os.MkdirTemp("/tmp", "portico-nobody-") //nolint:usetesting // nobody may not pass t.TempDir's parents
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(base) })
	dir := filepath.Join(base, "files")
	for _, path := range []string{base, dir, dir + "/closed", dir + "/half"} {
		if path != base {
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		}
		nobodys(t, path)
	}
	if err := os.WriteFile(dir+"/half/unreadable", []byte("x"), 0o000); err != nil {
		t.Fatal(err)
	}
	nobodys(t, dir+"/half/unreadable")
	if err := os.Chmod(dir+"/closed", 0); err != nil {
		t.Fatal(err)
	}
	asNobody(t, func() {
		d := diskAt(t, dir)
		_, _, err := d.List(t.Context(), vpath.Must("/closed"))
		d.wantUnavailable("List", err)
		_, err = d.Stat(t.Context(), vpath.Must("/closed/file"))
		d.wantUnavailable("Stat", err)
		d.wantUnavailable("Put", d.put("/closed/file", "x"))
		_, err = d.read("/half/unreadable")
		d.wantUnavailable("Open", err)
		d.wantNames("/half", "unreadable") // one such file does not hide the others
	})
}

func (d *disk) wantUnavailable(what string, err error) {
	d.Helper()
	d.wantErr(what, err, fault.ErrUnavailable)
	if errors.Is(err, errPermission) || errors.Is(err, errNotExist) {
		d.Errorf("%s: %v blames the user", what, err)
	}
}

// TestReaderGivesTheFile: sendfile needs an io.LimitedReader over an *os.File.
func TestReaderGivesTheFile(t *testing.T) {
	t.Parallel()
	d := newDisk(t)
	d.must(d.put("/file", "0123456789"))
	rc, _, err := d.Open(t.Context(), vpath.Must("/file"), backends.Range{Off: 2, Len: 5})
	d.must(err)
	defer func() { d.must(rc.Close()) }()
	sink := &sendfile{}
	n, err := io.Copy(sink, rc)
	if n != 5 || err != nil || sink.got.String() != "23456" || sink.kind != "*os.File" {
		t.Errorf("io.Copy = %d, %v; %q from a %s", n, err, sink.got.String(), sink.kind)
	}
}

// sendfile takes what net/http hands to the kernel.
type sendfile struct {
	got  strings.Builder
	kind string
}

func (s *sendfile) Write(p []byte) (int, error) { return s.got.Write(p) }

func (s *sendfile) ReadFrom(r io.Reader) (int64, error) {
	if lr, ok := r.(*io.LimitedReader); ok {
		s.kind = fmt.Sprintf("%T", lr.R)
	}
	return io.Copy(&s.got, r)
}

// TestFileCutShort: a file that another program truncates while it is read must
// not end as if it were whole.
func TestFileCutShort(t *testing.T) {
	t.Parallel()
	d := newDisk(t)
	for name, drain := range map[string]func(rc io.Reader) error{
		"Read":    func(rc io.Reader) error { _, err := io.ReadAll(struct{ io.Reader }{rc}); return err },
		"WriteTo": func(rc io.Reader) error { _, err := rc.(io.WriterTo).WriteTo(io.Discard); return err },
	} {
		d.must(d.put("/file", strings.Repeat("x", 1<<20)))
		rc, _, err := d.Open(t.Context(), vpath.Must("/file"), backends.Range{})
		d.must(err)
		d.must(os.Truncate(d.path("file"), 1000))
		d.wantErr(name, drain(rc), io.ErrUnexpectedEOF)
		d.must(rc.Close())
	}
}
