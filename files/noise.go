package files

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"

	"portico/audit"
	"portico/backends"
	"portico/fault"
	"portico/store"
	"portico/vpath"
)

// What macOS puts beside files for itself (vpath.Path.Accompanies) lies in the
// state and not among them. At its own address it can be written, read, locked and
// removed as a file of that name, by who may do so there; no listing has it, and
// no quota, deposit or audit counts it. It goes where its file goes.

const (
	noiseLargest = 1 << 20 // of one; the usual ones have 4 to 20 KiB
	noiseLasts   = 90 * 24 * time.Hour

	// noiseAll is for a workspace; people from outside may fill a part of it.
	noiseAll     = 256 << 20
	noiseOutside = 64 << 20

	// noiseGhost is how long what accompanied a file is still found at its old
	// place. macOS renames a, and then ._a by itself: where it does not find it, it
	// removes the new ._a, as far as is known (rename in XNU, kpi_vfs.c), and with it what
	// a had.
	noiseGhost = time.Minute
)

// isNoise tells a path of it.
func isNoise(p vpath.Path) bool {
	_, _, ok := p.Accompanies()
	return ok
}

// silent tells an event that is none of a file, and is recorded only if it is a
// refusal. It is asked with each event: the name alone rules most of them out.
func silent(path string) bool {
	name := path[strings.LastIndexByte(path, '/')+1:]
	if !strings.HasPrefix(name, "._") && name != ".DS_Store" {
		return false
	}
	p, err := vpath.Parse(path)
	return err == nil && isNoise(p)
}

// shows tells whether a listing has p.
func (t *Tree) shows(p vpath.Path, dir bool) bool {
	if people := t.who.Via == "page" || t.who.Via == "api"; people && !isPeoples(p, dir) {
		return !p.IsForPrograms()
	}
	return !isNoise(p)
}

// statNoise is stat for it. It asks no file store.
func (t *Tree) statNoise(ctx context.Context, l place) (backends.Info, error) {
	n, err := t.s.noiseAt(ctx, l.path)
	return noiseInfo(l.path, n), err
}

func (s *Service) noiseAt(ctx context.Context, p vpath.Path) (store.Noise, error) {
	of, name, _ := p.Accompanies()
	n, found, err := s.State.NoiseAt(ctx, of, name, s.Clock())
	if err == nil && !found {
		err = notFound(p)
	}
	return n, err
}

func noiseInfo(p vpath.Path, n store.Noise) backends.Info {
	return backends.Info{
		Name: p.Name(), Size: int64(len(n.Body)), ModTime: n.Changed, Created: n.Created, ETag: n.ETag,
		Meta: backends.Meta{Creator: n.Creator, ModTime: n.Changed},
	}
}

// openNoise is openSteady for it. What is read lasts longer; a ghost does not.
func (t *Tree) openNoise(ctx context.Context, l place, r Range) (io.ReadCloser, backends.Info, error) {
	n, err := t.s.noiseAt(ctx, l.path)
	if err != nil {
		return nil, backends.Info{}, err
	}
	info := noiseInfo(l.path, n)
	off, size, ok := r.Resolve(info.Size)
	if !ok {
		return nil, info, fault.ErrRange
	}
	if left := n.Expires.Sub(t.now()); left > noiseGhost && left < noiseLasts-24*time.Hour {
		n.Expires = t.now().Add(noiseLasts)
		if err := t.s.State.Update(ctx, func(tx store.Tx) error { return tx.PutNoise(n) }); err != nil {
			t.s.Log.WarnContext(ctx, "what a client keeps for itself was read and may end too soon", "path", l.path, "err", err)
		}
	}
	return io.NopCloser(bytes.NewReader(n.Body[off : off+size])), info, nil
}

