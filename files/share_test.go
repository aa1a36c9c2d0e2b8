package files_test

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"portico/acl"
	"portico/audit"
	"portico/fault"
	"portico/files"
	"portico/store"
	"portico/vpath"
)

// sharingRules: meg manages and may share, mia shares what is hers, bob reads.
const sharingRules = `
workspaces:
  firm:
    folders:
      /: {grant: {"user:root": owner, "user:ann": editor, "user:meg": manager, "user:bob": viewer, "user:mia": member}}
      /HR: {inherit: false, grant: {"user:hal": admin}}
      /Clients/Acme/priv: {deny: {"user:meg": [list, read]}}
  lab:
    folders:
      /: {grant: {"user:root": owner}}
`

func sharing(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, options{rules: sharingRules})
	w.seed("ann", "/firm/Clients/Acme/deed.txt", "/firm/Clients/Acme/priv/secret.txt", "/firm/Clients/Beta/b.txt", "/firm/HR/pay.txt", "/lab/")
	w.seed("mia", "/firm/mine/m.txt", "/firm/mine.txt")
	return w
}

// blindState is a store in which grants cannot be read at times.
type blindState struct {
	store.State
	blind atomic.Bool
}

func (s *blindState) GrantsChange(ctx context.Context) (int64, error) {
	if s.blind.Load() {
		return 0, fault.ErrUnavailable
	}
	return s.State.GrantsChange(ctx)
}

// A share is worth its giver's rights at this moment (THREATS.md row 36), and a
// rule that hides something from the giver hides it there, too (row 41).
func TestAShareIsWorthItsGiver(t *testing.T) {
	t.Parallel()
	w := sharing(t)
	w.as("meg").give("/firm/Clients/Acme", eve, "viewer").ok()
	w.as("meg").give("/firm/Clients/Acme", "user:zoe", "viewer").ok()
	guest := w.outside(eve)
	stands := func(yes bool) {
		t.Helper()
		if !yes {
			guest.sees("/")
			guest.get("/Acme/deed.txt").want(fs.ErrNotExist)
			w.as("zoe").get("/firm/Clients/Acme/deed.txt").want(fs.ErrNotExist)
			return
		}
		guest.sees("/", "/Acme")
		guest.sees("/Acme", "/Acme/deed.txt")
		guest.get("/Acme/deed.txt").ok()
		guest.get("/Acme/priv/secret.txt").want(fs.ErrNotExist)
		guest.ls("/Acme/priv").want(fs.ErrNotExist)
		w.as("zoe").get("/firm/Clients/Acme/deed.txt").ok()
		w.as("zoe").get("/firm/Clients/Acme/priv/secret.txt").want(fs.ErrNotExist)
		w.as("zoe").get("/firm/Clients/Beta/b.txt").want(fs.ErrNotExist)
	}
	stands(true)
	w.grant("/", "meg", "editor") // no share any more
	stands(false)
	w.grant("/", "meg", "manager")
	stands(true)
	w.firm.leaves("meg", true)
	stands(false)
	w.firm.leaves("meg", false)
	stands(true)
}

// While the directory of a giver is away, what they gave can be judged by nobody.
func TestAGiverWhoseDirectoryIsAway(t *testing.T) {
	t.Parallel()
	w := sharing(t)
	w.as("meg").give("/firm/Clients/Acme", eve, "viewer").ok()
	w.outside(eve).get("/Acme/deed.txt").ok()
	for _, away := range []error{errors.New("ldap: dial"), fault.ErrUnavailable} {
		w.firm.fails(away)
		if _, err := w.svc.Window(t.Context(), w.outside(eve).p); !errors.Is(err, fault.ErrUnavailable) || fault.Told(err) == "" {
			t.Errorf("Window = %v, want a 503 with a sentence", err)
		}
		w.as("bob").get("/firm/Clients/Acme/deed.txt").ok() // rests on no grant
	}
	w.firm.fails(nil)
	w.outside(eve).get("/Acme/deed.txt").ok()
}

// A share ends at its moment, and not before.
func TestAShareEnds(t *testing.T) {
	t.Parallel()
	w := sharing(t)
	until := func(g *files.Gift) { g.Until = w.clock.Now().Add(time.Hour) }
	w.as("meg").give("/firm/Clients/Acme", eve, "viewer", until).ok()
	w.clock.add(time.Hour - time.Second)
	w.outside(eve).get("/Acme/deed.txt").ok()
	w.clock.add(time.Second)
	w.outside(eve).get("/Acme/deed.txt").want(fs.ErrNotExist)
	w.outside(eve).sees("/")
}

