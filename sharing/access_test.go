package sharing_test

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"portico/fault"
	"portico/identity"
	"portico/notify"
	"portico/sharing"
	"portico/store"
	"portico/vpath"
)

// The whole story of a customer, from the first mail to the end.
func TestStory(t *testing.T) {
	for name, open := range map[string]func(testing.TB) store.State{
		"memory": func(testing.TB) store.State { return nil }, "sqlite": openSQLite,
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			if state := open(t); state != nil {
				w = newWorldOver(t, state)
			}
			story(w)
		})
	}
}

func story(w *world) {
	ctx := w.Context()
	ann := w.by("ann")
	w.ok(w.sh.OpenAccess(ctx, ann, "firm", " Carol@ACME.example ", paths("/firm/Clients/Acme")))
	if got := w.contact("firm", carol).State; got != store.Invited {
		w.Fatalf("the contact is %s, want invited", got)
	}
	invite := w.wantMails(carol, notify.Invited)[0]
	who, err := w.sh.AcceptInvitation(ctx, secret(w, invite), "Carol Jones", password, "192.0.2.1")
	w.ok(err)
	if who.Login != carol || !who.Contact || who.Name != "Carol Jones" {
		w.Fatalf("accepted as %+v", who)
	}
	if got, err := w.contacts.Authenticate(ctx, carol, password); err != nil || got.ID != who.ID {
		w.Fatalf("Authenticate = %+v, %v", got, err)
	}
	me := customer(who)
	w.wantSees(me)

	g := w.share("ann", "/firm/Clients/Acme", "contact:"+carol, sharing.Edit)
	w.wantMails(carol, notify.Shared)
	w.wantSees(me, "Acme")
	win, err := w.files.Window(ctx, me.Principal)
	w.ok(err)
	depositIn(w, me, "/Acme/tax.pdf", "numbers")
	w.wantMails(carol, notify.Receipt)
	w.wantMails("ann@firm.example", notify.Deposited)
	_ = win

	w.ok(w.sh.Stop(ctx, ann, []string{g.ID}, true))
	w.wantSees(me)
	w.wantMails(carol, notify.Stopped)

	w.share("ann", "/firm/Clients/Acme", "contact:"+carol, sharing.Read)
	w.wantMails(carol, notify.Shared)
	w.ok(w.sh.CloseAccess(ctx, ann, "firm", carol, true))
	w.wantMails(carol, notify.Closed)
	w.wantSees(me)
	if _, err := w.contacts.Authenticate(ctx, carol, password); !errors.Is(err, identity.ErrRefused) {
		w.Fatalf("after the access was closed: Authenticate = %v", err)
	}
}

func TestOpenAccessNeedsTheRightOnEachFolder(t *testing.T) {
	w := newWorld(t)
	open := func(login string, folders ...string) error {
		return w.sh.OpenAccess(t.Context(), w.by(login), "firm", dave, paths(folders...))
	}
	w.refused(open("eve", "/firm/Clients/Beta"), fs.ErrPermission, "/firm/Clients/Beta")
	w.refused(open("sam", "/firm/Clients/Beta", "/firm/Clients/Acme"), fs.ErrNotExist, "") // sam does not see Acme
	w.refused(open("ann", "/firm/HR"), fs.ErrNotExist, "")
	w.refused(open("ann", "/firm/Clients/Acme/letter.txt"), fault.ErrNotDir, "folder")
	w.refused(open("ann", "/lab/Tests"), fs.ErrInvalid, "workspace")
	w.refused(open("ann"), fs.ErrInvalid, "folder")
	if c := w.contact("firm", dave); c.Mail != "" {
		t.Fatalf("a refusal left %+v", c)
	}
	w.ok(open("sam", "/firm/Clients/Beta"))
	w.refused(open("sam", "/firm/Clients/Beta"), fs.ErrExist, "page")
	w.wantMails(dave, notify.Invited)
}

func TestColleaguesAreNoContacts(t *testing.T) {
	w := newWorld(t)
	err := w.sh.OpenAccess(t.Context(), w.by("ann"), "firm", "Bob@firm.example", paths("/firm/Clients/Acme"))
	w.refused(err, fs.ErrExist, "colleague")
	_, err = w.sh.PutContact(t.Context(), w.by("ann"), sharing.ContactWish{Workspace: "firm", Mail: "bob@firm.example"})
	w.refused(err, fs.ErrExist, "colleague")
}

