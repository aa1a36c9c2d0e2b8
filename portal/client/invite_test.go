package client_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"portico/internal/portaltest"
	"portico/sharing"
	"portico/vpath"
)

// TestInvitation follows an invitation from the mail to the start page: THREATS.md
// rows 65 and 71.
func TestInvitation(t *testing.T) {
	t.Parallel()
	f := newFirm(t)
	f.Join(dave, "Dave Brown", portaltest.Acme("2026"))
	at := "/invite/" + f.Invite(carol, portaltest.Acme())
	b := f.Browser()
	page := b.Get(at)
	page.Want(t, "page", 200, "Peeters & Co shares documents with you", "Ann Peeters has invited you", carol, "19 March 2027")
	page.Lacks(t, "page", portaltest.Above, portaltest.Sibling, portaltest.Stranger, dave, "Dave")
	if got := page.Header.Get("Referrer-Policy"); got != "no-referrer" {
		t.Errorf("Referrer-Policy %q: the secret is in the address", got)
	}

	b.Send(at, "name", "Carol", "password", "short").Want(t, "a short password", 422, "It needs at least 12 characters")
	b.Send(at, "name", "Carol", "password", "aaaaaaaaaaaaaaaa").Want(t, "a common password", 422, "Attackers try this one first")
	kept := b.Send(at, "name", "", "password", portaltest.Password)
	kept.Want(t, "no name", 422, "Type your name.")

	// Row 65: neither a customer of another address nor staff can use it.
	for _, other := range []string{dave, "ann"} {
		o := f.As(other)
		o.Get(at).Want(t, other+" looks", 200, "This invitation is for "+carol)
		o.Send(at, "name", "Mallory", "password", portaltest.Password).Want(t, other+" accepts", 403)
		o.Send(at).Want(t, other+" accepts without a form", 403)
	}

	// Row 71: whoever accepts chooses a name and a password, and nothing else.
	done := b.Send(
		at, "name", "Carol Jones", "password", portaltest.Password, "mail", "root@firm.example", "username", "root", "id", "user:root",
		"role", "owner", "folders", "/firm", "workspace", "notary", "state", "active", "isAdmin", "true", "groups", "admins",
	)
	done.Want(t, "accept", 303)
	if to := done.Header.Get("Location"); to != "/portal/" {
		t.Errorf("accepting leads to %q", to)
	}
	b.Follow(done).Want(t, "start", 200, "Nothing is shared with you yet", "Welcome, Carol Jones")
	contact, _, err := f.State.ContactByMail(t.Context(), "firm", carol)
	if err != nil || len(contact.Folders) != 1 || contact.Folders[0] != portaltest.Acme() {
		t.Errorf("the contact has the folders %v (%v)", contact.Folders, err)
	}
	if _, found, _ := f.State.ContactByMail(t.Context(), "notary", carol); found {
		t.Error("the form has made a contact of another workspace")
	}
	b.Get("/files/").Want(t, "the staff's pages", 404) // no such room here
	b.Get("/contacts").Want(t, "the staff's contacts", 404)

	again := f.Browser().Get(at)
	again.Want(t, "used", http.StatusGone, "This link has ended", "Ask who invited you")
	again.Lacks(t, "used", carol, "Carol")
	f.Browser().Send(at, "name", "Mallory", "password", "another long password").Want(t, "used twice", http.StatusGone)
	f.As(carol) // with the password of the first time
}

// TestInvitationEnds wants it good for seven days and no second more: THREATS.md
// row 65.
func TestInvitationEnds(t *testing.T) {
	t.Parallel()
	f := newFirm(t)
	at := "/invite/" + f.Invite(carol, portaltest.Acme())
	f.Pass(7*24*time.Hour - time.Second)
	f.Browser().Get(at).Want(t, "a second before", 200)
	f.Pass(2 * time.Second)
	f.Browser().Get(at).Want(t, "a second after", http.StatusGone, "Ask who invited you for a new invitation")
	f.Browser().Send(at, "name", "Carol", "password", portaltest.Password).Want(t, "accept after", http.StatusGone)
	f.Browser().Get("/invite/gwi_"+strings.Repeat("x", 43)).Want(t, "one that never was", 404, "This link is not known")
}

// TestInvitationWithPassword has somebody who has one sign in to accept.
func TestInvitationWithPassword(t *testing.T) {
	t.Parallel()
	f := newFirm(t)
	f.Join(carol, "Carol", portaltest.Acme())
	at := "/invite/" + f.Invite(carol, vpath.Must("/notary/Deeds"))
	b := f.Browser()
	page := b.Get(at)
	page.Want(t, "page", 200, "You have a password already", "/login?next="+url.QueryEscape(at))
	page.Lacks(t, "page", `type="password"`)
	b.Send(at, "name", "Mallory", "password", "another long password").Want(t, "a new password", 303)
	if got := f.Browser().Send("/login", "name", carol, "password", "another long password"); got.Status == 303 {
		t.Fatal("an invitation has set a new password for somebody who had one")
	}
	in := b.Send("/login", "name", carol, "password", portaltest.Password, "next", at)
	if in.Header.Get("Location") != at {
		t.Fatalf("sign-in leads to %q", in.Header.Get("Location"))
	}
}

// TestSignedInLands sends each kind of person to their own pages.
func TestSignedInLands(t *testing.T) {
	t.Parallel()
	f := newFirm(t)
	f.Join(carol, "Carol", portaltest.Acme())
	for who, want := range map[string]string{"ann": "/files/", carol: "/portal/"} {
		if got := f.Browser().Send("/login", "name", who, "password", portaltest.Password); got.Header.Get("Location") != want {
			t.Errorf("%s lands on %q, want %q", who, got.Header.Get("Location"), want)
		}
	}
	ann := f.As("ann")
	for _, path := range []string{"/portal/", "/portal/deposits", "/portal/s/x/"} {
		if got := ann.Get(path); got.Status != 303 || got.Header.Get("Location") != "/files/" {
			t.Errorf("staff at %s: %d %q", path, got.Status, got.Header.Get("Location"))
		}
	}
	f.Browser().Get("/login").Want(t, "sign-in page", 200, `href="/reset"`)
}

