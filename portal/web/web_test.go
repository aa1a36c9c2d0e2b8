package web

import (
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"pgregory.net/rapid"

	"portico/fault"
	"portico/files"
	"portico/identity"
	"portico/identity/session"
	"portico/lang"
	"portico/store"
	"portico/vpath"
)

type sessions struct{}

func (sessions) Find(_ context.Context, cookie string) (identity.Identity, error) {
	switch cookie {
	case "away":
		return identity.Identity{}, fault.ErrUnavailable
	case "ann":
		return identity.Identity{ID: "user:ann", Login: "ann", Name: "Ann <b>", Email: "ann@firm.example"}, nil
	case "eve":
		return identity.Identity{ID: "contact:1", Login: "eve@acme.example", Contact: true}, nil
	}
	return identity.Identity{}, session.ErrNone
}

func kit(t *testing.T, change ...func(*Options)) *Kit {
	t.Helper()
	c, err := lang.New()
	if err != nil {
		t.Fatal(err)
	}
	o := Options{
		Public: &url.URL{Scheme: "http", Host: "files.firm.example"}, Catalog: c, Sessions: sessions{},
		Principal: func(who identity.Identity) files.Principal {
			return files.Staff(files.Person{ID: who.ID, Login: string(who.Login)})
		},
		Caller: func(r *http.Request, _ bool) (identity.Identity, error) {
			login, _, ok := r.BasicAuth()
			if !ok {
				return identity.Identity{}, identity.ErrRefused
			}
			return sessions{}.Find(r.Context(), login)
		},
		Refused: func(http.ResponseWriter, *http.Request, error) (int, string) { return 401, "Say who you are." },
		Workspaces: func(context.Context, identity.Identity) ([]Workspace, error) {
			return []Workspace{{Name: "firm", Title: "Peeters & Co"}, {Name: "bare"}}, nil
		},
		RequestID: func(context.Context) string { return "request-1" }, Address: func(*http.Request) string { return "192.0.2.1" },
		Clock: time.Now, Log: slog.New(slog.DiscardHandler),
	}
	for _, f := range change {
		f(&o)
	}
	return New(o)
}

func ask(t *testing.T, h http.Handler, method, path, cookies string, pairs ...string) (status int, text string, head http.Header) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, nil)
	if cookies != "" {
		r.Header.Set("Cookie", cookies)
	}
	for i := 0; i < len(pairs); i += 2 {
		r.Header.Set(pairs[i], pairs[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code, html.UnescapeString(w.Body.String()), w.Header()
}

// TestRouteWithoutNeed wants a door without a lock to be a fault at start.
func TestRouteWithoutNeed(t *testing.T) {
	t.Parallel()
	for _, needs := range []Needs{0, -1, LinkHolder + 1} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("a route that needs %d was taken", needs)
				}
			}()
			kit(t).Handler(Route{Pattern: "GET /x", Needs: needs, Handler: func(http.ResponseWriter, *http.Request) {}})
		}()
	}
}

