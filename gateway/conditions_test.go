package gateway

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/webdav"

	"portico/files"
	"portico/vpath"
)

func token(s string) webdav.Condition  { return webdav.Condition{Token: s} }
func etag(s string) webdav.Condition   { return webdav.Condition{ETag: s} }
func notTok(s string) webdav.Condition { return webdav.Condition{Not: true, Token: s} }

func TestIf(t *testing.T) {
	at := func(s string) *vpath.Path { p := vpath.Must(s); return &p }
	list := func(c ...webdav.Condition) files.List { return files.List{Conditions: c} }
	tagged := func(p string, c ...webdav.Condition) files.List {
		return files.List{Resource: at(p), Conditions: c}
	}
	cases := map[string][]files.List{
		"(<opaquelocktoken:1>)":    {list(token("opaquelocktoken:1"))},
		"( <a>  [\"e\"] )":         {list(token("a"), etag("e"))},
		"(<a>) (<b>)":              {list(token("a")), list(token("b"))},
		"(<a>)(<b>)":               {list(token("a")), list(token("b"))},
		"(Not <DAV:no-lock>)":      {list(notTok("DAV:no-lock"))},
		"(not<a>)":                 {list(notTok("a"))},
		"(NOT [\"e\"])":            {list(webdav.Condition{Not: true, ETag: "e"})},
		"([W/\"weak\"])":           {list(etag(`W/"weak"`))},
		"([\"with ] bracket\"])":   nil, // a space cannot be in an ETag
		"([\"with]bracket\"])":     {list(etag("with]bracket"))},
		"([bare])":                 {list(etag("bare"))},
		"(opaquelocktoken:1)":      {list(token("opaquelocktoken:1"))},
		"(Nothing)":                {list(token("Nothing"))},
		"If: (<a>)":                {list(token("a"))},
		"if: If: (<a>)":            {list(token("a"))},
		"</dav/firm/a> (<t>)":      {tagged("/firm/a", token("t"))},
		"</dav/firm/a%20b/> (<t>)": {tagged("/firm/a b", token("t"))},
		"<http://inner.example:8080/dav/firm/a> (<t>) (<u>)": {tagged("/firm/a", token("t")), tagged("/firm/a", token("u"))},
		"</dav/firm/a> (<t>) </dav/firm/b> (<u>)":            {tagged("/firm/a", token("t")), tagged("/firm/b", token("u"))},
		"<https://files.firm.example/dav/firm/a>(<t>)":       {tagged("/firm/a", token("t"))},
		"<http://elsewhere.example/a> (<t>)":                 {{Elsewhere: true, Conditions: []webdav.Condition{token("t")}}},
		"</other/a> (<t>)":                                   {{Elsewhere: true, Conditions: []webdav.Condition{token("t")}}},
		"(<a>) </dav/firm/b> (<u>)":                          {list(token("a")), tagged("/firm/b", token("u"))}, // two headers joined
	}
	h := testHandler()
	for in, want := range cases {
		g, err := h.parseGuard(withHeader("PUT", "If", in))
		if want == nil {
			continue
		}
		if err != nil {
			t.Errorf("If %q: %v", in, err)
		}
		if diff := cmp.Diff(want, g.If, cmp.AllowUnexported(vpath.Path{})); diff != "" {
			t.Errorf("If %q: -want +got\n%s", in, diff)
		}
	}
}

func TestIfRefused(t *testing.T) {
	bad := []string{
		"", " ", "()", "(", ")", "<a>", "(<a>", "(<a)", "(<>)", "([])", "([\"])", "([\"a)", "(Not)", "(Not )", "(<a>) x", "x", "<", "<a", "If:",
		"</dav/firm/a>", "</dav/firm/a> </dav/firm/b> (<t>)", "(<a>) </dav/firm/b>", "</dav/../x> (<t>)", "</dav/firm/a%2fb> (<t>)", "<relative> (<t>)",
		"([\"a\"b])", strings.Repeat("(<a>)", maxConditions+1), strings.Repeat("(", 10000),
	}
	h := testHandler()
	for _, in := range bad {
		g, err := h.parseGuard(withHeader("PUT", "If", in))
		if o := judge("PUT", err); err == nil || o.status != http.StatusBadRequest {
			t.Errorf("If %.40q = %v, %v, want 400", in, g.If, err)
		}
	}
}

func TestIfJoined(t *testing.T) {
	r := withHeader("PUT", "If", "(<a>)")
	r.Header.Add("If", "(<b>)")
	g, err := testHandler().parseGuard(r)
	want := []files.List{{Conditions: []webdav.Condition{token("a")}}, {Conditions: []webdav.Condition{token("b")}}}
	if diff := cmp.Diff(want, g.If); diff != "" || err != nil {
		t.Errorf("two If headers: %v; -want +got\n%s", err, diff)
	}
}

