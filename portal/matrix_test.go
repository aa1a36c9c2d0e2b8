package portal_test

import (
	"encoding/base64"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"portico/files"
	"portico/portal/web"
	"portico/sharing"
	"portico/store"
	"portico/vpath"
)

// The route matrix (THREATS.md §2.4): every route by everybody, with a thing that is
// there to see, one that is hidden, and one that is not there. What is due follows
// from what the route declares and from the rights that people have, never from
// its handler.

// dora has what is hidden from all castes.
const dora = "dora@lab.example"

// caste is one identity of the matrix.
type caste struct {
	name   string
	login  string // "" for nobody
	kind   string // "staff", "contact", "" for nobody who can sign in
	token  string // of a link
	rights string // at /firm/Clients/Acme and below
	cookie string
}

// can tells whether they hold a right on what is visible, or made the object ("@").
func (c caste) can(right string) bool {
	for r := range strings.SplitSeq(right, "|") {
		if slices.Contains(strings.Fields(c.rights), r) || r == "@"+c.name {
			return true
		}
	}
	return false
}

// states of what a request names.
const (
	visible = "visible"
	hidden  = "hidden"
	absent  = "absent"
)

// plan is what the test knows of a route: the right that it takes, "-" for what
// is one's own, "*" for anybody; the query and the body to send. $D is a folder, $N
// the name of a thing in it, $F both; $NEW a free name; $ID and $W, $M an object.
type plan struct{ right, query, body string }

// plans are for all routes, by pattern. A route that is not among them fails.
func plans() map[string]plan {
	all := map[string]plan{}
	for _, table := range []map[string]plan{apiPlans(), staffPlans(), clientPlans(), linkPlans(), davPlans()} {
		maps.Copy(all, table)
	}
	return all
}

func apiPlans() map[string]plan {
	card, access := `{"name":"C"}`, `{"folders":["/firm/Clients"]}`
	return map[string]plan{
		"GET /api/v1/openapi.yaml": {right: "*"}, "POST /api/v1/receipts/verify": {"*", "", `{"receipt":"x"}`}, "/api/v1": {right: "*"}, "/api/v1/": {right: "*"},
		"GET /api/v1/me": {right: "-"}, "GET /api/v1/workspaces": {right: "-"}, "GET /api/v1/shares": {right: "-"}, "GET /api/v1/links": {right: "-"},
		"GET /api/v1/deposits": {right: "-"}, "GET /api/v1/notices": {right: "-"}, "POST /api/v1/notices/read": {right: "-"},
		"GET /api/v1/preferences": {right: "-"}, "PUT /api/v1/preferences": {"-", "", `{"language":"en"}`},
		"GET /api/v1/app-passwords": {right: "-"}, "POST /api/v1/app-passwords": {"-", "", `{"name":"x"}`}, "DELETE /api/v1/app-passwords/{id}": {right: "@owner"},
		"GET /api/v1/files/{path...}": {right: "list"}, "DELETE /api/v1/files/{path...}": {right: "delete"},
		"GET /api/v1/content/{path...}": {right: "read"}, "PUT /api/v1/content/{path...}": {"write", "", "new words"}, "GET /api/v1/zip/{path...}": {right: "read"},
		"GET /api/v1/search/{path...}": {"list", "q=x", ""}, "GET /api/v1/why/{path...}": {"list", "right=read", ""}, "GET /api/v1/who/{path...}": {right: "list"},
		"GET /api/v1/locks/{path...}": {right: "grant"}, "DELETE /api/v1/locks/{path...}": {"grant", "id=x", ""},
		"GET /api/v1/labels/{path...}": {right: "list"}, "PUT /api/v1/labels/{path...}": {"list", "", `{"name":"l","color":"red"}`}, "DELETE /api/v1/labels/{path...}": {"list", "name=l", ""},
		"POST /api/v1/folders": {"create", "", `{"path":"$D/$NEW"}`}, "POST /api/v1/moves": {"delete", "", `{"from":"$F","to":"$D/$NEW"}`}, "POST /api/v1/copies": {"create", "", `{"from":"$F","to":"$D/$NEW"}`},
		"GET /api/v1/workspaces/{workspace}/recipients": {"-", "q=c", ""}, "GET /api/v1/workspaces/{workspace}/contacts": {right: "invite"},
		"GET /api/v1/workspaces/{workspace}/contacts/{mail}": {right: "invite"}, "PUT /api/v1/workspaces/{workspace}/contacts/{mail}": {"invite", "", card},
		"PUT /api/v1/workspaces/{workspace}/contacts/{mail}/folders": {"invite", "", access}, "POST /api/v1/workspaces/{workspace}/contacts/{mail}/access": {"invite", "", access},
		"DELETE /api/v1/workspaces/{workspace}/contacts/{mail}/access": {right: "invite"}, "POST /api/v1/workspaces/{workspace}/contacts/{mail}/invitation": {right: "invite"},
		"POST /api/v1/shares":     {"share", "", `{"items":["$F"],"to":["contact:` + carol + `"],"mode":"read"}`},
		"PUT /api/v1/shares/{id}": {"@owner", "", `{"mode":"read"}`}, "DELETE /api/v1/shares/{id}": {right: "@owner|@right contact"}, "PUT /api/v1/shares/{id}/answer": {"@right contact", "", `{"accept":true}`},
		"POST /api/v1/access-requests": {"-", "", `{"path":"$F"}`},
		"POST /api/v1/links":           {"share", "", `{"items":["$F"],"mode":"read","name":"x"}`}, "GET /api/v1/links/{id}": {right: "@owner"}, "PUT /api/v1/links/{id}": {"@owner", "", `{"mode":"read"}`},
		"DELETE /api/v1/links/{id}": {right: "@owner"}, "POST /api/v1/links/{id}/address": {right: "@owner"}, "GET /api/v1/deposits/{id}/receipt": {right: "@right contact"},
		"OPTIONS /api/v1/uploads": {right: "*"}, "OPTIONS /api/v1/uploads/{id}": {right: "*"}, "POST /api/v1/uploads": {right: "create"},
		"HEAD /api/v1/uploads/{id}": {right: "@owner"}, "PATCH /api/v1/uploads/{id}": {"@owner", "", "new"}, "POST /api/v1/uploads/{id}": {right: "@owner"}, "DELETE /api/v1/uploads/{id}": {right: "@owner"},
	}
}

