package files_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"portico/fault"
	"portico/files"
	"portico/store"
	"portico/vpath"
)

// dropWorld has /firm/d, given to eve and gus for reading and depositing.
func dropWorld(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, options{quiet: true})
	w.seed("ann", "/firm/d/old.txt", "/firm/in/")
	for _, subject := range []string{eve, gus} {
		w.as("root").give("/firm/d", subject, "depositor").ok()
		w.as("root").give("/firm/in", subject, "inbox").ok()
	}
	return w
}

// Each file from outside is told, with all that a receipt needs.
func TestDepositsAreTold(t *testing.T) {
	t.Parallel()
	w := dropWorld(t)
	guest := w.outside(eve)
	guest.put("/d/a.txt", "hello").ok()
	guest.put("/d/old.txt", "a new version").ok()
	guest.put("/in/a.txt", "one").ok()
	w.outside(gus).put("/in/a.txt", "two").ok()
	guest.cp("/d/a.txt", "/in/a.txt").ok()
	w.as("ann").put("/firm/d/b.txt", "of the firm").ok()
	guest.mkdir("/d/sub").ok()
	guest.put("/none/x", "x").want(fs.ErrNotExist)
	sum := func(s string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(s))) }
	want := []store.Deposit{
		{Path: vpath.Must("/firm/d/a.txt"), Name: "a.txt", Size: 5, SHA256: sum("hello")},
		{Path: vpath.Must("/firm/d/old.txt"), Name: "old.txt", Size: 13, SHA256: sum("a new version")},
		{Path: vpath.Must("/firm/in/a.txt"), Name: "a.txt", Size: 3, SHA256: sum("one")},
		{Path: vpath.Must("/firm/in/a (2).txt"), Name: "a.txt", Size: 3, SHA256: sum("two"), Owner: "contact:id-gus@client.example", Subject: gus, By: "GUS@CLIENT.EXAMPLE", Mail: "gus@client.example"},
		{Path: vpath.Must("/firm/in/a (3).txt"), Name: "a.txt", Size: 5, SHA256: sum("hello")},
	}
	for i := range want {
		if want[i].Owner == "" {
			want[i].Owner, want[i].Subject = "contact:id-eve@client.example", eve
			want[i].By, want[i].Mail = "EVE@CLIENT.EXAMPLE", "eve@client.example"
		}
		want[i].Time = w.clock.Now()
	}
	if diff := cmp.Diff(want, w.deposits, cmpopts.IgnoreFields(store.Deposit{}, "ID", "Grant"), cmp.AllowUnexported(vpath.Path{})); diff != "" {
		t.Errorf("deposits (-want +got):\n%s", diff)
	}
	for _, d := range w.deposits {
		g, found, err := w.state.GrantByID(t.Context(), d.Grant)
		if err != nil || !found || g.Subject != d.Subject || !g.Path.Contains(d.Path) {
			t.Errorf("%s came by %+v, %v", d.Path, g, err)
		}
	}
}

// A deposit that cannot be recorded is told as such.
func TestADepositThatIsRefused(t *testing.T) {
	t.Parallel()
	w := dropWorld(t)
	w.refuse = fault.Tell(fault.ErrBusy, "no more deposits")
	if err := w.outside(eve).put("/d/a.txt", "x").want(fault.ErrBusy).err; strings.Contains(err.Error(), "firm") {
		t.Error(err)
	}
	if list, err := w.state.DepositsOf(t.Context(), "contact:id-eve@client.example"); err != nil || len(list) > 0 {
		t.Errorf("%+v, %v", list, err)
	}
}

