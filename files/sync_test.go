package files_test

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"
	"testing"
	"time"

	"portico/fault"
	"portico/files"
	"portico/vpath"
)

// toldBy is what a sync told, "-" before what is gone.
func toldBy(c files.Changes) (all []string) {
	for _, one := range c.List {
		p := one.Path.String()
		if one.Gone {
			p = "-" + p
		}
		all = append(all, p)
	}
	return all
}

// top asks about the list of workspaces; others, where nothing is said, about /firm.
const top = "top"

func (w *world) sync(v files.Viewer, q files.Sync) (files.Changes, error) {
	if q.At.IsRoot() && q.Door != top {
		q.At = vpath.Must("/firm")
	}
	return w.svc.Changes(w.Context(), v, q)
}

func (w *world) wantSync(v files.Viewer, q files.Sync, want ...string) string {
	w.Helper()
	c, err := w.sync(v, q)
	if err != nil {
		w.Fatal(err)
	}
	if got := toldBy(c); !slices.Equal(got, want) {
		w.Errorf("told %q, want %q", got, want)
	}
	return c.Token
}

func TestChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	w.seed("root", "/firm/", "/firm/a", "/firm/d/", "/firm/d/x", "/firm/HR/", "/firm/HR/pay")
	bob := func() files.Viewer { return w.as("bob").tree() }
	flat := w.wantSync(bob(), files.Sync{}, "/firm/a", "/firm/d")
	deep := w.wantSync(bob(), files.Sync{Deep: true}, "/firm/a", "/firm/d", "/firm/d/x")
	if flat == deep {
		t.Error("two clients have one token")
	}
	w.seed("root", "/firm/d/y", "/firm/HR/more")
	deep = w.wantSync(bob(), files.Sync{Deep: true, Token: deep}, "/firm/d/y")
	w.wantSync(bob(), files.Sync{Token: flat})
	w.grant("/HR", "bob", "viewer")
	deep = w.wantSync(bob(), files.Sync{Deep: true, Token: deep}, "/firm/HR", "/firm/HR/more", "/firm/HR/pay")
	w.grant("/HR", "bob", "")
	w.wantSync(bob(), files.Sync{Deep: true, Token: deep}, "-/firm/HR", "-/firm/HR/more", "-/firm/HR/pay")
	list := w.wantSync(bob(), files.Sync{Door: top}, "/firm")
	w.grant("/", "bob", "")
	w.wantSync(bob(), files.Sync{Door: top, Token: list}, "-/firm")
	w.grant("/", "bob", "viewer")
	_, err := w.sync(bob(), files.Sync{At: vpath.Must("/firm/a")})
	wantErr(t, "a file", err, fault.ErrNotDir)
	_, err = w.sync(bob(), files.Sync{At: vpath.Must("/firm/HR")})
	wantErr(t, "a hidden folder", err, fs.ErrNotExist)
}

