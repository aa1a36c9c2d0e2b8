package portal_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"portico/fault"
	"portico/identity/session"
	"portico/portal"
)

func TestLogin(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ann := h.browser(h.a)
	got := ann.get("/account")
	got.want(t, "account of nobody", 303)
	if at := got.header.Get("Location"); at != "/login?next=%2Faccount" {
		t.Errorf("nobody is sent to %q", at)
	}
	ann.get("/login?next=%2Faccount%3Fa%3Db").want(t, "the form", 200, `value="/account?a=b"`, `autocomplete="current-password"`)
	got = ann.send("/login", "name", " Ann ", "password", annsPassword, "next", "/account?a=b")
	got.want(t, "sign in", 303)
	if at := got.header.Get("Location"); at != "/account?a=b" {
		t.Errorf("she is sent to %q", at)
	}
	h.wantEvents("page sign-in ann allowed=true why=by password")
	ann.get("/account").want(t, "account", 200, "Ann Peeters", "ann@firm.example", "Sign out")
	ann.get("/").want(t, "home", 200, "Ann Peeters", "net use P: ")
	if got := ann.get("/login?next=/account"); got.status != 303 {
		t.Errorf("the form of somebody who is signed in: %d", got.status)
	}
	there := h.browser(h.b)
	there.Jar = ann.Jar // cookies know no ports
	there.get("/account").want(t, "on the other replica", 200, "Ann Peeters")
}

// TestRow59Wrong wants one answer to all that is wrong.
func TestRow59Wrong(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for _, name := range []string{"ann", "nobody", "*", "ann)(uid=*"} {
		somebody := h.browser(h.a)
		got := somebody.send("/login", "name", name, "password", "wrong horse battery")
		got.want(t, name, 401, "The name or the password is wrong.", `value="`+name+`"`)
		if somebody.cookie() != "" || strings.Contains(got.text, "wrong horse") {
			t.Errorf("%s: a cookie, or the password in the page", name)
		}
	}
	h.wantEvents("page sign-in  allowed=false why=the name or the password is wrong")
	somebody := h.browser(h.a)
	somebody.send("/login", "name", "", "password", "").want(t, "nothing", 422, "Type your name.", "Type your password.")
	somebody.send("/login", "name", "ann", "password", strings.Repeat("x", 65<<10)).want(t, "too much", 413)
	somebody.send("/login", "name", "ann", "password", strings.Repeat("x", 1000)).want(t, "too long", 401)
	somebody.do("POST", "/login", "%zz", "Content-Type", "application/x-www-form-urlencoded").want(t, "no form", 400)
}

// TestRow57Throttled wants the throttle's answer shown plainly, counted over the
// pages and the API of both replicas.
func TestRow57Throttled(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	somebody, program := h.browser(h.a), h.browser(h.b)
	somebody.from, program.from = "192.0.2.7", "192.0.2.7"
	var got answer
	for range 30 {
		h.pass(31 * time.Second) // the wait of the account; what counts here is the address
		if got = somebody.send("/login", "name", "ann", "password", "wrong horse battery"); got.status != 401 {
			break
		}
		if got = program.do("GET", "/api/v1/app-passwords", "", "Authorization", basic("bob", "wrong horse battery")); got.status != 401 {
			break
		}
	}
	got = somebody.send("/login", "name", "ann", "password", "wrong horse battery")
	got.want(t, "too many", 429, "Too many wrong passwords. Try again in ")
	if got.header.Get("Retry-After") == "" {
		t.Error("429 has no Retry-After")
	}
	got = program.do("GET", "/api/v1/app-passwords", "", "Authorization", basic("bob", "wrong horse battery"))
	got.want(t, "the API too", 429, "Too many wrong passwords")
	if got.header.Get("Retry-After") == "" {
		t.Error("429 of the API has no Retry-After")
	}
}

// TestRow34Fixation: the cookie of before the sign-in is dead after it.
func TestRow34Fixation(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	mallory, victim := h.browser(h.a), h.browser(h.a)
	mallory.signIn("bob", bobsPassword)
	u, _ := url.Parse(h.a.URL)
	victim.Jar.SetCookies(u, []*http.Cookie{{Name: "sid", Value: mallory.cookie()}})
	if got := victim.send("/login", "name", "ann", "password", annsPassword); got.status != 303 {
		t.Fatalf("sign in: %d", got.status)
	}
	if victim.cookie() == mallory.cookie() || len(victim.cookie()) != 43 {
		t.Errorf("the cookie is %q after %q", victim.cookie(), mallory.cookie())
	}
	victim.get("/account").want(t, "the victim", 200, "Ann Peeters")
	if got := mallory.get("/account"); got.status != 303 {
		t.Errorf("the planted cookie opens %d %s", got.status, got.sentence())
	}
}

