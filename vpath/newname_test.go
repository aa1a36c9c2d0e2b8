package vpath

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
)

func TestCheckNewRefusesWhatAClientCannotHold(t *testing.T) {
	for name, why := range map[string]string{
		"a\u202eb":         "direction", // gpj.exe
		"\u2066a":          "direction",
		"a\u200fb":         "direction",
		"a\u061cb":         "direction",
		"a\u200bb":         "invisible",
		"a\u200db":         "invisible",
		"\ufeffa":          "invisible",
		"a\u00adb":         "invisible",
		"a\u2060":          "invisible",
		"a\u2028b":         "invisible",
		"a\u2029b":         "invisible",
		"a\U000E0041b":     "invisible",
		"a\uffffb":         "no character",
		"a\ufdd0":          "no character",
		"a\U0001FFFE":      "no character",
		"a.":               "ends in a dot",
		"a ":               "ends in a dot or a space",
		"...":              "ends in a dot",
		" ":                "ends in a dot or a space",
		"CON":              "device (CON)",
		"con":              "device (con)",
		"nul.txt":          "device (nul)",
		"NUL .txt":         "device",
		"aux.tar.gz":       "device",
		"PRN":              "device",
		"com1":             "device",
		"COM9.log":         "device",
		"COM\u00b9":        "device",
		"lpt\u00b3":        "device",
		"LPT5":             "device",
		"CONIN$":           "device",
		"conout$.x":        "device",
		"x/inner/LPT1.ini": "device",
	} {
		p, err := Parse("/firm/" + name)
		if err != nil {
			t.Errorf("Parse(%q): %v: it must stay readable", name, err)
		}
		if err := p.CheckNew(); !errors.Is(err, fs.ErrInvalid) || !strings.Contains(err.Error(), why) {
			t.Errorf("CheckNew(%q) = %v, want an fs.ErrInvalid with %q", name, err, why)
		}
	}
}

func TestCheckNewTakesOrdinaryNames(t *testing.T) {
	for _, p := range []Path{
		{},
		Must("/firm"), Must("/firm/Caf\u00e9.txt"), Must("/firm/.hidden"), Must("/firm/._a"), Must("/firm/~$Letter.docx"),
		Must("/firm/a b"), Must("/firm/ a"), Must("/firm/COM"), Must("/firm/COM10"), Must("/firm/LPT0"), Must("/firm/COM1|2"),
		Must("/firm/CONSOLE"), Must("/firm/nullable.go"), Must("/firm/LPTX"), Must("/firm/\u05d0\u05d1"), Must("/firm/\u0627\u0628"),
		Must("/firm/\u0600\u0661"),           // an Arabic number sign: of class Cf, and visible
		Must("/firm/\u2764\ufe0f"),           // an emoji with its variation
		Must("/firm/\uf022"),                 // what macOS sends for a double quote
		Must("/firm/con./x"), Must("/CON/x"), // an old folder with such a name can still be used
	} {
		if err := p.CheckNew(); err != nil {
			t.Errorf("CheckNew(%q) = %v", p, err)
		}
	}
}

func TestCheckWindowsRefusesItsSigns(t *testing.T) {
	for _, sign := range WindowsSigns {
		p := Must("/firm/a" + string(sign) + "b")
		err := p.CheckWindows()
		if !errors.Is(err, fs.ErrInvalid) || !strings.Contains(err.Error(), "has a "+string(sign)+" in a name") {
			t.Errorf("CheckWindows(%q) = %v", p, err)
		}
		if err := Must("/firm/" + string(sign) + "/b").CheckWindows(); err != nil {
			t.Errorf("an old folder with a %c cannot be used: %v", sign, err)
		}
	}
}

// Who translates a refusal gets its format and what stands in it.
func TestErrorsAreTranslatable(t *testing.T) {
	_, err := Parse("/firm/a\x00b")
	for _, err := range []error{err, Must("/firm/con.txt").CheckNew()} {
		e, ok := errors.AsType[*Error](err)
		if !ok {
			t.Fatal(err)
		}
		format, args := e.Phrase()
		if said := fmt.Sprintf(format, args...); said != err.Error() || said != e.String() {
			t.Errorf("Phrase gives %q, and Error %q", said, err)
		}
	}
}

func TestFoldFindsTwins(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"Team", "team", true},
		{"\u00c9t\u00e9", "\u00e9T\u00c9", true},
		{"\u03a3", "\u03c2", true}, // the two small sigmas
		{"\u017f", "S", true},      // the long s
		{"team", "teams", false},
		{"e", "\u00e9", false},
		{"", "", true},
	} {
		if got := Fold(c.a) == Fold(c.b); got != c.same {
			t.Errorf("Fold(%q) == Fold(%q): %v, want %v", c.a, c.b, got, c.same)
		}
	}
}