func TestAddresses(t *testing.T) {
	for text, want := range map[string]string{
		"Carol@Acme.Example": carol, " carol@acme.example\n": carol, "jose\u0301@acme.example": "jos\u00e9@acme.example",
		"": "", "carol": "", "carol@acme": "", "Carol <carol@acme.example>": "", "a@b.example, c@d.example": "",
		"carol@acme.example\r\nBcc: all@firm.example": "", `"car ol"@acme.example`: "", "a:b@c.example": "",
		strings.Repeat("x", 65) + "@acme.example": "", "carol\u202e@acme.example": "",
	} {
		got, err := sharing.Address(text)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("Address(%q) = %q, %v, want %q", text, got, err, want)
		}
	}
}

func TestWhoKnowsAContact(t *testing.T) {
	w := newWorld(t)
	w.ok(w.sh.OpenAccess(t.Context(), w.by("ann"), "firm", carol, paths("/firm/Clients/Acme")))
	w.ok(w.sh.OpenAccess(t.Context(), w.by("sam"), "firm", dave, paths("/firm/Clients/Beta")))
	w.ok(w.sh.OpenAccess(t.Context(), w.by("hal"), "firm", "zed@zed.example", paths("/firm/HR")))
	for login, want := range map[string][]string{
		"ann": {carol, dave}, "sam": {dave}, "hal": {"zed@zed.example"}, "root": {carol, dave, "zed@zed.example"},
	} {
		list, err := w.sh.Contacts(t.Context(), w.by(login), "firm")
		w.ok(err)
		var got []string
		for _, c := range list {
			got = append(got, c.Mail)
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s knows %q, want %q", login, got, want)
		}
	}
	for _, login := range []string{"eve", "bob"} {
		_, err := w.sh.Contacts(t.Context(), w.by(login), "firm")
		w.refused(err, fs.ErrPermission, "share nothing")
	}
	_, err := w.sh.Contacts(t.Context(), w.by("sam"), "lab")
	w.refused(err, fs.ErrNotExist, "")
	_, err = w.sh.Contacts(t.Context(), w.unproved(carol), "firm")
	w.refused(err, fs.ErrNotExist, "")
	for _, login := range []string{"sam", "eve", "bob", "hal"} {
		_, err := w.sh.Contact(t.Context(), w.by(login), "firm", carol)
		w.refused(err, fs.ErrNotExist, "no contact")
		w.refused(w.sh.CloseAccess(t.Context(), w.by(login), "firm", carol, true), fs.ErrNotExist, "no contact")
		w.refused(w.sh.InviteAgain(t.Context(), w.by(login), "firm", carol), fs.ErrNotExist, "no contact")
		_, err = w.sh.PutContact(t.Context(), w.by(login), sharing.ContactWish{Workspace: "firm", Mail: carol, Notes: "mine now"})
		w.refused(err, fs.ErrPermission, "")
	}
}

func TestACardOpensNothing(t *testing.T) {
	w := newWorld(t)
	c, err := w.sh.PutContact(t.Context(), w.by("ann"), sharing.ContactWish{
		Workspace: "firm", Mail: "CAROL@acme.example", Name: " Carol ", Organisation: "Acme", Language: "nl", Notes: "calls\r\nback",
	})
	w.ok(err)
	if c.State != store.NoAccess || c.Name != "Carol" || c.Mail != carol || c.Notes != "calls\nback" {
		t.Fatalf("the card is %+v", c)
	}
	w.wantMails(carol)
	_, err = w.sh.PutContact(t.Context(), w.by("eve"), sharing.ContactWish{Workspace: "firm", Mail: "new@acme.example"})
	w.refused(err, fs.ErrPermission, "share nothing")
	for _, bad := range []sharing.ContactWish{
		{Workspace: "firm", Mail: "x"},
		{Workspace: "firm", Mail: carol, Name: "a\u202eb"},
		{Workspace: "firm", Mail: carol, Language: "xx"},
		{Workspace: "firm", Mail: carol, Notes: strings.Repeat("x", 5000)},
	} {
		_, err := w.sh.PutContact(t.Context(), w.by("ann"), bad)
		w.refused(err, fs.ErrInvalid, "")
	}
	w.ok(w.sh.OpenAccess(t.Context(), w.by("ann"), "firm", carol, paths("/firm/Clients/Acme")))
	if m := w.wantMails(carol, notify.Invited)[0]; m.Language != "nl" || datum(t, m, "firm") != "The firm" || datum(t, m, "by") != "Ann" {
		t.Fatalf("the invitation is %+v %s", m, m.Data)
	}
}