// TestReset is THREATS.md row 64.
func TestReset(t *testing.T) {
	t.Parallel()
	f := newFirm(t)
	f.Join(carol, "Carol", portaltest.Acme())
	f.Invite(dave, portaltest.Acme())
	old := f.As(carol)
	b := f.Browser()
	b.Get("/reset").Want(t, "form", 200, "Type your mail address")
	b.Send("/reset", "mail", "carol").Want(t, "no address", 422)

	known := b.Send("/reset", "mail", carol)
	known.Want(t, "known", 200, "Check your mail")
	for _, who := range []string{"nobody@acme.example", dave, "ann@firm.example"} { // unknown, not accepted yet, staff
		got := b.Send("/reset", "mail", who)
		if strings.ReplaceAll(got.Text, who, carol) != known.Text || got.Status != known.Status {
			t.Errorf("the answer for %s is another:\n%s\n%s", who, got.Words(), known.Words())
		}
	}
	if s := f.Secret("nobody@acme.example") + f.Secret("ann@firm.example"); s != "" {
		t.Errorf("a mail has gone out: %s", s)
	}

	at := "/reset/" + f.Secret(carol)
	page := b.Get(at)
	page.Want(t, "page", 200, carol, `autocomplete="new-password"`)
	b.Send(at, "password", "short").Want(t, "short", 422, "It needs at least 12 characters")
	const fresh = "eleven red kites dive"
	b.Follow(b.Send(at, "password", fresh, "mail", dave, "role", "owner")).Want(t, "done", 200, "Your password is changed")
	f.Browser().Get(at).Want(t, "twice", http.StatusGone, "Ask for a new one")
	f.Browser().Send(at, "password", portaltest.Password).Want(t, "set twice", http.StatusGone)
	old.Get("/portal/").Want(t, "row 62: the session of before", 303)
	if got := f.Browser().Send("/login", "name", carol, "password", portaltest.Password); got.Status == 303 {
		t.Error("the old password still signs in")
	}

	b.Send("/reset", "mail", carol)
	late := "/reset/" + f.Secret(carol)
	f.Pass(30*time.Minute + time.Second)
	f.Browser().Get(late).Want(t, "after half an hour", http.StatusGone)
}

// TestResetThrottled wants guesses at secrets slowed down: THREATS.md row 64.
func TestResetThrottled(t *testing.T) {
	t.Parallel()
	f := newFirm(t)
	b := f.Browser()
	last := 0
	for range 40 {
		got := b.Get("/reset/gwr_" + strings.Repeat("a", 43))
		if last = got.Status; last == http.StatusTooManyRequests {
			if got.Header.Get("Retry-After") == "" {
				t.Error("429 without Retry-After")
			}
			return
		}
		if last != http.StatusNotFound {
			t.Fatalf("a guess: %d", last)
		}
	}
	t.Errorf("after 40 guesses the answer is %d", last)
}

// TestPassword changes it from the account's page: THREATS.md row 62.
func TestPassword(t *testing.T) {
	t.Parallel()
	f := newFirm(t)
	f.Join(carol, "Carol", portaltest.Acme())
	stolen, b := f.As(carol), f.As(carol)
	const fresh = "eleven red kites dive"
	b.Send("/portal/account/password", "old", "wrong", "new", fresh).Want(t, "wrong old", 403, "This is not your current password.")
	b.Send("/portal/account/password", "old", portaltest.Password, "new", "short").Want(t, "short", 422, "It needs at least 12 characters")
	b.Follow(b.Send("/portal/account/password", "old", portaltest.Password, "new", fresh)).Want(t, "changed", 200, "Your password is changed")
	b.Get("/portal/").Want(t, "this browser goes on", 200)
	stolen.Get("/portal/").Want(t, "a copied cookie", 303)
	out := f.Browser()
	out.Send("/login", "name", carol, "password", fresh).Want(t, "new password", 303)
	out.Send("/logout").Want(t, "logout", 303)
	out.Get("/portal/").Want(t, "after logout", 303)
}

// TestClosedDoor wants a customer out at once everywhere: THREATS.md row 62.
func TestClosedDoor(t *testing.T) {
	t.Parallel()
	f := newFirm(t)
	f.Join(carol, "Carol", portaltest.Acme())
	g := f.Share(sharing.ShareWish{Items: []vpath.Path{portaltest.Acme()}, To: []string{carol}, Mode: sharing.Read})
	b := f.As(carol)
	b.Get("/portal/s/"+g.ID+"/").Want(t, "before", 200)
	if err := f.Sharing.CloseAccess(t.Context(), f.By("ann"), "firm", carol, true); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/portal/", "/portal/s/" + g.ID + "/", "/portal/raw/" + g.ID + "/letter.txt", "/portal/deposits", "/portal/mount", "/notices"} {
		b.Get(path).Want(t, "after, "+path, 303)
	}
	if got := f.Browser().Send("/login", "name", carol, "password", portaltest.Password); got.Status == 303 {
		t.Error("somebody whose access is closed has signed in")
	}
	f.Browser().Send("/reset", "mail", carol).Want(t, "reset", 200)
	if s := f.Secret(carol); strings.HasPrefix(s, "gwr_") {
		t.Error("a closed account got a mail for a new password")
	}
}
