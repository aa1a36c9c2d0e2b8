package portal_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"portico/fault"
	"portico/identity"
)

// TestAppPassword: made, shown once, used, listed, revoked.
func TestAppPassword(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ann := h.browser(h.a)
	ann.signIn("ann", annsPassword)
	ann.get("/account").want(t, "at first", 200, "You have none yet", "Peeters & Co", `<option value="secret"`)
	made := ann.send("/account/passwords", "name", "Laptop", "workspace", "firm", "read_only", "yes", "expires", "90d")
	made.want(t, "made", 200, "App password for Laptop", "shown this once", "net use P: "+h.a.URL+"/dav/firm /user:ann", "to read and not to change anything")
	secret := made.secretIn(t)
	if made.header.Get("Cache-Control") != "no-store" {
		t.Error("the page with the secret may be kept by a cache")
	}
	h.wantEvents("page app-password ann allowed=true why=made")

	who, err := h.b.gate.SignIn(t.Context(), identity.SignIn{Login: "ann", Password: secret, Address: "192.0.2.9", Drive: true})
	if want := (identity.Limit{Workspace: "firm", ReadOnly: true}); err != nil || who.Limit != want {
		t.Fatalf("the drive on the other replica: %+v, %v, want %+v", who.Limit, err, want)
	}

	page := ann.get("/account")
	page.want(t, "the list", 200, "Laptop", ", read only", "Revoke it")
	if strings.Contains(page.text, secret) || strings.Contains(page.text, secret[4:20]) {
		t.Error("row 47: the list has the secret")
	}
	id := regexp.MustCompile(`/account/passwords/([^/"]+)/revoke`).FindStringSubmatch(page.text)[1]

	bob := h.browser(h.a)
	bob.signIn("bob", bobsPassword)
	absent := bob.send("/account/passwords/none/revoke")
	others := bob.send("/account/passwords/" + id + "/revoke")
	if absent.status != 404 || others.status != 404 || absent.text != others.text {
		t.Errorf("row 48: another's is %d, one that never was %d", others.status, absent.status)
	}

	ann.send("/account/passwords/"+id+"/revoke").want(t, "revoke", 303)
	h.wantEvents("page app-password ann allowed=true why=revoked")
	ann.get("/account").want(t, "afterwards", 200, "You have none yet", "The app password is revoked.")
	if _, err := h.b.gate.SignIn(t.Context(), identity.SignIn{Login: "ann", Password: secret, Address: "192.0.2.9", Drive: true}); err == nil {
		t.Error("the drive on the other replica still opens")
	}
}

func TestWrongWishes(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	bob := h.browser(h.a)
	bob.signIn("bob", bobsPassword)
	for what, c := range map[string]struct {
		fields []string
		want   string
	}{
		"no name":            {[]string{"name", "  "}, "Give it a name"},
		"a long name":        {[]string{"name", strings.Repeat("ü", 65)}, "longer than 64"},
		"a line end":         {[]string{"name", "a\nb"}, "cannot be shown"},
		"turned around":      {[]string{"name", "a\u202eb"}, "cannot be shown"},
		"a hidden workspace": {[]string{"name", "x", "workspace", "secret"}, "There is no such workspace"},
		"no workspace":       {[]string{"name", "x", "workspace", "other"}, "There is no such workspace"},
		"an odd end":         {[]string{"name", "x", "expires", "soon"}, "Say when it ends"},
		"no days":            {[]string{"name", "x", "expires", "0d"}, "Say when it ends"},
		"too many days":      {[]string{"name", "x", "expires", "3651d"}, "Say when it ends"},
		"a past moment":      {[]string{"name", "x", "expires", "2001-01-01T00:00:00Z"}, "is past"},
		"a far moment":       {[]string{"name", "x", "expires", "2999-01-01T00:00:00Z"}, "Say when it ends"},
	} {
		got := bob.send("/account/passwords", c.fields...)
		got.want(t, what, 422, c.want, `aria-invalid="true"`)
	}
	bob.get("/account").want(t, "nothing was made", 200, "You have none yet")
	bob.send("/account/passwords", "name", strings.Repeat("x", 65<<10)).want(t, "too much", 413)
	for range 50 {
		bob.send("/account/passwords", "name", "x").want(t, "fifty", 200)
	}
	bob.send("/account/passwords", "name", "x").want(t, "one more", 409, "There are 50 app passwords already")
}

// TestNamesAreText wants names of people and devices shown and never run.
func TestNamesAreText(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	bob := h.browser(h.a)
	bob.signIn("bob", bobsPassword)
	bob.send("/account/passwords", "name", `<img src=x onerror=alert(1)> "q" 'r'`)
	page := bob.get("/account").text
	if strings.Contains(page, "<img") || strings.Contains(page, "<b>\"Maes") || !strings.Contains(page, "&lt;img src=x") {
		t.Errorf("a name is not text:\n%s", page)
	}
}

func TestExpired(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ann := h.browser(h.a)
	ann.signIn("ann", annsPassword)
	ann.send("/account/passwords", "name", "Old", "expires", "30d").want(t, "made", 200)
	ann.send("/account/passwords", "name", "Kept", "expires", "never").want(t, "made", 200, "It does not expire.")
	h.pass(31 * 24 * time.Hour)
	ann.signIn("ann", annsPassword)
	ann.get("/account").want(t, "later", 200, ">Ended<", ">Never<")
}

func TestWorkspacesAway(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ann := h.browser(h.a)
	ann.signIn("ann", annsPassword)
	h.set(func() { h.spaces = fault.ErrUnavailable })
	ann.get("/account").want(t, "account", 503, "does not work at the moment")
	ann.send("/account/passwords", "name", "x").want(t, "form", 503)
	ann.do("POST", "/api/v1/app-passwords", `{"name":"x"}`, "Content-Type", "application/json").want(t, "API", 503)
	h.set(func() { h.spaces = errOdd })
	ann.get("/account").want(t, "account", 500, "Something went wrong", "request-1")
	ann.do("POST", "/api/v1/app-passwords", `{"name":"x"}`, "Content-Type", "application/json").want(t, "API", 500)
	if !strings.Contains(h.log.String(), errOdd.Error()) {
		t.Error("the log does not say why")
	}
}
