package portal_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// caller is the API with each answer held against the document.
type caller struct {
	*office
	d    *document
	mux  *http.ServeMux
	last answer
	kept map[string]string // what later steps name as $NAME
	seen map[string]bool   // operations that have answered well
}

func newCaller(t *testing.T) *caller {
	t.Helper()
	o := newOffice(t)
	c := &caller{office: o, d: o.document(), mux: http.NewServeMux(), kept: map[string]string{}, seen: map[string]bool{}}
	for _, r := range o.routes {
		c.mux.HandleFunc(r.Pattern, func(http.ResponseWriter, *http.Request) {})
	}
	return c
}

// step is one call: who, what, and the status that is due. keep names a member of
// the answer for later.
type step struct {
	who, method, path, body string
	status                  int
	keep                    string // "NAME=member.member"
}

func (c *caller) step(s step) {
	c.Helper()
	for name, value := range c.kept {
		s.path, s.body = strings.ReplaceAll(s.path, "$"+name, value), strings.ReplaceAll(s.body, "$"+name, value)
	}
	h := http.Header{}
	if s.who != "" {
		h.Set("Authorization", basic(s.who, word))
	}
	if s.body != "" {
		h.Set("Content-Type", "application/json")
	}
	if strings.HasPrefix(s.path, "/uploads") {
		h.Set("Tus-Resumable", "1.0.0")
		h.Set("Upload-Length", "3")
		h.Set("Upload-Metadata", "path L2Zpcm0vQ2xpZW50cw==,filename dC50eHQ=")
		h.Set("Upload-Offset", "0")
		h.Set("Content-Type", "application/offset+octet-stream")
	}
	c.last = c.do(call{s.method, "/api/v1" + s.path, s.body, h})
	if c.last.status != s.status {
		c.Fatalf("%s %s %s: %d, want %d: %s", s.who, s.method, s.path, c.last.status, s.status, c.last.text)
	}
	r, err := http.NewRequestWithContext(c.Context(), s.method, "/api/v1"+s.path, nil)
	c.ok(err)
	_, pattern := c.mux.Handler(r)
	_, path, _ := documented(pattern)
	if err := c.d.fits(path, s.method, c.last); err != nil {
		c.Error(err)
	}
	if s.status < 300 {
		c.seen[s.method+" "+path] = true
	}
	if name, member, ok := strings.Cut(s.keep, "="); ok {
		c.kept[name] = c.member(member)
	}
}

// member is a part of the last answer: "shares.0.id".
func (c *caller) member(path string) string {
	c.Helper()
	if path == "Location" {
		at := c.last.header.Get("Location")
		return at[strings.LastIndexByte(at, '/')+1:]
	}
	var v any
	c.ok(json.Unmarshal([]byte(c.last.text), &v))
	for name := range strings.SplitSeq(path, ".") {
		if list, ok := v.([]any); ok && len(list) > 0 {
			v = list[0]
			continue
		}
		object, _ := v.(map[string]any)
		v = object[name]
	}
	s, _ := v.(string)
	if s == "" {
		c.Fatalf("the answer has no %s: %s", path, c.last.text)
	}
	return s
}

