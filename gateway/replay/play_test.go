package replay_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"portico/gateway/replay"
)

// A server that always says the same, so that the player has something to complain of.
func steady(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	switch {
	case err != nil:
		w.WriteHeader(http.StatusBadRequest)
	case r.URL.Path == "/room/locked":
		w.Header().Set("Lock-Token", "<urn:token>")
		w.WriteHeader(http.StatusNoContent)
	case r.URL.Path == "/room/list":
		w.WriteHeader(http.StatusMultiStatus)
		fmt.Fprint(w, `<D:multistatus xmlns:D="DAV:"><D:response><D:href>/room/list/</D:href><D:propstat><D:prop><D:getetag>"a"</D:getetag><x:lock xmlns:x="urn:x"><D:depth>0</D:depth><D:depth>1</D:depth></x:lock></D:prop>`+
			`<D:status>HTTP/1.1 200 OK</D:status></D:propstat><D:propstat><D:prop><D:owner/></D:prop><D:status>HTTP/1.1 404 Not Found</D:status></D:propstat></D:response>`+
			`<D:response><D:href>http://h/room/list/a%20b</D:href></D:response></D:multistatus>`)
	case r.URL.Path == "/room/twice":
		fmt.Fprint(w, `<D:multistatus xmlns:D="DAV:"><D:response><D:href>/a</D:href></D:response><D:response><D:href>/%61</D:href></D:response></D:multistatus>`)
	case r.URL.Path == "/room/broken":
		fmt.Fprint(w, `<D:multistatus><D:response/></D:multistatus>`)
	default: // an echo
		w.Header().Set("X-Chunked", strconv.FormatBool(r.ContentLength < 0))
		w.Header().Set("X-Method", r.Method)
		w.Header().Set("X-If", strings.Join(r.Header.Values("If"), " "))
		w.Header().Set("X-Agent", r.UserAgent())
		login, _, _ := r.BasicAuth()
		w.Header().Set("X-Login", login)
		fmt.Fprintf(w, "%s", body)
	}
}

// early answers before it reads a body.
func early(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusLocked) }

func drive(t *testing.T, h http.HandlerFunc) replay.Drive {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return replay.Drive{Server: server.URL, Room: "/room", People: map[string]replay.Person{
		"first": {Login: "ann", Password: "secret", Name: "Ann"}, "second": {Login: "bob", Password: "secret"},
	}}
}

