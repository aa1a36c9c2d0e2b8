package link_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"portico/files"
	"portico/identity"
	"portico/identity/identitytest"
	"portico/sharing"
	"portico/vpath"
)

// The tests of this file are the rows of THREATS.md on links, by their numbers.

// reading are all ways to read by a link, of a path p inside it.
func reading(token, p string) [][2]string {
	return [][2]string{
		{"GET", "/s/" + token + "/d" + p},
		{"HEAD", "/s/" + token + "/d" + p},
		{"GET", "/s/" + token + "/v" + p},
		{"GET", "/s/" + token + "/f" + p},
		{"GET", "/s/" + token + "/zip?in=" + p},
		{"GET", "/dav/link/" + token + p},
		{"HEAD", "/dav/link/" + token + p},
		{"PROPFIND", "/dav/link/" + token + p},
	}
}

// same compares two answers, but for the path that was asked for.
func same(t *testing.T, a, b answer, known, unknown string) {
	t.Helper()
	if a.StatusCode != b.StatusCode || strings.ReplaceAll(a.text, known, "X") != strings.ReplaceAll(b.text, unknown, "X") {
		t.Errorf("%s %s: %d, and for a free name %d\n%s\n%s", a.Request.Method, a.Request.URL.Opaque, a.StatusCode, b.StatusCode, clip(a.text), clip(b.text))
	}
}

// Row 26 and 28: a blind drop tells nothing of what lies there.
func TestRow26InboxShowsNothing(t *testing.T) {
	h := newHouse(t)
	_, token := h.link(sharing.LinkWish{Mode: sharing.LinkInbox}, "/firm/Clients/In")
	b := h.browser()
	b.get("/s/" + token).want(200).hasNot("known")
	b.get("/s/" + token + "/f/In").want(200).hasNot("known")
	zip := h.curl().get("/s/" + token + "/zip")
	zip.hasNot("known.pdf")
	for _, client := range []*visitor{h.curl(), b} {
		known, unknown := reading(token, "/In/known.pdf"), reading(token, "/In/nobody.pdf")
		for i := range known {
			a := client.do(known[i][0], known[i][1], "", "Range", "bytes=0-1", "Depth", "0").hasNot(`"5"`)
			if a.StatusCode != 404 && a.StatusCode != 403 {
				t.Errorf("%s %s: %d", known[i][0], known[i][1], a.StatusCode)
			}
			same(t, a, client.do(unknown[i][0], unknown[i][1], "", "Range", "bytes=0-1", "Depth", "0"), "known", "nobody")
		}
	}
	for _, depth := range []string{"0", "1"} {
		h.curl().do("PROPFIND", "/dav/link/"+token+"/In", "", "Depth", depth).want(207).hasNot("known")
	}
	for _, path := range []string{"/thumb?f=known.pdf", "/edit/known.pdf", "/search?q=known", "/preview/known.pdf", "/dl/known.pdf"} {
		b.get("/s/"+token+path).want(404).hasNot("<td", "known.pdf\"")
	}
}

// Row 30: before the password nothing of a link is told.
func TestRow30LockedTellsNothing(t *testing.T) {
	h := newHouse(t)
	v, token := h.link(sharing.LinkWish{Password: linkPassword, Name: "canary-name"}, "/firm/Clients/Acme/canary-letter.txt")
	secrets := []string{"canary", "Ann", v.ID, "txt", "11", "2026"}
	for _, path := range []string{"", "/", "/f/canary-letter.txt", "/d/canary-letter.txt", "/v/canary-letter.txt", "/zip"} {
		for _, client := range []*visitor{h.browser(), h.curl()} {
			a := client.get("/s/" + token + path).want(401)
			a.Header.Del("Date")
			a.Header.Del("Content-Length")
			a.hasNot(secrets[:4]...)
			if client.headers.Get("Accept") != "" {
				a.has("Peeters &amp; Co", "password")
			}
			if a.Header.Get("Last-Modified")+a.Header.Get("ETag")+a.Header.Get("Content-Disposition") != "" {
				t.Errorf("%s: %v", path, a.Header)
			}
		}
	}
}

