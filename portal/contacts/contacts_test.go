package contacts_test

import (
	"regexp"
	"strings"
	"testing"

	"portico/internal/portaltest"
	"portico/sharing"
	"portico/vpath"
)

// at is carol's page.
const at = "/contacts/firm/" + carol

// TestOpenAndClose follows a contact from the card to the closed door.
func TestOpenAndClose(t *testing.T) {
	t.Parallel()
	f := newFirm(t, true)
	ann := f.As("ann")
	ann.Get("/contacts").Want(t, "nobody yet", 200, "No contacts yet", "Add a contact")
	made := ann.Send("/contacts", "workspace", "firm", "mail", "Carol@Acme.example", "name", "Carol Jones", "organisation", "Acme", "language", "nl", "state", "active", "folders", "/firm")
	ann.Follow(made).Want(t, "card", 200, "Carol Jones", carol, "Acme", "No access", "Open access")

	chooser := ann.Get(at + "/folders")
	chooser.Want(t, "chooser", 200, "Open access for Carol Jones", portaltest.Above)
	down := ann.Send(at+"/folders", "here", "/firm", "at", "/firm/"+portaltest.Above)
	down.Want(t, "a level down", 200, "Acme", portaltest.Sibling)
	nothing := ann.Send(at+"/folders", "here", "/firm", "do", "save")
	nothing.Want(t, "nothing chosen", 422, "Choose at least one folder")
	opened := ann.Send(at+"/folders", "here", "/firm/"+portaltest.Above, "folder", portaltest.Acme().String(), "do", "save")
	ann.Follow(opened).Want(t, "opened", 200, "Invited", portaltest.Above+"/Acme", "An invitation is on its way", "Send again", "Close access")
	ann.Get("/contacts?w=firm").Want(t, "list", 200, "Carol Jones", "Invited")
	ann.Get("/contacts?w=firm&q=jones+acme").Want(t, "search", 200, "Carol Jones")
	ann.Get("/contacts?w=firm&q=nobody").Want(t, "search for nobody", 200, "Nobody is found")

	first := f.Secret(carol)
	f.Pass(2 * 60e9)
	ann.Follow(ann.Send(at+"/invite")).Want(t, "again", 200, "A new invitation is on its way")
	f.Browser().Get("/invite/"+first).Want(t, "the first invitation", 410)
	carols := f.Browser()
	carols.Send("/invite/"+f.Secret(carol), "name", "Carol", "password", portaltest.Password).Want(t, "accept", 303)

	f.Share(sharing.ShareWish{Items: []vpath.Path{portaltest.Acme()}, To: []string{carol}, Mode: sharing.Edit})
	page := ann.Get(at)
	page.Want(t, "active", 200, "Active", "Shared with them", "may edit and deposit", "1 share ends at once")
	carols.Get("/portal/").Want(t, "before the door closes", 200, "Acme")
	ann.Follow(ann.Send(at+"/close", "tell", "yes")).Want(t, "closed", 200, "Closed", "is closed", "Open access")
	carols.Get("/portal/").Want(t, "after the door closed", 303)
}

// TestFoldersAsk wants a sentence that counts what ends before it does.
func TestFoldersAsk(t *testing.T) {
	t.Parallel()
	f := newFirm(t, true)
	f.Join(carol, "Carol", portaltest.Acme(), vpath.Must("/firm/"+portaltest.Above+"/"+portaltest.Sibling))
	f.Share(sharing.ShareWish{Items: []vpath.Path{portaltest.Acme("letter.txt")}, To: []string{carol}, Mode: sharing.Read})
	ann := f.As("ann")
	only := []string{"here", "/firm", "folder", "/firm/" + portaltest.Above + "/" + portaltest.Sibling, "do", "save"}
	asked := ann.Send(at+"/folders", only...)
	asked.Want(t, "asked", 200, "1 share lies outside these folders", "letter.txt", "Keep the folders and end 1 share")
	f.As(carol).Get("/portal/").Want(t, "not yet", 200, "letter.txt")
	ann.Follow(ann.Send(at+"/folders", append(only, "sure", "yes")...)).Want(t, "kept", 200, "The folders are kept", portaltest.Sibling)
	f.As(carol).Get("/portal/").Lacks(t, "ended", "letter.txt")
}