// What somebody left they take back or rename until somebody else has opened it,
// and nothing else ever.
func TestTakingBack(t *testing.T) {
	t.Parallel()
	for what, open := range map[string]func(w *world){
		"read by the firm":        func(w *world) { w.as("bob").get("/firm/d/a.txt").ok() },
		"read by another outside": func(w *world) { w.outside(gus).get("/d/a.txt").ok() },
		"written by the firm":     func(w *world) { w.as("ann").put("/firm/d/a.txt", "changed").ok() },
		"copied over by the firm": func(w *world) { w.as("ann").cp("/firm/d/old.txt", "/firm/d/a.txt").ok() },
		"": func(w *world) {
			w.outside(eve).get("/d/a.txt").ok()
			w.as("ann").stat("/firm/d/a.txt").ok()
			w.as("ann").ls("/firm/d").ok()
			w.as("ida").get("/firm/d/a.txt").want(fs.ErrNotExist)
		},
	} {
		w := dropWorld(t)
		guest := w.outside(eve)
		guest.mkdir("/d/sub").ok()
		guest.put("/d/a.txt", "a").ok()
		guest.put("/d/b.txt", "b").ok()
		guest.rm("/d/old.txt").want(fs.ErrPermission)
		w.outside(gus).rm("/d/a.txt").want(fs.ErrPermission)
		open(w)
		if what == "" {
			guest.mv("/d/a.txt", "/d/sub/a.txt").ok()
			guest.rm("/d/sub").ok()
			continue
		}
		before := w.dump()
		for _, res := range []*result{guest.rm("/d/a.txt"), guest.mv("/d/a.txt", "/d/c.txt")} {
			res.want(fs.ErrPermission)
			if said := fault.Told(res.err); said != "/d/a.txt has been opened: it can no longer be taken back" {
				t.Errorf("%s, %s: %q", what, res.what, said)
			}
		}
		if after := w.dump(); before != after {
			t.Errorf("%s: something changed:\n%s", what, cmp.Diff(before, after))
		}
		guest.put("/d/a.txt", "a new version").ok() // which nobody has opened
		guest.rm("/d/a.txt").want(fs.ErrPermission)
		guest.rm("/d/b.txt").ok()
	}
}

// The first opening is told once, of a deposit and of what was given.
func TestFirstOpenings(t *testing.T) {
	t.Parallel()
	w := dropWorld(t)
	guest := w.outside(eve)
	guest.put("/d/a.txt", "a").ok()
	w.clock.add(1)
	w.as("bob").get("/firm/d/old.txt").ok()
	look, err := w.svc.ViewAs(t.Context(), w.as("root").principal(), person("bob"))
	if err != nil {
		t.Fatal(err)
	}
	body, _, err := look.Open(t.Context(), vpath.Must("/firm/d/a.txt"), files.Range{})
	if err != nil {
		t.Fatal(err)
	}
	if err := body.Close(); err != nil {
		t.Fatal(err)
	}
	if len(w.openings) > 0 {
		t.Errorf("told too early: %+v", w.openings)
	}
	for range 3 {
		w.as("bob").get("/firm/d/a.txt").ok()
		w.as("ann").get("/firm/d/a.txt").ok()
		guest.ls("/d").ok()
		guest.get("/d/old.txt").ok()
		guest.get("/d/none").want(fs.ErrNotExist)
	}
	if len(w.openings) != 2 {
		t.Fatalf("told: %+v", w.openings)
	}
	d, g := w.openings[0], w.openings[1]
	if d.Deposit == nil || d.Grant != nil || d.By != "BOB" || d.Deposit.OpenedBy != "BOB" || d.Path != vpath.Must("/firm/d/a.txt") || !d.Deposit.Opened.Equal(w.clock.Now()) {
		t.Errorf("the deposit: %+v", d)
	}
	if g.Grant == nil || g.Deposit != nil || g.Grant.Subject != eve || g.By != "EVE@CLIENT.EXAMPLE" || !g.Grant.Opened.Equal(w.clock.Now()) {
		t.Errorf("the grant: %+v", g)
	}
	kept, _, err := w.state.GrantByID(t.Context(), g.Grant.ID)
	if err != nil || kept.Opened.IsZero() {
		t.Errorf("kept: %+v, %v", kept, err)
	}
	// Whoever cannot be told is no reason to refuse the reading, and is told later.
	w.refuse = errors.New("no")
	w.outside(gus).get("/d/old.txt").ok()
	w.refuse = nil
	w.outside(gus).get("/d/old.txt").ok()
	if n := len(w.openings); n != 4 {
		t.Errorf("told %d times", n)
	}
}