// Row 31 and 44: no route forgets the password, or the proof of an address.
func TestRow31EveryRouteAsks(t *testing.T) {
	h := newHouse(t)
	for name, wish := range map[string]sharing.LinkWish{"password": {Password: linkPassword}, "mail": {AskMail: true}} {
		_, token := h.link(wish, "/firm/Clients/Acme")
		for _, client := range []*visitor{h.browser(), h.curl()} {
			for _, way := range reading(token, "/Acme/canary-letter.txt") {
				a := client.do(way[0], way[1], "", "Range", "bytes=0-1").hasNot("canary text")
				if a.StatusCode != 401 && (name != "mail" || a.StatusCode != 403) {
					t.Errorf("%s: %s %s: %d", name, way[0], way[1], a.StatusCode)
				}
			}
			client.do("PUT", "/s/"+token+"/x.txt", "x").want(401)
			client.send("/s/"+token+"/name", "name", "x").want(401)
		}
	}
	_, token := h.link(sharing.LinkWish{Password: linkPassword}, "/firm/Clients/Acme")
	c := h.curl().basic(linkPassword)
	c.get("/s/" + token + "/d/Acme/canary-letter.txt").want(200).has("canary text")
	c.do("PROPFIND", "/dav/link/"+token+"/Acme", "", "Depth", "1").want(207).has("canary-letter.txt")
}

// Row 32: a preview is refused like what it shows.
func TestRow32Preview(t *testing.T) {
	h := newHouse(t)
	_, token := h.link(sharing.LinkWish{}, "/firm/Clients/Acme")
	a := h.curl().get("/s/" + token + "/v/Acme/priv/hidden.txt").want(404)
	same(t, a, h.curl().get("/s/"+token+"/v/Acme/priv/nobody.txt"), "hidden", "nobody")
}

// Row 33 and 34: an unlocked browser has a cookie of its own, which ends with the
// password that it was given for.
func TestRow33Unlock(t *testing.T) {
	h := newHouse(t)
	v, token := h.link(sharing.LinkWish{Password: linkPassword}, "/firm/Clients/Acme")
	_, other := h.link(sharing.LinkWish{Password: "another one of them"}, "/firm/Clients/Acme")
	b := h.browser().with("Cookie", sharing.LinkCookie(token)+"=planted")
	b.send("/s/"+token+"/unlock", "password", "wrong password").want(401).has("The password is wrong.")
	a := b.send("/s/"+token+"/unlock", "password", linkPassword).want(303)
	cookie := a.Cookies()[0]
	if cookie.Value == "planted" || len(cookie.Value) < 43 || !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode {
		t.Errorf("cookie %v", cookie)
	}
	b = h.browser()
	b.with("Cookie", sharing.LinkCookie(token)+"=planted").get("/s/" + token).want(401)
	b.send("/s/"+token+"/unlock", "password", linkPassword).want(303)
	b.get("/s/" + token).want(200)
	b.get("/s/" + other).want(401)
	_, err := h.replicas[0].sh.ChangeLink(t.Context(), h.by("ann"), v.ID, sharing.LinkWish{Mode: sharing.LinkRead, Password: "four white horses run"})
	h.ok(err)
	b.get("/s/" + token).want(401)
	h.curl().basic(linkPassword).get("/s/" + token + "/zip").want(401) // a proof that was remembered
}

// Row 35: a view-only link gives no bytes by any route but the preview.
func TestRow35ViewOnly(t *testing.T) {
	h := newHouse(t)
	_, token := h.link(sharing.LinkWish{ViewOnly: true}, "/firm/Clients/Acme")
	b := h.browser()
	b.get("/s/"+token).want(200).hasNot("/d/", "/zip")
	b.get("/s/"+token+"/f/Acme/canary-letter.txt").want(200).has("camera", "canary text").hasNot("/d/")
	for _, path := range []string{"/s/" + token + "/d/Acme/canary-letter.txt", "/s/" + token + "/zip", "/dav/link/" + token + "/Acme/canary-letter.txt"} {
		for _, pairs := range [][]string{{}, {"Range", "bytes=0-3"}} {
			h.curl().get(path, pairs...).want(403).hasNot("canary text")
		}
	}
	h.curl().do("HEAD", "/s/"+token+"/d/Acme/canary-letter.txt", "").want(403)
	b.get("/s/" + token + "/v/Acme/canary-letter.txt").want(200)
}

// Row 36: a link is worth no more than its giver's rights now.
func TestRow36GiverHasLeft(t *testing.T) {
	h := newHouse(t)
	v, token := h.link(sharing.LinkWish{Password: linkPassword}, "/firm/Clients/Acme")
	h.browser().get("/s/" + token).want(401)
	h.people.Drop("ann")
	for _, client := range []*visitor{h.browser(), h.curl(), h.curl().basic(linkPassword)} {
		for _, way := range append(reading(token, "/Acme"), [2]string{"GET", "/s/" + token}) {
			client.do(way[0], way[1], "").want(410).hasNot("Acme", "canary", "Ann")
		}
	}
	_ = v
}

