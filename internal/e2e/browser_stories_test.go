//go:build !race

package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// small is a small file to send.
func small(t *testing.T, name, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestReadOnly: a customer with whom a folder is shared to read is offered to read
// and download, and neither page nor drive does more for them.
func TestReadOnly(t *testing.T) {
	o := newOffice(t, storages()[0])
	o.fill()
	ann, customer := browse(t, o.server), browse(t, o.server)
	ann.signs("ann").share("Acme", carol, "may").has("Shared with 1 person")
	customer.join(o, "Carol Jansen").goes("css:ul.docs a.title").has("Engagement letter.txt", "Download all")
	customer.lacks(`type="file"`, "Take back", "Send documents")
	customer.goes("Engagement letter.txt").has("Dear Acme", "Download").lacks("Send a new version")

	at := ask[string](customer, `location.pathname`)
	folder := at[:strings.LastIndex(at, "/")+1]
	got := ask[string](customer, fmt.Sprintf(`(() => { const f = new FormData(); f.append("file", new File(["x"], "x.txt")); return fetch(%s, {method: "POST", body: f}).then((r) => r.text()); })()`, quote(folder)))
	if !strings.Contains(got, "data-toast") || strings.Contains(got, "x.txt") {
		t.Errorf("a form with a file: it is not refused, or not in words:\n%s", got)
	}
	for _, c := range []struct {
		method, path string
		status       int
	}{
		{"GET", "/Acme/Engagement%20letter.txt", 200},
		{"PUT", "/Acme/new.txt", 403},
		{"PUT", "/Acme/Engagement%20letter.txt", 403},
		{"DELETE", "/Acme/Engagement%20letter.txt", 403},
		{"DELETE", "/Acme", 403},
		{"MKCOL", "/Acme/new", 403},
	} {
		o.do(carol, c.method, "/dav/shared"+c.path, "").want(c.status)
	}
	ann.open("/files/firm/Clients/Acme/").has("Engagement letter.txt").lacks("x.txt")
}

// TestDecline: a customer declines what they are offered, and who offered is told.
func TestDecline(t *testing.T) {
	o := newOffice(t, storages()[0])
	o.fill()
	ann, customer := browse(t, o.server), browse(t, o.server)
	ann.signs("ann").share("Acme", carol, "ask")
	customer.join(o, "Carol Jansen").has("Ann Peeters wants to share something with you")
	customer.goes("Decline").has("Nothing is shared with you yet")
	ann.open("/notices").has("Carol Jansen declined “Acme”")
	o.letter("ann@firm.example", "Carol Jansen declined “Acme”")
	o.do(carol, "GET", "/dav/shared/Acme/Engagement%20letter.txt", "").want(404)
}

// TestStop: ann stops sharing while the customer looks at the folder; the next
// thing that the customer presses says so.
func TestStop(t *testing.T) {
	o := newOffice(t, storages()[0])
	o.fill()
	ann, customer := browse(t, o.server), browse(t, o.server)
	ann.signs("ann").share("Acme", carol)
	customer.join(o, "Carol Jansen").goes("css:ul.docs a.title").has("Engagement letter.txt")

	ann.open("/files/firm/Clients/").goes(`css:.item[data-name="Acme"] .shared a`).has("Acme is shared with", "Carol Jansen")
	ann.press("css:ul.people label").goes("Save").has("Not shared any more with 1 person")
	ann.lacks("Carol Jansen")

	customer.goes("Engagement letter.txt").has("This is not shared with you").lacks("Dear Acme")
	customer.goes("css:main a.button.main").has("Nothing is shared with you yet")
	o.letter(carol, "Ann Peeters no longer shares “Acme” with you")
	o.do(carol, "GET", "/dav/shared/Acme/Engagement%20letter.txt", "").want(404)
}

// link makes a link to something of Clients by the pages, and gives its address.
func (b *tab) link(item string, fill func()) string {
	b.t.Helper()
	folder, name := path.Split("/files/firm/Clients/" + item)
	b.open(folder).press(`css:.item[data-name="` + name + `"] [name=item]`).goes("Link").has("New link")
	fill()
	b.goes("Make link").has("The link is ready")
	return ask[string](b, `document.querySelector("#address").textContent`)
}

// TestCloseAccess: pages, drive and links of a customer are gone at once when ann
// closes their access, in the middle of a session.
func TestCloseAccess(t *testing.T) {
	o := newOffice(t, storages()[0])
	o.fill()
	ann, customer := browse(t, o.server), browse(t, o.server)
	ann.signs("ann").share("Acme", carol)
	customer.join(o, "Carol Jansen").goes("css:ul.docs a.title").has("Engagement letter.txt")
	o.do(carol, "GET", "/dav/shared/Acme/Engagement%20letter.txt", "").want(200)
	address := ann.link("Acme", func() {
		ann.press("Who may open it").write("#contact", carol)
	})
	visitor := browse(t, o.server)
	visitor.open(address).has("Engagement letter.txt")

	ann.open("/contacts").goes("Carol Jansen").has("Folders that may be shared")
	ann.press("css:details.confirm summary").goes("css:details.confirm button.danger").has("closed")
	customer.goes("Engagement letter.txt").has("Sign in").lacks("Dear Acme")
	customer.signs(carol).lacks("Acme").has("Sign in")
	o.do(carol, "GET", "/dav/shared/Acme/Engagement%20letter.txt", "").want(401)
	visitor.goes("Engagement letter.txt").lacks("Dear Acme")
	visitor.open(address).lacks("Engagement letter")
	o.letter(carol, "Your access to the documents of Peeters & Co has ended")
}

// TestBlindDrop: two people put files into one folder by a link that shows nothing
// of it; each sees their own receipts, and nothing of the other's.
func TestBlindDrop(t *testing.T) {
	o := newOffice(t, storages()[0])
	o.fill()
	ann := browse(t, o.server).signs("ann")
	address := ann.link("Acme", func() {
		ann.press("put files in, and see nothing").press("Deposits").press("css:label[for=ask_name]")
	})
	send := func(name, file string) *tab {
		b := browse(t, o.server)
		b.open(address).has("Your name").lacks("Engagement letter")
		b.write("#name", name).goes("Continue").has("Send documents", "as "+name, "Nothing yet.")
		b.put("#file", small(t, file, "from "+name)).has("All is uploaded", "What you sent", file, "SHA-256")
		return b
	}
	first, second := send("Dora", "dora.txt"), send("Emil", "emil.txt")
	first.open(address).has("dora.txt").lacks("emil", "Emil", "Engagement letter")
	second.open(address).has("emil.txt").lacks("dora", "Dora", "Engagement letter")
	for _, at := range []string{"/f/dora.txt", "/d/dora.txt", "/v/dora.txt"} {
		if got := second.fetch(strings.TrimPrefix(address, o.url) + at); got == http.StatusOK {
			t.Errorf("the other's %s: %d", at, got)
		}
	}
	all := ask[string](second, fmt.Sprintf(`fetch(%s).then((r) => r.text())`, quote(strings.TrimPrefix(address, o.url)+"/zip")))
	if strings.Contains(all, "dora") || strings.Contains(all, "letter") {
		t.Errorf("the archive of all has the other's:\n%q", all)
	}
	ann.open("/files/firm/Clients/Acme/").has("dora.txt", "emil.txt")
	ann.open("/notices").has("Dora sent “dora.txt”", "Emil sent “emil.txt”")
}

// TestLastDownload: fifty at once download by a link with a password that allows
// one download; one gets the file, whole.
func TestLastDownload(t *testing.T) {
	onEach(t, func(t *testing.T, st storage) {
		o := newOffice(t, st)
		o.fill()
		text := strings.Repeat("once ", 100_000)
		o.do("ann", "PUT", "/dav/firm/Clients/Acme/once.txt", text).want(201)
		ann := browse(t, o.server).signs("ann")
		address := ann.link("Acme/once.txt", func() {
			ann.write("#password", password).press("Downloads").write("#downloads", "1")
		})
		visitor := browse(t, o.server)
		visitor.open(address).has("Password").lacks("once.txt", "Ann Peeters")
		visitor.write("#password", password).goes("Open").has("once.txt", "1 download left")

		download := ask[string](visitor, `[...document.querySelectorAll("main a.main")].find((a) => a.innerText.trim() === "Download").href`)
		jar, err := cookiejar.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		client := &http.Client{Jar: jar}
		resp, err := client.PostForm(address+"/unlock", url.Values{"password": {password}})
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		var whole, refused atomic.Int32
		var g sync.WaitGroup
		for range 50 {
			g.Go(func() {
				resp, err := client.Get(download)
				if err != nil {
					t.Error(err)
					return
				}
				defer resp.Body.Close()
				body, err := io.ReadAll(resp.Body)
				switch {
				case err == nil && resp.StatusCode == http.StatusOK && string(body) == text:
					whole.Add(1)
				case resp.StatusCode >= 400:
					refused.Add(1)
				default:
					t.Errorf("%s, %d bytes, %v", resp.Status, len(body), err)
				}
			})
		}
		g.Wait()
		if whole.Load() != 1 || refused.Load() != 49 {
			t.Errorf("%d downloads, %d refusals; want 1 and 49", whole.Load(), refused.Load())
		}
		visitor.open(address)
		if visitor.offers("Download") {
			t.Error("the page still offers the download")
		}
	})
}