// item is a form about one thing in a folder.
const item = "in=$D&item=$N"

func staffPlans() map[string]plan {
	all := map[string]plan{
		"GET /{$}": {right: "*"}, "GET /login": {right: "*"}, "POST /login": {right: "*"}, "POST /logout": {right: "*"}, "GET /assets/{name...}": {right: "*"},
		"GET /mount": {right: "-"}, "GET /mount/seen": {right: "-"}, "POST /mount/watch": {right: "-"}, "POST /mount/stop": {right: "-"},
		"GET /mount/portico-windows.reg": {right: "-"}, "GET /mount/portico-windows.ps1": {right: "-"},
		"GET /account": {right: "-"}, "POST /account/passwords": {"-", "", "name=x"}, "POST /account/passwords/{id}/revoke": {right: "@owner"},
		"GET /files/{path...}": {right: "list"}, "POST /files/{path...}": {"create", "", "x"}, "GET /raw/{path...}": {right: "read"}, "GET /rows/{path...}": {right: "list"},
		"GET /details/{path...}": {right: "list"}, "GET /search/{path...}": {"list", "q=x", ""}, "GET /zip/{path...}": {right: "read"}, "GET /locks/{path...}": {right: "grant"}, "GET /as/{path...}": {"grant", "who=eve", ""},
		"POST /zip": {"read", "", item}, "POST /do/folder": {"create", "", "in=$D&name=$NEW"}, "POST /do/rename": {"delete", "", item + "&name=$NEW"},
		"POST /do/place": {"list", "", item}, "POST /do/move": {"delete", "", item + "&to=$D"}, "POST /do/copy": {"create", "", item + "&to=$D"},
		"POST /do/sure": {"list", "", item}, "POST /do/delete": {"delete", "", item}, "POST /do/unlock": {"grant", "", "path=$F&lock=x"}, "GET /ask": {"-", "path=$F", ""}, "POST /ask": {"-", "", "path=$F"}, "POST /label": {"list", "", "path=$F&name=l&color=red"},
		"GET /share": {"list", item, ""}, "POST /share": {"list", "", item}, "POST /share/send": {"share", "", item + "&to=contact:" + carol}, "GET /share/people": {"-", "q=c", ""},
		"GET /share/stop": {"-", item, ""}, "POST /share/stop": {"share", "", item + "&stop=$ID"}, "GET /shared": {right: "-"}, "POST /shared/{id}": {"@right contact", "", "answer=accept"},
		"GET /contacts": {right: "-"}, "GET /contacts/{$}": {right: "-"}, "POST /contacts": {"invite", "", "workspace=$W&mail=n@x.example&name=N"},
	}
	for _, rest := range []string{"GET ", "POST ", "GET /folders", "POST /folders", "POST /invite", "POST /close", "POST /stop"} {
		method, end, _ := strings.Cut(rest, " ")
		all[method+" /contacts/{workspace}/{mail}"+end] = plan{"invite", "", "folder=/firm/Clients&name=N"}
	}
	return all
}

