package client_test

import (
	"strings"
	"testing"

	"portico/internal/portaltest"
	"portico/sharing"
	"portico/vpath"
)

// TestNothingOfTheFirmShows opens each page of a customer, in each language, and
// errors too: no name of a folder above, of staff but who shared, or of another
// customer is on it, nor in its headers.
func TestNothingOfTheFirmShows(t *testing.T) {
	t.Parallel()
	f := newFirm(t)
	f.Join(carol, "Carol Jones", portaltest.Acme())
	f.Join(dave, "Dave Canaryother", portaltest.Acme())
	share := func(to, mode string, p vpath.Path, ask bool) string {
		return f.Share(sharing.ShareWish{Items: []vpath.Path{p}, To: []string{to}, Mode: mode, Ask: ask}).ID
	}
	all := share(carol, sharing.Edit, portaltest.Acme(), false)
	file := share(carol, sharing.Read, portaltest.Acme("letter.txt"), false)
	offer := share(carol, sharing.Read, portaltest.Acme("2026", "accounts.txt"), true)
	deeds := share(dave, sharing.Edit, portaltest.Acme(), false)
	f.As(dave).Upload("/portal/s/"+deeds+"/2026/", "file", "davesown.txt", "x").Want(t, "dave sends", 303)
	b := f.As(carol)
	b.Upload("/portal/s/"+all+"/", "file", "mine.txt", "x").Want(t, "carol sends", 303)
	if err := f.Read("bob", portaltest.Acme("mine.txt")); err != nil { // opened by somebody who shared nothing
		t.Fatal(err)
	}
	receipt := receiptOf(t, b.Get("/portal/deposits"))
	secret := []string{portaltest.Above, portaltest.Sibling, "Canaryother", dave, "Eve Claes", "Ruth", "/firm", "user:ann", "user:bob", portaltest.Stranger}
	paths := []string{
		"/portal/", "/portal/s/" + all + "/", "/portal/s/" + all, "/portal/s/" + all + "/2026/", "/portal/s/" + all + "/mine.txt", "/portal/s/" + all + "/nothing.txt",
		"/portal/s/" + all + "/../", "/portal/s/" + all + "/%2e%2e/", "/portal/s/" + all + "/%2e%2e%2fx", "/portal/s/" + all + "/a%00b", "/portal/s/" + file, "/portal/s/" + file + "/", "/portal/s/" + file + "/x",
		"/portal/s/" + offer, "/portal/s/" + deeds + "/", "/portal/raw/" + all + "/", "/portal/raw/" + all + "/letter.txt", "/portal/raw/" + all + "/nothing", "/portal/zip/" + all + "/",
		"/portal/zip/" + all + "/nothing/", "/portal/deposits", "/portal/receipts/" + receipt, "/portal/receipts/" + receipt + ".txt", "/portal/receipts/nothing",
		"/portal/account", "/portal/mount", "/notices", "/verify", "/files/", "/contacts", "/contacts/firm/" + dave,
	}
	for _, language := range []string{"en", "nl", "fr", "sv", "de"} {
		b.Language = language
		for _, path := range paths {
			got := b.Get(path)
			if got.Status >= 500 {
				t.Errorf("%s in %s: %d", path, language, got.Status)
			}
			got.Lacks(t, path+" in "+language, secret...)
		}
	}
	b.Language = ""
	for _, got := range []portaltest.Answer{
		b.Upload("/portal/s/"+file, "file", "x", "x"), b.Upload("/portal/s/"+file+"/", "file", "x", "x"), b.Upload("/portal/s/"+all+"/", "file", strings.Repeat("x", 300), "x"),
		b.Upload("/portal/s/"+all+"/nothing/", "file", "x.txt", "x"), b.Send("/portal/s/"+all+"/", "file", "x"), b.Send("/portal/offers/"+deeds, "answer", "accept"),
	} {
		got.Lacks(t, "a refused form", secret...)
		if got.Status == 303 {
			b.Follow(got).Lacks(t, "after a refused form", secret...)
		}
		if got.Status >= 500 {
			t.Errorf("a refused form: %d", got.Status)
		}
	}
}

// TestFirmsApart groups what two firms share, each under its own name.
func TestFirmsApart(t *testing.T) {
	t.Parallel()
	f := newFirm(t)
	f.Join(carol, "Carol", portaltest.Acme())
	f.Share(sharing.ShareWish{Items: []vpath.Path{portaltest.Acme()}, To: []string{carol}, Mode: sharing.Read})
	b := f.As(carol)
	one := b.Get("/portal/deposits")
	one.Want(t, "one firm", 200, "Peeters & Co")
	f.Invite(carol, vpath.Must("/notary/Deeds"))
	f.Share(sharing.ShareWish{Items: []vpath.Path{vpath.Must("/notary/Deeds")}, To: []string{carol}, Mode: sharing.Edit})
	b = f.As(carol)
	home := b.Get("/portal/")
	home.Want(t, "two firms", 200, "Peeters & Co", "Notary Claes", "Acme", "Deeds", "Send documents to Deeds")
	if strings.Index(home.Text, "Notary Claes") > strings.Index(home.Text, "Deeds") {
		t.Error("what the notary shares stands before its name")
	}
	b.Get("/portal/deposits").Lacks(t, "of no one firm", "Peeters", "Notary")
}

