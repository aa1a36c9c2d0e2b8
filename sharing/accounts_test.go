package sharing_test

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"time"

	"portico/identity"
	"portico/notify"
	"portico/sharing"
	"portico/store"
)

const here = "192.0.2.1"

func (w *world) invited(mail string) (secretText string) {
	w.Helper()
	w.ok(w.sh.OpenAccess(w.Context(), w.by("ann"), "firm", mail, paths("/firm/Clients/Acme")))
	return secret(w, w.wantMails(mail, notify.Invited)[0])
}

func TestAnInvitationIsGoodForAWeekAndOnce(t *testing.T) {
	w := newWorld(t)
	text := w.invited(carol)
	if !strings.HasPrefix(text, "gwi_") || len(text) < 4+43 {
		t.Fatalf("the secret is %q", text)
	}
	w.clock.add(7*24*time.Hour - time.Second)
	inv, err := w.sh.Invitation(t.Context(), text, here)
	w.ok(err)
	if inv.Mail != carol || inv.By != "Ann" || inv.HasPassword {
		t.Fatalf("the invitation is %+v", inv)
	}
	w.clock.add(time.Second) // T+0: over at T+1 s at the latest (THREATS.md row 65)
	_, err = w.sh.Invitation(t.Context(), text, here)
	w.refused(err, sharing.ErrGone, "time is over")
	_, err = w.sh.AcceptInvitation(t.Context(), text, "Carol", password, here)
	w.refused(err, sharing.ErrGone, "time is over")

	text = w.invited(dave)
	_, err = w.sh.AcceptInvitation(t.Context(), text, "Dave", password, here)
	w.ok(err)
	_, err = w.sh.AcceptInvitation(t.Context(), text, "Mallory", "my own long password", here)
	w.refused(err, sharing.ErrGone, "used already")
	if _, err := w.contacts.Authenticate(t.Context(), dave, password); err != nil {
		t.Errorf("the second one changed the password: %v", err)
	}
}

func TestOneOfManyWhoAcceptAtOnce(t *testing.T) {
	w := newWorld(t)
	text := w.invited(carol)
	var wg sync.WaitGroup
	errs := make([]error, 4)
	for i := range errs {
		wg.Go(func() {
			_, errs[i] = w.sh.AcceptInvitation(t.Context(), text, "Carol", fmt.Sprintf("%s %d", password, i), here)
		})
	}
	wg.Wait()
	in := 0
	for _, err := range errs {
		switch {
		case err == nil:
			in++
		case !errors.Is(err, sharing.ErrGone) && !errors.Is(err, sharing.ErrSignIn):
			t.Errorf("accept: %v", err)
		}
	}
	if in != 1 {
		t.Errorf("%d accepted one invitation", in)
	}
}

func TestWhatAnInvitationRefuses(t *testing.T) {
	w := newWorld(t)
	text := w.invited(carol)
	for _, c := range []struct{ name, password, word string }{
		{"Carol", "short", "at least 12"},
		{"Carol", "password1234", "attackers try first"},
		{"Carol", strings.Repeat("long ", 60), "256"},
		{"", password, "name"},
		{"Car\u202eol", password, "cannot be shown"},
	} {
		_, err := w.sh.AcceptInvitation(t.Context(), text, c.name, c.password, here)
		w.refused(err, fs.ErrInvalid, c.word)
	}
	for _, other := range []string{"", "x", text + "x", text[:len(text)-1], "gwr_" + text[4:], text[4:]} {
		_, err := w.sh.Invitation(t.Context(), other, here)
		w.refused(err, fs.ErrNotExist, "no such link")
	}
	_, err := w.sh.ResetFor(t.Context(), text, here)
	w.refused(err, fs.ErrNotExist, "")
	_, err = w.sh.AcceptInvitation(t.Context(), text, "Carol", password, here)
	w.ok(err)
}

func TestAnInvitationIsTiedToItsAddress(t *testing.T) {
	w := newWorld(t)
	me := w.joined(carol, "/firm/Clients/Acme")
	text := w.invited(dave)
	w.refused(w.sh.Accept(t.Context(), me, text), fs.ErrPermission, "another address")
	w.refused(w.sh.Accept(t.Context(), w.by("ann"), text), fs.ErrPermission, "another address")
	if got := w.contact("firm", dave).State; got != store.Invited {
		t.Errorf("dave is %s", got)
	}
}

func TestAClosedInvitationIsGone(t *testing.T) {
	w := newWorld(t)
	text := w.invited(carol)
	w.ok(w.sh.CloseAccess(t.Context(), w.by("ann"), "firm", carol, false))
	_, err := w.sh.AcceptInvitation(t.Context(), text, "Carol", password, here)
	w.refused(err, sharing.ErrGone, "")
}

