package gateway_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"portico/backends"
	"portico/backends/mem"
	"portico/fault"
	"portico/gateway"
	"portico/gateway/gatewaytest"
	"portico/vpath"
)

func TestOptions(t *testing.T) {
	h := newHouse(t)
	nobody := gatewaytest.As(t, h.server.URL, "", "")
	for _, path := range []string{"/dav", "/dav/", "/dav/firm/x"} {
		nobody.Do("OPTIONS", path, "").Want(200).WantHeader("DAV", "1, 2, 3").WantHeader("MS-Author-Via", "DAV").WantText("")
	}
	allow := nobody.Do("OPTIONS", "/dav/", "").Header.Get("Allow")
	for _, method := range []string{"PROPFIND", "LOCK", "PUT", "MKCOL", "GET"} {
		if !strings.Contains(allow, method) {
			t.Errorf("Allow is %q, without %s", allow, method)
		}
	}
	nobody.Do("OPTIONS", "/davx", "").Want(404)
	if h.people.asked.Load() != 0 {
		t.Error("OPTIONS asked the directory")
	}
}

func TestMethods(t *testing.T) {
	ann := newHouse(t).as("ann")
	for _, method := range []string{"POST", "TRACE", "PATCH", "get", "BREW"} {
		res := ann.Do(method, "/firm", "").Want(405)
		if !strings.Contains(res.Header.Get("Allow"), "PROPFIND") {
			t.Errorf("%s: Allow is %q", method, res.Header.Get("Allow"))
		}
	}
}

func TestPutGetDelete(t *testing.T) {
	ann := newHouse(t).as("ann")
	first := ann.Put("/firm/letter.txt", "dear").Want(201)
	second := ann.Put("/firm/letter.txt", "dear all").Want(204)
	if first.ETag() == "" || first.ETag() == second.ETag() {
		t.Errorf("ETags %s and %s", first.ETag(), second.ETag())
	}
	got := ann.Get("/firm/letter.txt").Want(200).WantText("dear all").
		WantHeader("ETag", second.ETag()).
		WantHeader("Last-Modified", second.Header.Get("Last-Modified")).
		WantHeader("Content-Length", "8").
		WantHeader("Content-Type", "text/plain; charset=utf-8").
		WantHeader("Content-Disposition", `attachment; filename="letter.txt"`).
		WantHeader("X-Content-Type-Options", "nosniff").
		WantHeader("Content-Security-Policy", "sandbox; default-src 'none'").
		WantHeader("Cross-Origin-Resource-Policy", "same-origin").
		WantHeader("Cache-Control", "private, no-cache").
		WantHeader("Accept-Ranges", "bytes")
	head := ann.Do("HEAD", "/firm/letter.txt", "").Want(200).WantText("")
	got.Header.Del("Date")
	head.Header.Del("Date")
	if diff := cmp.Diff(got.Header, head.Header); diff != "" {
		t.Errorf("GET and HEAD differ:\n%s", diff)
	}
	ann.Do("DELETE", "/firm/letter.txt", "").Want(204)
	ann.Get("/firm/letter.txt").Want(404)
	ann.Do("DELETE", "/firm/letter.txt", "").Want(404)
}

func TestPutRefused(t *testing.T) {
	h := newHouse(t, func(s *settings) { s.gateway.MaxUpload = 10 })
	ann := h.as("ann")
	etag := ann.Put("/firm/a", "old").Want(201).ETag()
	ann.Put("/firm/a", "part", "Content-Range: bytes 0-3/10").Want(400)
	ann.Put("/firm/a", "new", `If-Match: "stale"`).Want(412)
	ann.Put("/firm/a", "new", "If-None-Match: *").Want(412)
	ann.Put("/firm/a", "new", "If-Unmodified-Since: Mon, 02 Jan 2006 15:04:05 GMT").Want(412)
	ann.Put("/firm/a", "01234567890").Want(413)
	ann.Put("/firm/a", "new", "If-Match: \"").Want(400)
	ann.Put("/firm/a/", "new").Want(400)
	ann.Put("/firm/none/a", "new").Want(409)
	ann.Put("/firm", "new").Want(405)
	ann.Put("/", "new").Want(405)
	ann.Put("/nowhere", "new").Want(403, 404, 409)
	h.as("bob").Put("/firm/a", "new").Want(403)
	h.as("mallory").Put("/firm/a", "new").Want(404)
	ann.Get("/firm/a").Want(200).WantText("old").WantHeader("ETag", etag)
	ann.Put("/firm/a", "new", "If-Match: "+etag).Want(204)
	ann.Put("/firm/b", "new", "If-None-Match: *").Want(201)
}

// chunked hides the length of a reader, so that the body goes in chunks.
type chunked struct{ io.Reader }

