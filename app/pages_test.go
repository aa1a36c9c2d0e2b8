package app

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"portico/audit"
)

// TestPages walks the pages of a person through the real listener.
func TestPages(t *testing.T) {
	h := start(t, "{storage: disk,", "{title: Peeters and Co, storage: disk,")
	b := h.browser()
	if got := b.get("/account"); got.status != 303 || got.header.Get("Location") != "/login?next=%2Faccount" {
		t.Errorf("/account of nobody: %d to %q", got.status, got.header.Get("Location"))
	}
	if got := b.signIn("ann", "wrong horse battery"); got.status != 401 || !strings.Contains(got.text, "The name or the password is wrong.") {
		t.Errorf("a wrong password: %d", got.status)
	}
	if got := b.signIn("ann", password); got.status != 303 {
		t.Fatalf("sign-in: %d, %s", got.status, got.text)
	}
	// An app password may be made for the drives that she sees, by their titles.
	if got := b.get("/account"); got.status != 200 || !strings.Contains(got.text, "Peeters and Co") {
		t.Errorf("/account: %d, %s", got.status, got.text)
	}
	if got := b.get("/api/v1/app-passwords"); got.status != 200 {
		t.Errorf("the API with a session: %d, %s", got.status, got.text)
	}
	// The drive looks at no cookie: a page must not be able to make its requests.
	if got := b.get("/dav/firm/"); got.status != 401 {
		t.Errorf("the drive with a session: %d, want 401", got.status)
	}
	if got := b.send("/logout"); got.status != 303 {
		t.Errorf("logout: %d", got.status)
	}
	if got := b.get("/account"); got.status != 303 {
		t.Errorf("/account after the logout: %d", got.status)
	}
}

// TestPasswordEndsSessions wants a new password in the config to end what the old
// one began, at once, and no other change to do so.
func TestPasswordEndsSessions(t *testing.T) {
	const next = "another-horse-battery"
	h := start(t)
	b := h.browser()
	b.signIn("ann", password)
	page := func(when string, want int) {
		t.Helper()
		if got := b.get("/account"); got.status != want {
			t.Errorf("/account %s: %d, want %d", when, got.status, want)
		}
	}
	page("after the sign-in", 200)
	h.edit("editor", "viewer")
	page("after a change that is not about her password", 200)
	h.edit(hashOf(password), hashOf(next))
	page("after her password changed", 303)
	h.edit(hashOf(next), hashOf(password))
	if got := b.signIn("ann", password); got.status != 303 {
		t.Errorf("sign-in: %d", got.status)
	}
	page("after she signed in again", 200)
	h.edit(`"user:ann": viewer`, "everyone: viewer")
	page("after another change", 200)
	h.edit("    ann:", "    zoe:")
	page("after she was taken out of the config", 303)
}

// TestPasswordStamp wants it to change with the password, and to tell nothing of it.
func TestPasswordStamp(t *testing.T) {
	h := build(t)
	stamp := h.passwordStamp("user:ann")
	if stamp == "" || stamp != h.passwordStamp("user:ann") || stamp == h.passwordStamp("user:zoe") || strings.Contains(hashOf(password), stamp) {
		t.Errorf("stamp = %q", stamp)
	}
	if got := h.passwordStamp("ldap:1"); got != "" {
		t.Errorf("the stamp of somebody of the directory is %q; only the directory knows their password", got)
	}
}

// doors are all routes that look at passwords, by what the audit calls them.
func doors(v *visitor) []struct {
	via string
	try func(password string) reply
} {
	return []struct {
		via string
		try func(password string) reply
	}{
		{"dav", func(p string) reply { return v.basic("PROPFIND", "/dav/firm/", "", p) }},
		{"dav", func(p string) reply { return v.basic("GET", "/dav/firm/a", "", p) }},
		{"dav", func(p string) reply { return v.basic("PUT", "/dav/firm/a", "x", p) }},
		{"api", func(p string) reply { return v.basic("GET", "/api/v1/app-passwords", "", p) }},
		{"api", func(p string) reply { return v.basic("POST", "/api/v1/app-passwords", "{}", p) }},
		{"api", func(p string) reply { return v.basic("DELETE", "/api/v1/app-passwords/x", "", p) }},
		{"page", func(p string) reply { return v.signIn(v.name, p) }},
	}
}

