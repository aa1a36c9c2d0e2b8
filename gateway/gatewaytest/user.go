// Package gatewaytest is a WebDAV client for tests that act as users, over real
// HTTP:
//
//	bob := gatewaytest.As(t, server.URL+"/dav", "bob", "secret")
//	bob.Put("/firm/a.txt", "text").Want(201)
//	bob.Do("MOVE", "/firm/a.txt", "", "Destination: /dav/firm/b.txt").Want(201)
package gatewaytest

import (
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// User is somebody with a drive.
type User struct {
	t               testing.TB
	base            string
	login, password string
	client          *http.Client
}

// As is a user of the drive whose address is base. Without a login, it is
// somebody who has not signed in.
func As(t testing.TB, base, login, password string) *User {
	t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return &User{t: t, base: strings.TrimSuffix(base, "/"), login: login, password: password, client: client}
}

// Request makes a request that has not been sent. path is put after the base as
// it is, so it may be escaped in any way, or in a wrong one. Each header is
// written "Name: value".
func (u *User) Request(method, path string, body io.Reader, headers ...string) *http.Request {
	u.t.Helper()
	r, err := http.NewRequestWithContext(u.t.Context(), method, u.base, body)
	if err != nil {
		u.t.Fatalf("%s %s: %v", method, path, err)
	}
	at, _ := url.Parse(u.base)
	// Opaque is what goes on the request line, unchanged.
	r.URL.Opaque = "//" + at.Host + at.Path + path
	if u.login != "" {
		r.SetBasicAuth(u.login, u.password)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ":")
		r.Header.Add(name, strings.TrimSpace(value))
	}
	return r
}

// Do sends a request and reads the answer.
func (u *User) Do(method, path, body string, headers ...string) *Response {
	u.t.Helper()
	var in io.Reader
	if body != "" {
		in = strings.NewReader(body)
	}
	return u.Send(u.Request(method, path, in, headers...))
}

// Send sends a request of the caller's own making.
func (u *User) Send(r *http.Request) *Response {
	u.t.Helper()
	res, err := u.client.Do(r)
	if err != nil {
		u.t.Fatalf("%s %s: %v", r.Method, r.URL, err)
	}
	text, err := io.ReadAll(res.Body)
	_ = res.Body.Close() // all of it has been read
	return &Response{Response: res, Text: string(text), Cut: err, user: u}
}

// Put stores a file.
func (u *User) Put(path, body string, headers ...string) *Response {
	u.t.Helper()
	return u.Send(u.Request(http.MethodPut, path, strings.NewReader(body), headers...))
}

// Get reads a file.
func (u *User) Get(path string, headers ...string) *Response {
	u.t.Helper()
	return u.Do(http.MethodGet, path, "", headers...)
}

// Lock takes an exclusive lock, with Depth: infinity if no header says otherwise.
func (u *User) Lock(path string, headers ...string) *Response {
	u.t.Helper()
	return u.Do("LOCK", path, `<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope>`+
		`<D:locktype><D:write/></D:locktype><D:owner>`+u.login+`'s computer</D:owner></D:lockinfo>`, headers...)
}

// Propfind asks for named properties of DAV:, or with none for all.
func (u *User) Propfind(path, depth string, props ...string) *Response {
	u.t.Helper()
	body := ""
	if len(props) > 0 {
		body = `<D:propfind xmlns:D="DAV:"><D:prop><D:` + strings.Join(props, "/><D:") + `/></D:prop></D:propfind>`
	}
	return u.Do("PROPFIND", path, body, "Depth: "+depth)
}

// Response is an answer, read to its end.
type Response struct {
	*http.Response
	Text string // the body
	Cut  error  // of a body that broke off
	user *User
}

// Want fails the test unless the status is one of those given.
func (r *Response) Want(status ...int) *Response {
	r.user.t.Helper()
	if !slices.Contains(status, r.StatusCode) {
		r.user.t.Errorf("%s: %s %s = %d, want %d\n%s", r.user.login, r.Request.Method, r.Request.URL.Opaque, r.StatusCode, status, r.Text)
	}
	return r
}

// WantText fails the test unless the body is text.
func (r *Response) WantText(text string) *Response {
	r.user.t.Helper()
	if r.Text != text {
		r.user.t.Errorf("%s %s: body is %q, want %q", r.Request.Method, r.Request.URL.Opaque, r.Text, text)
	}
	return r
}

// WantHeader fails the test unless a header has the value.
func (r *Response) WantHeader(name, value string) *Response {
	r.user.t.Helper()
	if got := r.Header.Get(name); got != value {
		r.user.t.Errorf("%s %s: %s is %q, want %q", r.Request.Method, r.Request.URL.Opaque, name, got, value)
	}
	return r
}

// WantIn fails the test unless the body holds each of the texts.
func (r *Response) WantIn(texts ...string) *Response {
	r.user.t.Helper()
	for _, text := range texts {
		if !strings.Contains(r.Text, text) {
			r.user.t.Errorf("%s %s: %q is not in the body\n%s", r.Request.Method, r.Request.URL.Opaque, text, r.Text)
		}
	}
	return r
}

// WantNot fails the test if the body holds one of the texts.
func (r *Response) WantNot(texts ...string) *Response {
	r.user.t.Helper()
	for _, text := range texts {
		if strings.Contains(r.Text, text) {
			r.user.t.Errorf("%s %s: %q is in the body\n%s", r.Request.Method, r.Request.URL.Opaque, text, r.Text)
		}
	}
	return r
}

// Token is the lock token of an answer to LOCK, without its brackets.
func (r *Response) Token() string {
	return strings.Trim(r.Header.Get("Lock-Token"), "<>")
}

// ETag is the answer's ETag, with its quotes.
func (r *Response) ETag() string { return r.Header.Get("ETag") }
