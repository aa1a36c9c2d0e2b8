package app

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
)

// visitor is somebody at one of the doors, with or without a browser's cookies.
type visitor struct {
	*http.Client
	t    *testing.T
	at   string // the server
	name string
}

// reply is what came back.
type reply struct {
	status int
	header http.Header
	text   string
}

// as is somebody who says who they are each time.
func (h *house) as(name string) *visitor {
	return &visitor{t: h.t, at: h.url, name: name, Client: &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// browser is somebody who signs in once.
func (h *house) browser() *visitor {
	h.t.Helper()
	v := h.as("")
	jar, err := cookiejar.New(nil)
	if err != nil {
		h.t.Fatal(err)
	}
	v.Jar = jar
	return v
}

// ask sends a request; the path stays as it is written.
func (v *visitor) ask(method, path, body string, set func(*http.Request)) reply {
	v.t.Helper()
	r, err := http.NewRequestWithContext(v.t.Context(), method, v.at+"/", strings.NewReader(body))
	if err != nil {
		v.t.Fatal(err)
	}
	p, query, _ := strings.Cut(path, "?")
	plain, err := url.PathUnescape(p)
	if err != nil {
		v.t.Fatal(err)
	}
	r.URL.Path, r.URL.RawPath, r.URL.RawQuery = plain, p, query
	set(r)
	resp, err := v.Do(r)
	if err != nil {
		v.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, string(b)}
}

func (v *visitor) basic(method, path, body, password string) reply {
	v.t.Helper()
	return v.ask(method, path, body, func(r *http.Request) { r.SetBasicAuth(v.name, password) })
}

func (v *visitor) get(path string) reply {
	v.t.Helper()
	return v.ask("GET", path, "", func(*http.Request) {})
}

// send sends a form as a page of ours does.
func (v *visitor) send(path string, pairs ...string) reply {
	v.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return v.ask("POST", path, form.Encode(), func(r *http.Request) {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", v.at)
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	})
}

func (v *visitor) signIn(name, password string) reply {
	v.t.Helper()
	return v.send("/login", "name", name, "password", password)
}
