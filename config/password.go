package config

import (
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"regexp"
	"strconv"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
)

// Bounds of the hashes that are accepted. Below, a stolen hash is guessed too
// soon (OWASP's smallest setting of argon2id has 7 MiB); above, one sign-in
// would take the machine down.
const (
	minArgonMemory = 7 << 10 // KiB
	maxArgonMemory = 1 << 20 // KiB: 1 GiB
	maxArgonTime   = 64
	maxArgonLanes  = 64
	minBcryptCost  = 10
	maxBcryptCost  = 16
)

// passwordHash is a hash taken apart.
type passwordHash struct {
	bcrypt       string // the whole hash, "" for argon2id
	cost         int    // of bcrypt
	memory, time uint32 // of argon2id
	lanes        uint8
	salt, sum    []byte
}

// password reads a hash. No fault shows it: a hash can be guessed at, and what
// is no hash may be the password itself.
func (l *loader) password(v value) Secret {
	const mend = `put a hash there that "portico hash-password" prints`
	s, ok := v.text()
	if !ok {
		return Secret{}
	}
	h, err := parseHash(s)
	if err != nil {
		v.fault("%v; %s", err, mend)
		return Secret{}
	}
	l.hashes = append(l.hashes, hashAt{v, h})
	return NewSecret(s)
}

// hashAt is a hash and where it stands.
type hashAt struct {
	at   value
	hash passwordHash
}

// parseHash takes a hash apart and holds it against the bounds. $2a$, $2b$ and
// $2y$ are the same function for passwords below 256 bytes, by different
// libraries; $2x$ is a broken one of old.
func parseHash(s string) (passwordHash, error) {
	if m := regexp.MustCompile(`^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$`).FindStringSubmatch(s); m != nil {
		cost, _ := strconv.Atoi(m[1])
		switch {
		case cost < minBcryptCost:
			return passwordHash{}, errors.New("the bcrypt hash has a cost below 10 and is guessed too soon")
		case cost > maxBcryptCost:
			return passwordHash{}, errors.New("the bcrypt hash has a cost above 16, which takes minutes at each sign-in")
		}
		return passwordHash{bcrypt: s, cost: cost}, nil
	}
	return parseArgon(s)
}

// parseArgon takes the PHC string form: $argon2id$v=19$m=19456,t=2,p=1$salt$hash.
func parseArgon(s string) (passwordHash, error) {
	m := regexp.MustCompile(`^\$argon2id\$v=19\$m=(\d{1,9}),t=(\d{1,9}),p=(\d{1,3})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$`).FindStringSubmatch(s)
	if m == nil {
		return passwordHash{}, errors.New("this is neither an argon2id nor a bcrypt hash")
	}
	memory, _ := strconv.ParseUint(m[1], 10, 32)
	time, _ := strconv.ParseUint(m[2], 10, 32)
	lanes, _ := strconv.ParseUint(m[3], 10, 16)
	salt, errSalt := base64.RawStdEncoding.DecodeString(m[4])
	sum, errSum := base64.RawStdEncoding.DecodeString(m[5])
	switch {
	case errSalt != nil || errSum != nil || len(salt) < 8 || len(salt) > 64 || len(sum) < 16 || len(sum) > 64:
		return passwordHash{}, errors.New("the argon2id hash is damaged")
	case memory < minArgonMemory || time < 1 || lanes < 1:
		return passwordHash{}, errors.New("the argon2id hash has settings so low that it is guessed too soon")
	case memory > maxArgonMemory || time > maxArgonTime || lanes > maxArgonLanes:
		return passwordHash{}, errors.New("the argon2id hash has settings so high that one sign-in could stop the server")
	}
	return passwordHash{memory: uint32(memory), time: uint32(time), lanes: uint8(lanes), salt: salt, sum: sum}, nil
}

// cheap tells a hash that takes no more than about half a second.
func (h passwordHash) cheap() bool {
	const most = 256 << 10 // KiB passed over
	if h.bcrypt != "" {
		return h.cost <= 12
	}
	return uint64(h.memory)*uint64(h.time) <= most
}

// matches tells whether the hash is that of password.
func (h passwordHash) matches(password string) bool {
	if h.bcrypt != "" {
		return bcrypt.CompareHashAndPassword([]byte(h.bcrypt), []byte(password)) == nil
	}
	sum := argon2.IDKey([]byte(password), h.salt, h.time, h.memory, h.lanes, uint32(len(h.sum))) //nolint:gosec // G115: at most 64
	return subtle.ConstantTimeCompare(sum, h.sum) == 1
}
