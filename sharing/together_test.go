package sharing_test

import (
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"testing"
	"time"

	"portico/fault"
	"portico/sharing"
	"portico/store"
)

// Whoever closes an access while somebody else shares: in the end the contact has
// nothing.
func TestNothingSlipsThroughAClosingDoor(t *testing.T) {
	w := newWorldOver(t, openSQLite(t))
	ann, root := w.by("ann"), w.by("root")
	for i := range 8 {
		mail := fmt.Sprintf("c%d@acme.example", i)
		w.ok(w.sh.OpenAccess(t.Context(), root, "firm", mail, paths("/firm/Clients/Acme")))
		var wg sync.WaitGroup
		var shared, closed error
		wg.Go(func() {
			_, shared = w.sh.Share(t.Context(), ann, sharing.ShareWish{Items: paths("/firm/Clients/Acme"), To: []string{mail}, Mode: sharing.Read})
		})
		wg.Go(func() { closed = w.sh.CloseAccess(t.Context(), root, "firm", mail, false) })
		wg.Wait()
		w.ok(closed)
		if shared != nil && !errors.Is(shared, fault.ErrConflict) && !errors.Is(shared, fs.ErrPermission) {
			t.Errorf("shared: %v", shared)
		}
		if left, err := w.state.GrantsTo(t.Context(), "contact:"+mail); err != nil || len(left) > 0 {
			t.Errorf("a closed contact has %+v, %v", left, err)
		}
		w.wantSees(w.unproved(mail))
	}
}

// Two who invite a new address at once make one contact, with one account.
func TestTwoWhoInviteOneAddress(t *testing.T) {
	w := newWorldOver(t, openSQLite(t))
	givers := []sharing.By{w.by("ann"), w.by("root")}
	var wg sync.WaitGroup
	errs := make([]error, len(givers))
	for i, by := range givers {
		wg.Go(func() {
			_, errs[i] = w.sh.Share(t.Context(), by, sharing.ShareWish{Items: paths("/firm/Clients/Acme"), To: []string{dave}, Mode: sharing.Read})
		})
	}
	wg.Wait()
	if errs[0] != nil && errs[1] != nil {
		t.Fatal(errs)
	}
	if all, err := w.state.ContactsOf(t.Context(), dave); err != nil || len(all) != 1 {
		t.Errorf("contacts: %+v, %v", all, err)
	}
	if live, err := w.state.TicketsOf(t.Context(), "invite", dave); err != nil || len(live) != 1 {
		t.Errorf("invitations: %+v, %v", live, err)
	}
}

// snapshot is what the store has of carol.
func (w *world) snapshot() string {
	w.Helper()
	ctx := w.Context()
	grants, err := w.state.GrantsTo(ctx, "contact:"+carol)
	w.ok(err)
	all, err := w.state.ContactsOf(ctx, carol)
	w.ok(err)
	a, _, err := w.state.AccountByMail(ctx, carol)
	w.ok(err)
	invites, err := w.state.TicketsOf(ctx, "invite", carol)
	w.ok(err)
	resets, err := w.state.TicketsOf(ctx, "reset", carol)
	w.ok(err)
	return fmt.Sprintf("%+v\n%+v\n%+v\n%+v\n%+v", grants, all, a, invites, resets)
}

// What cannot be told is not done, and nothing of it is left.
func TestAllOrNothing(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	me := w.joined(carol, "/firm/Clients/Acme")
	kept := w.share("ann", "/firm/Clients/Acme", carol, sharing.Read)
	offered, err := w.sh.Share(ctx, w.by("ann"), sharing.ShareWish{Items: paths("/firm/Clients/Acme/2025"), To: []string{carol}, Mode: sharing.Read, Ask: true})
	w.ok(err)
	ann := w.by("ann")
	for name, act := range map[string]func() error{
		"open":    func() error { return w.sh.OpenAccess(ctx, ann, "lab", carol, paths("/lab/Tests")) },
		"close":   func() error { return w.sh.CloseAccess(ctx, ann, "firm", carol, true) },
		"folders": func() error { return w.sh.SetFolders(ctx, ann, "firm", carol, paths("/firm/Clients/Beta")) },
		"stop":    func() error { return w.sh.Stop(ctx, ann, []string{kept.ID}, true) },
		"answer":  func() error { return w.sh.Answer(ctx, me, offered[0].ID, true) },
		"reset":   func() error { return w.sh.AskReset(ctx, carol, here) },
		"share": func() error {
			_, err := w.sh.Share(ctx, ann, sharing.ShareWish{Items: paths("/lab/Tests", "/firm/Clients/Acme"), To: []string{"user:eve", carol}, Mode: sharing.Edit})
			return err
		},
	} {
		before := w.snapshot()
		w.refuse = errors.New("nothing can be told")
		if err := act(); !errors.Is(err, w.refuse) {
			t.Errorf("%s: %v", name, err)
		}
		w.refuse = nil
		if after := w.snapshot(); after != before {
			t.Errorf("%s left something:\n%s\nwas\n%s", name, after, before)
		}
	}
	if all, _ := w.state.GrantsTo(ctx, "user:eve"); len(all) > 0 {
		t.Errorf("eve has %+v", all)
	}
}