func TestInviteAgain(t *testing.T) {
	w := newWorld(t)
	ann := w.by("ann")
	w.ok(w.sh.OpenAccess(t.Context(), ann, "firm", carol, paths("/firm/Clients/Acme")))
	first := secret(t, w.wantMails(carol, notify.Invited)[0])
	w.refused(w.sh.InviteAgain(t.Context(), ann, "firm", carol), fault.ErrBusy, "wait")
	w.clock.add(2 * time.Minute)
	w.ok(w.sh.InviteAgain(t.Context(), ann, "firm", carol))
	second := secret(t, w.wantMails(carol, notify.Invited)[0])
	_, err := w.sh.AcceptInvitation(t.Context(), first, "Carol", password, "192.0.2.1")
	w.refused(err, sharing.ErrGone, "new one")
	_, err = w.sh.AcceptInvitation(t.Context(), second, "Carol", password, "192.0.2.1")
	w.ok(err)
	w.clock.add(2 * time.Minute)
	w.refused(w.sh.InviteAgain(t.Context(), ann, "firm", carol), fault.ErrConflict, "active")
}

func TestCloseAccessTakesEverything(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	me := w.joined(carol, "/firm/Clients/Acme")
	w.share("ann", "/firm/Clients/Acme", carol, sharing.Edit)
	_, err := w.sh.Share(ctx, w.by("ann"), sharing.ShareWish{Items: paths("/firm/Clients/Acme/2025"), To: []string{carol}, Mode: sharing.Read, Ask: true})
	w.ok(err)
	now := w.clock.Now()
	w.ok(w.state.Update(ctx, func(tx store.Tx) error {
		for _, err := range []error{
			tx.PutSession(store.Session{Sum: store.Sum{1}, Owner: me.ID, Created: now, Seen: now, Expires: now.Add(time.Hour)}),
			tx.PutAppPassword(store.AppPassword{ID: "device", Sum: store.Sum{2}, Owner: me.ID, Login: carol, Name: "laptop", Created: now}),
			tx.PutLink(store.Link{ID: "forcarol", Sum: store.Sum{3}, Workspace: "firm", Contact: carol, Mode: "read", Created: now}),
			tx.PutLink(store.Link{ID: "other", Sum: store.Sum{4}, Workspace: "firm", Contact: dave, Mode: "read", Created: now}),
		} {
			if err != nil {
				return err
			}
		}
		return nil
	}))
	w.refuse = errors.New("nothing can be told")
	if err := w.sh.CloseAccess(ctx, w.by("ann"), "firm", carol, true); err == nil {
		t.Fatal("closed without the mail")
	}
	w.refuse = nil
	w.wantSees(me, "Acme") // all or nothing
	w.ok(w.sh.CloseAccess(ctx, w.by("ann"), "firm", carol, false))
	w.wantSees(me)
	if left, _ := w.state.GrantsTo(ctx, "contact:"+carol); len(left) > 0 {
		t.Errorf("grants are left: %+v", left)
	}
	if _, found, _ := w.state.SessionBySum(ctx, store.Sum{1}); found {
		t.Error("the session is left")
	}
	if left, _ := w.state.AppPasswordsOf(ctx, me.ID); len(left) > 0 {
		t.Error("the app password is left")
	}
	if l, _, _ := w.state.LinkByID(ctx, "forcarol"); l.Revoked.IsZero() {
		t.Error("the link for them stands")
	}
	if l, _, _ := w.state.LinkByID(ctx, "other"); !l.Revoked.IsZero() {
		t.Error("somebody else's link was revoked")
	}
	if a, _, _ := w.state.AccountByMail(ctx, carol); !a.Closed || a.Password != "" {
		t.Errorf("the account is %+v", a)
	}
	if w.flushed == 0 {
		t.Error("nobody forgot the password")
	}
	w.mails(carol)
	// Let in again, they set a new password, and are whom they were.
	again := w.joined(carol, "/firm/Clients/Acme")
	if again.ID != me.ID {
		t.Errorf("let in again as %s, was %s", again.ID, me.ID)
	}
	w.wantSees(again)
}