// TestDoorsShareTheThrottle guesses at each door in turn: twenty wrong passwords
// close all of them to the address, and the right one does not open them.
func TestDoorsShareTheThrottle(t *testing.T) {
	h := start(t, "    ann:", "    zoe: {password: \"HASH\"}\n    ann:")
	secret := strings.TrimSpace(appPasswordCommand(t, h.url, password, "create", "--name", "laptop").out)
	for i := range 20 {
		all := doors(h.as(fmt.Sprintf("guess%d", i)))
		d := all[i%len(all)]
		got := d.try("wrong horse battery")
		if got.status != 401 {
			t.Errorf("attempt %d at %s: %d, want 401", i, d.via, got.status)
		}
		challenged := got.header.Get("WWW-Authenticate") != ""
		if challenged == (d.via == "page") { // a browser would ask in a window of its own
			t.Errorf("%s: WWW-Authenticate %q", d.via, got.header.Get("WWW-Authenticate"))
		}
	}
	rows := len(h.events())
	for i, d := range doors(h.as("zoe")) {
		for _, pass := range []string{"wrong horse battery", password} {
			got := d.try(pass)
			after, err := strconv.Atoi(got.header.Get("Retry-After"))
			if got.status != 429 || err != nil || after < 60 {
				t.Errorf("door %d (%s) when closed: %d, Retry-After %q", i, d.via, got.status, got.header.Get("Retry-After"))
			}
			if got.header.Get("WWW-Authenticate") != "" {
				t.Errorf("%s asks for another password when it looks at none", d.via)
			}
		}
	}
	if n := len(h.events()) - rows; n != 0 {
		t.Errorf("%d rows of the audit for what was not looked at: anybody could fill the store", n)
	}
	if got := h.as("ann").basic("PROPFIND", "/dav/firm/", "", secret); got.status != 207 {
		t.Errorf("an app password, which cannot be guessed: %d, want 207", got.status)
	}
}

