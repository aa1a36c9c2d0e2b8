package link_test

import (
	"encoding/base64"
	"strconv"
	"strings"
	"testing"

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