// What could not be deleted of a folder is named as the window shows it.
func TestAPartOfAWindowFails(t *testing.T) {
	t.Parallel()
	w := dropWorld(t)
	guest := w.outside(eve)
	guest.mkdir("/d/sub").ok()
	guest.put("/d/sub/a.txt", "a").ok()
	guest.put("/d/sub/b.txt", "b").ok()
	w.setHook(func(op string, p vpath.Path) error {
		if op == "Remove" && p.Name() == "a.txt" {
			return fmt.Errorf("firm: %s: %w", p, fault.ErrUnavailable)
		}
		return nil
	})
	err := guest.rm("/d/sub").err
	partial, ok := errors.AsType[*files.Partial](err)
	if !ok || len(partial.Failed) != 1 || partial.Failed[0].Path != vpath.Must("/d/sub/a.txt") {
		t.Fatalf("delete: %+v", err)
	}
	if inner := partial.Failed[0].Err; !errors.Is(inner, fault.ErrUnavailable) || strings.Contains(fmt.Sprintf("%v %s", inner, fault.Told(inner)), "firm") {
		t.Errorf("the failure: %v", inner)
	}
}

// ViewAs is what somebody else sees, where one may change rights, and nothing that
// could change anything.
func TestViewAs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{quiet: true})
	w.seed("ann", "/firm/a", "/firm/HR/pay", "/lab/x", "/firm/Drop/d")
	look := func(by, as string) *files.Tree {
		t.Helper()
		tree, err := w.svc.ViewAs(t.Context(), w.as(by).principal(), person(as))
		if err != nil {
			t.Fatal(err)
		}
		return tree
	}
	names := func(tree *files.Tree, p string) (list []string) {
		t.Helper()
		_, below, err := tree.Find(t.Context(), vpath.Must(p), true, files.Want{Locks: true})
		if err != nil {
			t.Errorf("find %s: %v", p, err)
		}
		for _, n := range below {
			list = append(list, n.Path.Name())
		}
		return list
	}
	for _, as := range []string{"ann", "bob", "hal", "ida", "root", "nobody"} {
		var want []string
		for _, n := range w.as(as).ls("/firm").list {
			want = append(want, n.Path.Name())
		}
		tree := look("root", as)
		if _, err := tree.Stat(t.Context(), vpath.Must("/firm")); err != nil {
			continue // they see nothing of it
		}
		if diff := cmp.Diff(want, names(tree, "/firm")); diff != "" {
			t.Errorf("as %s (-want +got):\n%s", as, diff)
		}
	}
	ann := look("root", "ann")
	l := w.as("ann").lock("/firm/a").ok().lock
	dump := w.dump()
	ctx, a, b := t.Context(), vpath.Must("/firm/a"), vpath.Must("/firm/b")
	refused := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, fs.ErrPermission) || fault.Told(err) == "" {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, _, err := ann.Put(ctx, b, strings.NewReader("x"), files.PutOptions{Size: 1})
	refused("put", err)
	refused("mkdir", ann.Mkdir(ctx, b, files.Guard{}))
	refused("delete", ann.Delete(ctx, a, files.Guard{}))
	_, err = ann.Copy(ctx, a, b, over)
	refused("copy", err)
	_, err = ann.Move(ctx, a, b, over)
	refused("move", err)
	_, _, err = ann.Lock(ctx, a, files.LockOptions{})
	refused("lock", err)
	_, err = ann.Refresh(ctx, a, files.LockOptions{Guard: with(l.Token)})
	refused("refresh", err)
	refused("unlock", ann.Unlock(ctx, a, l.Token))
	refused("patch", ann.PatchProps(ctx, a, []files.PropChange{color("red")}, files.Guard{}))
	_, err = look("root", "root").Give(ctx, []files.Gift{{Path: a, Subject: eve, Role: "viewer"}})
	refused("give", err)
	_, err = look("root", "root").Withdraw(ctx, []string{"x"})
	refused("withdraw", err)
	_, err = look("root", "root").Change(ctx, store.Grant{ID: "x"})
	refused("change", err)
	if after := w.dump(); after != dump {
		t.Errorf("something changed:\n%s", cmp.Diff(dump, after))
	}
	_, list, err := ann.Find(ctx, vpath.Must("/firm"), true, files.Want{Locks: true})
	for _, n := range list {
		if len(n.Locks) > 0 && (n.Locks[0].Token != "" || n.Locks[0].OwnerXML != "") {
			t.Errorf("a token is shown: %+v, %v", n.Locks[0], err)
		}
	}
	rows := w.rec.Recorded()
	if e := rows[len(rows)-1]; e.Actor.ID != id("root") || e.Actor.As != "ann" || e.Actor.Login != "root" {
		t.Errorf("event %+v", e)
	}
	w.grant("/", "pat", "admin") // of /firm, not of /lab
	if got := names(look("pat", "ann"), "/"); !cmp.Equal(got, []string{"firm"}) {
		t.Errorf("pat sees %q as ann", got)
	}
	if _, err := look("pat", "ann").Stat(ctx, vpath.Must("/lab/x")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("pat sees /lab as ann: %v", err)
	}
	if look("pat", "ann").Rights(vpath.Must("/lab")) != nil {
		t.Error("pat is told ann's rights in /lab")
	}
	for _, by := range []string{"ann", "bob", "nobody"} {
		_, err := w.svc.ViewAs(ctx, w.as(by).principal(), person("root"))
		refused(by, err)
	}
	_, err = w.svc.ViewAs(ctx, w.outside(eve).p, person("root"))
	refused("a customer", err)
}

