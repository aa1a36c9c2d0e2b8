// Package lang holds what Portico says in five languages, and how each writes
// dates, sizes and numbers.
//
// The id of a text is its English sentence, so that code and templates read as
// what they show, and English needs no catalog but for plurals. The catalogs are
// flat JSON files, one for each part of the program and language.
package lang

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"
	_ "time/tzdata" // the image has no files of its own

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"github.com/nicksnyder/go-i18n/v2/i18n/template"
	"golang.org/x/text/language"
)

//go:embed catalog
var embedded embed.FS

// Tags are the languages that there are; the first is what the others fall back to.
func Tags() []string { return []string{"en", "nl", "fr", "sv", "de"} }

// Title is a language's name for itself.
func Title(tag string) string {
	return map[string]string{"en": "English", "nl": "Nederlands", "fr": "Français", "sv": "Svenska", "de": "Deutsch"}[tag]
}

// ID marks a sentence as a text that is looked up elsewhere, such as one in a
// table, so that the test of the catalogs finds it.
func ID(sentence string) string { return sentence }

// Catalog has all texts.
type Catalog struct {
	byTag   map[string]*Text
	plurals map[string]bool // ids that are written for one and for others
	matcher language.Matcher
}

// New reads the catalogs.
func New() (*Catalog, error) { return newCatalog(embedded) }

func newCatalog(from fs.FS) (*Catalog, error) {
	bundle := i18n.NewBundle(language.English)
	c := &Catalog{byTag: map[string]*Text{}, plurals: map[string]bool{}}
	names, err := fs.Glob(from, "catalog/*.json")
	if err != nil {
		return nil, fmt.Errorf("lang: %w", err)
	}
	for _, name := range names {
		if err := c.read(bundle, from, name); err != nil {
			return nil, fmt.Errorf("lang: %s: %w", name, err)
		}
	}
	var tags []language.Tag
	for _, tag := range Tags() {
		tags = append(tags, language.MustParse(tag))
		c.byTag[tag] = &Text{c: c, tag: tag, say: i18n.NewLocalizer(bundle, tag), w: writingOf(tag), zone: time.UTC}
	}
	c.matcher = language.NewMatcher(tags)
	return c, nil
}

// Entry is one text of a catalog: Other alone, or with One for plurals.
type Entry struct{ One, Other string }

// UnmarshalJSON takes a text, or an object of its forms.
func (e *Entry) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, &e.Other)
	}
	var forms struct {
		One   string `json:"one"`
		Other string `json:"other"`
	}
	err := json.Unmarshal(b, &forms)
	e.One, e.Other = forms.One, forms.Other
	return err
}

// read takes one file, named PART.TAG.json. Its messages are made here and not by
// go-i18n, which takes a text whose id is "Other" or "Description" for a keyword.
func (c *Catalog) read(bundle *i18n.Bundle, from fs.FS, name string) error {
	b, err := fs.ReadFile(from, name)
	if err != nil {
		return err
	}
	parts := strings.Split(path.Base(name), ".")
	if len(parts) != 3 {
		return errors.New("the file is not named PART.TAG.json")
	}
	tag, err := language.Parse(parts[1])
	if err != nil {
		return err
	}
	var all map[string]Entry
	if err := json.Unmarshal(b, &all); err != nil {
		return err
	}
	for id, e := range all {
		// French has a form for millions (CLDR "many"), which reads like the others here.
		m := &i18n.Message{ID: id, One: e.One, Many: e.Other, Other: e.Other}
		if e.One != "" {
			c.plurals[id] = true
		}
		if err := bundle.AddMessages(tag, m); err != nil {
			return err
		}
	}
	return nil
}

// IsPlural tells whether a text has a form for one.
func (c *Catalog) IsPlural(id string) bool { return c.plurals[id] }

// For finds the language that suits best: prefs are tags, or Accept-Language
// headers, the most wanted first. Empty ones say nothing, odd ones neither.
func (c *Catalog) For(prefs ...string) *Text {
	for _, p := range prefs {
		if len(p) > maxAccept {
			continue
		}
		wanted, _, err := language.ParseAcceptLanguage(p)
		if err != nil || len(wanted) == 0 {
			continue
		}
		if _, at, confidence := c.matcher.Match(wanted...); confidence > language.No {
			return c.byTag[Tags()[at]]
		}
	}
	return c.byTag[Tags()[0]]
}

// maxAccept bounds a header that anybody may send: reading a long one has been
// slow enough to keep a server busy (CVE-2022-32149).
const maxAccept = 256

// Text says things in one language and tells times in one zone.
type Text struct {
	c    *Catalog
	tag  string
	say  *i18n.Localizer
	w    writing
	zone *time.Location
}

// Tag is the language, such as "nl".
func (t *Text) Tag() string { return t.tag }

// In is the same language in another time zone.
func (t *Text) In(zone *time.Location) *Text {
	c := *t
	c.zone = zone
	return &c
}

// Zone is where this text's times are told.
func (t *Text) Zone() *time.Location { return t.zone }

// T is a text with its {names} filled in: args are names and values in turn. An
// id that no catalog has is shown as it is.
func (t *Text) T(id string, args ...any) string {
	if t.tag == "en" && !t.c.plurals[id] {
		return fill(id, args)
	}
	return fill(t.lookUp(id, nil), args)
}

// N is T for a text that counts; {n} is the number.
func (t *Text) N(id string, n int, args ...any) string {
	return fill(t.lookUp(id, n), append([]any{"n", t.Number(int64(n))}, args...))
}

// Forms are the two forms of a text that counts, for scripts.
func (t *Text) Forms(id string) (one, other string) { return t.lookUp(id, 1), t.lookUp(id, 2) }

// lookUp finds a text. go-i18n answers with its best guess beside an error, so
// that a text which one language lacks is shown in English and not left out.
func (t *Text) lookUp(id string, n any) string {
	found, err := t.say.Localize(&i18n.LocalizeConfig{
		DefaultMessage: &i18n.Message{ID: id, Other: id}, PluralCount: n, TemplateParser: template.IdentityParser{},
	})
	if err != nil && found == "" {
		return id
	}
	return found
}

// fill puts values in the place of their {names}, each once: what a value holds is
// never read as a name.
func fill(text string, args []any) string {
	if len(args) < 2 || !strings.Contains(text, "{") {
		return text
	}
	pairs := make([]string, 0, len(args))
	for i := 0; i+1 < len(args); i += 2 {
		pairs = append(pairs, fmt.Sprintf("{%v}", args[i]), isolate(fmt.Sprint(args[i+1])))
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// isolate keeps a name that is written from right to left, or has marks that turn
// text around, from turning the sentence that it stands in (Unicode UAX 9: FSI and
// PDI, which also ends what the name left open).
func isolate(s string) string {
	if !strings.ContainsFunc(s, turns) {
		return s
	}
	return "\u2068" + s + "\u2069"
}

// turns tells a character of right-to-left scripts, or a mark of direction.
func turns(r rune) bool {
	return r >= 0x590 && r <= 0x8ff || r >= 0xfb1d && r <= 0xfdff || r >= 0xfe70 && r <= 0xfeff || r >= 0x10800 && r <= 0x10fff || r >= 0x1e800 && r <= 0x1efff ||
		r == 0x200f || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}
