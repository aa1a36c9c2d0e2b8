package gateway

import (
	"crypto/md5"  //nolint:gosec // what clients send: it finds broken lines, not forgers
	"crypto/sha1" //nolint:gosec // as above
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"hash/adler32"
	"net/http"
	"strings"
)

// checksum is one that a client promised of a body, and what has come of it so far.
type checksum struct {
	name string
	want string
	hash.Hash
}

// parseChecksums reads OC-Checksum: "SHA1:hex", or several with spaces between them.
// One that we do not know is left alone, as without the header; one that cannot be
// right is refused before the body is sent.
func parseChecksums(header string) ([]checksum, error) {
	var list []checksum
	for word := range strings.FieldsSeq(header) {
		name, want, _ := strings.Cut(word, ":")
		c := checksum{name: strings.ToUpper(name), want: strings.ToLower(want), Hash: hashNamed(name)}
		switch {
		case c.Hash == nil:
			continue
		case len(want) != 2*c.Size() || strings.Trim(c.want, "0123456789abcdef") != "" || len(list) == maxChecksums:
			return nil, refuse(http.StatusBadRequest, "OC-Checksum cannot be read: write it as in SHA1:da39a3…, with as many digits as its kind has.")
		}
		list = append(list, c)
	}
	return list, nil
}

// promised reads the checksums of a body of size bytes. One without a byte nobody may
// read, so that it is judged here.
func promised(r *http.Request, size int64) ([]checksum, error) {
	sums, err := parseChecksums(r.Header.Get("OC-Checksum"))
	if err == nil && size == 0 {
		err = verify(sums)
	}
	return sums, err
}

// maxChecksums is the number of kinds: each costs a pass over the body.
const maxChecksums = 4

// hashNamed makes what works a checksum out, nil for a kind that is not known.
func hashNamed(name string) hash.Hash {
	switch strings.ToUpper(name) {
	case "MD5":
		return md5.New() //nolint:gosec // see above
	case "SHA1":
		return sha1.New() //nolint:gosec // see above
	case "SHA256":
		return sha256.New()
	case "ADLER32":
		return adler32.New()
	}
	return nil
}

// verify compares what came with what was promised. ownCloud's answer is 400 too.
func verify(list []checksum) error {
	for _, c := range list {
		if hex.EncodeToString(c.Sum(nil)) != c.want {
			return refuse(http.StatusBadRequest, "The file arrived damaged: its %s checksum is not the one that was announced. Nothing was saved; send it again.", c.name)
		}
	}
	return nil
}

// proved is the list as it is kept and told.
func proved(list []checksum) string {
	words := make([]string, len(list))
	for i, c := range list {
		words[i] = c.name + ":" + c.want
	}
	return strings.Join(words, " ")
}
