package sharing

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"portico/fault"
	"portico/files"
	"portico/store"
	"portico/vpath"
)

// What a link takes whose giver has set no limit (THREATS.md §4.1).
const (
	linkFileBytes = 2 << 30
	linkAllBytes  = 10 << 30
)

// fileLimit is the largest file that a link takes.
func fileLimit(l store.Link) int64 {
	if l.MaxFileBytes > 0 {
		return l.MaxFileBytes
	}
	return linkFileBytes
}

// allLimit is the most that a link takes in all.
func allLimit(l store.Link) int64 {
	if l.MaxBytes > 0 {
		return l.MaxBytes
	}
	return linkAllBytes
}

// left is what the link takes yet, in bytes.
func (r *Room) left() int64 { return max(allLimit(r.v.link)-r.v.link.Bytes, 0) }

// most is the largest file of a name that it takes now.
func (r *Room) most(name string) int64 {
	most := min(fileLimit(r.v.link), r.left())
	if vpath.IsForPrograms(name) {
		most = min(most, linkClutterBytes)
	}
	return most
}

// tooLarge names the limit that is in the way.
func (r *Room) tooLarge(name string) error {
	if vpath.IsForPrograms(name) && r.most(name) == linkClutterBytes {
		return fault.Tell(fault.ErrTooLarge, "A file may have %d bytes at most here.", int64(linkClutterBytes))
	}
	if r.left() < fileLimit(r.v.link) {
		return fault.Tell(fault.ErrTooLarge, "This link takes %d bytes more in all.", r.left())
	}
	return fault.Tell(fault.ErrTooLarge, "A file may have %d bytes at most here.", fileLimit(r.v.link))
}

func tooMany(most int) error {
	return fault.Tell(fault.ErrTooLarge, "This link takes %d files in all, and has them.", most)
}

// allows judges the name and the announced size of a deposit, before any byte of
// it is taken; size is -1 where it is not known. p is where it goes, or comes
// from: a placeholder that lies there takes no second place.
func (r *Room) allows(ctx context.Context, p vpath.Path, name string, size int64) error {
	l := r.v.link
	if err := fitsType(l.Types, name); err != nil {
		return err
	}
	if size > r.most(name) {
		return r.tooLarge(name)
	}
	if err := r.hasPlace(ctx, p, name); err != nil {
		return err
	}
	if l.AskName && r.v.who.Name == "" {
		return fault.Tell(fs.ErrPermission, "This link asks for your name: give it on the page, or with a program as curl -u 'YOUR NAME:PASSWORD' (without a password, YOUR NAME: alone).")
	}
	return nil
}

// hasPlace judges how many files there are.
func (r *Room) hasPlace(ctx context.Context, p vpath.Path, name string) error {
	l := r.v.link
	full, _, err := r.full(p)
	if err != nil {
		return err
	}
	there := func(d store.Deposit) bool { return d.Path == full }
	if vpath.IsForPrograms(name) {
		err := clutterHasRoom(ctx, r.v.s.State, linkSubject(l.ID), there)
		if errors.Is(err, fault.ErrQuota) {
			err = fault.Tell(err, "there is no room left for files that programs keep for themselves, of which this link has %d: go on without them, or delete those of documents that nobody has open", linkClutter)
		}
		return err
	}
	held, err := placesHeld(ctx, r.v.s.State, l, there)
	if err == nil && l.MaxFiles > 0 && l.Files+held >= l.MaxFiles {
		err = tooMany(l.MaxFiles)
	}
	return err
}

func fitsType(types []string, name string) error {
	if len(types) == 0 || slices.Contains(types, strings.ToLower(path.Ext(name))) {
		return nil
	}
	return fault.Tell(fs.ErrInvalid, "Only files of these kinds are taken here: %s.", strings.Join(types, ", "))
}

// says puts the link's own limit in the place of the window's sentence, which does
// not know it.
func (r *Room) says(err error, name string) error {
	if errors.Is(err, fault.ErrTooLarge) {
		return r.tooLarge(name)
	}
	return err
}

// Put is Window.Put within the link's limits. It measures what comes, whatever was
// announced (CVE-2026-30961); what has come of too much is gone again.
func (r *Room) Put(ctx context.Context, p vpath.Path, from io.Reader, o files.PutOptions) (files.Node, bool, error) {
	if err := errors.Join(r.allows(ctx, p, p.Name(), o.Size), r.ownFolder(p)); err != nil {
		return files.Node{}, false, err
	}
	n, created, err := r.Window.Put(ctx, p, &measured{from: from, left: r.most(p.Name())}, o)
	return n, created, r.says(err, p.Name())
}

