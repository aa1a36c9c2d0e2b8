package client_test

import (
	"html"
	"regexp"
	"strings"
	"testing"
	"time"

	"portico/internal/portaltest"
	"portico/sharing"
	"portico/vpath"
)

var receiptHref = regexp.MustCompile(`/portal/receipts/([a-z0-9]+)"`)

// receiptOf is the ID of the newest receipt on a page.
func receiptOf(t *testing.T, a portaltest.Answer) string {
	t.Helper()
	m := receiptHref.FindStringSubmatch(a.Text)
	if m == nil {
		t.Fatalf("there is no receipt on the page: %s", a.Words())
	}
	return m[1]
}

// TestDeposit follows a document from the form to the receipt, the proof and the
// moment when it can be taken back no more.
func TestDeposit(t *testing.T) {
	t.Parallel()
	f := newFirm(t)
	f.Join(carol, "Carol Jones", portaltest.Acme())
	f.Join(dave, "Dave Brown", portaltest.Acme())
	g := f.Share(sharing.ShareWish{Items: []vpath.Path{portaltest.Acme()}, To: []string{carol}, Mode: sharing.Edit})
	f.Share(sharing.ShareWish{Items: []vpath.Path{portaltest.Acme()}, To: []string{dave}, Mode: sharing.Edit})
	at := "/portal/s/" + g.ID + "/"
	b := f.As(carol)
	b.Get("/portal/").Want(t, "start", 200, "Send documents to Acme", `action="`+at+`"`, `enctype="multipart/form-data"`)
	b.Get("/portal/deposits").Want(t, "nothing sent", 200, "You have sent nothing yet")

	b.Follow(b.Upload(at, "file", "bank.txt", "money", "file", `<b>"tax".txt`, "taxes")).Want(t, "sent", 200, "2 documents sent", "bank.txt", `<b>"tax".txt`, "sent by you", "Take back")
	b.Follow(b.Upload(at, "file", "bank.txt", "more money")).Want(t, "same name", 200, "1 document sent", "bank (2).txt")
	b.Follow(b.Upload(at)).Want(t, "nothing chosen", 200, "No document was chosen.")
	b.Follow(b.Upload(at, "file", "../../up.txt", "x")).Lacks(t, "a way up", portaltest.Above)

	list := b.Get("/portal/deposits")
	list.Want(t, "list", 200, "bank.txt", "bank (2).txt", "Not opened yet", "Take back", "Acme")
	f.As(dave).Get("/portal/deposits").Lacks(t, "another's list", "bank")

	id := receiptOf(t, list)
	page := b.Get("/portal/receipts/" + id)
	page.Want(t, "receipt", 200, id, "SHA-256", "Portico receipt 1", "Carol Jones <carol@acme.example>", "/portal/receipts/"+id+".txt")
	plain := b.Get("/portal/receipts/" + id + ".txt")
	plain.Want(t, "text", 200, "Portico receipt 1", "Signature: ")
	if got := plain.Header.Get("Content-Disposition"); !strings.Contains(got, "receipt-"+id+".txt") {
		t.Errorf("Content-Disposition: %q", got)
	}
	for _, path := range []string{"/portal/receipts/" + id, "/portal/receipts/" + id + ".txt"} {
		f.As(dave).Get(path).Want(t, "another's receipt", 404)
	}
	f.As(dave).Send("/portal/deposits/"+id+"/back").Want(t, "another takes it back", 404)

	b.Follow(b.Send("/portal/deposits/"+id+"/back", "to", at)).Want(t, "taken back", 200, "was taken back")
	b.Get("/portal/deposits").Want(t, "the receipt stays", 200, "Taken back", id)
	b.Get("/portal/receipts/"+id).Want(t, "the receipt stays", 200)
	if got := b.Send("/portal/deposits/"+id+"/back", "to", "//evil.example/portal/s/").Header.Get("Location"); got != "/portal/deposits" {
		t.Errorf("taking back leads to %q", got)
	}
}