// A store or a directory that is away is said to be, and is no refusal.
func TestAway(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	me := w.joined(carol, "/firm/Clients/Acme")
	ann := w.by("ann")
	share := func(to string) error {
		_, err := w.sh.Share(ctx, ann, sharing.ShareWish{Items: paths("/firm/Clients/Acme"), To: []string{to}, Mode: sharing.Read})
		return err
	}
	w.people.Fail(fault.ErrUnavailable)
	for _, to := range []string{"user:eve", "eve@firm.example"} {
		if err := share(to); !errors.Is(err, fault.ErrUnavailable) {
			t.Errorf("%s, without the directory: %v", to, err)
		}
	}
	w.people.Fail(nil)
	state := w.state.(bare)
	state.Fail(fault.ErrUnavailable)
	defer state.Fail(nil)
	for name, act := range map[string]func() error{
		"share":       func() error { return share(carol) },
		"open":        func() error { return w.sh.OpenAccess(ctx, ann, "firm", dave, paths("/firm/Clients/Acme")) },
		"close":       func() error { return w.sh.CloseAccess(ctx, ann, "firm", carol, true) },
		"contacts":    func() error { _, err := w.sh.Contacts(ctx, ann, "firm"); return err },
		"suggest":     func() error { _, err := w.sh.Suggest(ctx, ann, "firm", "c"); return err },
		"for me":      func() error { _, err := w.sh.ForMe(ctx, me); return err },
		"by me":       func() error { _, err := w.sh.ByMe(ctx, ann); return err },
		"deposits":    func() error { _, err := w.sh.MyDeposits(ctx, me); return err },
		"receipt":     func() error { _, err := w.sh.Receipt(ctx, me, "x"); return err },
		"ask reset":   func() error { return w.sh.AskReset(ctx, carol, here) },
		"invitation":  func() error { _, err := w.sh.Invitation(ctx, "gwi_", here); return err },
		"password":    func() error { return w.sh.SetPassword(ctx, me, password, "nine purple tigers") },
		"remind":      func() error { return w.sh.RemindEnding(ctx, w.clock.Now()) },
		"preferences": func() error { _, err := w.sh.Preferences(ctx, me); return err },
		"signed in":   func() error { return w.sh.SignedIn(ctx, me) },
	} {
		if err := act(); !errors.Is(err, fault.ErrUnavailable) {
			t.Errorf("%s, without the store: %v", name, err)
		}
	}
}

// A giver whom the directory cannot name in time is told on their page, and the
// deposit is kept.
func TestADepositWaitsForNoDirectory(t *testing.T) {
	w := newWorld(t)
	me := w.joined(carol, "/firm/Clients/Acme")
	w.share("ann", "/firm/Clients/Acme", carol, sharing.Edit)
	g, err := w.state.GrantsTo(t.Context(), "contact:"+carol)
	w.ok(err)
	o := w.sh.Options
	o.Secret = secretOfTests()
	later, err := sharing.New(o) // after a restart, ann has not been seen yet
	w.ok(err)
	w.people.Fail(fault.ErrUnavailable)
	w.ok(w.state.Update(t.Context(), func(tx store.Tx) error {
		return later.Deposited(t.Context(), tx, store.Deposit{
			Path: paths("/firm/Clients/Acme/x")[0], Owner: me.ID, Subject: "contact:" + carol, Grant: g[0].ID, Name: "x", Time: w.clock.Now(),
		})
	}))
	w.wantMails("ann@firm.example")
	if n, err := w.state.UnreadTo(t.Context(), "id-user:ann"); err != nil || n != 1 {
		t.Errorf("ann has %d unread notices, %v", n, err)
	}
}

// What somebody did to people is recorded, with who did it.
func TestDeeds(t *testing.T) {
	w := newWorld(t)
	me := w.joined(carol, "/firm/Clients/Acme")
	w.clock.add(2 * time.Minute)
	w.ok(w.sh.SetFolders(t.Context(), w.by("ann"), "firm", carol, paths("/firm/Clients/Beta")))
	w.ok(w.sh.SetPassword(t.Context(), me, password, "nine purple tigers"))
	w.ok(w.sh.CloseAccess(t.Context(), w.by("ann"), "firm", carol, false))
	want := []string{
		"Root access-opened " + carol, "Carol Jones invitation-accepted " + carol, "Ann folders-set " + carol,
		"Carol Jones password-set " + carol, "Ann access-closed " + carol,
	}
	if got := fmt.Sprint(w.deeds); got != fmt.Sprint(want) {
		t.Errorf("deeds %v, want %v", got, want)
	}
}