// putNoise is the rest of a Put that has been judged.
func (t *Tree) putNoise(ctx context.Context, u upload, body io.Reader, gone int64) (Node, bool, error) {
	if up, found, err := t.stored(ctx, u.parent()); err != nil || !found || !up.Dir {
		return Node{}, false, t.putFailed(u, errors.Join(err, fault.ErrNoParent))
	}
	data, err := readNoise(u, body)
	if err != nil {
		return Node{}, false, err
	}
	held, release, err := t.hold(ctx, u.path)
	if err != nil {
		return Node{}, false, err
	}
	defer release()
	if err := t.recheck(held, u, gone); err != nil {
		return Node{}, false, err
	}
	info, err := t.keepNoise(held, u, data, func(store.Tx) error { return nil })
	if err != nil {
		return Node{}, false, t.putFailed(u, orLost(held, err))
	}
	return t.node(u.path, info), !u.found, nil
}

func readNoise(u upload, body io.Reader) ([]byte, error) {
	tooLarge := fault.Tell(fault.ErrQuota, "%s: files that macOS keeps for itself may have %d bytes", u.path, noiseLargest)
	if u.o.Size > noiseLargest {
		return nil, tooLarge
	}
	data, err := io.ReadAll(io.LimitReader(body, noiseLargest+1))
	if err == nil && len(data) > noiseLargest {
		err = tooLarge
	}
	return data, err
}

// keepNoise writes it, if the condition of the upload holds.
func (t *Tree) keepNoise(ctx context.Context, u upload, data []byte, also func(store.Tx) error) (backends.Info, error) {
	etag, err := t.s.token()
	if err != nil {
		return backends.Info{}, err
	}
	of, name, _ := u.path.Accompanies()
	now := t.now()
	n := store.Noise{
		Of: of, Name: name, Creator: t.creator(u), ETag: etag, Body: data, Created: now, Changed: u.o.ModTime, Expires: now.Add(noiseLasts),
	}
	if n.Changed.IsZero() {
		n.Changed = now
	}
	if u.found {
		n.Created = u.info.Created
	}
	cond := t.condition(u)
	err = t.s.update(ctx, func(tx store.Tx) error {
		if err := tx.DropExpiredNoise(now); err != nil {
			return err
		}
		old, found, err := tx.NoiseAt(ctx, of, name, now)
		if err != nil {
			return err
		}
		if cond.NotExist && found || cond.ETag != "" && (!found || old.ETag != cond.ETag) {
			return fault.ErrPrecondition
		}
		if err := t.noiseFits(ctx, tx, u.path, int64(len(data)-len(old.Body))); err != nil {
			return err
		}
		return errors.Join(tx.PutNoise(n), also(tx))
	})
	return noiseInfo(u.path, n), err
}

// noiseFits bounds what is kept for clients: it counts in no quota. It sums a whole
// workspace while nobody else can write, and so is asked only where there is more.
func (t *Tree) noiseFits(ctx context.Context, tx store.Tx, p vpath.Path, more int64) error {
	if more <= 0 {
		return nil
	}
	used, err := tx.NoiseSize(ctx, top(p))
	if err == nil && used+more > t.noiseBound() {
		err = fault.Tell(fault.ErrQuota, "there is no more room for the files that macOS keeps for itself: delete ._ files that nobody needs, or go on without them")
	}
	return err
}

func (t *Tree) noiseBound() int64 {
	if t.who.isOutside() {
		return noiseOutside
	}
	return noiseAll
}

// boundNoise is noiseFits for what came along with a file. The file counts: it goes
// on without, rather than not at all.
func (t *Tree) boundNoise(ctx context.Context, tx store.Tx, p vpath.Path) error {
	came, err := tx.NoiseSize(ctx, p)
	if err != nil || came == 0 {
		return err
	}
	used, err := tx.NoiseSize(ctx, top(p))
	if err == nil && used > t.noiseBound() {
		err = tx.DropBodiesBelow(p)
	}
	return err
}

// timeNoise sets the time that a client has for it, as setModTime does for a file.
func (t *Tree) timeNoise(ctx context.Context, tx store.Tx, p vpath.Path, changed time.Time) error {
	of, name, _ := p.Accompanies()
	n, found, err := tx.NoiseAt(ctx, of, name, t.now())
	switch {
	case err != nil:
		return err
	case !found:
		return notFound(p)
	}
	n.Changed = changed
	return tx.PutNoise(n)
}

