package files

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"slices"
	"time"

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
	blind bool // it is dropped where its sender sees nothing
	o     PutOptions
	done  func() // ends it
}

func (t *Tree) put(ctx context.Context, p vpath.Path, body io.Reader, o PutOptions) (Node, bool, error) {
	gone := t.s.gone.Load()
	u, err := t.mayPut(ctx, p, o)
	defer u.done()
	if err != nil {
		return Node{}, false, err
	}
	gauge, err := t.s.reserve(ctx, u.space, u.info.Size, o.Size)
	if err != nil {
		return Node{}, false, err
	}
	defer gauge.done()
	info, release, err := t.upload(ctx, u, gauge.meter(body), gone)
	defer release()
	if err != nil {
		return Node{}, false, t.putFailed(u, err)
	}
	gauge.stored(info.Size)
	event := audit.Event{Action: audit.Put, Path: u.path.String(), Bytes: info.Size, SHA256: info.SHA256}
	err = t.commit(ctx, event, func(tx store.Tx) error {
		if u.found {
			return nil
		}
		return tx.DropProps(u.path) // a new thing under an old name inherits nothing
	})
	return t.node(u.path, info), !u.found, err
}

// upload hands the body to the store. The path is held from the moment when all
// of the body is there; release lets it go.
func (t *Tree) upload(ctx context.Context, u upload, body io.Reader, gone int64) (info backends.Info, release func(), err error) {
	release = func() {}
	undo := func() {}
	if !u.found {
		if undo, err = t.makeParents(ctx, u.place, u.o.Guard); err != nil {
			return info, release, err
		}
	}
	info, err = u.space.Backend.Put(ctx, u.inner, body, backends.PutOptions{
		Size: u.o.Size,
		Meta: backends.Meta{Creator: t.creator(u), ModTime: u.o.ModTime, ContentType: contentType(u.path.Name())},
		If:   t.condition(u),
		Commit: func() error {
			letGo, err := t.hold(ctx, u.path)
			if err != nil {
				return err
			}
			release = letGo
			return t.recheck(ctx, u, gone)
		},
	})
	if err != nil {
		undo()
	}
	return info, release, err
}

// patience is how long an upload that is all there waits for its path.
const patience = 30 * time.Second

// hold takes an upload's path. It does not wait for ever: meanwhile the upload
// keeps what it has of the memory for all uploads, and a move between workspaces,
// which the path may wait for, needs some of that itself.
func (t *Tree) hold(ctx context.Context, p vpath.Path) (release func(), err error) {
	bounded, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	release, err = t.s.paths.acquire(bounded, nil, p)
	if err != nil && ctx.Err() == nil {
		err = fault.Tell(fault.ErrUnavailable, "%s is being moved or changed by somebody else: nothing was saved, try again shortly", p)
	}
	return release, err
}

// mayPut judges all but the body.
func (t *Tree) mayPut(ctx context.Context, p vpath.Path, o PutOptions) (upload, error) {
	u := upload{o: o, done: func() {}}
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
		u = upload{place: free, blind: true, o: o, done: done}
	}
	if err := t.mayWrite(ctx, u.place, u.info, u.found); err != nil {
		return u, err
	}
	if u.found && u.info.Dir {
		return u, fault.Tell(fault.ErrIsDir, "%s is a folder: a file cannot take its name", p)
	}
	return u, t.conditions(ctx, u)
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
	if t.s.gone.Load() != gone {
		if err := t.stillThere(ctx, u); err != nil {
			return err
		}
	}
	if err := t.s.As(t.who).mayWrite(ctx, u.place, u.info, u.found); err != nil {
		return err // the rules changed during the upload
	}
	return t.checkLocks(ctx, t.s.State, u.o.Guard, scope{path: u.path, member: !u.found})
}

// stillThere looks again at what was there before the upload: an upload neither
// brings back a folder that was deleted meanwhile nor gives a new file to the
// creator of the one that it was to replace.
func (t *Tree) stillThere(ctx context.Context, u upload) error {
	up, found, err := t.exists(ctx, u.parent())
	switch {
	case err != nil:
		return err
	case !found || !up.Dir:
		return fault.ErrNoParent
	case !u.found:
		return nil
	}
	if _, found, err = t.exists(ctx, u.place); err == nil && !found {
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
	return t.who.acl.ID
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