// TestAnswers goes through the whole API as people do, and holds each answer, good
// or bad, against the document.
func TestAnswers(t *testing.T) {
	t.Parallel()
	c := newCaller(t)
	until := time.Now().AddDate(0, 1, 0).Format(time.DateOnly)
	acme := "/workspaces/firm/contacts/" + carol
	for _, s := range slices.Concat(filesSteps(), []step{
		// contacts
		{"ann", "GET", "/workspaces", "", 200, ""},
		{"root", "GET", "/workspaces/firm/contacts?limit=1", "", 200, ""},
		{"root", "GET", acme, "", 200, ""},
		{"root", "PUT", "/workspaces/firm/contacts/new@acme.example", `{"name":"New","organisation":"Acme","language":"nl","notes":"calls"}`, 200, ""},
		{"root", "POST", "/workspaces/firm/contacts/new@acme.example/access", `{"folders":["/firm/Clients"]}`, 200, ""},
		{"root", "POST", "/workspaces/firm/contacts/new@acme.example/invitation", "", 429, ""},
		{method: "WAIT"},
		{"root", "POST", "/workspaces/firm/contacts/new@acme.example/invitation", "", 204, ""},
		{"root", "PUT", "/workspaces/firm/contacts/new@acme.example/folders", `{"folders":["/firm/Clients/Acme"]}`, 200, ""},
		{"root", "DELETE", "/workspaces/firm/contacts/new@acme.example/access?tell=true", "", 204, ""},
		{"root", "PUT", "/workspaces/firm/contacts/nobody", `{"name":"x"}`, 422, ""},
		{"ann", "GET", "/workspaces/firm/recipients?q=car", "", 200, ""},
		// shares
		{"ann", "POST", "/shares", `{"items":["/firm/Clients/Box"],"to":["contact:` + carol + `"],"mode":"read","message":"look","until":"` + until + `","ask":true}`, 201, "SHARE=shares.0.id"},
		{"ann", "GET", "/shares?side=given&limit=1", "", 200, ""},
		{"ann", "GET", "/shares?side=none", "", 422, ""},
		{carol, "GET", "/shares", "", 200, ""},
		{carol, "PUT", "/shares/$SHARE/answer", `{"accept":true}`, 204, ""},
		{carol, "PUT", "/shares/$SHARE/answer", `{}`, 422, ""},
		{"ann", "PUT", "/shares/$SHARE", `{"mode":"edit"}`, 204, ""},
		{stan, "DELETE", "/shares/$SHARE", "", 404, ""},
		{"ann", "DELETE", "/shares/$SHARE?tell=true", "", 204, ""},
		// links
		{"ann", "POST", "/links", `{"items":["/firm/Clients/Acme"],"mode":"read","name":"Carol","password":"one two three four"}`, 201, "LINK=id"},
		{"ann", "GET", "/links", "", 200, ""},
		{"ann", "GET", "/links?path=/firm/Clients", "", 200, ""},
		{"ann", "GET", "/links/$LINK", "", 200, ""},
		{"ann", "PUT", "/links/$LINK", `{"mode":"deposit","name":"Carol","until":"` + until + `"}`, 200, ""},
		{"ann", "POST", "/links/$LINK/address", "", 201, ""},
		{"eve", "DELETE", "/links/$LINK", "", 404, ""},
		{"ann", "DELETE", "/links/$LINK", "", 204, ""},
	}, selfSteps()) {
		if s.method == "WAIT" {
			c.later.Add(int64(2 * time.Minute))
			continue
		}
		c.step(s)
	}
	c.deposit()
	for _, r := range c.routes {
		if method, path, ok := documented(r.Pattern); ok && !c.seen[method+" "+path] {
			t.Errorf("%s %s: no answer was held against the document", method, path)
		}
	}
}

func filesSteps() []step {
	return []step{
		{"ann", "GET", "/me", "", 200, ""},
		{"", "GET", "/me", "", 401, ""},
		{"", "GET", "/openapi.yaml", "", 200, ""},
		{"root", "GET", "/files/", "", 200, ""},
		{carol, "GET", "/files/", "", 200, ""},
		{carol, "GET", "/files/Acme?limit=1", "", 200, ""},
		{"ann", "GET", "/files/firm/Clients?limit=1", "", 200, ""},
		{"ann", "GET", "/files/firm/Clients?limit=0", "", 422, ""},
		{"ann", "GET", "/files/firm/Clients/Acme/letter.txt", "", 200, ""},
		{"root", "GET", "/files/firm?as=bob", "", 200, ""},
		{"bob", "GET", "/files/firm/HR", "", 404, ""},
		{"bob", "GET", "/content/firm/Clients/Acme/letter.txt", "", 200, ""},
		{"bob", "PUT", "/content/firm/Clients/b.txt", "", 403, ""},
		{"eve", "PUT", "/content/firm/Clients/b.txt", "new", 201, ""},
		{"eve", "PUT", "/content/firm/Clients/b.txt", "newer", 200, ""},
		{"ann", "GET", "/zip/firm/Clients?item=b.txt", "", 200, ""},
		{"ann", "GET", "/search/firm?q=LETTER", "", 200, ""},
		{"ann", "GET", "/search/firm", "", 422, ""},
		{"eve", "POST", "/folders", `{"path":"/firm/Clients/New"}`, 201, ""},
		{"eve", "POST", "/folders", `{"path":"/firm/Clients/New"}`, 409, ""},
		{"eve", "POST", "/folders", `{"path":"no/path"}`, 400, ""},
		{"eve", "POST", "/copies", `{"from":"/firm/Clients/b.txt","to":"/firm/Clients/New/c.txt"}`, 201, ""},
		{"eve", "POST", "/moves", `{"from":"/firm/Clients/b.txt","to":"/firm/Clients/New/d.txt"}`, 201, ""},
		{"eve", "POST", "/moves", `{"from":"/firm/Clients/New/c.txt","to":"/firm/Clients/New/d.txt"}`, 412, ""},
		{"bob", "DELETE", "/files/firm/Clients/New", "", 403, ""},
		{"eve", "DELETE", "/files/firm/Clients/New", "", 204, ""},
		{"bob", "GET", "/why/firm/Clients?right=write", "", 200, ""},
		{"ann", "GET", "/who/firm/Clients", "", 200, ""},
		{"bob", "POST", "/access-requests", `{"path":"/firm/Clients/Acme","message":"For the audit"}`, 204, ""},
		{"bob", "POST", "/access-requests", `{"path":"/firm/Clients/Acme"}`, 409, ""},
		{"bob", "POST", "/access-requests", `{"path":"/firm/HR"}`, 404, ""},
		{"root", "POST", "/access-requests", `{"path":"/firm/Clients/Acme"}`, 422, ""},
		{"root", "GET", "/locks/firm/Clients", "", 200, ""},
		{"bob", "GET", "/locks/firm/Clients", "", 403, ""},
		{"root", "DELETE", "/locks/firm/Clients/Acme?id=x", "", 204, ""},
		{"bob", "DELETE", "/locks/firm/Clients/Acme?id=x", "", 404, ""},
		{"bob", "PUT", "/labels/firm/Clients/Acme", `{"name":"Mine","color":"red"}`, 204, ""},
		{"bob", "GET", "/labels/firm/Clients", "", 200, ""},
		{"bob", "GET", "/files/firm/Clients", "", 200, ""},
		{"bob", "DELETE", "/labels/firm/Clients/Acme?name=Mine", "", 204, ""},
		{"eve", "OPTIONS", "/uploads", "", 204, ""},
		{"eve", "POST", "/uploads", "", 201, "UP=Location"},
		{"eve", "OPTIONS", "/uploads/$UP", "", 204, ""},
		{"eve", "HEAD", "/uploads/$UP", "", 200, ""},
		{"eve", "PATCH", "/uploads/$UP", "abc", 204, ""},
		{"eve", "POST", "/uploads", "", 409, ""},
	}
}