// sequence makes one of what stands in its play.
func sequence(t *testing.T, play string) *replay.Sequence {
	t.Helper()
	s, err := replay.Parse("test", []byte("A test.\n\nsource: a test\nheader: User-Agent: neon\nns: x urn:x\n-- play --\n"+play+"\n-- body.txt --\nof the archive\n"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestPlay plays what holds, and the same with one thing changed, which must be told.
func TestPlay(t *testing.T) {
	for name, c := range map[string]struct{ play, want string }{
		"status":           {"GET /a\n-> 200 204", ""},
		"other status":     {"GET /a\n-> 204", "test.txtar:7: GET /a (If: untagged): 200, want [204]"},
		"header":           {"GET /a\n-> 200\n\tX-Method: GET\n\tX-Agent: neon", ""},
		"other header":     {"GET /a\n-> 200\n\tX-Method: PUT", `test.txtar:9: GET /a (If: untagged): X-Method is "GET", want "PUT"`},
		"no header":        {"GET /a\n-> 200\n\tX-None:", ""},
		"a header":         {"GET /a\n-> 200\n\tX-Method:", "there is a header X-Method"},
		"missing header":   {"GET /a\n-> 200\n\tX-None: *x", `X-None is "", want "*x"`},
		"own agent":        {"GET /a\n\tUser-Agent: curl\n-> 200\n\tX-Agent: curl", ""},
		"login":            {"GET /a as second\n-> 200\n\tX-Login: bob", ""},
		"no login":         {"GET /a as nobody\n-> 200\n\tX-Login: *n*", `X-Login is ""`},
		"stranger":         {"GET /a as zoe\n-> 200", "nobody is called zoe"},
		"text":             {"PUT /a\n\t< \"x y\"\n-> 200\n\ttext \"x y\"", ""},
		"other text":       {"PUT /a\n\t< \"x y\"\n-> 200\n\ttext \"x\"", "the body has 3 bytes, want these 1"},
		"text of a file":   {"PUT /a\n\t< body.txt\n-> 200\n\ttext < body.txt\n\ttext \"of the archive\\n\"", ""},
		"bytes":            {"PUT /a\n\t< 100 bytes\n-> 200\n\ttext 100 bytes", ""},
		"fewer bytes":      {"PUT /a\n\t< 100 bytes\n-> 200\n\ttext 99 bytes", "the body has 100 bytes"},
		"chunked":          {"PUT /a\n\t< \"abcdefg\"\n\tchunked\n-> 200\n\ttext \"abcdefg\"\n\tX-Chunked: true", ""},
		"not chunked":      {"PUT /a\n\t< \"abcdefg\"\n-> 200\n\tX-Chunked: true", `X-Chunked is "false"`},
		"chunks of none":   {"PUT /a\n\tchunked\n-> 200\n\ttext \"\"\n\tX-Chunked: true", ""},
		"lacks":            {"PUT /a\n\t< \"abc\"\n-> 200\n\tlacks \"d\"", ""},
		"lacks not":        {"PUT /a\n\t< \"abc\"\n-> 200\n\tlacks \"b\"", `"b" is in the body`},
		"continue":         {"PUT /a\n\tExpect: 100-continue\n\t< \"abc\"\n-> 100 200\n\ttext \"abc\"", ""},
		"silent continue":  {"PUT /a\n\tExpect: 100-continue\n\t< \"abc\"\n-> 200", "100 Continue came: true, want false"},
		"no continue":      {"PUT /a\n\t< \"abc\"\n-> 100 200", "100 Continue came: false, want true"},
		"two ifs":          {"GET /a\n\tIf: (<a:b>)\n\tIf: (<c:d>)\n-> 200\n\tX-If: (<a:b>) (<c:d>)", ""},
		"capture":          {"LOCK /locked\n-> 204\n\tLock-Token: <{T}>\n\nGET /a\n\tIf: {if T} {if T /b}\n-> 200\n\tX-If: (<urn:token>) (<urn:token>)", ""},
		"other capture":    {"LOCK /locked\n-> 204\n\tLock-Token: <{T}>\n\tLock-Token: {T}", `Lock-Token is "<urn:token>", want "urn:token"`},
		"no value":         {"GET /a\n\tIf: {if T}\n-> 200", "{T} has no value yet"},
		"no value in path": {"GET /{T}\n-> 200", "{T} has no value yet"},
		"open brace":       {"GET /a\n\tIf: {T\n-> 200", "a { without its }"},
		"differ":           {"LOCK /locked\n-> 204\n\tLock-Token: <{T}>\n\tdiffer {T} {room}", ""},
		"differ not":       {"LOCK /locked\n-> 204\n\tLock-Token: <{T}>\n\tLock-Token: {U}\n\tdiffer {T} {T}", "two are urn:token"},
		"prop":             {"PROPFIND /list\n-> 207\n\tprop /list/ D:getetag = \"a\"\n\tprop /list/ D:owner 404\n\tprop /list/ x:lock/D:depth = 1", ""},
		"other prop":       {"PROPFIND /list\n-> 207\n\tprop /list/ D:getetag = b", "DAV: getetag is [\"\\\"a\\\"\"], want \"b\""},
		"prop in other":    {"PROPFIND /list\n-> 207\n\tprop /list/ D:owner", "there is no element DAV: owner"},
		"prop of status":   {"PROPFIND /list\n-> 207\n\tprop /list/ D:getetag 404", "there is no element DAV: getetag with status 404"},
		"namespace":        {"PROPFIND /list\n-> 207\n\tprop /list/ D:lock", "there is no element DAV: lock"},
		"no response":      {"PROPFIND /list\n-> 207\n\tprop /list D:getetag", "no response has the address /room/list, only"},
		"only":             {"PROPFIND /list\n-> 207\n\tonly /list/ /list/a%20b", ""},
		"only some":        {"PROPFIND /list\n-> 207\n\tonly /list/", "the multistatus is of"},
		"whole path":       {"PROPFIND =/room/list\n-> 207\n\tonly =/room/list/ ={room}/list/a%20b", ""},
		"twice":            {"PROPFIND /twice\n-> 200\n\tonly =/a", "/a stands there twice"},
		"xml":              {"PROPFIND /list\n-> 207\n\txml D:multistatus/D:response/D:href = {room}/list/", ""},
		"other xml":        {"PROPFIND /list\n-> 207\n\txml D:multistatus/D:error", "there is no element"},
		"undeclared":       {"PROPFIND /broken\n-> 200\n\txml D:multistatus", `the prefix or namespace "D" is no URI`},
		"no xml":           {"PUT /a\n\t< \"text\"\n-> 200\n\txml D:multistatus", "the body is no XML"},
		"no multistatus":   {"PUT /a\n\t< \"<a/>\"\n-> 200\n\tonly /a", "the body is no multistatus"},
		"anything":         {"GET /a\n-> 200\n\tX-Method: *", ""},
		"special":          {"GET /a\n-> 200\n\tX-Method: G.T", `want "G.T"`},
		"not tagged else":  {"LOCK /locked\n-> 204\n\tLock-Token: <{T}>\n\nGET /a\n\tIf: {if T}\n-> 200\n\tX-If: <*", `X-If is "(<urn:token>)"`},
	} {
		t.Run(name, func(t *testing.T) {
			err := sequence(t, c.play).Play(t.Context(), drive(t, steady), replay.Untagged)
			complains(t, err, c.want)
		})
	}
}

// complains fails the test unless err holds the text; "" is for no error.
func complains(t *testing.T, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("the player says %v", err)
	case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
		t.Errorf("the player says %v, want %q", err, want)
	}
}

// TestForms writes a token in each form.
func TestForms(t *testing.T) {
	const play = "LOCK /locked\n-> 204\n\tLock-Token: <{T}>\n\nMOVE /a\n\tIf: If: {if T} {if T /b}\n-> 200\n\tX-If: "
	d := drive(t, steady)
	for form, want := range map[replay.Form]string{
		replay.Untagged: "If: (<{T}>) (<{T}>)",
		replay.ByURL:    "If: <{server}/room/a> (<{T}>) <{server}/room/b> (<{T}>)",
		replay.ByPath:   "If: </room/a> (<{T}>) </room/b> (<{T}>)",
	} {
		s := sequence(t, play+want)
		if err := s.Play(t.Context(), d, form); err != nil {
			t.Errorf("%s: %v", form, err)
		}
		if n := len(s.Forms()); n != 3 {
			t.Errorf("a sequence with a token has %d forms, want 3", n)
		}
	}
	if n := len(sequence(t, "GET /a\n-> 200").Forms()); n != 1 {
		t.Errorf("a sequence without a token has %d forms, want 1", n)
	}
}

// TestRefusedEarly wants the final status without a 100, and a new connection after it.
func TestRefusedEarly(t *testing.T) {
	const play = "PUT /a\n\tExpect: 100-continue\n\t< \"abc\"\n-> 423\n\nPUT /a\n\tExpect: 100-continue\n\t< \"abc\"\n-> 423"
	if err := sequence(t, play).Play(t.Context(), drive(t, early), replay.Untagged); err != nil {
		t.Error(err)
	}
}

// TestSilence ends with its context, where a server never answers; without a server, it
// says so.
func TestSilence(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	d := drive(t, func(_ http.ResponseWriter, r *http.Request) {
		stop()
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	})
	s := sequence(t, "GET /a\n-> 200")
	complains(t, s.Play(ctx, d, replay.Untagged), "no answer")
	d.Server = "http://127.0.0.1:1"
	complains(t, s.Play(t.Context(), d, replay.Untagged), "no answer")
	d.Server = "http://h:port"
	complains(t, s.Play(t.Context(), d, replay.Untagged), "port")
}

// TestSecrets keeps passwords out of what a failure shows.
func TestSecrets(t *testing.T) {
	err := sequence(t, "PUT /a\n\tTimeout: Infinite\n\t< \"sent\"\n-> 204").Play(t.Context(), drive(t, steady), replay.Untagged)
	for _, want := range []string{"> PUT /room/a", "> Timeout: Infinite", "< 200", "< X-Login: ann", "< sent"} {
		complains(t, err, want)
	}
	if strings.Contains(err.Error(), "Authorization") {
		t.Errorf("the password is shown: %v", err)
	}
}

// Whatever is wrong with a file is told with its line.
func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"-- play --\nGET /a\n-> 200":                              `test.txtar:0: no line "source:"`,
		"source: x\n-- other --\n":                                `there is no file "play"`,
		"source: x\nheader: x\n-- play --\n":                      `test.txtar:2: "x" is no header`,
		"source: x\nns: x\n-- play --\n":                          "test.txtar:2: ns needs a prefix",
		"source: x\n-- play --\nGET\n":                            `test.txtar:3: "GET" is not METHOD path`,
		"source: x\n-- play --\n\nGET a\n":                        "test.txtar:4: the path a begins with neither",
		"source: x\n-- play --\n\tDepth: 0\n":                     "test.txtar:3: a line before the first request",
		"source: x\n-- play --\n-> 200\n":                         "test.txtar:3: an answer without a request",
		"source: x\n-- play --\nGET /a\n-> 200\n-> 200\n":         "test.txtar:5: an answer without a request",
		"source: x\n-- play --\nGET /a\n->\n":                     `"->" without a status`,
		"source: x\n-- play --\nGET /a\n-> OK\n":                  `"OK" is no status`,
		"source: x\n-- play --\nGET /a\n\nGET /b\n-> 200\n":       `test.txtar:3: no line "->" says`,
		"source: x\n-- play --\nGET /a\n\tnonsense\n-> 200\n":     `"nonsense" is neither a header nor a body`,
		"source: x\n-- play --\nGET /a\n\t< b.xml\n-> 200\n":      `there is no file "b.xml"`,
		"source: x\n-- play --\nGET /a\n\t< \"b\n-> 200\n":        "is no string of Go",
		"source: x\n-- play --\nGET /a\n\t< ten bytes\n-> 200\n":  `"ten" is no number of bytes`,
		"source: x\n-- play --\nGET /a\n-> 200\n\tnonsense\n":     `"nonsense" is no expectation`,
		"source: x\n-- play --\nGET /a\n-> 200\n\tprop /a\n":      `"/a" is not HREF NAME`,
		"source: x\n-- play --\nGET /a\n-> 200\n\tprop /a D:x y":  `"y" is no status`,
		"source: x\n-- play --\nGET /a\n-> 200\n\tprop /a Z:x\n":  `"Z:x" has no prefix`,
		"source: x\n-- play --\nGET /a\n-> 200\n\txml getetag\n":  `"getetag" has no prefix`,
		"source: x\n-- play --\nGET /a\n-> 200\n\tlacks x\n":      "invalid syntax",
		"source: x\n-- play --\nGET /a\n-> 200\n\ttext none.txt":  `there is no file "none.txt"`,
		"source: x\n-- play --\n# comment\n\nGET /a\n-> 200\n":    "",
		"source: x\n-- b --\nx\n-- play --\nGET /a\n\t< b\n-> 99": `test.txtar:7: "99" is no status`,
	} {
		_, err := replay.Parse("test", []byte(text))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

// Each file of the library can be read and tells where it was seen.
func TestLibrary(t *testing.T) {
	all, err := replay.Library()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 40 {
		t.Errorf("%d sequences, want 40 or more", len(all))
	}
	for _, s := range all {
		if len(s.Source) < 10 {
			t.Errorf("%s: the source %q says nothing", s.Name, s.Source)
		}
	}
}
