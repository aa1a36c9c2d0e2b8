package staff_test

import (
	"context"
	"io/fs"
	"net/url"
	"strings"
	"testing"

	"portico/portal/staff"
	"portico/sharing"
	"portico/vpath"
)

// TestAskForAccess offers on a page that says no to ask, and on no other.
func TestAskForAccess(t *testing.T) {
	t.Parallel()
	var asked []string
	h := newHouse(t, func(o *staff.Options) {
		o.Ask = func(_ context.Context, by sharing.By, p vpath.Path, message string) error {
			if p == vpath.Must("/firm/HR") {
				return fs.ErrNotExist
			}
			asked = append(asked, by.ID+" "+p.String()+" "+message)
			return nil
		}
	})
	h.put("/firm/Clients/a.txt", "a")
	h.put("/firm/Inbox/b.txt", "b")
	const offer = `action="/ask"`
	ask := func(p string) string { return `href="/ask?path=` + url.QueryEscape(p) + `"` }
	h.get("lia", "/raw/firm/Clients/a.txt").want(403, offer, `value="/firm/Clients/a.txt"`, "Ask for access")
	h.get("lia", "/files/firm/Clients/a.txt").want(200, "You may not open this", ask("/firm/Clients/a.txt")).lacks("This kind of file")
	h.get("lia", "/files/firm/Clients/?details=.").want(200, ask("/firm/Clients")).lacks("You may not see")
	h.get("tom", "/files/firm/Clients/").want(200, "You may not see what lies here", ask("/firm/Clients")).lacks("a.txt")
	h.get("tom", "/ask?path=/firm/Clients").want(200, offer, `value="/firm/Clients"`, "A line to those")
	h.get("ida", "/files/firm/Inbox/").want(200, "Drop files here")
	for _, at := range []string{"/files/firm/Clients/", "/files/firm/Inbox/b.txt", "/ask?path=/firm/Clients", "/ask?path=/firm/Inbox/b.txt", "/ask?path=/firm/Nothing", "/ask?path=/"} {
		h.get("ida", at).want(404).lacks(offer, "/ask?")
	}
	h.putAs("kim", "/firm/Clients/kims.txt", "kim's")
	h.get("kim", "/files/firm/Clients/a.txt").want(200, "You may not open this", ask("/firm/Clients/a.txt")).lacks("<pre", "/raw/firm/Clients/a.txt")
	h.get("kim", "/ask?path=/firm/Clients/a.txt").want(200, "only for what they created")
	h.get("kim", "/files/firm/Clients/kims.txt").want(200, "kim's").lacks("You may not open this")
	h.get("ann", "/files/firm/Clients/?details=.").want(200).lacks("/ask?")
	h.get("carol@acme.example", "/ask?path=/firm/Clients").want(404).lacks(offer)

	h.send("ida", "/ask", "path", "/firm/Inbox", "message", "For the audit").want(200, "You have asked for access", "were told").lacks("Ann", "ann")
	h.send("ida", "/ask", "path", "/firm/HR").want(404).lacks(offer)
	h.send("ida", "/ask", "path", "nonsense").want(422)
	h.send("carol@acme.example", "/ask", "path", "/firm/Inbox").want(404)
	if got := strings.Join(asked, "; "); got != "user:ida /firm/Inbox For the audit" {
		t.Errorf("asked were %q", got)
	}
}

// TestNoAsking has no button where nobody can be asked.
func TestNoAsking(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.put("/firm/Clients/a.txt", "a")
	h.get("lia", "/raw/firm/Clients/a.txt").want(403).lacks(`action="/ask"`, "Ask for access")
	h.get("lia", "/files/firm/Clients/a.txt").want(200, "You may not open this").lacks("/ask")
	h.send("lia", "/ask", "path", "/firm/Clients").want(404)
}

// TestShareWithTheAsker names in the form of a share whom the notice names, by the
// directory's name and not by the address's.
func TestShareWithTheAsker(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(o *staff.Options) { o.Sharing = &desk{} })
	h.put("/firm/Clients/a.txt", "a")
	at := "/share?in=%2Ffirm&item=Clients"
	h.get("ann", at+"&to=user%3Abob").want(200, `name="to" value="user:bob"`, "Bob Maes")
	h.get("ann", at+"&to=user%3Anobody").want(200).lacks(`name="to"`)
	h.get("ann", at+"&to=contact%3Aeve%40acme.example").want(200).lacks(`name="to"`)
	h.get("ann", at).want(200).lacks(`name="to"`)
}
