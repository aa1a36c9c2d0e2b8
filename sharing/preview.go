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

// MaxPreview bounds what a preview shows, which counts as no download. In the units
// that people read.
const MaxPreview = 64_000_000

// Shows tells whether a file can be shown on the link's page without being one:
// nothing that runs (THREATS.md §4.3). large tells one that is too large alone.
//
// Whoever sees a preview can keep it, and it is the whole file: that is so of every
// page that shows something, and the page says it. So the bound is one of size. What
// is heard and seen comes in pieces and strains no browser; where downloads are
// free there is nothing to go around, and it has no bound.
func (r *Room) Shows(n files.Node) (ok, large bool) {
	kind := PreviewType(n.Path.Name())
	if n.Dir || kind == "" {
		return false, false
	}
	plays := strings.HasPrefix(kind, "audio/") || strings.HasPrefix(kind, "video/")
	if plays && !r.v.link.ViewOnly && r.v.link.MaxDownloads == 0 {
		return true, false
	}
	return n.Size <= MaxPreview, n.Size > MaxPreview
}

// PreviewType is the media type of what a page may show, by its name and never by
// its bytes; "" for what it may not.
func PreviewType(name string) string {
	switch strings.ToLower(path.Ext(name)) {
	case ".txt", ".md", ".csv", ".log":
		return "text/plain; charset=utf-8"
	case ".png", ".jpg", ".jpeg", ".gif", ".webp", ".pdf", ".mp3", ".m4a", ".wav", ".ogg", ".mp4", ".webm", ".mov":
		return files.ContentType(name)
	}
	return ""
}

// Previews is a Room as a page shows its files: what is opened of it is no
// download, and is for looking alone.
type Previews struct{ *Room }

// Previews is the room for the pictures, papers, sounds and films of a page.
func (r *Room) Previews() Previews { return Previews{r} }

// Open is files.Window.Open for a page that shows the file, or a piece of it. What
// cannot be shown is fs.ErrPermission.
func (p Previews) Open(ctx context.Context, at vpath.Path, rg files.Range) (io.ReadCloser, files.Node, error) {
	n, err := p.Stat(ctx, at)
	if err == nil && n.Dir {
		err = fault.ErrIsDir
	}
	if err == nil {
		err = p.shows(n)
	}
	if err != nil {
		return nil, files.Node{}, err
	}
	from, n, err := p.Window.Open(ctx, at, rg)
	if err != nil {
		return from, n, err
	}
	if err := p.shows(n); err != nil { // another file has taken its place
		_ = from.Close() // nothing was read of it
		return nil, files.Node{}, err
	}
	return from, n, nil
}

func (p Previews) shows(n files.Node) error {
	switch ok, large := p.Shows(n); {
	case large:
		return fault.Tell(fs.ErrPermission, "This file is too large to be shown here.")
	case !ok:
		return fault.Tell(fs.ErrPermission, "This kind of file cannot be shown here.")
	}
	return nil
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