// Who tells those who may share a thing who may do what with it, and others of
// themselves alone.
func TestWhoMayDoWhat(t *testing.T) {
	t.Parallel()
	w := sharing(t)
	g := w.as("meg").give("/firm/Clients/Acme", eve, "depositor").grant()
	w.as("meg").give("/firm/Clients/Beta", gus, "viewer").ok()
	w.as("root").give("/firm/Clients", "user:zoe", "viewer", offered).ok()
	w.as("root").give("/firm/Clients/Acme", "user:gil", "inbox").ok()
	w.firm.leaves("root", true) // what he gave is worth nothing
	who := func(login, p string) map[string]files.Access {
		t.Helper()
		list, err := w.as(login).tree().Who(t.Context(), vpath.Must(p))
		if err != nil {
			t.Errorf("%s asks %s: %v", login, p, err)
		}
		all := map[string]files.Access{}
		for _, a := range list {
			all[a.Subject] = a
			if a.Why == nil || !strings.Contains(a.Why.String(), p) {
				t.Errorf("%s on %s without a reason: %q", a.Subject, p, a.Why)
			}
		}
		if len(all) != len(list) {
			t.Errorf("somebody is told twice: %+v", list)
		}
		return all
	}
	all := who("meg", "/firm/Clients/Acme/deed.txt")
	for subject, want := range map[string]string{
		"user:root": "list read comment create write delete share grant invite audit settings transfer",
		"user:meg":  "list read comment create write delete share invite",
		"user:mia":  "list:own read:own comment create write:own delete:own share:own",
		"user:bob":  "list read", eve: "list read comment create write delete:own", gus: "", "user:zoe": "", "user:gil": "", "user:hal": "",
	} {
		if got := strings.Join(all[subject].Rights, " "); got != want {
			t.Errorf("%s may %q, want %q", subject, got, want)
		}
	}
	if a := all[eve]; a.Grant == nil || a.Grant.ID != g.ID || a.Name != "eve@client.example" || !strings.Contains(a.Why.String(), "share") {
		t.Errorf("eve: %+v", a)
	}
	if all := who("bob", "/firm/Clients/Acme"); len(all) != 1 || strings.Join(all["user:bob"].Rights, " ") != "list read" {
		t.Errorf("bob is told %+v", all)
	}
	for _, p := range []string{"/firm/HR", "/firm/none", "/lab"} {
		if _, err := w.as("bob").tree().Who(t.Context(), vpath.Must(p)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("bob asks %s: %v", p, err)
		}
	}
}

