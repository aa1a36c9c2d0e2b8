package lang

import (
	"encoding/json"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

func catalog(t *testing.T) *Catalog {
	t.Helper()
	c, err := New()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// entries are all texts of a language, with the file that has each.
func entries(t *testing.T, tag string) (texts map[string]Entry, from map[string]string) {
	t.Helper()
	names, err := fs.Glob(embedded, "catalog/*."+tag+".json")
	if err != nil {
		t.Fatal(err)
	}
	texts, from = map[string]Entry{}, map[string]string{}
	for _, name := range names {
		b, err := fs.ReadFile(embedded, name)
		if err != nil {
			t.Fatal(err)
		}
		var all map[string]Entry
		if err := json.Unmarshal(b, &all); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for id, e := range all {
			if was, ok := texts[id]; ok && was != e {
				t.Errorf("%s: %q is %q, and %q in %s", tag, id, e.Other, was.Other, from[id])
			}
			texts[id], from[id] = e, path.Base(name)
		}
	}
	return texts, from
}

func placeholders(s string) []string {
	all := regexp.MustCompile(`\{\w+\}`).FindAllString(s, -1)
	slices.Sort(all)
	return slices.Compact(all)
}

// TestCatalogsAgree wants each text in all four languages, with the same names in
// braces, and with both forms where it counts.
func TestCatalogsAgree(t *testing.T) {
	t.Parallel()
	all, _ := entries(t, "nl")
	for _, tag := range Tags()[1:] {
		texts, from := entries(t, tag)
		for id := range all {
			if _, ok := texts[id]; !ok {
				t.Errorf("%s lacks %q", tag, id)
			}
		}
		for id, e := range texts {
			if _, ok := all[id]; !ok {
				t.Errorf("%s of %s is not in nl: %q", tag, from[id], id)
			}
			if strings.TrimSpace(e.Other) == "" {
				t.Errorf("%s: %q is empty", tag, id)
			}
			if got, want := placeholders(e.Other), placeholders(id); !slices.Equal(got, want) {
				t.Errorf("%s: %q has %v, want %v", tag, id, got, want)
			}
			if (e.One != "") != (all[id].One != "") {
				t.Errorf("%s: %q counts here and not in nl, or the other way round", tag, id)
			}
			if strings.Contains(e.Other, "!") {
				t.Errorf("%s: %q shouts", tag, id)
			}
		}
	}
	english, _ := entries(t, "en")
	for id, e := range all {
		if e.One != "" && english[id].One == "" {
			t.Errorf("en lacks the form for one of %q", id)
		}
	}
}

func TestFor(t *testing.T) {
	t.Parallel()
	c := catalog(t)
	for _, x := range []struct {
		prefs []string
		want  string
	}{
		{nil, "en"},
		{[]string{"", "nl-BE,nl;q=0.9,en;q=0.8"}, "nl"},
		{[]string{"sv", "nl"}, "sv"},
		{[]string{"xx", "de-AT"}, "de"},
		{[]string{"pt,fr;q=0.3"}, "fr"},
		{[]string{"ja"}, "en"},
		{[]string{"nonsense;;;q=x", "fr-CA"}, "fr"},
		{[]string{strings.Repeat("nl,", 1000), "de"}, "de"},
	} {
		if got := c.For(x.prefs...).Tag(); got != x.want {
			t.Errorf("For(%.60q) = %s, want %s", x.prefs, got, x.want)
		}
	}
}

func TestTexts(t *testing.T) {
	t.Parallel()
	c := catalog(t)
	for _, x := range []struct{ tag, want, got string }{
		{"en", "Sign in", c.For("en").T("Sign in")},
		{"nl", "Aanmelden", c.For("nl").T("Sign in")},
		{"sv", "not in a catalog", c.For("sv").T("not in a catalog")},
		{"en", "Reference {x}", c.For("en").T("Reference {id}", "id", "{x}")},
		{"fr", "Référence 7", c.For("fr").T("Reference {id}", "id", 7)},
		{"en", "1 second", c.For("en").N("{n} seconds", 1)},
		{"en", "0 seconds", c.For("en").N("{n} seconds", 0)},
		{"fr", "0 seconde", c.For("fr").N("{n} seconds", 0)},
		{"nl", "1.200 seconden", c.For("nl").N("{n} seconds", 1200)},
		{"fr", "1\u202f000\u202f000 secondes", c.For("fr").N("{n} seconds", 1_000_000)},
		{"en", "Reference \u2068\u202egnp\u2069", c.For("en").T("Reference {id}", "id", "\u202egnp")},
	} {
		if x.got != x.want {
			t.Errorf("%s: %q, want %q", x.tag, x.got, x.want)
		}
	}
	if one, other := c.For("de").Forms("{n} seconds"); one != "{n} Sekunde" || other != "{n} Sekunden" {
		t.Errorf("Forms = %q, %q", one, other)
	}
	if !c.IsPlural("{n} seconds") || c.IsPlural("Sign in") {
		t.Error("IsPlural does not tell what counts")
	}
}

func TestTimes(t *testing.T) {
	t.Parallel()
	c := catalog(t)
	brussels, err := time.LoadLocation("Europe/Brussels")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2027, 3, 12, 9, 30, 0, 0, time.UTC)
	en, de := c.For("en"), c.For("de").In(brussels)
	for _, x := range []struct{ want, got string }{
		{"today 08:05", en.Moment(time.Date(2027, 3, 12, 8, 5, 0, 0, time.UTC), now)},
		{"heute 09:05", de.Moment(time.Date(2027, 3, 12, 8, 5, 0, 0, time.UTC), now)},
		{"yesterday 23:59", en.Moment(time.Date(2027, 3, 11, 23, 59, 0, 0, time.UTC), now)},
		{"heute 00:59", de.Moment(time.Date(2027, 3, 11, 23, 59, 0, 0, time.UTC), now)},
		{"1 March", en.Moment(time.Date(2027, 3, 1, 9, 0, 0, 0, time.UTC), now)},
		{"1. März", de.Moment(time.Date(2027, 3, 1, 9, 0, 0, 0, time.UTC), now)},
		{"31 December 2026", en.Moment(time.Date(2026, 12, 31, 9, 0, 0, 0, time.UTC), now)},
		{"31 décembre 2026", c.For("fr").Day(time.Date(2026, 12, 31, 9, 0, 0, 0, time.UTC))},
		{"i dag 09:30", c.For("sv").Moment(now, now)},
		{"12. März 2027 10:30:00 CET", de.Stamp(now)},
		{"1 second", en.Wait(0)},
		{"90 seconds", en.Wait(90 * time.Second)},
		{"2 minutes", en.Wait(91 * time.Second)},
		{"30 minutes", en.Wait(30 * time.Minute)},
		{"2 uur", c.For("nl").Wait(91 * time.Minute)},
	} {
		if x.got != x.want {
			t.Errorf("%q, want %q", x.got, x.want)
		}
	}
}

func TestSizes(t *testing.T) {
	t.Parallel()
	c := catalog(t)
	for n, want := range map[int64][2]string{
		-1: {"–", "–"}, 0: {"0\u00a0B", "0\u00a0o"}, 999: {"999\u00a0B", "999\u00a0o"}, 1000: {"1.0\u00a0kB", "1,0\u00a0ko"}, 1_400_000: {"1.4\u00a0MB", "1,4\u00a0Mo"},
		999_600: {"1.0\u00a0MB", "1,0\u00a0Mo"}, 50 << 30: {"54\u00a0GB", "54\u00a0Go"}, 9_960: {"10\u00a0kB", "10\u00a0ko"},
	} {
		if en, fr := c.For("en").Size(n), c.For("fr").Size(n); en != want[0] || fr != want[1] {
			t.Errorf("Size(%d) = %q, %q, want %q", n, en, fr, want)
		}
	}
	if got := c.For("sv").Number(-1234567); got != "-1\u00a0234\u00a0567" {
		t.Errorf("Number = %q", got)
	}
}

// TestBadCatalogs wants a fault in a file told at the start, with its name.
func TestBadCatalogs(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{"catalog/a.nl.json": `{"a":1}`, "catalog/a.json": `{}`, "catalog/a.??.json": `{}`, "catalog/b.nl.json": `{`} {
		_, err := newCatalog(fstest.MapFS{name: {Data: []byte(text)}})
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s %s: %v, want an error that names it", name, text, err)
		}
	}
	// Ids that go-i18n would take for keywords are texts here.
	c, err := newCatalog(fstest.MapFS{"catalog/a.nl.json": {Data: []byte(`{"Other":"Andere","Description":"Omschrijving"}`)}})
	if err != nil || c.For("nl").T("Other") != "Andere" || c.For("nl").T("Description") != "Omschrijving" {
		t.Errorf("keywords: %v, %q", err, c.For("nl").T("Other"))
	}
}
