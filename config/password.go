package config

import "portico/identity"

// hashAt is a hash and where it stands.
type hashAt struct {
	at   value
	hash identity.Hash
}

// password reads a hash, by the reader and the bounds of those who check
// passwords, so that none is taken here that the start refuses. No fault shows
// it: a hash can be guessed at, and what is no hash may be the password itself.
func (l *loader) password(v value) Secret {
	s, ok := v.text()
	if !ok {
		return Secret{}
	}
	h, err := identity.ParseHash(s)
	if err != nil {
		v.fault("%v", err) // it names the mend
		return Secret{}
	}
	l.hashes = append(l.hashes, hashAt{v, h})
	return NewSecret(s)
}