// Patch is Window.Patch within the link's limits: the version that it makes is a
// deposit as a whole.
func (r *Room) Patch(ctx context.Context, p vpath.Path, body io.Reader, o files.PatchOptions) (files.Node, error) {
	if err := errors.Join(r.allows(ctx, p, p.Name(), o.Size), r.ownFolder(p)); err != nil {
		return files.Node{}, err
	}
	if most := r.most(p.Name()); o.MaxSize == 0 || o.MaxSize > most {
		o.MaxSize = most
	}
	n, err := r.Window.Patch(ctx, p, body, o)
	return n, r.says(err, p.Name())
}

// Lock is Window.Lock: that of a free name makes a file.
func (r *Room) Lock(ctx context.Context, p vpath.Path, o files.LockOptions) (files.Lock, bool, error) {
	if _, err := r.Stat(ctx, p); errors.Is(err, fs.ErrNotExist) {
		if err := errors.Join(r.allows(ctx, p, p.Name(), 0), r.ownFolder(p)); err != nil {
			return files.Lock{}, false, err
		}
	}
	return r.Window.Lock(ctx, p, o)
}

// Mkdir is Window.Mkdir.
func (r *Room) Mkdir(ctx context.Context, p vpath.Path, g files.Guard) error {
	if err := r.ownFolder(p); err != nil {
		return err
	}
	return r.Window.Mkdir(ctx, p, g)
}

// Copy is Window.Copy: it makes files, and one of another kind of name.
func (r *Room) Copy(ctx context.Context, src, dst vpath.Path, o files.TransferOptions) (files.Landed, error) {
	if err := r.mayBring(ctx, src, dst, dst); err != nil {
		return files.Landed{}, err
	}
	l, err := r.Window.Copy(ctx, src, dst, o)
	return l, r.says(err, dst.Name())
}

// Move is Window.Move. What was deposited counts already, whatever its name is.
func (r *Room) Move(ctx context.Context, src, dst vpath.Path, o files.TransferOptions) (files.Landed, error) {
	counted, err := r.isCounted(ctx, src)
	switch {
	case err != nil:
	case counted:
		err = errors.Join(fitsType(r.v.link.Types, dst.Name()), r.ownFolder(dst))
	default:
		err = r.mayBring(ctx, src, dst, src)
	}
	if err != nil {
		return files.Landed{}, err
	}
	return r.Window.Move(ctx, src, dst, o)
}

// isCounted tells a deposit that came by this link, and no placeholder.
func (r *Room) isCounted(ctx context.Context, p vpath.Path) (bool, error) {
	full, found, err := r.full(p)
	if err != nil || !found {
		return false, err
	}
	d, found, err := r.v.s.State.DepositAt(ctx, full)
	return found && !d.IsPlaceholder() && d.Subject == linkSubject(r.v.link.ID), err
}

// mayBring judges what is copied or moved; in is whose place it takes.
func (r *Room) mayBring(ctx context.Context, src, dst, in vpath.Path) error {
	n, err := r.Stat(ctx, src)
	if err != nil {
		return nil //nolint:nilerr // the window says so
	}
	if !n.Dir {
		if err := r.allows(ctx, in, dst.Name(), n.Size); err != nil {
			return err
		}
	}
	return r.ownFolder(dst)
}

// ownFolder refuses what a depositor would put beside their own folder.
func (r *Room) ownFolder(p vpath.Path) error {
	if !r.v.link.Subfolders || r.v.data.Folder != "" && under(r.v.data.Folder, p) {
		return nil
	}
	return fault.Tell(fs.ErrPermission, "Each depositor has a folder of their own here: use the page, or curl -T FILE.")
}

func under(folder string, p vpath.Path) bool { return strings.HasPrefix(p.String(), folder+"/") }

// measured is a body that may not be longer than it may.
type measured struct {
	from io.Reader
	left int64
}

// Read is of io.Reader.
func (m *measured) Read(p []byte) (int, error) {
	n, err := m.from.Read(p)
	if m.left -= int64(n); m.left < 0 {
		return 0, fault.ErrTooLarge
	}
	return n, err
}

// Left is a file that was deposited, as its depositor may know it.
type Left struct {
	Node    files.Node
	Deposit DepositView
	Receipt []byte
}

// receiptKey is how the hook of a deposit finds who waits for its receipt.
type receiptKey struct{}

// noted hands a deposit to who made it.
func noted(ctx context.Context, d store.Deposit) {
	if to, ok := ctx.Value(receiptKey{}).(*store.Deposit); ok {
		*to = d
	}
}