func TestPutChunked(t *testing.T) {
	h := newHouse(t, func(s *settings) { s.gateway.MaxUpload = 10 })
	ann := h.as("ann")
	put := func(body string, headers ...string) *gatewaytest.Response {
		return ann.Send(ann.Request("PUT", "/firm/a", chunked{strings.NewReader(body)}, headers...))
	}
	put("12345").Want(201)
	put("123456", "X-Expected-Entity-Length: 6").Want(204)
	put("short", "X-Expected-Entity-Length: 6").Want(400)
	put("too long", "X-Expected-Entity-Length: 6").Want(400)
	put("x", "X-Expected-Entity-Length: six").Want(400)
	put("x", "X-Expected-Entity-Length: -1").Want(400)
	put("x", "X-Expected-Entity-Length: 11").Want(413)
	put("12345678901").Want(413)
	ann.Get("/firm/a").WantText("123456")
}

func TestPutTimes(t *testing.T) {
	ann := newHouse(t).as("ann")
	ann.Put("/firm/a", "x", "X-OC-Mtime: 1700000000").Want(201).WantHeader("X-OC-Mtime", "accepted").
		WantHeader("Last-Modified", "Tue, 14 Nov 2023 22:13:20 GMT")
	ann.Do("HEAD", "/firm/a", "").WantHeader("Last-Modified", "Tue, 14 Nov 2023 22:13:20 GMT")
	ann.Put("/firm/b", "x", "X-OC-Mtime: soon").Want(201).WantHeader("X-OC-Mtime", "")
	ann.Put("/firm/c", "x", "Last-Modified: Tue, 14 Nov 2023 22:13:20 GMT").Want(201)
	ann.Do("HEAD", "/firm/c", "").WantHeader("Last-Modified", "Tue, 14 Nov 2023 22:13:20 GMT")
}

func TestFolders(t *testing.T) {
	ann := newHouse(t).as("ann")
	ann.Do("MKCOL", "/firm/Clients", "").Want(201)
	ann.Do("MKCOL", "/firm/Clients", "").Want(405)
	ann.Do("MKCOL", "/firm/Clients/Acme/", "").Want(201)
	ann.Do("MKCOL", "/firm/none/x", "").Want(409)
	ann.Do("MKCOL", "/firm/y", "<x/>").Want(415)
	ann.Send(ann.Request("MKCOL", "/firm/y", chunked{strings.NewReader("x")})).Want(415)
	ann.Put("/firm/file", "x").Want(201)
	ann.Do("MKCOL", "/firm/file", "").Want(405)
	ann.Do("MKCOL", "/firm/file/x", "").Want(409)
	ann.Put("/firm/Clients/%3Cb%3E&.txt", "x").Want(201)
	for _, path := range []string{"/firm/Clients", "/firm/Clients/"} {
		page := ann.Get(path).Want(200).WantHeader("Content-Type", "text/html; charset=utf-8")
		page.WantIn(`<a href="/dav/firm/Clients/Acme/">Acme/</a>`, `<a href="/dav/firm/Clients/%3Cb%3E%26.txt">&lt;b&gt;&amp;.txt</a>`)
		if csp := page.Header.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'") {
			t.Errorf("Content-Security-Policy of an index is %q", csp)
		}
		ann.Do("HEAD", path, "").Want(200)
	}
	ann.Get("/").Want(200).WantIn(`href="/dav/firm/"`, `href="/dav/lab/"`)
	ann.Do("DELETE", "/firm/Clients", "", "Depth: 0").Want(400)
	ann.Do("DELETE", "/firm/Clients", "", "Depth: infinity").Want(204)
	ann.Do("DELETE", "/firm/file", "", "Depth: 0").Want(204)
}

// A file has one address.
func TestSlash(t *testing.T) {
	ann := newHouse(t).as("ann")
	ann.Put("/firm/a", "x").Want(201)
	for _, method := range []string{"GET", "HEAD", "DELETE", "PROPFIND", "PROPPATCH", "LOCK"} {
		ann.Do(method, "/firm/a/", "").Want(404)
	}
	ann.Do("MOVE", "/firm/a/", "", "Destination: /dav/firm/b").Want(404)
	ann.Do("COPY", "/firm/a/", "", "Destination: /dav/firm/b").Want(404)
	ann.Do("COPY", "/firm/a", "", "Destination: /dav/firm/a/").Want(403)
	ann.Get("/firm/a").Want(200).WantText("x")
}

