package oidc

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"io"
	"strconv"
	"strings"
	"time"

	"portico/store"
)

// Life is how long a sign-in may take from its beginning.
const Life = 10 * time.Minute

// flow is one sign-in under way. The browser that began it holds it in a cookie,
// and nobody else has it: the state, the nonce and the verifier of PKCE are
// HMACs under its secret. So a beginning writes nothing to the store, and
// anybody may begin as many as they like.
//
// Who holds the cookie may change what it says about time and goal, but then
// state and nonce are others than those that the provider has signed.
type flow struct {
	secret string // 256 bits, as text
	began  time.Time
	next   string
}

const secretBytes = 32

func newFlow(rand io.Reader, now time.Time, next string) (flow, error) {
	b := make([]byte, secretBytes)
	if _, err := io.ReadFull(rand, b); err != nil {
		return flow{}, err
	}
	return flow{base64.RawURLEncoding.EncodeToString(b), now, next}, nil
}

// String is the cookie's value.
func (f flow) String() string {
	return f.secret + "." + f.seconds() + "." + base64.RawURLEncoding.EncodeToString([]byte(f.next))
}

func (f flow) seconds() string { return strconv.FormatInt(f.began.Unix(), 10) }

// parseFlow reads a cookie's value.
func parseFlow(cookie string, now time.Time) (flow, error) {
	lost := refused("This sign-in was begun in another browser, or too long ago. Begin again.")
	parts := strings.Split(cookie, ".")
	if len(parts) != 3 || len(parts[0]) != base64.RawURLEncoding.EncodedLen(secretBytes) {
		return flow{}, lost
	}
	began, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil {
		return flow{}, lost
	}
	next, err := base64.RawURLEncoding.DecodeString(parts[2])
	f := flow{parts[0], time.Unix(began, 0), string(next)}
	if age := now.Sub(f.began); err != nil || age > Life || age < -time.Minute {
		return flow{}, lost
	}
	return f, nil
}

func (f flow) state() string    { return f.derive("state") }
func (f flow) nonce() string    { return f.derive("nonce") }
func (f flow) verifier() string { return f.derive("verifier") }

// derive gives 43 characters, the least that RFC 7636 §4.1 takes for a verifier.
func (f flow) derive(what string) string {
	m := hmac.New(sha256.New, []byte(f.secret))
	_, _ = m.Write([]byte(what + "\x00" + f.seconds() + "\x00" + f.next)) // never fails
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

// usedOwner owns the marks of flows that have been used. It is nobody's ID.
const usedOwner = "oidc-flow"

// use ends the flow, for good and on every replica. The mark looks like a
// session to the store, so that it goes when sessions expire; the sum is not one
// of a cookie that signs anybody in.
func (f flow) use(tx store.Tx, find func(store.Sum) (bool, error), now time.Time) error {
	mark := store.Sum(sha256.Sum256([]byte(usedOwner + "\x00" + f.secret)))
	switch used, err := find(mark); {
	case err != nil:
		return err
	case used:
		return refused("This sign-in has been answered before. Begin again.")
	}
	return tx.PutSession(store.Session{
		Sum: mark, Owner: usedOwner, Data: []byte("{}"), Created: now, Seen: now, Expires: now.Add(2 * Life),
	})
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
