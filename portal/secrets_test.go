package portal_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// bodies are a good body for each route of the API that takes one.
func bodies() map[string]string {
	all := map[string]string{}
	for pattern, p := range apiPlans() {
		if strings.HasPrefix(p.body, "{") {
			all[pattern] = p.body
		}
	}
	return all
}

// TestRow71MassAssignment adds to the body of each route what its sender must not
// set: all of it is refused, and nothing is done.
func TestRow71MassAssignment(t *testing.T) {
	t.Parallel()
	m := newMatrix(t)
	c := m.castes[slices.IndexFunc(m.castes, func(c caste) bool { return c.name == "owner" })]
	extra := []string{
		`"id":"x"`, `"role":"owner"`, `"rights":["grant"]`, `"groups":["admins"]`, `"isAdmin":true`, `"owner":"user:bob"`, `"by":"Bob"`, `"giver":"user:root"`,
		`"state":"accepted"`, `"subject":"user:bob"`, `"workspace_id":1`, `"mail":"x@y.example"`, `"secret":"x"`, `"token":"x"`, `"sum":"x"`, `"url":"x"`,
		`"downloads":0`, `"created":"2020-01-01T00:00:00Z"`, `"revoked":null`, `"version":1`, `"__proto__":{}`, `"hash":"x"`,
	}
	tried := 0
	for _, r := range m.routes {
		body, ok := bodies()[r.Pattern]
		if !ok {
			continue
		}
		fill := m.target(r.Pattern, c, visible, true)
		before := m.fingerprint()
		for _, e := range extra {
			p := apiPlans()[r.Pattern]
			p.body = strings.TrimSuffix(body, "}") + "," + e + "}"
			got := m.do(m.request(r, p, c, fill))
			tried++
			if got.status != http.StatusBadRequest {
				t.Errorf("%s with %s: %d %s", r.Pattern, e, got.status, got.text)
			}
		}
		if m.fingerprint() != before {
			t.Errorf("%s: something was changed", r.Pattern)
		}
	}
	if tried < len(bodies())*len(extra) {
		t.Errorf("%d bodies tried of %d", tried, len(bodies())*len(extra))
	}
}

// TestRow75Foreign sends each request that changes something as a browser does for
// a page of another site: nothing is done.
func TestRow75Foreign(t *testing.T) {
	t.Parallel()
	m := newMatrix(t)
	c := m.castes[slices.IndexFunc(m.castes, func(c caste) bool { return c.name == "owner" })]
	all := plans()
	for _, r := range slices.Concat(m.routes, drives()) {
		method, _, ok := strings.Cut(r.Pattern, " ")
		if !ok || slices.Contains([]string{"GET", "HEAD", "OPTIONS"}, method) {
			continue
		}
		fill := m.target(r.Pattern, c, visible, true)
		before := m.fingerprint()
		for _, h := range [][2]string{{"Sec-Fetch-Site", "cross-site"}, {"Origin", "https://evil.example"}} {
			q := m.request(r, all[r.Pattern], c, fill)
			q.header.Set("Cookie", c.cookie)
			q.header.Set(h[0], h[1])
			if got := m.do(q); got.status != http.StatusForbidden {
				t.Errorf("%s with %s: %d, want 403", r.Pattern, h[0], got.status)
			}
		}
		if m.fingerprint() != before {
			t.Errorf("%s: something was changed", r.Pattern)
		}
	}
}

// TestRow77Canaries makes each kind of secret and looks for it in the log at its
// most talkative, and in all answers after the one that told it.
func TestRow77Canaries(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	secrets := map[string]string{"password": word, "link password": "canary canary canary", "invitation": o.mailed(carol, "/invite/")}
	var link struct{ ID, URL string }
	o.as("ann", "POST", "/links", `{"items":["/firm/Clients/Acme"],"mode":"read","name":"x","contact":"`+carol+`","password":"canary canary canary"}`).json(t, &link)
	secrets["token"] = link.URL[strings.LastIndexByte(link.URL, '/')+1:]
	var again struct{ URL string }
	o.as("ann", "POST", "/links/"+link.ID+"/address", "").json(t, &again)
	secrets["new token"] = again.URL[strings.LastIndexByte(again.URL, '/')+1:]
	var key struct{ Secret string }
	o.as("ann", "POST", "/app-passwords", `{"name":"x"}`).json(t, &key)
	secrets["app password"] = key.Secret
	o.with("ann", key.Secret, "GET", "/files/firm/Clients", "")
	o.with("ann", "canary wrong password", "GET", "/files/firm", "")
	secrets["wrong password"] = "canary wrong password"
	o.do(call{method: "GET", path: "/s/" + secrets["new token"] + "/"})
	o.do(call{"POST", "/s/" + secrets["new token"] + "/unlock", "password=canary+canary+canary", http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}})
	o.do(call{method: "GET", path: "/invite/" + secrets["invitation"]})
	cookie := (&matrix{office: o}).signIn("ann")
	_, secrets["session"], _ = strings.Cut(cookie, "=")
	for name, s := range secrets {
		if len(s) < 8 {
			t.Fatalf("there is no %s: %q", name, s)
		}
	}
	told := []string{o.log.String()}
	for _, who := range []string{"ann", "root", carol} {
		for _, path := range []string{
			"/me", "/links", "/links?path=/firm/Clients", "/links/" + link.ID, "/app-passwords", "/notices", "/shares?side=given", "/shares", "/preferences",
			"/workspaces/firm/contacts", "/workspaces/firm/contacts/" + carol, "/files/firm/Clients", "/who/firm/Clients/Acme", "/deposits",
		} {
			told = append(told, o.as(who, "GET", path, "").text)
		}
	}
	for name, s := range secrets {
		for _, text := range told {
			if i := strings.Index(text, s); i >= 0 {
				t.Errorf("the %s is told: …%s…", name, text[max(i-80, 0):min(i+80, len(text))])
			}
		}
	}
}

