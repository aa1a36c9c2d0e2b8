package apppass

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"io"
	"strings"

	"portico/store"
)

// Prefix begins every app password, so that scanners of source code and of logs
// can spot one (THREATS.md §4.4).
const Prefix = "gwp_"

const (
	secretBytes = 20 // 160 bits
	bodyLen     = 32 // of them in base32
	checkLen    = 2
)

// alphabet is Crockford's: no i, l, o or u, so that nothing is misread.
const alphabet = "0123456789abcdefghjkmnpqrstvwxyz"

// Looks tells whether a password has the form of an app password, well typed or
// not. Such a password is nobody's own: it is never held against a directory.
func Looks(password string) bool {
	return len(password) >= len(Prefix) && strings.EqualFold(password[:len(Prefix)], Prefix)
}

// newSecret makes an app password and what the store keeps of it.
func newSecret(rand io.Reader) (text string, sum store.Sum, err error) {
	b := make([]byte, secretBytes)
	if _, err := io.ReadFull(rand, b); err != nil {
		return "", sum, fmt.Errorf("random source: %w", err)
	}
	body := base32.NewEncoding(alphabet).WithPadding(base32.NoPadding).EncodeToString(b)
	return Prefix + body + check(body), sha256.Sum256([]byte(body)), nil
}

// newID makes a name for an app password that is no secret.
func newID(rand io.Reader) (string, error) {
	b := make([]byte, 10)
	if _, err := io.ReadFull(rand, b); err != nil {
		return "", fmt.Errorf("random source: %w", err)
	}
	return base32.NewEncoding(alphabet).WithPadding(base32.NoPadding).EncodeToString(b), nil
}

// parse gives the sum of an app password; false for one that was mistyped. What
// people misread when they copy by hand is read as Crockford says.
func parse(text string) (store.Sum, bool) {
	if len(text) != len(Prefix)+bodyLen+checkLen || !Looks(text) {
		return store.Sum{}, false
	}
	text = strings.NewReplacer("i", "1", "l", "1", "o", "0").Replace(strings.ToLower(text[len(Prefix):]))
	body := text[:bodyLen]
	if check(body) != text[bodyLen:] || strings.Trim(body, alphabet) != "" {
		return store.Sum{}, false
	}
	return sha256.Sum256([]byte(body)), true
}

// check is two letters that tell a typing error from a guess. They are of a hash
// of their own, and say nothing of the sum that is stored.
func check(body string) string {
	sum := sha256.Sum256([]byte("check\x00" + body))
	return string([]byte{alphabet[sum[0]%32], alphabet[sum[1]%32]})
}
