package link_test

import (
	"regexp"
	"strings"
	"testing"

	"portico/portal/link"
	"portico/sharing"
)

// as is a browser in which somebody of the firm is signed in.
func (h *house) as(login string) *visitor {
	h.Helper()
	return h.browser().with("Cookie", "sid="+login)
}

func TestStaffMakesALink(t *testing.T) {
	h := newHouse(t)
	h.browser().get("/links").want(303)
	ann := h.as("ann")
	ann.get("/links").want(200).has("You have made no link yet")
	ann.get("/links/new?path=/firm/Clients/Acme").want(200).has("Acme", "put files in", "Make link")
	ann.get("/links/new?path=/firm/Clients/sibling.txt").want(200).hasNot("put files in")
	ann.get("/links/new?in=/firm/Clients&item=Acme&item=sibling.txt").want(200).has("Acme", "sibling.txt")
	ann.get("/links/new?path=/firm/HR").want(404)
	ann.get("/links/new").want(422)
	page := ann.send("/links", "path", "/firm/Clients/Acme", "mode", "read", "name", "Carol <b>", "password", linkPassword, "downloads", "3").want(200).
		has("The link is ready", "<svg class=\"qr\"", "/dav/link/gwl_")
	token := regexp.MustCompile(`gwl_[0-9a-z]{32}`).FindString(page.text)
	h.browser().get("/s/" + token).want(401)
	list := ann.get("/links").want(200).has("Acme", "Carol &lt;b&gt;", "in force", "0 downloads").hasNot(token)
	id := regexp.MustCompile(`/link/([0-9a-z]{16})"`).FindStringSubmatch(list.text)[1]
	ann.get("/link/"+id).want(200).has("Carol &lt;b&gt;", "Take the password away", `value="3"`).hasNot(token)
	for _, other := range []string{"bob", "hal"} {
		h.as(other).get("/link/" + id).want(404)
		h.as(other).send("/link/" + id + "/revoke").want(404)
		h.as(other).send("/link/" + id + "/renew").want(404)
		h.as(other).get("/links").want(200).hasNot("Acme")
	}
	ann.send("/link/"+id, "mode", "read", "name", "Carol", "unlock", "yes").want(303)
	h.browser().get("/s/" + token).want(200)
	ann.send("/link/"+id, "mode", "read", "password", "short").want(422).has("12")
	ann.send("/link/"+id, "mode", "read", "downloads", "many").want(422).has("many")
	again := ann.send("/link/" + id + "/renew").want(200).has("The link is ready")
	next := regexp.MustCompile(`gwl_[0-9a-z]{32}`).FindString(again.text)
	h.browser().get("/s/" + token).want(404)
	h.browser().get("/s/" + next).want(200)
	ann.send("/link/" + id + "/revoke").want(303)
	h.browser().get("/s/" + next).want(410)
	ann.get("/links").want(200).has("revoked")
}

func TestQR(t *testing.T) {
	svg, err := link.QR("https://files.firm.example/s/gwl_00000000000000000000000000000000", `a "label"`)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`viewBox="0 0 `, `aria-label="a &#34;label&#34;"`, "M4 4h7v1h-7z"} { // the corner's mark
		if !strings.Contains(string(svg), want) {
			t.Errorf("no %q in %s", want, svg)
		}
	}
}

// Names from outside stand as text wherever they are shown.
func TestOddNames(t *testing.T) {
	h := newHouse(t)
	odd := `<img src=x onerror=alert(1)>"'&.txt`
	h.write("/firm/Clients/Acme/"+odd, "x")
	_, token := h.link(sharing.LinkWish{}, "/firm/Clients/Acme")
	b := h.browser()
	b.get("/s/"+token).want(200).has("&lt;img src=x").hasNot("<img src=x", "onerror=alert(1)>")
	href := regexp.MustCompile(`/s/[^"]*/d/Acme/[^"]*img[^"]*`).FindString(b.get("/s/" + token).text)
	a := b.get(strings.ReplaceAll(strings.ReplaceAll(href, "&#39;", "'"), "&amp;", "&")).want(200)
	if d := a.Header.Get("Content-Disposition"); !strings.HasPrefix(d, "attachment") {
		t.Errorf("disposition %q", d)
	}
}
