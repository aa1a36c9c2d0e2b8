package files

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"slices"
	"sync/atomic"

	"portico/acl"
	"portico/audit"
	"portico/backends"
	"portico/fault"
	"portico/store"
	"portico/vpath"
)

// Put stores body at p. created tells a new file from a replaced one. All that
// can refuse it is judged before the first byte of body is read, and once more
// before the file is published: meanwhile somebody may have locked it.
//
// A principal who may create and sees nothing there never meets an existing
// name: the file gets a free one, which Node tells.
func (t *Tree) Put(ctx context.Context, p vpath.Path, body io.Reader, o PutOptions) (n Node, created bool, err error) {
	t.s.uploads.Add(1)
	defer t.s.uploads.Add(-1)
	n, created, err = t.put(ctx, p, body, o)
	return n, created, t.refused(ctx, audit.Event{Action: audit.Put, Path: p.String()}, err)
}

// upload is one Put under way.
type upload struct {
	place
	info  backends.Info // what is there already
	found bool
	blind bool   // it is dropped where its sender sees nothing
	sent  string // the name that its sender gave it
	o     PutOptions
	done  func() // ends it

	// also, if set, goes with the record of the new file.
	also func(store.Tx, backends.Info) error
}

func (t *Tree) put(ctx context.Context, p vpath.Path, body io.Reader, o PutOptions) (Node, bool, error) {
	if err := t.mayChange(); err != nil {
		return Node{}, false, err
	}
	gone := t.s.gone.Load()
	u, err := t.mayPut(ctx, p, o)
	defer u.done()
	if err != nil {
		return Node{}, false, err
	}
	if isNoise(u.path) {
		return t.putNoise(ctx, u, body, gone)
	}
	gauge, err := t.s.reserve(ctx, u.space, u.info.Size, o.Size)
	if err != nil {
		return Node{}, false, err
	}
	defer gauge.done()
	info, err := t.upload(ctx, u, gauge, gone, func(ctx context.Context, o backends.PutOptions) (backends.Info, error) {
		return u.space.Backend.Put(ctx, u.inner, gauge.meter(body), o)
	})
	if err != nil {
		return Node{}, false, t.putFailed(u, err)
	}
	return t.node(u.path, info), !u.found, nil
}

// sender hands all of the bytes to the store.
type sender func(context.Context, backends.PutOptions) (backends.Info, error)

// upload lets send hand the bytes to the store, and records what has become of
// them. The path is held from the moment when all of them are there.
func (t *Tree) upload(ctx context.Context, u upload, g *gauge, gone int64, send sender) (info backends.Info, err error) {
	if isNoise(u.path) { // Put has a way of its own for it
		return info, noiseInPieces(u.path)
	}
	w := &writing{t: t, u: u, event: putEvent(u.path), release: func() {}}
	defer func() { w.release() }()
	undo, err := w.makeWay(ctx)
	if err != nil {
		return info, t.unmade(ctx, w.event, undo(), err)
	}
	sending, stop := context.WithCancelCause(backends.WithFence(ctx, w.stands))
	defer stop(nil)
	held := ctx
	info, err = send(sending, backends.PutOptions{
		Size: u.o.Size,
		Meta: backends.Meta{Creator: t.creator(u), ModTime: u.o.ModTime, ContentType: ContentType(u.path.Name())},
		If:   t.condition(u),
		Commit: func() (err error) {
			if held, err = w.hold(ctx, stop); err != nil {
				return err
			}
			return w.mayPublish(held, gone)
		},
	})
	if err != nil {
		return info, t.unmade(held, w.event, undo(), orLost(held, err))
	}
	g.stored(info.Size)
	return info, w.commit(held, info, g)
}

func putEvent(p vpath.Path) audit.Event { return audit.Event{Action: audit.Put, Path: p.String()} }

// writing is an upload on its way into the file store.
type writing struct {
	t       *Tree
	u       upload
	event   audit.Event
	release func() // of the path

	// held is the context of the claim, nil before. The file store asks for it, in
	// goroutines of its own.
	held atomic.Pointer[context.Context]
}

// stands is the fence of an upload, whose claim comes when the store has the body
// already.
func (w *writing) stands() error {
	if held := w.held.Load(); held != nil {
		return stillHeld(*held)
	}
	return nil
}