func TestClosingOneOfTwoWorkspaces(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	me := w.joined(carol, "/firm/Clients/Acme")
	w.ok(w.sh.OpenAccess(ctx, w.by("ann"), "lab", carol, paths("/lab/Tests")))
	invite := secret(t, w.wantMails(carol, notify.Invited)[0])
	inv, err := w.sh.Invitation(ctx, invite, "192.0.2.1")
	w.ok(err)
	if !inv.HasPassword || inv.Mail != carol || inv.Firm != "The lab" {
		t.Fatalf("the invitation is %+v", inv)
	}
	_, err = w.sh.AcceptInvitation(ctx, invite, "Mallory", "another password of mine", "192.0.2.1")
	w.refused(err, sharing.ErrSignIn, "sign in")
	w.ok(w.sh.Accept(ctx, me, invite))
	if got := w.contact("lab", carol).State; got != store.Active {
		t.Fatalf("the lab's contact is %s", got)
	}
	w.share("ann", "/firm/Clients/Acme", carol, sharing.Read)
	w.share("ann", "/lab/Tests", carol, sharing.Read)
	w.wantSees(me, "Acme", "Tests")
	w.ok(w.sh.CloseAccess(ctx, w.by("ann"), "firm", carol, false))
	w.wantSees(me, "Tests")
	_, err = w.contacts.Authenticate(ctx, carol, password)
	w.ok(err)
	w.ok(w.sh.CloseAccess(ctx, w.by("ann"), "lab", carol, false))
	if _, err := w.contacts.ByID(ctx, me.ID); !errors.Is(err, identity.ErrRefused) {
		t.Fatalf("ByID = %v for whom no workspace has", err)
	}
}

func TestFoldersAreTheLimit(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	me := w.joined(carol, "/firm/Clients/Acme")
	_, err := w.sh.Share(ctx, w.by("ann"), sharing.ShareWish{Items: paths("/firm/Clients/Beta"), To: []string{carol}, Mode: sharing.Read})
	w.refused(err, fs.ErrPermission, "Carol Jones may be shared what lies in /Clients/Acme; add /Clients/Beta on the contact's page.")
	w.refused(w.sh.MayHave(ctx, w.by("ann"), carol, vpath.Must("/firm/Clients/Beta/In")), fs.ErrPermission, "add /Clients/Beta/In")
	w.ok(w.sh.MayHave(ctx, w.by("ann"), carol, vpath.Must("/firm/Clients/Acme/2025")))

	ann := w.by("ann")
	set := func(folders ...string) error { return w.sh.SetFolders(ctx, ann, "firm", carol, paths(folders...)) }
	w.refused(set(), fs.ErrInvalid, "at least one")
	w.refused(set("/firm/HR"), fs.ErrNotExist, "")
	w.ok(set("/firm/Clients/Acme", "/firm/Clients/Beta", "/firm/Clients/Acme/2025"))
	if got := w.contact("firm", carol).Folders; !slices.Equal(got, paths("/firm/Clients/Acme", "/firm/Clients/Beta")) {
		t.Fatalf("the folders are %v", got)
	}
	w.share("ann", "/firm/Clients/Acme", carol, sharing.Read)
	w.share("ann", "/firm/Clients/Acme/2025", carol, sharing.Edit)
	w.share("ann", "/firm/Clients/Beta", carol, sharing.Read)
	w.mails(carol)
	end, err := w.sh.Outside(ctx, w.by("ann"), "firm", carol, paths("/firm/Clients/Acme/2025"))
	w.ok(err)
	if len(end) != 2 || end[0].Name+end[1].Name != "BetaAcme" && end[0].Name+end[1].Name != "AcmeBeta" {
		t.Fatalf("would end: %+v", end)
	}
	w.wantSees(me, "2025", "Acme", "Beta")
	w.ok(set("/firm/Clients/Acme/2025"))
	w.wantSees(me, "2025")
	w.wantMails(carol, notify.Stopped, notify.Stopped)
}

// Somebody who does not see all folders of a contact changes those alone that
// they see.
func TestFoldersThatAreNotSeenStay(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	w.ok(w.sh.OpenAccess(ctx, w.by("ann"), "firm", carol, paths("/firm/Clients/Acme", "/firm/Clients/Beta")))
	v, err := w.sh.Contact(ctx, w.by("sam"), "firm", carol)
	w.ok(err)
	if !slices.Equal(v.Contact.Folders, paths("/firm/Clients/Beta")) || v.Hidden != 1 || !v.Manage {
		t.Fatalf("sam sees %+v", v)
	}
	w.ok(w.sh.SetFolders(ctx, w.by("sam"), "firm", carol, paths("/firm/Clients/Beta/In")))
	if got := w.contact("firm", carol).Folders; !slices.Equal(got, paths("/firm/Clients/Acme", "/firm/Clients/Beta/In")) {
		t.Fatalf("the folders are %v", got)
	}
	_, err = w.sh.Share(ctx, w.by("sam"), sharing.ShareWish{Items: paths("/firm/Clients/Beta"), To: []string{carol}, Mode: sharing.Read})
	w.refused(err, fs.ErrPermission, "in /Clients/Beta/In, folders that you do not see")
}
