package gateway_test

import (
	"strings"
	"testing"
)

// Names that Windows cannot hold are shown to its client in another form, in
// hrefs and displayname, and taken back in the URL, in Destination and in If.
func TestWindowsIsShownOtherNames(t *testing.T) {
	h := newHouse(t)
	ann := h.as("ann")
	ann.Put("/firm/a%3Ab.txt", "old").Want(201)
	ann.Do("MKCOL", "/firm/who%3F", "").Want(201)
	const form, dir = "/dav/firm/a%EF%80%BAb.txt", "/dav/firm/who%EF%80%BF/"
	ann.Do("PROPFIND", "/firm", "", windows("Depth: 1")...).Want(207).
		WantIn("<D:href>"+form+"</D:href>", "<D:displayname>a\uF03Ab.txt</D:displayname>", "<D:href>"+dir+"</D:href>").WantNot("%3A", "%3F")
	ann.Do("PROPFIND", "/firm", "", "Depth: 1").Want(207).
		WantIn("<D:href>/dav/firm/a%3Ab.txt</D:href>", "<D:displayname>a:b.txt</D:displayname>").WantNot("%EF%80%BA")
	inside := strings.TrimPrefix(form, "/dav")
	ann.Get(inside, windows()...).Want(200).WantText("old")
	ann.Get(inside).Want(404) // for others that is a name of its own
	token := ann.Do("LOCK", inside, windowsLock, windows()...).Want(200).WantIn("<D:lockroot><D:href>" + form).Token()
	for _, tag := range []string{"<" + h.server.URL + form + "> ", "<" + form + "> ", ""} {
		ann.Put(inside, "new", windows("If: "+tag+"(<"+token+">)")...).Want(204)
	}
	ann.Put(inside, "lost", windows()...).Want(423).WantIn(form)
	ann.Get("/firm/a%3Ab.txt").WantText("new")
	ann.Do("UNLOCK", inside, "", windows("Lock-Token: <"+token+">")...).Want(204)
	ann.Do("MOVE", inside, "", windows("Destination: "+h.server.URL+dir+"%EF%81%83ON")...).Want(400) // CON is no new name for anybody
	ann.Do("MOVE", inside, "", windows("Destination: "+h.server.URL+dir+"x%EF%80%AA")...).Want(201)
	ann.Get("/firm/who%3F/x*").WantText("new")
	ann.Do("DELETE", strings.TrimPrefix(dir, "/dav"), "", windows()...).Want(204)
	ann.Get("/firm/who%3F/x*").Want(404)
}

// A form leads to the rights of the name that it stands for, and a name that only
// looks like one to its own.
func TestWindowsFormsAreJudgedAsNames(t *testing.T) {
	h := newHouse(t)
	ann, bob := h.as("ann"), h.as("bob")
	ann.Do("MKCOL", "/firm/Clients", "").Want(201)
	ann.Put("/firm/a%3Ab", "x").Want(201)
	ann.Put("/firm/Clients/a%3Ab", "x").Want(201)
	for _, p := range []string{"/a%EF%80%BAb", "/a%3Ab"} {
		bob.Put("/firm"+p, "y", windows()...).Want(403)
		bob.Do("MOVE", "/firm/Clients"+p, "", windows("Destination: /dav/firm"+p)...).Want(403)
		bob.Put("/firm/Clients"+p, "y", windows()...).Want(204)
		h.as("mallory").Get("/firm"+p, windows()...).Want(404)
	}
	for _, odd := range []string{"a%EF%81%9C", "a%3A%EF%80%BA", "%EF%81%9Cx"} {
		ann.Put("/firm/"+odd, "x", windows()...).Want(400).WantIn("Windows")
	}
	ann.Get("/firm/..%EF%80%BA/x", windows()...).Want(404)
	ann.Get("/firm/%EF%80%AE%EF%80%AE/x", windows()...).Want(404) // never ..: the last dot alone is decoded
	ann.Get("/firm/%EF%80%AE/x", windows()...).Want(400)          // .
	ann.Get("/firm/.%EF%80%AE/x", windows()...).Want(400)         // ..
}

// macOS sends NFD. In each place it leads to the name that others send in NFC, and
// hrefs are as stored.
func TestDecomposedNames(t *testing.T) {
	h := newHouse(t)
	ann := h.as("ann")
	nfd, nfc := "/firm/Cafe%CC%81", "/firm/Caf%C3%A9"
	ann.Do("MKCOL", nfd, "").Want(201)
	ann.Put(nfd+"/e%CC%81.txt", "1").Want(201)
	ann.Do("PROPFIND", nfd, "", "Depth: 1").Want(207).WantIn("/dav" + nfc + "/%C3%A9.txt<").WantNot("%CC")
	token := ann.Lock(nfd + "/e%CC%81.txt").Want(200).Token()
	for _, tag := range []string{h.server.URL + "/dav" + nfd + "/e%CC%81.txt", "/dav" + nfd + "/e%CC%81.txt", "/dav" + nfc + "/%C3%A9.txt"} {
		ann.Put(nfc+"/%C3%A9.txt", "2", "If: <"+tag+"> (<"+token+">)").Want(204)
	}
	ann.Do("UNLOCK", nfd+"/e%CC%81.txt", "", "Lock-Token: <"+token+">").Want(204)
	ann.Do("MOVE", nfd+"/e%CC%81.txt", "", "Destination: "+h.server.URL+"/dav"+nfd+"/u%CC%88").Want(201)
	ann.Do("MOVE", nfc+"/%C3%BC", "", "Destination: /dav"+nfd+"/u%CC%88").Want(403) // the same
	ann.Get(nfc + "/%C3%BC").WantText("2")
	ann.Do("COPY", nfd, "", "Destination: /dav/firm/O%CC%82").Want(201)
	ann.Get("/firm/%C3%94/%C3%BC").WantText("2")
}

// Twins by case are told to the client with the name of the other one.
func TestTwinsAreNamed(t *testing.T) {
	ann := newHouse(t).as("ann")
	ann.Put("/firm/Plan.txt", "x").Want(201)
	ann.Put("/firm/src", "x").Want(201)
	ann.Put("/firm/plan.TXT", "x").Want(409).WantIn("/firm/Plan.txt")
	ann.Lock("/firm/PLAN.txt").Want(409).WantIn("/firm/Plan.txt")
	ann.Do("MKCOL", "/firm/plan.txt", "").Want(409).WantIn("/firm/Plan.txt")
	for _, method := range []string{"MOVE", "COPY"} {
		ann.Do(method, "/firm/src", "", "Destination: /dav/firm/plan.txt").Want(409).WantIn("/firm/Plan.txt")
	}
	ann.Do("MOVE", "/firm/Plan.txt", "", "Destination: /dav/firm/plan.txt").Want(201)
}

// windows adds what the Mini-Redirector sends with everything.
func windows(headers ...string) []string {
	return append(headers, "translate: f", "User-Agent: Microsoft-WebDAV-MiniRedir/10.0.19045")
}

const windowsLock = `<?xml version="1.0" encoding="utf-8" ?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope>` +
	`<D:locktype><D:write/></D:locktype><D:owner><D:href>DESKTOP-X\ed</D:href></D:owner></D:lockinfo>`
