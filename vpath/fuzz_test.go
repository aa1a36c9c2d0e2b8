package vpath

import (
	"net/url"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// naive is Parse once more, written to be read and not to be fast.
func naive(raw string) (string, bool) {
	if raw == "/" {
		return "/", true
	}
	rest, ok := strings.CutPrefix(raw, "/")
	if !ok {
		return "", false
	}
	var names []string
	for e := range strings.SplitSeq(strings.TrimSuffix(rest, "/"), "/") {
		n := norm.NFC.String(e)
		bad := e == "" || e == "." || e == ".." || !utf8.ValidString(e) || len(n) > 255 ||
			strings.Contains(e, `\`) || strings.ContainsFunc(e, unicode.IsControl)
		if bad {
			return "", false
		}
		names = append(names, n)
	}
	out := "/" + strings.Join(names, "/")
	return out, len(out) <= 1024 && strings.Count(out, "/") <= 64
}

// naiveEscaped decodes each element first.
func naiveEscaped(raw string) (string, bool) {
	parts := strings.Split(raw, "/")
	for i, e := range parts {
		d, err := url.PathUnescape(e)
		if err != nil || strings.Contains(d, "/") {
			return "", false
		}
		parts[i] = d
	}
	// Decoding must not bring forth a slash at the end or the start.
	return naive(strings.Join(parts, "/"))
}

// sound holds what is true of every path there is.
func sound(t *testing.T, p Path) {
	t.Helper()
	s := p.String()
	if again, err := Parse(s); err != nil || again != p {
		t.Errorf("Parse(%q) = %q, %v: not idempotent", s, again, err)
	}
	if again, slash, err := ParseEscaped(p.Escaped()); err != nil || again != p || slash != p.IsRoot() {
		t.Errorf("ParseEscaped(%q) = %q, %v, %v, want %q", p.Escaped(), again, slash, err, s)
	}
	if again, err := url.PathUnescape(p.Escaped()); err != nil || again != s {
		t.Errorf("net/url reads %q as %q, %v", p.Escaped(), again, err)
	}
	if !utf8.ValidString(s) || !norm.NFC.IsNormalString(s) || strings.ContainsFunc(s, unicode.IsControl) || strings.Contains(s, `\`) {
		t.Errorf("%q is not clean", s)
	}
	for e := range p.Elements() {
		if e == "" || e == "." || e == ".." {
			t.Errorf("%q has the element %q", s, e)
		}
	}
	if len(s) > MaxPath || p.Depth() > MaxDepth {
		t.Errorf("%q has %d bytes and %d elements", s, len(s), p.Depth())
	}
	if err := p.CheckNew(); err == nil && strings.HasSuffix(s, " ") {
		t.Errorf("CheckNew takes %q", s)
	}
}

func FuzzParse(f *testing.F) {
	for _, c := range hostile {
		if plain, err := url.PathUnescape(c.escaped); err == nil && len(plain) < 2000 {
			f.Add(plain)
		}
	}
	f.Fuzz(func(t *testing.T, raw string) {
		p, err := Parse(raw)
		want, ok := naive(raw)
		if ok != (err == nil) || ok && p.String() != want {
			t.Fatalf("Parse(%q) = %q, %v, the naive model says %q, %v", raw, p, err, want, ok)
		}
		if err == nil {
			sound(t, p)
		}
	})
}

func FuzzParseEscaped(f *testing.F) {
	for _, c := range hostile {
		if len(c.escaped) < 4000 {
			f.Add(c.escaped)
		}
	}
	f.Fuzz(func(t *testing.T, raw string) {
		p, slash, err := ParseEscaped(raw)
		want, ok := naiveEscaped(raw)
		if ok != (err == nil) || ok && p.String() != want {
			t.Fatalf("ParseEscaped(%q) = %q, %v, the naive model says %q, %v", raw, p, err, want, ok)
		}
		if err != nil {
			return
		}
		if slash != strings.HasSuffix(raw, "/") {
			t.Errorf("ParseEscaped(%q): slash = %v", raw, slash)
		}
		sound(t, p)
	})
}

// A name that is judged alone is judged as it is inside a path.
func FuzzChild(f *testing.F) {
	for _, name := range []string{"a", "..", "a/b", "e\u0301", "NUL", "a\x00", `a\b`, " ", "\xff"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		p, err := Must("/firm").Child(name)
		q, errq := Parse("/firm/" + name)
		if strings.Contains(name, "/") || name == "" {
			if err == nil {
				t.Fatalf("Child(%q) = %q", name, p)
			}
			return
		}
		if (err == nil) != (errq == nil) || p != q {
			t.Fatalf("Child(%q) = %q, %v; Parse = %q, %v", name, p, err, q, errq)
		}
	})
}