// TestNeeds wants each kind of route to let in whom it says, and nobody else.
func TestNeeds(t *testing.T) {
	t.Parallel()
	k := kit(t)
	var routes []Route
	for name, needs := range map[string]Needs{"anyone": Anyone, "signed": SignedIn, "files": StaffOnly, "portal": ContactOnly, "link": LinkHolder} {
		done := func(w http.ResponseWriter, r *http.Request) {
			who, _ := k.Who(r)
			_, _ = fmt.Fprintf(w, "for %q by %q", who.Login, k.By(r).ID)
		}
		routes = append(routes, Route{Pattern: "GET /" + name, Needs: needs, Handler: done}, Route{Pattern: "POST /" + name, Needs: needs, Handler: done},
			Route{Pattern: "GET /api/" + name, Needs: needs, Handler: done, API: true})
	}
	h := k.Handler(routes...)
	for _, c := range []struct {
		method, path, cookie string
		want                 int
		to                   string
	}{
		{"GET", "/anyone", "", 200, ""},
		{"GET", "/anyone", "ann", 200, ""},
		{"GET", "/anyone", "away", 200, ""},
		{"GET", "/link", "", 200, ""},
		{"GET", "/signed", "", 303, "/login?next=%2Fsigned"},
		{"POST", "/signed", "", 401, ""},
		{"GET", "/signed", "ann", 200, ""},
		{"GET", "/signed", "eve", 200, ""},
		{"GET", "/signed", "away", 503, ""},
		{"GET", "/files", "ann", 200, ""},
		{"GET", "/files", "eve", 303, "/portal/"},
		{"POST", "/files", "eve", 404, ""},
		{"GET", "/portal", "eve", 200, ""},
		{"GET", "/portal", "ann", 303, "/files/"},
		{"POST", "/portal", "ann", 404, ""},
		{"DELETE", "/portal", "eve", 405, ""},
		{"GET", "/none", "ann", 404, ""},
	} {
		cookie := ""
		if c.cookie != "" {
			cookie = "sid=" + c.cookie
		}
		status, text, head := ask(t, h, c.method, c.path, cookie)
		if status != c.want || head.Get("Location") != c.to {
			t.Errorf("%s %s as %q: %d to %q, want %d to %q\n%.200s", c.method, c.path, c.cookie, status, head.Get("Location"), c.want, c.to, text)
		}
	}
	for path, want := range map[string]map[string]int{
		"/api/signed": {"": 401, "ann": 200, "eve": 200}, "/api/files": {"": 401, "ann": 200, "eve": 404}, "/api/portal": {"": 401, "ann": 404, "eve": 200},
		"/api/anyone": {"": 200}, "/api/link": {"": 200},
	} {
		for who, want := range want {
			r := httptest.NewRequestWithContext(t.Context(), "GET", path, nil)
			if who != "" {
				r.SetBasicAuth(who, "x")
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != want || want > 400 && w.Header().Get("Content-Type") != "application/problem+json" {
				t.Errorf("%s as %q: %d %s, want %d", path, who, w.Code, w.Header().Get("Content-Type"), want)
			}
		}
	}
}

// TestForeign wants nothing done that another site sent.
func TestForeign(t *testing.T) {
	t.Parallel()
	k := kit(t)
	h := k.Handler(Route{Pattern: "POST /x", Needs: Anyone, Handler: func(http.ResponseWriter, *http.Request) { t.Error("it was done") }})
	if status, text, _ := ask(t, h, "POST", "/x", "", "Sec-Fetch-Site", "cross-site"); status != 403 || !strings.Contains(text, "This came from another site") {
		t.Errorf("%d %.100s", status, text)
	}
}

// TestFrame wants the bar of the staff, the line about what was done once, and the
// language and theme of the reader.
func TestFrame(t *testing.T) {
	t.Parallel()
	k := kit(t, func(o *Options) {
		o.Preferences = func(_ context.Context, id string) (store.Preferences, error) {
			if id == "user:ann" {
				return store.Preferences{Language: "sv", Theme: "dark"}, nil
			}
			return store.Preferences{}, errors.New("away")
		}
		o.Unread = func(context.Context, identity.Identity) (int, error) { return 3, nil }
		o.Brand = func(string) Brand { return Brand{Name: "Peeters", Colour: "#8a1020", Logo: "x", Type: "image/png"} }
		o.Brands = func() []Brand { return []Brand{{Name: "Peeters", Colour: "#8a1020", Logo: "x", Type: "image/png"}} }
	})
	h := k.Handler(Route{Pattern: "GET /page", Needs: Anyone, Handler: func(w http.ResponseWriter, r *http.Request) {
		k.Trouble(w, r, 200, lang.ID("There is nothing here"), lang.ID("Choose another name."))
	}}, Route{Pattern: "GET /said", Needs: Anyone, Handler: func(w http.ResponseWriter, _ *http.Request) {
		k.Say(w, Said{Message: "Done <it>", Undo: "/undo", Fields: map[string]string{"in": "/firm"}})
	}})
	_, text, _ := ask(t, h, "GET", "/page", "sid=ann")
	for _, want := range []string{`lang="sv"`, `data-theme="dark"`, "Här finns ingenting", `href="/files/firm/"`, "Peeters & Co", "bare", "3 olästa", "Logga ut", "/brand/8a1020.css", `<img src="/brand/`} {
		if !strings.Contains(text, want) {
			t.Errorf("the page of the staff lacks %q", want)
		}
	}
	_, text, _ = ask(t, h, "GET", "/page", "sid=eve; theme=light", "Accept-Language", "fr")
	for _, want := range []string{`lang="fr"`, `data-theme="light"`, `href="/portal/"`, "Se déconnecter"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page of a customer lacks %q", want)
		}
	}
	_, _, head := ask(t, h, "GET", "/said", "")
	said, _, _ := strings.Cut(head.Get("Set-Cookie"), ";")
	_, text, head = ask(t, h, "GET", "/page", said)
	for _, want := range []string{"Done <it>", `action="/undo"`, `value="/firm"`} {
		if !strings.Contains(text, want) {
			t.Errorf("the page after a form lacks %q", want)
		}
	}
	if !strings.Contains(head.Get("Set-Cookie"), "said=; Path=/; Max-Age=0") {
		t.Errorf("the line is not taken away: %q", head.Get("Set-Cookie"))
	}
	for path, want := range map[string]string{"/brand/8a1020.css": "text/css", k.Brand("").Picture(): "image/png"} {
		if status, _, head := ask(t, h, "GET", path, ""); status != 200 || !strings.HasPrefix(head.Get("Content-Type"), want) {
			t.Errorf("%s: %d %s", path, status, head.Get("Content-Type"))
		}
	}
}

