package files_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/fault"
	"portico/files"
	"portico/store"
	"portico/vpath"
)

// thrifty is a state store that finds the properties of every listing too many, and
// counts how many it holds at once.
type thrifty struct {
	store.State
	largest *atomic.Int64
	err     *error
}

func newThrifty(s store.State) thrifty { return thrifty{s, new(atomic.Int64), new(error)} }

func (s thrifty) Around(ctx context.Context, l store.Listing, now time.Time) (store.Around, error) {
	if l.Bytes > 0 {
		l.Bytes = 1
	}
	return s.State.Around(ctx, l, now)
}

func (s thrifty) PropsAt(ctx context.Context, list []vpath.Path) (map[vpath.Path][]store.Prop, int, error) {
	if *s.err != nil {
		return nil, 0, *s.err
	}
	props, done, err := s.State.PropsAt(ctx, list)
	n := 0
	for _, some := range props {
		n += len(some)
	}
	s.largest.Store(max(s.largest.Load(), int64(n)))
	return props, done, err
}

// heap makes a folder of files, each with a number of properties that comes from its
// own; the first two have checksums, too.
func (w *world) heap(folder string, n int) {
	w.Helper()
	ann := w.as("ann")
	ann.mkdir(folder).ok()
	var names []string
	for i := range n {
		names = append(names, fmt.Sprintf("%s/f%03d", folder, i))
	}
	w.seed("ann", names...)
	for _, p := range names[:2] {
		ann.put(p, p, withSums("SHA1:"+p[len(p)-1:])).ok()
	}
	err := w.state.Update(w.Context(), func(tx store.Tx) error {
		for i, p := range names {
			for j := range []int{0, 1, 4, 32}[i%4] {
				one := store.Prop{Space: "urn:x", Local: fmt.Sprintf("p%02d", j), XML: "<x>" + p + "</x>"}
				if err := tx.PutProp(vpath.Must(p), one); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		w.Fatal(err)
	}
}

// finder is what Find and Fill are of.
type finder interface {
	files.Finder
	files.Filler
}

// filled is a whole listing: of its nodes, those that are held at one time.
func filled(tb testing.TB, f finder, p string) []files.Node {
	tb.Helper()
	self, below, err := f.Find(tb.Context(), vpath.Must(p), true, files.Want{Props: true, Locks: true})
	if err != nil {
		tb.Fatal(err)
	}
	for rest := below; len(rest) > 0; {
		n, err := f.Fill(tb.Context(), rest)
		if err != nil || n < 1 {
			tb.Fatalf("Fill = %d, %v", n, err)
		}
		rest = rest[n:]
	}
	return append([]files.Node{self}, below...)
}

func samePaths() cmp.Option { return cmp.Comparer(func(a, b vpath.Path) bool { return a == b }) }

// What is read in pages is what comes with the listing, in the tree and in a window.
func TestFill(t *testing.T) {
	t.Parallel()
	var lean thrifty
	w := newWorld(t, options{quiet: true, state: func(s store.State) store.State { lean = newThrifty(s); return lean }})
	w.heap("/firm/heap", 400)
	ann := w.as("ann")
	ann.lock("/firm/heap/f003").ok()
	paged := filled(t, ann.tree(), "/firm/heap")
	w.state = lean.State
	w.start(0)
	whole := filled(t, w.as("ann").tree(), "/firm/heap")
	if diff := cmp.Diff(whole, paged, samePaths()); diff != "" {
		t.Errorf("-with the listing +in pages\n%s", diff)
	}
	if n := lean.largest.Load(); n == 0 || n > 1024 {
		t.Errorf("%d properties were held at once", n)
	}
	props := 0
	for _, n := range paged {
		props += len(n.Props)
	}
	if want := 100 * (1 + 4 + 32); props != want || paged[1].Sums != "SHA1:0" || paged[2].Sums != "SHA1:1" {
		t.Errorf("%d properties, want %d; sums %q and %q", props, want, paged[1].Sums, paged[2].Sums)
	}
}

// A window gives its own paths, and the list of its mounts has their properties.
func TestFillWindow(t *testing.T) {
	t.Parallel()
	var lean thrifty
	w := newWorld(t, options{quiet: true, state: func(s store.State) store.State { lean = newThrifty(s); return lean }})
	w.heap("/firm/heap", 300)
	w.as("root").give("/firm/heap", eve, "viewer").ok()
	for i := range 200 { // more than one page of them
		w.as("root").give(fmt.Sprintf("/firm/heap/f%03d", i), eve, "viewer").ok()
	}
	paged := map[string][]files.Node{}
	for _, p := range []string{"/heap", "/"} {
		paged[p] = filled(t, w.outside(eve).window(), p)
	}
	w.state = lean.State
	w.start(0)
	for p, list := range paged {
		if diff := cmp.Diff(filled(t, w.outside(eve).window(), p), list, samePaths()); diff != "" {
			t.Errorf("%s: -with the listing +in pages\n%s", p, diff)
		}
	}
	in := paged["/heap"][4]
	if in.Path != vpath.Must("/heap/f003") || len(in.Props) != 32 || in.Later {
		t.Errorf("%s has %d properties, %v", in.Path, len(in.Props), in.Later)
	}
	if n := paged["/"][4]; len(n.Props) != 32 || n.Path.Depth() != 1 {
		t.Errorf("%s has %d properties", n.Path, len(n.Props))
	}
	// A node of somewhere else is none of the window's.
	list := []files.Node{{Path: vpath.Must("/firm/heap/f003"), Later: true}}
	if _, err := w.outside(eve).window().Fill(t.Context(), list); !errors.Is(err, fs.ErrNotExist) || list[0].Props != nil {
		t.Errorf("Fill = %v", err)
	}
}

// A walk and a sync read all of them, whatever they keep, and fail where they cannot.
func TestFillOnTheWay(t *testing.T) {
	t.Parallel()
	var lean thrifty
	w := newWorld(t, options{quiet: true, state: func(s store.State) store.State { lean = newThrifty(s); return lean }})
	w.heap("/firm/heap", 300)
	tree := w.as("ann").tree()
	walk := func() (props int, err error) {
		walk := files.Walk{In: tree, Want: files.Want{Props: true}, Left: 1000}
		err = walk.Each(t.Context(), []vpath.Path{vpath.Must("/firm/heap")}, func(n files.Node) error {
			if n.Later {
				t.Errorf("%s is to be read yet", n.Path)
			}
			props += len(n.Props)
			return nil
		})
		return props, err
	}
	const all = 75 * (1 + 4 + 32)
	if n, err := walk(); n != all || err != nil {
		t.Errorf("a walk: %d, %v, want %d", n, err, all)
	}
	sync := func(token string) files.Changes {
		t.Helper()
		c, err := w.svc.Changes(t.Context(), tree, files.Sync{At: vpath.Must("/firm/heap"), Token: token, Want: files.Want{Props: true}})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	first := sync("")
	props := 0
	for _, c := range first.List {
		props += len(c.Props)
	}
	if len(first.List) != 300 || props != all {
		t.Errorf("a sync: %d changes, %d properties", len(first.List), props)
	}
	w.as("ann").patch("/firm/heap/f003", files.Guard{}, files.PropChange{Remove: true, Prop: store.Prop{Space: "urn:x", Local: "p31"}}).ok()
	if next := sync(first.Token); len(next.List) != 1 || len(next.List[0].Props) != 31 {
		t.Errorf("a change of a property: %+v", next.List)
	}
	*lean.err = fault.ErrUnavailable
	if _, err := walk(); !errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("a walk: %v", err)
	}
	if _, err := w.svc.Changes(t.Context(), tree, files.Sync{At: vpath.Must("/firm/heap")}); !errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("a sync: %v", err)
	}
	list := []files.Node{{Path: vpath.Must("/firm/heap/f003"), Later: true}}
	if _, err := tree.Fill(t.Context(), list); !errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("Fill = %v", err)
	}
}