func selfSteps() []step {
	return []step{
		{"bob", "GET", "/notices?limit=5", "", 200, ""},
		{"bob", "POST", "/notices/read", "", 204, ""},
		{"bob", "PUT", "/preferences", `{"language":"nl","theme":"dark","muted":["opened"]}`, 200, ""},
		{"bob", "PUT", "/preferences", `{"language":"tlh"}`, 422, ""},
		{"bob", "GET", "/preferences", "", 200, ""},
		{"bob", "POST", "/app-passwords", `{"name":"phone"}`, 201, "KEY=id"},
		{"bob", "GET", "/app-passwords", "", 200, ""},
		{"bob", "DELETE", "/app-passwords/$KEY", "", 204, ""},
		{"bob", "DELETE", "/app-passwords/$KEY", "", 404, ""},
		{"", "POST", "/receipts/verify", `{"receipt":"nonsense"}`, 200, ""},
	}
}

// deposit goes from a customer's file to the proof of its receipt; and through an
// upload that is given up.
func (c *caller) deposit() {
	c.Helper()
	c.step(step{carol, "PUT", "/content/In/letter.txt", "my letter", 201, ""})
	c.step(step{carol, "GET", "/deposits", "", 200, "DEPOSIT=deposits.0.id"})
	c.step(step{carol, "GET", "/deposits/$DEPOSIT/receipt", "", 200, ""})
	b, err := json.Marshal(map[string]string{"receipt": c.last.text})
	c.ok(err)
	c.step(step{"", "POST", "/receipts/verify", string(b), 200, ""})
	if !regexp.MustCompile(`"verdict":"good"`).MatchString(c.last.text) {
		c.Errorf("the receipt is %s", c.last.text)
	}
	c.step(step{stan, "GET", "/deposits/$DEPOSIT/receipt", "", 404, ""})
	c.step(step{carol, "PUT", "/labels/Acme/letter.txt", `{"name":"To sign","color":"teal"}`, 204, ""})
	c.step(step{carol, "GET", "/labels/Acme", "", 200, ""})
	if !regexp.MustCompile(`"/Acme/letter.txt":\[\{"name":"To sign","color":"teal","mine":true`).MatchString(c.last.text) {
		c.Errorf("the labels are %s", c.last.text)
	}
	c.step(step{stan, "PUT", "/labels/Acme/letter.txt", `{"name":"Mine","color":"teal"}`, 404, ""})
	c.step(step{carol, "DELETE", "/labels/Acme/letter.txt?name=To%20sign", "", 204, ""})
	h := http.Header{
		"Authorization": {basic("eve", word)}, "Tus-Resumable": {"1.0.0"}, "Upload-Length": {"9"},
		"Upload-Metadata": {"path L2Zpcm0vQ2xpZW50cw==,filename dS50eHQ="},
	}
	got := c.do(call{"POST", "/api/v1/uploads", "", h})
	c.kept["UP"] = got.header.Get("Location")[len("/api/v1/uploads/"):]
	h.Set("X-HTTP-Method-Override", "HEAD")
	got = c.do(call{"POST", "/api/v1/uploads/" + c.kept["UP"], "", h})
	if err := c.d.fits("/uploads/{id}", "POST", got); err != nil || got.status != 200 {
		c.Errorf("HEAD by POST: %d %v", got.status, err)
	}
	c.seen["POST /uploads/{id}"] = true
	c.step(step{"eve", "DELETE", "/uploads/$UP", "", 204, ""})
}
