package vpath

import (
	"strings"
	"unicode"
)

// CheckNew judges the name of a thing that is about to be made. It is stricter
// than Parse, so that nothing is created that one of the clients cannot hold or
// that reads as another name; what exists in the store already stays readable.
func (p Path) CheckNew() error {
	name := p.Name()
	for _, r := range name {
		switch {
		case unicode.Is(unicode.Bidi_Control, r):
			return refuse("has a character that reverses the writing direction")
		case isInvisible(r):
			return refuse("has an invisible character")
		case unicode.Is(unicode.Noncharacter_Code_Point, r):
			return refuse("has a code that is no character, which XML cannot carry")
		}
	}
	if last := name[max(len(name)-1, 0):]; last == "." || last == " " {
		return refuse("has a name that ends in a dot or a space, which Windows cannot open")
	}
	if IsDevice(name) {
		stem, _, _ := strings.Cut(name, ".")
		return refuse("has a name that Windows keeps for a device (%s)", stem)
	}
	return nil
}

// WindowsSigns are the characters that no name has on Windows. A slash, a
// backslash and control characters are in no Path.
const WindowsSigns = `<>:"|?*`

// CheckWindows judges the name of a thing that is about to be made where all of
// them must keep their names on Windows. CheckNew refuses the rest.
func (p Path) CheckWindows() error {
	name := p.Name()
	if i := strings.IndexAny(name, WindowsSigns); i >= 0 {
		return refuse("has a %c in a name, which Windows cannot hold: write the name without any of %s", name[i], WindowsSigns)
	}
	return nil
}

// IsDevice tells the names that Windows opens as a device in any folder, with
// whatever extension.
func IsDevice(name string) bool {
	stem, _, _ := strings.Cut(name, ".")
	return isDevice(strings.TrimRight(stem, " "))
}

// isInvisible names the characters that take no room: two names that differ in
// one of them look alike. The joiners U+200C and U+200D belong to Persian,
// Hindi and emoji and are refused all the same; the number signs of Arabic are
// of the same class of Unicode (Cf), but can be seen.
func isInvisible(r rune) bool {
	return unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) && !unicode.Is(unicode.Prepended_Concatenation_Mark, r)
}

// isDevice is IsDevice for what stands before the first dot.
func isDevice(stem string) bool {
	if len(stem) > len("CONOUT$") {
		return false
	}
	s := strings.ToUpper(stem)
	switch s {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$":
		return true
	}
	num, ok := strings.CutPrefix(s, "COM")
	if !ok {
		num, ok = strings.CutPrefix(s, "LPT")
	}
	if !ok {
		return false
	}
	switch num {
	case "1", "2", "3", "4", "5", "6", "7", "8", "9", "¹", "²", "³":
		return true
	}
	return false
}

// Fold is the key under which two names are twins: they differ only in case,
// and Windows and macOS cannot keep both.
func Fold(name string) string {
	return strings.Map(func(r rune) rune {
		low := r
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			low = min(low, f)
		}
		return low
	}, name)
}