// makeWay is makeParents for a new file. Where that may make a folder, the intent
// comes before it: it is a change, too.
func (w *writing) makeWay(ctx context.Context) (undo func() bool, err error) {
	if w.u.found || w.t.view.SeesFolder(w.u.path.Parent()) {
		return nothingMade, nil
	}
	if w.event, err = w.t.intend(ctx, w.event); err != nil {
		return nothingMade, err
	}
	return w.t.makeParents(ctx, w.u.place, w.u.o.Guard)
}

// hold takes the path. A claim that is lost stops the publication.
func (w *writing) hold(ctx context.Context, stop context.CancelCauseFunc) (held context.Context, err error) {
	held, release, err := w.t.hold(ctx, w.u.path)
	if err != nil {
		return ctx, err
	}
	w.release = release
	standing := held
	w.held.Store(&standing)
	if claimOf(held) != nil {
		context.AfterFunc(held, func() { stop(context.Cause(held)) })
	}
	return held, nil
}

// mayPublish runs when all bytes are there and the path is held, right before the
// publication.
func (w *writing) mayPublish(ctx context.Context, gone int64) (err error) {
	if err := w.t.recheck(ctx, w.u, gone); err != nil {
		return err
	}
	if err := w.t.s.mark(ctx, w.u.path); err != nil {
		return err
	}
	if w.event.Intent == "" {
		w.event, err = w.t.intend(ctx, w.event)
	}
	if err != nil {
		return err
	}
	return stillHeld(ctx)
}

func (w *writing) commit(ctx context.Context, info backends.Info, g *gauge) error {
	w.event.Bytes, w.event.SHA256 = info.Size, info.SHA256
	also := func(tx store.Tx) error {
		err := errors.Join(g.keep(tx, info.Size), w.deposited(ctx, tx, info), w.renewProps(tx, info))
		if err != nil || w.u.also == nil {
			return err
		}
		return w.u.also(tx, info)
	}
	if w.u.found {
		return w.t.commit(ctx, w.event, also)
	}
	return w.t.commitNew(ctx, w.event, w.u.path, also)
}

// mayPut judges all but the body.
func (t *Tree) mayPut(ctx context.Context, p vpath.Path, o PutOptions) (upload, error) {
	u := upload{o: o, done: func() {}, sent: p.Name()}
	l, err := t.inside(p)
	if err != nil {
		return u, err
	}
	u.place = l
	if u.info, u.found, err = t.exists(ctx, l); err != nil {
		return u, err
	}
	if t.drops(l, u.info, u.found) {
		if l, err = t.dropInto(ctx, l); err != nil {
			return u, err
		}
		free, done, err := t.freeName(ctx, l)
		if err != nil {
			return u, err
		}
		u.place, u.info, u.found, u.blind, u.done = free, backends.Info{}, false, true, done
	}
	if err := t.mayWrite(ctx, u.place, u.info, u.found); err != nil {
		return u, err
	}
	if u.found && u.info.Dir {
		return u, fault.Tell(fault.ErrIsDir, "%s is a folder: a file cannot take its name", p)
	}
	if err := t.noTwinNow(ctx, u); err != nil {
		return u, err
	}
	if err := t.conditions(ctx, u); err != nil {
		return u, err
	}
	return u, t.mayLieThere(ctx, u)
}

// mayLieThere looks for the folder that a new file would lie in. The storage does so
// by itself, but some (S3) with the bytes in hand: a client that waits must be told first.
func (t *Tree) mayLieThere(ctx context.Context, u upload) error {
	up := u.parent()
	if !u.o.Waits || u.found || up.inner.IsRoot() || !t.view.SeesFolder(up.path) {
		return nil // the last: it may be made on the way
	}
	info, found, err := t.stored(ctx, up)
	if err == nil && (!found || !info.Dir) {
		err = t.putFailed(u, fault.ErrNoParent)
	}
	return err
}

// mayWrite judges the rights of one who puts a file at l, new or not.
func (t *Tree) mayWrite(ctx context.Context, l place, info backends.Info, found bool) error {
	if err := t.holdsWrite(ctx, l, info, found); err != nil {
		return err
	}
	if t.s.moves.touches(l.path) {
		return busyMoving(l.path)
	}
	return nil
}

