package files_test

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"portico/fault"
	"portico/files"
	"portico/vpath"
)

// walked is what a walk hands out, in order.
func walked(ctx context.Context, w files.Walk, roots ...string) (all []string, err error) {
	var paths []vpath.Path
	for _, p := range roots {
		paths = append(paths, vpath.Must(p))
	}
	err = w.Each(ctx, paths, func(n files.Node) error {
		all = append(all, n.Path.String())
		return nil
	})
	return all, err
}

func wantWalk(t *testing.T, got []string, want string) {
	t.Helper()
	if s := strings.Join(got, " "); s != want {
		t.Errorf("the walk went %s, want %s", s, want)
	}
}

func TestWalk(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	w.seed("root", "/firm/", "/firm/a/", "/firm/a/1", "/firm/a/d/", "/firm/a/d/2", "/firm/b", "/firm/HR/", "/firm/HR/pay", "/lab/", "/lab/x")
	bob, root := w.as("bob").tree(), w.as("root").tree()
	all := func(in files.Finder, o files.Walk, roots ...string) []string {
		t.Helper()
		o.In = in
		if o.Left == 0 {
			o.Left = 100
		}
		got, err := walked(t.Context(), o, roots...)
		if err != nil {
			t.Error(err)
		}
		return got
	}
	wantWalk(t, all(bob, files.Walk{}, "/"), "/firm /firm/b /firm/a /firm/a/1 /firm/a/d /firm/a/d/2")
	wantWalk(t, all(bob, files.Walk{Shallow: true}, "/firm"), "/firm /firm/a /firm/b")
	wantWalk(t, all(root, files.Walk{Time: time.Minute}, "/firm/a/d", "/none", "/lab"), "/firm/a/d /firm/a/d/2 /lab /lab/x")
	wantWalk(t, all(bob, files.Walk{}, "/firm/HR", "/firm/b"), "/firm/b")
	wantWalk(t, all(w.as("hal").tree(), files.Walk{}, "/"), "/firm /firm/HR /firm/HR/pay")
	got, err := walked(t.Context(), files.Walk{In: bob, Left: 3}, "/")
	wantErr(t, "a walk of 3", err, files.ErrEnough)
	wantWalk(t, got, "/firm /firm/b /firm/a")
}

// A walk ends with its time, also in the midst of a call to the store; and one
// whose request ends is no walk that has seen enough.
func TestWalkEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	w.seed("root", "/firm/", "/firm/a", "/firm/slow/", "/firm/slow/b")
	bob := w.as("bob").tree()
	end := make(chan struct{})
	w.setHook(func(op string, p vpath.Path) error {
		if op == "List" && p.Name() == "slow" {
			<-end
			return context.DeadlineExceeded
		}
		return nil
	})
	var got []string
	walk := files.Walk{In: bob, Left: 100, Time: time.Nanosecond}
	err := walk.Each(t.Context(), []vpath.Path{vpath.Must("/firm")}, func(n files.Node) error {
		got = append(got, n.Path.Name())
		return nil
	})
	wantErr(t, "a walk of no time", err, files.ErrEnough)
	ctx, cancel := context.WithCancel(t.Context())
	walk.Time = time.Hour
	err = walk.Each(ctx, []vpath.Path{vpath.Must("/firm")}, func(n files.Node) error {
		if got = append(got, n.Path.Name()); n.Path.Name() == "a" {
			cancel()
			close(end)
		}
		return nil
	})
	if err == nil || errors.Is(err, files.ErrEnough) {
		t.Errorf("a walk whose request ended = %v", err)
	}
	if slices.Contains(got, "b") {
		t.Errorf("it went on to %q", got)
	}
}

// What f does not like ends the walk with its error; a store that is away does too,
// and what has vanished does not.
func TestWalkErrors(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	w.seed("root", "/firm/", "/firm/a/", "/firm/a/1", "/firm/b/", "/firm/b/2")
	bob := w.as("bob").tree()
	odd := errors.New("odd")
	walk := files.Walk{In: bob, Left: 100}
	wantErr(t, "f", walk.Each(t.Context(), []vpath.Path{vpath.Must("/firm")}, func(files.Node) error { return odd }), odd)
	fail := func(with error) {
		w.setHook(func(op string, p vpath.Path) error {
			if op == "List" && p.Name() == "a" {
				return with
			}
			return nil
		})
	}
	fail(fault.ErrUnavailable)
	_, err := walked(t.Context(), walk, "/firm")
	wantErr(t, "a store that is away", err, fault.ErrUnavailable)
	fail(fs.ErrNotExist)
	got, err := walked(t.Context(), files.Walk{In: bob, Left: 100}, "/firm")
	if err != nil {
		t.Error(err)
	}
	wantWalk(t, got, "/firm /firm/b /firm/b/2")
}