// TestOddNames shows names with tags, quotes, line ends and marks of direction as
// what they are.
func TestOddNames(t *testing.T) {
	t.Parallel()
	f := newFirm(t)
	f.Join(carol, `Carol "<img src=x onerror=alert(1)>"`, portaltest.Acme())
	name := `<script"' &amp; ` + "\u05d0\u05d1.exe"
	f.Write("ann", portaltest.Acme().String()+"/"+name, "x")
	g := f.Share(sharing.ShareWish{
		Items: []vpath.Path{portaltest.Acme()}, To: []string{carol}, Mode: sharing.Edit, Message: "<script>alert(2)</script>\nsecond line",
	})
	b := f.As(carol)
	for _, path := range []string{"/portal/", "/portal/s/" + g.ID + "/", "/portal/account", "/portal/s/" + g.ID + "/" + vpath.Must("/" + name).Escaped()[1:]} {
		got := b.Get(path)
		if got.Status != 200 {
			t.Errorf("%s: %d", path, got.Status)
		}
		for _, bad := range []string{"<script>alert", "<img src=x", `<script"`} {
			if strings.Contains(got.Text, bad) {
				t.Errorf("%s has %q as markup", path, bad)
			}
		}
	}
}

// TestOwnPages are preferences, notices and the drive.
func TestOwnPages(t *testing.T) {
	t.Parallel()
	f := newFirm(t)
	f.Join(carol, "Carol", portaltest.Acme())
	f.Share(sharing.ShareWish{Items: []vpath.Path{portaltest.Acme()}, To: []string{carol}, Mode: sharing.Read})
	b := f.As(carol)
	b.Get("/portal/").Want(t, "unread", 200, "1 unread")
	b.Get("/notices").Want(t, "notices", 200, "shared “Acme”", "Mark all as read")
	b.Follow(b.Send("/notices")).Lacks(t, "read", "Mark all as read", "1 unread")

	b.Get("/portal/account").Want(t, "account", 200, "Send me a mail when", "A receipt for each document", carol)
	b.Get("/account").Want(t, "the staff's account", 303)
	b.Follow(b.Send("/account/preferences", "language", "nl", "theme", "dark", "mail", "shared", "role", "owner", "owner", "user:root")).
		Want(t, "in Dutch", 200, `lang="nl"`, `data-theme="dark"`, "Uw keuzes zijn opgeslagen")
	who, _, err := f.State.AccountByMail(t.Context(), carol)
	if err != nil {
		t.Fatal(err)
	}
	kept, err := f.State.PreferencesOf(t.Context(), "contact:"+who.ID)
	if err != nil || kept.Language != "nl" || strings.Join(kept.Muted, " ") != "offered stopped ending receipt opened" {
		t.Errorf("kept %+v (%v)", kept, err)
	}
	b.Send("/account/preferences", "language", "xx").Want(t, "no such language", 422)
	ann := f.As("ann")
	ann.Follow(ann.Send("/account/preferences", "language", "sv", "mail", "deposited")).Want(t, "staff in Swedish", 200, `lang="sv"`)

	b.Send("/account/preferences", "language", "en").Want(t, "back to English", 303)
	drive := b.Get("/portal/mount")
	drive.Want(t, "drive", 200, "/dav/shared", "Make app password", `href="/mount"`)
	drive.Lacks(t, "drive", "Workspace", "workspaces")
	made := b.Send("/account/passwords", "name", "Laptop", "expires", "1y", "read_only", "yes")
	made.Want(t, "app password", 200, "It opens what is shared with you, to read", "/dav/shared", `href="/portal/mount"`)
	b.Send("/account/passwords", "name", "x", "expires", "1y", "workspace", "firm").Want(t, "a workspace of the firm", 422)
	list := b.Get("/portal/mount")
	list.Want(t, "list", 200, "Laptop", "To read only")
	_, rest, _ := strings.Cut(list.Text, "/account/passwords/")
	id, _, _ := strings.Cut(rest, "/")
	if got := b.Send("/account/passwords/" + id + "/revoke"); got.Header.Get("Location") != "/portal/mount" {
		t.Errorf("revoking leads to %q", got.Header.Get("Location"))
	}
}
