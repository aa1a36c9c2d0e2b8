package portal

import (
	"context"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"portico/identity"
	"portico/identity/apppass"
	"portico/lang"
	"portico/store"
)

// AppPasswords keeps the app passwords: *apppass.Keeper. The secret of one is
// shown once, when it is made, and never again. Another's is as absent as one
// that never was.
type AppPasswords interface {
	List(ctx context.Context, owner string) ([]store.AppPassword, error)
	Make(ctx context.Context, owner identity.Identity, w apppass.Wish, also apppass.Also) (secret string, made store.AppPassword, err error)
	Revoke(ctx context.Context, owner, id string, also apppass.Also) error
}

// maxName bounds the name of a device, in characters.
const maxName = 64

// checkName says what is wrong with a device's name, "" if nothing is.
func checkName(s string) string {
	switch {
	case s == "":
		return lang.ID("Give it a name, such as the device it is for.")
	case utf8.RuneCountInString(s) > maxName:
		return lang.ID("The name is longer than 64 characters. Use a shorter one.")
	case !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }):
		return lang.ID("The name has a character that cannot be shown. Use letters, digits, signs and spaces.")
	}
	return ""
}

// maxDays is ten years.
const maxDays = 3650

// parseExpiry reads "never", a number of days ("30d"), of years ("1y") or a moment
// (RFC 3339). "" is a year: a password that nobody remembers should end by itself.
func parseExpiry(s string, now time.Time) (at time.Time, wrong string) {
	wrong = lang.ID("Say when it ends: never, a number of days such as 90d, of years such as 1y, or a moment such as 2027-01-31T12:00:00Z, in ten years at the latest.")
	switch s {
	case "never":
		return time.Time{}, ""
	case "":
		s = "1y"
	}
	if at, err := time.Parse(time.RFC3339, s); err == nil {
		if !at.After(now) {
			return at, lang.ID("The moment when it ends is past. Give a later one.")
		}
		if at.After(now.AddDate(0, 0, maxDays)) {
			return at, wrong
		}
		return at.UTC(), ""
	}
	unit := s[len(s)-1:]
	n, err := strconv.ParseUint(s[:len(s)-1], 10, 16)
	days := int(n)
	if unit == "y" {
		days *= 365
	}
	if err != nil || unit != "d" && unit != "y" || days < 1 || days > maxDays {
		return time.Time{}, wrong
	}
	return now.AddDate(0, 0, days), ""
}

// isVisible tells whether a workspace is one of those that somebody may see; "" is
// all of them.
func isVisible(name string, spaces []Workspace) bool {
	if name == "" {
		return true
	}
	for _, s := range spaces {
		if s.Name == name {
			return true
		}
	}
	return false
}
