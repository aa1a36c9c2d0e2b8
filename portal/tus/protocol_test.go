package tus_test

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"portico/fault"
	"portico/portal/tus"
	"portico/vpath"
)

func TestOptions(t *testing.T) {
	t.Parallel()
	h := newHouse(t, settings{max: 1000})
	for _, at := range []string{"", "/x"} {
		h.send("OPTIONS", h.url+at, nil, "Tus-Resumable", "").want(http.StatusNoContent).
			header("Tus-Version", "1.0.0").header("Tus-Max-Size", "1000").header("Tus-Resumable", "").
			header("Tus-Extension", "creation,creation-with-upload,creation-defer-length,expiration,termination,checksum").
			header("Tus-Checksum-Algorithm", "sha1,sha256")
	}
}

func TestPieces(t *testing.T) {
	t.Parallel()
	h := newHouse(t, settings{})
	at := h.create("a b.txt", "11")
	h.send("HEAD", at, nil).want(http.StatusOK).header("Upload-Offset", "0").header("Upload-Length", "11").header("Cache-Control", "no-store")
	a := h.patch(at, "0", "hello ").want(http.StatusNoContent).header("Upload-Offset", "6").header("Portico-Path", "")
	if end, err := http.ParseTime(a.head.Get("Upload-Expires")); err != nil || time.Until(end) < 23*time.Hour {
		t.Errorf("Upload-Expires is %q", a.head.Get("Upload-Expires"))
	}
	h.lacks("/Clients/a b.txt")
	h.patch(at, "3", "lo ").want(http.StatusConflict)
	h.patch(at, "6", "world").want(http.StatusNoContent).header("Upload-Offset", "11").header("Portico-Path", "/firm/Clients/a%20b.txt")
	h.holds("/Clients/a b.txt", "hello world")
	h.send("HEAD", at, nil).want(http.StatusOK).header("Upload-Offset", "11").header("Portico-Path", "/firm/Clients/a%20b.txt")
	h.idle()
}

func TestCreation(t *testing.T) {
	t.Parallel()
	h := newHouse(t, settings{max: 100})
	file := meta("path", "/firm/Clients", "filename", "f")
	for _, c := range []struct {
		want    int
		headers []string
	}{
		{http.StatusBadRequest, []string{"Upload-Metadata", file}},
		{http.StatusBadRequest, []string{"Upload-Metadata", file, "Upload-Length", "many"}},
		{http.StatusBadRequest, []string{"Upload-Metadata", file, "Upload-Length", "1", "Upload-Defer-Length", "1"}},
		{http.StatusBadRequest, []string{"Upload-Metadata", file, "Upload-Defer-Length", "2"}},
		{http.StatusBadRequest, []string{"Upload-Metadata", file, "Upload-Length", "1", "Upload-Concat", "partial"}},
		{http.StatusBadRequest, []string{"Upload-Metadata", "path §", "Upload-Length", "1"}},
		{http.StatusBadRequest, []string{"Upload-Length", "1"}},
		{http.StatusBadRequest, []string{"Upload-Metadata", meta("path", "/firm", "filename", "../x"), "Upload-Length", "1"}},
		{http.StatusBadRequest, []string{"Upload-Metadata", meta("path", "/firm", "filename", "a/b"), "Upload-Length", "1"}},
		{http.StatusBadRequest, []string{"Upload-Metadata", meta("path", "/firm", "filename", "x", "relativePath", "a/../../x"), "Upload-Length", "1"}},
		{http.StatusBadRequest, []string{"Upload-Metadata", meta("path", "/firm", "filename", "x", "exists", "perhaps"), "Upload-Length", "1"}},
		{http.StatusRequestEntityTooLarge, []string{"Upload-Metadata", file, "Upload-Length", "-1"}},
		{http.StatusRequestEntityTooLarge, []string{"Upload-Metadata", file, "Upload-Length", "-7"}},
		{http.StatusRequestEntityTooLarge, []string{"Upload-Metadata", file, "Upload-Length", "101"}},
		{http.StatusRequestEntityTooLarge, []string{"Upload-Metadata", file, "Upload-Length", "99999999999999999999"}},
		{http.StatusPreconditionFailed, []string{"Upload-Metadata", file, "Upload-Length", "1", "Tus-Resumable", "0.2.2"}},
		{http.StatusPreconditionFailed, []string{"Upload-Metadata", file, "Upload-Length", "1", "Tus-Resumable", ""}},
		{http.StatusForbidden, []string{"Upload-Metadata", file, "Upload-Length", "1", "User", "bob"}},
		{http.StatusNotFound, []string{"Upload-Metadata", file, "Upload-Length", "1", "User", "eve"}},
	} {
		h.send("POST", h.url, nil, c.headers...).want(c.want).header("Location", "")
	}
	h.lacks("/a")
	h.idle()
}

