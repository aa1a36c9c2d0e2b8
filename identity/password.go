package identity

import (
	"io/fs"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"portico/fault"
	"portico/vpath"
)

// Limits of what a client may send, in bytes. They stand before any hashing and
// any call to a directory, so that a password of a megabyte costs nothing.
const (
	MaxPassword = 256
	MaxLogin    = 256
)

// MinPassword is the least length of a new password, in characters.
const MinPassword = 12

// Presentable tells whether a login and a password can be anybody's at all.
// Every Provider asks it first. An empty password is never one: an LDAP server
// takes a bind without a password for an anonymous one, and says yes
// (RFC 4513 §5.1.2). NUL ends a string in C, so that a directory may compare
// less than was sent.
func Presentable(login Login, password string) bool {
	return login.plain() && plainPassword(password)
}

func plainPassword(p string) bool {
	return p != "" && len(p) <= MaxPassword && strings.IndexByte(p, 0) < 0 && utf8.ValidString(p)
}

// plain refuses what no directory should have to interpret. LDAP ignores spaces
// around a value (RFC 4518 §2.6.1): " ann" would be a second name for ann.
func (l Login) plain() bool {
	s := string(l)
	return s != "" && len(s) <= MaxLogin && utf8.ValidString(s) &&
		strings.IndexFunc(s, unicode.IsControl) < 0 && strings.TrimSpace(s) == s
}

// Key is what two spellings of one login share. People type Ann for ann, and
// Windows offers what it was given last; macOS may send NFD.
func (l Login) Key() string { return vpath.Fold(norm.NFC.String(string(l))) }

// CheckNew judges a password that somebody chooses. Its error says what to do
// better, and does not repeat the password.
//
// A password is taken as its bytes, here and when it is checked: hashes that
// were made elsewhere stand for the bytes that were typed there, and a
// normalised form would not match them.
func CheckNew(password string) error {
	switch n := utf8.RuneCountInString(password); {
	case !utf8.ValidString(password) || strings.IndexFunc(password, unicode.IsControl) >= 0:
		return fault.Tell(fs.ErrInvalid, "the password has a character that cannot be typed; use letters, digits, signs and spaces")
	case n < MinPassword:
		return fault.Tell(fs.ErrInvalid, "the password has %d characters and needs at least %d; a few words together are easy to remember", n, MinPassword)
	case len(password) > MaxPassword:
		return fault.Tell(fs.ErrInvalid, "the password is longer than %d bytes; use a shorter one", MaxPassword)
	case isCommon(password):
		return fault.Tell(fs.ErrInvalid, "the password is one that attackers try first; use a few words that do not belong together")
	}
	return nil
}

// isCommon knows the long ones of the lists that leaks gave, and what only looks
// long: a short piece repeated, and rows of keys or of the alphabet.
func isCommon(password string) bool {
	p := strings.ToLower(password)
	for unit := 1; unit <= 4; unit++ {
		if len(p) > unit && strings.Repeat(p[:unit], len(p)/unit+1)[:len(p)] == p {
			return true
		}
	}
	for _, row := range []string{
		"01234567890123456789", "98765432109876543210", "abcdefghijklmnopqrstuvwxyz",
		"qwertyuiopasdfghjklzxcvbnm", "qwertyuiop[]asdfghjkl", "azertyuiopqsdfghjklmwxcvbn",
		"1qaz2wsx3edc4rfv5tgb6yhn", "1q2w3e4r5t6y7u8i9o0p", "q1w2e3r4t5y6u7i8o9p0",
	} {
		if strings.Contains(row, p) {
			return true
		}
	}
	// The stem says it: password1234, Passw0rd!2026, welcome12345.
	stem := strings.TrimFunc(p, func(r rune) bool { return !unicode.IsLetter(r) })
	stem = strings.NewReplacer("0", "o", "1", "i", "3", "e", "4", "a", "@", "a", "$", "s", "5", "s").Replace(stem)
	switch stem {
	case "password", "passwordpassword", "mypassword", "thepassword", "newpassword", "passphrase",
		"welcome", "letmein", "letmeinplease", "changeme", "changemenow", "administrator", "iloveyou",
		"qwerty", "qwertyuiop", "qwertyqwerty", "correcthorsebatterystaple", "correct horse battery staple",
		"trustnoone", "football", "baseball", "sunshine", "princess", "superman", "portico", "porticodemo", "portico-demo":
		return true
	}
	return false
}
