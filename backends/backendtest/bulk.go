package backendtest

import (
	"fmt"
	"io/fs"
	"slices"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"portico/backends"
	"portico/fault"
	"portico/vpath"
)

// bulkTests hold a Walker, a Remover and a Sizer; they pass over a driver that
// is none.
func bulkTests() []test {
	return []test{
		{"a walk sees all, each folder before its members", walkAll},
		{"a walk ends with its visitor's error", walkError},
		{"a walk of what is missing", walkMissing},
		{"many are removed at once", removeAll},
		{"what cannot be removed is named", removeNamed},
		{"more than a thousand are removed at once", removeThousand},
		{"there is room", free},
	}
}

func (d *driver) tree() {
	d.Helper()
	d.mkdir("/a", "/a/b", "/a/b/c", "/a/empty", "/a b")
	for _, path := range []string{"/top", "/a/file", "/a/b/c/deep", "/a/b.txt", "/a b/x"} {
		d.put(path, path)
	}
}

func (d *driver) walk(path string, visit func(p vpath.Path, i backends.Info) error) error {
	w, ok := d.Backend.(backends.Walker)
	if !ok {
		return nil
	}
	return w.Walk(d.ctx(), vpath.Must(path), visit)
}

func walkAll(d *driver) {
	if _, ok := d.Backend.(backends.Walker); !ok {
		return
	}
	d.tree()
	d.wantWalk("/", "/a", "/a b", "/a b/x", "/a/b", "/a/b.txt", "/a/b/c", "/a/b/c/deep", "/a/empty", "/a/file", "/top")
	d.wantWalk("/a", "/a/b", "/a/b.txt", "/a/b/c", "/a/b/c/deep", "/a/empty", "/a/file")
	d.wantWalk("/a/empty")
}

// wantWalk demands those paths, in any order that has folders before members.
func (d *driver) wantWalk(path string, want ...string) {
	d.Helper()
	got := []string{}
	err := d.walk(path, func(p vpath.Path, info backends.Info) error {
		up := p.Parent().String()
		if up != path && !slices.Contains(got, up) {
			d.Errorf("Walk visits %s before its folder", p)
		}
		if info.Name != p.Name() {
			d.Errorf("Walk calls %s %q", p, info.Name)
		}
		d.wantSame("Walk's "+p.String(), info, d.stat(p.String()))
		got = append(got, p.String())
		return nil
	})
	if err != nil {
		d.Fatalf("Walk(%s): %v", path, err)
	}
	slices.Sort(got)
	if diff := cmp.Diff(append([]string{}, want...), got); diff != "" {
		d.Errorf("Walk(%s) differs (-want +got):\n%s", path, diff)
	}
}

func walkError(d *driver) {
	if _, ok := d.Backend.(backends.Walker); !ok {
		return
	}
	d.tree()
	calls := 0
	err := d.walk("/", func(vpath.Path, backends.Info) error { calls++; return errVisit })
	d.wantErr("Walk", err, errVisit)
	if calls != 1 {
		d.Errorf("the visitor was called %d times after its error", calls-1)
	}
}

func walkMissing(d *driver) {
	if _, ok := d.Backend.(backends.Walker); !ok {
		return
	}
	d.put("/file", "x")
	visit := func(p vpath.Path, _ backends.Info) error {
		d.Errorf("Walk visits %s", p)
		return nil
	}
	d.wantErr("Walk", d.walk("/no", visit), fs.ErrNotExist)
	d.wantErr("Walk", d.walk("/file", visit), fault.ErrNotDir)
}

// removeEach removes in bulk. Without a Remover it does nothing and is false.
func (d *driver) removeEach(paths ...string) (failed map[vpath.Path]error, ok bool) {
	r, ok := d.Backend.(backends.Remover)
	if !ok {
		return nil, false
	}
	all := make([]vpath.Path, len(paths))
	for i, path := range paths {
		all[i] = vpath.Must(path)
	}
	return r.RemoveAll(d.ctx(), all), true
}

func removeAll(d *driver) {
	d.tree()
	failed, ok := d.removeEach("/a/b/c/deep", "/a/b/c", "/gone already", "/a/b", "/a/b.txt", "/a/empty", "/a/file", "/a")
	if !ok {
		return
	}
	if len(failed) != 0 {
		d.Errorf("RemoveAll failed for %v", failed)
	}
	d.wantMissing("/a")
	d.wantMissing("/a/b/c/deep")
	d.wantList("/", "a b/", "top")
	d.wantContent("/a b/x", "/a b/x")
	d.removeEach("/a b/x")
	d.wantFolder("/a b")
}

func removeNamed(d *driver) {
	d.tree()
	failed, ok := d.removeEach("/a/file", "/a/b", "/", "/top")
	if !ok {
		return
	}
	d.wantErr("RemoveAll's /a/b", failed[vpath.Must("/a/b")], fault.ErrNotEmpty)
	if failed[vpath.Path{}] == nil {
		d.Error("RemoveAll does not name the root")
	}
	if len(failed) != 2 {
		d.Errorf("RemoveAll failed for %v", failed)
	}
	d.wantContent("/a/b/c/deep", "/a/b/c/deep")
	d.wantGone("/a/file")
	d.wantGone("/top")
	d.wantFolder("/")
}

func removeThousand(d *driver) {
	if _, ok := d.Backend.(backends.Remover); !ok {
		return
	}
	d.mkdir("/many")
	paths := []string{}
	var g errgroup.Group
	g.SetLimit(32)
	for i := range 1100 {
		path := fmt.Sprintf("/many/%04d", i)
		paths = append(paths, path)
		g.Go(func() error {
			_, err := d.tryPut(path, "x", backends.PutOptions{})
			return err
		})
	}
	if err := g.Wait(); err != nil {
		d.Fatalf("making entries: %v", err)
	}
	if failed, _ := d.removeEach(append(paths, "/many")...); len(failed) != 0 {
		d.Errorf("RemoveAll failed for %v", failed)
	}
	d.wantList("/")
}

func free(d *driver) {
	s, ok := d.Backend.(backends.Sizer)
	if !ok {
		return
	}
	if n, err := s.Free(d.ctx()); n <= 0 || err != nil {
		d.Errorf("Free = %d, %v", n, err)
	}
}