// Whoever gives needs share there and all that they give; the thing must exist
// and be seen (THREATS.md row 38).
func TestWhoMayGiveWhat(t *testing.T) {
	t.Parallel()
	w := sharing(t)
	past := func(g *files.Gift) { g.Until = w.clock.Now() }
	long := func(g *files.Gift) { g.Message = strings.Repeat("x", files.MaxMessage+1) }
	for _, c := range []struct {
		who, p, subject, role string
		want                  error
		opts                  []func(*files.Gift)
	}{
		{"bob", "/firm/Clients/Acme", eve, "viewer", fs.ErrPermission, nil},
		{"ann", "/firm/Clients/Acme", eve, "viewer", fs.ErrPermission, nil},
		{"meg", "/firm/Clients/Acme", "user:bob", "admin", fs.ErrPermission, nil},
		{"meg", "/firm/Clients/Acme", "user:bob", "owner", fs.ErrPermission, nil},
		{"meg", "/firm/Clients/Acme", "user:bob", "manager", nil, nil},
		{"meg", "/firm/Clients/None", eve, "viewer", fs.ErrNotExist, nil},
		{"meg", "/firm/Clients/Acme/deed.txt/x", eve, "viewer", fs.ErrNotExist, nil},
		{"meg", "/firm/HR", eve, "viewer", fs.ErrNotExist, nil},
		{"meg", "/firm/HR/pay.txt", eve, "viewer", fs.ErrNotExist, nil},
		{"meg", "/firm/Clients/Acme/priv", eve, "viewer", fs.ErrNotExist, nil},
		{"meg", "/lab", eve, "viewer", fs.ErrNotExist, nil},
		{"meg", "/none", eve, "viewer", fs.ErrNotExist, nil},
		{"meg", "/", eve, "viewer", fs.ErrPermission, nil},
		{"mia", "/firm/mine.txt", eve, "viewer", nil, nil},
		{"mia", "/firm/mine", eve, "depositor", nil, nil}, // hers, and worth what she holds of each thing in it
		{"mia", "/firm/Clients/Acme/deed.txt", eve, "viewer", fs.ErrNotExist, nil},
		{"meg", "/firm/Clients/Acme", eve, "editor", fs.ErrInvalid, nil},
		{"root", "/firm/Clients/Acme", eve, "owner", fs.ErrInvalid, nil},
		{"meg", "/firm/Clients/Acme", "link:7", "member", fs.ErrInvalid, nil},
		{"meg", "/firm/Clients/Acme", eve, "boss", fs.ErrInvalid, nil},
		{"meg", "/firm/Clients/Acme", "contact:Eve@client.example", "viewer", fs.ErrInvalid, nil},
		{"meg", "/firm/Clients/Acme", "group:staff", "viewer", fs.ErrInvalid, nil},
		{"meg", "/firm/Clients/Acme", "everyone", "viewer", fs.ErrInvalid, nil},
		{"meg", "/firm/Clients/Acme", "contact:", "viewer", fs.ErrInvalid, nil},
		{"meg", "/firm/Clients/Acme", "user:meg", "viewer", fs.ErrInvalid, nil},
		{"meg", "/firm/Clients/Acme/deed.txt", eve, "inbox", fs.ErrInvalid, nil},
		{"meg", "/firm/Clients/Acme/deed.txt", eve, "viewer", fs.ErrInvalid, []func(*files.Gift){past}},
		{"meg", "/firm/Clients/Acme/deed.txt", eve, "viewer", fs.ErrInvalid, []func(*files.Gift){long}},
		{"meg", "/firm/Clients/Acme", eve, "inbox", nil, nil},
		{"meg", "/firm/Clients/Acme", "link:7", "depositor", nil, nil},
		{"meg", "/firm", eve, "viewer", nil, nil},
	} {
		before := w.standing()
		o := w.as(c.who).give(c.p, c.subject, c.role, c.opts...)
		if c.want == nil {
			g := o.grant()
			if e := o.events[0]; e.Action != audit.Share || e.Path != c.p || e.Dest != c.subject {
				t.Errorf("%s: event %+v", o.what, e)
			}
			if g.Giver != id(c.who) || g.State != store.Accepted || g.ID == "" {
				t.Errorf("%s: %+v", o.what, g)
			}
			w.as(c.who).withdraw(g.ID).ok()
			continue
		}
		o.want(c.want)
		if fault.Told(o.err) == "" {
			t.Errorf("%s: %v says nothing to people", o.what, o.err)
		}
		if diff := cmp.Diff(before, w.standing()); diff != "" {
			t.Errorf("%s was refused and changed something:\n%s", o.what, diff)
		}
	}
}