// Why is the sentence of a decision; of what is not seen there is none.
func TestWhy(t *testing.T) {
	t.Parallel()
	w := sharing(t)
	bob := w.as("bob").tree()
	for _, c := range []struct {
		p, right, says string
		yes            bool
		err            error
	}{
		{"/firm/Clients/Acme/deed.txt", "read", "yes: bob may read", true, nil},
		{"/firm/Clients/Acme/deed.txt", "write", "no: bob may not write", false, nil},
		{"/firm/HR/pay.txt", "read", "", false, fs.ErrNotExist},
		{"/firm/none", "read", "", false, fs.ErrNotExist},
		{"/firm/Clients", "reed", "", false, fs.ErrInvalid},
	} {
		yes, says, err := bob.Why(t.Context(), vpath.Must(c.p), c.right)
		if yes != c.yes || (says != nil) != (c.says != "") || says != nil && !strings.HasPrefix(says.String(), c.says) || !errors.Is(err, c.err) {
			t.Errorf("Why(%s, %s) = %v, %q, %v", c.p, c.right, yes, says, err)
		}
	}
}

// Given are the shares of a folder and of what is seen in it, whatever their state.
func TestGiven(t *testing.T) {
	t.Parallel()
	w := sharing(t)
	w.as("root").give("/firm/Clients", "user:zoe", "viewer", offered).ok()
	w.as("root").give("/firm/Clients/Acme", eve, "viewer").ok()
	w.as("root").give("/firm/Clients/Acme/deed.txt", eve, "viewer").ok()
	w.as("hal").ls("/firm/HR").ok()
	w.grant("/HR", "root", "owner")
	w.as("root").give("/firm/HR", eve, "viewer").ok()
	given := func(login, p string) (list []string) {
		t.Helper()
		all, err := w.as(login).tree().Given(t.Context(), vpath.Must(p))
		if err != nil {
			t.Errorf("%s asks %s: %v", login, p, err)
		}
		for _, g := range all {
			list = append(list, g.Path.String()+" "+g.Subject)
		}
		return list
	}
	if diff := cmp.Diff([]string{"/firm/Clients user:zoe", "/firm/Clients/Acme " + eve}, given("bob", "/firm/Clients")); diff != "" {
		t.Errorf("in /firm/Clients (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"/firm/Clients user:zoe"}, given("bob", "/firm")); diff != "" {
		t.Errorf("in /firm, for bob, who does not see /firm/HR (-want +got):\n%s", diff)
	}
	if got := given("root", "/firm"); len(got) != 2 {
		t.Errorf("in /firm, for root: %q", got)
	}
	if _, err := w.as("bob").tree().Given(t.Context(), vpath.Must("/firm/HR")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("bob asks /firm/HR: %v", err)
	}
	if _, err := w.as("mia").tree().Given(t.Context(), vpath.Must("/firm/Clients")); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("mia asks /firm/Clients: %v", err)
	}
}

// A folder put over another one ends what lies in that: no way to take back what
// somebody has opened.
func TestNotTakenBackByReplacing(t *testing.T) {
	t.Parallel()
	w := dropWorld(t)
	guest := w.outside(eve)
	guest.mkdir("/d/papers").ok()
	guest.put("/d/papers/a.txt", "x").ok()
	guest.mkdir("/d/empty").ok()
	guest.cp("/d/empty", "/d/papers").ok() // nobody has opened it
	guest.put("/d/papers/a.txt", "x").ok()
	w.as("bob").get("/firm/d/papers/a.txt").ok()
	guest.cp("/d/empty", "/d/papers").want(fs.ErrPermission)
	guest.mv("/d/empty", "/d/papers").want(fs.ErrPermission)
	w.as("bob").get("/firm/d/papers/a.txt").ok()
}
