package gateway

import (
	"errors"
	"net/http"
	"strings"
	"unicode"

	"portico/fault"
	"portico/identity"
)

// maxCredential bounds a login and a password in bytes (THREATS.md §4.4).
const maxCredential = 256

// authenticate finds out who asks, by Basic alone. Cookies are never looked at:
// a page in a browser must not be able to make the drive's requests.
func (h *Handler) authenticate(r *http.Request) (identity.Identity, error) {
	login, password, ok := parseBasic(r.Header.Values("Authorization"))
	if !ok {
		return identity.Identity{}, identity.ErrRefused
	}
	who, err := h.Gate.SignIn(r.Context(), identity.SignIn{Login: login, Password: password, Address: h.Address(r), Drive: true, Via: "dav"})
	if errors.Is(err, fault.ErrUnavailable) { // whose standard sentence is about files
		err = fault.Tell(err, "Passwords cannot be checked at the moment. Try again in a little while.")
	}
	return who, err
}

// parseBasic reads Basic credentials. What can be nobody's is refused here, so that
// no directory ever sees an empty password: LDAP takes it for an anonymous bind and
// agrees (CVE-2017-14623).
func parseBasic(headers []string) (login identity.Login, password string, ok bool) {
	login, password, ok = identity.Basic(headers)
	if !ok || !soundCredential(string(login)) || !soundCredential(password) {
		return "", "", false
	}
	return login, password, true
}

// soundCredential tells what may be a login or a password at all. A control
// character in one is an attack on the directory or on its log, and a NUL ends
// the string early in a server written in C.
func soundCredential(s string) bool {
	return s != "" && len(s) <= maxCredential && !strings.ContainsFunc(s, unicode.IsControl)
}

// challenge is the WWW-Authenticate header. charset tells clients to send UTF-8
// (RFC 7617 §2.1).
func (h *Handler) challenge() string {
	quoted := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(h.Realm)
	return `Basic realm="` + quoted + `", charset="UTF-8"`
}