// An app password that only reads gives nothing, and neither does somebody outside.
func TestWhoNeverGives(t *testing.T) {
	t.Parallel()
	w := sharing(t)
	g := w.as("meg").give("/firm/Clients/Acme", eve, "viewer").grant()
	p := person("meg")
	p.ReadOnly = true
	tree, err := w.svc.As(t.Context(), files.Staff(p))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tree.Give(t.Context(), []files.Gift{{Path: vpath.Must("/firm/Clients/Acme"), Subject: gus, Role: "viewer"}}); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("Give = %v", err)
	}
	if _, err := tree.Change(t.Context(), g); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Change = %v", err)
	}
	if _, err := tree.Withdraw(t.Context(), []string{g.ID}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Withdraw = %v", err)
	}
	if _, err := w.svc.As(t.Context(), w.outside(eve).p); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("As of a customer = %v", err)
	}
}

// All gifts are given, or none, and what goes along is undone with them.
func TestGiftsAreAllOrNothing(t *testing.T) {
	t.Parallel()
	w := sharing(t)
	acme, beta := vpath.Must("/firm/Clients/Acme"), vpath.Must("/firm/Clients/Beta")
	meg := w.as("meg").tree()
	two := []files.Gift{{Path: acme, Subject: eve, Role: "viewer"}, {Path: beta, Subject: eve, Role: "boss"}}
	if _, err := meg.Give(t.Context(), two); !errors.Is(err, fs.ErrInvalid) || len(w.standing()) > 0 {
		t.Errorf("Give = %v, and left %q", err, w.standing())
	}
	two[1].Role = "viewer"
	broken := errors.New("the mail is not written")
	_, err := meg.Give(t.Context(), two, func(store.Tx, []store.Grant) error { return broken })
	if !errors.Is(err, broken) || len(w.standing()) > 0 {
		t.Errorf("Give = %v, and left %q", err, w.standing())
	}
	w.outside(eve).sees("/")
	var told []store.Grant
	list, err := meg.Give(t.Context(), two, func(_ store.Tx, list []store.Grant) error { told = list; return nil })
	if err != nil || len(list) != 2 || list[0].Batch != list[1].Batch || list[0].Batch == "" || !slices.Equal(told, list) {
		t.Errorf("Give = %+v, %v; told %+v", list, err, told)
	}
	w.outside(eve).sees("/", "/Acme", "/Beta")
	if n := len(w.rec.Appended()); n < 2 {
		t.Errorf("%d rows for two gifts", n)
	}
}

// Who gave it, who holds grant there and who has it may end a share; to anybody
// else it does not exist (THREATS.md row 48).
func TestWhoMayEndAShare(t *testing.T) {
	t.Parallel()
	w := sharing(t)
	for who, want := range map[string]error{"meg": nil, "root": nil, "zoe": nil, "bob": fs.ErrNotExist, "ann": fs.ErrNotExist, "hal": fs.ErrNotExist} {
		g := w.as("meg").give("/firm/Clients/Acme", "user:zoe", "viewer").grant()
		o := w.as(who).withdraw(g.ID)
		if want != nil {
			o.want(want)
			w.as("zoe").get("/firm/Clients/Acme/deed.txt").ok()
			w.as(who).change(g, "inbox").want(want)
			continue
		}
		o.ok()
		w.as("zoe").get("/firm/Clients/Acme/deed.txt").want(fs.ErrNotExist)
		w.as("meg").withdraw(g.ID).want(fs.ErrNotExist)
		w.as("meg").change(g, "viewer").want(fs.ErrNotExist)
	}
	w.as("meg").withdraw("").want(fs.ErrNotExist)
	g := w.as("meg").give("/firm/Clients/Acme", eve, "viewer").grant()
	w.as("meg").withdraw(g.ID, "none").want(fs.ErrNotExist)
	w.outside(eve).get("/Acme/deed.txt").ok()
}

