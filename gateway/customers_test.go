package gateway_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"portico/files"
	"portico/gateway/gatewaytest"
	"portico/identity"
	"portico/vpath"
)

// customers lets carol in beside the staff.
type customers struct{ identity.Gate }

func (c customers) SignIn(ctx context.Context, in identity.SignIn) (identity.Identity, error) {
	if in.Login == "carol@acme.example" && in.Password == password {
		return identity.Identity{ID: "contact:1", Login: in.Login, Name: "Carol", Contact: true}, nil
	}
	return c.Gate.SignIn(ctx, in)
}

// newShared is a house where ann has shared /firm/Clients/Acme with carol, to
// deposit in, and /firm/Clients/plan.txt to read.
func newShared(t *testing.T) (h *house, carol *gatewaytest.User) {
	t.Helper()
	h = newHouse(t, func(s *settings) {
		s.gate = func(h *house) identity.Gate { return customers{h.people} }
	})
	ann := h.as("ann")
	for _, p := range []string{"/firm/Clients", "/firm/Clients/Acme", "/firm/Clients/Acme/old"} {
		ann.Do("MKCOL", p, "").Want(201)
	}
	ann.Put("/firm/Clients/plan.txt", "plan").Want(201)
	ann.Put("/firm/Clients/Acme/letter.txt", "letter").Want(201)
	ann.Put("/firm/Clients/secret.txt", "secret").Want(201)
	tree, err := h.service.As(t.Context(), files.Staff(files.Person{ID: "id-ann", Login: "ann", Name: "Ann"}))
	if err != nil {
		t.Fatal(err)
	}
	_, err = tree.Give(t.Context(), []files.Gift{
		{Path: vpath.Must("/firm/Clients/Acme"), Subject: "contact:carol@acme.example", Role: "depositor"},
		{Path: vpath.Must("/firm/Clients/plan.txt"), Subject: "contact:carol@acme.example", Role: "viewer", Until: time.Now().Add(time.Hour)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return h, h.as("carol@acme.example")
}

func TestCustomersDrive(t *testing.T) {
	_, carol := newShared(t)
	hrefs := func(path string) []string {
		t.Helper()
		return carol.Do("PROPFIND", path, "", "Depth: 1").Want(207).Multistatus().Hrefs()
	}
	for path, want := range map[string][]string{
		"":             {"/dav/", "/dav/shared/"},
		"/":            {"/dav/", "/dav/shared/"},
		"/shared":      {"/dav/shared/", "/dav/shared/Acme/", "/dav/shared/plan.txt"},
		"/shared/":     {"/dav/shared/", "/dav/shared/Acme/", "/dav/shared/plan.txt"},
		"/shared/Acme": {"/dav/shared/Acme/", "/dav/shared/Acme/letter.txt", "/dav/shared/Acme/old/"},
	} {
		if got := hrefs(path); !slices.Equal(got, want) {
			t.Errorf("%q shows %q, want %q", path, got, want)
		}
	}
	for _, path := range []string{"/firm", "/firm/Clients/plan.txt", "/Acme", "/Acme/letter.txt", "/shared/secret.txt", "/shared/firm", "/sharedx", "/link", "/link/x"} {
		carol.Do("PROPFIND", path, "", "Depth: 0").Want(404)
		carol.Do("GET", path, "").Want(404)
	}
}

// What litmus asks of a drive, within what was shared.
func TestCustomersWork(t *testing.T) {
	h, carol := newShared(t)
	carol.Put("/shared/Acme/new.txt", "one").Want(201)
	carol.Put("/shared/Acme/new.txt", "two").Want(204)
	carol.Do("MKCOL", "/shared/Acme/mine", "").Want(201)
	carol.Do("MKCOL", "/shared/Acme/mine", "").Want(405)
	carol.Do("MKCOL", "/shared/Acme/a/b", "").Want(409)
	carol.Do("COPY", "/shared/Acme/new.txt", "", "Destination: /dav/shared/Acme/mine/copy.txt").Want(201)
	carol.Do("MOVE", "/shared/Acme/mine/copy.txt", "", "Destination: /dav/shared/Acme/mine/moved.txt").Want(201)
	carol.Do("GET", "/shared/Acme/mine/moved.txt", "").Want(200)
	lock := carol.Do("LOCK", "/shared/Acme/new.txt", `<lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope><locktype><write/></locktype></lockinfo>`).Want(200)
	token := lock.Header.Get("Lock-Token")
	h.as("ann").Put("/firm/Clients/Acme/new.txt", "ann's").Want(423)
	carol.Put("/shared/Acme/new.txt", "three").Want(423)
	carol.Do("PUT", "/shared/Acme/new.txt", "three", "If: <http://"+carolHost(h)+"/dav/shared/Acme/new.txt> ("+token+")").Want(204)
	carol.Do("UNLOCK", "/shared/Acme/new.txt", "", "Lock-Token: "+token).Want(204)
	carol.Do("PROPPATCH", "/shared/Acme/new.txt", `<propertyupdate xmlns="DAV:"><set><prop><x xmlns="urn:x">1</x></prop></set></propertyupdate>`).Want(207)
	carol.Do("DELETE", "/shared/Acme/new.txt", "").Want(204)
	// What was shared is never theirs to delete, nor what lies elsewhere to write to.
	for _, path := range []string{"/shared", "/shared/", "/shared/Acme", "/shared/Acme/letter.txt", "/shared/Acme/old", "/shared/plan.txt"} {
		carol.Do("DELETE", path, "").Want(403)
	}
	carol.Put("/shared/plan.txt", "x").Want(403)
	carol.Put("/shared/beside.txt", "x").Want(403)
	carol.Put("/x.txt", "x").Want(403)
	carol.Do("MKCOL", "/firm", "").Want(403)
}

func carolHost(h *house) string { return h.server.Listener.Addr().String() }

// A Destination never leads from one prefix into another.
func TestDestinationAcrossPrefixes(t *testing.T) {
	h, carol := newShared(t)
	for _, to := range []string{"/dav/firm/Clients/x.txt", "/dav/x.txt", "/dav/Acme/x.txt", "/dav/link/t/x.txt", "/davshared/Acme/x.txt", "/s/x"} {
		carol.Do("COPY", "/shared/Acme/letter.txt", "", "Destination: "+to).Want(502)
		carol.Do("MOVE", "/shared/Acme/letter.txt", "", "Destination: "+to).Want(502)
	}
	h.as("ann").Do("COPY", "/firm/Clients/plan.txt", "", "Destination: /dav/shared/Acme/x.txt").Want(404)
	h.as("ann").Do("PROPFIND", "/shared", "", "Depth: 0").Want(404)
}

// An unknown link is 404, and without links the name is a path like another.
func TestNoLinks(t *testing.T) {
	h, carol := newShared(t)
	h.as("").Do("GET", "/link/x/y", "").Want(401)
	carol.Do("GET", "/link/x/y", "").Want(404)
}

// A search has the properties of what it finds, on a drive whose paths are its own, and
// at its top, where there are none.
func TestCustomersSearch(t *testing.T) {
	h, carol := newShared(t)
	h.as("ann").Do("PROPPATCH", "/firm/Clients/plan.txt", `<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><x xmlns="urn:x">kept</x></D:prop></D:set></D:propertyupdate>`).Want(207)
	search := func(path, depth string) *gatewaytest.Response {
		t.Helper()
		return carol.Do("SEARCH", path, `<D:searchrequest xmlns:D="DAV:"><D:basicsearch><D:select><D:allprop/></D:select><D:from><D:scope><D:href>/dav`+
			path+`</D:href><D:depth>`+depth+`</D:depth></D:scope></D:from></D:basicsearch></D:searchrequest>`).Want(207)
	}
	for _, depth := range []string{"1", "infinity"} {
		search("/shared", depth).WantIn("/dav/shared/plan.txt").WantIn(">kept<").WantNot("secret")
	}
	search("/", "1").WantIn("/dav/shared/").WantNot("kept")
	search("/shared/plan.txt", "0").WantIn(">kept<")
	// A report, too, as the properties are what it compares.
	carol.Do("REPORT", "/shared", `<D:sync-collection xmlns:D="DAV:"><D:sync-token/><D:sync-level>1</D:sync-level><D:prop><x xmlns="urn:x"/></D:prop></D:sync-collection>`).
		Want(207).WantIn(">kept<")
}
