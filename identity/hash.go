package identity

import (
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
)

// What HashPassword makes: the least that OWASP advises for argon2id, because
// several may be worked out at once.
const (
	newMemory = 19 << 10 // KiB
	newPasses = 2
	newLanes  = 1
	newSalt   = 16
	newSum    = 32
)

// What ParseHash takes. The upper bounds keep a line of the config from eating
// the memory of the server at each login, the lower ones from being no
// protection.
const (
	minMemory, maxMemory = 8 << 10, 128 << 10 // KiB
	maxPasses            = 10
	maxLanes             = 8
	minSalt, minSum      = 8, 16
	maxField             = 64 // bytes of a salt or a sum
	minCost, maxCost     = 10, 14
	maxBcrypt            = 72 // bytes; bcrypt does not see those after them
)

// ErrHash is a text that is no hash, or one that is too weak or too costly. The
// error that wraps it says which and what to do, and does not repeat the text.
var ErrHash = errors.New("not a usable password hash")

// Hash is a password's hash: argon2id or bcrypt. The zero value fits no password.
type Hash struct {
	bcrypt []byte // the whole text, or nil for argon2id
	cost   int

	memory, passes uint32
	lanes          uint8
	salt, sum      []byte
}

// HashPassword gives the argon2id hash of a password, as text in the PHC form.
// CheckNew, which judges whether the password is a good one, is the caller's.
func HashPassword(rand io.Reader, password string) (string, error) {
	if !plainPassword(password) {
		return "", errors.New("identity: the password is empty, too long, or not text")
	}
	salt := make([]byte, newSalt)
	if _, err := io.ReadFull(rand, salt); err != nil {
		return "", fmt.Errorf("identity: salt: %w", err)
	}
	sum := argon2.IDKey([]byte(password), salt, newPasses, newMemory, newLanes, newSum)
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version,
		newMemory, newPasses, newLanes, b64.EncodeToString(salt), b64.EncodeToString(sum)), nil
}

// ParseHash reads an argon2id hash in the PHC form or a bcrypt hash ($2a$, $2b$
// or $2y$, which mean the same for the passwords that are taken here).
func ParseHash(text string) (Hash, error) {
	switch {
	case strings.HasPrefix(text, "$argon2id$"):
		return parseArgon2(text)
	case strings.HasPrefix(text, "$2a$"), strings.HasPrefix(text, "$2b$"), strings.HasPrefix(text, "$2y$"):
		return parseBcrypt(text)
	case strings.HasPrefix(text, "$"):
		return Hash{}, badHash("it is of a kind that is not known")
	}
	return Hash{}, badHash("it looks like a plain password")
}

// badHash names the mend, which is always the same.
func badHash(format string, args ...any) error {
	return fmt.Errorf("%w: %s; make one with: portico hash-password", ErrHash, fmt.Sprintf(format, args...))
}

func parseBcrypt(text string) (Hash, error) {
	cost, err := bcrypt.Cost([]byte(text))
	if err != nil || len(text) != 60 || strings.Trim(text[7:], bcryptAlphabet) != "" {
		return Hash{}, badHash("the bcrypt hash is damaged")
	}
	if cost < minCost || cost > maxCost {
		return Hash{}, badHash("its bcrypt cost is %d, and must be %d to %d", cost, minCost, maxCost)
	}
	return Hash{bcrypt: []byte(text), cost: cost}, nil
}

const bcryptAlphabet = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// parseArgon2 reads $argon2id$v=19$m=19456,t=2,p=1$salt$sum.
func parseArgon2(text string) (Hash, error) {
	fields := strings.Split(text, "$")
	if len(fields) != 6 {
		return Hash{}, badHash("the argon2id hash is damaged")
	}
	if fields[2] != "v="+strconv.Itoa(argon2.Version) {
		return Hash{}, badHash("it is of another version of argon2id than %d", argon2.Version)
	}
	h, err := parseParameters(fields[3])
	if err != nil {
		return Hash{}, err
	}
	if h.salt, err = parseField(fields[4], minSalt); err != nil {
		return Hash{}, err
	}
	h.sum, err = parseField(fields[5], minSum)
	return h, err
}

