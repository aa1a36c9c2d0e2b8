package vpath

import (
	"slices"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"
)

// names draws from few letters, so that paths meet, and from those that sort
// around the slash.
func names() *rapid.Generator[string] {
	return rapid.StringOfN(rapid.RuneFrom([]rune("ab -.!0\u00e9\u0301~")), 1, 4, -1).
		Filter(func(s string) bool { _, err := cleanName(s); return err == nil })
}

func paths() *rapid.Generator[Path] {
	return rapid.Custom(func(t *rapid.T) Path {
		p := Path{}
		for _, name := range rapid.SliceOfN(names(), 0, 5).Draw(t, "names") {
			p, _ = p.Child(name)
		}
		return p
	})
}

// elements is the naive view of a path.
func elements(p Path) []string { return slices.Collect(p.Elements()) }

func TestContainsEqualsThePrefixOfElements(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, q := paths().Draw(t, "p"), paths().Draw(t, "q")
		if rapid.Bool().Draw(t, "below") {
			q, _ = p.Join(q)
		}
		a, b := elements(p), elements(q)
		want := len(a) <= len(b) && slices.Equal(a, b[:len(a)])
		if got := p.Contains(q); got != want {
			t.Fatalf("%q.Contains(%q) = %v, want %v", p, q, got, want)
		}
		rest, ok := p.Under(q)
		if ok != want {
			t.Fatalf("%q.Under(%q): ok = %v, want %v", p, q, ok, want)
		}
		if !ok {
			return
		}
		if back, err := p.Join(rest); err != nil || back != q {
			t.Fatalf("%q.Join(%q) = %q, %v, want %q", p, rest, back, err, q)
		}
		if !slices.Contains(slices.Collect(q.Ancestors()), p) {
			t.Fatalf("%q is not among the ancestors of %q", p, q)
		}
	})
}

func TestCompareEqualsTheOrderOfElements(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, q := paths().Draw(t, "p"), paths().Draw(t, "q")
		want := slices.Compare(elements(p), elements(q))
		if got := p.Compare(q); sign(got) != want {
			t.Fatalf("%q.Compare(%q) = %d, want the sign of %d", p, q, got, want)
		}
		if (p.Compare(q) == 0) != (p == q) {
			t.Fatalf("%q.Compare(%q) is 0, or the paths are equal, but not both", p, q)
		}
	})
}

// In a sorted list, what lies in a folder follows it without a gap: walks and
// the listings of the rules rest on it.
func TestSortedMembersFollowTheirFolder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfN(paths(), 1, 30).Draw(t, "list")
		slices.SortFunc(list, Path.Compare)
		list = slices.Compact(list)
		for i, folder := range list {
			inside := true
			for _, p := range list[i+1:] {
				if in := folder.Contains(p); in && !inside {
					t.Fatalf("%q is apart from its folder %q in %q", p, folder, list)
				} else if !in {
					inside = false
				}
			}
		}
	})
}

func TestParentAndChildAreInverse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, name := paths().Draw(t, "p"), names().Draw(t, "name")
		c, err := p.Child(name)
		if err != nil {
			t.Fatal(err)
		}
		if c.Parent() != p || c.Name() != norm.NFC.String(name) || c.Depth() != p.Depth()+1 {
			t.Fatalf("%q.Child(%q) = %q with parent %q and name %q", p, name, c, c.Parent(), c.Name())
		}
		if top := elements(c)[0]; c.Top() != top || c.Tail().Depth() != c.Depth()-1 {
			t.Fatalf("%q: top %q, tail %q", c, c.Top(), c.Tail())
		}
	})
}

func TestFoldEqualsEqualFold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.String().Draw(t, "a")
		b := rapid.SampledFrom([]string{a, strings.ToUpper(a), strings.ToLower(a), a + "x"}).Draw(t, "b")
		if got, want := Fold(a) == Fold(b), strings.EqualFold(a, b); got != want {
			t.Fatalf("twins(%q, %q) = %v, want %v", a, b, got, want)
		}
	})
}

// No character turns into a separator, a dot or a control character on the way
// to NFC, and none shrinks to less than a third: cleanName judges names before
// it brings them there, and rests on both.
func TestNormalFormMakesNothingDangerous(t *testing.T) {
	for r := rune(0x80); r <= unicode.MaxRune; r++ {
		if r >= 0xD800 && r < 0xE000 {
			continue // surrogates are not UTF-8
		}
		name, err := cleanName(string(r))
		if unicode.IsControl(r) != (err != nil) {
			t.Errorf("U+%04X: %v", r, err)
		}
		if strings.ContainsAny(name, `/\.`) || strings.ContainsFunc(name, unicode.IsControl) {
			t.Errorf("U+%04X becomes %q", r, name)
		}
		if nfd := norm.NFD.String(string(r)); err == nil && len(nfd) > 3*len(name) {
			t.Errorf("U+%04X: %d bytes as NFD, %d as NFC", r, len(nfd), len(name))
		}
	}
}
