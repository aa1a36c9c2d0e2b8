package gateway

import (
	"net/http"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"portico/vpath"
)

func TestWindowsForms(t *testing.T) {
	forms := map[string]string{
		"a":                "a",
		"a b.txt":          "a b.txt",
		"é":                "é",
		"a:b":              "a\uF03Ab",
		`<>:"|?*`:          "\uF03C\uF03E\uF03A\uF022\uF07C\uF03F\uF02A",
		"a.":               "a\uF02E",
		"a..":              "a.\uF02E",
		"a ":               "a\uF020",
		" ":                "\uF020",
		"con":              "\uF063on",
		"CON.txt":          "\uF043ON.txt",
		"NUL.":             "\uF04EUL\uF02E",
		"lpt9.a:b":         "\uF06Cpt9.a\uF03Ab",
		"cons":             "cons",
		"com10":            "com10",
		"\uF0B7 from Word": "\uF0B7 from Word", // the bullet of its symbol font
		"a\uF03Ab":         "a\uF05C\uF03Ab",
		"a\uF02E":          "a\uF05C\uF02E",
		"a\uF02Eb":         "a\uF02Eb",
		"\uF043ON":         "\uF05C\uF043ON",
		"\uF043an":         "\uF043an",
		"\uF05C":           "\uF05C\uF05C",
	}
	for name, want := range forms {
		if got := showName(name); got != want {
			t.Errorf("showName(%+q) = %+q, want %+q", name, got, want)
		}
		p, _, err := readWindows("/firm/" + vpath.Escape(want))
		if err != nil || p.Name() != name {
			t.Errorf("readWindows(%+q) = %+q, %v, want %+q", want, p.Name(), err, name)
		}
	}
	for _, form := range []string{"\uF05Ca", "a\uF05C", "\uF05C\uF02Eb", "\uF05C\uF043an", "a:\uF03A", "\uF03C\u0338", "a\uF02F"} {
		p, _, err := readWindows("/firm/" + vpath.Escape(form))
		if form == "a\uF02F" { // stands for a slash elsewhere; here for nothing
			if err != nil || p.Name() != form {
				t.Errorf("readWindows(%+q) = %+q, %v", form, p, err)
			}
			continue
		}
		if err == nil || judge("GET", err).status != http.StatusBadRequest {
			t.Errorf("readWindows(%+q) = %+q, %v, want 400", form, p, err)
		}
	}
}

// aName is any name that a Path can have, with many of the characters that matter.
func aName(t *rapid.T) string {
	odd := []rune("<>:\"|?*. aCONnulcompt1¹é\u0338\uF05C\uF03A\uF03C\uF02E\uF020\uF043\uF063\uF06E\uF041\uF0B7")
	name := rapid.OneOf(
		rapid.StringOfN(rapid.SampledFrom(odd), 1, 8, -1),
		rapid.SampledFrom([]string{"con", "CON.a", "Nul .x", "\uF063on", "com1", "aux.", "lpt¹"}),
		rapid.StringN(1, 20, 60),
	).Draw(t, "name")
	if p, err := vpath.Must("/firm").Child(name); err == nil {
		return p.Name()
	}
	return "a"
}

// Forms are a bijection: the form of a name is read back as that name, two names
// have two forms, Windows can hold each, and what is read is its own form again.
func TestWindowsFormsAreBijective(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := aName(t), aName(t)
		form := showName(a)
		if (form == showName(b)) != (a == b) {
			t.Fatalf("%+q and %+q have the forms %+q and %+q", a, b, form, showName(b))
		}
		p, _, err := readWindows("/" + vpath.Escape(form))
		if err != nil || p.Name() != a {
			t.Fatalf("%+q is shown as %+q and read as %+q, %v", a, form, p.Name(), err)
		}
		if q, _, err := readWindows("/" + vpath.Escape(norm.NFD.String(form))); err != nil || q != p {
			t.Fatalf("%+q in NFD is %+q, %v", form, q, err)
		}
		if strings.ContainsAny(form, vpath.WindowsSigns) || strings.HasSuffix(form, ".") || strings.HasSuffix(form, " ") || vpath.IsDevice(form) {
			t.Fatalf("Windows cannot hold %+q, the form of %+q", form, a)
		}
		if p, _, err := readWindows("/" + vpath.Escape(b)); err == nil && isForm(b) && showName(p.Name()) != b {
			t.Fatalf("%+q is read as %+q, whose form is %+q", b, p.Name(), showName(p.Name()))
		}
	})
}

// Whatever a client that says it is Windows sends, it comes out as a canonical
// path, and reads what others call it by as that.
func TestWindowsReadsPlainNames(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := aName(t)
		p, _, err := readWindows("/" + vpath.Escape(name))
		if err != nil {
			return
		}
		if again, err := vpath.Parse(p.String()); err != nil || again != p {
			t.Fatalf("readWindows(%+q) = %+q: %v", name, p, err)
		}
		if !isForm(name) && p.Name() != name {
			t.Fatalf("readWindows(%+q) = %+q", name, p)
		}
	})
}

func TestOnlyWindowsIsShownForms(t *testing.T) {
	for agent, want := range map[string]bool{
		"Microsoft-WebDAV-MiniRedir/10.0.19045": true,
		"DavClnt":                               true,
		"WebDAVFS/3.0.0 (03008000) Darwin/21":   false,
		"Microsoft Office Word 2014":            false,
		"":                                      false,
	} {
		if isWindows(agent) != want {
			t.Errorf("isWindows(%q) = %v", agent, !want)
		}
	}
}