func parseParameters(text string) (Hash, error) {
	var values [3]uint32
	words := strings.Split(text, ",")
	if len(words) != len(values) {
		return Hash{}, badHash("the argon2id hash is damaged")
	}
	for i, name := range []string{"m=", "t=", "p="} {
		digits, ok := strings.CutPrefix(words[i], name)
		n, err := strconv.ParseUint(digits, 10, 32)
		if !ok || err != nil {
			return Hash{}, badHash("the argon2id hash is damaged")
		}
		values[i] = uint32(n)
	}
	m, t, p := values[0], values[1], values[2]
	if m < minMemory || m > maxMemory || t < 1 || t > maxPasses || p < 1 || p > maxLanes {
		return Hash{}, badHash("its argon2id parameters m=%d,t=%d,p=%d are out of bounds (m %d to %d, t up to %d, p up to %d)",
			m, t, p, minMemory, maxMemory, maxPasses, maxLanes)
	}
	return Hash{memory: m, passes: t, lanes: uint8(p)}, nil
}

func parseField(text string, least int) ([]byte, error) {
	b, err := base64.RawStdEncoding.Strict().DecodeString(text)
	if err != nil || len(b) < least || len(b) > maxField {
		return nil, badHash("the argon2id hash is damaged")
	}
	return b, nil
}

// Verify tells whether password is the one. It takes as long for any password,
// also for those that it refuses unseen.
func (h Hash) Verify(password string) bool {
	fits := plainPassword(password)
	if h.bcrypt != nil {
		// bcrypt takes 72 bytes for the whole: a password that is the right one
		// and more would pass.
		short := password[:min(len(password), maxBcrypt)]
		return bcrypt.CompareHashAndPassword(h.bcrypt, []byte(short)) == nil && fits && len(password) <= maxBcrypt
	}
	if h.IsZero() {
		return false
	}
	if !fits {
		password = "" // its length may not cost
	}
	sum := argon2.IDKey([]byte(password), h.salt, h.passes, h.memory, h.lanes, uint32(len(h.sum))) //nolint:gosec // 64 at most
	return subtle.ConstantTimeCompare(sum, h.sum) == 1 && fits
}

// Decoy is a hash that costs as much as h to verify, and fits no password known
// to anybody: what the password for a login that does not exist is held against.
// Callers refuse whatever it says.
func (h Hash) Decoy() Hash {
	switch {
	case h.bcrypt != nil:
		text := fmt.Appendf(nil, "$2b$%02d$", h.cost)
		return Hash{bcrypt: append(text, strings.Repeat(".", 53)...), cost: h.cost}
	case h.IsZero():
		return Hash{memory: newMemory, passes: newPasses, lanes: newLanes, salt: make([]byte, newSalt), sum: make([]byte, newSum)}
	}
	h.salt, h.sum = make([]byte, len(h.salt)), make([]byte, len(h.sum))
	return h
}

// Cheap tells a hash that takes no more than about half a second to verify, for
// who must go through many.
func (h Hash) Cheap() bool {
	const most = 256 << 10 // KiB passed over
	if h.bcrypt != nil {
		return h.cost <= 12
	}
	return uint64(h.memory)*uint64(h.passes) <= most
}

// IsZero tells a Hash that nobody has set.
func (h Hash) IsZero() bool { return h.bcrypt == nil && len(h.sum) == 0 }

// String tells the kind and its cost, never the hash.
func (h Hash) String() string {
	switch {
	case h.bcrypt != nil:
		return "bcrypt cost=" + strconv.Itoa(h.cost)
	case h.IsZero():
		return "no hash"
	}
	return fmt.Sprintf("argon2id m=%d,t=%d,p=%d", h.memory, h.passes, h.lanes)
}

// GoString keeps %#v from showing more than String.
func (h Hash) GoString() string { return h.String() }