// A token is of one person, with one app password's limits, by one door, and for
// as long as it is used.
func TestTokensAreTheirs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	w.seed("root", "/firm/", "/firm/a", "/lab/", "/lab/b")
	token := w.wantSync(w.as("ann").tree(), files.Sync{}, "/firm/a")
	limited := person("ann")
	limited.Only = "firm"
	narrow, err := w.svc.As(t.Context(), files.Staff(limited))
	if err != nil {
		t.Fatal(err)
	}
	limited.Only, limited.ReadOnly = "", true
	reading, err := w.svc.As(t.Context(), files.Staff(limited))
	if err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		v files.Viewer
		q files.Sync
	}{
		"another person":  {w.as("bob").tree(), files.Sync{Token: token}},
		"less of her":     {narrow, files.Sync{Token: token}},
		"a reader of her": {reading, files.Sync{Token: token}},
		"another folder":  {w.as("ann").tree(), files.Sync{Token: token, At: vpath.Must("/lab")}},
		"another door":    {w.as("ann").tree(), files.Sync{Token: token, Door: "x"}},
		"no token":        {w.as("ann").tree(), files.Sync{Token: "urn:uuid:x"}},
		"half a token":    {w.as("ann").tree(), files.Sync{Token: token[:len(token)-1]}},
	} {
		if _, err := w.sync(c.v, c.q); !errors.Is(err, files.ErrSyncToken) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for range 3 { // each use begins the time anew
		w.clock.add(29 * 24 * time.Hour)
		if err := w.svc.ReapSnapshots(t.Context()); err != nil {
			t.Fatal(err)
		}
		if again := w.wantSync(w.as("ann").tree(), files.Sync{Token: token}); again != token {
			t.Errorf("the token has become %s", again)
		}
	}
	w.clock.add(31 * 24 * time.Hour)
	_, err = w.sync(w.as("ann").tree(), files.Sync{Token: token})
	wantErr(t, "an old token", err, files.ErrSyncToken)
	if rows, _ := w.state.SnapshotsOf(t.Context(), id("ann")); len(rows) != 1 {
		t.Errorf("%d rows before the cleaning, want 1", len(rows))
	}
	if err := w.svc.ReapSnapshots(t.Context()); err != nil {
		t.Fatal(err)
	}
	if rows, _ := w.state.SnapshotsOf(t.Context(), id("ann")); len(rows) != 0 {
		t.Errorf("%d rows after it, want none", len(rows))
	}
}

// A person's clients keep a bounded number of rows, and one that asks often does
// not drive out one that is away.
func TestSnapshotsAreFew(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{quiet: true})
	w.seed("root", "/firm/", "/firm/a")
	sleeper := w.wantSync(w.as("ann").tree(), files.Sync{}, "/firm/a")
	token := ""
	for i := range 40 {
		w.clock.add(time.Minute)
		w.seed("root", fmt.Sprintf("/firm/n%d", i))
		c, err := w.sync(w.as("ann").tree(), files.Sync{Token: token})
		if err != nil {
			t.Fatal(err)
		}
		token = c.Token
		if _, err := w.svc.SyncToken(t.Context(), w.as("ann").tree(), files.Sync{At: vpath.Must("/firm/")}); err != nil {
			t.Fatal(err)
		}
	}
	rows, err := w.state.SnapshotsOf(t.Context(), id("ann"))
	if err != nil || len(rows) > 6 {
		t.Errorf("%d rows, %v", len(rows), err)
	}
	if c, err := w.sync(w.as("ann").tree(), files.Sync{Token: sleeper}); err != nil || len(c.List) != 40 {
		t.Errorf("the one that slept is told %d things, %v", len(c.List), err)
	}
}

// A store that is away is told as such: the client must not begin anew for it.
func TestChangesWithoutState(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	w.seed("root", "/firm/", "/firm/a")
	token := w.wantSync(w.as("ann").tree(), files.Sync{}, "/firm/a")
	tree := w.as("ann").tree()
	if err := w.state.Close(); err != nil {
		t.Fatal(err)
	}
	for _, q := range []files.Sync{{Token: token}, {}} {
		_, err := w.sync(tree, q)
		wantErr(t, "without the state", err, fault.ErrUnavailable)
	}
}

// A file that moves behind the walk's back is told at its new place, and not as
// deleted alone.
func TestChangesDuringAMove(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{quiet: true})
	w.seed("root", "/firm/", "/firm/a/", "/firm/b/", "/firm/b/x")
	token := w.wantSync(w.as("bob").tree(), files.Sync{Deep: true}, "/firm/a", "/firm/b", "/firm/b/x")
	var once sync.Once
	w.setHook(func(op string, p vpath.Path) error {
		if op == "List" && p.Name() == "b" { // a has been walked through
			once.Do(func() { w.as("ann").mv("/firm/b/x", "/firm/a/x").ok() })
		}
		return nil
	})
	c, err := w.sync(w.as("bob").tree(), files.Sync{Deep: true, Token: token})
	if err != nil {
		t.Fatal(err)
	}
	if got := toldBy(c); !slices.Contains(got, "/firm/a/x") || !slices.Contains(got, "-/firm/b/x") {
		t.Errorf("told %q", got)
	}
}