func clientPlans() map[string]plan {
	return map[string]plan{
		"GET /portal/{$}": {right: "-"}, "GET /portal/mount": {right: "-"}, "GET /portal/deposits": {right: "-"}, "GET /portal/account": {right: "-"}, "POST /portal/account/password": {"-", "", "old=x&new=y"},
		"POST /portal/offers/{id}": {"@right contact", "", "answer=accept"}, "GET /portal/s/{grant}": {right: "list"}, "GET /portal/s/{grant}/{path...}": {right: "list"},
		"POST /portal/s/{grant}": {"write", "", "x"}, "POST /portal/s/{grant}/{path...}": {"create", "", "x"}, "GET /portal/raw/{grant}": {right: "-"}, "GET /portal/raw/{grant}/{path...}": {right: "read"},
		"GET /portal/zip/{grant}/{path...}": {right: "read"}, "POST /portal/deposits/{id}/back": {right: "@right contact"}, "GET /portal/receipts/{id}": {right: "@right contact"},
		"GET /portal/label/{grant}": {right: "list"}, "GET /portal/label/{grant}/{path...}": {right: "list"},
		"POST /portal/label/{grant}": {"list", "", "name=l&color=red"}, "POST /portal/label/{grant}/{path...}": {"list", "", "name=l&color=red"},
		"POST /account/preferences": {"-", "", "language=en"}, "GET /notices": {right: "-"}, "POST /notices": {right: "-"},
		"GET /verify": {right: "*"}, "POST /verify": {"*", "", "receipt=x"}, "GET /invite/{secret}": {right: "*"}, "POST /invite/{secret}": {"*", "", "name=x&password=y"},
		"GET /reset": {right: "*"}, "POST /reset": {"*", "", "mail=n@x.example"}, "GET /reset/{secret}": {right: "*"}, "POST /reset/{secret}": {"*", "", "password=y"},
	}
}

func linkPlans() map[string]plan {
	return map[string]plan{
		"GET /s/{token}": {right: "*"}, "GET /s/{token}/{$}": {right: "*"}, "GET /s/{token}/f/{path...}": {right: "list"}, "GET /s/{token}/d/{path...}": {right: "read"},
		"GET /s/{token}/v/{path...}": {right: "read"}, "GET /s/{token}/zip": {right: "*"}, "/s/{token}/uploads": {right: "*"}, "/s/{token}/uploads/{id}": {right: "*"}, "/s/{token}/{path...}": {right: "*"}, "POST /s/{token}/unlock": {"*", "", "password=wrong"}, "POST /s/{token}/code": {"*", "", "mail=n@x.example"},
		"POST /s/{token}/name": {"*", "", "name=N"}, "POST /s/{token}/put/{path...}": {"create", "", "x"}, "PUT /s/{token}/{path...}": {"create", "", "new words"}, "GET /s/{token}/{path...}": {right: "*"},
	}
}

