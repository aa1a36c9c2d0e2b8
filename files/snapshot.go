package files

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"slices"
	"strings"

	"portico/store"
)

// entry is one member of a folder, as a sync client was told of it.
type entry struct {
	path string // from the folder on, as vpath.Path.String gives it
	dir  bool
	mark mark
}

// mark stands for all that a listing shows of a member, but its locks, the rights on
// it and its Owner: another mark means another answer. Rights and Owner are left out on
// purpose: they are of who asks and of the directory, and one role that is given, or
// one person who gets another name, would tell every file of a tree as changed. An ETag alone would miss an upload of the same bytes
// at another time, which S3 gives the same ETag, and every change of a property.
// 96 bits are enough that nobody hides a change of their own files by search.
type mark [12]byte

// It writes into b, and gives it back for the next one.
func markOf(b []byte, n *Node) (mark, []byte) {
	b = append(b[:0], flags(n.Dir))
	b = appendTexts(b, n.Title, n.ETag, n.SHA256, n.By)
	b = binary.AppendVarint(b, n.Size)
	b = binary.AppendVarint(b, n.ModTime.UnixMicro())
	b = binary.AppendVarint(b, n.Created.UnixMicro())
	props := n.Props
	if len(props) > 1 {
		props = slices.Clone(props)
		slices.SortFunc(props, func(a, b store.Prop) int {
			return cmp.Or(strings.Compare(a.Space, b.Space), strings.Compare(a.Local, b.Local))
		})
	}
	for _, p := range props {
		b = appendTexts(b, p.Space, p.Local, p.XML)
	}
	sum := sha256.Sum256(b)
	return mark(sum[:len(mark{})]), b
}

// appendTexts writes texts each with its length, so that no two lists are alike.
func appendTexts(b []byte, list ...string) []byte {
	for _, s := range list {
		b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
	}
	return b
}

const (
	snapshotForm = 1 // the first byte, for those who change the form
	flagDir      = 1
)

func flags(dir bool) byte {
	if dir {
		return flagDir
	}
	return 0
}

var errSnapshot = errors.New("files: a snapshot cannot be read")

// encode writes entries in the order of their paths. Of each path only what
// differs from the one before it is kept: members of a folder share most of it.
func encode(all []entry) []byte {
	b := []byte{snapshotForm}
	last := ""
	for _, e := range all {
		path := e.path
		same := 0
		for same < len(path) && same < len(last) && path[same] == last[same] {
			same++
		}
		b = binary.AppendUvarint(b, uint64(same))
		b = binary.AppendUvarint(b, uint64(len(path)-same)) //nolint:gosec // not negative
		b = append(b, path[same:]...)
		b = append(append(b, flags(e.dir)), e.mark[:]...)
		last = path
	}
	return b
}

// decode reads them back.
func decode(b []byte) (all []entry, err error) {
	if len(b) == 0 || b[0] != snapshotForm {
		return nil, errSnapshot
	}
	last := ""
	for b = b[1:]; len(b) > 0; {
		var e entry
		if e.path, b, err = cutPath(b, last); err != nil {
			return nil, err
		}
		if len(b) < 1+len(e.mark) {
			return nil, errSnapshot
		}
		e.dir = b[0] == flagDir
		copy(e.mark[:], b[1:])
		b, last = b[1+len(e.mark):], e.path
		all = append(all, e)
	}
	return all, nil
}

// cutPath reads a path that begins as the one before it does.
func cutPath(b []byte, last string) (path string, rest []byte, err error) {
	same, n := binary.Uvarint(b)
	if n <= 0 || same > uint64(len(last)) {
		return "", nil, errSnapshot
	}
	more, m := binary.Uvarint(b[n:])
	if b = b[n+max(m, 0):]; m <= 0 || more > uint64(len(b)) {
		return "", nil, errSnapshot
	}
	return last[:same] + string(b[:more]), b[more:], nil
}