// Deposit puts a file into p, a folder of the room, under its name or a free one
// beside it: what others have left is not replaced. Where each depositor has a
// folder of their own, it lies in that.
func (r *Room) Deposit(ctx context.Context, p vpath.Path, name string, from io.Reader, size int64, changed time.Time) (Left, error) {
	if err := r.allows(ctx, p, name, size); err != nil {
		return Left{}, wrap("deposit", err)
	}
	folder, err := r.folderFor(ctx, p)
	if err != nil {
		return Left{}, wrap("deposit", r.says(err, name))
	}
	at, err := r.freeName(ctx, folder, name)
	if err != nil {
		return Left{}, wrap("deposit", err)
	}
	var d store.Deposit
	n, _, err := r.Window.Put(context.WithValue(ctx, receiptKey{}, &d), at, &measured{from: from, left: r.most(name)},
		files.PutOptions{Size: size, ModTime: changed, Guard: files.Guard{NoneMatch: []string{"*"}}})
	if err != nil {
		return Left{}, wrap("deposit", r.says(err, name))
	}
	v := DepositView{ID: d.ID, Name: d.Name, Size: d.Size, Time: d.Time, SHA256: d.SHA256}
	return Left{Node: n, Deposit: v, Receipt: d.Receipt}, nil
}

// maxTwins is how many of one name are tried.
const maxTwins = 1000

// freeName is name in a folder, or the first of "name (2)" and so on that is free
// as the visitor sees it. Where they see nothing package files finds one.
func (r *Room) freeName(ctx context.Context, folder vpath.Path, name string) (vpath.Path, error) {
	stem, kind := strings.TrimSuffix(name, path.Ext(name)), path.Ext(name)
	for i := 1; i < maxTwins; i++ {
		one := name
		if i > 1 {
			one = fmt.Sprintf("%s (%d)%s", stem, i, kind)
		}
		p, err := folder.Child(one)
		if err != nil {
			return p, err
		}
		if _, err := r.Stat(ctx, p); errors.Is(err, fs.ErrNotExist) {
			return p, nil
		} else if err != nil {
			return p, err
		}
	}
	return vpath.Path{}, fault.Tell(fs.ErrExist, "There are too many files of this name; choose another.")
}

// folderFor is where a deposit into p goes.
func (r *Room) folderFor(ctx context.Context, p vpath.Path) (vpath.Path, error) {
	if !r.v.link.Subfolders || r.v.data.Folder != "" && (p.String() == r.v.data.Folder || under(r.v.data.Folder, p)) {
		return p, nil
	}
	if r.v.data.Folder != "" {
		own, err := vpath.Parse(r.v.data.Folder)
		if err == nil && p.Contains(own) {
			return own, nil
		}
	}
	return r.makeFolder(ctx, p)
}

// makeFolder makes the visitor's own folder, of their name and the day. One who
// has no cookie comes back to the folder of that name: nobody can tell who it was.
func (r *Room) makeFolder(ctx context.Context, p vpath.Path) (vpath.Path, error) {
	name := folderName(r.v.who.Name) + " " + r.v.s.Clock().In(r.v.s.Zone()).Format(time.DateOnly)
	for i := 1; i < maxTwins; i++ {
		one := name
		if i > 1 {
			one = fmt.Sprintf("%s (%d)", name, i)
		}
		own, err := p.Child(one)
		if err != nil {
			return own, err
		}
		taken, err := r.isOthers(ctx, own)
		if err == nil && !taken {
			err = r.Window.Mkdir(ctx, own, files.Guard{})
			taken = errors.Is(err, fs.ErrExist) || errors.Is(err, fault.ErrConflict)
		}
		switch {
		case taken && !r.v.Known():
			return own, nil
		case taken:
			continue
		case err != nil:
			return own, err
		case !r.v.Known():
			return own, nil
		}
		r.v.data.Folder = own.String()
		return own, r.v.s.State.Update(ctx, r.v.keep)
	}
	return vpath.Path{}, fault.Tell(fs.ErrExist, "There are too many folders of your name; write it differently.")
}

// isOthers tells a folder in which somebody else has left something. Where nothing
// is seen, a folder that is made again is the one that is there: two of one name
// would share it.
func (r *Room) isOthers(ctx context.Context, own vpath.Path) (bool, error) {
	full, found, err := r.full(own)
	if err != nil || !found {
		return false, err
	}
	left, err := r.v.s.State.DepositsBelow(ctx, full)
	return slices.ContainsFunc(left, func(d store.Deposit) bool { return !d.Gone && d.Owner != r.v.who.ID() }), err
}

// full is where a path of the room lies in the firm, which no visitor is told.
func (r *Room) full(p vpath.Path) (full vpath.Path, found bool, err error) {
	for _, m := range r.Mounts() {
		if m.Name == p.Top() && m.Dir {
			full, err = m.Grant.Path.Join(p.Tail())
			return full, err == nil, err
		}
	}
	return full, false, nil
}

// folderName makes a name that any system can have of what somebody typed.
func folderName(name string) string {
	name = strings.Map(func(r rune) rune {
		if strings.ContainsRune(`/\<>:"|?*`, r) {
			return '_'
		}
		return r
	}, name)
	if runes := []rune(strings.Trim(name, " .")); len(runes) > 0 {
		return string(runes[:min(len(runes), 60)])
	}
	return "Deposit"
}