// davPlans are the drives, which have no mux: each method of WebDAV on each prefix.
func davPlans() map[string]plan {
	all := map[string]plan{}
	for _, prefix := range []string{"/dav/{path...}", "/dav/shared/{path...}", "/dav/link/{token}/{path...}"} {
		for method, right := range map[string]string{
			"GET": "read", "PROPFIND": "list", "PUT": "write", "DELETE": "delete", "MKCOL": "create", "LOCK": "write", "PROPPATCH": "write", "COPY": "create", "MOVE": "delete", "UNLOCK": "write",
			"REPORT": "list", "SEARCH": "read|list", // of a scope that is not seen a search says 409 (RFC 5323 §2.4)
		} {
			if method == "PUT" && strings.Contains(prefix, "{token}") {
				right = "write|create" // who sees nothing never meets a name that is taken
			}
			if method == "REPORT" || method == "SEARCH" {
				right += "|create" // who sees nothing sees the folder that they may drop into, without a member: see leaks
			}
			all[method+" "+prefix] = plan{right: right, body: map[string]string{
				"PUT":       "new words",
				"LOCK":      `<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockinfo>`,
				"REPORT":    `<D:sync-collection xmlns:D="DAV:"><D:sync-token/><D:sync-level>infinite</D:sync-level><D:prop><D:displayname/><a xmlns="x:"/></D:prop></D:sync-collection>`,
				"SEARCH":    `<D:searchrequest xmlns:D="DAV:"><D:basicsearch><D:select><D:allprop/></D:select><D:from><D:scope><D:href>$SELF</D:href><D:depth>infinity</D:depth></D:scope></D:from></D:basicsearch></D:searchrequest>`,
				"PROPPATCH": `<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><a xmlns="x:">1</a></D:prop></D:set></D:propertyupdate>`,
			}[method]}
		}
	}
	return all
}

// matrix is the office with its castes and objects.
type matrix struct {
	*office
	castes []caste
	theirs map[string]string // IDs that are another's, by the route's kind
	n      int
	checks int
}

func (m *matrix) link(login string, w sharing.LinkWish, past bool) string {
	m.Helper()
	if w.Items == nil {
		w.Items = []vpath.Path{vpath.Must("/firm/Clients/Acme")}
	}
	w.Name = "L"
	v, token, err := m.sharing.MakeLink(m.Context(), m.by(login), w)
	m.ok(err)
	m.theirs["newest link"] = v.ID
	if past {
		m.ok(m.state.Update(m.Context(), func(tx store.Tx) error {
			l, _, err := tx.LinkByID(m.Context(), v.ID)
			l.Until = m.clock().Add(-time.Hour)
			m.ok(err)
			return tx.PutLink(l)
		}))
	}
	return token
}

func newMatrix(t *testing.T) *matrix {
	t.Helper()
	m := &matrix{office: newOffice(t), theirs: map[string]string{}}
	edit := "list read comment create write delete"
	m.castes = []caste{
		{name: "anonymous"},
		{name: "wrong password"},
		{name: "expired link", token: m.link("root", sharing.LinkWish{Mode: sharing.LinkRead}, true)},
		{name: "read link", token: m.link("root", sharing.LinkWish{Mode: sharing.LinkRead}, false), rights: "list read"},
		{name: "deposit link", token: m.link("root", sharing.LinkWish{Mode: sharing.LinkDeposit}, false), rights: "list read create write"},
		{name: "inbox link", token: m.link("root", sharing.LinkWish{Mode: sharing.LinkInbox}, false), rights: "create"},
		{name: "locked link", token: m.link("root", sharing.LinkWish{Mode: sharing.LinkRead, Password: "four words are enough"}, false)},
		{name: "stranger contact", login: stan, kind: "contact"},
		{name: "right contact", login: carol, kind: "contact", rights: "list read comment create write"},
		{name: "viewer", login: "bob", kind: "staff", rights: "list read"},
		{name: "editor", login: "eve", kind: "staff", rights: edit},
		{name: "owner", login: "root", kind: "staff", rights: edit + " share invite grant audit"},
		{name: "disabled user", login: "dan"},
	}
	m.enter()
	m.employ(slog.New(slog.DiscardHandler), "ann", "eve", "bob", "root", "hal") // dan has left
	m.join("lab", "hal", dora, "/lab/Tests")
	m.write("hal", "/lab/pay.txt", "hidden words")
	m.theirs["share"] = m.give("hal", "/lab/Tests", "contact:"+dora, sharing.Deposit).ID
	m.link("hal", sharing.LinkWish{Mode: sharing.LinkRead, Items: []vpath.Path{vpath.Must("/lab/Tests")}}, false)
	m.theirs["link"] = m.theirs["newest link"]
	m.theirs["deposit"], m.theirs["upload"] = m.deposit(dora, "/Tests"), m.begin("hal", "/lab/Tests")
	m.theirs["password"] = m.password("hal")
	return m
}

// enter signs in all who can; the session of dan is from before he left.
func (m *matrix) enter() {
	m.Helper()
	for i := range m.castes {
		if c := &m.castes[i]; c.kind != "" || c.cookie == "" && c.login != "" {
			c.cookie = m.signIn(c.login)
		}
	}
}