func TestNoSuchThing(t *testing.T) {
	t.Parallel()
	h := newHouse(t, settings{})
	at := h.create("f", "3")
	h.send("GET", at, nil).want(http.StatusMethodNotAllowed).header("Allow", "OPTIONS, HEAD, PATCH, DELETE")
	h.send("PATCH", h.url, nil).want(http.StatusMethodNotAllowed).header("Allow", "OPTIONS, POST")
	h.send("HEAD", h.url+"/none", nil).want(http.StatusNotFound)
	h.send("HEAD", h.url+"/a/b", nil).want(http.StatusNotFound)
	h.send("POST", h.url+"elsewhere", nil).want(http.StatusNotFound)
	h.send("PATCH", at, strings.NewReader("abc"), "Upload-Offset", "0", "Content-Type", "text/plain").want(http.StatusUnsupportedMediaType)
	h.patch(at, "", "abc").want(http.StatusBadRequest)
	h.patch(at, "-1", "abc").want(http.StatusBadRequest)
	h.patch(at, "0", "abc", "User", "bob").want(http.StatusNotFound)
	h.send("DELETE", at, nil, "User", "bob").want(http.StatusNotFound)
	h.send("HEAD", at, nil, "User", "bob").want(http.StatusNotFound)
	// A proxy that knows GET and POST alone.
	h.send("POST", at, strings.NewReader("abc"), "X-HTTP-Method-Override", "PATCH", "Upload-Offset", "0",
		"Content-Type", "application/offset+octet-stream").want(http.StatusNoContent)
	h.holds("/Clients/f", "abc")
}

func TestTermination(t *testing.T) {
	t.Parallel()
	h := newHouse(t, settings{})
	at := h.create("f", "3")
	h.patch(at, "0", "ab").want(http.StatusNoContent)
	h.send("DELETE", at, nil).want(http.StatusNoContent)
	h.send("HEAD", at, nil).want(http.StatusNotFound)
	h.patch(at, "2", "c").want(http.StatusNotFound)
	h.lacks("/Clients/f")
	h.idle()
}

func TestCreationWithUpload(t *testing.T) {
	t.Parallel()
	h := newHouse(t, settings{max: 10})
	headers := func(name, size string) []string {
		return []string{"Content-Type", "application/offset+octet-stream", "Upload-Length", size, "Upload-Metadata", meta("path", "/firm/Clients", "filename", name)}
	}
	h.send("POST", h.url, strings.NewReader("abc"), headers("f", "3")...).want(http.StatusCreated).
		header("Upload-Offset", "3").header("Portico-Path", "/firm/Clients/f")
	h.holds("/Clients/f", "abc")
	a := h.send("POST", h.url, strings.NewReader("ab"), headers("g", "3")...).want(http.StatusCreated).header("Upload-Offset", "2")
	h.patch(a.head.Get("Location"), "2", "c").want(http.StatusNoContent)
	h.send("POST", h.url, nil, headers("empty", "0")...).want(http.StatusCreated).header("Portico-Path", "/firm/Clients/empty")
	h.holds("/Clients/empty", "")
	h.send("POST", h.url, strings.NewReader("abcd"), headers("h", "3")...).want(http.StatusRequestEntityTooLarge)
	h.idle()
}

// TestLimits holds the limit of size whatever is announced (THREATS row 52).
func TestLimits(t *testing.T) {
	t.Parallel()
	h := newHouse(t, settings{max: 10 << 20})
	mib := strings.Repeat("x", 1<<20)
	at := h.create("one", "1")
	h.patch(at, "0", mib).want(http.StatusRequestEntityTooLarge)
	h.send("HEAD", at, nil).want(http.StatusNotFound)
	at = h.create("parts", "", "Upload-Defer-Length", "1")
	for i := range 10 {
		h.patch(at, strconv.Itoa(i<<20), mib).want(http.StatusNoContent)
	}
	h.patch(at, strconv.Itoa(10<<20), mib).want(http.StatusRequestEntityTooLarge)
	at = h.create("chunked", "", "Upload-Defer-Length", "1")
	endless := io.MultiReader(strings.NewReader(strings.Repeat(mib, 11))) // no length of its own: chunked
	h.send("PATCH", at, endless, "Content-Type", "application/offset+octet-stream", "Upload-Offset", "0").want(http.StatusRequestEntityTooLarge)
	for _, name := range []string{"one", "parts", "chunked"} {
		h.lacks("/Clients/" + name)
	}
	h.idle()
}

func TestDeferredLength(t *testing.T) {
	t.Parallel()
	h := newHouse(t, settings{})
	at := h.create("f", "", "Upload-Defer-Length", "1")
	h.patch(at, "0", "abc").want(http.StatusNoContent)
	h.send("HEAD", at, nil).want(http.StatusOK).header("Upload-Defer-Length", "1").header("Upload-Length", "")
	h.patch(at, "3", "def", "Upload-Length", "6").want(http.StatusNoContent).header("Portico-Path", "/firm/Clients/f")
	h.holds("/Clients/f", "abcdef")
}