// Row 38: a link is never made of what its giver does not see.
func TestRow38AbsentThings(t *testing.T) {
	h := newHouse(t)
	try := func(p string) string {
		_, _, err := h.replicas[0].sh.MakeLink(t.Context(), h.by("ann"), sharing.LinkWish{Items: []vpath.Path{vpath.Must(p)}, Mode: sharing.LinkRead})
		if err == nil {
			t.Fatalf("a link of %s was made", p)
		}
		return strings.ReplaceAll(err.Error(), p, "X")
	}
	if a, b, c := try("/firm/HR/nothing"), try("/firm/HR"), try("/firm/Clients/nothing"); a != b || b != c {
		t.Errorf("%q %q %q", a, b, c)
	}
}

// Row 39 and 43: a link of one file opens that file.
func TestRow39OneFile(t *testing.T) {
	h := newHouse(t)
	_, token := h.link(sharing.LinkWish{}, "/firm/Clients/sibling.txt")
	for _, p := range []string{"/canary-letter.txt", "/Clients/sibling.txt", "/firm/Clients/sibling.txt", "/Acme/canary-letter.txt", "/In"} {
		for _, way := range reading(token, p) {
			h.curl().do(way[0], way[1], "", "Depth", "1").want(404)
		}
	}
	h.curl().do("PROPFIND", "/dav/link/"+token+"/", "", "Depth", "1").want(207).has("sibling.txt").hasNot("Clients", "Acme")
}

// Row 40: a path that leaves the link is none, and a read link writes nothing.
func TestRow40Traversal(t *testing.T) {
	h := newHouse(t)
	_, token := h.link(sharing.LinkWish{}, "/firm/Clients/Acme")
	for _, dots := range []string{"/..%2fsibling.txt", "/%2e%2e/sibling.txt", "/Acme/%2e%2e/%2e%2e/sibling.txt", "/Acme%5c..%5csibling.txt", "//sibling.txt", "/Acme/..;/x%00"} {
		for _, way := range reading(token, dots) {
			if strings.Contains(way[1], "zip") {
				continue
			}
			a := h.curl().do(way[0], way[1], "").hasNot("sibling\n")
			if a.StatusCode != 400 && a.StatusCode != 404 && a.StatusCode != 307 && a.StatusCode != 301 {
				t.Errorf("%s %s: %d", way[0], way[1], a.StatusCode)
			}
		}
		h.curl().do("MOVE", "/dav/link/"+token+"/Acme/canary-letter.txt", "", "Destination", "/dav/link/"+token+dots).hasNot("sibling\n")
	}
	writes := []struct{ method, path, to string }{
		{"PUT", "/Acme/new.txt", ""},
		{"PUT", "/Acme/canary-letter.txt", ""},
		{"DELETE", "/Acme/canary-letter.txt", ""},
		{"DELETE", "/Acme", ""},
		{"MKCOL", "/Acme/new", ""},
		{"COPY", "/Acme/canary-letter.txt", "/Acme/copy.txt"},
		{"MOVE", "/Acme/canary-letter.txt", "/Acme/moved.txt"},
		{"PROPPATCH", "/Acme/canary-letter.txt", ""},
		{"LOCK", "/Acme/canary-letter.txt", ""},
		{"LOCK", "/Acme/ghost.txt", ""},
	}
	for _, c := range writes {
		body := "x"
		switch c.method {
		case "PROPPATCH":
			body = `<propertyupdate xmlns="DAV:"><set><prop><x xmlns="urn:x">1</x></prop></set></propertyupdate>`
		case "LOCK":
			body = `<lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope><locktype><write/></locktype></lockinfo>`
		case "MKCOL", "COPY", "MOVE", "DELETE":
			body = ""
		}
		a := h.curl().do(c.method, "/dav/link/"+token+c.path, body, "Destination", "/dav/link/"+token+c.to)
		if a.StatusCode != 403 && (c.method != "PROPPATCH" || a.StatusCode != 207 || strings.Contains(a.text, "200 OK")) {
			t.Errorf("%s %s: %d %s", c.method, c.path, a.StatusCode, clip(a.text))
		}
	}
	h.curl().do("PUT", "/s/"+token+"/new.txt", "x").want(403)
	for _, method := range []string{"DELETE", "POST"} {
		h.curl().do(method, "/s/"+token+"/d/Acme/canary-letter.txt", "").want(405)
	}
	_, below, err := h.tree().Find(t.Context(), vpath.Must("/firm/Clients/Acme"), true, files.Want{})
	if h.ok(err); len(below) != 4 {
		t.Errorf("the folder holds %d things", len(below))
	}
	// From one link to another, and to the staff's drive, nothing is copied.
	_, other := h.link(sharing.LinkWish{Mode: sharing.LinkDeposit}, "/firm/Clients/In")
	for _, to := range []string{"/dav/link/" + other + "/In/x.txt", "/dav/firm/Clients/In/x.txt", "/dav/shared/In/x.txt"} {
		h.curl().do("COPY", "/dav/link/"+token+"/Acme/canary-letter.txt", "", "Destination", to).want(502)
	}
}