func TestETags(t *testing.T) {
	cases := map[string][]string{
		`*`:               {"*"},
		`"a"`:             {"a"},
		`"a", "b"`:        {"a", "b"},
		`"a,b" ,W/"c"`:    {"a,b", `W/"c"`},
		`a`:               {"a"},
		`"a",,"b",`:       {"a", "b"},
		`W/a`:             {`W/"a"`},
		`"d41d8-2"`:       {"d41d8-2"},
		"\"a\"\t,\t\"b\"": {"a", "b"},
	}
	for in, want := range cases {
		got, err := parseETags([]string{in})
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("parseETags(%q): %v; -want +got\n%s", in, err, diff)
		}
	}
	for _, in := range []string{"", ",", `"`, `"a`, `""`, `W/""`, `"a" "b"`, `*, "a"`, `"a"b`, strings.Repeat("a,", maxConditions+1)} {
		if got, err := parseETags([]string{in}); err == nil {
			t.Errorf("parseETags(%.40q) = %q, want an error", in, got)
		}
	}
	if got, err := parseETags(nil); got != nil || err != nil {
		t.Errorf("parseETags(nil) = %q, %v", got, err)
	}
}

func TestGuardDates(t *testing.T) {
	day := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	r := withHeader("GET", "If-Modified-Since", day.Format(http.TimeFormat))
	r.Header.Set("If-Unmodified-Since", day.Format(time.RFC850))
	g, err := testHandler().parseGuard(r)
	if err != nil || !g.ModifiedSince.Equal(day) || !g.UnmodifiedSince.Equal(day) {
		t.Errorf("dates: %v, %v, %v", g.ModifiedSince, g.UnmodifiedSince, err)
	}
	r.Header.Set("If-Match", `"a"`)
	r.Header.Set("If-None-Match", `"b"`)
	if g, err = testHandler().parseGuard(r); err != nil || !g.ModifiedSince.IsZero() || !g.UnmodifiedSince.IsZero() {
		t.Errorf("dates beside ETags: %v, %v, %v; want them ignored", g.ModifiedSince, g.UnmodifiedSince, err)
	}
	if g, err = testHandler().parseGuard(withHeader("GET", "If-Modified-Since", "yesterday")); err != nil || !g.ModifiedSince.IsZero() {
		t.Errorf("a date that is none: %v, %v; want it ignored", g.ModifiedSince, err)
	}
	if g, err = testHandler().parseGuard(withHeader("PUT", "If-Modified-Since", day.Format(http.TimeFormat))); err != nil || !g.ModifiedSince.IsZero() {
		t.Errorf("If-Modified-Since of a PUT: %v, %v; want it ignored", g.ModifiedSince, err)
	}
}

func TestLockToken(t *testing.T) {
	for in, want := range map[string]string{"<opaquelocktoken:a>": "opaquelocktoken:a", "\t<urn:x>": "urn:x"} {
		if got, ok := parseLockToken(in); got != want || !ok {
			t.Errorf("parseLockToken(%q) = %q, %v", in, got, ok)
		}
	}
	for _, in := range []string{"", "<>", "a", "<a", "a>", "<a><b>", "<a b>"} {
		if got, ok := parseLockToken(in); ok {
			t.Errorf("parseLockToken(%q) = %q, want none", in, got)
		}
	}
}

func TestJudgeRead(t *testing.T) {
	changed := time.Date(2026, 3, 1, 12, 0, 0, 5e8, time.UTC)
	n := files.Node{ETag: "e", ModTime: changed}
	cases := []struct {
		name string
		g    files.Guard
		want int
	}{
		{"nothing", files.Guard{}, 200},
		{"match", files.Guard{Match: []string{"x", "e"}}, 200},
		{"match any", files.Guard{Match: []string{"*"}}, 200},
		{"match fails", files.Guard{Match: []string{"x"}}, 412},
		{"match weak", files.Guard{Match: []string{`W/"e"`}}, 412},
		{"match before none-match", files.Guard{Match: []string{"x"}, NoneMatch: []string{"e"}}, 412},
		{"none-match", files.Guard{NoneMatch: []string{"e"}}, 304},
		{"none-match weak", files.Guard{NoneMatch: []string{`W/"e"`}}, 304},
		{"none-match any", files.Guard{NoneMatch: []string{"*"}}, 304},
		{"none-match other", files.Guard{NoneMatch: []string{"x"}}, 200},
		{"unmodified", files.Guard{UnmodifiedSince: changed.Truncate(time.Second)}, 200},
		{"modified meanwhile", files.Guard{UnmodifiedSince: changed.Add(-2 * time.Second)}, 412},
		{"not modified", files.Guard{ModifiedSince: changed.Truncate(time.Second)}, 304},
		{"modified", files.Guard{ModifiedSince: changed.Add(-2 * time.Second)}, 200},
	}
	for _, c := range cases {
		if got := judgeRead(c.g, n); got != c.want {
			t.Errorf("%s: judgeRead = %d, want %d", c.name, got, c.want)
		}
	}
}

func TestRangeStands(t *testing.T) {
	changed := time.Date(2026, 3, 1, 12, 0, 0, 5e8, time.UTC)
	n := files.Node{ETag: "e", ModTime: changed}
	for header, want := range map[string]bool{
		"": true, `"e"`: true, `"x"`: false, `W/"e"`: false, "rubbish junk": false,
		changed.Format(http.TimeFormat):                   true,
		changed.Add(time.Second).Format(http.TimeFormat):  false,
		changed.Add(-time.Second).Format(http.TimeFormat): false,
	} {
		if got := rangeStands(header, n); got != want {
			t.Errorf("rangeStands(%q) = %v, want %v", header, got, want)
		}
	}
}
