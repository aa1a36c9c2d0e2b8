package vpath

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParts(t *testing.T) {
	for _, c := range []struct {
		in, parent, name, top, tail string
		depth                       int
	}{
		{"/", "/", "", "", "/", 0},
		{"/firm", "/", "firm", "firm", "/", 1},
		{"/firm/Clients", "/firm", "Clients", "firm", "/Clients", 2},
		{"/firm/Clients/Acme/a b.txt", "/firm/Clients/Acme", "a b.txt", "firm", "/Clients/Acme/a b.txt", 4},
	} {
		p := Must(c.in)
		if p.String() != c.in || p.Parent() != Must(c.parent) || p.Name() != c.name || p.Top() != c.top ||
			p.Tail() != Must(c.tail) || p.Depth() != c.depth || p.IsRoot() != (c.in == "/") {
			t.Errorf("%s: parent %v, name %q, top %q, tail %v, depth %d, root %v",
				p, p.Parent(), p.Name(), p.Top(), p.Tail(), p.Depth(), p.IsRoot())
		}
	}
}

func TestZeroValueIsTheRoot(t *testing.T) {
	if (Path{}) != Must("/") {
		t.Error("Path{} is not the root")
	}
}

func TestMustPanicsWithThePath(t *testing.T) {
	defer func() {
		if text, ok := recover().(string); !ok || !strings.Contains(text, `"a"`) {
			t.Errorf("Must(a) panicked with %q, want the path in it", text)
		}
	}()
	Must("a")
}

func TestTrailingSlashIsTold(t *testing.T) {
	for in, want := range map[string]bool{"/": true, "/a": false, "/a/": true, "/a/b/": true, "/a%2": false} {
		if _, slash, _ := ParseEscaped(in); slash != want {
			t.Errorf("ParseEscaped(%q): slash = %v, want %v", in, slash, want)
		}
	}
}

func TestContainsJudgesWholeElements(t *testing.T) {
	for _, c := range []struct {
		p, q, under string
		want        bool
	}{
		{"/", "/", "/", true},
		{"/", "/a", "/a", true},
		{"/a", "/a", "/", true},
		{"/a", "/a/b", "/b", true},
		{"/a/b", "/a/b/c/d", "/c/d", true},
		{"/a", "/ab", "/", false}, // CVE-2026-35604: /team also took /team2
		{"/ab", "/a", "/", false},
		{"/a", "/", "/", false},
		{"/a", "/A", "/", false},
		{"/a/b", "/a/c", "/", false},
	} {
		p, q := Must(c.p), Must(c.q)
		if got := p.Contains(q); got != c.want {
			t.Errorf("%s.Contains(%s) = %v, want %v", p, q, got, c.want)
		}
		if under, ok := p.Under(q); ok != c.want || under != Must(c.under) {
			t.Errorf("%s.Under(%s) = %s, %v, want %s, %v", p, q, under, ok, c.under, c.want)
		}
	}
}

func TestJoin(t *testing.T) {
	for _, c := range [][3]string{{"/", "/", "/"}, {"/a", "/", "/a"}, {"/", "/b", "/b"}, {"/a", "/b/c", "/a/b/c"}} {
		if p, err := Must(c[0]).Join(Must(c[1])); err != nil || p != Must(c[2]) {
			t.Errorf("%s.Join(%s) = %s, %v, want %s", c[0], c[1], p, err, c[2])
		}
	}
	long := Must(strings.Repeat("/"+strings.Repeat("b", 255), 4))
	if p, err := Must("/a").Join(long); err == nil {
		t.Errorf("Join over 1,024 bytes = %d bytes, want an error", len(p.String()))
	}
	deep := Must(strings.Repeat("/d", MaxDepth))
	if p, err := Must("/a").Join(deep); err == nil {
		t.Errorf("Join over 64 folders = %d folders, want an error", p.Depth())
	}
}

func TestAncestorsAndElements(t *testing.T) {
	p := Must("/firm/Clients/Acme")
	want := []Path{p, Must("/firm/Clients"), Must("/firm"), {}}
	if got := slices.Collect(p.Ancestors()); !slices.Equal(got, want) {
		t.Errorf("Ancestors = %v, want %v", got, want)
	}
	if diff := cmp.Diff([]string{"firm", "Clients", "Acme"}, slices.Collect(p.Elements())); diff != "" {
		t.Errorf("Elements (-want +got):\n%s", diff)
	}
	if got := slices.Collect(Path{}.Elements()); len(got) != 0 {
		t.Errorf("the root has the elements %q", got)
	}
	if got := slices.Collect(Path{}.Ancestors()); !slices.Equal(got, []Path{{}}) {
		t.Errorf("the root has the ancestors %v", got)
	}
	for range p.Ancestors() { // a loop may end early
		break
	}
	for range p.Elements() {
		break
	}
}

func TestCompareKeepsATreeTogether(t *testing.T) {
	// By bytes, "/a b" and "/a-b" sort between "/a" and "/a/b".
	sorted := []string{"/", "/\u0020a", "/a", "/a/b", "/a/b/c", "/a/c", "/a b", "/a!", "/a-b", "/a-b/c", "/ab", "/b", "/\u00e9"}
	for i, a := range sorted {
		for j, b := range sorted {
			if got := Must(a).Compare(Must(b)); sign(got) != sign(i-j) {
				t.Errorf("%q.Compare(%q) = %d, want the sign of %d", a, b, got, i-j)
			}
		}
	}
}

func sign(n int) int { return min(max(n, -1), 1) }

func TestEscaped(t *testing.T) {
	for in, want := range map[string]string{
		"/":                "/",
		"/a/b-c_d.e~f":     "/a/b-c_d.e~f",
		"/a b":             "/a%20b",
		"/a+b&c=d":         "/a%2Bb%26c%3Dd",
		"/100%":            "/100%25",
		"/a?b#c":           "/a%3Fb%23c",
		"/caf\u00e9":       "/caf%C3%A9", // upper-case digits
		"/x/<a>'\"":        "/x/%3Ca%3E%27%22",
		"/\U0001F4C1/file": "/%F0%9F%93%81/file",
	} {
		if got := Must(in).Escaped(); got != want {
			t.Errorf("%q.Escaped() = %q, want %q", in, got, want)
		}
	}
}