func (t *Tree) holdsWrite(ctx context.Context, l place, info backends.Info, found bool) error {
	if !found {
		return t.needCreate(ctx, l)
	}
	if !t.sees(l.path, info) {
		// It exists and may not be known of. The same answer for a free name
		// where nothing may be created, and never a hint of what is there.
		if err := t.needCreate(ctx, l); err != nil {
			return err
		}
		return fault.Tell(fs.ErrPermission, "%s: this name cannot be used here, choose another one", l.path)
	}
	return t.need(acl.Write, l.path, info)
}

// noTwinNow is noFileTwin for a new file.
func (t *Tree) noTwinNow(ctx context.Context, u upload) error {
	if u.found || u.blind {
		return nil
	}
	return t.noFileTwin(ctx, u.place, nil)
}

// conditions judges the request's own conditions and the locks in the way.
func (t *Tree) conditions(ctx context.Context, u upload) error {
	if err := t.checkIf(ctx, u.path, u.o.Guard); err != nil {
		return err
	}
	if err := checkMatch(u.o.Guard, u.info, u.found); err != nil {
		return err
	}
	return t.checkLocks(ctx, t.s.State, u.o.Guard, scope{path: u.path, member: !u.found})
}

// recheck runs when all bytes are there, with the path held.
func (t *Tree) recheck(ctx context.Context, u upload, gone int64) error {
	if t.s.shared || t.s.gone.Load() != gone {
		if err := t.stillThere(ctx, u); err != nil {
			return err
		}
	}
	now, err := t.s.tree(ctx, t.who)
	if err != nil {
		return err
	}
	if err := now.mayWrite(ctx, u.place, u.info, u.found); err != nil {
		return err // the rules changed during the upload
	}
	if err := t.noTwinNow(ctx, u); err != nil {
		return err
	}
	return t.checkLocks(ctx, t.s.State, u.o.Guard, scope{path: u.path, member: !u.found})
}

// stillThere looks again at what was there before the upload: an upload neither
// brings back a folder that was deleted meanwhile nor takes the place of a new
// file that is somebody else's.
func (t *Tree) stillThere(ctx context.Context, u upload) error {
	there, found, err := t.stored(ctx, u.parent())
	switch {
	case err != nil:
		return err
	case !found || !there.Dir:
		return fault.ErrNoParent
	case !u.found:
		return nil
	}
	if there, found, err = t.exists(ctx, u.place); err == nil && (!found || there.Creator != u.info.Creator) {
		err = fault.ErrPrecondition
	}
	return err
}

// condition is what the backend shall check together with the publication.
func (t *Tree) condition(u upload) backends.Condition {
	g := u.o.Guard
	if !u.found {
		// Another upload may make the file meanwhile. One who may also replace it
		// wins as the last writer; one who may not must not.
		first := u.blind || slices.Contains(g.NoneMatch, "*") || !t.view.Decide(acl.Write, u.path, "").Allowed()
		return backends.Condition{NotExist: first}
	}
	// The right may hang on this very file's creator, or not reach to making it
	// anew if it ends meanwhile.
	only := !t.view.Decide(acl.Write, u.path, "").Allowed() || !t.view.Decide(acl.Create, u.path.Parent(), "").Allowed()
	if only || g.Match != nil || g.NoneMatch != nil || !g.UnmodifiedSince.IsZero() || hasETag(g.If) {
		return backends.Condition{ETag: u.info.ETag}
	}
	return backends.Condition{}
}

func hasETag(lists []List) bool {
	for _, l := range lists {
		for _, c := range l.Conditions {
			if c.ETag != "" && !c.Not {
				return true
			}
		}
	}
	return false
}

// creator is who the file belongs to for the :own rights: who made it first.
func (t *Tree) creator(u upload) string {
	if u.found {
		return u.info.Creator
	}
	return t.who.ID()
}

func (t *Tree) putFailed(u upload, err error) error {
	switch {
	case errors.Is(err, fault.ErrNoParent), errors.Is(err, fault.ErrNotDir):
		// A file where the folder should be is not told apart: it may be hidden.
		return fault.Tell(fault.ErrNoParent, "the folder %s does not exist: make it first", u.path.Parent())
	case errors.Is(err, fault.ErrQuota) && fault.Told(err) == "":
		return fault.Tell(err, "the storage is full: nothing was saved, and the old file is as it was")
	case errors.Is(err, fault.ErrPrecondition) && fault.Told(err) == "":
		return fault.Tell(err, "%s was changed by somebody else during the upload: nothing was saved", u.path)
	}
	return err
}
