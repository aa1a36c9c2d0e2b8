package gateway

import (
	"slices"
	"strconv"
	"strings"

	"portico/files"
)

// What the clients of ownCloud and Nextcloud ask for, rclone with such a vendor among
// them, and what old Microsoft clients do. There is no oc:id and no oc:fileid: they
// promise to stay with a file through all moves, and nothing here numbers files.
const (
	ocSpace  = "http://owncloud.org/ns"
	ocPrefix = "oc:"
)

// appendPermissions are ownCloud's letters: S was shared with the one who asks, R may
// be shared on, G read, D deleted, N renamed, V moved, W written; C files and K folders
// may be made in it. Nextcloud's client takes a thing without G for one to leave alone.
func appendPermissions(b []byte, p *page, n *files.Node) ([]byte, bool) {
	has := func(word string) bool { return slices.Contains(n.Rights, word) }
	if _, firm := p.q.tree.(*files.Tree); !firm && !n.Path.IsRoot() {
		b = append(b, 'S')
	}
	for _, l := range []struct {
		letters string
		held    bool
	}{
		{"R", has("share")},
		{"G", has("read") || n.Dir && has("list")},
		{"D", has("delete")},
		{"NV", has("delete") && has("read")}, // as for MOVE
		{"W", !n.Dir && has("write")},
		{"CK", n.Dir && has("create")},
	} {
		if l.held {
			b = append(b, l.letters...)
		}
	}
	return b, true
}

// appendChecksums are those that the sender's client proved, and the storage's own.
func appendChecksums(b []byte, _ *page, n *files.Node) ([]byte, bool) {
	sums := sumsOf(*n)
	b = appendText(append(b, "<oc:checksum>"...), sums)
	return append(b, "</oc:checksum>"...), sums != ""
}

// sumsOf is the value of OC-Checksum for a file, "" if nothing is known.
func sumsOf(n files.Node) string {
	if n.SHA256 == "" || strings.Contains(n.Sums, "SHA256:") {
		return n.Sums
	}
	return strings.TrimSpace(n.Sums + " SHA256:" + n.SHA256)
}

func appendOwnerLogin(b []byte, _ *page, n *files.Node) ([]byte, bool) {
	return appendText(b, n.Owner.Login), n.Owner.Login != ""
}

func appendOwnerName(b []byte, _ *page, n *files.Node) ([]byte, bool) {
	return appendText(b, n.Owner.Name), n.Owner.Name != ""
}

// appendEpoch is the time that rclone sets, as it sets it.
func appendEpoch(b []byte, _ *page, n *files.Node) ([]byte, bool) {
	return strconv.AppendInt(b, n.ModTime.Unix(), 10), !n.Dir && !n.ModTime.IsZero()
}

// appendIsCollection, appendIsHidden and appendIsReadOnly are of a draft that
// Microsoft's clients, WinSCP and others have kept (draft-hopmann-collection-props).
func appendIsCollection(b []byte, _ *page, n *files.Node) ([]byte, bool) {
	return appendFlag(b, n.Dir), true
}

// appendIsHidden goes by the dot, as on the systems where names alone can hide.
func appendIsHidden(b []byte, _ *page, n *files.Node) ([]byte, bool) {
	return appendFlag(b, strings.HasPrefix(n.Path.Name(), ".")), true
}

func appendIsReadOnly(b []byte, p *page, n *files.Node) ([]byte, bool) {
	right := "write"
	if n.Dir {
		right = "create"
	}
	return appendFlag(b, !slices.Contains(n.Rights, right)), p.query.asks("isreadonly")
}

func appendFlag(b []byte, yes bool) []byte {
	if yes {
		return append(b, '1')
	}
	return append(b, '0')
}
