package identity

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"
)

// Basic reads the credentials of Authorization headers (RFC 7617): exactly one, of
// that scheme, and text. Whether they can be anybody's is for the caller to judge.
// Office sends an empty Bearer first, which is no login.
func Basic(headers []string) (login Login, password string, ok bool) {
	if len(headers) != 1 {
		return "", "", false
	}
	scheme, value, _ := strings.Cut(strings.TrimSpace(headers[0]), " ")
	if !strings.EqualFold(scheme, "Basic") || len(value) > 4*(MaxLogin+MaxPassword) {
		return "", "", false
	}
	plain, err := base64.StdEncoding.DecodeString(strings.TrimSpace(value))
	if err != nil || !utf8.Valid(plain) {
		return "", "", false
	}
	name, password, ok := strings.Cut(string(plain), ":")
	return Login(name), password, ok
}
