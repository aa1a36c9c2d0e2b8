package link_test

import (
	"archive/zip"
	"bytes"
	"net/http"
	"strings"
	"testing"

	"portico/sharing"
)

func TestReadLink(t *testing.T) {
	h := newHouse(t)
	_, token := h.link(sharing.LinkWish{Name: "Carol"}, "/firm/Clients/Acme")
	b := h.browser()
	page := b.get("/s/"+token).want(200).has("Acme", "canary-letter.txt", "2025", "Ann Maes", "Peeters &amp; Co").hasNot("Clients", "priv", "sibling")
	if page.Header.Get("X-Robots-Tag") != "noindex" || page.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("headers %v", page.Header)
	}
	b.get("/s/" + token + "/f/Acme/2025").want(200).has("plan.pdf")
	b.get("/s/" + token + "/f/Acme/canary-letter.txt").want(200).has("canary text")
	a := h.curl().get("/s/" + token + "/d/Acme/canary-letter.txt").want(200)
	if a.text != "canary text" || a.Header.Get("Cache-Control") != "private, no-store" || !strings.HasPrefix(a.Header.Get("Content-Disposition"), "attachment") {
		t.Errorf("%q %v", a.text, a.Header)
	}
	a = h.curl().get("/s/"+token+"/d/Acme/canary-letter.txt", "Range", "bytes=7-").want(206)
	if a.text != "text" || a.Header.Get("Content-Range") != "bytes 7-10/11" {
		t.Errorf("%q %v", a.text, a.Header)
	}
	h.curl().do("HEAD", "/s/"+token+"/d/Acme/canary-letter.txt", "").want(200)
	a = h.curl().get("/s/" + token + "/d/Acme/page.html").want(200)
	if a.Header.Get("Content-Type") != "application/octet-stream" || !strings.Contains(a.Header.Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("HTML is sent as %v", a.Header)
	}
	b.get("/s/" + token + "/v/Acme/page.html").want(403)
	b.get("/s/" + token + "/v/Acme/canary-letter.txt").want(200).has("canary text")
}

func TestZip(t *testing.T) {
	h := newHouse(t)
	_, token := h.link(sharing.LinkWish{}, "/firm/Clients/Acme", "/firm/Clients/sibling.txt")
	a := h.curl().get("/s/" + token + "/zip").want(200)
	z, err := zip.NewReader(bytes.NewReader([]byte(a.text)), int64(len(a.text)))
	h.ok(err)
	var names []string
	for _, f := range z.File {
		names = append(names, f.Name)
	}
	if got := strings.Join(names, " "); strings.Contains(got, "priv") || !strings.Contains(got, "Acme/canary-letter.txt") || !strings.Contains(got, "sibling.txt") {
		t.Errorf("the archive holds %s", got)
	}
	h.curl().get("/s/" + token + "/zip?in=/HR").want(404)
}

func TestDeposit(t *testing.T) {
	h := newHouse(t)
	_, token := h.link(sharing.LinkWish{Mode: sharing.LinkInbox, AskName: true, Types: []string{"pdf"}}, "/firm/Clients/In")
	b := h.browser()
	b.get("/s/" + token).want(200).has("Your name").hasNot("known.pdf")
	b.send("/s/"+token+"/name", "name", "Zoë").want(303)
	b.get("/s/"+token).want(200).has("Send documents", ".pdf", "Zoë")
	b.do("POST", "/s/"+token+"/put/In", "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"tax.pdf\"\r\n\r\ntax\r\n--x--\r\n",
		"Content-Type", "multipart/form-data; boundary=x").want(303)
	b.get("/s/"+token).want(200).has("tax.pdf", "Receipt").hasNot("known.pdf")
	h.browser().get("/s/" + token).want(200).hasNot("tax.pdf")
	c := h.curl()
	c.do("PUT", "/s/"+token+"/b.pdf", "b").want(403).has("name")
	r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, c.base, nil)
	r.SetBasicAuth("Bo", "")
	c.with("Authorization", r.Header.Get("Authorization")).do("PUT", "/s/"+token+"/known.pdf", "b").want(201).has("known", "sha256", "receipt")
	c.with("Authorization", r.Header.Get("Authorization")).do("PUT", "/s/"+token+"/known.exe", "b").want(422).has(".pdf")
}