func (m *matrix) signIn(login string) string {
	m.Helper()
	got := m.do(call{"POST", "/login", "name=" + login + "&password=" + strings.ReplaceAll(word, " ", "+"), http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}})
	cookie, _, _ := strings.Cut(got.header.Get("Set-Cookie"), ";")
	if got.status != 303 || cookie == "" {
		m.Fatalf("sign-in of %s: %d", login, got.status)
	}
	return cookie
}

// deposit leaves a file as a customer, and gives its ID.
func (m *matrix) deposit(mail, folder string) string {
	m.Helper()
	m.n++
	w, err := m.files.Window(m.Context(), m.by(mail).Principal)
	m.ok(err)
	_, _, err = w.Put(m.Context(), vpath.Must(fmt.Sprintf("%s/d%d.txt", folder, m.n)), strings.NewReader("mine"), files.PutOptions{Size: 4})
	m.ok(err)
	list, err := m.sharing.MyDeposits(m.Context(), m.by(mail))
	m.ok(err)
	return list[0].ID
}

func (m *matrix) begin(login, folder string) string {
	m.Helper()
	m.n++
	st, err := m.tree(login).BeginUpload(m.Context(), vpath.Must(fmt.Sprintf("%s/u%d.txt", folder, m.n)), files.UploadWish{Size: 3, Exists: files.ExistsKeep})
	m.ok(err)
	return st.ID
}

func (m *matrix) password(login string) string {
	m.Helper()
	got := m.as(login, "POST", "/app-passwords", `{"name":"x"}`)
	var j struct{ ID string }
	got.json(m.TB.(*testing.T), &j)
	return j.ID
}

// kindOf is what kind of object the ID of a route names.
func kindOf(pattern string) string {
	for word, kind := range map[string]string{
		"/shares/": "share", "/links/": "link", "/deposits/": "deposit", "/receipts/": "deposit", "/uploads/": "upload", "passwords/": "password",
		"/offers/": "share", "/shared/": "share", "/share/stop": "share", "{grant}": "share",
	} {
		if strings.Contains(pattern, word) {
			return kind
		}
	}
	return ""
}

// visible is an object of root's, or of carol's: a new one where it may be lost.
func (m *matrix) visible(kind, file string, fresh bool) string {
	m.Helper()
	if !fresh && kind != "" {
		if m.theirs["root's "+kind] == "" {
			m.theirs["root's "+kind] = m.object(kind, file)
		}
		return m.theirs["root's "+kind]
	}
	return m.object(kind, file)
}

// object makes a new one of root's; deposits are carol's.
func (m *matrix) object(kind, file string) string {
	m.Helper()
	switch kind {
	case "share":
		return m.give("root", file, "contact:"+carol, sharing.Read).ID
	case "link":
		m.link("root", sharing.LinkWish{Mode: sharing.LinkRead, Items: []vpath.Path{vpath.Must(file)}}, false)
		return m.theirs["newest link"]
	case "deposit":
		return m.deposit(carol, "/In")
	case "upload":
		return m.begin("root", "/firm/Clients/Box")
	case "password":
		return m.password("root")
	}
	return ""
}

