package backendtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/backends"
	"portico/vpath"
)

// driver is a backend under test. Its methods demand: what is not as they say
// ends the test.
type driver struct {
	*testing.T
	o       Options
	storage backends.Storage
	backends.Backend
}

// space is the workspace that the tests work in.
const space = "/suite"

func drive(t *testing.T, o Options, s backends.Storage) *driver {
	t.Helper()
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return (&driver{T: t, o: o, storage: s}).at(space)
}

// at is another workspace of the same storage.
func (d *driver) at(root string) *driver {
	d.Helper()
	b, err := d.storage.At(vpath.Must(root))
	if err != nil {
		d.Fatalf("At(%s): %v", root, err)
	}
	return &driver{T: d.T, o: d.o, storage: d.storage, Backend: b}
}

// again is the workspace as another process has it.
func (d *driver) again() *driver {
	d.Helper()
	if d.o.Again == nil {
		return d
	}
	s := d.o.Again(d.T, d.storage)
	d.Cleanup(func() { _ = s.Close() })
	return (&driver{T: d.T, o: d.o, storage: s}).at(space)
}

func (d *driver) ctx() context.Context { return d.Context() }

// put stores content at path.
func (d *driver) put(path, content string) backends.Info {
	d.Helper()
	return d.putWith(path, content, backends.PutOptions{})
}

// putWith stores content at path with options; its size is announced.
func (d *driver) putWith(path, content string, o backends.PutOptions) backends.Info {
	d.Helper()
	info, err := d.tryPut(path, content, o)
	if err != nil {
		d.Fatalf("Put(%s): %v", path, err)
	}
	return info
}

// tryPut stores content at path, or not.
func (d *driver) tryPut(path, content string, o backends.PutOptions) (backends.Info, error) {
	o.Size = int64(len(content))
	return d.Put(d.ctx(), vpath.Must(path), strings.NewReader(content), o)
}

// mkdir makes folders, in the order given.
func (d *driver) mkdir(paths ...string) {
	d.Helper()
	for _, path := range paths {
		if _, err := d.Mkdir(d.ctx(), vpath.Must(path), backends.Meta{}); err != nil {
			d.Fatalf("Mkdir(%s): %v", path, err)
		}
	}
}

// remove removes, in the order given.
func (d *driver) remove(paths ...string) {
	d.Helper()
	for _, path := range paths {
		if err := d.Remove(d.ctx(), vpath.Must(path)); err != nil {
			d.Fatalf("Remove(%s): %v", path, err)
		}
	}
}

// stat describes what must be there.
func (d *driver) stat(path string) backends.Info {
	d.Helper()
	info, err := d.Stat(d.ctx(), vpath.Must(path))
	if err != nil {
		d.Fatalf("Stat(%s): %v", path, err)
	}
	return info
}

// list is a folder's members.
func (d *driver) list(path string) []backends.Info {
	d.Helper()
	self, list, err := d.List(d.ctx(), vpath.Must(path))
	if err != nil {
		d.Fatalf("List(%s): %v", path, err)
	}
	if want := vpath.Must(path).Name(); !self.Dir || self.Name != want {
		d.Errorf("List(%s) describes the folder itself as %+v, want a folder named %q", path, self, want)
	}
	return list
}

// read is the file's content, with the Info that came with it.
func (d *driver) read(path string) (string, backends.Info) {
	d.Helper()
	content, info, err := d.tryRead(path, backends.Range{})
	if err != nil {
		d.Fatalf("Open(%s): %v", path, err)
	}
	return content, info
}

func (d *driver) tryRead(path string, r backends.Range) (string, backends.Info, error) {
	rc, info, err := d.Open(d.ctx(), vpath.Must(path), r)
	if err != nil {
		return "", info, err
	}
	data, err := io.ReadAll(rc)
	if cerr := rc.Close(); err == nil {
		err = cerr
	}
	return string(data), info, err
}

// wantContent demands a file with that content, and an Info that fits it.
func (d *driver) wantContent(path, want string) {
	d.Helper()
	got, info := d.read(path)
	if got != want {
		d.Fatalf("content of %s = %s, want %s", path, brief(got), brief(want))
	}
	if info.Size != int64(len(want)) || info.Dir || info.Name != vpath.Must(path).Name() {
		d.Errorf("Open(%s) told %+v of a file of %d bytes", path, info, len(want))
	}
}

// wantList demands exactly those names in a folder, folders with a slash.
func (d *driver) wantList(path string, want ...string) {
	d.Helper()
	if diff := cmp.Diff(append([]string{}, want...), names(d.list(path))); diff != "" {
		d.Errorf("List(%s) differs (-want +got):\n%s", path, diff)
	}
}

// wantGone demands that nothing is at path.
func (d *driver) wantGone(path string) {
	d.Helper()
	info, err := d.Stat(d.ctx(), vpath.Must(path))
	d.wantErr("Stat("+path+")", err, errNotExist)
	if err == nil {
		d.Errorf("Stat(%s) = %+v", path, info)
	}
}

// wantFolder demands a folder at path.
func (d *driver) wantFolder(path string) {
	d.Helper()
	info := d.stat(path)
	if want := vpath.Must(path).Name(); !info.Dir || info.Size != 0 || info.ETag != "" || info.Name != want {
		d.Errorf("Stat(%s) = %+v, want a folder named %q without size and ETag", path, info, want)
	}
}

// wantErr demands an error that is one of want, and none of the others that a
// caller could take it for.
func (d *driver) wantErr(what string, err error, want ...error) {
	d.Helper()
	if !slices.ContainsFunc(want, func(w error) bool { return errors.Is(err, w) }) {
		d.Errorf("%s: error %v, want one of %q", what, err, want)
		return
	}
	for _, other := range allErrors() {
		if errors.Is(err, other) && !slices.Contains(want, other) {
			d.Errorf("%s: error %v is %q too, want only %q", what, err, other, want)
		}
	}
}

// wantSame demands that two descriptions speak of one version. Times are
// compared by the second, as HTTP and S3's HEAD have them.
func (d *driver) wantSame(what string, got, want backends.Info) {
	d.Helper()
	if diff := cmp.Diff(rounded(want), rounded(got)); diff != "" {
		d.Errorf("%s differs (-want +got):\n%s", what, diff)
	}
}

func rounded(i backends.Info) backends.Info {
	i.ModTime = i.ModTime.UTC().Truncate(time.Second)
	i.Meta.ModTime = i.Meta.ModTime.UTC().Truncate(time.Second)
	i.Created = i.Created.UTC().Truncate(time.Second)
	return i
}

// names are a listing's, folders with a slash at the end.
func names(list []backends.Info) []string {
	out := []string{}
	for _, i := range list {
		switch {
		case i.Foreign != "":
			out = append(out, "foreign:"+i.Foreign)
		case i.Dir:
			out = append(out, i.Name+"/")
		default:
			out = append(out, i.Name)
		}
	}
	return out
}

// brief shortens content for a message.
func brief(s string) string {
	if len(s) <= 60 {
		return strconv.Quote(s)
	}
	return fmt.Sprintf("%q… (%d bytes)", s[:40], len(s))
}

// blob is content of n bytes that no part of repeats.
func blob(n int, seed byte) string {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{seed}).Read(b) // never fails
	return string(b)
}
