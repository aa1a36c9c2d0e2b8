package files_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"portico/fault"
	"portico/files"
	"portico/store"
	"portico/vpath"
)

// settleOn puts on each of the paths what people put there: a share to zoe by
// root, a label, a deposit, and the leave to give it to a customer.
func (w *world) settleOn(paths ...string) {
	w.Helper()
	err := w.state.Update(w.Context(), func(tx store.Tx) (err error) {
		var folders []vpath.Path
		for i, path := range paths {
			p := vpath.Must(path)
			folders = append(folders, p)
			err = errors.Join(err,
				tx.PutGrant(store.Grant{
					ID: fmt.Sprint("g", i), Subject: "user:zoe", Path: p, Role: "viewer", Giver: id("root"),
					State: store.Accepted, Created: w.clock.Now(),
				}),
				tx.PutLabel(store.Label{Owner: "o", Path: p, Name: "urgent"}),
				tx.PutDeposit(store.Deposit{ID: fmt.Sprint("d", i), Path: p, Owner: "contact:x", Time: w.clock.Now()}),
			)
		}
		return errors.Join(err, tx.PutContact(store.Contact{Workspace: "firm", Mail: "eve@client.example", Folders: folders}))
	})
	if err = errors.Join(err, w.svc.GrantsChanged(w.Context())); err != nil {
		w.Fatal(err)
	}
}

// standing is all that stands on paths, sorted.
func (w *world) standing() (out []string) {
	w.Helper()
	ctx := context.Background()
	grants, err := w.state.GrantsBelow(ctx, vpath.Path{})
	for _, g := range grants {
		out = append(out, "grant "+g.ID+" on "+g.Path.String())
		labels, lost := w.state.LabelsIn(ctx, "o", g.Path)
		err = errors.Join(err, lost)
		for _, l := range labels {
			if l.Path == g.Path {
				out = append(out, "label on "+l.Path.String())
			}
		}
	}
	deposits, lost := w.state.DepositsBelow(ctx, vpath.Path{})
	err = errors.Join(err, lost)
	for _, d := range deposits {
		if !d.Gone {
			out = append(out, "deposit "+d.ID+" at "+d.Path.String())
		}
	}
	c, _, lost := w.state.ContactByMail(ctx, "firm", "eve@client.example")
	if err = errors.Join(err, lost); err != nil {
		w.Fatal(err)
	}
	for _, f := range c.Folders {
		out = append(out, "folder "+f.String())
	}
	slices.Sort(out)
	return out
}

// standingCounts wants the rights that are given to be those of the store: what
// the process remembers has followed.
func (w *world) standingCounts() {
	w.Helper()
	grants, err := w.state.GrantsBelow(context.Background(), vpath.Path{})
	if err != nil {
		w.Fatal(err)
	}
	var want, got []string
	for _, g := range grants {
		want = append(want, g.Path.String())
	}
	var look func(p vpath.Path)
	zoe := w.as("zoe").tree()
	look = func(p vpath.Path) {
		_, list, err := zoe.Find(context.Background(), p, true, files.Want{})
		if err != nil {
			w.Errorf("zoe lists %s: %v", p, err)
		}
		for _, n := range list {
			if slices.Contains(zoe.Rights(n.Path), "read") {
				got = append(got, n.Path.String())
			}
			if n.Dir {
				look(n.Path)
			}
		}
	}
	look(vpath.Path{})
	// What a share on a folder gives below it is not listed on its own.
	got = slices.DeleteFunc(got, func(p string) bool { return !slices.Contains(want, p) })
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		w.Errorf("zoe was given (-store +seen):\n%s", diff)
	}
}

// What stands on a thing ends with it, and nothing new inherits it.
func TestWhatEndsEndsItsShares(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *onShape) {
		for name, do := range map[string]func(w *world){
			"deleted":            func(w *world) { w.as("ann").rm("/firm/d").ok() },
			"replaced by a move": func(w *world) { w.as("ann").mv("/firm/s", "/firm/d").ok() },
			"replaced by a copy": func(w *world) { w.as("ann").cp("/firm/s", "/firm/d").ok() },
			"moved from outside": func(w *world) { w.as("ann").mv("/firm/other/f", "/firm/d").ok() },
			"a file by a folder": func(w *world) { w.as("ann").rm("/firm/d/x").ok(); w.as("ann").mv("/firm/s", "/firm/d").ok() },
			"taken by another tool and made anew": func(w *world) {
				w.remove("/firm/d/x")
				w.remove("/firm/d")
				w.as("ann").mkdir("/firm/d").ok()
				w.as("ann").put("/firm/d/x", "new").ok()
			},
			"taken by another tool and locked anew": func(w *world) {
				w.remove("/firm/d/x")
				l := w.as("ann").lock("/firm/d/x").ok().lock
				w.as("ann").unlock("/firm/d/x", l.Token).ok()
				w.remove("/firm/d/x")
				w.remove("/firm/d")
				w.as("ann").put("/firm/d", "a file").ok()
			},
		} {
			w := newWorld(t, options{shape: t.shape, quiet: true})
			w.seed("ann", "/firm/s/a", "/firm/d/x", "/firm/other/f")
			w.settleOn("/firm/d", "/firm/d/x")
			w.as("zoe").get("/firm/d/x").ok()
			do(w)
			if got := w.standing(); len(got) > 0 {
				t.Errorf("%s: left over: %q", name, got)
			}
			w.as("zoe").stat("/firm/d").want(fs.ErrNotExist)
			w.as("zoe").ls("/").names()
			w.as("root").rm("/firm/d")
			w.as("root").mkdir("/firm/d").ok()
			w.as("root").put("/firm/d/x", "new").ok()
			w.as("zoe").get("/firm/d/x").want(fs.ErrNotExist)
		}
	})
}

