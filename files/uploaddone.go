package files

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"

	"portico/backends"
	"portico/fault"
	"portico/store"
	"portico/vpath"
)

// mayUpload judges an upload to p, as mayPut does. Where a file has the name
// already it depends: a new upload asks, chooses a free name or replaces it; one
// that is under way has answered that, and who made a file of its name meanwhile
// keeps theirs.
func (t *Tree) mayUpload(ctx context.Context, p vpath.Path, size int64, n notes, begins bool) (upload, error) {
	none := upload{done: func() {}}
	o := PutOptions{Size: size, ModTime: n.ModTime}
	l, err := t.inside(p)
	if err != nil {
		return none, err
	}
	info, found, err := t.exists(ctx, l)
	if err != nil {
		return none, err
	}
	if !begins && t.drops(l, info, found) {
		// The name that was free when it began is counted on from its sender's.
		sent, err := l.parent().child(n.Name)
		if err != nil {
			return none, err
		}
		return t.mayPut(ctx, sent.path, dropOptions(o))
	}
	seen := found && t.sees(p, info)
	switch {
	case n.Found && (!seen || info.Dir || info.Creator != n.Creator):
		// The bytes carry the name of who made the old file.
		return none, fault.Tell(fault.ErrPrecondition, "%s was changed by somebody else during the upload: begin it again", p)
	case seen && !n.Found && (!begins || n.Exists == ExistsKeep):
		return t.mayPutBeside(ctx, l, o)
	case seen && begins && n.Exists == ExistsAsk:
		return none, fault.Tell(fs.ErrExist, "%s exists already: keep both, or replace it", p)
	case n.Exists != ExistsReplace:
		o.Guard.NoneMatch = []string{"*"} // also at the moment of publication
	}
	return t.mayPut(ctx, p, o)
}

// dropOptions are those of an upload that replaces nothing.
func dropOptions(o PutOptions) PutOptions {
	o.Guard.NoneMatch = []string{"*"}
	return o
}

// mayPutBeside judges a new file beside the one at l.
func (t *Tree) mayPutBeside(ctx context.Context, l place, o PutOptions) (upload, error) {
	o.Guard.NoneMatch = []string{"*"}
	u := upload{place: l, o: o, done: func() {}}
	free, done, err := t.freeName(ctx, l)
	if err != nil {
		return u, err
	}
	u.place, u.done = free, done
	if err := t.mayWrite(ctx, u.place, u.info, u.found); err != nil {
		return u, err
	}
	return u, t.conditions(ctx, u)
}

// complete publishes an upload that is all there. again tells that it was tried
// before: then it may be published already, by a process that died before it
// could say so.
func (t *Tree) complete(ctx context.Context, row store.Upload, n notes, again bool) (UploadState, error) {
	if n.Done {
		return stateOf(row, n), nil
	}
	h, err := n.sum()
	if err != nil {
		return stateOf(row, n), err
	}
	f := &finishing{t: t, row: row, notes: n, sum: hex.EncodeToString(h.Sum(nil))}
	if again {
		if done, err := f.recover(ctx); done || err != nil {
			return f.state(), err
		}
	}
	err = f.insist(ctx)
	return f.state(), err
}

// insist publishes, under the next free name where somebody was quicker with one
// that nobody asked for.
func (f *finishing) insist(ctx context.Context) error {
	const tries = 3
	for i := 1; ; i++ {
		err := f.publish(ctx)
		quicker := f.taken && errors.Is(err, fault.ErrPrecondition) // somebody was, with the name
		if i < tries && quicker {
			continue
		}
		if quicker && f.blind {
			err = plain(fault.ErrUnavailable, "the file has arrived and could not be stored yet: try again in a moment")
		}
		return err
	}
}

// finishing is an upload on its way into the tree.
type finishing struct {
	t     *Tree
	row   store.Upload
	notes notes
	sum   string
	node  *Node
	next  store.Upload // the row of one that is complete, with its notes
	ended notes
	taken bool // the name may have been taken in the last moment
	blind bool // of that its owner must not hear

	chunks *chunkEnd // of an upload in chunks, else nil
}

// may judges the publication.
func (f *finishing) may(ctx context.Context) (upload, error) {
	if f.chunks != nil {
		return f.chunks.may(ctx)
	}
	return f.t.mayUpload(ctx, f.row.Path, f.row.Size, f.notes, false)
}

func (f *finishing) state() UploadState {
	st := stateOf(f.row, f.notes)
	if f.node != nil {
		st.Node = f.node
	}
	return st
}

