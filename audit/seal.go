package audit

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"portico/fault"
	"portico/store"
)

// The kinds of keys in the store.
const (
	ofPerson = "person"
	ofDay    = "day"
)

const (
	sealed = "sealed" // stands for a text that is in the seal
	erased = "erased" // and for one whose key was destroyed

	boxKey = 32 // AES-256
	// padTo makes seals of many lengths alike: that of a login would narrow down
	// whose it was.
	padTo = 32
)

var (
	errSeal  = errors.New("the seal cannot be opened: it was changed, or is of another row")
	errBadly = errors.New("the key of a seal cannot be unwrapped: it was changed, or audit.key is not the one that it was made with")
)

// personal is what is sealed under the key of a person: all that names them, and
// texts that may.
type personal struct {
	ID    string `json:"id,omitempty"`
	Login string `json:"name,omitempty"`
	Key   string `json:"key,omitempty"`
	As    string `json:"as,omitempty"`
	Agent string `json:"ua,omitempty"`
	Dest  string `json:"dest,omitempty"` // where it names an app password, or somebody
	Why   string `json:"why,omitempty"`
	Error string `json:"error,omitempty"`
}

// origin is what is sealed under the key of a day: where somebody was. What
// nobody's name stands beside has its agent here.
type origin struct {
	Address string `json:"src_ip,omitempty"`
	Agent   string `json:"ua,omitempty"`
}

// box is a key that seals, with its name in the store.
type box struct {
	name string
	aead cipher.AEAD
}

func newBox(name string, key []byte) (box, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return box{}, fmt.Errorf("audit: seal: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return box{}, fmt.Errorf("audit: seal: %w", err)
	}
	return box{name, aead}, nil
}

// bytes encrypts a text for one place alone. The nonce stands in front; that no
// two are alike is a matter of chance, which is good for 2^32 of them (NIST SP
// 800-38D §8.3).
func (b box) bytes(random io.Reader, text []byte, where string) ([]byte, error) {
	nonce := make([]byte, b.aead.NonceSize(), b.aead.NonceSize()+len(text)+b.aead.Overhead())
	if _, err := io.ReadFull(random, nonce); err != nil {
		return nil, fmt.Errorf("audit: random: %w: %w", fault.ErrUnavailable, err)
	}
	return b.aead.Seal(nonce, nonce, text, []byte(where)), nil
}

func (b box) unbytes(text []byte, where string) ([]byte, error) {
	n := b.aead.NonceSize()
	if len(text) < n {
		return nil, errSeal
	}
	plain, err := b.aead.Open(nil, text[:n], text[n:], []byte(where))
	if err != nil {
		return nil, errSeal
	}
	return plain, nil
}

// seal is bytes for a value, as text.
func (b box) seal(random io.Reader, v any, where string) (string, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("audit: seal: %w", err)
	}
	if over := len(text) % padTo; over > 0 {
		text = append(text, bytes.Repeat([]byte{' '}, padTo-over)...) // which JSON may end with
	}
	secret, err := b.bytes(random, text, where)
	return base64.RawURLEncoding.EncodeToString(secret), err
}

func (b box) open(text, where string, into any) error {
	secret, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return errSeal
	}
	plain, err := b.unbytes(secret, where)
	if err != nil {
		return err
	}
	return json.Unmarshal(plain, into)
}

// wrapped is a new key for the store: it leaves this process encrypted alone.
func (k *Keys) wrapped(random io.Reader, kind, name, lookup string) (store.AuditKey, box, error) {
	key := make([]byte, boxKey)
	if _, err := io.ReadFull(random, key); err != nil {
		return store.AuditKey{}, box{}, fmt.Errorf("audit: random: %w: %w", fault.ErrUnavailable, err)
	}
	b, err := newBox(name, key)
	if err != nil {
		return store.AuditKey{}, box{}, err
	}
	w := store.AuditKey{Kind: kind, Name: name, Lookup: lookup}
	w.Wrapped, err = k.wrap.bytes(random, key, wrapper(w))
	return w, b, err
}

// wrapper binds a key to all of its row: with the lookups of two people
// exchanged, the erasure of one would be that of the other.
func wrapper(w store.AuditKey) string { return w.Kind + "\n" + w.Name + "\n" + w.Lookup }

func (k *Keys) unwrap(w store.AuditKey) (box, error) {
	key, err := k.wrap.unbytes(w.Wrapped, wrapper(w))
	if err != nil {
		return box{}, fmt.Errorf("audit: key %s: %w", w.Name, errBadly)
	}
	return newBox(w.Name, key)
}

// lookupOf finds the key of who acted: by the id or, where that is not known, by
// the login. It is "" for nobody. An HMAC tells who has the store alone nothing,
// though there are few logins in a firm to try.
func (k *Keys) lookupOf(a Actor) string {
	switch {
	case a.Type == SystemItself:
		return ""
	case a.ID != "":
		return k.lookup("id", a.ID)
	case a.Login != "":
		return k.lookup("login", a.Login)
	}
	return ""
}

func (k *Keys) lookup(what, name string) string {
	mac := hmac.New(sha256.New, k.find)
	mac.Write([]byte(what + "\n" + name))
	return hex.EncodeToString(mac.Sum(nil))
}

// dayOf names the key of a day. The audit key's id keeps a day on which that was
// changed from being sealed under a key that cannot be unwrapped.
func (k *Keys) dayOf(t time.Time) string {
	return t.UTC().Format(time.DateOnly) + "." + k.ID()
}

// part takes what is personal out of a row.
func (r *Row) part(isPerson bool) (p personal, o origin) {
	o = origin{Address: r.Address}
	if !isPerson {
		o.Agent = r.Agent
		r.Address, r.Agent = "", ""
		return p, o
	}
	p = personal{ID: r.Actor.ID, Login: r.Actor.Login, Key: r.Actor.Key, As: r.Actor.As, Agent: r.Agent}
	r.Address, r.Agent = "", ""
	r.Actor = Actor{Type: r.Actor.Type, Via: r.Actor.Via}
	hide(&r.Why, &p.Why)
	if !isUnknown(r.Error) { // which is our own sentence, and names servers alone
		hide(&r.Error, &p.Error)
	}
	switch r.Action { //nolint:exhaustive // those whose Dest names somebody
	case AppPassword, Pardon, Share, Unshare, Answer, Unlock:
		hide(&r.Dest, &p.Dest)
	}
	return p, o
}

// hide leaves a sign that there is a text: a change that failed must not look
// like one that was made, whatever becomes of the key.
func hide(from, to *string) {
	if *from != "" {
		*to, *from = *from, sealed
	}
}

// unhide is hide back.
func unhide(to *string, text string) {
	if *to == sealed {
		*to = text
	}
}

// join is part back.
func (r *Row) join(p personal) {
	r.Actor.ID, r.Actor.Login, r.Actor.Key, r.Actor.As, r.Agent = p.ID, p.Login, p.Key, p.As, p.Agent
	unhide(&r.Why, p.Why)
	unhide(&r.Error, p.Error)
	unhide(&r.Dest, p.Dest)
}

// place is what binds a seal to its row: a seal in another row opens as little
// as one that was changed.
func (r *Row) place() string { return fmt.Sprintf("%q\n%d", r.Replica, r.Seq) }
