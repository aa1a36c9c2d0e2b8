package portaltest

import (
	"bytes"
	"html"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// Browser is somebody in front of a page, without scripts.
type Browser struct {
	*http.Client
	f        *Firm
	Language string
}

// Browser opens one.
func (f *Firm) Browser() *Browser {
	f.T.Helper()
	jar, err := cookiejar.New(nil)
	f.ok(err)
	return &Browser{f: f, Client: &http.Client{
		Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// As is a browser in which somebody has signed in.
func (f *Firm) As(login string) *Browser {
	f.T.Helper()
	b := f.Browser()
	if got := b.Send("/login", "name", login, "password", Password); got.Status != http.StatusSeeOther {
		f.T.Fatalf("sign in as %s: %d %s", login, got.Status, got.Words())
	}
	return b
}

// Answer is what came back.
type Answer struct {
	Status int
	Header http.Header
	Text   string
}

// Do sends a request; pairs are headers.
func (b *Browser) Do(method, path string, body io.Reader, pairs ...string) Answer {
	b.f.T.Helper()
	r, err := http.NewRequestWithContext(b.f.T.Context(), method, b.f.URL+path, body)
	b.f.ok(err)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if b.Language != "" {
		r.Header.Set("Accept-Language", b.Language)
	}
	for i := 0; i < len(pairs); i += 2 {
		r.Header.Set(pairs[i], pairs[i+1])
	}
	resp, err := b.Client.Do(r)
	b.f.ok(err)
	defer resp.Body.Close() //nolint:errcheck // only read
	text, err := io.ReadAll(resp.Body)
	b.f.ok(err)
	return Answer{resp.StatusCode, resp.Header, string(text)}
}

// Get opens a page.
func (b *Browser) Get(path string) Answer {
	b.f.T.Helper()
	return b.Do(http.MethodGet, path, nil)
}

// Send sends a form as a page of ours does.
func (b *Browser) Send(path string, fields ...string) Answer {
	b.f.T.Helper()
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Add(fields[i], fields[i+1])
	}
	return b.Do(http.MethodPost, path, strings.NewReader(form.Encode()), "Content-Type", "application/x-www-form-urlencoded", "Origin", b.f.URL)
}

// Upload sends a form with files: names of fields, of files, and their contents in
// turn. A field without a file's name is a plain one.
func (b *Browser) Upload(path string, triples ...string) Answer {
	b.f.T.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for i := 0; i+2 < len(triples); i += 3 {
		var part io.Writer
		var err error
		if triples[i+1] == "" {
			part, err = w.CreateFormField(triples[i])
		} else {
			part, err = w.CreateFormFile(triples[i], triples[i+1])
		}
		b.f.ok(err)
		_, err = io.WriteString(part, triples[i+2])
		b.f.ok(err)
	}
	b.f.ok(w.Close())
	return b.Do(http.MethodPost, path, &body, "Content-Type", w.FormDataContentType(), "Origin", b.f.URL)
}

// Follow opens the page that an answer leads to.
func (b *Browser) Follow(a Answer) Answer {
	b.f.T.Helper()
	if a.Status != http.StatusSeeOther {
		b.f.T.Fatalf("%d leads nowhere: %s", a.Status, a.Words())
	}
	return b.Get(a.Header.Get("Location"))
}

// Want wants a status, and texts.
func (a Answer) Want(t testing.TB, what string, status int, texts ...string) {
	t.Helper()
	if a.Status != status {
		t.Errorf("%s: %d, want %d\n%s", what, a.Status, status, a.Words())
	}
	for _, text := range texts {
		if !strings.Contains(html.UnescapeString(a.Text), text) {
			t.Errorf("%s: the answer lacks %q:\n%s", what, text, a.Words())
		}
	}
}

// Lacks wants that texts are nowhere in an answer, not in its headers either.
func (a Answer) Lacks(t testing.TB, what string, texts ...string) {
	t.Helper()
	var head strings.Builder
	_ = a.Header.Write(&head) // to a builder
	all := strings.ToLower(html.UnescapeString(a.Text) + head.String())
	for _, text := range texts {
		if strings.Contains(all, strings.ToLower(text)) {
			t.Errorf("%s: the answer has %q:\n%s", what, text, a.Words())
		}
	}
}

// Words are a page without its tags.
func (a Answer) Words() string {
	text := regexp.MustCompile(`(?s)<svg.*?</svg>|<script.*?</script>|<[^>]*>`).ReplaceAllString(a.Text, " ")
	return strings.Join(strings.Fields(html.UnescapeString(text)), " ")
}