// target fills in what a request names, for one state; fresh is for what may change it.
func (m *matrix) target(pattern string, c caste, state string, fresh bool) *strings.Replacer {
	m.Helper()
	m.n++
	folder, name, workspace, mail := "/firm/Clients/Acme", "letter.txt", "firm", carol
	token := c.token
	if token == "" {
		token = "gwl_00000000000000000000000000000000"
	}
	object := "zzzzzzzzzzzzzzzz"
	kind := kindOf(pattern)
	switch state {
	case visible:
		if fresh { // it may be lost
			name = fmt.Sprintf("t%d.txt", m.n)
			m.write("root", folder+"/"+name, "dear acme")
		}
		object = m.visible(kind, folder+"/"+name, fresh)
		if strings.Contains(pattern, "{grant}") {
			object = m.theirs["acme"]
		}
		if fresh && strings.Contains(pattern, "{mail}") {
			mail = fmt.Sprintf("c%d@x.example", m.n)
			_, err := m.sharing.PutContact(m.Context(), m.by("root"), sharing.ContactWish{Workspace: "firm", Mail: mail})
			m.ok(err)
			if !strings.HasPrefix(pattern, "POST ") || !strings.HasSuffix(pattern, "/access") {
				m.ok(m.sharing.OpenAccess(m.Context(), m.by("root"), "firm", mail, []vpath.Path{vpath.Must("/firm/Clients")}))
			}
		}
	case hidden:
		folder, name, workspace, mail = "/firm/HR", "pay.txt", "lab", dora
		if c.name == "owner" { // to whom nothing of the workspace is hidden
			folder = "/lab"
		}
		if id := m.theirs[kind]; id != "" {
			object = id
		}
	case absent:
		folder, name, workspace, mail = "/firm/HX", "pay.txt", "nil", dora
		if c.name == "owner" {
			folder = "/nil"
		}
	}
	if c.kind == "contact" || c.token != "" { // who has no tree, but a window
		folder = map[string]string{visible: "/Acme", hidden: "/HR", absent: "/HX"}[state]
	}
	inside := strings.TrimPrefix(folder, "/") + "/" + name
	switch {
	case strings.Contains(pattern, "GET /as/"):
		inside = strings.TrimPrefix(folder, "/") + "/"
	case strings.HasPrefix(pattern, "MKCOL"):
		inside += "-new"
	case strings.HasPrefix(pattern, "REPORT"), strings.HasPrefix(pattern, "SEARCH"): // of a folder
		inside = strings.TrimPrefix(folder, "/") + "/"
	}
	if strings.Contains(pattern, "{grant}") {
		inside = name // below the share
	}
	return strings.NewReplacer(
		"{path...}", inside, "{id}", object, "{grant}", object, "{workspace}", workspace, "{mail}", mail, "{token}", token, "{secret}", "gwi_none", "{$}", "", "{name...}", "style.css",
		"$D", folder, "$N", name, "$F", folder+"/"+name, "$ID", object, "$W", workspace,
	)
}

// request makes the request of one check.
func (m *matrix) request(r web.Route, p plan, c caste, fill *strings.Replacer) call {
	m.n++
	fresh := fmt.Sprintf("new%d", m.n)
	method, path, ok := strings.Cut(r.Pattern, " ")
	if !ok {
		method, path = "GET", r.Pattern
	}
	q := call{method: method, path: fill.Replace(path), body: fill.Replace(strings.ReplaceAll(p.body, "$NEW", fresh)), header: http.Header{}}
	q.body = strings.ReplaceAll(q.body, "$SELF", q.path)
	if p.query != "" {
		q.path += "?" + fill.Replace(p.query)
	}
	h := q.header
	h.Set("Test-Address", fmt.Sprintf("10.%d.%d.%d", m.n>>16&255, m.n>>8&255, m.n&255))
	switch {
	case strings.HasPrefix(q.body, "{"):
		h.Set("Content-Type", "application/json")
	case method == "POST" && !r.API:
		h.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if strings.Contains(path, "/uploads") {
		h.Set("Tus-Resumable", "1.0.0")
		h.Set("Upload-Length", "3")
		h.Set("Upload-Offset", "0")
		h.Set("X-HTTP-Method-Override", "HEAD")
		b64 := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
		h.Set("Upload-Metadata", "path "+b64(fill.Replace("$D"))+",filename "+b64(fresh))
		h.Set("Content-Type", "application/offset+octet-stream")
		if path == "/api/v1/uploads" || method != "POST" {
			h.Del("X-HTTP-Method-Override")
		}
	}
	switch method {
	case "COPY", "MOVE":
		h.Set("Destination", q.path+fresh)
	case "UNLOCK":
		h.Set("Lock-Token", "<opaquelocktoken:none>")
	}
	m.credentials(h, r, c)
	return q
}

// credentials are what a caste shows: the password to programs, the session to pages.
func (m *matrix) credentials(h http.Header, r web.Route, c caste) {
	stranger := fmt.Sprintf("nobody%d", m.n) // each with an account of their own to guess at
	switch program := r.API || strings.Contains(r.Pattern, "/dav"); {
	case !program && c.cookie != "":
		h.Set("Cookie", c.cookie)
	case program && c.login != "":
		h.Set("Authorization", basic(c.login, word))
	case program && c.name == "wrong password":
		h.Set("Authorization", basic(stranger, "wrong horse battery"))
	case program && c.token != "" && !strings.Contains(r.Pattern, "{token}"):
		h.Set("Authorization", basic(stranger, c.token)) // a link is no password
	}
}
