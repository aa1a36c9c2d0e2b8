package files

import (
	"slices"
	"strings"

	"portico/backends"
	"portico/store"
)

// ownCloud is the namespace of what its clients ask for. The checksums of a version
// are kept under it, as a row beside the properties, which a client never sees as such.
const (
	ownCloud = "http://owncloud.org/ns"
	sumsName = "checksums"
)

func isSums(p store.Prop) bool { return p.Space == ownCloud && p.Local == sumsName }

// renewProps brings the properties of a file up to its new bytes. What Windows has
// set as the time of the old ones would be shown by it for these; it sets the time
// again after each upload of its own. Other properties are the file's, and stay.
func (w *writing) renewProps(tx store.Tx, info backends.Info) error {
	if w.u.found {
		if err := tx.DropProp(w.u.path, microsoft, "Win32LastModifiedTime"); err != nil {
			return err
		}
	}
	if w.u.o.Sums == "" {
		return nil
	}
	return tx.PutProp(w.u.path, sumsProp(info.ETag, w.u.o.Sums))
}

// sumsProp is the row of what is known of a version.
func sumsProp(etag, sums string) store.Prop {
	return store.Prop{Space: ownCloud, Local: sumsName, XML: etag + " " + sums}
}

// takeSums tells the checksums from the properties. They hold for the version that
// they came with: whatever writes the file, its ETag is another one then.
func (n *Node) takeSums() {
	i := slices.IndexFunc(n.Props, isSums)
	if i < 0 {
		return
	}
	etag, sums, _ := strings.Cut(n.Props[i].XML, " ")
	if n.ETag != "" && etag == n.ETag {
		n.Sums = sums
	}
	n.Props = slices.Delete(n.Props, i, i+1)
}
