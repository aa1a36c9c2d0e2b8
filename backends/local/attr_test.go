package local

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
	"pgregory.net/rapid"

	"portico/backends"
	"portico/fault"
	"portico/vpath"
)

func TestAttrComesBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		plain := rapid.StringMatching(`[0-9a-f]{0,16}`)
		want := attr{
			version: plain.Draw(t, "version"), creator: rapid.String().Draw(t, "creator"),
			contentType: rapid.String().Draw(t, "type"), sha256: plain.Draw(t, "sum"),
			modTime: plain.Draw(t, "time"), stored: plain.Draw(t, "stored"), size: plain.Draw(t, "size"),
		}
		got := decode(want.encode())
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(attr{})); diff != "" {
			t.Fatalf("%q decodes otherwise (-want +got):\n%s", want.encode(), diff)
		}
	})
}

// TestAttrOfOthers: whatever stands in the attribute, reading it does not fail.
func TestAttrOfOthers(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{"", "\n\n", "v", "x y\nc ann\n", "c ann", "\x00\xff", "m soon\nb never\n"} {
		a := decode([]byte(raw))
		if got := a.info("name", fileOf(t)); got.Name != "name" || got.ETag == "" || !got.Created.IsZero() {
			t.Errorf("%q gives %+v", raw, got)
		}
		if strings.Contains(raw, "c ann") && a.creator != "ann" {
			t.Errorf("%q has the creator %q", raw, a.creator)
		}
	}
}

func fileOf(t *testing.T) os.FileInfo {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	st, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func TestTimesComeBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := time.Unix(rapid.Int64Range(-62135596799, 253402300799).Draw(t, "s"), rapid.Int64Range(0, 999999999).Draw(t, "ns"))
		if got := parseTime(formatTime(want)); !got.Equal(want) {
			t.Fatalf("%v comes back as %v", want, got)
		}
	})
	if !parseTime(formatTime(time.Time{})).IsZero() {
		t.Error("no time comes back as one")
	}
}

