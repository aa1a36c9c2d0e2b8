package gateway_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"portico/acl"
	"portico/gateway/gatewaytest"
	"portico/identity"
	"portico/vpath"
)

// wantTold compares what a sync told with hrefs below /dav/firm/.
func wantTold(t *testing.T, got []string, want ...string) {
	t.Helper()
	for i, at := range want {
		want[i] = "/dav/firm/" + at
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("told of %q, want %q", got, want)
	}
}

func TestSyncTells(t *testing.T) {
	h := newHouse(t)
	ann := h.as("ann")
	ann.Do("MKCOL", "/firm/d", "").Want(201)
	ann.Put("/firm/a", "1").Want(201)
	ann.Put("/firm/d/x", "1").Want(201)
	flat, deep := newMirror(t, ann, "/firm", "1"), newMirror(t, ann, "/firm/", "infinite")
	wantTold(t, flat.sync(0), "a", "d/")
	wantTold(t, deep.sync(0), "a", "d/", "d/x")
	was := deep.token
	wantTold(t, deep.sync(0))
	if deep.token != was {
		t.Error("nothing has changed, and the token is another")
	}
	ann.Put("/firm/a", "22").Want(204)
	ann.Put("/firm/d/y", "1").Want(201)
	ann.Do("DELETE", "/firm/d/x", "").Want(204)
	told := deep.sync(0)
	for _, want := range []string{"/dav/firm/a", "/dav/firm/d/x", "/dav/firm/d/y"} {
		if !slices.Contains(told, want) {
			t.Errorf("told of %q, without %s", told, want)
		}
	}
	deep.wantSame()
	flat.sync(0)
	flat.wantSame()
	ann.Do("PROPPATCH", "/firm/d/y", `<propertyupdate xmlns="DAV:"><set><prop><x xmlns="urn:x">new</x></prop></set></propertyupdate>`).Want(207)
	wantTold(t, deep.sync(0), "d/y")
	ann.Do("MOVE", "/firm/d", "", "Destination: /dav/firm/e").Want(201)
	wantTold(t, deep.sync(0), "d/", "d/y", "e/", "e/y")
	ann.Do("DELETE", "/firm/e", "").Want(204)
	ann.Put("/firm/e", "a file now").Want(201)
	deep.sync(0)
	deep.wantSame()
}

// What another tool does in the storage is told like all else, and what a rule
// hides is told as gone.
func TestSyncSeesWhatIsSeen(t *testing.T) {
	h := newHouse(t)
	ann := h.as("ann")
	ann.Do("MKCOL", "/firm/HR", "").Want(201)
	ann.Put("/firm/HR/pay", "1").Want(201)
	ann.Put("/firm/open", "1").Want(201)
	bob := newMirror(t, h.as("bob"), "/firm", "infinite")
	wantTold(t, bob.sync(0), "HR/", "HR/pay", "open")
	rules := func(folders ...acl.Folder) {
		role, _ := acl.RoleNamed("viewer")
		owner, _ := acl.RoleNamed("owner")
		p, err := acl.Compile(acl.Spec{Folders: folders, Grants: []acl.Grant{
			{Path: vpath.Must("/firm"), Subject: acl.User("ann"), Role: owner}, {Path: vpath.Must("/firm"), Subject: acl.User("bob"), Role: role},
		}})
		if err != nil {
			t.Fatal(err)
		}
		h.service.Apply(p, h.workspaces())
	}
	rules(acl.Folder{Path: vpath.Must("/firm/HR")})
	ann.Put("/firm/HR/secret", "1").Want(201)
	wantTold(t, bob.sync(0), "HR/", "HR/pay")
	bob.wantSame()
	ann.Put("/firm/HR/more", "1").Want(201)
	wantTold(t, bob.sync(0))
	rules()
	wantTold(t, bob.sync(0), "HR/", "HR/pay", "HR/secret", "HR/more")
	bob.wantSame()
}

func TestSyncLimits(t *testing.T) {
	ann := newHouse(t).as("ann")
	for i := range 7 {
		ann.Put(fmt.Sprintf("/firm/%d", i), "1").Want(201)
	}
	m := newMirror(t, ann, "/firm", "1")
	answer := m.report(3).Want(207).WantIn("<D:number-of-matches-within-limits/>").Multistatus()
	if n := len(answer.Responses); n != 4 || answer.Responses[3].Code() != 507 || answer.Responses[3].Href != "/dav/firm/" {
		t.Errorf("%d responses: %+v", n, answer.Responses)
	}
	m.sync(3)
	m.wantSame()
	ann.Do("DELETE", "/firm/0", "").Want(204)
	ann.Do("DELETE", "/firm/3", "").Want(204)
	ann.Put("/firm/5", "new").Want(204)
	wantTold(t, m.sync(1), "0", "3", "5")
	m.wantSame()
	huge := strings.Replace(syncBody(m.token, "1", 1), ">1</D:nresults>", ">99999999999999999999999</D:nresults>", 1)
	ann.Do("REPORT", "/firm", huge).Want(207)
	for _, bad := range []string{"0", "-1", "x", ""} {
		body := strings.Replace(syncBody("", "1", 1), ">1</D:nresults>", ">"+bad+"</D:nresults>", 1)
		ann.Do("REPORT", "/firm", body).Want(400, 507)
	}
}