func (f *finishing) publish(ctx context.Context) error {
	gone := f.t.s.gone.Load()
	u, err := f.may(ctx)
	defer func() { u.done() }()
	if err != nil {
		return err
	}
	f.taken, f.blind = !u.found, u.blind
	stager, err := u.stager()
	if err != nil && f.chunks == nil {
		return err
	}
	if err := f.rename(ctx, u); err != nil {
		return err
	}
	g, err := f.t.s.reserve(ctx, u.space, u.info.Size, f.row.Size)
	if err != nil {
		return err
	}
	defer g.done()
	u.also, u.sent = f.record(ctx, u), f.notes.Name
	info, err := f.t.upload(ctx, u, g, gone, func(ctx context.Context, o backends.PutOptions) (backends.Info, error) {
		o.SHA256 = f.sum
		if f.chunks != nil {
			return f.chunks.send(ctx, f.row.Handle, u, o)
		}
		return stager.Finish(ctx, f.row.Handle, u.inner, o)
	})
	if err != nil {
		return f.failed(ctx, u, err)
	}
	f.done(u, info)
	return nil
}

// rename notes another name before it is used: recover looks for it.
func (f *finishing) rename(ctx context.Context, u upload) error {
	if f.chunks != nil {
		return f.chunks.note(ctx, f, u)
	}
	n, row := f.notes, f.row
	if n.As = u.path.String(); u.path == row.Path {
		n.As = ""
	}
	if n.As == f.notes.As {
		return nil
	}
	err := f.t.s.State.Update(ctx, func(tx store.Tx) error { return f.t.putUpload(tx, &row, n) })
	if err == nil {
		f.row, f.notes = row, n
	}
	return unwritten(err)
}

// record goes with the record of the new file. The row stays for a while, for a
// client whose connection broke before it had the answer.
func (f *finishing) record(ctx context.Context, u upload) func(store.Tx, backends.Info) error {
	return func(tx store.Tx, info backends.Info) error {
		n, row := f.notes, f.row
		n.Done, n.Sum, n.As, row.Handle, row.Path = true, nil, "", "", u.path
		d, ok, err := tx.DepositAt(ctx, u.path)
		if err != nil {
			return err
		}
		if ok && !d.IsPlaceholder() && d.Owner == f.t.who.ID() && d.SHA256 == info.SHA256 {
			n.Receipt = d.ID
		}
		f.next, f.ended = row, n
		if f.chunks != nil {
			return f.chunks.record(ctx, tx, row, n)
		}
		return f.t.putUpload(tx, &f.next, n)
	}
}

func (f *finishing) done(u upload, info backends.Info) {
	node := f.t.node(u.path, info)
	f.node, f.row, f.notes = &node, f.next, f.ended
}

// failed is what the owner is told. The upload stays, and can be completed when
// what is in its way is gone.
func (f *finishing) failed(ctx context.Context, u upload, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fault.ErrNoParent):
		if f.chunks != nil {
			_ = f.t.s.dropChunks(ctx, f.t.r, f.row.ID, nil)
			return errNoUpload()
		}
		_ = f.t.purge(ctx, f.row)
		return errNoUpload()
	case errors.Is(err, fault.ErrConflict) && fault.Told(err) == "":
		// See backends.Stager: the bytes are bound to the name of the beginning.
		return plain(errors.Join(fs.ErrExist, err),
			"somebody has made a file of this name during the upload: rename or delete that one, and go on with the upload")
	}
	return f.t.putFailed(u, err)
}

// recover finds the file that an earlier try has made, and records it.
func (f *finishing) recover(ctx context.Context) (done bool, err error) {
	at := f.row.Path
	if f.notes.As != "" {
		if at, err = vpath.Parse(f.notes.As); err != nil {
			return false, err
		}
	}
	l, err := f.t.inside(at)
	if err != nil {
		return false, err
	}
	if f.chunks != nil && !f.chunks.isBeside(l) {
		return false, nil // it was copied: whether it was all done nobody can tell
	}
	stager, err := l.stager()
	if err != nil {
		return false, err
	}
	o := backends.PutOptions{Size: f.row.Size, Meta: backends.Meta{SHA256: f.sum}}
	info, ok, err := stager.Finished(ctx, f.row.Handle, l.inner, o)
	if err != nil || !ok {
		return false, err
	}
	held, release, err := f.t.hold(ctx, l.path)
	if err != nil {
		return false, err
	}
	defer release()
	g, err := f.t.s.reserve(held, l.space, 0, 0)
	if err != nil {
		return false, fmt.Errorf("files: upload: %w", err)
	}
	defer g.done()
	u := upload{place: l, found: f.notes.Found, info: info, sent: f.notes.Name}
	u.also = f.record(held, u)
	w := &writing{t: f.t, u: u, event: putEvent(l.path)}
	if err := w.commit(held, info, g); err != nil {
		return false, err
	}
	f.done(u, info)
	return true, nil
}