// TestRow62Copied: a copied cookie ends at once, on every replica, with logout, a
// new password, and the end of the account.
func TestRow62Copied(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(h *house, ann *browser){
		"logout":       func(_ *house, ann *browser) { ann.send("/logout").want(t, "logout", 303) },
		"new password": func(h *house, _ *browser) { h.set(func() { h.stamps["user:ann"] = "2" }) },
		"left": func(h *house, _ *browser) {
			for _, r := range []*replica{h.a, h.b} { // as a reload of the config does on each
				r.gate.Apply(h.settings(everybody(h.t)[1:]...))
			}
		},
		"idle": func(h *house, _ *browser) { h.pass(session.Idle) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			ann := h.browser(h.a)
			ann.signIn("ann", annsPassword)
			copied := "sid=" + ann.cookie()
			end(h, ann)
			for _, at := range []*replica{h.a, h.b} {
				thief := h.browser(at)
				if got := thief.do("GET", "/account", "", "Cookie", copied); got.status != 303 {
					t.Errorf("the copy still opens the account: %d", got.status)
				}
				thief.do("GET", "/api/v1/app-passwords", "", "Cookie", copied).want(t, "API", 401)
				thief.do("POST", "/account/passwords", "name=x", "Cookie", copied, "Content-Type", "application/x-www-form-urlencoded").
					want(t, "a form", 401, "You were signed out meanwhile")
			}
		})
	}
}

func TestLogout(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ann := h.browser(h.a)
	ann.signIn("ann", annsPassword)
	if got := ann.get("/logout"); got.status != http.StatusMethodNotAllowed {
		t.Errorf("GET /logout: %d", got.status)
	}
	ann.get("/account").want(t, "a GET signs nobody out", 200)
	got := ann.send("/logout")
	got.want(t, "logout", 303)
	if ann.cookie() != "" || got.header.Get("Location") != "/login" {
		t.Errorf("after logout the cookie is %q, the way %q", ann.cookie(), got.header.Get("Location"))
	}
	h.wantEvents("page sign-out ann allowed=true why=")
	ann.send("/logout").want(t, "again", 303)
}

// TestRow75CrossSite: no form of another site does anything, signing in and out
// included.
func TestRow75CrossSite(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ann := h.browser(h.a)
	ann.signIn("ann", annsPassword)
	before := ann.cookie()
	form := "application/x-www-form-urlencoded"
	for _, from := range [][]string{
		{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"},
	} {
		for _, c := range []struct{ method, path, body, kind string }{
			{"POST", "/login", url.Values{"name": {"bob"}, "password": {bobsPassword}}.Encode(), form},
			{"POST", "/logout", "", form},
			{"POST", "/account/passwords", "name=x&expires=never", form},
			{"POST", "/account/passwords/x/revoke", "", form},
			{"POST", "/api/v1/app-passwords", `{"name":"x"}`, "application/json"},
			{"POST", "/api/v1/app-passwords", `{"name":"x"}`, "text/plain"},
			{"DELETE", "/api/v1/app-passwords/x", "", ""},
			{"PUT", "/account", "", ""},
			{"MOVE", "/account", "", ""},
			{"PROPFIND", "/", "", ""},
		} {
			got := ann.do(c.method, c.path, c.body, append([]string{"Content-Type", c.kind}, from...)...)
			if got.status != 403 {
				t.Errorf("%s %s with %q: %d, want 403", c.method, c.path, from, got.status)
			}
		}
	}
	if ann.cookie() != before {
		t.Error("the session changed")
	}
	ann.get("/account").want(t, "still ann, without an app password", 200, "Ann Peeters", "You have none yet")
}

func TestNext(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for next, want := range map[string]string{
		"": "/files/", "/": "/", "/account?x=1": "/account?x=1", "/files/a%20b": "/files/a%20b",
		"//evil.example": "/files/", `/\evil.example`: "/files/", `\\evil.example`: "/files/", "https://evil.example/": "/files/",
		"javascript:alert(1)": "/files/", "evil": "/files/", "/\t/evil.example": "/files/", "/a\r\nSet-Cookie: x=y": "/files/",
		"/login?next=/": "/files/", "/logout": "/files/", "/auth/oidc/start": "/files/", "/" + strings.Repeat("a", 2000): "/files/",
		"/%zz": "/files/", "//user@evil.example/": "/files/",
	} {
		ann := h.browser(h.a)
		got := ann.send("/login", "name", "ann", "password", annsPassword, "next", next)
		if at := got.header.Get("Location"); got.status != 303 || at != want {
			t.Errorf("next %.40q: %d to %q, want %q", next, got.status, at, want)
		}
	}
}

// TestRow63AppPassword: an app password signs nobody in to the pages, where it
// would shed its limits.
func TestRow63AppPassword(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ann := h.browser(h.a)
	ann.signIn("ann", annsPassword)
	secret := ann.send("/account/passwords", "name", "Laptop", "expires", "30d").secretIn(t)
	thief := h.browser(h.a)
	thief.send("/login", "name", "ann", "password", secret).want(t, "app password", 403, "Use your own password here.")
	if thief.cookie() != "" {
		t.Error("it has a session")
	}
	h.wantEvents("page sign-in ann allowed=false why=an app password opens the drive alone")
}

// TestSecureCookie wants the strict form of the cookie wherever there is TLS.
func TestSecureCookie(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(o *portal.Options) { o.Public = &url.URL{Scheme: "https", Host: "files.firm.example"} })
	got := h.browser(h.a).send("/login", "name", "ann", "password", annsPassword)
	c := got.header.Get("Set-Cookie")
	for _, want := range []string{"__Host-sid=", "Path=/", "HttpOnly", "Secure", "SameSite=Lax"} {
		if !strings.Contains(c, want) || strings.Contains(c, "Domain") {
			t.Errorf("Set-Cookie %q lacks %q, or has a domain", c, want)
		}
	}
}