// Row 41: a rule of the giver's holds below what a link opens.
func TestRow41DenyHolds(t *testing.T) {
	h := newHouse(t)
	_, token := h.link(sharing.LinkWish{}, "/firm/Clients/Acme")
	h.browser().get("/s/" + token).want(200).hasNot("priv")
	h.curl().get("/s/"+token+"/zip").want(200).hasNot("priv", "hidden.txt")
	h.curl().do("PROPFIND", "/dav/link/"+token+"/Acme", "", "Depth", "1").want(207).hasNot("priv")
	for _, way := range reading(token, "/Acme/priv/hidden.txt") {
		h.curl().do(way[0], way[1], "").want(404)
	}
}

// Row 47: no list has a secret.
func TestRow47NoSecretInLists(t *testing.T) {
	h := newHouse(t)
	_, token := h.link(sharing.LinkWish{Password: linkPassword}, "/firm/Clients/Acme")
	sh := h.replicas[0].sh
	mine, err := sh.LinksOf(t.Context(), h.by("ann"))
	h.ok(err)
	all, err := sh.LinksAt(t.Context(), h.by("root"), vpath.Must("/firm/Clients"))
	h.ok(err)
	text, err := json.Marshal([]any{mine, all})
	h.ok(err)
	for _, secret := range []string{token, token[4:], "argon2", linkPassword} {
		if strings.Contains(string(text), secret) {
			t.Errorf("a list has %q: %s", secret, text)
		}
	}
	if len(mine) != 1 || len(all) != 1 { // row 50: every link is in an owner's list
		t.Errorf("%d and %d links", len(mine), len(all))
	}
}

// Row 48: a link is ended by its giver, and with the thing itself and no other.
func TestRow48DropsOnlyItsOwn(t *testing.T) {
	h := newHouse(t)
	h.mkdir("/firm/Clients/A")
	h.mkdir("/firm/Clients/AB")
	v, a := h.link(sharing.LinkWish{}, "/firm/Clients/A")
	_, ab := h.link(sharing.LinkWish{}, "/firm/Clients/AB")
	if err := h.replicas[0].sh.RevokeLink(t.Context(), h.by("bob"), v.ID); err == nil {
		t.Error("bob ended it")
	}
	h.ok(h.tree().Delete(t.Context(), vpath.Must("/firm/Clients/A"), files.Guard{}))
	h.browser().get("/s/" + a).want(410)
	h.browser().get("/s/" + ab).want(200)
	h.mkdir("/firm/Clients/A") // a new thing under an old name inherits nothing
	h.browser().get("/s/" + a).want(410)
}

// Row 51: tokens cannot be guessed.
func TestRow51Guessing(t *testing.T) {
	h := newHouse(t)
	_, token := h.link(sharing.LinkWish{}, "/firm/Clients/Acme")
	c := h.curl()
	seen := map[int]int{}
	for i := range 50 {
		path := fmt.Sprintf("/s/gwl_%032d", i)
		if i%2 == 1 {
			path = fmt.Sprintf("/dav/link/gwl_%032d/", i)
		}
		seen[c.get(path).StatusCode]++
	}
	if seen[404] != 30 || seen[429] != 20 {
		t.Errorf("answers %v", seen)
	}
	valid, invalid := c.get("/s/"+token).want(429), c.get("/s/gwl_00000000000000000000000000000000").want(429)
	if valid.text != invalid.text || valid.Header.Get("Retry-After") == "" {
		t.Errorf("%q and %q", valid.text, invalid.text)
	}
	c.with("X-Test-Address", "198.51.100.7").get("/s/" + token + "/d/Acme/canary-letter.txt").want(200)
	h.clock.add(2 * time.Minute)
	c.get("/s/" + token + "/d/Acme/canary-letter.txt").want(200)
}

