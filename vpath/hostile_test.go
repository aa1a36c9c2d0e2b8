package vpath

import (
	"errors"
	"io/fs"
	"net/url"
	"strings"
	"testing"
)

// Each row is a form that some server took for an address it was not
// (THREATS.md §1B rows 1–12). escaped is how it stands in a request line, a
// Destination or a tag of an If header; why is a part of the answer. A row
// whose why is "" is a plain name, however odd it looks, and want is the path.
var hostile = []struct{ escaped, why, want string }{
	// Not absolute.
	{"", "start with /", ""},
	{"a", "start with /", ""},
	{"..", "start with /", ""},
	{"../etc/passwd", "start with /", ""},
	{`\firm\a`, "start with /", ""},
	{"%2ffirm", "start with /", ""},
	{"*", "start with /", ""},
	{"http://host/firm/a", "start with /", ""},

	// Dot elements.
	{"/.", ". or ..", ""},
	{"/..", ". or ..", ""},
	{"/./", ". or ..", ""},
	{"/../", ". or ..", ""},
	{"/firm/../secret", ". or ..", ""},
	{"/firm/./a", ". or ..", ""},
	{"/firm/a/..", ". or ..", ""},
	{"/firm/a/.", ". or ..", ""},
	{"/firm/../../../../etc/passwd", ". or ..", ""},
	{"/%2e%2e/secret", ". or ..", ""},
	{"/%2E%2E/secret", ". or ..", ""},
	{"/.%2e/secret", ". or ..", ""},
	{"/%2e./secret", ". or ..", ""},
	{"/%2e/secret", ". or ..", ""},
	{"/firm/%2e%2e/%2e%2e/etc/passwd", ". or ..", ""},

	// Empty elements.
	{"//", "empty element", ""},
	{"///", "empty element", ""},
	{"//secret/f", "empty element", ""},
	{"///secret/f", "empty element", ""},
	{"/firm//secret", "empty element", ""},
	{"/firm/a//", "empty element", ""},
	{"//host/share", "empty element", ""},

	// Encoded slashes and backslashes.
	{"/firm%2f..%2fsecret%2ff", "encoded slash", ""},
	{"/firm%2Fa", "encoded slash", ""},
	{"/firm/x/..%2f..%2fsecret/f", "encoded slash", ""},
	{"/%2f", "encoded slash", ""},
	{"/%2F%2F", "encoded slash", ""},
	{"/..%2f", "encoded slash", ""},
	{"/firm/%2fetc%2fpasswd", "encoded slash", ""},
	{`/firm\..\secret\f`, "backslash", ""},
	{`/firm/a\`, "backslash", ""},
	{"/firm/..%5c..%5csecret", "backslash", ""},
	{"/firm/%5C%5Chost%5Cshare", "backslash", ""},
	{"/C:%5cWindows", "backslash", ""},

	// Broken and overlong encodings.
	{"/firm/%", "broken % escape", ""},
	{"/firm/%2", "broken % escape", ""},
	{"/firm/%zz", "broken % escape", ""},
	{"/firm/%u002e%u002e", "broken % escape", ""},
	{"/firm/100%", "broken % escape", ""},
	{"/%c0%afsecret", "UTF-8", ""},
	{"/%c0%ae%c0%ae/secret", "UTF-8", ""},
	{"/%e0%80%af", "UTF-8", ""},
	{"/%f0%80%80%af", "UTF-8", ""},
	{"/firm/%ff", "UTF-8", ""},
	{"/firm/%80", "UTF-8", ""},
	{"/firm/%ed%a0%80", "UTF-8", ""},        // a surrogate
	{"/firm/%f4%90%80%80", "UTF-8", ""},     // above U+10FFFF
	{"/firm/%c3", "UTF-8", ""},              // cut
	{"/firm/caf\xe9", "UTF-8", ""},          // raw Latin-1
	{"/firm/\xc0\xae\xc0\xae", "UTF-8", ""}, // raw overlong

	// Control characters.
	{"/firm/%00", "control", ""},
	{"/firm/a.pdf%00.exe", "control", ""},
	{"/firm/a%0d%0aSet-Cookie:%20x", "control", ""},
	{"/firm/a%0a", "control", ""},
	{"/firm/a\n", "control", ""},
	{"/firm/%09", "control", ""},
	{"/firm/%1b[2J", "control", ""},
	{"/firm/%7f", "control", ""},
	{"/firm/%c2%85", "control", ""}, // U+0085, a line end to some readers
	{"/firm/%c2%9b", "control", ""}, // U+009B, starts a terminal's sequence
	{"/\x00", "control", ""},

	// Too long, too deep.
	{"/firm/" + strings.Repeat("a", 256), "more than 255", ""},
	{"/firm/" + strings.Repeat("%61", 256), "more than 255", ""},
	{"/firm/" + strings.Repeat("%C3%A9", 128), "more than 255", ""},
	{"/firm/" + strings.Repeat("a", 1<<20), "more than 255", ""},
	{"/firm/" + strings.Repeat("%E0%A5%98", 50), "more than 255", ""}, // U+0958 doubles in NFC
	{strings.Repeat("/"+strings.Repeat("b", 204), 5) + "/", "longer than 1024", ""},
	{strings.Repeat("/d", 65), "deeper than 64", ""},
	{strings.Repeat("/d", 500000), "longer than 1024", ""},

	// Odd and harmless: each is a name like any other, taken as it is.
	{"/", "", "/"},
	{"/firm/", "", "/firm"},
	{"/firm/...", "", "/firm/..."},
	{"/firm/..a", "", "/firm/..a"},
	{"/firm/a..", "", "/firm/a.."},
	{"/firm/.. ", "", "/firm/.. "},
	{"/firm/..;/secret", "", "/firm/..;/secret"}, // Tomcat's path parameter
	{"/firm/%252e%252e/secret", "", "/firm/%2e%2e/secret"},
	{"/firm/%252fa", "", "/firm/%2fa"},
	{"/firm/%25", "", "/firm/%"},
	{"/firm/a+b", "", "/firm/a+b"}, // a plus is no space in a path
	{"/firm/a%20b", "", "/firm/a b"},
	{"/firm/a%3fb%23c", "", "/firm/a?b#c"},
	{"/firm/C:", "", "/firm/C:"},
	{"/firm/~root", "", "/firm/~root"},
	{"/firm/$HOME", "", "/firm/$HOME"},
	{"/FIRM/a", "", "/FIRM/a"},                             // case is never folded (row 5)
	{"/firm/caf%65%CC%81", "", "/firm/caf\u00e9"},          // NFD, as macOS sends
	{"/firm/caf%C3%A9", "", "/firm/caf\u00e9"},             // NFC
	{"/firm/%E2%84%AAey", "", "/firm/Key"},                 // the Kelvin sign is K in NFC
	{"/firm/%CC%88a", "", "/firm/\u0308a"},                 // a mark with nothing below it
	{"/firm/%EF%BC%8F", "", "/firm/\uff0f"},                // the wide slash is no slash
	{"/firm/%EF%BC%8E%EF%BC%8E", "", "/firm/\uff0e\uff0e"}, // nor the wide dots dots
	{"/firm/%E2%88%95", "", "/firm/\u2215"},                // nor the division slash
	{"/firm/%E2%80%AE", "", "/firm/\u202e"},                // readable where it exists
	{"/" + strings.Repeat("a", 255), "", "/" + strings.Repeat("a", 255)},
	{"/" + strings.Repeat("%E1%84%80%E1%85%A1%E1%86%A8", 85), "", "/" + strings.Repeat("\uac01", 85)}, // 765 bytes of NFD
	{strings.Repeat("/d", 64), "", strings.Repeat("/d", 64)},
	{strings.Repeat("/"+strings.Repeat("b", 255), 4), "", strings.Repeat("/"+strings.Repeat("b", 255), 4)},
}

func TestHostileFormsAreRefusedNotRepaired(t *testing.T) {
	refused := 0
	for _, c := range hostile {
		p, _, err := ParseEscaped(c.escaped)
		judge(t, "ParseEscaped", c.escaped, p, err, c.why, c.want)
		if c.why != "" {
			refused++
		}
	}
	if refused < 60 {
		t.Errorf("the table has %d hostile forms, want 60 or more", refused)
	}
}

// Names of a multipart body, a config and a command line come decoded: the
// same forms must get the same answer from Parse.
func TestHostileFormsDecodedAreRefusedToo(t *testing.T) {
	for _, c := range hostile {
		plain, err := url.PathUnescape(c.escaped)
		if err != nil {
			continue // broken only as an escape
		}
		why := c.why
		switch {
		case why == "encoded slash": // decoded, it is a slash like any other
			why = decodedWhy(plain)
		case c.escaped == "%2ffirm":
			why = ""
			c.want = "/firm"
		}
		if why == "" && c.want == "" {
			c.want = strings.TrimSuffix(plain, "/")
		}
		p, err := Parse(plain)
		judge(t, "Parse", plain, p, err, why, c.want)
	}
}

// decodedWhy is the answer to a path with plain slashes in it.
func decodedWhy(plain string) string {
	for e := range strings.SplitSeq(strings.TrimSuffix(plain, "/")[1:], "/") {
		switch e {
		case "":
			return "empty element"
		case ".", "..":
			return ". or .."
		}
	}
	return ""
}

// A name that comes alone (a multipart file name, a member of a zip) is judged
// by Child: whatever Parse refuses as an element, it refuses too.
func TestHostileNamesAreRefusedByChild(t *testing.T) {
	parent := Must("/firm")
	for _, name := range []string{
		"", ".", "..", "/", "a/b", "/a", "a/", "../a", `..\a`, `a\b`, "a\x00b", "a\nb", "\x7f", "\u0085", "\xff", "\xc0\xaf",
		strings.Repeat("n", 256), strings.Repeat("\u0958", 50),
	} {
		if p, err := parent.Child(name); err == nil || !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("Child(%.40q) = %v, %v, want fs.ErrInvalid", name, p, err)
		}
	}
	deep := Must(strings.Repeat("/d", MaxDepth))
	if _, err := deep.Child("e"); err == nil {
		t.Error("Child below 64 folders gave no error")
	}
	if p, err := parent.Child("Cafe\u0301"); err != nil || p != Must("/firm/Caf\u00e9") {
		t.Errorf("Child of an NFD name = %v, %v", p, err)
	}
}

func judge(t *testing.T, fn, in string, p Path, err error, why, want string) {
	t.Helper()
	if why == "" {
		if err != nil || p.String() != want {
			t.Errorf("%s(%.60q) = %v, %v, want %q", fn, in, p, err, want)
		}
		return
	}
	if p != (Path{}) || !errors.Is(err, fs.ErrInvalid) || !strings.Contains(err.Error(), why) {
		t.Errorf("%s(%.60q) = %v, %v, want an fs.ErrInvalid with %q", fn, in, p, err, why)
	}
	if err != nil && in != "" && len(in) > 8 && strings.Contains(err.Error(), in) {
		t.Errorf("%s(%.60q): the error repeats what was sent", fn, in)
	}
}
