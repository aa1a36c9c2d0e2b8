package link_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strconv"
	"strings"
)

// visitor is a browser, or a program where Accept is empty.
type visitor struct {
	*house
	base    string
	client  *http.Client
	headers http.Header
}

// browser keeps cookies and asks for pages.
func (h *house) browser() *visitor {
	h.Helper()
	jar, err := cookiejar.New(nil)
	h.ok(err)
	v := h.curl()
	v.client.Jar = jar
	v.headers.Set("Accept", "text/html,*/*")
	return v
}

// curl is a program.
func (h *house) curl() *visitor {
	return &visitor{h, h.replicas[0].server.URL, &http.Client{
		Transport:     &http.Transport{},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, http.Header{}}
}

// with is the same with a header in each request.
func (v *visitor) with(name, value string) *visitor {
	other := *v
	other.headers = v.headers.Clone()
	other.headers.Set(name, value)
	return &other
}

// basic is the same with a link's password.
func (v *visitor) basic(password string) *visitor {
	r, _ := http.NewRequestWithContext(v.Context(), http.MethodGet, v.base, nil) // the address is sound
	r.SetBasicAuth("", password)
	return v.with("Authorization", r.Header.Get("Authorization"))
}

// answer is what came back.
type answer struct {
	*http.Response
	h    *house
	text string
}

// do sends a request; path goes on the line as it is.
func (v *visitor) do(method, path, body string, pairs ...string) answer {
	v.Helper()
	a, err := v.try(method, path, strings.NewReader(body), pairs...)
	if err != nil {
		v.Fatalf("%s %s: %v", method, path, err)
	}
	return a
}

func (v *visitor) try(method, path string, body io.Reader, pairs ...string) (answer, error) {
	r, err := http.NewRequestWithContext(v.Context(), method, v.base, body)
	if err != nil {
		return answer{}, err
	}
	at, err := url.Parse(v.base)
	if err != nil {
		return answer{}, err
	}
	path, query, _ := strings.Cut(path, "?")
	r.URL.Opaque, r.URL.RawQuery = "//"+at.Host+path, query
	r.Header = v.headers.Clone()
	for i := 0; i < len(pairs); i += 2 {
		r.Header.Set(pairs[i], pairs[i+1])
	}
	if v.client.Jar != nil { // Opaque hides the path from the jar
		for _, c := range v.client.Jar.Cookies(at) {
			r.AddCookie(c)
		}
	}
	bare := &http.Client{Transport: v.client.Transport, CheckRedirect: v.client.CheckRedirect}
	resp, err := bare.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	if v.client.Jar != nil {
		v.client.Jar.SetCookies(at, resp.Cookies())
	}
	b, err := io.ReadAll(resp.Body)
	return answer{resp, v.house, string(b)}, err
}

func (v *visitor) get(path string, pairs ...string) answer {
	v.Helper()
	return v.do(http.MethodGet, path, "", pairs...)
}

// send sends a form.
func (v *visitor) send(path string, fields ...string) answer {
	v.Helper()
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Add(fields[i], fields[i+1])
	}
	return v.do(http.MethodPost, path, form.Encode(), "Content-Type", "application/x-www-form-urlencoded")
}

// want holds the status.
func (a answer) want(status int) answer {
	a.h.Helper()
	if a.StatusCode != status {
		a.h.Fatalf("%s %s: %d, want %d\n%s", a.Request.Method, a.Request.URL.Opaque, a.StatusCode, status, clip(a.text))
	}
	return a
}

// has holds that all texts are there.
func (a answer) has(texts ...string) answer {
	a.h.Helper()
	for _, text := range texts {
		if !strings.Contains(a.text, text) {
			a.h.Fatalf("%s %s says nothing of %q\n%s", a.Request.Method, a.Request.URL.Opaque, text, clip(a.text))
		}
	}
	return a
}

// hasNot holds that none of the texts is anywhere in the answer, headers included.
func (a answer) hasNot(texts ...string) answer {
	a.h.Helper()
	head, err := json.Marshal(a.Header)
	a.h.ok(err)
	for _, text := range texts {
		if strings.Contains(a.text, text) || strings.Contains(string(head), text) {
			a.h.Fatalf("%s %s tells %q\n%s\n%s", a.Request.Method, a.Request.URL.Opaque, text, head, clip(a.text))
		}
	}
	return a
}

func clip(s string) string { return s[:min(len(s), 1500)] }

func number(n int) string { return strconv.Itoa(n) }
