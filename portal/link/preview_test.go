package link_test

import (
	"io"
	"strings"
	"testing"

	"portico/files"
	"portico/sharing"
	"portico/vpath"
)

// large writes a file of so many zeros.
func (h *house) large(p string, size int64) {
	h.Helper()
	_, _, err := h.tree().Put(h.Context(), vpath.Must(p), io.LimitReader(zeros{}, size), files.PutOptions{Size: size})
	h.ok(err)
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// Sounds and films play on the page, in the pieces that a player asks for.
func TestMediaPlay(t *testing.T) {
	h := newHouse(t)
	h.write("/firm/Clients/Acme/talk.mp3", "0123456789")
	h.write("/firm/Clients/Acme/film.mp4", "0123456789")
	_, token := h.link(sharing.LinkWish{}, "/firm/Clients/Acme")
	b := h.browser()
	b.get("/s/"+token+"/f/Acme/talk.mp3").want(200).has("<audio controls preload", `src="/s/`+token+`/v/Acme/talk.mp3"`)
	b.get("/s/" + token + "/f/Acme/film.mp4").want(200).has("<video controls preload").hasNot("nodownload")
	a := b.get("/s/"+token+"/v/Acme/film.mp4", "Range", "bytes=0-").want(206)
	if a.text != "0123456789" || a.Header.Get("Content-Range") != "bytes 0-9/10" {
		t.Errorf("%q %v", a.text, a.Header)
	}
	a = b.get("/s/"+token+"/v/Acme/film.mp4?download", "Range", "bytes=3-5").want(206)
	for header, want := range map[string]string{
		"Content-Type": "video/mp4", "Content-Range": "bytes 3-5/10", "Accept-Ranges": "bytes", "Cache-Control": "private, no-store",
		"Content-Disposition": `inline; filename="film.mp4"`, "X-Content-Type-Options": "nosniff", "Cross-Origin-Resource-Policy": "same-origin",
	} {
		if got := a.Header.Get(header); got != want {
			t.Errorf("%s: %q, want %q", header, got, want)
		}
	}
	if a.text != "345" || !strings.HasPrefix(a.Header.Get("Content-Security-Policy"), "sandbox; default-src 'none'") {
		t.Errorf("%q %v", a.text, a.Header)
	}
	b.get("/s/"+token+"/v/Acme/film.mp4", "Range", "bytes=10-").want(416)
	b.get("/s/"+token+"/v/Acme/page.html", "Range", "bytes=0-").want(403).hasNot("script>alert")
	b.get("/s/" + token + "/v/Acme").want(409)
	b.get("/s/" + token + "/v/Acme/priv/hidden.txt").want(404)
}

// A preview is no download, and no way to one: it is refused with the link, when
// its last download was taken as well, and beyond a size where downloads are not
// free. The sentence says so, and the player offers no file.
func TestPreviewIsNoWayAround(t *testing.T) {
	h := newHouse(t)
	h.write("/firm/Clients/Acme/talk.mp3", "0123456789")
	h.large("/firm/Clients/Acme/film.mp4", sharing.MaxPreview+1)
	h.large("/firm/Clients/Acme/photo.png", sharing.MaxPreview+1)
	free, freeToken := h.link(sharing.LinkWish{}, "/firm/Clients/Acme")
	_, look := h.link(sharing.LinkWish{ViewOnly: true}, "/firm/Clients/Acme")
	few, counted := h.link(sharing.LinkWish{MaxDownloads: 1}, "/firm/Clients/Acme")
	b := h.browser()
	b.get("/s/" + freeToken + "/f/Acme/film.mp4").want(200).has("<video")
	b.get("/s/"+freeToken+"/v/Acme/film.mp4", "Range", "bytes=63999996-").want(206)
	b.get("/s/"+freeToken+"/f/Acme/photo.png").want(200).has("too large", "64").hasNot("<img src=\"/s/")
	b.get("/s/" + freeToken + "/v/Acme/photo.png").want(403).has("too large")
	for _, token := range []string{look, counted} {
		b.get("/s/"+token+"/f/Acme/film.mp4").want(200).has("too large", "64").hasNot("<video")
		for _, pairs := range [][]string{{}, {"Range", "bytes=0-3"}, {"Range", "bytes=-3"}} {
			h.curl().get("/s/"+token+"/v/Acme/film.mp4", pairs...).want(403).has("too large")
		}
		b.get("/s/" + token + "/f/Acme/talk.mp3").want(200).has(`controlslist="nodownload"`)
	}
	h.curl().get("/s/"+look+"/d/Acme/talk.mp3", "Range", "bytes=0-3").want(403)
	for range 5 { // as often as one likes
		b.get("/s/" + counted + "/v/Acme/talk.mp3").want(200)
		b.get("/s/"+counted+"/v/Acme/talk.mp3", "Range", "bytes=4-").want(206)
	}
	for _, v := range []sharing.LinkView{free, few} {
		if l, _, err := h.replicas[0].state.LinkByID(t.Context(), v.ID); err != nil || l.Downloads != 0 {
			t.Errorf("%d downloads, %v", l.Downloads, err)
		}
	}
	h.curl().get("/s/" + counted + "/d/Acme/canary-letter.txt").want(200)
	b.get("/s/" + counted + "/v/Acme/talk.mp3").want(410)
	h.ok(h.replicas[0].sh.RevokeLink(t.Context(), h.by("ann"), free.ID))
	b.get("/s/"+freeToken+"/v/Acme/talk.mp3", "Range", "bytes=0-3").want(410)
}

// What asks a password or a mail address asks it before a preview, too; and where
// one may only deposit there is none.
func TestPreviewAsks(t *testing.T) {
	h := newHouse(t)
	h.write("/firm/Clients/In/talk.mp3", "0123456789")
	_, locked := h.link(sharing.LinkWish{Password: linkPassword}, "/firm/Clients/In")
	_, named := h.link(sharing.LinkWish{AskMail: true}, "/firm/Clients/In")
	_, inbox := h.link(sharing.LinkWish{Mode: sharing.LinkInbox}, "/firm/Clients/In")
	for token, status := range map[string]int{locked: 401, named: 401, inbox: 404} {
		h.browser().get("/s/"+token+"/v/In/talk.mp3", "Range", "bytes=0-3").want(status).hasNot("0123")
		h.curl().get("/s/" + token + "/v/In/talk.mp3").want(status).hasNot("0123")
	}
}
