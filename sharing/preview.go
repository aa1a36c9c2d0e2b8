package sharing

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"time"

	"portico/fault"
	"portico/files"
	"portico/vpath"
)

// maxPreview bounds what a preview shows, which counts as no download.
const maxPreview = 64 << 20

// Previewable tells whether a file of such a name can be shown on a page, without
// being one: nothing that runs (THREATS.md §4.3).
func Previewable(n files.Node) bool {
	return !n.Dir && n.Size <= maxPreview && previewType(n.Path.Name()) != ""
}

// previewType is from a fixed list and never from the bytes.
func previewType(name string) string {
	switch strings.ToLower(path.Ext(name)) {
	case ".png":
		return "image/png"
	case ".jpg", ".jpeg":
		return "image/jpeg"
	case ".gif":
		return "image/gif"
	case ".webp":
		return "image/webp"
	case ".pdf":
		return "application/pdf"
	case ".txt", ".md", ".csv", ".log":
		return "text/plain; charset=utf-8"
	}
	return ""
}

// Preview reads a file for a page to show; kind is its type. What cannot be shown
// is fs.ErrPermission. It is no download.
func (r *Room) Preview(ctx context.Context, p vpath.Path) (from io.ReadCloser, n files.Node, kind string, err error) {
	if n, err = r.Stat(ctx, p); err != nil {
		return nil, n, "", err
	}
	if n.Dir {
		return nil, n, "", fault.ErrIsDir
	}
	if !Previewable(n) {
		return nil, n, "", fault.Tell(fs.ErrPermission, "This kind of file cannot be shown here.")
	}
	from, n, err = r.Window.Open(ctx, p, files.Range{})
	return from, n, previewType(p.Name()), err
}

// Archive is the reading of several things as one download. End it with whether
// its last byte has left.
type Archive struct {
	*files.Window
	c    *claim
	told time.Time
}

// Archive begins one; what names it, so that it is the same when it is begun again.
func (r *Room) Archive(ctx context.Context, what string) (*Archive, error) {
	if r.v.link.ViewOnly {
		return nil, errViewOnly()
	}
	// It is made as it leaves: nobody can go on with it, and its length is unknown.
	c, err := r.v.claim(ctx, "zip\n"+what, -1, span{0, 1})
	if err != nil {
		return nil, err
	}
	return &Archive{Window: r.Window, c: c, told: r.v.s.Clock()}, nil
}

// End counts an archive that is whole, and gives up the place of one that is not.
func (a *Archive) End(ctx context.Context, whole bool) error {
	if a.c == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTerm)
	defer cancel()
	return a.c.endArchive(ctx, whole)
}

// Open is Window.Open for a member. What is read keeps the place of the archive.
func (a *Archive) Open(ctx context.Context, p vpath.Path, rg files.Range) (io.ReadCloser, files.Node, error) {
	from, n, err := a.Window.Open(ctx, p, rg)
	if err != nil || a.c == nil {
		return from, n, err
	}
	return &member{ReadCloser: from, ctx: ctx, a: a}, n, nil
}

// member is a file on its way into an archive.
type member struct {
	io.ReadCloser
	ctx context.Context //nolint:containedctx // of the request that it answers
	a   *Archive
}

// Read is of io.Reader.
func (m *member) Read(p []byte) (int, error) {
	m.a.c.begun = true
	if now := m.a.c.v.s.Clock(); now.Sub(m.a.told) >= streamTell {
		m.a.told = now
		if err := m.a.c.tell(m.ctx, m.a.c.span.From, false); err != nil {
			return 0, fmt.Errorf("sharing: archive: %w", err)
		}
	}
	return m.ReadCloser.Read(p)
}