// TestTakeBackEnds wants it over once staff have opened it.
func TestTakeBackEnds(t *testing.T) {
	t.Parallel()
	f := newFirm(t)
	f.Join(carol, "Carol", portaltest.Acme())
	g := f.Share(sharing.ShareWish{Items: []vpath.Path{portaltest.Acme()}, To: []string{carol}, Mode: sharing.Edit})
	b := f.As(carol)
	b.Upload("/portal/s/"+g.ID+"/", "file", "bank.txt", "money").Want(t, "sent", 303)
	id := receiptOf(t, b.Get("/portal/deposits"))
	if err := f.Read("ann", portaltest.Acme("bank.txt")); err != nil {
		t.Fatal(err)
	}
	list := b.Get("/portal/deposits")
	list.Want(t, "opened", 200, "Opened today")
	list.Lacks(t, "opened", "Take it back")
	b.Follow(b.Send("/portal/deposits/"+id+"/back")).Want(t, "too late", 200, "cannot be taken back any more", "bank.txt")
	b.Get("/portal/s/"+g.ID+"/bank.txt").Want(t, "it is there", 200, "money")
	b.Follow(b.Send("/portal/deposits/"+receiptOf(t, list)+"/back")).Want(t, "still", 200)
}

// TestOpenedByAnother does not take another customer for the firm.
func TestOpenedByAnother(t *testing.T) {
	t.Parallel()
	f := newFirm(t)
	f.Join(carol, "Carol", portaltest.Acme())
	f.Join(dave, "Dave", portaltest.Acme())
	g := f.Share(sharing.ShareWish{Items: []vpath.Path{portaltest.Acme()}, To: []string{carol}, Mode: sharing.Edit})
	his := f.Share(sharing.ShareWish{Items: []vpath.Path{portaltest.Acme()}, To: []string{dave}, Mode: sharing.Read})
	b := f.As(carol)
	b.Upload("/portal/s/"+g.ID+"/", "file", "bank.txt", "money").Want(t, "sent", 303)
	f.As(dave).Get("/portal/s/"+his.ID+"/bank.txt").Want(t, "dave looks", 200, "money")
	list := b.Get("/portal/deposits")
	list.Want(t, "opened by dave", 200, "Opened by somebody else, not yet by the firm")
	list.Lacks(t, "opened by dave", "Take it back")
	list.Lacks(t, "opened by dave", "Dave")
	if err := f.Read("ann", portaltest.Acme("bank.txt")); err != nil {
		t.Fatal(err)
	}
	b.Get("/portal/deposits").Want(t, "opened by ann", 200, "Opened today")
}

// TestNewVersion replaces a document where editing is allowed, and no version that
// its sender has not seen.
func TestNewVersion(t *testing.T) {
	t.Parallel()
	f := newFirm(t)
	f.Join(carol, "Carol", portaltest.Acme())
	g := f.Share(sharing.ShareWish{Items: []vpath.Path{portaltest.Acme("letter.txt")}, To: []string{carol}, Mode: sharing.Edit})
	b := f.As(carol)
	page := b.Get("/portal/s/" + g.ID)
	page.Want(t, "page", 200, "Dear Acme", "Send a new version")
	m := regexp.MustCompile(`action="([^"]+\?version=[^"]+)"`).FindStringSubmatch(page.Text)
	if m == nil {
		t.Fatalf("no form for a new version: %s", page.Words())
	}
	action := html.UnescapeString(m[1])
	b.Follow(b.Upload(action, "file", "my own name.txt", "Dear Ann")).Want(t, "replaced", 200, "The new version is there", "Dear Ann", "letter.txt")
	b.Follow(b.Upload(action, "file", "letter.txt", "late")).Want(t, "stale", 200, "This has changed meanwhile", "Dear Ann")
	b.Follow(b.Upload(action, "file", "", "")).Want(t, "nothing", 200, "No document was chosen.")
	if got := len(regexp.MustCompile(`/portal/receipts/`).FindAllString(b.Get("/portal/deposits").Text, -1)); got != 1 {
		t.Errorf("%d receipts for one version", got)
	}

	read := f.Share(sharing.ShareWish{Items: []vpath.Path{portaltest.Acme("2026")}, To: []string{carol}, Mode: sharing.Read})
	b.Get("/portal/s/"+read.ID+"/accounts.txt").Lacks(t, "read only", "Send a new version")
	b.Upload("/portal/s/"+read.ID+"/accounts.txt", "file", "accounts.txt", "forged").Want(t, "read only", 303)
	b.Get("/portal/s/"+read.ID+"/accounts.txt").Want(t, "unchanged", 200, "figures")
}