// touchNoise is touch for it.
func (t *Tree) touchNoise(ctx context.Context, l place) error {
	u := upload{place: l, o: PutOptions{Guard: Guard{NoneMatch: []string{"*"}}}}
	if up, found, err := t.stored(ctx, l.parent()); err != nil || !found || !up.Dir {
		return errors.Join(err, fault.ErrNoParent)
	}
	_, err := t.keepNoise(ctx, u, nil, func(store.Tx) error { return nil })
	return err
}

// dropNoise ends it, and all that stands on its path.
func (t *Tree) dropNoise(ctx context.Context, p vpath.Path) error {
	of, name, _ := p.Accompanies()
	return t.s.update(ctx, func(tx store.Tx) error {
		return errors.Join(tx.DropNoise(of, name), tx.DropLocksBelow(p), tx.DropPropsBelow(p))
	})
}

// carryNoise copies or moves a file where one end of the way is noise: rsync writes
// to a name of its own first. It is a Put, and then the end of the source, if that is
// still what was read: nothing holds it meanwhile.
func (t *Tree) carryNoise(ctx context.Context, src, dst vpath.Path, o TransferOptions, move bool) (created bool, err error) {
	if err := errors.Join(t.mayChange(), apart(src, dst, true)); err != nil {
		return false, err
	}
	if err := t.checkIf(ctx, src, o.Guard); err != nil {
		return false, err
	}
	l, err := t.place(src)
	if err != nil {
		return false, err
	}
	g := Guard{Tokens: o.Guard.tokens()}
	if move {
		if _, err := t.mayDelete(ctx, l, g); err != nil {
			return false, err
		}
	}
	body, n, err := t.open(ctx, src, Range{}) // a refusal is recorded as that of the whole
	if errors.Is(err, fault.ErrIsDir) {
		return false, noiseFolder(dst)
	}
	if err != nil {
		return false, err
	}
	defer body.Close() //nolint:errcheck // only read
	// The copy of a file into noise leaves no other trace.
	if err := t.record(ctx, audit.Event{Action: audit.Read, Path: src.String(), Bytes: n.Size}, nil); err != nil {
		return false, err
	}
	put := PutOptions{Size: n.Size, ModTime: n.ModTime, Guard: g}
	if !o.Overwrite {
		put.Guard.NoneMatch = []string{"*"}
	}
	if _, created, err = t.put(ctx, dst, body, put); err != nil || !move {
		return created, err
	}
	g.Match = []string{n.ETag}
	if err := t.delete(ctx, src, g); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	return created, nil
}

// noiseInPieces refuses an upload in pieces, or a change in part.
func noiseInPieces(p vpath.Path) error {
	return fault.Tell(fs.ErrPermission, "%s: this is a file that macOS keeps for itself, and is not needed here", p)
}

// noiseFolder refuses a folder, which would be in no listing.
func noiseFolder(p vpath.Path) error {
	return fault.Tell(fs.ErrPermission, "%s: macOS uses this name for files of its own, choose another one", p)
}

// moveNoise takes along what accompanies a thing, and leaves ghosts of it where it
// was.
func (v *mover) moveNoise(ctx context.Context, tx store.Tx) error {
	all, err := tx.NoiseOf(ctx, v.move.From)
	if err != nil {
		return err
	}
	if err := tx.MoveNoise(v.move.From, v.move.To); err != nil {
		return err
	}
	// A draft is nobody's, and what lies in a folder is not looked for beside it.
	all = slices.DeleteFunc(all, func(n store.Noise) bool { return isDraft(v.move) || strings.HasPrefix(n.Name, "/") })
	for _, n := range all {
		if end := v.s.Clock().Add(noiseGhost); n.Expires.After(end) {
			n.Expires = end
		}
		if err := tx.PutNoise(n); err != nil {
			return err
		}
	}
	return nil
}