// TestAppPasswordLimits wants an app password to reach files, shares and contacts within
// its limits, and nothing that concerns its owner alone.
func TestAppPasswordLimits(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	key := func(limits string) string {
		var j struct{ Secret string }
		o.as("ann", "POST", "/app-passwords", `{"name":"x"`+limits+`}`).json(t, &j)
		return j.Secret
	}
	link := o.as("ann", "POST", "/links", `{"items":["/firm/Clients/Acme"],"mode":"read","name":"x"}`)
	var made struct{ ID string }
	link.json(t, &made)
	whole, reading := key(""), key(`,"read_only":true`)
	for _, c := range []struct {
		secret, method, path, body string
		status                     int
	}{
		{whole, "GET", "/files/firm/Clients", "", 200},
		{whole, "POST", "/folders", `{"path":"/firm/Clients/A"}`, 201},
		{whole, "GET", "/links/" + made.ID, "", 200},
		{whole, "GET", "/preferences", "", 403},
		{whole, "PUT", "/preferences", `{"language":"nl"}`, 403},
		{whole, "GET", "/app-passwords", "", 403},
		{whole, "POST", "/app-passwords", `{"name":"y"}`, 403},
		{reading, "GET", "/files/firm/Clients", "", 200},
		{reading, "POST", "/folders", `{"path":"/firm/Clients/B"}`, 403},
		{reading, "DELETE", "/files/firm/Clients/Acme", "", 403},
		{reading, "DELETE", "/links/" + made.ID, "", 403},
		{reading, "POST", "/shares", `{"items":["/firm/Clients/Acme"],"to":["contact:` + carol + `"],"mode":"read"}`, 403},
		{reading, "PUT", "/labels/firm/Clients/Acme", `{"name":"l","color":"red"}`, 403},
		{reading, "POST", "/notices/read", "", 403},
	} {
		if got := o.with("ann", c.secret, c.method, c.path, c.body); got.status != c.status {
			t.Errorf("%s %s: %d, want %d: %s", c.method, c.path, got.status, c.status, got.text)
		}
	}
	// hal works in the lab and in HR; a password for the lab reaches nothing else.
	o.give("hal", "/firm/HR", "user:bob", "read")
	share := o.give("hal", "/firm/HR", "user:eve", "read").ID
	var lab struct{ Secret string }
	o.as("hal", "POST", "/app-passwords", `{"name":"x","workspace":"lab"}`).json(t, &lab)
	for path, want := range map[string]string{"/shares?side=given": `{"shares":[]}`, "/workspaces": `{"workspaces":[{"name":"lab","title":"LAB"}]}`} {
		if got := o.with("hal", lab.Secret, "GET", path, ""); strings.TrimSpace(got.text) != want {
			t.Errorf("%s: %s, want %s", path, got.text, want)
		}
	}
	for _, c := range [][3]string{{"GET", "/files/firm/HR", ""}, {"DELETE", "/shares/" + share, ""}, {"PUT", "/shares/" + share, `{"mode":"read"}`}} {
		if got := o.with("hal", lab.Secret, c[0], c[1], c[2]); got.status != 404 {
			t.Errorf("%s %s: %d %s", c[0], c[1], got.status, got.text)
		}
	}
	if got := o.with("hal", lab.Secret, "GET", "/notices", ""); got.status != 403 {
		t.Errorf("notices: %d", got.status)
	}
}

// TestPages wants a list in parts to be the list, also when what stood at the end
// of a part has gone; and an ETag to save what has not changed.
func TestPages(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	for i := range 7 {
		o.write("eve", fmt.Sprintf("/firm/Clients/Box/f%d.txt", i), "x")
	}
	var seen []string
	for after := ""; ; {
		var part struct {
			Members []struct{ Name string }
			Next    string
		}
		got := o.as("bob", "GET", "/files/firm/Clients/Box?limit=2&after="+after, "")
		o.ok(json.Unmarshal([]byte(got.text), &part))
		for _, n := range part.Members {
			seen = append(seen, n.Name)
		}
		if after = part.Next; after == "" {
			break
		}
		if after == "f3.txt" {
			o.as("eve", "DELETE", "/files/firm/Clients/Box/f3.txt", "")
		}
	}
	if got := strings.Join(seen, " "); got != "f0.txt f1.txt f2.txt f3.txt f4.txt f5.txt f6.txt" {
		t.Errorf("the parts have %s", got)
	}
	first := o.as("bob", "GET", "/files/firm/Clients/Box", "")
	h := http.Header{"Authorization": {basic("bob", word)}, "If-None-Match": {first.header.Get("ETag")}}
	if got := o.do(call{"GET", "/api/v1/files/firm/Clients/Box", "", h}); got.status != 304 || got.text != "" {
		t.Errorf("nothing has changed: %d %q", got.status, got.text)
	}
	o.write("eve", "/firm/Clients/Box/f9.txt", "x")
	if got := o.do(call{"GET", "/api/v1/files/firm/Clients/Box", "", h}); got.status != 200 {
		t.Errorf("something has changed: %d", got.status)
	}
}
