package audit

import (
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"strings"
)

// minKey is the least length of the secret, in bytes: as much as HMAC-SHA256
// can make use of (RFC 2104 §3).
const minKey = 32

// Keys are what the log is chained, signed and sealed with. All come from one
// secret, so that an admin has one thing to keep.
type Keys struct {
	mac    []byte // of the chain; nil where only signatures can be checked
	sign   ed25519.PrivateKey
	public ed25519.PublicKey

	find    []byte // makes the lookups of people
	wrap    box    // encrypts the keys in the store
	journal box    // seals what is not done yet
}

// derive makes one key of a secret (HKDF, RFC 5869).
func derive(secret []byte, what string) ([]byte, error) {
	key, err := hkdf.Key(sha256.New, secret, nil, what, sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("audit: derive key: %w", err)
	}
	return key, nil
}

// NewKeys derives the keys (HKDF, RFC 5869) from a secret of 32 bytes or more.
func NewKeys(secret []byte) (*Keys, error) {
	if len(secret) < minKey {
		return nil, fmt.Errorf("the audit key has %d bytes and needs %d; make one with: openssl rand -base64 32", len(secret), minKey)
	}
	var all [5][]byte
	for i, what := range []string{"chain", "signature", "person", "wrap", "journal"} {
		var err error
		if all[i], err = derive(secret, "portico audit "+what+" v1"); err != nil {
			return nil, err
		}
	}
	wrap, err := newBox("", all[3])
	if err != nil {
		return nil, err
	}
	journal, err := newBox("", all[4])
	if err != nil {
		return nil, err
	}
	sign := ed25519.NewKeyFromSeed(all[1])
	return &Keys{mac: all[0], sign: sign, public: publicOf(sign), find: all[2], wrap: wrap, journal: journal}, nil
}

func publicOf(sign ed25519.PrivateKey) ed25519.PublicKey {
	return ed25519.PublicKey(sign[ed25519.PrivateKeySize-ed25519.PublicKeySize:]) // RFC 8032 §5.1.5: it stands behind the seed
}

// PublicKeys takes what Public gave. It checks signatures and nothing else: the
// chain is made with a secret, and can be checked with that alone.
func PublicKeys(text string) (*Keys, error) {
	public, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil || len(public) != ed25519.PublicKeySize {
		return nil, errors.New("this is not a public key as `portico audit key` prints it")
	}
	return &Keys{public: public}, nil
}

// Public is the key that checks signatures, as text.
func (k *Keys) Public() string { return base64.StdEncoding.EncodeToString(k.public) }

// ID names the key in checkpoints.
func (k *Keys) ID() string {
	sum := sha256.Sum256(k.public)
	return hex.EncodeToString(sum[:8])
}

// String is the ID: keys must not get into a log by mistake.
func (k *Keys) String() string { return "audit key " + k.ID() }

// GoString is String.
func (k *Keys) GoString() string { return k.String() }

func (k *Keys) chain() hash.Hash { return hmac.New(sha256.New, k.mac) }

// signature signs a text that begins with what it is, so that the signature of
// one kind of thing is none of another.
func (k *Keys) signature(text string) []byte { return ed25519.Sign(k.sign, []byte(text)) }

func (k *Keys) signed(text string, signature []byte) bool {
	return ed25519.Verify(k.public, []byte(text), signature)
}
