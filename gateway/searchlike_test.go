package gateway

import (
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"portico/files"
	"portico/vpath"
)

// fitsSlowly is the meaning of a pattern, in as few words as can be.
func fitsSlowly(p pattern, s []rune) bool {
	switch {
	case len(p) == 0:
		return len(s) == 0
	case p[0] == anyText:
		return fitsSlowly(p[1:], s) || len(s) > 0 && fitsSlowly(p, s[1:])
	}
	return len(s) > 0 && (p[0] == anyRune || p[0] == s[0]) && fitsSlowly(p[1:], s[1:])
}

func TestPatternModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		p := parsePattern(rapid.StringOfN(rapid.RuneFrom([]rune(`ab%%_\é`)), 0, 8, -1).Draw(r, "pattern"))
		s := []rune(rapid.StringOfN(rapid.RuneFrom([]rune(`ab%_\é`)), 0, 8, -1).Draw(r, "text"))
		if got, want := p.fits(s), fitsSlowly(p, s); got != want {
			r.Fatalf("%q fits %q: %t, want %t", string(s), []rune(p), got, want)
		}
	})
}

// A text is the pattern of itself.
func TestEscapeLike(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		s := rapid.String().Draw(r, "text")
		if p := parsePattern(escapeLike(s)); !p.fits([]rune(s)) || p.fits([]rune(s+"x")) {
			r.Fatalf("%q does not fit itself", s)
		}
	})
}

// Patterns that make a matcher try everything take no time here.
func TestPatternExplodes(t *testing.T) {
	t.Parallel()
	name := []rune(strings.Repeat("a", 255))
	began := time.Now()
	for _, s := range []string{
		strings.Repeat("%a", 120) + "%b", strings.Repeat("%", 60_000) + "b", strings.Repeat("_%", 250) + "b", strings.Repeat("a", 60_000),
		strings.Repeat("%_a", 80) + "b", `%` + strings.Repeat(`\`, 60_000),
	} {
		p := parsePattern(s)
		for range 100 {
			if p.fits(name) {
				t.Errorf("it fits %.20s", s)
			}
		}
		if len(p) > 2*longestText+1 {
			t.Errorf("the pattern of %.20s has %d parts", s, len(p))
		}
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
}

// TestTruth is the table of RFC 5323 §5.5.
func TestTruth(t *testing.T) {
	t.Parallel()
	at := func(v truth) condition { return func(*files.Node) truth { return v } }
	for _, c := range []struct{ a, b, and, or truth }{
		{yes, yes, yes, yes},
		{yes, no, no, yes},
		{yes, unknown, unknown, yes},
		{no, no, no, no},
		{no, unknown, no, unknown},
		{unknown, unknown, unknown, unknown},
	} {
		for _, parts := range [][]condition{{at(c.a), at(c.b)}, {at(c.b), at(c.a)}} {
			if got := all(parts)(nil); got != c.and {
				t.Errorf("%d and %d = %d", c.a, c.b, got)
			}
			if got := anyOf(parts)(nil); got != c.or {
				t.Errorf("%d or %d = %d", c.a, c.b, got)
			}
		}
	}
	for v, want := range map[truth]truth{yes: no, no: yes, unknown: unknown} {
		if got := not(at(v))(nil); got != want {
			t.Errorf("not %d = %d", v, got)
		}
	}
}

func TestParseMoment(t *testing.T) {
	t.Parallel()
	want := time.Date(2024, 1, 3, 22, 13, 20, 0, time.UTC)
	for _, s := range []string{"Wed, 03 Jan 2024 22:13:20 GMT", " 2024-01-03T22:13:20Z ", "2024-01-03T23:13:20+01:00", "2024-01-03T22:13:20", "2024-01-03T22:13:20.9Z"} {
		if got, ok := parseMoment(s); !ok || !got.Equal(want) {
			t.Errorf("%q is %v, %t", s, got, ok)
		}
	}
	if got, ok := parseMoment("2024-01-03"); !ok || !got.Equal(want.Truncate(24*time.Hour)) {
		t.Errorf("a day is %v, %t", got, ok)
	}
	for _, s := range []string{"", "x", "2024", "2024-13-01", strings.Repeat("1", 10_000)} {
		if _, ok := parseMoment(s); ok {
			t.Errorf("%q is a time", s)
		}
	}
}

// FuzzSearch holds that a search is refused with 4xx, or judges whatever it meets.
func FuzzSearch(f *testing.F) {
	for _, s := range []string{
		"<eq><prop><displayname/></prop><literal>a</literal></eq>", "<not><is-collection/></not>",
		`<or><like caseless="no"><prop><getcontenttype/></prop><literal>%\_</literal></like><gt><prop><getcontentlength/></prop><typed-literal>5</typed-literal></gt></or>`,
		"<and><contains>x</contains><is-defined><prop><creationdate/></prop></is-defined></and>",
	} {
		f.Add(s)
	}
	q := &request{drive: drive{prefix: "/dav"}}
	node := files.Node{Path: vpath.Must("/firm/a.txt"), Size: 5, ETag: "e", ContentType: "text/plain"}
	f.Fuzz(func(t *testing.T, where string) {
		doc, err := parseXML([]byte(`<searchrequest xmlns="DAV:"><basicsearch><select><allprop/></select><from><scope><href>/dav/firm</href><depth>1</depth></scope></from><where>` +
			where + `</where></basicsearch></searchrequest>`))
		if err != nil || doc == nil {
			return
		}
		s, err := q.parseSearch(withHeader("SEARCH", "X", ""), doc, liveProps())
		if err != nil {
			if o := judge("SEARCH", err); o.status < 400 || o.status > 499 && o.status != 507 {
				t.Fatalf("%q = %d: %v", where, o.status, err)
			}
			return
		}
		for _, n := range []files.Node{node, {Path: vpath.Must("/firm"), Dir: true}, {}} {
			if v := s.where(&n); v < no || v > yes {
				t.Fatalf("%q = %d", where, v)
			}
		}
	})
}

// FuzzSync holds that a sync-collection is refused with 4xx or 507, or has a bound.
func FuzzSync(f *testing.F) {
	f.Add("<sync-token/><sync-level>1</sync-level>", "0")
	f.Add("<sync-token>urn:x</sync-token><sync-level>infinite</sync-level><limit><nresults>99999999999999999999</nresults></limit>", "")
	f.Add("<limit/>", "infinity")
	f.Fuzz(func(t *testing.T, inner, depth string) {
		doc, err := parseXML([]byte(`<sync-collection xmlns="DAV:">` + inner + `</sync-collection>`))
		if err != nil || doc == nil {
			return
		}
		s, err := parseSync(doc, withHeader("REPORT", "Depth", depth).Header.Values("Depth"))
		if err != nil {
			if o := judge("REPORT", err); o.status != 400 && o.status != 507 {
				t.Fatalf("%q = %d: %v", inner, o.status, err)
			}
			return
		}
		if s.Limit < 0 || s.Limit > math.MaxInt || strings.TrimSpace(s.Token) != s.Token {
			t.Fatalf("%q = %+v", inner, s)
		}
	})
}
