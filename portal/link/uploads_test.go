package link_test

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"portico/files"
	"portico/sharing"
	"portico/vpath"
)

func meta(name string) string {
	b := base64.StdEncoding.EncodeToString
	return "path " + b([]byte("/In")) + ",filename " + b([]byte(name))
}

// begin starts an upload in pieces.
func (v *visitor) begin(token, name, length string) answer {
	v.Helper()
	return v.do("POST", "/s/"+token+"/uploads", "", "Tus-Resumable", "1.0.0", "Upload-Length", length, "Upload-Metadata", meta(name))
}

func (v *visitor) piece(at string, offset int, body string) answer {
	v.Helper()
	return v.do("PATCH", at, body, "Tus-Resumable", "1.0.0", "Upload-Offset", strconv.Itoa(offset), "Content-Type", "application/offset+octet-stream")
}

func TestUploadInPieces(t *testing.T) {
	h := newHouse(t)
	_, token := h.link(sharing.LinkWish{Mode: sharing.LinkInbox, Subfolders: true}, "/firm/Clients/In")
	b := h.browser()
	b.get("/s/" + token).want(200)
	b.begin(token, "tax.pdf", "9").want(403).has("name")
	b.send("/s/"+token+"/name", "name", "Zoë").want(303)
	at := b.begin(token, "tax.pdf", "9").want(201).Header.Get("Location")
	if !strings.HasPrefix(at, "/s/"+token+"/uploads/") {
		t.Fatalf("the upload is at %q", at)
	}
	b.piece(at, 0, "tax ").want(204)
	stranger := h.browser()
	stranger.get("/s/" + token).want(200)
	// Row 20: another's upload is none.
	for _, method := range []string{"HEAD", "DELETE"} {
		stranger.do(method, at, "", "Tus-Resumable", "1.0.0").want(404)
	}
	stranger.piece(at, 4, "x").want(404)
	a := b.piece(at, 4, "paper").want(204)
	if a.Header.Get("Portico-Receipt") == "" {
		t.Error("no receipt")
	}
	b.get("/s/"+token).want(200).has("tax.pdf", a.Header.Get("Portico-Receipt"))
	n, err := h.tree().Stat(t.Context(), vpath.Must("/firm/Clients/In/Zoë 2026-03-02/tax.pdf"))
	if h.ok(err); n.Size != 9 {
		t.Errorf("%d bytes", n.Size)
	}
}

// Row 52 again, in pieces.
func TestRow52MeasuredInPieces(t *testing.T) {
	h := newHouse(t)
	_, token := h.link(sharing.LinkWish{Mode: sharing.LinkInbox, MaxFileBytes: 10}, "/firm/Clients/In")
	b := h.browser()
	b.get("/s/" + token).want(200)
	b.begin(token, "a.bin", "11").want(413)
	if a := b.begin(token, "a.bin", "-1"); a.StatusCode < 400 || a.StatusCode >= 500 {
		t.Errorf("a negative length: %d", a.StatusCode)
	}
	at := b.begin(token, "a.bin", "1").want(201).Header.Get("Location")
	if a := b.piece(at, 0, strings.Repeat("x", 100)); a.StatusCode < 400 || a.StatusCode >= 500 {
		t.Errorf("more than announced: %d", a.StatusCode)
	}
	a := b.do("POST", "/s/"+token+"/uploads", "", "Tus-Resumable", "1.0.0", "Upload-Defer-Length", "1", "Upload-Metadata", meta("c.bin")).want(201)
	at = a.Header.Get("Location")
	b.piece(at, 0, "01234").want(204)
	b.piece(at, 5, "0123456789").want(413)
	_, below, err := h.tree().Find(t.Context(), vpath.Must("/firm/Clients/In"), true, files.Want{})
	h.ok(err)
	for _, n := range below {
		if n.Size > 10 || n.Path.Name() == "c.bin" {
			t.Errorf("%s has %d bytes", n.Path.Name(), n.Size)
		}
	}
}

// What is under way by a link counts against the link, whoever sends it and by
// whatever replica: many visitors are made by one person in a moment.
func TestUploadsOfALinkTogether(t *testing.T) {
	for name, open := range stores() {
		t.Run(name, func(t *testing.T) {
			both := open(t)
			h := newHouse(t, both[0], both[1])
			_, token := h.link(sharing.LinkWish{Mode: sharing.LinkInbox, MaxBytes: 100, MaxFiles: 3}, "/firm/Clients/In")
			h.ok(h.replicas[1].files.GrantsChanged(t.Context()))
			one, two := h.browser(), h.browser()
			two.base = h.replicas[1].server.URL
			one.get("/s/" + token).want(200)
			two.get("/s/" + token).want(200)
			first := one.begin(token, "a.bin", "60").want(201).Header.Get("Location")
			two.begin(token, "b.bin", "41").want(429).has("no room")
			two.do("POST", "/s/"+token+"/uploads", "", "Tus-Resumable", "1.0.0", "Upload-Defer-Length", "1", "Upload-Metadata", meta("d.bin")).want(429)
			second := two.begin(token, "b.bin", "40").want(201).Header.Get("Location")
			one.begin(token, "c.bin", "1").want(429)
			two.do("DELETE", second, "", "Tus-Resumable", "1.0.0").want(204)
			second = two.begin(token, "b.bin", "20").want(201).Header.Get("Location")
			two.begin(token, "c.bin", "10").want(201)
			one.begin(token, "d.bin", "1").want(429).has("3 files")
			two.piece(second, 0, strings.Repeat("b", 20)).want(204)
			// What has arrived counts once: as a file of the link.
			one.begin(token, "d.bin", "1").want(429).has("3 files")
			one.piece(first, 0, strings.Repeat("a", 60)).want(204)
		})
	}
}

// What nobody has gone on with for a day is in nobody's way.
func TestUploadsOfALinkGivenUp(t *testing.T) {
	h := newHouse(t)
	_, token := h.link(sharing.LinkWish{Mode: sharing.LinkInbox, MaxBytes: 100}, "/firm/Clients/In")
	b := h.browser()
	b.get("/s/" + token).want(200)
	b.begin(token, "a.bin", "100").want(201)
	b.begin(token, "b.bin", "1").want(429)
	h.clock.add(25 * time.Hour)
	other := h.browser()
	other.get("/s/" + token).want(200)
	other.begin(token, "b.bin", "100").want(201)
}

// A link without limits has one of uploads at once, for all visitors together.
func TestUploadsOfALinkAtOnce(t *testing.T) {
	h := newHouse(t)
	_, token := h.link(sharing.LinkWish{Mode: sharing.LinkInbox}, "/firm/Clients/In")
	_, other := h.link(sharing.LinkWish{Mode: sharing.LinkInbox}, "/firm/Clients/In")
	var last *visitor
	for i := range 64 {
		if i%20 == 0 {
			last = h.browser()
			last.get("/s/" + token).want(200)
		}
		last.begin(token, fmt.Sprintf("%d.bin", i), "5").want(201)
	}
	stranger := h.browser()
	stranger.get("/s/" + token).want(200)
	stranger.begin(token, "x.bin", "5").want(429).has("64 files")
	stranger.get("/s/" + other).want(200)
	stranger.begin(other, "x.bin", "5").want(201)
}
