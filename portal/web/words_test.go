package web

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"portico/fault"
)

// TestZone wants the times of a browser in its own zone, and in the firm's where no
// script has read it.
func TestZone(t *testing.T) {
	t.Parallel()
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	for firm, k := range map[string]*Kit{"UTC": kit(t), "Europe/Paris": kit(t, func(o *Options) { o.Zone = func() *time.Location { return paris } })} {
		for name, want := range map[string]string{"Europe/Brussels": "Europe/Brussels", "Europe%2FBrussels": "Europe/Brussels", "": firm, "Local": firm, "../etc/passwd": firm, "x": firm} {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
			r.AddCookie(&http.Cookie{Name: zoneCookie, Value: name})
			if got := k.Text(r).Zone().String(); got != want {
				t.Errorf("the zone %q in a firm in %s: %s, want %s", name, firm, got, want)
			}
		}
	}
}

// TestLanguageOfARequest wants a person's choice on pages, and what a program asks
// for where it comes with a password.
func TestLanguageOfARequest(t *testing.T) {
	t.Parallel()
	dutch := kit(t, func(o *Options) { o.Language = func() string { return "nl" } })
	for _, c := range []struct{ chosen, asked, password, want string }{
		{"", "", "", "nl"},
		{"", "de-AT,en;q=0.5", "", "de"},
		{"fr", "de", "", "fr"},
		{"fr", "", "Basic YTpi", "en"},
		{"fr", "de", "Basic YTpi", "de"},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		for name, value := range map[string]string{"Accept-Language": c.asked, "Authorization": c.password, "Cookie": "lang=" + c.chosen} {
			if value != "" {
				r.Header.Set(name, value)
			}
		}
		if got := dutch.Text(r).Tag(); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}

// TestRefusalsSpeak wants the sentence of an error in the reader's language, on a
// page and for a program.
func TestRefusalsSpeak(t *testing.T) {
	t.Parallel()
	k := kit(t)
	fail := func(w http.ResponseWriter, r *http.Request) {
		k.Fail(w, r, fmt.Errorf("inner: %w", fault.Tell(fs.ErrNotExist, "%s does not exist", "/firm/%d")))
	}
	h := k.Handler(Route{Pattern: "GET /x", Needs: Anyone, Handler: fail}, Route{Pattern: "GET /api/x", Needs: Anyone, API: true, Handler: fail})
	for tag, want := range map[string]string{
		"en": "/firm/%d does not exist", "nl": "/firm/%d bestaat niet.", "fr": "/firm/%d n’existe pas.", "sv": "/firm/%d finns inte.", "de": "/firm/%d gibt es nicht.",
	} {
		if _, text, _ := ask(t, h, "GET", "/x", "", "Accept-Language", tag); !strings.Contains(text, "<bdi>"+want+"</bdi>") {
			t.Errorf("%s: %q is not on the page", tag, want)
		}
		_, text, _ := ask(t, h, "GET", "/api/x", "", "Accept-Language", tag)
		var answer problem
		if err := json.Unmarshal([]byte(text), &answer); err != nil || answer.Detail != want || answer.Title != "Not Found" {
			t.Errorf("%s: %+v, %v, want %q", tag, answer, err, want)
		}
	}
	if _, text, _ := ask(t, h, "GET", "/api/x", "lang=de", "Authorization", "Basic YTpi"); !strings.Contains(text, "does not exist") {
		t.Errorf("a program that asks for no language: %s", text)
	}
}