// TestInbox is a blind drop of two people: each sees their own receipts and
// nothing else.
func TestInbox(t *testing.T) {
	t.Parallel()
	f := newFirm(t)
	f.Join(carol, "Carol Jones", portaltest.Acme())
	f.Join(dave, "Dave Brown", portaltest.Acme())
	ids := map[string]string{}
	for _, who := range []string{carol, dave} {
		g := f.Share(sharing.ShareWish{Items: []vpath.Path{portaltest.Acme()}, To: []string{who}, Mode: sharing.Deposit})
		ids[who] = g.ID
	}
	c, d := f.As(carol), f.As(dave)
	c.Get("/portal/").Want(t, "start", 200, "You can send documents here", "Send documents to Acme")
	empty := c.Get("/portal/s/" + ids[carol] + "/")
	empty.Want(t, "inbox", 200, "What you sent here", "Nothing yet")
	empty.Lacks(t, "inbox", "letter.txt", "2026/", "Download all")
	c.Follow(c.Upload("/portal/s/"+ids[carol]+"/", "file", "passport.txt", "mine")).Want(t, "sent", 200, "1 document sent", "passport.txt", "Not opened yet")
	theirs := d.Follow(d.Upload("/portal/s/"+ids[dave]+"/", "file", "passport.txt", "his"))
	theirs.Want(t, "the same name", 200, "1 document sent", "passport.txt")
	for _, path := range []string{"/portal/s/" + ids[dave] + "/", "/portal/deposits", "/portal/", "/notices"} {
		d.Get(path).Lacks(t, "dave at "+path, "carol", "Carol", "passport (2)", "letter.txt")
	}
	for _, path := range []string{"passport.txt", "letter.txt", "2026/", "nothing.txt"} {
		d.Get("/portal/s/"+ids[dave]+"/"+path).Want(t, "look at "+path, 404)
		d.Get("/portal/raw/"+ids[dave]+"/"+path).Want(t, "read "+path, 404)
	}
	d.Get("/portal/zip/"+ids[dave]+"/").Lacks(t, "archive", "letter", "passport")
	d.Get("/portal/s/"+ids[carol]+"/").Want(t, "another's share", 404)
}

// TestOffer accepts one and declines another.
func TestOffer(t *testing.T) {
	t.Parallel()
	f := newFirm(t)
	f.Join(carol, "Carol", portaltest.Acme())
	f.Join(dave, "Dave", portaltest.Acme())
	ask := func(name string) string {
		return f.Share(sharing.ShareWish{Items: []vpath.Path{portaltest.Acme(name)}, To: []string{carol}, Mode: sharing.Read, Ask: true, Message: "Have a look"}).ID
	}
	letter, year := ask("letter.txt"), ask("2026")
	b := f.As(carol)
	b.Get("/portal/").Want(t, "offers", 200, "Ann Peeters wants to share something with you", "letter.txt", "2026", "Have a look", "Accept", "Decline")
	b.Get("/portal/s/"+letter).Want(t, "before the answer", 404)
	f.As(dave).Send("/portal/offers/"+letter, "answer", "accept").Want(t, "another answers", 404)
	b.Send("/portal/offers/"+letter, "answer", "perhaps").Want(t, "no answer", 400)
	b.Follow(b.Send("/portal/offers/"+letter, "answer", "accept")).Want(t, "accepted", 200, "Accepted.", "/portal/s/"+letter)
	declined := b.Follow(b.Send("/portal/offers/"+year, "answer", "decline"))
	declined.Want(t, "declined", 200, "Declined.")
	declined.Lacks(t, "declined", year)
	b.Get("/portal/s/"+year+"/").Want(t, "declined", 404)
	b.Get("/portal/s/"+letter).Want(t, "accepted", 200, "Dear Acme")

	if err := f.Sharing.Stop(t.Context(), f.By("ann"), []string{letter}, true); err != nil {
		t.Fatal(err)
	}
	b.Get("/portal/s/"+letter).Want(t, "stopped", 404, "This is not shared with you")
	b.Get("/portal/raw/"+letter).Want(t, "stopped", 404)
}

