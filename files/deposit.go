package files

import (
	"cmp"
	"context"
	"errors"
	"strings"

	"portico/acl"
	"portico/backends"
	"portico/store"
	"portico/vpath"
)

// A deposit is a file that somebody from outside left, with its receipt. Once
// anybody else has read it, who left it may no longer take it back: what was read
// cannot be made unread. But to be opened by the firm is another thing, which its
// sender waits for: that it is told of only when somebody who works there did.
//
// A lock of theirs on a free name makes an empty file, since clients lock before
// they send (davfs2, Windows, macOS, LibreOffice). That is a placeholder: nobody
// is told of it, it has no receipt, and it counts where deposits are counted, as
// long as it stands. What is put there then is the deposit. An empty file that a drive
// puts under a free name is the same: Windows and macOS send one ahead of the bytes
// (WEBDAV.md §2.1 W3, §2.2 M1).
//
// What programs keep for themselves (vpath.Path.IsForPrograms) is no deposit, and to
// open it is no news: it stands as a placeholder as long as it lives. A deposit that
// is renamed to such a name stays one, or else that would hide who reads it.

// viaDrive is Principal.Via of who comes by WebDAV.
const viaDrive = "dav"

// deposited keeps what an upload means for deposits. What the firm writes over a
// deposit makes it the firm's as well.
func (w *writing) deposited(ctx context.Context, tx store.Tx, info backends.Info) error {
	t := w.t
	if t.who.isOutside() && t.who.Via == viaDrive && info.Size == 0 && !w.u.found {
		return t.holdPlace(ctx, tx, w.u.path, 0)
	}
	if t.who.isOutside() {
		return t.deposit(ctx, tx, w.u.path, w.u.sent, info)
	}
	if !w.u.found || !isOutside(w.u.info.Creator) {
		return nil
	}
	_, err := t.openDeposit(ctx, tx, w.u.path)
	return err
}

// depositedAll is the same for a copy.
func (t *Tree) depositedAll(ctx context.Context, tx store.Tx, x *transfer) error {
	if !t.who.isOutside() {
		return t.copiedOver(ctx, tx, x)
	}
	for _, m := range x.atTarget() {
		if m.info.Dir {
			continue
		}
		name := m.path.Name()
		if m.path == x.dst.path {
			name = x.sent // a free name would tell what is there
		}
		if err := t.deposit(ctx, tx, m.path, name, m.info); err != nil {
			return err
		}
	}
	return nil
}

// copiedOver makes a deposit that the firm has copied over the firm's.
func (t *Tree) copiedOver(ctx context.Context, tx store.Tx, x *transfer) error {
	if !x.replaces() || !isOutside(x.old[0].info.Creator) {
		return nil
	}
	_, err := t.openDeposit(ctx, tx, x.dst.path)
	return err
}

// deposit tells of one file. An older one of the same name is gone, but for one
// that was opened: a new version must not be a way to take back what was read.
func (t *Tree) deposit(ctx context.Context, tx store.Tx, p vpath.Path, sent string, info backends.Info) error {
	if p.IsForPrograms() {
		return t.holdPlace(ctx, tx, p, info.Size)
	}
	older, err := tx.DepositsBelow(ctx, p)
	if err != nil || t.s.Deposited == nil {
		return err
	}
	id := ""
	for _, d := range older {
		if d.Gone || !d.Opened.IsZero() {
			continue
		}
		if d.IsPlaceholder() {
			id = d.ID // the deposit takes its row
			continue
		}
		d.Gone = true
		if err := tx.PutDeposit(d); err != nil {
			return err
		}
	}
	return t.s.Deposited(ctx, tx, store.Deposit{
		ID: id, Path: p, Owner: t.who.ID(), Subject: t.who.Subject(), By: t.who.Name, Mail: t.who.mail,
		Grant: t.grantFor(p), Name: sent, Size: info.Size, SHA256: info.SHA256, Time: t.now(),
	})
}

// holdPlace tells of the empty file that a lock of somebody from outside has made, or
// of what their programs keep for themselves.
func (t *Tree) holdPlace(ctx context.Context, tx store.Tx, p vpath.Path, size int64) error {
	if !t.who.isOutside() || t.s.Deposited == nil {
		return nil
	}
	there, _, err := tx.DepositAt(ctx, p)
	if err != nil {
		return err
	}
	id := ""
	if there.IsPlaceholder() {
		id = there.ID
	}
	return t.s.Deposited(ctx, tx, store.Deposit{
		ID: id, Path: p, Owner: t.who.ID(), Subject: t.who.Subject(), By: t.who.Name, Mail: t.who.mail, Grant: t.grantFor(p), Size: size, Time: t.now(),
	})
}

// becomesDeposit tells of what somebody from outside gives the name of a document,
// when it was none: some editors write to a file of their own first, and rename it.
// What stood on the source has moved along before.
func (t *Tree) becomesDeposit(ctx context.Context, tx store.Tx, x *transfer) error {
	if !t.who.isOutside() || !x.isPromoted() {
		return nil
	}
	if d, found, err := tx.DepositAt(ctx, x.dst.path); err != nil || found && !d.IsPlaceholder() {
		return err // it was one before it got that name
	}
	return t.deposit(ctx, tx, x.dst.path, x.sent, x.all[0].info)
}