// remove takes something away behind the service's back.
func (w *world) remove(path string) {
	w.Helper()
	p := vpath.Must(path)
	if err := w.back[p.Top()].Remove(w.Context(), p.Tail()); err != nil {
		w.Fatal(err)
	}
}

// What is written to keeps its shares; what is copied takes none along; a name that
// only begins alike is another one (THREATS.md row 48).
func TestWhatStaysKeepsItsShares(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{quiet: true})
	w.seed("ann", "/firm/a/x", "/firm/ab/x", "/firm/y")
	w.settleOn("/firm/a/x", "/firm/ab/x", "/firm/y")
	before := w.standing()
	w.as("ann").put("/firm/a/x", "new").ok()
	w.as("ann").cp("/firm/y", "/firm/a/x").ok()
	w.as("ann").cp("/firm/a", "/firm/copy").ok()
	if diff := cmp.Diff(before, w.standing()); diff != "" {
		t.Errorf("(-before +after):\n%s", diff)
	}
	w.as("zoe").get("/firm/copy/x").want(fs.ErrNotExist)
	w.as("ann").rm("/firm/a").ok()
	w.as("zoe").get("/firm/ab/x").ok()
	w.as("zoe").get("/firm/a/x").want(fs.ErrNotExist)
}

// Shares go along with what moves, to another workspace, too; the leave to give
// something to a customer does not, since a customer is one workspace's.
func TestSharesMoveAlong(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *onShape) {
		w := newWorld(t, options{shape: t.shape, quiet: true})
		w.seed("ann", "/firm/s/a", "/firm/s/e/b", "/firm/d/old", "/lab/")
		w.settleOn("/firm/s", "/firm/s/e/b", "/firm/d/old")
		w.as("ann").mv("/firm/s", "/firm/d").ok()
		want := []string{
			"deposit d0 at /firm/d", "deposit d1 at /firm/d/e/b", "folder /firm/d", "folder /firm/d/e/b",
			"grant g0 on /firm/d", "grant g1 on /firm/d/e/b", "label on /firm/d", "label on /firm/d/e/b",
		}
		if diff := cmp.Diff(want, w.standing()); diff != "" {
			t.Errorf("after a move (-want +got):\n%s", diff)
		}
		w.as("zoe").get("/firm/d/e/b").ok()
		w.as("zoe").get("/firm/s/e/b").want(fs.ErrNotExist)
		w.as("root").mv("/firm/d", "/lab/d").ok()
		want = []string{
			"deposit d0 at /lab/d", "deposit d1 at /lab/d/e/b",
			"grant g0 on /lab/d", "grant g1 on /lab/d/e/b", "label on /lab/d", "label on /lab/d/e/b",
		}
		if diff := cmp.Diff(want, w.standing()); diff != "" {
			t.Errorf("after a move to another workspace (-want +got):\n%s", diff)
		}
		w.as("zoe").get("/lab/d/e/b").ok()
	})
}

// Where grants cannot be read after a change, nobody goes by what was known.
func TestGrantsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	state := &blindState{State: newMemState()}
	w := newWorld(t, options{shared: state, quiet: true})
	w.seed("ann", "/firm/d/x")
	g := w.as("root").give("/firm/d", "user:zoe", "viewer").grant()
	w.as("zoe").get("/firm/d/x").ok()
	state.blind.Store(true)
	w.as("root").withdraw(g.ID).ok()
	if _, err := w.svc.As(t.Context(), w.as("zoe").principal()); !errors.Is(err, fault.ErrUnavailable) || fault.Told(err) == "" {
		t.Errorf("As = %v, want a 503 with a sentence", err)
	}
	state.blind.Store(false)
	w.as("zoe").get("/firm/d/x").want(fs.ErrNotExist)
	if err := w.svc.GrantsChanged(t.Context()); err != nil {
		t.Error(err)
	}
}