// TestVerify is what anybody may ask of a receipt.
func TestVerify(t *testing.T) {
	t.Parallel()
	f := newFirm(t)
	f.Join(carol, "Carol Jones", portaltest.Acme())
	g := f.Share(sharing.ShareWish{Items: []vpath.Path{portaltest.Acme()}, To: []string{carol}, Mode: sharing.Edit})
	b := f.As(carol)
	b.Upload("/portal/s/"+g.ID+"/", "file", "bank.txt", "money")
	text := b.Get("/portal/receipts/" + receiptOf(t, b.Get("/portal/deposits")) + ".txt").Text

	nobody := f.Browser()
	nobody.Get("/verify").Want(t, "form", 200, "Check a receipt")
	good := nobody.Upload("/verify", "receipt", "", text)
	good.Want(t, "good", 200, "The receipt is good.", "Peeters & Co has signed it", "bank.txt")
	good.Lacks(t, "good", portaltest.Above, "Ann Peeters")
	nobody.Upload("/verify", "receipt", "", "", "receipt", "r.txt", strings.ReplaceAll(text, "\n", " \r\n")).Want(t, "its file, as mail changes it", 200, "The receipt is good.")
	nobody.Upload("/verify", "receipt", "", text, "file", "bank.txt", "money").Want(t, "the file", 200, "The file is the one that was sent.")
	nobody.Upload("/verify", "receipt", "", text, "file", "bank.txt", "monex").Want(t, "another file", 200, "The file is another one.")
	sum := regexp.MustCompile(`SHA-256: (\w+)`).FindStringSubmatch(text)[1]
	nobody.Upload("/verify", "receipt", "", text, "sum", "", sum, "name", "", "bank.txt").Want(t, "summed by a script", 200, "The file is the one that was sent.")
	nobody.Upload("/verify", "receipt", "", strings.Replace(text, "Size: 5", "Size: 6", 1)).Want(t, "changed", 200, "The receipt was changed.")
	nobody.Upload("/verify", "receipt", "", "Dear all").Want(t, "a letter", 200, "This is not a receipt of ours.")
	nobody.Upload("/verify", "receipt", "", "  ").Want(t, "nothing", 422, "Paste the receipt")
	if got := nobody.Upload("/verify", "receipt", "", `<script>alert(1)</script>`); strings.Contains(got.Text, "<script>alert") {
		t.Errorf("markup: %s", got.Text)
	}
	nobody.Send("/verify", "receipt", text).Want(t, "another kind of form", 400)
	nobody.Upload("/verify", "receipt", "", text, "file", "big.bin", strings.Repeat("x", 64_000_001)).Want(t, "too large", 413, "too large to be compared")
}

// TestEnding shows when a share ends, and nothing after.
func TestEnding(t *testing.T) {
	t.Parallel()
	f := newFirm(t)
	f.Join(carol, "Carol", portaltest.Acme())
	g := f.Share(sharing.ShareWish{Items: []vpath.Path{portaltest.Acme()}, To: []string{carol}, Mode: sharing.Read, Until: f.Clock().AddDate(0, 0, 3)})
	b := f.As(carol)
	b.Get("/portal/").Want(t, "before", 200, "until 15 March 2027", `class="soon"`)
	f.Pass(5 * 24 * time.Hour)
	b = f.As(carol)
	b.Get("/portal/").Want(t, "after", 200, "Nothing is shared with you yet")
	b.Get("/portal/s/"+g.ID+"/").Want(t, "after", 404)
}