func TestCopyMove(t *testing.T) {
	h := newHouse(t)
	ann := h.as("ann")
	to := func(p string) string { return "Destination: " + h.server.URL + "/dav" + p }
	ann.Put("/firm/a", "A").Want(201)
	ann.Put("/firm/b", "B").Want(201)
	ann.Do("COPY", "/firm/a", "", to("/firm/c")).Want(201)
	ann.Do("COPY", "/firm/a", "", to("/firm/b"), "Overwrite: F").Want(412)
	ann.Get("/firm/b").WantText("B")
	ann.Do("COPY", "/firm/a", "", to("/firm/b")).Want(204)
	ann.Get("/firm/b").WantText("A")
	ann.Do("MOVE", "/firm/a", "", to("/firm/b")).Want(204) // no Overwrite: macOS
	ann.Get("/firm/a").Want(404)
	ann.Do("MOVE", "/firm/a", "", to("/firm/b")).Want(404)
	ann.Get("/firm/b").WantText("A")
	ann.Do("MOVE", "/firm/b", "", to("/firm/none/b")).Want(409)
	ann.Do("MOVE", "/firm/b", "", to("/firm/b")).Want(403)
	ann.Do("MOVE", "/firm/b", "", to("/firm/d"), "Overwrite: maybe").Want(400)
	ann.Do("MOVE", "/firm/b", "", "Destination: http://elsewhere.example/dav/firm/d").Want(502)
	ann.Do("MOVE", "/firm/b", "").Want(400)
	ann.Do("MOVE", "/firm/b", "", "Destination: /davx/firm/d").Want(502)

	ann.Do("MKCOL", "/firm/dir", "").Want(201)
	ann.Put("/firm/dir/x", "X").Want(201)
	ann.Do("MOVE", "/firm/dir", "", to("/firm/dir2"), "Depth: 0").Want(400)
	ann.Do("COPY", "/firm/dir", "", to("/firm/dir2"), "Depth: 1").Want(400)
	ann.Do("COPY", "/firm/dir", "", to("/firm/shallow/"), "Depth: 0").Want(201)
	ann.Get("/firm/shallow/x").Want(404)
	ann.Do("COPY", "/firm/dir/", "", to("/firm/deep/")).Want(201)
	ann.Get("/firm/deep/x").WantText("X")
	ann.Do("COPY", "/firm/dir", "", to("/firm/dir/in")).Want(403, 409)
	ann.Do("MOVE", "/firm/dir/", "", to("/firm/moved/")).Want(201)
	ann.Get("/firm/moved/x").WantText("X")
	h.as("bob").Do("MOVE", "/firm/moved", "", to("/firm/stolen")).Want(403)
	h.as("mallory").Do("COPY", "/firm/moved", "", to("/firm/stolen")).Want(404)
}

func TestPartial(t *testing.T) {
	h := newHouse(t, func(s *settings) {
		s.mem.Shape = func(b *mem.Backend) backends.Backend { return struct{ backends.Backend }{b} }
		s.mem.Hook = func(op string, p vpath.Path) error {
			if op == "Remove" && p.Name() == "stuck" {
				return errDisk
			}
			return nil
		}
	})
	ann := h.as("ann")
	ann.Do("MKCOL", "/firm/dir", "").Want(201)
	ann.Put("/firm/dir/gone", "x").Want(201)
	ann.Put("/firm/dir/stuck", "x").Want(201)
	res := ann.Do("DELETE", "/firm/dir", "").Want(207).WantNot("rack 12")
	for _, e := range res.Multistatus().Responses {
		if e.Href == "/dav/firm/dir/stuck" && e.Code() == 503 && e.Text != "" {
			ann.Get("/firm/dir/gone").Want(404)
			ann.Get("/firm/dir/stuck").Want(200)
			return
		}
	}
	t.Errorf("the file that stayed is not named:\n%s", res.Text)
}

func TestLogins(t *testing.T) {
	h := newHouse(t)
	const challenge = `Basic realm="Portico", charset="UTF-8"`
	nobody := gatewaytest.As(t, h.server.URL+"/dav", "", "")
	for _, headers := range [][]string{nil, {"Authorization: Bearer"}, {"Authorization: Bearer "}, {"Authorization: Basic "}, {"Cookie: sid=1"}} {
		nobody.Do("PROPFIND", "/", "", headers...).Want(401).WantHeader("WWW-Authenticate", challenge)
	}
	gatewaytest.As(t, h.server.URL+"/dav", "ann", "").Get("/").Want(401)
	if n := h.people.asked.Load(); n != 0 {
		t.Errorf("the directory was asked %d times for logins that are none", n)
	}
	gatewaytest.As(t, h.server.URL+"/dav", "ann", "wrong").Get("/").Want(401).WantHeader("WWW-Authenticate", challenge)
	h.people.err = fmt.Errorf("ldap: %w", fault.ErrUnavailable)
	h.as("ann").Get("/").Want(503).WantHeader("WWW-Authenticate", "").WantNot("ldap")
}