// TestSaidIsOurs wants no way out of our pages in a cookie that somebody planted.
func TestSaidIsOurs(t *testing.T) {
	t.Parallel()
	k := kit(t)
	for _, undo := range []string{"//evil.example", "https://evil.example", `/\evil.example`, "javascript:x"} {
		w := httptest.NewRecorder()
		k.Say(w, Said{Message: "x", Undo: undo})
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
		r.Header.Set("Cookie", strings.Split(w.Header().Get("Set-Cookie"), ";")[0])
		if s := k.takeSaid(httptest.NewRecorder(), r); s == nil || s.Undo != "" {
			t.Errorf("undo %q: %+v", undo, s)
		}
	}
	for _, value := range []string{"!", "e30", "bm90IGpzb24"} {
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
		r.Header.Set("Cookie", "said="+value)
		if s := k.takeSaid(httptest.NewRecorder(), r); s != nil {
			t.Errorf("%q is read as %+v", value, s)
		}
	}
}

// TestFail wants each kind of error with its status, its own sentence where it has
// one, and never its text.
func TestFail(t *testing.T) {
	t.Parallel()
	k := kit(t)
	var err error
	fail := func(w http.ResponseWriter, r *http.Request) { k.Fail(w, r, err) }
	h := k.Handler(Route{Pattern: "GET /x", Needs: Anyone, Handler: fail}, Route{Pattern: "GET /api/x", Needs: Anyone, API: true, Handler: fail})
	for _, c := range []struct {
		err    error
		status int
		text   string
	}{
		{fs.ErrNotExist, 404, "There is nothing here"},
		{fault.Tell(fs.ErrPermission, "no: ann may not"), 403, "no: ann may not"},
		{fault.ErrLocked, 423, "Somebody has this open"},
		{fault.ErrUnavailable, 503, "does not work at the moment"},
		{fault.ErrQuota, 507, "no room left"},
		{errors.New("secret inner text"), 500, "omething went wrong"},
	} {
		err = fmt.Errorf("inner: %w", c.err)
		for _, path := range []string{"/x", "/api/x"} {
			status, text, head := ask(t, h, "GET", path, "")
			if status != c.status || !strings.Contains(text, c.text) || strings.Contains(text, "inner") {
				t.Errorf("%s with %v: %d, want %d and %q", path, c.err, status, c.status, c.text)
			}
			if status == 503 && head.Get("Retry-After") == "" {
				t.Error("503 has no Retry-After")
			}
		}
		if Status(err) != c.status {
			t.Errorf("Status(%v) = %d", c.err, Status(err))
		}
	}
}

// TestAccentsAreLegible wants every colour that a firm may have to be readable in
// both themes, and text on it.
func TestAccentsAreLegible(t *testing.T) {
	t.Parallel()
	light, dark, white, black := grounds()
	rapid.Check(t, func(t *rapid.T) {
		c, ok := parseColour(fmt.Sprintf("#%06x", rapid.IntRange(0, 0xffffff).Draw(t, "colour")))
		if !ok {
			t.Fatal("a colour was refused")
		}
		day, night := c.legible(light, black), c.legible(dark, white)
		for what, ratio := range map[string]float64{"day": contrast(day, light), "night": contrast(night, dark), "on day": contrast(day, day.on()), "on night": contrast(night, night.on())} {
			if ratio < enough {
				t.Fatalf("%s %s: contrast %.2f", c, what, ratio)
			}
		}
	})
	for _, bad := range []string{"", "red", "#12345", "#12345g", "#1234567", "1234567"} {
		if (Brand{Colour: bad}).Sheet() != "" {
			t.Errorf("%q is taken for a colour", bad)
		}
	}
}

