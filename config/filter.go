package config

import (
	"regexp"
	"slices"
	"strings"
)

// The forms of RFC 4512 §1.4: an attribute's name, or its number, and options.
const (
	typeForm      = `([A-Za-z][A-Za-z0-9-]*|\d+(\.\d+)+)`
	attributeForm = typeForm + `(;[A-Za-z0-9-]+)*`
	maxAttribute  = 128
	maxFilter     = 1000
)

// ldapAttribute reads the name of an attribute.
func ldapAttribute(f *fields, key, standard string) string {
	v, ok := f.get(key)
	if !ok {
		return standard
	}
	s, ok := v.text()
	if ok && (len(s) > maxAttribute || !regexp.MustCompile(`^`+attributeForm+`$`).MatchString(s)) {
		v.fault("%s is not the name of an attribute; write it as %s", v.shown(), standard)
	}
	return s
}

// ldapBase reads below which entry a search goes.
func ldapBase(f *fields, example string) string {
	s, v, ok := f.needText("base", `write where they lie, as in "`+example+`"`)
	if ok && !isDN(s) {
		v.fault("%s is not the name of an entry; write it as %s", v.shown(), example)
	}
	return s
}

// isDN tells the string form of RFC 4514 §3, but for values in hexadecimal.
func isDN(s string) bool {
	const (
		escaped = `\\([ "#+,;<=>\\]|[0-9A-Fa-f]{2})`
		pair    = `(` + typeForm + ` *= *(` + escaped + `|[^\\"#+,;<>\x00-\x1f])(` + escaped + `|[^\\"+,;<>\x00-\x1f])*)`
		part    = pair + `( *\+ *` + pair + `)*`
	)
	return len(s) <= maxFilter && regexp.MustCompile(`^`+part+`( *, *`+part+`)*$`).MatchString(s)
}

// ldapFilter reads a filter that names who is meant by one at least of places.
// A mistake in it would find nobody, or the wrong ones, so that its form is
// checked here and not by the first who signs in.
func ldapFilter(f *fields, standard string, places ...string) string {
	v, ok := f.get("filter")
	if !ok {
		return standard
	}
	s, ok := v.text()
	if !ok {
		return ""
	}
	rest, ok := cutFilter(s)
	switch {
	case !ok || rest != "" || len(s) > maxFilter:
		v.fault("%s is not a filter, or its brackets do not match; write it as %s", v.shown(), standard)
	case !slices.ContainsFunc(places, func(p string) bool { return strings.Contains(s, p) }):
		v.fault("%s finds the same for everybody; write %s where the name goes, as in %s", v.shown(), strings.Join(places, " or "), standard)
	case len(places) == 1 && !isExact(s, places[0]):
		v.fault("%s lets a login find others than the one who has it; compare it with = and without *, as in %s", v.shown(), standard)
	}
	for _, place := range regexp.MustCompile(`\{[^{}()]*\}`).FindAllString(s, -1) {
		if !slices.Contains(places, place) {
			v.fault("%s stands for nothing here; known are %s (a bracket itself is \\7b, \\7d)", place, strings.Join(places, ", "))
		}
	}
	return s
}

// isExact tells whether all that is asked of place is that a value is equal:
// with "(uid={login}*)" somebody could sign in as "an" for ann.
func isExact(filter, place string) bool {
	equal := regexp.MustCompile(`\(` + attributeForm + `=[^()*\\{]*` + regexp.QuoteMeta(place) + `[^()*\\{]*\)`)
	return len(equal.FindAllString(filter, -1)) == strings.Count(filter, place)
}

// cutFilter takes one filter from the beginning of s (RFC 4515 §3). What stands
// for a name may only be part of a value: no name can then become structure.
func cutFilter(s string) (rest string, ok bool) {
	s, ok = strings.CutPrefix(s, "(")
	if !ok || s == "" {
		return s, false
	}
	switch s[0] {
	case '!':
		s, ok = cutFilter(s[1:])
	case '&', '|':
		for s, ok = cutFilter(s[1:]); ok && strings.HasPrefix(s, "("); {
			s, ok = cutFilter(s)
		}
	default:
		item := regexp.MustCompile(`^(` + attributeForm + `)?(:dn)?(:` + attributeForm + `)?[~<>:]?=(\\[0-9A-Fa-f]{2}|[^\\()\x00-\x1f])*`).FindString(s)
		s, ok = s[len(item):], item != ""
	}
	if !ok {
		return s, false
	}
	return strings.CutPrefix(s, ")")
}