func TestPaths(t *testing.T) {
	h := newHouse(t)
	ann := h.as("ann")
	ann.Put("/firm/a", "x").Want(201)
	for _, path := range []string{
		"//firm/a", "/firm//a", "/firm/./a", "/firm/../firm/a", "/firm/%2e%2e/lab", "/firm/x%2f..%2fa", "/firm%2Fa", "/firm/x%5Ca",
		"/firm/%00", "/firm/%0a", "/firm/%c0%af", "/firm/" + strings.Repeat("x", 256), strings.Repeat("/x", 65),
	} {
		ann.Get(path).Want(400)
		ann.Put(path, "x").Want(400)
	}
	ann.Get("/firm/%252e%252e").Want(404) // a literal name
	h.at("/davx/firm/a").Get("").Want(404)
	h.at("/davfirm/a").Get("").Want(404)
	h.at("/").Get("").Want(404)
}

// What goes wrong inside is told in the log and nowhere else.
func TestErrors(t *testing.T) {
	h := newHouse(t)
	ann := h.as("ann")
	ann.Put("/firm/a", "x").Want(201)
	h.store.FailNext("Open", errDisk)
	ann.Get("/firm/a").Want(503).WantHeader("Retry-After", "10").WantHeader("Content-Type", "text/plain; charset=utf-8").WantNot("rack", "mem:")
	h.store.FailNext("List", errDisk)
	ann.Propfind("/firm", "1").Want(503).WantNot("rack", "multistatus")
	if h.log.lines.Load() < 2 {
		t.Error("the log says nothing of it")
	}
	h.store.FailNext("Put", fmt.Errorf("mem: put: %w", fault.ErrQuota))
	ann.Put("/firm/a", "new").Want(507).WantIn("<D:quota-not-exceeded/>")
	h.store.FailNext("Stat", io.ErrNoProgress)
	ann.Do("HEAD", "/firm/a", "").Want(500)
	ann.Get("/firm/a").WantText("x")
	why := h.as("bob").Put("/firm/a", "new").Want(403)
	if !strings.Contains(why.Text, "bob") || strings.Count(why.Text, "\n") != 1 {
		t.Errorf("403 says %q", why.Text)
	}
}

// A request whose body breaks off leaves the old file.
func TestCutPut(t *testing.T) {
	ended := make(chan backends.Call, 2)
	h := newHouse(t, func(s *settings) {
		s.mem.OnCall = func(c backends.Call) {
			if c.Name == "Put" {
				ended <- c
			}
		}
	})
	ann := h.as("ann")
	etag := ann.Put("/firm/a", "old").Want(201).ETag()
	<-ended
	in, out := io.Pipe()
	r := ann.Request("PUT", "/firm/a", in)
	r.ContentLength = 1000
	go func() {
		_, _ = io.WriteString(out, "the first part of the new file")
		_ = out.CloseWithError(io.ErrClosedPipe)
	}()
	if res, err := http.DefaultClient.Do(r); err == nil {
		_ = res.Body.Close()
		t.Errorf("a cut PUT = %d", res.StatusCode)
	}
	if c := <-ended; c.Err == nil {
		t.Error("the store took a part for the whole")
	}
	ann.Get("/firm/a").WantText("old").WantHeader("ETag", etag)
}

// The audit is told who asked, from where and with what.
func TestPrincipal(t *testing.T) {
	h := newHouse(t, func(s *settings) {
		s.gateway.RequestID = func(context.Context) string { return "req-7" }
		s.gateway.Address = func(*http.Request) string { return "192.0.2.1" }
	})
	h.as("ann").Put("/firm/a", "x", "User-Agent: Explorer/"+strings.Repeat("x", 1000)).Want(201)
	e := h.audit.last.Load()
	got := []string{e.Actor.ID, e.Actor.Login, e.Actor.Via, e.Address, e.RequestID, e.Path}
	if diff := cmp.Diff([]string{"id-ann", "ann", "dav", "192.0.2.1", "req-7", "/firm/a"}, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if !strings.HasPrefix(e.Agent, "Explorer/") || len(e.Agent) != 256 {
		t.Errorf("agent of %d bytes: %s", len(e.Agent), e.Agent)
	}
	h = newHouse(t)
	h.as("ann").Get("/firm").Want(200)
	if got := h.audit.last.Load().Address; got != "127.0.0.1" {
		t.Errorf("address is %q, want 127.0.0.1", got)
	}
}

func TestPublicOptions(t *testing.T) {
	server := newHouse(t).server
	server.Config.Handler = gateway.OptionsHandler()
	nobody := gatewaytest.As(t, server.URL, "", "")
	nobody.Do("OPTIONS", "/", "").Want(200).WantHeader("DAV", "1, 2, 3")
	nobody.Do("GET", "/", "").Want(405).WantHeader("Allow", "OPTIONS")
}
