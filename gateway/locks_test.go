package gateway_test

import (
	"strings"
	"testing"
)

const lockShared = `<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:shared/></D:lockscope><D:locktype><D:write/></D:locktype><D:owner>office</D:owner></D:lockinfo>`

func TestLock(t *testing.T) {
	h := newHouse(t)
	ann, bob := h.as("ann"), h.as("bob")
	ann.Do("MKCOL", "/firm/Clients", "").Want(201)
	ann.Put("/firm/Clients/a", "old").Want(201)
	res := ann.Lock("/firm/Clients/a", "Timeout: Second-180").Want(200)
	token := res.Token()
	res.WantIn("<D:lockdiscovery><D:activelock>", "<D:exclusive/>", "<D:timeout>Second-180</D:timeout>",
		`<D:owner xmlns:D="DAV:">ann's computer</D:owner>`, "<D:locktoken><D:href>"+token, "<D:lockroot><D:href>/dav/firm/Clients/a</D:href>")

	refused := bob.Put("/firm/Clients/a", "new").Want(423)
	refused.WantIn("<D:lock-token-submitted><D:href>/dav/firm/Clients/a</D:href></D:lock-token-submitted>", "Ann Peeters").WantNot(token)
	bob.Lock("/firm/Clients/a").Want(423).WantIn("<D:no-conflicting-lock><D:href>/dav/firm/Clients/a</D:href>", "Ann Peeters").WantNot(token)
	bob.Put("/firm/Clients/a", "new", "If: (<"+token+">)").Want(423) // a token is worth nothing to another
	ann.Put("/firm/Clients/a", "new").Want(423)
	ann.Put("/firm/Clients/a", "new", "If: (<opaquelocktoken:wrong>)").Want(412, 423)

	ann.Put("/firm/Clients/a", "1", "If: (<"+token+">)").Want(204)
	ann.Put("/firm/Clients/a", "2", "If: </dav/firm/Clients/a> (<"+token+">)").Want(204)
	ann.Put("/firm/Clients/a", "3", "If: <"+h.server.URL+"/dav/firm/Clients/a> (<"+token+">)").Want(204)
	ann.Put("/firm/Clients/a", "4", "If: If: (<"+token+">)").Want(204)
	ann.Put("/firm/Clients/a", "5", "Lock-Token: <"+token+">").Want(204)

	bob.Do("UNLOCK", "/firm/Clients/a", "", "Lock-Token: <"+token+">").Want(403)
	ann.Do("UNLOCK", "/firm/Clients/a", "", "Lock-Token: <opaquelocktoken:wrong>").Want(409).WantIn("lock-token-matches-request-uri")
	ann.Do("UNLOCK", "/firm/Clients/a", "").Want(400)
	ann.Do("UNLOCK", "/firm/Clients/a", "", "Lock-Token: "+token).Want(400)
	ann.Do("UNLOCK", "/firm/Clients/a", "", "Lock-Token: <"+token+">").Want(204)
	bob.Put("/firm/Clients/a", "new").Want(204)
}

func TestLockFreeName(t *testing.T) {
	h := newHouse(t)
	ann := h.as("ann")
	token := ann.Lock("/firm/new.txt", "Depth: 0").Want(201).Token()
	ann.Get("/firm/new.txt").Want(200).WantText("")
	ann.Put("/firm/new.txt", "text", "If: (<"+token+">)").Want(204)
	ann.Lock("/firm/none/new.txt").Want(409)
	h.as("bob").Lock("/firm/bob.txt").Want(403)
	h.as("mallory").Lock("/firm/m.txt").Want(404)
	ann.Get("/firm/bob.txt").Want(404)
}

func TestLockRefresh(t *testing.T) {
	ann := newHouse(t).as("ann")
	token := ann.Lock("/firm/a", "Timeout: Second-600").Want(201).Token()
	res := ann.Do("LOCK", "/firm/a", "", "If: (<"+token+">)", "Timeout: Second-1200").Want(200).
		WantHeader("Lock-Token", "").WantIn("Second-1200", token)
	if strings.Contains(res.Text, "Second-600") {
		t.Error("the old term is still told")
	}
	ann.Do("LOCK", "/firm/a", "").Want(400)
	ann.Do("LOCK", "/firm/a", "", "If: (<opaquelocktoken:wrong>)").Want(412)
	ann.Lock("/firm/b", "Depth: 1").Want(400)
	ann.Lock("/firm/b").Want(201).WantIn("Second-600") // the default is a real term
	ann.Lock("/firm/c", "Timeout: Infinite, Second-4100000000").Want(201).WantIn("Second-3600")
	ann.Do("LOCK", "/firm/d", "<x/>").Want(400)
	ann.Do("LOCK", "/firm/d", "<x>").Want(400)
	ann.Get("/firm/d").Want(404)
}

func TestLockFolder(t *testing.T) {
	h := newHouse(t)
	ann, bob := h.as("ann"), h.as("bob")
	ann.Do("MKCOL", "/firm/Clients", "").Want(201)
	ann.Do("MKCOL", "/firm/Clients/%C3%A9 &", "").Want(400)
	ann.Do("MKCOL", "/firm/Clients/%C3%A9%20&", "").Want(201)
	token := ann.Lock("/firm/Clients/%C3%A9%20&/").Want(200).
		WantIn("<D:depth>infinity</D:depth>", "<D:lockroot><D:href>/dav/firm/Clients/%C3%A9%20%26/</D:href>").Token()
	bob.Put("/firm/Clients/%C3%A9%20&/x", "x").Want(423)
	ann.Put("/firm/Clients/%C3%A9%20&/x", "x", "If: (<"+token+">)").Want(201)
	own := ann.Propfind("/firm/Clients/%C3%A9%20&/x", "0", "lockdiscovery").Want(207)
	own.WantIn(token, "<D:lockroot><D:href>/dav/firm/Clients/%C3%A9%20%26/</D:href>", "ann's computer")
	seen := bob.Propfind("/firm/Clients/%C3%A9%20&/x", "0", "lockdiscovery").Want(207)
	seen.WantIn("<D:owner>Ann Peeters</D:owner>").WantNot(token, "<D:locktoken>")
}

func TestLockShared(t *testing.T) {
	h := newHouse(t)
	ann, bob := h.as("ann"), h.as("bob")
	ann.Do("MKCOL", "/firm/Clients", "").Want(201)
	ann.Put("/firm/Clients/a", "x").Want(201)
	mine := ann.Do("LOCK", "/firm/Clients/a", lockShared).Want(200).WantIn("<D:shared/>").Token()
	yours := bob.Do("LOCK", "/firm/Clients/a", lockShared).Want(200).Token()
	if mine == yours {
		t.Error("two locks have one token")
	}
	ann.Lock("/firm/Clients/a").Want(423)
	list := ann.Propfind("/firm/Clients/a", "0", "lockdiscovery").Want(207)
	if n := strings.Count(list.Text, "<D:activelock>"); n != 2 {
		t.Errorf("%d locks in lockdiscovery, want 2\n%s", n, list.Text)
	}
	bob.Put("/firm/Clients/a", "y", "If: (<"+yours+">)").Want(204)
}
