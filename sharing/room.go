package sharing

import (
	"context"
	"errors"
	"io"
	"io/fs"

	"portico/fault"
	"portico/files"
	"portico/vpath"
)

// Room is what a link opens, with the terms of the link on it: whatever door a
// visitor comes by, a view-only link gives no bytes, a download is counted, and a
// deposit is measured. It is files.Window in all else.
type Room struct {
	*files.Window
	inPieces //nolint:unused // it takes names away
	v        *Visit
}

// inPieces has the names of what a Window takes in chunks. Two methods of one name are
// none of who embeds both: no link has an address for chunks, and one that was given it
// by mistake would pass by the terms of the link.
type inPieces interface { //nolint:unused // see above
	BeginChunks()
	PutChunk()
	Chunks()
	ChunkFolders()
	JoinChunks()
	DropChunks()
	DropChunk()
}

// errViewOnly is the refusal of every download of a view-only link (CVE-2020-8139).
func errViewOnly() error {
	return fault.Tell(fs.ErrPermission, "This link is for looking alone; there is nothing to download.")
}

// Open is Window.Open for a download.
func (r *Room) Open(ctx context.Context, p vpath.Path, rg files.Range) (io.ReadCloser, files.Node, error) {
	if r.v.link.ViewOnly {
		if _, err := r.Stat(ctx, p); err != nil {
			return nil, files.Node{}, err
		}
		return nil, files.Node{}, errViewOnly()
	}
	if r.v.link.MaxDownloads == 0 {
		return r.Window.Open(ctx, p, rg)
	}
	n, err := r.Stat(ctx, p)
	if err != nil || n.Dir {
		return nil, n, errors.Join(err, dirError(n))
	}
	off, size, ok := rg.Resolve(n.Size)
	if !ok {
		return r.Window.Open(ctx, p, rg) // which says so
	}
	c, err := r.v.claim(ctx, p.String()+"\n"+n.ETag, n.Size, span{off, off + max(size, 1)})
	if err != nil {
		return nil, files.Node{}, err
	}
	from, now, err := r.Window.Open(ctx, p, files.Range{Off: off, Len: size})
	if err == nil && now.ETag != n.ETag {
		_ = from.Close() // nothing was read of it
		err = fault.Tell(fault.ErrUnavailable, "The file has changed at this moment; try again.")
	}
	if err != nil {
		return nil, files.Node{}, errors.Join(err, c.tell(context.WithoutCancel(ctx), c.span.From, true))
	}
	return c.body(ctx, from), now, nil
}

func dirError(n files.Node) error {
	if n.Dir {
		return fault.ErrIsDir
	}
	return nil
}

// Looking is the room without its downloads, for who asks about a file and takes
// none of it.
func (r *Room) Looking() (*files.Window, error) {
	if r.v.link.ViewOnly {
		return nil, errViewOnly()
	}
	return r.Window, nil
}
