package files_test

import (
	"errors"
	"io/fs"
	"testing"
	"testing/synctest"
	"time"

	"portico/backends/mem"
	"portico/fault"
	"portico/internal/parts"
	"portico/store"
	"portico/store/postgres"
	"portico/vpath"
)

// Two processes over one store agree as soon as they hear of each other; one that
// does not hear gives nothing out.
func TestSharesOfManyProcesses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rs := replicas(t, 2, mem.Objects, options{rules: sharingRules})
		rs[0].seed("ann", "/firm/d/x")
		rs[0].follow()
		rs[1].follow()
		synctest.Wait()
		g := rs[0].as("meg").give("/firm/d", eve, "viewer").grant()
		synctest.Wait()
		rs[1].outside(eve).get("/d/x").ok()
		rs[1].as("meg").change(g, "inbox")
		synctest.Wait()
		rs[0].outside(eve).get("/d/x").want(fs.ErrNotExist)
		rs[1].as("meg").give("/firm/d", eve, "viewer")
		synctest.Wait()
		rs[0].as("root").mv("/firm/d", "/firm/e").ok()
		synctest.Wait()
		rs[1].outside(eve).get("/e/x").ok()
		rs[0].as("meg").withdraw(g.ID)
		synctest.Wait()
		rs[1].outside(eve).sees("/")
	})
}

// A process that hears nothing of the others gives nothing out that rests on a share.
func TestAProcessThatHearsNothing(t *testing.T) {
	t.Parallel()
	rs := replicas(t, 2, mem.Objects, options{rules: sharingRules})
	rs[0].seed("ann", "/firm/d/x")
	rs[0].as("meg").give("/firm/d", eve, "viewer").ok()
	if err := rs[1].svc.Resume(t.Context()); err != nil { // reads the journal, as a wake of the watch does
		t.Fatal(err)
	}
	rs[1].outside(eve).get("/d/x").ok()
	rs[1].clock.add(time.Minute)
	if _, err := rs[1].svc.Window(t.Context(), rs[1].outside(eve).p); !errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("a process that hears nothing: %v", err)
	}
}

// What somebody may share of their own is worth what they hold of each thing.
func TestASharedOwn(t *testing.T) {
	t.Parallel()
	w := sharing(t)
	w.seed("ann", "/firm/mine/ann.txt")
	w.as("mia").give("/firm/mine.txt", eve, "viewer").ok()
	w.as("mia").give("/firm/mine", eve, "viewer").ok()
	guest := w.outside(eve)
	guest.sees("/", "/mine", "/mine.txt")
	guest.sees("/mine", "/mine/m.txt")
	guest.get("/mine.txt").ok()
	guest.get("/mine/m.txt").ok()
	guest.get("/mine/ann.txt").want(fs.ErrNotExist)
}

// While a thing moves its recipient sees all of it, or is told to wait; never that
// it is gone.
func TestAWindowDuringAMove(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *onShape) {
		state := openState(t)
		for _, c := range moveCases() {
			w, st := moveWorld(t, t.shape, state, c)
			w.as("root").give(c.src, eve, "viewer").ok()
			st.set(0, "")
			looks := 0
			st.looked = func() {
				win, err := w.svc.Window(t.Context(), w.outside(eve).p)
				switch {
				case errors.Is(err, fault.ErrUnavailable):
				case err != nil:
					t.Errorf("%s: %v", c.name, err)
				case len(win.Mounts()) != 1:
					t.Errorf("%s: %d mounts in the midst of it", c.name, len(win.Mounts()))
				default:
					looks++
				}
			}
			w.as("ann").mv(c.src, c.dst).ok()
			st.looked = nil
			if looks == 0 {
				t.Errorf("%s: nothing was ever seen", c.name)
			}
			w.outside(eve).stat("/" + vpath.Must(c.dst).Name()).ok()
		}
	})
}

// Two processes over one PostgreSQL agree on what was given: in a second, of which a busy
// machine takes more.
func TestSharesOverPostgreSQL(t *testing.T) {
	t.Parallel()
	pg := parts.Postgres(t)
	open := func(name string) store.State {
		t.Helper()
		s, err := postgres.Open(t.Context(), pg.DSN, postgres.Options{Replica: name})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		return s
	}
	a := newWorld(t, options{rules: sharingRules, shared: open("a"), quiet: true})
	b := &world{
		TB: t, mem: a.mem, rules: a.rules, rec: a.rec, clock: a.clock, quiet: true, firm: a.firm, back: a.back, state: open("b"),
	}
	b.start(0)
	for _, w := range []*world{a, b} {
		if err := w.svc.Resume(t.Context()); err != nil {
			t.Fatal(err)
		}
		r := &replica{world: w}
		r.follow()
	}
	within := func(what string, done func() bool) {
		t.Helper()
		look, late := time.NewTicker(5*time.Millisecond), time.After(20*time.Second)
		defer look.Stop()
		for !done() {
			select {
			case <-look.C:
			case <-late:
				t.Fatalf("never: %s", what)
			}
		}
	}
	names := func() (list []string) {
		win, err := b.svc.Window(t.Context(), b.outside(eve).p)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range win.Mounts() {
			list = append(list, m.Name)
		}
		return list
	}
	a.seed("ann", "/firm/d/x")
	g := a.as("meg").give("/firm/d", eve, "viewer").grant()
	within("the share has not come", func() bool { return len(names()) == 1 })
	a.as("root").mv("/firm/d", "/firm/e").ok()
	within("the share has not followed", func() bool { return len(names()) == 1 && names()[0] == "e" })
	a.as("meg").withdraw(g.ID).ok()
	within("the share has not gone", func() bool { return len(names()) == 0 })
}