// TestStop ends what is chosen.
func TestStop(t *testing.T) {
	t.Parallel()
	f := newFirm(t, true)
	f.Join(carol, "Carol", portaltest.Acme())
	g := f.Share(sharing.ShareWish{Items: []vpath.Path{portaltest.Acme("letter.txt")}, To: []string{carol}, Mode: sharing.Read})
	ann := f.As("ann")
	ann.Follow(ann.Send(at+"/stop")).Want(t, "nothing", 200, "Nothing is chosen", "letter.txt")
	ann.Follow(ann.Send(at+"/stop", "share", g.ID, "tell", "yes")).Want(t, "stopped", 200, "1 share is stopped")
	f.As(carol).Get("/portal/s/"+g.ID).Want(t, "gone", 404)
}

// TestNoMail shows the invitation's address where no mail takes it there, and
// nowhere else.
func TestNoMail(t *testing.T) {
	t.Parallel()
	f := newFirm(t, false)
	ann := f.As("ann")
	ann.Send("/contacts", "workspace", "firm", "mail", carol).Want(t, "card", 303)
	ann.Follow(ann.Send(at+"/folders", "folder", portaltest.Acme().String(), "do", "save")).Want(t, "opened", 200, "Make an invitation link")
	shown := ann.Send(at + "/invite")
	shown.Want(t, "link", 200, "This server sends no mail", "/invite/gwi_")
	link := regexp.MustCompile(`/invite/gwi_[\w-]+`).FindString(shown.Text)
	ann.Get(at).Lacks(t, "the page again", "gwi_")
	f.Browser().Get(link).Want(t, "the link", 200, "Choose a password")
	f.Browser().Send(link, "name", "Carol", "password", portaltest.Password).Want(t, "accept", 303)
	f.Browser().Get(link).Want(t, "used", 410)
}

// TestWho keeps contacts from those who are not theirs.
func TestWho(t *testing.T) {
	t.Parallel()
	f := newFirm(t, true)
	f.Join(carol, "Carol Jones", portaltest.Acme())
	for _, path := range []string{"/contacts", "/contacts?w=firm", at, at + "/folders"} {
		f.As(carol).Get(path).Want(t, "a customer at "+path, 404)
		if got := f.Browser().Get(path); got.Status != 303 || !strings.HasPrefix(got.Header.Get("Location"), "/login?next=") {
			t.Errorf("nobody at %s: %d %s", path, got.Status, got.Header.Get("Location"))
		}
	}
	eve := f.As("eve") // reads, and shares nothing
	eve.Get("/contacts?w=firm").Want(t, "a reader", 403)
	got := eve.Get(at)
	got.Want(t, "a reader at a contact", 404)
	got.Lacks(t, "a reader at a contact", "Carol Jones")
	eve.Send(at+"/close", "tell", "yes").Want(t, "a reader closes", 404)
	f.As("ann").Get("/contacts?w=nowhere").Want(t, "no such workspace", 404)
	f.As("ann").Get("/contacts/firm/nobody@acme.example").Want(t, "no such contact", 404)
	f.As(carol).Get("/portal/").Want(t, "carol is still in", 200)
}

// TestBar shows the way to the contacts to who may open them alone.
func TestBar(t *testing.T) {
	t.Parallel()
	f := newFirm(t, true)
	const way = `href="/contacts/"`
	for login, may := range map[string]bool{"ann": true, "bob": true, "root": true, "eve": false} {
		b := f.As(login)
		page := b.Get("/account")
		list := b.Get("/contacts/")
		switch {
		case may:
			list.Want(t, login+"'s contacts", 200)
			page.Want(t, login+"'s bar", 200, way)
		default:
			list.Want(t, login+"'s contacts", 403)
			page.Want(t, login+"'s bar", 200)
			page.Lacks(t, login+"'s bar", way)
			list.Lacks(t, login+"'s bar", way)
		}
	}
}
