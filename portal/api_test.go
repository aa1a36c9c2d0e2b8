package portal_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var errOdd = errors.New("something that nobody thought of")

func basic(name, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(name+":"+password))
}

// api is a program that signs in by Basic.
func (h *house) api(method, path, body, name, password string) answer {
	h.t.Helper()
	headers := []string{"Authorization", basic(name, password)}
	if body != "" {
		headers = append(headers, "Content-Type", "application/json")
	}
	return h.browser(h.b).do(method, "/api/v1"+path, body, headers...)
}

func TestAPI(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	var list struct {
		All []map[string]any `json:"app_passwords"`
	}
	h.api("GET", "/app-passwords", "", "ann", annsPassword).json(t, &list)
	if list.All == nil || len(list.All) != 0 {
		t.Errorf("at first the list is %v, want []", list.All)
	}
	got := h.api("POST", "/app-passwords", `{"name":" Laptop ","workspace":"firm","read_only":true,"expires":"90d"}`, "ann", annsPassword)
	got.want(t, "made", 201)
	var made map[string]any
	got.json(t, &made)
	secret := got.secretIn(t)
	if made["secret"] != secret || made["name"] != "Laptop" || made["workspace"] != "firm" || made["read_only"] != true || made["expires"] == nil {
		t.Errorf("made %v", made)
	}
	id, _ := made["id"].(string)
	if at := got.header.Get("Location"); at != "/api/v1/app-passwords/"+id {
		t.Errorf("Location %q", at)
	}
	h.wantEvents("api app-password ann allowed=true why=made")

	// Row 47: the list has all but the secret.
	again := h.api("GET", "/app-passwords", "", "ann", annsPassword)
	again.json(t, &list)
	delete(made, "secret")
	if d := cmp.Diff([]map[string]any{made}, list.All); d != "" {
		t.Errorf("the list (-want +got):\n%s", d)
	}
	if strings.Contains(again.text, secret) || strings.Contains(again.text, "sum") || strings.Contains(again.text, "gwp_") {
		t.Error("the list has the secret or its sum")
	}

	// Row 48: another's is as absent as one that never was.
	others, absent := h.api("DELETE", "/app-passwords/"+id, "", "bob", bobsPassword), h.api("DELETE", "/app-passwords/none", "", "bob", bobsPassword)
	if others.status != 404 || others.text != absent.text {
		t.Errorf("another's: %d %s, one that never was: %d %s", others.status, others.text, absent.status, absent.text)
	}
	// An app password manages none.
	for _, c := range [][2]string{{"GET", "/app-passwords"}, {"POST", "/app-passwords"}, {"DELETE", "/app-passwords/" + id}} {
		h.api(c[0], c[1], "", "ann", secret).want(t, c[0]+" with an app password", 403, "cannot manage app passwords")
	}
	h.wantEvents("api sign-in ann allowed=false why=an app password opens the drive alone")

	if got := h.api("DELETE", "/app-passwords/"+id, "", "ann", annsPassword); got.status != 204 || got.text != "" {
		t.Errorf("revoke: %d %q", got.status, got.text)
	}
	h.api("DELETE", "/app-passwords/"+id, "", "ann", annsPassword).want(t, "again", 404)
	h.api("GET", "/app-passwords", "", "ann", secret).want(t, "with the one that is gone", 401)
}

// TestAPISession wants a browser that is signed in to need no password.
func TestAPISession(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ann := h.browser(h.a)
	ann.signIn("ann", annsPassword)
	ann.get("/api/v1/app-passwords").want(t, "list", 200)
	ann.do("POST", "/api/v1/app-passwords", `{"name":"x"}`, "Content-Type", "application/json", "Sec-Fetch-Site", "same-origin").want(t, "make", 201)
	// Who shows credentials means them, also when they are wrong.
	ann.do("GET", "/api/v1/app-passwords", "", "Authorization", basic("bob", "wrong horse battery")).want(t, "both", 401)
}

// TestRow63HalfLogin: what is not Basic is nobody, and least of all a cookie that
// is sent as another thing.
func TestRow63HalfLogin(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ann := h.browser(h.a)
	ann.signIn("ann", annsPassword)
	nobody := h.browser(h.a)
	for _, header := range []string{
		"Bearer " + ann.cookie(), "Bearer", "", "Basic", "Basic !", "Digest a", "Basic " + base64.StdEncoding.EncodeToString([]byte("ann")),
		basic("ann", ""), basic("", annsPassword), basic("ann", "\x00"), basic("ann", annsPassword+"\x00"), basic("ann", ann.cookie()),
		basic("ann", strings.Repeat("x", 1<<14)), basic("a\nnn", annsPassword),
	} {
		got := nobody.do("GET", "/api/v1/app-passwords", "", "Authorization", header)
		got.want(t, header, 401)
		if at := got.header.Get("WWW-Authenticate"); !strings.HasPrefix(at, "Basic realm=") {
			t.Errorf("%.20q: WWW-Authenticate %q", header, at)
		}
	}
	nobody.do("GET", "/api/v1/app-passwords", "", "Authorization", basic("ann", annsPassword), "Authorization", basic("bob", bobsPassword)).want(t, "two", 401)
	nobody.get("/api/v1/app-passwords").want(t, "nothing", 401)
	nobody.do("GET", "/api/v1/app-passwords", "", "Cookie", "sid="+ann.cookie()+"; sid="+ann.cookie()).want(t, "two cookies", 401)
	nobody.do("GET", "/api/v1/app-passwords", "", "Cookie", "flow="+ann.cookie()).want(t, "another cookie", 401)
}

// TestRow71Bodies wants a body to say nothing but what it may.
func TestRow71Bodies(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for body, want := range map[string]int{
		`{"name":"x","owner":"user:bob"}`:               400,
		`{"name":"x","id":"chosen"}`:                    400,
		`{"name":"x","secret":"chosen"}`:                400,
		`{"name":"x","sum":"00"}`:                       400,
		`{"name":"x","isAdmin":true}`:                   400,
		`{"name":"x","groups":["admins"]}`:              400,
		`{"name":"x","login":"bob"}`:                    400,
		`{"name":"x"}{"name":"y"}`:                      400,
		`{"name":"x"} x`:                                400,
		`[{"name":"x"}]`:                                400,
		`{"name":1}`:                                    400,
		`{"name":"x","read_only":"yes"}`:                400,
		`{"name":`:                                      400,
		`null`:                                          422,
		`{}`:                                            422,
		`{"name":""}`:                                   422,
		`{"name":"x","workspace":"other"}`:              422,
		`{"name":"x","expires":"soon"}`:                 422,
		`{"name":"` + strings.Repeat("x", 1<<20) + `"}`: 413,
	} {
		got := h.api("POST", "/app-passwords", body, "ann", annsPassword)
		var e struct{ Detail string }
		got.json(t, &e)
		if got.status != want || e.Detail == "" {
			t.Errorf("%.60s: %d %q, want %d and a sentence", body, got.status, e.Detail, want)
		}
	}
	for _, kind := range []string{"text/plain", "application/x-www-form-urlencoded", "", "application/jsonx"} {
		h.browser(h.a).do("POST", "/api/v1/app-passwords", `{"name":"x"}`, "Authorization", basic("ann", annsPassword), "Content-Type", kind).want(t, kind, 415)
	}
	h.api("GET", "/app-passwords", "", "ann", annsPassword).want(t, "nothing was made", 200, `{"app_passwords":[]}`)
}
