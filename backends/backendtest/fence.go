package backendtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"

	"github.com/google/go-cmp/cmp"

	"portico/backends"
	"portico/fault"
	"portico/vpath"
)

// fenceTests hold that a driver asks the fence of a context.
func fenceTests() []test {
	return []test{
		{"behind a fence nothing changes", fenceAll},
		{"behind a fence all is read", fenceReads},
		{"a fence that stands is in nobody's way", fenceStands},
		{"a fence that falls after Commit stops the publication", fenceAfterCommit},
		{"a fence of one upload is not another's", fenceOfOne},
	}
}

// fence can be taken down.
type fence struct{ down atomic.Bool }

var errFence = fmt.Errorf("the fence is down: %w", fault.ErrUnavailable)

func (f *fence) ask() error {
	if f.down.Load() {
		return errFence
	}
	return nil
}

// behind is d, with all calls behind a fence.
func (d *driver) behind() (ctx context.Context, f *fence) {
	f = &fence{}
	return backends.WithFence(d.ctx(), f.ask), f
}

// changes are all calls that change something of tree.
func (d *driver) changes(ctx context.Context) map[string]func() error {
	file, other, folder := vpath.Must("/a/file"), vpath.Must("/top"), vpath.Must("/a/empty")
	all := map[string]func() error{
		"Put":         func() error { return d.putBehind(ctx, vpath.Must("/new"), "x", nil) },
		"Put over":    func() error { return d.putBehind(ctx, file, "x", nil) },
		"Mkdir":       func() error { return second(d.Mkdir(ctx, vpath.Must("/new folder"), backends.Meta{})) },
		"Remove":      func() error { return d.Remove(ctx, other) },
		"Remove dir":  func() error { return d.Remove(ctx, folder) },
		"Remove last": func() error { return d.Remove(ctx, vpath.Must("/a b/x")) },
	}
	if c, ok := d.Backend.(backends.Copier); ok {
		all["Copy"] = func() error { return second(c.Copy(ctx, file, vpath.Must("/copy"), backends.Meta{})) }
		all["Copy over"] = func() error { return second(c.Copy(ctx, file, vpath.Must("/a/b.txt"), backends.Meta{})) }
	}
	if c, ok := d.Backend.(backends.Timer); ok {
		all["SetModTime"] = func() error { return second(c.SetModTime(ctx, file, then())) }
	}
	if r, ok := d.Backend.(backends.Renamer); ok {
		all["Rename"] = func() error { return r.Rename(ctx, vpath.Must("/a/b"), vpath.Must("/moved")) }
		all["Rename over"] = func() error { return r.Rename(ctx, vpath.Must("/a/b/c/deep"), vpath.Must("/a/b.txt")) }
	}
	if r, ok := d.Backend.(backends.Remover); ok {
		paths := []vpath.Path{vpath.Must("/a/b/c/deep"), vpath.Must("/a/b/c")}
		all["RemoveAll"] = func() error { return r.RemoveAll(ctx, paths)[paths[0]] }
	}
	return all
}

func second[T any](_ T, err error) error { return err }

func (d *driver) putBehind(ctx context.Context, p vpath.Path, content string, commit func() error) error {
	_, err := d.Put(ctx, p, strings.NewReader(content), backends.PutOptions{Size: int64(len(content)), Commit: commit})
	return err
}

// all is what there is, with its versions.
func (d *driver) all() (found []string) {
	d.Helper()
	err := backends.Walk(d.ctx(), d.Backend, vpath.Path{}, func(p vpath.Path, info backends.Info) error {
		found = append(found, fmt.Sprint(p, info.Dir, info.Size, info.ETag))
		return nil
	})
	if err != nil {
		d.Fatalf("Walk: %v", err)
	}
	return found
}

func fenceAll(d *driver) {
	d.tree()
	was := d.all()
	ctx, f := d.behind()
	f.down.Store(true)
	for name, change := range d.changes(ctx) {
		if err := change(); !errors.Is(err, fault.ErrUnavailable) {
			d.Errorf("%s = %v, want fault.ErrUnavailable", name, err)
		}
		if diff := cmp.Diff(was, d.all()); diff != "" {
			d.Fatalf("%s behind a fence changed something (-was +is):\n%s", name, diff)
		}
	}
}

func fenceReads(d *driver) {
	d.tree()
	ctx, f := d.behind()
	f.down.Store(true)
	p := vpath.Must("/a/file")
	if _, err := d.Stat(ctx, p); err != nil {
		d.Errorf("Stat = %v", err)
	}
	if _, _, err := d.List(ctx, p.Parent()); err != nil {
		d.Errorf("List = %v", err)
	}
	body, _, err := d.Open(ctx, p, backends.Range{})
	if err != nil {
		d.Fatalf("Open = %v", err)
	}
	defer body.Close() //nolint:errcheck // only read
	if got, err := io.ReadAll(body); err != nil || string(got) != p.String() {
		d.Errorf("Read = %q, %v", got, err)
	}
}

func fenceStands(d *driver) {
	ctx, _ := d.behind()
	for name := range d.changes(ctx) {
		e := d.at(space + "/" + strings.ReplaceAll(name, " ", "-"))
		e.tree()
		if err := e.changes(ctx)[name](); err != nil {
			d.Errorf("%s = %v", name, err)
		}
	}
}

// fenceAfterCommit is a process that is halted when Commit has agreed.
func fenceAfterCommit(d *driver) {
	sizes := map[string]int{"/empty": 0, "/small": 100, "/large": 200 << 10}
	if !d.o.NoBlob {
		sizes["/blob"] = 17 << 20
	}
	for path, size := range sizes {
		d.put(path, "old")
		ctx, f := d.behind()
		content := string(bytes.Repeat([]byte("n"), size))
		err := d.putBehind(ctx, vpath.Must(path), content, func() error { f.down.Store(true); return nil })
		if !errors.Is(err, fault.ErrUnavailable) {
			d.Errorf("Put of %s = %v, want fault.ErrUnavailable", path, err)
		}
		d.wantContent(path, "old")
	}
}

// fenceOfOne: connections are used by one call after the other.
func fenceOfOne(d *driver) {
	d.put("/file", "old")
	for i := range 3 {
		ctx, f := d.behind()
		content := fmt.Sprint("new ", i)
		if err := d.putBehind(ctx, vpath.Must("/file"), content, nil); err != nil {
			d.Fatal(err)
		}
		f.down.Store(true)
		d.put("/other", content)
		d.wantContent("/file", content)
		d.wantContent("/other", content)
	}
}
