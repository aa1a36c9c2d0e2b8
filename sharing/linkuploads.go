package sharing

import (
	"context"
	"io"

	"portico/fault"
	"portico/files"
	"portico/store"
	"portico/vpath"
)

// Sender is a Room as resumable uploads see it: what is put into a folder lies in
// the visitor's own one, where each depositor has one.
type Sender struct{ *Room }

// Sender is the room for uploads in pieces.
func (r *Room) Sender() Sender { return Sender{r} }

// own is where p lies for this visitor.
func (u Sender) own(ctx context.Context, p vpath.Path) (vpath.Path, error) {
	if !u.v.link.Subfolders || p.Depth() < 2 {
		return p, nil
	}
	top := p
	for top.Depth() > 1 {
		top = top.Parent()
	}
	folder, err := u.folderFor(ctx, top)
	if err != nil || folder == top || under(folder.String(), p) || p == folder {
		return p, err
	}
	return folder.Join(p.Tail())
}

// Stat is files.Window.Stat.
func (u Sender) Stat(ctx context.Context, p vpath.Path) (files.Node, error) {
	p, err := u.own(ctx, p)
	if err != nil {
		return files.Node{}, err
	}
	return u.Room.Stat(ctx, p)
}

// Mkdir is files.Window.Mkdir.
func (u Sender) Mkdir(ctx context.Context, p vpath.Path, g files.Guard) error {
	p, err := u.own(ctx, p)
	if err != nil {
		return err
	}
	return u.Room.Mkdir(ctx, p, g)
}

// BeginUpload is files.Window.BeginUpload within the link's limits. What others
// have left is not replaced: both are kept.
func (u Sender) BeginUpload(ctx context.Context, p vpath.Path, wish files.UploadWish) (files.UploadState, error) {
	if err := u.allows(ctx, p, p.Name(), wish.Size); err != nil {
		return files.UploadState{}, err
	}
	at, err := u.own(ctx, p)
	if err != nil {
		return files.UploadState{}, u.says(err, p.Name())
	}
	wish.Exists = files.ExistsKeep
	if most := u.most(p.Name()); wish.MaxSize == 0 || wish.MaxSize > most {
		wish.MaxSize = most
	}
	wish.Beside = u.beside(wish)
	st, err := u.Window.BeginUpload(ctx, at, wish)
	return st, u.says(err, p.Name())
}

// linkUploads are the uploads of a link that may be under way at once, whoever's
// they are. A visitor has a limit of their own, and anybody may be many visitors.
const linkUploads = 64

// beside holds a new upload to what its link takes, with all that is under way by
// it: their bytes wait in the storage, and would else count for nothing until they
// are complete. What others leave half done is in the way for a day at most.
func (u Sender) beside(wish files.UploadWish) func(context.Context, store.Tx, files.UnderWay) error {
	size := wish.Size
	if size < 0 {
		size = wish.MaxSize
	}
	return func(ctx context.Context, tx store.Tx, others files.UnderWay) error {
		l, found, err := tx.LinkByID(ctx, u.v.link.ID)
		switch {
		case err != nil:
			return err
		case !found:
			return gone()
		case others.Files >= linkUploads:
			return fault.Tell(fault.ErrBusy, "%d files are on their way by this link already. Try again when some have arrived.", others.Files)
		case l.MaxFiles > 0 && l.Files+others.Files >= l.MaxFiles:
			return fault.Tell(fault.ErrBusy, "This link takes %d files in all, and the last of them are on their way. Try again later, in case one is given up.", l.MaxFiles)
		case size > allLimit(l)-l.Bytes-others.Bytes:
			return fault.Tell(fault.ErrBusy, "What is on its way by this link leaves no room for so much. Try again when it has arrived.")
		}
		return nil
	}
}

// AppendUpload is files.Window.AppendUpload.
func (u Sender) AppendUpload(ctx context.Context, id string, offset int64, body io.Reader, sum *files.UploadSum) (files.UploadState, error) {
	st, err := u.Window.AppendUpload(ctx, id, offset, body, sum)
	return st, u.says(err, "")
}

// SizeUpload is files.Window.SizeUpload.
func (u Sender) SizeUpload(ctx context.Context, id string, size int64) (files.UploadState, error) {
	if size > u.most("") {
		return files.UploadState{}, u.tooLarge("")
	}
	st, err := u.Window.SizeUpload(ctx, id, size)
	return st, u.says(err, "")
}