// events are the rows of the audit, as what they say of people.
func (h *house) events() []string {
	h.t.Helper()
	var all []string
	keys, err := auditKeys(h.cfg.Load())
	if err != nil {
		h.t.Fatal(err)
	}
	opener := audit.NewOpener(keys, h.state)
	streams, err := h.state.AuditStreams(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	for _, s := range streams {
		rows, err := h.state.AuditRows(h.t.Context(), s.Name, 0, 1000)
		if err != nil {
			h.t.Fatal(err)
		}
		for _, row := range rows {
			e, err := opener.Open(h.t.Context(), row)
			if err != nil {
				h.t.Fatal(err)
			}
			if e.Address != "127.0.0.1" || e.RequestID == "" || e.Time.IsZero() {
				h.t.Errorf("the row lacks where, which or when: %s", row.JSON)
			}
			all = append(all, fmt.Sprintf("%s %s login=%q id=%q allowed=%t: %s", e.Actor.Via, e.Action, e.Actor.Login, e.Actor.ID, e.Allowed, e.Why))
		}
	}
	return all
}

// TestFailedSignInsAreRecorded wants each of them in the audit, with the login
// where somebody has it, and without what was typed where nobody has: it may be a
// password in the wrong field.
func TestFailedSignInsAreRecorded(t *testing.T) {
	h := start(t)
	const typed = "canary-in-the-name-field"
	for _, name := range []string{"ANN", typed} {
		for _, d := range doors(h.as(name))[2:5] { // PUT, and two of the API
			if got := d.try("canary-password"); got.status != 401 {
				t.Errorf("%s as %s: %d", d.via, name, got.status)
			}
		}
		h.browser().signIn(name, "canary-password")
	}
	var want []string
	for _, login := range []string{"ann", ""} {
		for _, via := range []string{"dav", "api", "api", "page"} {
			want = append(want, fmt.Sprintf("%s sign-in login=%q id=\"\" allowed=false: the name or the password is wrong", via, login))
		}
	}
	if d := cmp.Diff(want, h.events()); d != "" {
		t.Errorf("the audit (-want +got):\n%s", d)
	}
	if text := h.log.String(); strings.Contains(text, "canary") {
		t.Errorf("the log has what was typed:\n%s", text)
	}
}

// TestSignInsAreRecorded wants a session's life and that of an app password in
// the audit, with the person.
func TestSignInsAreRecorded(t *testing.T) {
	h := start(t)
	b := h.browser()
	b.signIn("ann", password)
	b.send("/account/passwords", "name", "laptop", "expires", "90d")
	b.send("/logout")
	h.browser().signIn("ann", strings.TrimSpace(appPasswordCommand(t, h.url, password, "create", "--name", "phone").out))
	var got []string
	for _, e := range h.events() {
		what, _, _ := strings.Cut(e, " allowed")
		got = append(got, what)
	}
	who := ` login="ann" id="user:ann"`
	if d := cmp.Diff([]string{
		"page sign-in" + who, "page app-password" + who, "page sign-out" + who, "api app-password" + who,
		`page sign-in login="ann" id=""`, // with an app password, which opens the drive alone
	}, got); d != "" {
		t.Errorf("the audit (-want +got):\n%s", d)
	}
}

// TestSignInWithoutAudit wants no session where it cannot be recorded.
func TestSignInWithoutAudit(t *testing.T) {
	h := start(t)
	if err := h.state.Close(); err != nil {
		t.Fatal(err)
	}
	b := h.browser()
	got := b.signIn("ann", password)
	if got.status != 503 || got.header.Get("Retry-After") == "" || strings.Contains(got.header.Get("Set-Cookie"), "sid=") {
		t.Errorf("sign-in: %d, %v", got.status, got.header)
	}
	if got := h.as("ann").basic("GET", "/dav/firm/a", "", password); got.status != 503 {
		t.Errorf("the drive: %d", got.status)
	}
}

// TestPaths wants addresses taken as they are written: none that a server might
// clean is cleaned, redirected or answered with a page.
func TestPaths(t *testing.T) {
	h := start(t)
	v := h.as("ann")
	for path, want := range map[string]int{
		"/login": 200, "/account": 303, "/assets/portico.js": 200, "/api/v1/openapi.yaml": 200,

		"//login": 404, "/login/": 404, "/./login": 404, "/x/../login": 404, "/assets/../x": 404, "/assets/..%2fhome.html": 404,
		"/assets/%2e%2e/login": 404, "/assets//style.css": 404, "/assets/": 404, "/assets": 404, "/LOGIN": 404, "/login%00": 404,
		"/api/v1//app-passwords": 404, "/api/v1/app-passwords/": 404, "//dav/firm/": 404, "/x/../dav/firm/": 404, "/login;x": 404,
		`/assets\style.css`: 404, "/%2e": 404, "/%2f": 404, "//": 404, "//evil.example/": 404, "/..": 404, "/api/v1": 404, "/api/v1/": 404, "/api": 404,
	} {
		got := v.get(path)
		if got.status != want {
			t.Errorf("GET %s: %d, want %d", path, got.status, want)
		}
		if to := got.header.Get("Location"); to != "" && path != "/account" {
			t.Errorf("GET %s leads to %q", path, to)
		}
	}
	for path, allow := range map[string]string{"/": "GET, HEAD", "/account": "GET, HEAD", "/logout": "POST", "/login": "GET, HEAD, POST", "/api/v1/app-passwords": "GET, HEAD, POST"} {
		got := v.ask(http.MethodDelete, path, "", func(*http.Request) {})
		if got.status != 405 || got.header.Get("Allow") != allow {
			t.Errorf("DELETE %s: %d, Allow %q, want 405 and %q", path, got.status, got.header.Get("Allow"), allow)
		}
	}
}