// Row 52: a deposit is measured as it comes, whatever was announced.
func TestRow52Measured(t *testing.T) {
	h := newHouse(t)
	_, token := h.link(sharing.LinkWish{Mode: sharing.LinkInbox, MaxFileBytes: 10, MaxBytes: 25}, "/firm/Clients/In")
	c := h.curl()
	for _, path := range []string{"/s/" + token + "/x.bin", "/dav/link/" + token + "/In/x.bin"} {
		c.do("PUT", path, "eleven bytes").want(413)
		a, err := c.try("PUT", path, io.MultiReader(strings.NewReader("eleven"), strings.NewReader(" bytes"))) // in chunks
		if err == nil {
			a.want(413)
		}
	}
	for range 2 {
		c.do("PUT", "/s/"+token+"/x.bin", "0123456789").want(201)
	}
	c.do("PUT", "/s/"+token+"/x.bin", "0123456789").want(413)
	c.do("PUT", "/s/"+token+"/x.bin", "01234").want(201)
	_, below, err := h.tree().Find(t.Context(), vpath.Must("/firm/Clients/In"), true, files.Want{})
	if h.ok(err); len(below) != 4 {
		t.Errorf("the folder holds %d things, want those and known.pdf", len(below))
	}
}

// Row 53: a depositor learns nothing of the room that is left, nor of others.
func TestRow53NoCounters(t *testing.T) {
	h := newHouse(t)
	_, token := h.link(sharing.LinkWish{Mode: sharing.LinkInbox}, "/firm/Clients/In")
	ask := `<propfind xmlns="DAV:"><prop><quota-used-bytes/><getlastmodified/><creationdate/></prop></propfind>`
	before := h.curl().do("PROPFIND", "/dav/link/"+token+"/In", ask, "Depth", "0").want(207)
	h.clock.add(time.Hour)
	h.write("/firm/Clients/In/more.txt", "more")
	after := h.curl().do("PROPFIND", "/dav/link/"+token+"/In", ask, "Depth", "0").want(207)
	if before.text != after.text {
		t.Errorf("a sibling shows:\n%s\n%s", before.text, after.text)
	}
}

// Row 57: wrong passwords of a link count with those of people, by address.
func TestRow57OneCounter(t *testing.T) {
	h := newHouse(t)
	h.people.Set(identitytest.Person{Login: "carl", Name: "Carl", Password: "portico-demo"})
	var tokens []string
	for range 4 {
		_, token := h.link(sharing.LinkWish{Password: linkPassword}, "/firm/Clients/Acme")
		tokens = append(tokens, token)
	}
	c := h.curl()
	for i := range 20 {
		token := tokens[i%4]
		wrong := c.basic("wrong password " + number(i))
		path := "/s/" + token + "/d/Acme/canary-letter.txt"
		if i%2 == 1 {
			path = "/dav/link/" + token + "/Acme"
		}
		wrong.get(path).want(401)
		h.clock.add(time.Second)
	}
	for _, path := range []string{"/s/" + tokens[0] + "/zip", "/dav/link/" + tokens[1] + "/Acme"} {
		if a := c.basic(linkPassword).get(path).want(429); a.Header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
	}
	r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, c.base, nil)
	r.SetBasicAuth("ann", "portico-demo")
	if who, err := h.people.Authenticate(t.Context(), identity.Login("ann"), "portico-demo"); err != nil || who.Login != "ann" {
		t.Fatal(err)
	}
	c.with("Authorization", r.Header.Get("Authorization")).do("PROPFIND", "/dav/", "").want(429)
	c.with("X-Test-Address", "198.51.100.9").basic(linkPassword).get("/s/" + tokens[0] + "/zip").want(200)
}

// No log and no audit row has a token or a password.
func TestNothingSecretIsWritten(t *testing.T) {
	h := newHouse(t)
	_, token := h.link(sharing.LinkWish{Password: linkPassword, MaxDownloads: 1}, "/firm/Clients/Acme")
	c := h.curl().basic(linkPassword)
	c.get("/s/" + token + "/d/Acme/canary-letter.txt").want(200)
	c.get("/s/" + token + "/d/Acme/nothing").want(410)
	c.do("PROPFIND", "/dav/link/"+token+"/", "").want(410)
	h.curl().basic("wrong password").get("/s/" + token).want(410)
	text, err := json.Marshal(append(h.audit.Recorded(), h.audit.Appended()...))
	h.ok(err)
	for _, where := range []string{string(text), h.log.String()} {
		for _, secret := range []string{token, linkPassword, "wrong password"} {
			if strings.Contains(where, secret) {
				t.Errorf("%q is written: %s", secret, clip(where))
			}
		}
	}
}