// A token is nothing to others, to other folders, and to what is none.
func TestSyncTokens(t *testing.T) {
	h := newHouse(t)
	ann := h.as("ann")
	ann.Do("MKCOL", "/firm/d", "").Want(201)
	ann.Put("/firm/d/x", "1").Want(201)
	m := newMirror(t, ann, "/firm", "infinite")
	m.sync(0)
	refused := func(u *gatewaytest.User, at, token string) {
		t.Helper()
		u.Do("REPORT", at, syncBody(token, "1", 0)).Want(403).WantIn("<D:valid-sync-token/>").WantNot("/dav/firm/d")
	}
	refused(h.as("bob"), "/firm", m.token)
	refused(ann, "/firm/d", m.token)
	refused(ann, "/lab", m.token)
	refused(ann, "/", m.token)
	for _, none := range []string{
		"x", "urn:uuid:", "urn:uuid:00000000-0000-4000-8000-000000000000", m.token + "0", strings.ToUpper(m.token), "http://a/b",
		"urn:uuid:\u00e9", "urn:uuid:" + strings.Repeat("-", 36), strings.Repeat("y", 9000),
	} {
		ann.Do("REPORT", "/firm", syncBody(none, "1", 0)).Want(403).WantIn("<D:valid-sync-token/>")
	}
	ann.Do("REPORT", "/firm", syncBody("  \n"+m.token+"\n ", "infinite", 0)).Want(207)
	// Another level is another question, and the answer makes up for it.
	flat := newMirror(t, ann, "/firm", "1")
	flat.token, flat.known = m.token, m.known
	flat.sync(0)
	flat.wantSame()
}

// The token before the last one still counts: an answer may have been lost.
func TestSyncLostAnswer(t *testing.T) {
	ann := newHouse(t).as("ann")
	ann.Put("/firm/a", "1").Want(201)
	m := newMirror(t, ann, "/firm", "1")
	m.sync(0)
	first := m.token
	ann.Put("/firm/b", "1").Want(201)
	m.report(0).Want(207) // and lost
	ann.Put("/firm/c", "1").Want(201)
	wantTold(t, m.sync(0), "b", "c")
	ann.Put("/firm/d", "1").Want(201)
	wantTold(t, m.sync(0), "d")
	m.wantSame()
	ann.Do("REPORT", "/firm", syncBody(first, "1", 0)).Want(403) // it was shown to have been got over
}

func TestSyncRefused(t *testing.T) {
	h := newHouse(t)
	ann := h.as("ann")
	ann.Put("/firm/a", "1").Want(201)
	good := syncBody("", "1", 0)
	ann.Do("REPORT", "/firm/a", good).Want(403).WantIn("<D:supported-report/>")
	ann.Do("REPORT", "/firm/a/", good).Want(404)
	ann.Do("REPORT", "/firm/none", good).Want(404)
	ann.Do("REPORT", "/firm", "").Want(400)
	ann.Do("REPORT", "/firm", `<version-tree xmlns="DAV:"/>`).Want(403).WantIn("<D:supported-report/>")
	ann.Do("REPORT", "/firm", `<sync-collection/>`).Want(403)
	ann.Do("REPORT", "/firm", good, "Depth: 1").Want(400)
	ann.Do("REPORT", "/firm", good, "Depth: 2").Want(400)
	ann.Do("REPORT", "/firm", strings.Replace(good, ">1</D:sync-level>", ">2</D:sync-level>", 1)).Want(400)
	ann.Do("REPORT", "/firm", good, "If: (<urn:uuid:none>)").Want(412)
	old := strings.Replace(good, "<D:sync-level>1</D:sync-level>", "", 1)
	ann.Do("REPORT", "/firm", old).Want(400)
	ann.Do("REPORT", "/firm", old, "Depth: 1").Want(207)
	ann.Do("REPORT", "/firm", old, "Depth: infinity").Want(207)
	h.as("mallory").Do("REPORT", "/firm", good).Want(404)
	h.as("ida").Do("REPORT", "/firm/Inbox", good).Want(404)
	h.as("mallory").Do("REPORT", "/", good).Want(207)
	gatewaytest.As(t, h.server.URL+"/dav", "", "").Do("REPORT", "/firm", good).Want(401)
}

