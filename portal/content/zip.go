package content

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strings"

	"portico/fault"
	"portico/files"
	"portico/vpath"
)

// Limits of one archive.
const (
	maxMembers = 10_000
	maxBytes   = 50 << 30
)

// Zip sends an archive of what lies at the items and below, with the names that
// they have below base. What goes into it is found first, so that one that would
// be too large is an error, for the caller to answer, before its first byte.
func Zip(w http.ResponseWriter, r *http.Request, d Door, name string, base vpath.Path, items ...vpath.Path) error {
	members, err := found(r.Context(), d, items)
	if err != nil {
		return fmt.Errorf("content: zip: %w", err)
	}
	h := w.Header()
	h.Set("Content-Type", "application/zip")
	h.Set("Content-Disposition", files.Disposition(name+".zip", false))
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	if r.Method == http.MethodHead {
		return nil
	}
	z := zip.NewWriter(w)
	for _, n := range members {
		if err := add(r.Context(), z, d, base, n); err != nil {
			panic(http.ErrAbortHandler) // an archive without its end is seen to be broken
		}
	}
	if err := z.Close(); err != nil {
		panic(http.ErrAbortHandler) // the client has gone
	}
	return nil
}

// found are the members of an archive: what is seen, within the limits.
func found(ctx context.Context, d Door, items []vpath.Path) (all []files.Node, err error) {
	size := int64(0)
	walk := files.Walk{In: d, Left: maxMembers}
	err = walk.Each(ctx, items, func(n files.Node) error {
		if size += n.Size; size > maxBytes {
			return files.ErrEnough
		}
		all = append(all, n)
		return nil
	})
	switch {
	case errors.Is(err, files.ErrEnough):
		return nil, fault.Tell(fault.ErrTooLarge, "one download holds at most 10,000 files and 50 GiB: choose fewer, or open the drive")
	case err == nil && len(all) == 0:
		return nil, fs.ErrNotExist
	}
	return all, err
}

// add writes one file or folder. One that may be seen and not read is left out,
// and so is one that has gone since.
func add(ctx context.Context, z *zip.Writer, d Door, base vpath.Path, n files.Node) error {
	under, ok := base.Under(n.Path)
	if !ok {
		under = n.Path
	}
	head := &zip.FileHeader{Name: safeName(under), Modified: n.ModTime, Method: methodOf(n)}
	if n.Dir {
		head.Name += "/"
		_, err := z.CreateHeader(head)
		return err
	}
	body, _, err := d.Open(ctx, n.Path, files.Range{})
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return nil
	}
	if err != nil {
		return err
	}
	defer body.Close() //nolint:errcheck // only read
	to, err := z.CreateHeader(head)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, body)
	return err
}

// safeName is a path as any program may unpack it: below where it is unpacked, and
// without what Windows reads as a way elsewhere or a device (CVE-2018-1002200).
func safeName(under vpath.Path) string {
	var parts []string
	for name := range under.Elements() {
		parts = append(parts, strings.Map(func(r rune) rune {
			if r < ' ' || r == 0x7f || strings.ContainsRune(`\:*?"<>|`, r) {
				return '_'
			}
			return r
		}, name))
	}
	return path.Join(parts...)
}

// methodOf packs only what becomes smaller.
func methodOf(n files.Node) uint16 {
	switch Kind(n) {
	case "image", "audio", "video", "archive", "pdf":
		return zip.Store
	}
	switch strings.ToLower(path.Ext(n.Path.Name())) {
	case ".docx", ".xlsx", ".pptx", ".odt", ".ods", ".odp", ".jar", ".epub":
		return zip.Store
	}
	return zip.Deflate
}