// TestAway wants 503 and a sentence where the store is away, and nobody signed out.
func TestAway(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ann := h.browser(h.a)
	ann.signIn("ann", annsPassword)
	h.state.Fail(fault.ErrUnavailable)
	for what, got := range map[string]answer{
		"account": ann.get("/account"),
		"logout":  ann.send("/logout"),
		"login":   h.browser(h.b).send("/login", "name", "bob", "password", bobsPassword),
		"API":     ann.get("/api/v1/app-passwords"),
		"Basic":   h.browser(h.b).do("GET", "/api/v1/app-passwords", "", "Authorization", basic("bob", bobsPassword)),
	} {
		got.want(t, what, 503, "in a little while")
		if got.header.Get("Retry-After") == "" {
			t.Errorf("%s: 503 has no Retry-After", what)
		}
	}
	ann.get("/").want(t, "home works", 200)
	h.state.Fail(nil)
	ann.get("/account").want(t, "afterwards", 200, "Ann Peeters")
}

// TestNoSessionWithoutTrace wants nothing done that the audit cannot take.
func TestNoSessionWithoutTrace(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ann := h.browser(h.a)
	ann.signIn("ann", annsPassword)
	h.set(func() { h.noAudit = fault.ErrUnavailable })
	bob := h.browser(h.a)
	bob.send("/login", "name", "bob", "password", bobsPassword).want(t, "sign in", 503)
	if bob.cookie() != "" {
		t.Error("a session without a trace")
	}
	ann.send("/account/passwords", "name", "Laptop", "expires", "30d").want(t, "an app password", 503)
	bob.send("/login", "name", "bob", "password", "wrong horse battery").want(t, "a refusal stands", 401)
	h.set(func() { h.noAudit = nil })
	ann.get("/account").want(t, "nothing was made", 200, "You have none yet")
}

// TestRow77NoSecretInLog greps the log for what must not be in it.
func TestRow77NoSecretInLog(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ann := h.browser(h.a)
	ann.signIn("ann", annsPassword)
	secret := ann.send("/account/passwords", "name", "Laptop", "expires", "30d").secretIn(t)
	cookie := ann.cookie()
	h.state.Fail(fault.ErrUnavailable)
	ann.get("/account")
	ann.send("/login", "name", "ann", "password", annsPassword)
	for _, canary := range []string{annsPassword, secret, cookie} {
		if strings.Contains(h.log.String(), canary) {
			t.Errorf("the log holds %q", canary)
		}
	}
}

// TestPageInHand wants a page for one who has no browser at all.
func TestPageInHand(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	got := h.browser(h.a).do("HEAD", "/login", "")
	if got.status != http.StatusOK || got.text != "" {
		t.Errorf("HEAD /login: %d %q", got.status, got.text)
	}
}