func TestWhoGuessesAtSecretsIsRefused(t *testing.T) {
	w := newWorld(t)
	text := w.invited(carol)
	var throttled *identity.ThrottledError
	for i := range 10 {
		_, err := w.sh.ResetFor(t.Context(), fmt.Sprintf("gwr_%043d", i), here)
		if errors.As(err, &throttled) {
			t.Fatalf("guess %d is refused unseen", i)
		}
	}
	_, err := w.sh.Invitation(t.Context(), text, here)
	if !errors.As(err, &throttled) {
		t.Errorf("the eleventh guess: %v", err)
	}
	_, err = w.sh.Invitation(t.Context(), text, "192.0.2.99")
	w.ok(err)
}

func TestReset(t *testing.T) {
	w := newWorld(t)
	me := w.joined(carol, "/firm/Clients/Acme")
	now := w.clock.Now()
	w.ok(w.state.Update(t.Context(), func(tx store.Tx) error {
		return tx.PutSession(store.Session{Sum: store.Sum{1}, Owner: me.ID, Created: now, Seen: now, Expires: now.Add(time.Hour)})
	}))
	before, err := w.contacts.ByID(t.Context(), me.ID)
	w.ok(err)
	w.clock.add(time.Second)
	w.ok(w.sh.AskReset(t.Context(), " CAROL@acme.example", here))
	w.ok(w.sh.AskReset(t.Context(), carol, here))
	mails := w.wantMails(carol, notify.Reset, notify.Reset)
	one, two := secret(t, mails[0]), secret(t, mails[1])
	mail, err := w.sh.ResetFor(t.Context(), one, here)
	w.ok(err)
	if mail != carol {
		t.Fatalf("reset for %q", mail)
	}
	_, err = w.sh.Reset(t.Context(), one, "short", here)
	w.refused(err, fs.ErrInvalid, "at least 12")
	who, err := w.sh.Reset(t.Context(), one, "nine purple tigers", here)
	w.ok(err)
	if who.ID != me.ID {
		t.Fatalf("reset %+v", who)
	}
	for _, used := range []string{one, two} { // the other dies with the password
		_, err = w.sh.Reset(t.Context(), used, "eight purple tigers", here)
		w.refused(err, sharing.ErrGone, "")
	}
	if _, err := w.contacts.Authenticate(t.Context(), carol, "nine purple tigers"); err != nil {
		t.Errorf("the new password: %v", err)
	}
	if _, err := w.contacts.Authenticate(t.Context(), carol, password); !errors.Is(err, identity.ErrRefused) {
		t.Errorf("the old password: %v", err)
	}
	if _, found, _ := w.state.SessionBySum(t.Context(), store.Sum{1}); found {
		t.Error("the session outlives the password")
	}
	if after, err := w.contacts.ByID(t.Context(), me.ID); err != nil || !after.PasswordSet.After(before.PasswordSet) {
		t.Errorf("the password was set %v, %v, and before %v", after.PasswordSet, err, before.PasswordSet)
	}
}

func TestResetIsGoodForHalfAnHour(t *testing.T) {
	w := newWorld(t)
	w.joined(carol, "/firm/Clients/Acme")
	w.ok(w.sh.AskReset(t.Context(), carol, here))
	text := secret(t, w.wantMails(carol, notify.Reset)[0])
	w.clock.add(30 * time.Minute)
	_, err := w.sh.Reset(t.Context(), text, "nine purple tigers", here)
	w.refused(err, sharing.ErrGone, "time is over")
}

// Who has no open account gets the same answer and no mail, and the store is
// written to as often (THREATS.md rows 59 and 64).
func TestResetTellsNobody(t *testing.T) {
	w := newWorld(t)
	w.joined(carol, "/firm/Clients/Acme")
	w.invited(dave)
	w.joined("gone@acme.example", "/firm/Clients/Acme")
	w.ok(w.sh.CloseAccess(t.Context(), w.by("ann"), "firm", "gone@acme.example", false))
	w.mails("gone@acme.example")
	counts := map[string]int{}
	for i, mail := range []string{carol, dave, "gone@acme.example", "nobody@acme.example", "ann@firm.example"} {
		before := w.state.(bare).Updates()
		w.ok(w.sh.AskReset(t.Context(), mail, fmt.Sprintf("192.0.2.%d", i)))
		counts[mail] = w.state.(bare).Updates() - before
	}
	for mail, n := range counts {
		if n != counts[carol] {
			t.Errorf("%s costs %d transactions, %s %d", mail, n, carol, counts[carol])
		}
	}
	w.wantMails(carol, notify.Reset)
	for _, mail := range []string{dave, "gone@acme.example", "nobody@acme.example", "ann@firm.example"} {
		w.wantMails(mail)
	}
	w.ok(w.sh.AskReset(t.Context(), "no address", here))
	// What was written for nobody weighs as much as a mail, and is swept by the next.
	if decoys, err := w.state.TicketsOf(t.Context(), "decoy", ""); err != nil || len(decoys) == 0 || len(decoys) > 2 {
		t.Errorf("decoys: %+v, %v", decoys, err)
	}
}

