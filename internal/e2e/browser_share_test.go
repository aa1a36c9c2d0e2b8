//go:build !race

package e2e

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

// carol is the customer of these stories.
const carol = "carol@acme.example"

// fill makes the tree that ann shares from.
func (o *office) fill() {
	o.t.Helper()
	for _, folder := range []string{"/Clients", "/Clients/Acme", "/Clients/Borealis"} {
		o.do("ann", "MKCOL", "/dav/firm"+folder, "").want(201)
	}
	o.do("ann", "PUT", "/dav/firm/Clients/Acme/Engagement letter.txt", "Dear Acme", "Content-Type", "text/plain").want(201)
	o.do("ann", "PUT", "/dav/firm/Clients/Borealis/Offer.txt", "12 days").want(201)
}

// share shares a folder of Clients by ann's pages: choose the row, Share, type the
// address, Share. Boxes are ticked or unticked by their ids.
func (b *tab) share(folder, to string, boxes ...string) *tab {
	b.t.Helper()
	in, name := path.Split("/files/firm/Clients/" + folder)
	b.open(in).press(`css:.item[data-name="` + name + `"] [name=item]`)
	b.goes("Share").has("Share " + name)
	b.write("#more", to)
	b.until("a suggestion", `document.querySelector("#suggest [role=option]")?.checkVisibility() ?? false`)
	b.press("css:#suggest [role=option]").has(to + " ×")
	for _, box := range boxes {
		b.press("css:label[for=" + box + "]")
	}
	b.write("#message", "The papers of this year")
	b.goes("css:form.share button.main")
	b.until("a line that says that it is shared", `document.querySelector("[data-toast]") !== null`)
	return b
}

// join follows carol's invitation and sets a password.
func (b *tab) join(o *office, name string) *tab {
	b.t.Helper()
	l := o.letter(carol, "Choose a password")
	b.open(o.address(l, "/invite/")).has("shares documents with you")
	b.write("#name", name).write("#password", password)
	return b.goes("Accept and sign in").has("Documents")
}

// sparse is a file of so many bytes that takes little room on the disk: a number at
// the start of each MiB, so that a piece which is lost or put elsewhere shows. It
// gives the name and the SHA-256.
func sparse(t *testing.T, name string, size int64) (file, sum string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), name)
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(size); err != nil {
		t.Fatal(err)
	}
	for at := int64(0); at < size; at += 1 << 20 {
		if _, err := f.WriteAt(fmt.Appendf(nil, "at %d", at), at); err != nil {
			t.Fatal(err)
		}
	}
	h := sha256.New()
	if _, err := io.Copy(h, io.NewSectionReader(f, 0, size)); err != nil {
		t.Fatal(err)
	}
	return file, hex.EncodeToString(h.Sum(nil))
}

// TestDeposit plays the whole of it: ann shares a folder with a new customer, who
// gets a mail, chooses a password, accepts, and sends 300 MB over a line that
// breaks; the page shows a receipt, a mail brings it, ann is told and reads each
// byte as it was sent.
func TestDeposit(t *testing.T) {
	const size = 300 << 20
	onEach(t, func(t *testing.T, st storage) {
		o := newOffice(t, st)
		o.fill()
		ann, customer := browse(t, o.server), browse(t, o.server)
		ann.signs("ann").has("Peeters & Co")
		ann.share("Acme", carol, "ask").has("Offered to 1 person")

		customer.join(o, "Carol Jansen").has("Ann Peeters wants to share something with you", "Acme", "The papers of this year")
		customer.lacks("Clients", "Borealis")
		customer.goes("Accept").has("Acme")
		ann.open("/notices").has("Carol Jansen accepted “Acme”")

		customer.goes("css:ul.docs a.title").has("Engagement letter.txt", "Send documents")
		file, sum := sparse(t, "Accounts 2026.bin", size)
		o.wire.cutAfter(size / 3)
		customer.put("#file", file).has("1 file to upload")
		customer.has("All is uploaded", "Sent. Each document has a receipt.")
		if cuts := o.wire.cuts.Load(); cuts != 1 {
			t.Fatalf("the line broke %d times, want once", cuts)
		}
		customer.has("Accounts 2026.bin 315 MB", "sent by you")

		customer.goes("See the receipts").has("Not opened yet").goes("Accounts 2026.bin").has("Accounts 2026.bin has arrived", sum)
		receipt := o.letter(carol, "Receipt for “Accounts 2026.bin”")
		if !strings.Contains(receipt.text, sum) {
			t.Errorf("the mailed receipt lacks the SHA-256 %s:\n%s", sum, receipt.text)
		}
		signed := ask[string](customer, `document.querySelector("pre.signed").textContent`)
		customer.open("/verify").write("#receipt", signed).goes("Check").has("The receipt is good.", sum)
		customer.open("/verify").write("#receipt", strings.Replace(signed, sum[:8], "00000000", 1)).goes("Check").has("The receipt was changed.")

		ann.open("/notices").has("Carol Jansen sent “Accounts 2026.bin”")
		ann.open("/files/firm/Clients/Acme/").has("Accounts 2026.bin")
		if got := o.sum("ann", "/dav/firm/Clients/Acme/Accounts%202026.bin"); got != sum {
			t.Errorf("what arrived has the SHA-256 %s, and %s was sent", got, sum)
		}
		customer.open("/portal/deposits").has("Opened ")
		if customer.offers("Take back") {
			t.Error("the customer is offered to take back what ann has opened")
		}
	})
}

// sum is the SHA-256 of a file that somebody downloads.
func (o *office) sum(user, path string) string {
	o.t.Helper()
	resp := o.stream(user, path)
	defer resp.Close()
	h := sha256.New()
	if _, err := io.Copy(h, resp); err != nil {
		o.t.Fatal(err)
	}
	return hex.EncodeToString(h.Sum(nil))
}
