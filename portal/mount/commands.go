package mount

import (
	"fmt"
	"strings"
	"unicode"
)

// What a page offers to be typed is pasted into a shell: sh, cmd.exe or PowerShell,
// and the page does not know which. A name of a directory, or a customer's mail
// address (RFC 5321 allows `a`b$c&d@x.example`), must be one word in all of them, and
// nothing else.

// word is s as one word of all three shells; ok is false where there is none, and the
// page leaves a NAME to be replaced.
func word(s string) (w string, ok bool) {
	switch {
	case s == "":
		return `""`, true
	case !strings.ContainsFunc(s, func(r rune) bool { return !bare(r) }):
		return s, true
	case strings.ContainsFunc(s, breaksQuotes):
		return "", false
	}
	return `"` + s + `"`, true
}

// bare tells a character that no shell minds outside of quotes.
func bare(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("-_./:@+", r)
}

// breaksQuotes tells a character that means something within double quotes to one of
// the shells: sh (POSIX §2.2.3) and bash's history, cmd.exe's variables, PowerShell,
// to which the quotes of typographers are quotes too; or to the program itself, which
// on Windows takes a backslash before a quote for its escape.
func breaksQuotes(r rune) bool {
	return strings.ContainsRune("\"$`\\!%\u201c\u201d\u201e", r) || !unicode.IsPrint(r)
}

// typed is an address as a word: what no shell takes plainly is escaped in the
// address, and only the brackets of an IPv6 host need quotes.
func typed(address string) string {
	var b strings.Builder
	for _, c := range []byte(address) {
		switch {
		case c < 0x80 && (bare(rune(c)) || strings.IndexByte("%[]", c) >= 0):
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	if strings.ContainsAny(address, "[]") {
		return `"` + b.String() + `"`
	}
	return b.String()
}

// Typed is the address for a command.
func (d Drive) Typed() string { return typed(d.Drive) }

// TypedFolder is Typed with the slash that some programs want.
func (d Drive) TypedFolder() string { return typed(d.Drive + "/") }

// TypedGNOME is GNOME for a command.
func (d Drive) TypedGNOME() string { return typed(d.GNOME()) }

// TypedLogin is the name for a command, NAME where it is not known or cannot be
// written for all shells.
func (d Drive) TypedLogin() string {
	if w, ok := word(d.Login); ok && d.Login != "" {
		return w
	}
	return unknown
}

// Named tells whether the name is one that a command can have.
func (d Drive) Named() bool { return d.TypedLogin() != unknown }

// unknown stands for a name that its owner writes themself.
const unknown = "NAME"

// Secrets is the line for davfs2's file of secrets (davfs2.conf(5): within double
// quotes these are escaped by a backslash; 1.6.1 was seen to read it so).
func (d Drive) Secrets() string {
	login := d.Login
	if strings.ContainsFunc(login, unicode.IsControl) { // a line would end in it
		login = unknown
	}
	return d.Drive + `/ "` + davfsEscaped().Replace(login) + `" "` + davfsEscaped().Replace(d.Secret) + `"`
}

func davfsEscaped() *strings.Replacer { return strings.NewReplacer(`\`, `\\`, `"`, `\"`) }