func openHere(t *testing.T) *Storage {
	t.Helper()
	s, err := Open(Options{Dir: t.TempDir(), Rand: rand.Reader, Clock: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// TestCaseProbe makes the twin that a disk without case would show.
func TestCaseProbe(t *testing.T) {
	t.Parallel()
	s := openHere(t)
	u, err := s.newUpload()
	if err != nil {
		t.Fatal(err)
	}
	defer u.discard()
	if err := probeCase(s.now.tmp, u.name); err != nil {
		t.Fatalf("probeCase: %v", err)
	}
	twin, err := s.now.tmp.root.Create(strings.ToUpper(u.name))
	if err != nil {
		t.Fatal(err)
	}
	if err := twin.Close(); err != nil {
		t.Fatal(err)
	}
	if err := probeCase(s.now.tmp, u.name); err == nil || !strings.Contains(err.Error(), "upper from lower case") {
		t.Errorf("probeCase = %v", err)
	}
}

// TestAsidePutsBack: a folder's rename that fails leaves the file it would have
// replaced.
func TestAsidePutsBack(t *testing.T) {
	t.Parallel()
	s := openHere(t)
	path := filepath.Join(s.Dir(), "file")
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	err := s.aside(t.Context(), s.now.top, "file", func() error {
		if _, err := os.Lstat(path); err == nil {
			t.Error("the file is still in the way")
		}
		return broken
	})
	if !errors.Is(err, broken) {
		t.Errorf("aside = %v", err)
	}
	if data, err := os.ReadFile(path); string(data) != "precious" || err != nil {
		t.Errorf("the file holds %q, %v", data, err)
	}
}

// TestNoRandom: a version that cannot be named is not stored.
func TestNoRandom(t *testing.T) {
	t.Parallel()
	s := openHere(t)
	s.o.Rand = strings.NewReader("")
	if _, err := s.newUpload(); !errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("newUpload = %v", err)
	}
}

// TestLocksGo: names that nobody wants any more take no memory.
func TestLocksGo(t *testing.T) {
	t.Parallel()
	l := locks{held: map[place]*held{}}
	one, other := l.lock(place{name: "one"}), l.lock(place{name: "other"})
	if len(l.held) != 2 {
		t.Errorf("%d names are held", len(l.held))
	}
	one()
	other()
	if len(l.held) != 0 {
		t.Errorf("%d names are left", len(l.held))
	}
}

// TestRenameKeepsStrangers: what another program makes between the judgement and
// the rename is not replaced.
func TestRenameKeepsStrangers(t *testing.T) {
	t.Parallel()
	s := openHere(t)
	u, err := s.newUpload()
	if err != nil {
		t.Fatal(err)
	}
	defer u.discard()
	if err := s.now.top.root.Mkdir("there", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := s.now.top.root.WriteFile("file", []byte("theirs"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"there", "file"} {
		if _, err := u.publish(t.Context(), s.now.top, name, false); !errors.Is(err, fs.ErrExist) {
			t.Errorf("publish over %s = %v", name, err)
		}
	}
	if _, err := u.publish(t.Context(), s.now.top, "there", true); !errors.Is(err, fault.ErrIsDir) {
		t.Errorf("publish over a folder = %v", err)
	}
}

// TestConditionUnderLock holds a name while a writer wants it, and changes the
// file meanwhile: the writer's condition must be judged under the lock.
func TestConditionUnderLock(t *testing.T) {
	t.Parallel()
	s := openHere(t)
	b, err := s.At(vpath.Path{})
	if err != nil {
		t.Fatal(err)
	}
	p := vpath.Must("/file")
	old, err := b.Put(t.Context(), p, strings.NewReader("old"), backends.PutOptions{Size: 3})
	if err != nil {
		t.Fatal(err)
	}
	unlock := s.names.lock(s.now.top.place("file"))
	committed, result := make(chan struct{}), make(chan error, 1)
	go func() {
		_, err := b.Put(t.Context(), p, strings.NewReader("new"), backends.PutOptions{
			Size: 3, If: backends.Condition{ETag: old.ETag}, Commit: func() error { close(committed); return nil },
		})
		result <- err
	}()
	<-committed
	if err := s.now.top.root.WriteFile("file", []byte("another program's"), 0o600); err != nil {
		t.Error(err)
	}
	unlock()
	if err := <-result; !errors.Is(err, fault.ErrPrecondition) {
		t.Errorf("Put = %v", err)
	}
}

// TestVersionsDiffer: equal in size and time, which a disk with coarse clocks
// makes of two quick writes.
func TestVersionsDiffer(t *testing.T) {
	t.Parallel()
	st := fileOf(t)
	one, other := attr{version: "one"}, attr{version: "other"}
	if one.etag(st) == other.etag(st) || one.etag(st) != (&attr{version: "one"}).etag(st) {
		t.Errorf("ETags %q and %q", one.etag(st), other.etag(st))
	}
}

// TestNamed: every error of the disk has one name, and none is the user's fault
// but those that are.
func TestNamed(t *testing.T) {
	t.Parallel()
	for errno, want := range map[unix.Errno]error{
		unix.ENOENT: fs.ErrNotExist, unix.ELOOP: fs.ErrNotExist, unix.EEXIST: fs.ErrExist, unix.ENOTDIR: fault.ErrNotDir,
		unix.EISDIR: fault.ErrIsDir, unix.ENOTEMPTY: fault.ErrNotEmpty, unix.ENOSPC: fault.ErrQuota, unix.EDQUOT: fault.ErrQuota,
		unix.EFBIG: fault.ErrTooLarge, unix.ENAMETOOLONG: fs.ErrInvalid, unix.EILSEQ: fs.ErrInvalid,
		unix.EIO: fault.ErrUnavailable, unix.EACCES: fault.ErrUnavailable, unix.EPERM: fault.ErrUnavailable,
		unix.EROFS: fault.ErrUnavailable, unix.EMFILE: fault.ErrUnavailable, unix.ESTALE: fault.ErrUnavailable,
	} {
		err := named(&os.PathError{Op: "test", Path: "x", Err: errno})
		for _, kind := range []error{
			fs.ErrNotExist, fs.ErrExist, fs.ErrPermission, fs.ErrInvalid, fault.ErrNotDir, fault.ErrIsDir,
			fault.ErrNotEmpty, fault.ErrQuota, fault.ErrTooLarge, fault.ErrUnavailable,
		} {
			if got := errors.Is(err, kind); got != (kind == want) { //nolint:errorlint // the very value of the table
				t.Errorf("%v is %q: %v", errno, kind, got)
			}
		}
	}
	if named(nil) != nil || !errors.Is(named(os.ErrClosed), fault.ErrUnavailable) {
		t.Error("no error, or a closed handle, has the wrong name")
	}
}

// TestPublishJoinsOneBase: after the last walk of the path, the folder may still
// be replaced, or be another one for a moment in which the walk went there.
func TestPublishJoinsOneBase(t *testing.T) {
	t.Parallel()
	s := openHere(t)
	old, err := s.hold()
	if err != nil {
		t.Fatal(err)
	}
	defer old.release()
	u, err := old.newUpload()
	if err != nil {
		t.Fatal(err)
	}
	defer u.discard()
	aside := s.Dir() + ".aside"
	t.Cleanup(func() { _ = os.RemoveAll(aside) })
	if err := os.Rename(s.Dir(), aside); err != nil {
		t.Fatal(err)
	}
	if _, err := u.publish(t.Context(), old.top, "file", true); !errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("publish into a folder that is away = %v", err)
	}
	if _, err := s.hold(); !errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("hold = %v", err)
	}
	if err := os.Rename(aside, s.Dir()); err != nil {
		t.Fatal(err)
	}
	again, err := s.hold()
	if err != nil {
		t.Fatal(err)
	}
	defer again.release()
	if _, err := u.publish(t.Context(), again.top, "file", true); again == old || !errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("publish from one base to another = %v", err)
	}
	if _, err := os.Lstat(filepath.Join(s.Dir(), "file")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the file is there, %v", err)
	}
}