func TestResetsAreCounted(t *testing.T) {
	w := newWorld(t)
	w.joined(carol, "/firm/Clients/Acme")
	for i := range 6 { // from many addresses: one mailbox is not flooded
		w.ok(w.sh.AskReset(t.Context(), carol, fmt.Sprintf("192.0.2.%d", i)))
	}
	w.wantMails(carol, notify.Reset, notify.Reset, notify.Reset)
	var throttled *identity.ThrottledError
	for range 10 {
		w.ok(w.sh.AskReset(t.Context(), dave, "198.51.100.7"))
	}
	if err := w.sh.AskReset(t.Context(), carol, "198.51.100.7"); !errors.As(err, &throttled) {
		t.Errorf("the eleventh from one address: %v", err)
	}
}

func TestSetPassword(t *testing.T) {
	w := newWorld(t)
	me := w.joined(carol, "/firm/Clients/Acme")
	now := w.clock.Now()
	w.ok(w.state.Update(t.Context(), func(tx store.Tx) error {
		return errors.Join(
			tx.PutSession(store.Session{Sum: store.Sum{1}, Owner: me.ID, Created: now, Seen: now, Expires: now.Add(time.Hour)}),
			tx.PutAppPassword(store.AppPassword{ID: "device", Sum: store.Sum{2}, Owner: me.ID, Created: now}))
	}))
	w.ok(w.sh.AskReset(t.Context(), carol, here))
	reset := secret(t, w.wantMails(carol, notify.Reset)[0])
	w.refused(w.sh.SetPassword(t.Context(), me, "not this one", "nine purple tigers"), identity.ErrRefused, "not your current password")
	w.refused(w.sh.SetPassword(t.Context(), me, password, "short"), fs.ErrInvalid, "at least 12")
	if err := w.sh.SetPassword(t.Context(), w.by("ann"), password, "nine purple tigers"); err == nil {
		t.Error("a colleague's password was set")
	}
	w.ok(w.sh.SetPassword(t.Context(), me, password, "nine purple tigers"))
	if _, err := w.contacts.Authenticate(t.Context(), carol, "nine purple tigers"); err != nil {
		t.Errorf("the new password: %v", err)
	}
	if _, found, _ := w.state.SessionBySum(t.Context(), store.Sum{1}); found {
		t.Error("a session outlives the password")
	}
	if left, _ := w.state.AppPasswordsOf(t.Context(), me.ID); len(left) != 1 {
		t.Error("a device lost its own password")
	}
	_, err := w.sh.Reset(t.Context(), reset, "eight purple tigers", here)
	w.refused(err, sharing.ErrGone, "")
}

func TestPasswordsAreNotGuessedFromASession(t *testing.T) {
	w := newWorld(t)
	me := w.joined(carol, "/firm/Clients/Acme")
	me.Principal.Address = here
	var throttled *identity.ThrottledError
	for i := range 7 {
		err := w.sh.SetPassword(t.Context(), me, "a guess", "nine purple tigers")
		if i >= 5 && !errors.As(err, &throttled) {
			t.Errorf("guess %d: %v", i, err)
		}
	}
}

func TestSigningInIsAccepting(t *testing.T) {
	w := newWorld(t)
	me := w.joined(carol, "/firm/Clients/Acme")
	w.ok(w.sh.OpenAccess(t.Context(), w.by("ann"), "lab", carol, paths("/lab/Tests")))
	text := secret(t, w.wantMails(carol, notify.Invited)[0])
	w.ok(w.sh.SignedIn(t.Context(), me))
	w.ok(w.sh.SignedIn(t.Context(), w.by("ann")))
	if got := w.contact("lab", carol).State; got != store.Active {
		t.Errorf("the lab's contact is %s", got)
	}
	w.refused(w.sh.Accept(t.Context(), me, text), sharing.ErrGone, "")
}

// Who takes an invitation's address into their own hand has a say over all that the
// account of it will see: another workspace may have shared with it already.
func TestInviteLinkOfAnAccountThatOthersUse(t *testing.T) {
	w := newWorld(t)
	w.ok(w.sh.OpenAccess(t.Context(), w.by("sam"), "firm", dave, paths("/firm/Clients/Beta")))
	_, err := w.sh.InviteLink(t.Context(), w.by("sam"), "firm", dave)
	w.ok(err)
	w.ok(w.sh.OpenAccess(t.Context(), w.by("root"), "lab", dave, paths("/lab/Tests")))
	_, err = w.sh.InviteLink(t.Context(), w.by("sam"), "firm", dave)
	w.refused(err, fs.ErrPermission, "administrator")
	_, err = w.sh.InviteLink(t.Context(), w.by("root"), "firm", dave)
	w.ok(err)
}