// Whatever a share is changed to, its recipient holds no more than that (THREATS.md
// row 29); and nobody widens it beyond what they hold.
func TestAnEditedShareGivesNoMore(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{rules: sharingRules, quiet: true})
	w.seed("ann", "/firm/Clients/Acme/deed.txt")
	roles := []string{"viewer", "commenter", "inbox", "depositor", "contributor"}
	rapid.Check(t, func(rt *rapid.T) {
		g := w.as("meg").give("/firm/Clients/Acme", eve, rapid.SampledFrom(roles).Draw(rt, "first")).grant()
		role := g.Role
		for _, next := range rapid.SliceOfN(rapid.SampledFrom(roles), 0, 4).Draw(rt, "then") {
			if role = next; rapid.Bool().Draw(rt, "anew") {
				again := w.as("meg").give("/firm/Clients/Acme", eve, role).grant()
				if again.ID != g.ID {
					rt.Errorf("the same share has two IDs")
				}
			} else {
				w.as("meg").change(g, role).ok()
			}
		}
		asked, _ := acl.RoleNamed(role)
		mounts := w.outside(eve).window().Mounts()
		if len(mounts) != 1 {
			rt.Fatalf("%d mounts", len(mounts))
		}
		held, err := acl.ParseRights(mounts[0].Rights)
		if err != nil || !held.Within(asked.Rights) || !asked.Rights.Within(held) {
			rt.Errorf("as %s: %q (%v)", role, mounts[0].Rights, err)
		}
		w.as("meg").withdraw(g.ID).ok()
	})
	g := w.as("meg").give("/firm/Clients/Acme", "user:bob", "viewer").grant()
	w.as("meg").change(g, "admin").want(fs.ErrPermission)
	w.as("meg").change(g, "boss").want(fs.ErrInvalid)
	w.grant("/", "meg", "editor")
	w.as("meg").change(g, "editor").want(fs.ErrPermission) // no share any more
	w.as("meg").change(g, "inbox").want(fs.ErrPermission)  // create is not in viewer
}

// An offer gives nothing until its recipient accepts it, and theirs alone is the answer.
func TestAnswers(t *testing.T) {
	t.Parallel()
	w := sharing(t)
	g := w.as("meg").give("/firm/Clients/Acme", eve, "viewer", offered).grant()
	guest := w.outside(eve)
	answer := func(p files.Principal, yes bool, want error) {
		t.Helper()
		got, err := w.svc.Answer(t.Context(), p, g.ID, yes)
		if !errors.Is(err, want) || err == nil && (got.State == store.Accepted) != yes {
			t.Errorf("%s answers %v: %+v, %v", p.Subject(), yes, got, err)
		}
	}
	guest.sees("/")
	answer(w.outside(gus).p, true, fs.ErrNotExist)
	answer(w.as("meg").principal(), true, fs.ErrNotExist)
	answer(w.as("root").principal(), false, fs.ErrNotExist)
	guest.sees("/")
	answer(guest.p, true, nil)
	guest.sees("/", "/Acme")
	rows := w.rec.Appended()
	if e := rows[len(rows)-1]; e.Action != audit.Answer || e.Why != "accepted" || e.Path != "/firm/Clients/Acme" || e.Actor.Type != audit.Contact {
		t.Errorf("event %+v", e)
	}
	again := w.as("meg").give("/firm/Clients/Acme", eve, "depositor", offered).grant()
	if again.State != store.Accepted {
		t.Errorf("who has accepted is asked again: %+v", again)
	}
	answer(guest.p, false, nil) // they give it back
	guest.sees("/")
	answer(guest.p, true, fault.ErrConflict)
	until := func(g *files.Gift) { g.Until, g.Offered = w.clock.Now().Add(time.Hour), true }
	g = w.as("meg").give("/firm/Clients/Beta", eve, "viewer", until).grant()
	w.clock.add(time.Hour)
	answer(guest.p, true, fs.ErrNotExist)
}

// What was given is there after a new start.
func TestSharesOutliveTheProcess(t *testing.T) {
	t.Parallel()
	w := sharing(t)
	w.as("meg").give("/firm/Clients/Acme", eve, "viewer").ok()
	w.start(0)
	w.outside(eve).get("/Acme/deed.txt").ok()
	if err := w.svc.Resume(t.Context()); err != nil {
		t.Error(err)
	}
	w.outside(eve).get("/Acme/deed.txt").ok()
}

// Who closes somebody's access ends all that they were given, in one workspace or
// in all.
func TestWithdrawAll(t *testing.T) {
	t.Parallel()
	w := sharing(t)
	end := func(below vpath.Path) {
		t.Helper()
		err := w.state.Update(t.Context(), func(tx store.Tx) error { return w.svc.WithdrawAll(t.Context(), tx, eve, below) })
		if err = errors.Join(err, w.svc.GrantsChanged(t.Context())); err != nil {
			t.Error(err)
		}
	}
	w.as("root").give("/firm/Clients/Acme", eve, "viewer").ok()
	w.as("root").give("/firm/Clients/Beta", eve, "viewer", offered).ok()
	w.as("root").give("/firm/Clients/Beta", gus, "viewer").ok()
	w.as("root").give("/lab", eve, "viewer").ok()
	end(vpath.Must("/firm"))
	w.outside(eve).sees("/", "/lab")
	rows := w.rec.Appended()
	if e := rows[len(rows)-1]; e.Action != audit.Unshare || e.Dest == "" || e.Dest == eve || e.Actor.Type != audit.SystemItself {
		t.Errorf("event %+v", e)
	}
	end(vpath.Path{})
	w.outside(eve).sees("/")
	w.outside(gus).sees("/", "/Beta")
}