func TestSmallThings(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"Ann Peeters": "AP", "ann": "A", "Jan De Smet": "JS", "eve.claes@acme.example": "EC", "": "?", "@": "?", "éric ångström": "ÉÅ"} {
		if got := Initials(name); got != want {
			t.Errorf("Initials(%q) = %q, want %q", name, got, want)
		}
	}
	if Color("Ann") != Color("ann") || Color("x") < 0 || Color("x") >= colors {
		t.Error("a person's colour changes")
	}
	if got := Href("/files", vpath.Must("/firm/a b/ü%?#.txt")); got != "/files/firm/a%20b/%C3%BC%25%3F%23.txt" {
		t.Errorf("Href = %q", got)
	}
	if got := Middle("Minutes of the general meeting (signed).docx"); got.Head+got.Tail != "Minutes of the general meeting (signed).docx" || got.Tail != "signed).docx" {
		t.Errorf("Middle = %+v", got)
	}
	if got := files.Disposition("a\r\n\"b.txt", false); got != `attachment; filename="a___b.txt"; filename*=UTF-8''a%0D%0A%22b.txt` {
		t.Errorf("Disposition = %q", got)
	}
}

// TestRooms wants a room's pages in the frame, with its scripts and what they say.
func TestRooms(t *testing.T) {
	t.Parallel()
	k := kit(t)
	k.Templates("room", fstest.MapFS{
		"_part.html": {Data: []byte(`{{define "part"}}<i>{{.}}</i>{{end}}`)},
		"page.html":  {Data: []byte(`{{define "scripts"}}room.js{{end}}{{define "content"}}{{template "part" .Page}}{{t "Sign in"}} {{$.Day .Now}}{{end}}`)},
	})
	k.Assets(fstest.MapFS{"room.js": {Data: []byte(`t('Copied'); n('{n} seconds', 2)`)}})
	h := k.Handler(Route{Pattern: "GET /x", Needs: Anyone, Handler: func(w http.ResponseWriter, r *http.Request) {
		k.Show(w, r, 200, "room/page", "Title", "<b>")
	}})
	_, text, _ := ask(t, h, "GET", "/x", "lang=nl")
	for _, want := range []string{"<i><b></i>Aanmelden", `src="/assets/room.js"`, `"Copied":"Gekopieerd"`, `"{n} seconds":["{n} seconde","{n} seconden"]`} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q:\n%s", want, text)
		}
	}
	if status, text, _ := ask(t, h, "GET", "/assets/room.js", ""); status != 200 || !strings.Contains(text, "Copied") {
		t.Errorf("room.js: %d", status)
	}
	if status, text, _ := ask(t, h, "GET", "/assets/style.css", ""); status != 200 || strings.Contains(text, "/*") {
		t.Errorf("style.css: %d, or with comments", status)
	}
}

// stalls is a body that stops coming, as a connection tells it.
type stalls struct{ io.Reader }

func (s stalls) Read(p []byte) (int, error) {
	if n, err := s.Reader.Read(p); err == nil {
		return n, nil
	}
	return 0, fmt.Errorf("read tcp 10.0.0.1:1: %w", os.ErrDeadlineExceeded)
}

// A form that stalls is no form that is broken: who sent it may send it again.
func TestFormThatStalls(t *testing.T) {
	t.Parallel()
	k := kit(t)
	h := k.Handler(Route{Pattern: "POST /x", Needs: Anyone, Handler: func(w http.ResponseWriter, r *http.Request) {
		if k.ReadForm(w, r) {
			t.Error("half a form was taken for a whole one")
		}
	}})
	r := httptest.NewRequestWithContext(t.Context(), "POST", "/x", stalls{strings.NewReader("name=a")})
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Cookie", "lang=nl")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	text := w.Body.String()
	if why := strings.Contains(text, "te lang over"); w.Code != http.StatusRequestTimeout || !why || strings.Contains(text, "10.0.0.1") {
		t.Errorf("%d, and a reason %t; want 408, a reason and no address", w.Code, why)
	}
}

// A body that stalls is told so, without a word of the connection.
func TestReadJSONThatStalls(t *testing.T) {
	r := httptest.NewRequestWithContext(t.Context(), "POST", "/api/v1/folders", stalls{strings.NewReader(`{"path":`)})
	r.Header.Set("Content-Type", "application/json")
	status, sentence := ReadJSON(httptest.NewRecorder(), r, new(struct{ Path string }))
	if status != http.StatusRequestTimeout || strings.Contains(sentence, "10.0.0.1") {
		t.Errorf("ReadJSON = %d, %q, want 408 and no address", status, sentence)
	}
}
