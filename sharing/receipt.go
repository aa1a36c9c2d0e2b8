package sharing

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"
	"unicode"

	"portico/fault"
	"portico/store"
)

// The form of a receipt. It is text, one field a line, so that it survives mail
// and print; the signature is over all lines before its own.
const (
	receiptTitle = "Portico receipt 1"
	signedBy     = "Signature"
	maxReceipt   = 16 << 10
	minSecret    = 32
)

// signer makes receipts and knows those that it made.
type signer struct {
	key  ed25519.PrivateKey
	name string                       // of key
	old  map[string]ed25519.PublicKey // by name, that of now too
}

// newSigner derives a key from each secret. The name of a key is of its public half, so
// that it tells nothing and is the same on all replicas.
func newSigner(secret []byte, old [][]byte) (signer, error) {
	s := signer{old: map[string]ed25519.PublicKey{}}
	for i, one := range append([][]byte{secret}, old...) {
		if len(one) < minSecret {
			return s, fmt.Errorf("the secret that receipts are signed with has %d bytes and needs %d", len(one), minSecret)
		}
		seed, err := hkdf.Key(sha256.New, one, nil, "portico receipts 1", ed25519.SeedSize)
		if err != nil {
			return s, err
		}
		key := ed25519.NewKeyFromSeed(seed)
		public := key.Public().(ed25519.PublicKey) //nolint:forcetypeassert // of the standard library, and never another
		sum := sha256.Sum256(public)
		name := hex.EncodeToString(sum[:8])
		s.old[name] = public
		if i == 0 {
			s.key, s.name = key, name
		}
	}
	return s, nil
}

// receipt is the signed text of a deposit.
func (s *Service) receipt(d store.Deposit) []byte {
	depositor := d.By
	if d.Mail != "" {
		depositor = strings.TrimSpace(depositor + " <" + d.Mail + ">")
	}
	var b bytes.Buffer
	b.WriteString(receiptTitle + "\n")
	for _, f := range [][2]string{
		{"Firm", s.Firm},
		{"Receipt", d.ID},
		{"Name", d.Name},
		{"Size", strconv.FormatInt(d.Size, 10)},
		{"Time", d.Time.UTC().Format(time.RFC3339)},
		{"SHA-256", d.SHA256},
		{"Depositor", depositor},
		{"Key", s.signer.name},
	} {
		b.WriteString(strings.TrimRight(f[0]+": "+oneLine(f[1]), " ") + "\n") // as canonical has it
	}
	signature := ed25519.Sign(s.signer.key, b.Bytes())
	b.WriteString(signedBy + ": " + base64.StdEncoding.EncodeToString(signature) + "\n")
	return b.Bytes()
}

// oneLine keeps a name from writing a line of its own, and from showing other than
// it is: what cannot be printed stands as its code.
func oneLine(text string) string {
	var b strings.Builder
	for _, r := range strings.TrimSpace(text) {
		if r == ' ' || unicode.IsPrint(r) && !unicode.IsSpace(r) {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, "\\u{%x}", r)
		}
	}
	return b.String()
}

// Verdict is what Verify says of a receipt.
type Verdict string

// The verdicts.
const (
	Good       Verdict = "good"
	Altered    Verdict = "changed"     // a word is not what was signed
	UnknownKey Verdict = "unknown key" // another server's, or none
	NoReceipt  Verdict = "no receipt"  // a text of another kind
)

// Verified is what a receipt says, and whether it is to be believed. The fields
// are those of the text: of one that is not Good they are worth nothing.
type Verified struct {
	Verdict   Verdict
	Known     bool // this server has the receipt, to the letter
	Firm      string
	ID        string
	Name      string
	Size      int64
	Time      time.Time
	SHA256    string
	Depositor string
	Key       string
}

// Verify tells whether a text is a receipt of this server. Line ends and spaces at
// the ends of lines may be other than they were sent: mail changes them.
func (s *Service) Verify(ctx context.Context, text string) (Verified, error) {
	if len(text) > maxReceipt {
		return Verified{Verdict: NoReceipt}, nil
	}
	text = canonical(text)
	v, signed, signature := read(text)
	if v.Verdict == NoReceipt {
		return v, nil
	}
	public, known := s.signer.old[v.Key]
	switch {
	case !known:
		v.Verdict = UnknownKey
		return v, nil
	case v.Verdict == Altered:
		return v, nil
	case !ed25519.Verify(public, []byte(signed), signature):
		v.Verdict = Altered
		return v, nil
	}
	v.Verdict = Good
	d, found, err := s.State.DepositByID(ctx, v.ID)
	if err != nil {
		return v, fmt.Errorf("sharing: verify: %w", err)
	}
	v.Known = found && string(d.Receipt) == text
	return v, nil
}

// canonical undoes what mail programs do to a text.
func canonical(text string) string {
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, " \t\r")
	}
	return strings.Trim(strings.Join(lines, "\n"), "\n") + "\n"
}

// read takes a receipt apart. Each field stands once and in its place: what is
// signed has one reading.
func read(text string) (v Verified, signed string, signature []byte) {
	v.Verdict = NoReceipt
	title, rest, _ := strings.Cut(text, "\n")
	if title != receiptTitle {
		return v, "", nil
	}
	fields := map[string]string{}
	lines := strings.Split(strings.TrimSuffix(rest, "\n"), "\n")
	names := []string{"Firm", "Receipt", "Name", "Size", "Time", "SHA-256", "Depositor", "Key", signedBy}
	if len(lines) != len(names) {
		return v, "", nil
	}
	for i, name := range names {
		value, ok := strings.CutPrefix(lines[i], name+":")
		if !ok {
			return v, "", nil
		}
		fields[name] = strings.TrimPrefix(value, " ")
	}
	v = Verified{
		Firm: fields["Firm"], ID: fields["Receipt"], Name: fields["Name"], SHA256: fields["SHA-256"],
		Depositor: fields["Depositor"], Key: fields["Key"],
	}
	var errSize, errTime, errSign error
	v.Size, errSize = strconv.ParseInt(fields["Size"], 10, 64)
	v.Time, errTime = time.Parse(time.RFC3339, fields["Time"])
	signature, errSign = base64.StdEncoding.Strict().DecodeString(fields[signedBy])
	if errors.Join(errSize, errTime, errSign) != nil {
		v.Verdict = Altered // a receipt in form: its signature will not fit
	}
	return v, strings.TrimSuffix(text, lines[len(lines)-1]+"\n"), signature
}

// Receipt is the signed text of a deposit, for who made it.
func (s *Service) Receipt(ctx context.Context, by By, id string) ([]byte, error) {
	d, found, err := s.State.DepositByID(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("sharing: receipt: %w", err)
	}
	if !found || by.ID == "" || d.Owner != by.ID || d.IsPlaceholder() {
		return nil, fmt.Errorf("sharing: receipt: %w", fault.Tell(fs.ErrNotExist, "There is no such receipt."))
	}
	return d.Receipt, nil
}