func TestChecksum(t *testing.T) {
	t.Parallel()
	h := newHouse(t, settings{})
	at := h.create("f", "6")
	one, two := sha1.Sum([]byte("abc")), sha256.Sum256([]byte("def"))
	text := base64.StdEncoding.EncodeToString
	h.patch(at, "0", "abx", "Upload-Checksum", "sha1 "+text(one[:])).want(460)
	h.patch(at, "0", "abc", "Upload-Checksum", "md5 "+text(one[:])).want(http.StatusBadRequest)
	h.patch(at, "0", "abc", "Upload-Checksum", "sha1 §").want(http.StatusBadRequest)
	h.send("HEAD", at, nil).header("Upload-Offset", "0")
	h.patch(at, "0", "abc", "Upload-Checksum", "sha1 "+text(one[:])).want(http.StatusNoContent)
	h.patch(at, "3", "def", "Upload-Checksum", "sha256 "+text(two[:])).want(http.StatusNoContent)
	h.holds("/Clients/f", "abcdef")
}

func TestExists(t *testing.T) {
	t.Parallel()
	h := newHouse(t, settings{})
	create := func(exists string) *answer {
		return h.send("POST", h.url, strings.NewReader(exists), "Content-Type", "application/offset+octet-stream", "Upload-Length", strconv.Itoa(len(exists)),
			"Upload-Metadata", meta("path", "/firm/Clients", "filename", "f.txt", "exists", exists, "lastModified", "1700000000123"))
	}
	create("ask").want(http.StatusCreated)
	create("ask").want(http.StatusConflict)
	create("keep").want(http.StatusCreated).header("Portico-Path", "/firm/Clients/f%20%282%29.txt")
	create("replace").want(http.StatusCreated).header("Portico-Path", "/firm/Clients/f.txt")
	h.holds("/Clients/f.txt", "replace")
	h.holds("/Clients/f (2).txt", "keep")
	if info, err := h.back.Stat(t.Context(), vpath.Must("/Clients/f.txt")); err != nil || !info.ModTime.Equal(time.UnixMilli(1700000000123)) {
		t.Errorf("the file's time is %v, %v", info.ModTime, err)
	}
}

// TestDroppedFolder makes the folders of relativePath, also where they cannot be seen.
func TestDroppedFolder(t *testing.T) {
	t.Parallel()
	h := newHouse(t, settings{})
	drop := func(who, path, rel, name string) *answer {
		return h.send("POST", h.url, strings.NewReader(rel), "Content-Type", "application/offset+octet-stream", "Upload-Length", strconv.Itoa(len(rel)),
			"User", who, "Upload-Metadata", meta("path", path, "filename", name, "relativePath", rel))
	}
	drop("ann", "/firm/Clients", "2026/May/a.txt", "a.txt").want(http.StatusCreated).header("Portico-Path", "/firm/Clients/2026/May/a.txt")
	drop("ann", "/firm/Clients", "2026/May/b.txt", "").want(http.StatusCreated)
	drop("ann", "/firm/Clients", "null", "c.txt").want(http.StatusCreated).header("Portico-Path", "/firm/Clients/c.txt")
	drop("ann", "/firm/Clients", "c.txt/x/d.txt", "d.txt").want(http.StatusConflict)
	drop("bob", "/firm/Clients", "new/d.txt", "d.txt").want(http.StatusForbidden)
	h.lacks("/Clients/new")
	drop("ida", "/firm/Drop", "tax/x.pdf", "x.pdf").want(http.StatusCreated)
	drop("ida", "/firm/Drop", "tax/y.pdf", "y.pdf").want(http.StatusCreated)
	h.holds("/Drop/tax/x.pdf", "tax/x.pdf")
	h.holds("/Drop/tax/y.pdf", "tax/y.pdf")
}

func TestQuota(t *testing.T) {
	t.Parallel()
	h := newHouse(t, settings{quota: 100})
	h.send("POST", h.url, nil, "Upload-Length", "101", "Upload-Metadata", meta("path", "/firm/Clients", "filename", "f")).want(http.StatusInsufficientStorage)
}

// TestWhoIsAsked gives errors of the caller's own to the caller.
func TestWhoIsAsked(t *testing.T) {
	t.Parallel()
	away := errors.New("who are you")
	for _, c := range []struct {
		err  error
		fail bool
		want int
	}{{away, true, http.StatusTeapot}, {away, false, http.StatusInternalServerError}, {fault.ErrUnavailable, false, http.StatusServiceUnavailable}} {
		o := tus.Options{Prefix: "/u", Log: slog.New(slog.DiscardHandler), Tree: func(*http.Request) (tus.Tree, error) { return nil, c.err }}
		if c.fail {
			o.Fail = func(w http.ResponseWriter, _ *http.Request, err error) {
				if !errors.Is(err, away) {
					t.Errorf("Fail was told %v", err)
				}
				w.WriteHeader(http.StatusTeapot)
			}
		}
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), "HEAD", "/u/x", nil)
		r.Header.Set("Tus-Resumable", "1.0.0")
		tus.New(o).ServeHTTP(w, r)
		if w.Code != c.want || strings.Contains(w.Body.String(), "who are you") {
			t.Errorf("%v is answered with %d %s", c.err, w.Code, w.Body)
		}
	}
}
