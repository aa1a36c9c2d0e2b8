package ldap

import (
	"regexp"
	"strings"

	goldap "github.com/go-ldap/ldap/v3"
)

// The two escapes are not each other's: in a filter "*" and "(" mean something
// and "," does not, in a DN it is the other way round. CVE-2026-55770 (OpenBao)
// took the one for the other.

// escapeFilter makes a text a value in a filter (RFC 4515 §3).
func escapeFilter(s string) string { return goldap.EscapeFilter(s) }

// escapeDN makes a text a value in a DN (RFC 4514 §2.4).
func escapeDN(s string) string { return goldap.EscapeDN(s) }

// escapeBytes makes bytes that are no text a value in a filter: an objectGUID or
// an objectSid is compared as it lies in the directory.
func escapeBytes(b []byte) string {
	const digits = "0123456789abcdef"
	var s strings.Builder
	for _, c := range b {
		s.WriteByte('\\')
		s.WriteByte(digits[c>>4])
		s.WriteByte(digits[c&15])
	}
	return s.String()
}

// The places in a filter of the config.
const (
	placeLogin = "{login}"
	placeDN    = "{dn}"
)

// nobody is a value that no login and no DN has: Login.plain takes no control
// character. It stands for {login} where a group is looked for, which has none.
const nobody = "\x01"

// template is a filter of the config, with places.
type template string

// fill puts values into the places, escaped. It goes over the text once: a login
// that reads "{dn}" stays what it is.
func (t template) fill(dn, login string) string {
	return strings.NewReplacer(placeLogin, escapeFilter(login), placeDN, escapeFilter(dn)).Replace(string(t))
}

// all is the filter that finds what t finds for anybody: "*" is the presence of
// an attribute (RFC 4515 §3).
func (t template) all() string {
	return strings.NewReplacer(placeLogin, "*", placeDN, "*").Replace(string(t))
}

// has tells whether t has the place.
func (t template) has(place string) bool { return strings.Contains(string(t), place) }

// named tells whether t speaks of an attribute.
func (t template) named(attribute string) bool {
	return strings.Contains(strings.ToLower(string(t)), "("+strings.ToLower(attribute)+"=")
}

// compiles tells whether t is a filter, with values that would break it if they
// were not escaped.
func (t template) compiles() bool {
	const hostile = "*)(\\\x00é"
	for _, f := range []string{t.fill(hostile, hostile), t.all()} {
		if _, err := goldap.CompileFilter(f); err != nil {
			return false
		}
	}
	return true
}

// equality finds the conditions of a filter that want one value exactly.
func equality(place string) *regexp.Regexp {
	return regexp.MustCompile(`\(([A-Za-z][A-Za-z0-9;-]*)=([^()*\\]*` + regexp.QuoteMeta(place) + `[^()*\\]*)\)`)
}

// ask is an attribute that the filter for people compares with what was typed.
type ask struct {
	attribute string
	value     string // with {login} in it
}

// asks lists them. ok is false where {login} stands in a condition that is met
// by more than one value: "(uid={login}*)" would let "an" sign in as ann.
func (t template) asks() (list []ask, ok bool) {
	for _, m := range equality(placeLogin).FindAllStringSubmatch(string(t), -1) {
		list = append(list, ask{m[1], m[2]})
	}
	places := 0
	for _, a := range list {
		places += strings.Count(a.value, placeLogin)
	}
	return list, places > 0 && places == strings.Count(string(t), placeLogin)
}

// plain puts a login into the place as it is, for comparing.
func (t template) plain(login string) string {
	return strings.ReplaceAll(string(t), placeLogin, login)
}
