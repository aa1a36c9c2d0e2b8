package files

import (
	"bytes"
	"crypto/md5"  //nolint:gosec // a sum against broken lines, which clients choose; not against anybody
	"crypto/sha1" //nolint:gosec // see md5
	"crypto/sha256"
	"encoding"
	"encoding/hex"
	"fmt"
	"hash"
	"hash/adler32"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
)

// sums are the hashes of what was joined so far. Which of them the sender of an
// upload in chunks announces is known only with the last request.
type sums map[string]hash.Hash

// sumSHA256 is the one that is kept with the file.
const sumSHA256 = "sha256"

func newSums() sums {
	return sums{sumSHA256: sha256.New(), "sha1": sha1.New(), "md5": md5.New(), "adler32": adler32.New()} //nolint:gosec // see the import
}

// whole is the sum that is kept with the file.
func (s sums) whole() string { return hex.EncodeToString(s[sumSHA256].Sum(nil)) }

// writer feeds all of them, and more.
func (s sums) writer(more ...io.Writer) io.Writer {
	for _, name := range slices.Sorted(maps.Keys(s)) {
		more = append(more, s[name])
	}
	return io.MultiWriter(more...)
}

// check holds the whole to the sum that its sender announced.
func (s sums) check(want *UploadSum) error {
	switch h := s[wantAlgorithm(want)]; {
	case want == nil:
		return nil
	case h == nil:
		return plain(fs.ErrInvalid, "sums are taken as %s, not as %.20q", strings.Join(slices.Sorted(maps.Keys(s)), ", "), want.Algorithm)
	case !bytes.Equal(h.Sum(nil), want.Sum):
		return plain(ErrUploadSum, "the file has another sum than announced: it was broken on its way, send it again")
	}
	return nil
}

func wantAlgorithm(want *UploadSum) string {
	if want == nil {
		return ""
	}
	return want.Algorithm
}

// keepSums notes the state of all hashes.
func (n *notes) keepSums(s sums) error {
	n.Chunks.Sums = map[string][]byte{}
	for name, h := range s {
		if name == sumSHA256 {
			continue
		}
		m, ok := h.(encoding.BinaryMarshaler)
		if !ok {
			return fmt.Errorf("files: %T cannot be kept", h)
		}
		state, err := m.MarshalBinary()
		if err != nil {
			return err
		}
		n.Chunks.Sums[name] = state
	}
	return n.keepSum(s[sumSHA256])
}

// sums are the hashes, to go on with.
func (n notes) sums() (sums, error) {
	s := newSums()
	for name, h := range s {
		state := n.Sum
		if name != sumSHA256 {
			state = n.Chunks.Sums[name]
		}
		m, ok := h.(encoding.BinaryUnmarshaler)
		if !ok {
			return nil, fmt.Errorf("files: %T cannot be kept", h)
		}
		if err := m.UnmarshalBinary(state); err != nil {
			return nil, err
		}
	}
	return s, nil
}