// The properties come only by name.
func TestSyncProperties(t *testing.T) {
	ann := newHouse(t).as("ann")
	ann.Put("/firm/a", "1").Want(201)
	const body = `<propfind xmlns="DAV:"><prop><sync-token/><supported-report-set/><supported-query-grammar-set/></prop></propfind>`
	got := ann.Do("PROPFIND", "/firm", body, "Depth: 1").Want(207).Multistatus()
	for _, name := range []string{"sync-token", "supported-report-set", "supported-query-grammar-set"} {
		if _, status := got.Prop("/dav/firm/", "DAV:", name); status != 200 {
			t.Errorf("%s of a folder has the status %d", name, status)
		}
		if _, status := got.Prop("/dav/firm/a", "DAV:", name); status != 404 {
			t.Errorf("%s of a file has the status %d", name, status)
		}
	}
	token, _ := got.Prop("/dav/firm/", "DAV:", "sync-token")
	again, _ := ann.Do("PROPFIND", "/firm", body, "Depth: 0").Want(207).Multistatus().Prop("/dav/firm/", "DAV:", "sync-token")
	if token.Text != again.Text || !strings.HasPrefix(token.Text, "urn:uuid:") {
		t.Errorf("the token is %q, then %q, and nothing has changed", token.Text, again.Text)
	}
	ann.Put("/firm/b", "1").Want(201)
	m := newMirror(t, ann, "/firm", "1")
	m.token = token.Text
	wantTold(t, m.sync(0), "b")
	if now, _ := ann.Do("PROPFIND", "/firm", body, "Depth: 0").Multistatus().Prop("/dav/firm/", "DAV:", "sync-token"); now.Text != m.token {
		t.Errorf("the token is %q, and the client has %q of the same folder", now.Text, m.token)
	}
	ann.Propfind("/firm", "1").Want(207).WantNot("sync-token", "supported-report")
	ann.Do("PROPPATCH", "/firm", `<propertyupdate xmlns="DAV:"><set><prop><sync-token>x</sync-token></prop></set></propertyupdate>`).Want(207).WantIn("403")
}

func TestSyncIsAnnounced(t *testing.T) {
	res := newHouse(t).as("ann").Do("OPTIONS", "/firm", "").Want(200).WantHeader("DASL", "<DAV:basicsearch>")
	for _, method := range []string{"REPORT", "SEARCH"} {
		if !strings.Contains(res.Header.Get("Allow"), method) {
			t.Errorf("Allow is %q, without %s", res.Header.Get("Allow"), method)
		}
	}
}

// A customer syncs what was shared, at its own address.
func TestSyncShared(t *testing.T) {
	h, carol := newShared(t)
	m := newMirror(t, carol, "/shared", "infinite")
	m.sync(0)
	m.wantSame()
	h.as("ann").Put("/firm/Clients/Acme/new.txt", "1").Want(201)
	h.as("ann").Put("/firm/Clients/secret2.txt", "1").Want(201)
	told := m.sync(0)
	if !slices.Contains(told, "/dav/shared/Acme/new.txt") || strings.Contains(strings.Join(told, " "), "secret") {
		t.Errorf("told of %q", told)
	}
	m.wantSame()
	lobby := newMirror(t, carol, "/", "1")
	lobby.sync(0)
	lobby.wantSame()
	carol.Do("REPORT", "/", syncBody("", "infinite", 0)).Want(403).WantIn("<D:sync-traversal-supported/>")
	carol.Do("REPORT", "/", syncBody(m.token, "1", 0)).Want(403).WantIn("<D:valid-sync-token/>")
	carol.Do("REPORT", "/firm", syncBody("", "1", 0)).Want(404)
}

// A storage that is away is no folder that was emptied.
func TestSyncOutage(t *testing.T) {
	h := newHouse(t)
	ann := h.as("ann")
	ann.Do("MKCOL", "/firm/d", "").Want(201)
	ann.Put("/firm/d/x", "1").Want(201)
	m := newMirror(t, ann, "/firm", "infinite")
	m.sync(0)
	h.store.FailNext("List", errDisk)
	m.report(0).Want(503).WantNot("404", "rack")
	m.sync(0)
	m.wantSame()
}

// An app password for one workspace syncs and finds nothing of the others, nor is
// it told what its owner knows.
func TestSyncWithAppPassword(t *testing.T) {
	h := newHouse(t)
	ann := h.as("ann")
	ann.Put("/firm/a", "1").Want(201)
	ann.Put("/lab/b", "1").Want(201)
	own := newMirror(t, ann, "/", "infinite")
	own.sync(0)
	h.people.with.Limit = identity.Limit{Workspace: "firm", ReadOnly: true}
	device := newMirror(t, ann, "/", "infinite")
	if told := strings.Join(device.sync(0), " "); strings.Contains(told, "lab") {
		t.Errorf("told of %s", told)
	}
	device.wantSame()
	ann.Do("REPORT", "/", syncBody(own.token, "infinite", 0)).Want(403).WantNot("lab")
	ann.Do("REPORT", "/lab", syncBody("", "1", 0)).Want(404)
	ann.Do("SEARCH", "/", searchBody("/dav/", "infinity", "", "")).Want(207).WantIn("/dav/firm/a").WantNot("lab")
	ann.Do("SEARCH", "/", searchBody("/dav/lab", "infinity", "", "")).Want(409)
}