// isPromoted tells a file of a program that gets another name. That may be refused
// when it has arrived, since there are limits of deposits, or go back after a crash,
// whoever moves it (see owed): so what it replaces must be there yet.
func (x *transfer) isPromoted() bool { return !x.dir() && x.src.path.IsForPrograms() }

// grantFor is the nearest grant to the principal by which they could put
// something at p, "" for none.
func (t *Tree) grantFor(p vpath.Path) (id string) {
	depth := 0
	for _, g := range t.s.grantsTo(t.who) {
		role, ok := acl.RoleNamed(g.Role)
		able := ok && (role.Rights.HasOwn(acl.Create) || role.Rights.HasOwn(acl.Write))
		if able && g.Path.Contains(p) && g.Path.Depth() > depth {
			id, depth = g.ID, g.Path.Depth()
		}
	}
	return id
}

// grantsTo are the accepted grants that name a principal, the oldest first.
func (s *Service) grantsTo(who Principal) []store.Grant {
	if known := s.grants.now.Load(); known != nil {
		return known.to[who.acl.Self]
	}
	return nil
}

// mayTakeBack refuses to one from outside to delete or to move away what somebody
// has read.
func (t *Tree) mayTakeBack(ctx context.Context, p vpath.Path) error {
	if !t.who.isOutside() {
		return nil
	}
	list, err := t.s.State.DepositsBelow(ctx, p)
	if err != nil {
		return unclaimed(ctx, err)
	}
	for _, d := range list {
		if !d.Gone && !d.Opened.IsZero() {
			return (&takenBackError{d.Path}).tell()
		}
	}
	return nil
}

// opened keeps that p was read, where that is news: a deposit by somebody else, or
// something given by its recipient. It is no reason to refuse the reading.
func (t *Tree) opened(ctx context.Context, p vpath.Path, info backends.Info) {
	if t.as != nil {
		return
	}
	deposit := isOutside(info.Creator) && info.Creator != t.who.ID() && t.isNews(ctx, p)
	grants := t.unopened(p)
	if !deposit && len(grants) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	err := t.s.State.Update(ctx, func(tx store.Tx) error { return t.tellOpened(ctx, tx, p, deposit, grants) })
	if err == nil && len(grants) > 0 {
		err = t.s.grants.read(ctx)
	}
	if err != nil {
		t.s.Log.ErrorContext(ctx, "nobody is told of the first opening", "path", p, "err", err)
	}
}

// isNews tells whether there is a deposit at p that nobody has opened. To read an
// empty placeholder is none: its owner must still be able to fill it.
func (t *Tree) isNews(ctx context.Context, p vpath.Path) bool {
	d, found, err := t.s.State.DepositAt(ctx, p)
	return err == nil && found && !d.IsPlaceholder() && d.Owner != t.who.ID() && t.opensFirst(d)
}

// opensFirst tells whether it is news that the principal opens d: nobody has, or
// nobody of the firm to whom the principal belongs.
func (t *Tree) opensFirst(d store.Deposit) bool {
	return d.Opened.IsZero() || d.OpenedBy == "" && !t.who.isOutside()
}

// unopened are the grants to the principal that give p, and of which they have
// opened nothing yet.
func (t *Tree) unopened(p vpath.Path) (ids []string) {
	if p.IsForPrograms() { // Explorer and Finder read these by themselves
		return nil
	}
	for _, g := range t.s.grantsTo(t.who) {
		if g.Opened.IsZero() && g.Path.Contains(p) {
			ids = append(ids, g.ID)
		}
	}
	return ids
}

func (t *Tree) tellOpened(ctx context.Context, tx store.Tx, p vpath.Path, deposit bool, grants []string) error {
	var news []Opening
	if deposit {
		d, err := t.openDeposit(ctx, tx, p)
		if err != nil {
			return err
		}
		if d != nil {
			news = append(news, Opening{Deposit: d, By: t.who.Name, Path: p})
		}
	}
	for _, id := range grants {
		g, found, err := tx.GrantByID(ctx, id)
		if err != nil {
			return err
		}
		if !found || !g.Opened.IsZero() { // another process was first
			continue
		}
		g.Opened = t.now()
		if err := tx.PutGrant(g); err != nil {
			return err
		}
		news = append(news, Opening{Grant: &g, By: t.who.Name, Path: p})
	}
	var failed error
	for _, o := range news {
		if t.s.Opened != nil {
			failed = errors.Join(failed, t.s.Opened(ctx, tx, o))
		}
	}
	return failed
}

// openDeposit marks the deposit at p as opened by the principal; nil if that is no
// news.
func (t *Tree) openDeposit(ctx context.Context, tx store.Tx, p vpath.Path) (*store.Deposit, error) {
	d, found, err := tx.DepositAt(ctx, p)
	if err != nil || !found || d.IsPlaceholder() && p.IsForPrograms() || !t.opensFirst(d) {
		return nil, err
	}
	d.Opened = t.now()
	if !t.who.isOutside() {
		_, login, _ := strings.Cut(t.who.Subject(), ":")
		d.OpenedBy = cmp.Or(t.who.Name, login)
	}
	return &d, tx.PutDeposit(d)
}
