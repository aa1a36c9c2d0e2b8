package client_test

import (
	"strings"
	"testing"
	"time"

	"portico/internal/portaltest"
	"portico/sharing"
	"portico/vpath"
)

// TestCustomerReads follows somebody from the start page to the bytes of a file.
func TestCustomerReads(t *testing.T) {
	t.Parallel()
	f := newFirm(t)
	f.Join(carol, "Carol Jones", portaltest.Acme())
	g := f.Share(sharing.ShareWish{
		Items: []vpath.Path{portaltest.Acme()}, To: []string{carol}, Mode: sharing.Read, Message: "The figures of this year",
		Until: f.Clock().AddDate(0, 1, 0),
	})
	b := f.As(carol)
	home := b.Get("/portal/")
	home.Want(t, "start", 200, "Peeters & Co", "Acme", "Ann Peeters", "The figures of this year", "12 April 2027", "You can read it", "/portal/s/"+g.ID+"/")
	home.Lacks(t, "start", `type="file"`)
	top := b.Get("/portal/s/" + g.ID + "/")
	top.Want(t, "folder", 200, "letter.txt", "2026", "Download all", "The figures of this year")
	top.Lacks(t, "folder", `type="file"`)
	b.Get("/portal/s/"+g.ID+"/2026/").Want(t, "below", 200, "accounts.txt", `href="/portal/s/`+g.ID+`/"`)
	b.Get("/portal/s/"+g.ID+"/letter.txt").Want(t, "file", 200, "Dear Acme", "/portal/raw/"+g.ID+"/letter.txt?download")
	raw := b.Get("/portal/raw/" + g.ID + "/letter.txt?download")
	raw.Want(t, "bytes", 200, "Dear Acme")
	if got := raw.Header.Get("Content-Disposition"); got != `attachment; filename="letter.txt"` {
		t.Errorf("Content-Disposition: %q", got)
	}
	if got := raw.Header.Get("Content-Security-Policy"); !strings.HasPrefix(got, "sandbox;") {
		t.Errorf("Content-Security-Policy: %q", got)
	}
	zip := b.Get("/portal/zip/" + g.ID + "/")
	zip.Want(t, "archive", 200, "Acme/letter.txt", "Acme/2026/accounts.txt")
	b.Upload("/portal/s/"+g.ID+"/", "file", "x.txt", "x").Want(t, "deposit without the right", 303)
	b.Get("/portal/s/"+g.ID+"/").Lacks(t, "after a refused deposit", "x.txt", "Canary")
	f.Pass(32 * 24 * time.Hour)
	b.Get("/portal/s/"+g.ID+"/").Want(t, "after its end", 303) // the session is over as well
}
