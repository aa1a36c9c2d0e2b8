package files

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io/fs"
	"time"

	"portico/audit"
	"portico/backends"
	"portico/fault"
	"portico/store"
	"portico/vpath"
)

// An upload in pieces goes on after a lost connection, in any process. Its row in
// the store says how far it has come, its bytes wait in the backend, and nothing
// can be seen of it before the last one is there: then it is judged and published
// as a Put is. Whoever knows its ID and is not its owner gets the answer for one
// that does not exist.

const (
	uploadsEach   = 32             // open ones that a person may have
	uploadExpires = 24 * time.Hour // after the last piece
)

// What to do where a file has the name already.
const (
	ExistsAsk     = "ask"     // fs.ErrExist, so that somebody is asked
	ExistsKeep    = "keep"    // keep both: the new one gets a free name
	ExistsReplace = "replace" // as Put does
)

// UploadWish goes with one BeginUpload.
type UploadWish struct {
	Size    int64     // of the whole, -1 if not known yet
	ModTime time.Time // the client's time of change, zero if it sent none
	Exists  string    // ExistsAsk, ExistsKeep or ExistsReplace
	MaxSize int64     // fault.ErrTooLarge beyond, whatever Size says; 0 for no limit

	// Beside, if set, judges a visitor's upload beside those that are under way by
	// the same link, in the transaction that begins it. Its refusal is told as it is.
	Beside func(ctx context.Context, tx store.Tx, others UnderWay) error
}

// UnderWay are uploads that have begun and are not complete.
type UnderWay struct {
	Files int
	Bytes int64 // that they have announced; of those that have not, all that they may take
}

// UploadState is how far an upload has come.
type UploadState struct {
	ID      string
	Path    vpath.Path
	Size    int64 // -1 if not known yet
	Offset  int64
	Expires time.Time
	Node    *Node  // what it has become, when it is complete
	Receipt string // ID of the deposit that it became, "" for none
}

// UploadSum is a sum of one piece, by its sender.
type UploadSum struct {
	Algorithm string // "sha1" or "sha256"; of chunks also "md5" and "adler32"
	Sum       []byte
}

// ErrUploadSum is a piece that does not have the sum that its sender announced.
var ErrUploadSum = errors.New("checksum mismatch")

// BeginUpload starts an upload to p. All that would refuse a Put is judged now,
// and again with each piece and when it is complete. An empty file is complete
// at once.
func (t *Tree) BeginUpload(ctx context.Context, p vpath.Path, wish UploadWish) (UploadState, error) {
	st, err := t.beginUpload(ctx, p, wish)
	return st, t.refused(ctx, putEvent(p), err)
}

func (t *Tree) beginUpload(ctx context.Context, p vpath.Path, wish UploadWish) (UploadState, error) {
	if err := t.mayChange(); err != nil {
		return UploadState{}, err
	}
	if err := wish.check(); err != nil {
		return UploadState{}, err
	}
	u, err := t.mayBegin(ctx, p, wish)
	if err != nil {
		return UploadState{}, err
	}
	stager, err := u.stager()
	if err != nil {
		return UploadState{}, err
	}
	id, err := t.s.token()
	if err != nil {
		return UploadState{}, err
	}
	meta := backends.Meta{Creator: t.creator(u), ModTime: wish.ModTime, ContentType: ContentType(u.path.Name())}
	handle, err := stager.Begin(ctx, u.inner, backends.PutOptions{Size: wish.Size, Meta: meta, Loose: u.blind})
	if err != nil {
		return UploadState{}, t.putFailed(u, err)
	}
	n := notes{Exists: wish.Exists, Name: p.Name(), ModTime: wish.ModTime, MaxSize: wish.MaxSize, Found: u.found, Creator: meta.Creator}
	row := store.Upload{ID: id, Owner: t.who.acl.ID, Path: u.path, Size: wish.Size, Handle: handle, Created: t.now()}
	if err = n.keepSum(sha256.New()); err == nil {
		err = t.s.State.Update(ctx, func(tx store.Tx) error { return t.openUpload(ctx, tx, &row, n, wish) })
	}
	if err != nil {
		_ = stager.Abort(context.WithoutCancel(ctx), handle) // else Reap does it
		return UploadState{}, unwritten(err)
	}
	if row.Size > 0 || row.Size < 0 {
		return stateOf(row, n), nil
	}
	st, err := t.complete(ctx, row, n, false)
	if err != nil {
		_ = t.purge(ctx, row)
	}
	return st, err
}

// check judges the wish alone.
func (w UploadWish) check() error {
	switch {
	case w.Exists != ExistsAsk && w.Exists != ExistsKeep && w.Exists != ExistsReplace:
		return plain(fs.ErrInvalid, "an upload must say what to do with a file that is there: ask, keep or replace")
	case w.Size < -1:
		return plain(fault.ErrTooLarge, "a file cannot have %d bytes", w.Size)
	}
	return w.fits(w.Size)
}

// fits holds a size to the limit.
func (w UploadWish) fits(size int64) error {
	if w.MaxSize > 0 && size > w.MaxSize {
		return plain(fault.ErrTooLarge, "the file is larger than the %d bytes that can be sent here", w.MaxSize)
	}
	return nil
}

// mayBegin judges all but the bytes. The quota is looked at and not reserved: an
// upload may stand still for a day.
func (t *Tree) mayBegin(ctx context.Context, p vpath.Path, wish UploadWish) (upload, error) {
	u, err := t.mayUpload(ctx, p, wish.Size, notes{Exists: wish.Exists, ModTime: wish.ModTime}, true)
	defer u.done()
	if err == nil && isNoise(u.path) {
		err = noiseInPieces(u.path)
	}
	if err != nil {
		return u, err
	}
	return u, t.hasRoom(ctx, u.space, u.info.Size, wish.Size)
}

// stager is the ability of u's storage.
func (l place) stager() (backends.Stager, error) {
	s, ok := l.space.Backend.(backends.Stager)
	if !ok {
		return nil, fault.Tell(errors.Join(fs.ErrInvalid, errors.ErrUnsupported), "the storage of %s takes no uploads in pieces", top(l.path))
	}
	return s, nil
}

// openUpload writes the row of a new upload, if its owner has not too many, nor
// their link.
func (t *Tree) openUpload(ctx context.Context, tx store.Tx, row *store.Upload, n notes, wish UploadWish) error {
	all, err := tx.UploadsOf(ctx, row.Owner)
	if err != nil {
		return err
	}
	if open := t.underWay(all).Files; open >= uploadsEach {
		return plain(fault.ErrBusy, "you have %d uploads under way: finish or cancel one of them first", open)
	}
	if wish.Beside != nil {
		if all, err = tx.UploadsOfAll(ctx, t.who.Subject()); err != nil {
			return err
		}
		if err := wish.Beside(ctx, tx, t.underWay(all)); err != nil {
			return &plainError{err}
		}
	}
	return t.putUpload(tx, row, n)
}

// underWay counts those that wait for bytes. What one has not announced it may
// still take, up to its limit, which each piece is held to.
func (t *Tree) underWay(all []store.Upload) (u UnderWay) {
	for _, row := range all {
		if row.Handle == "" || !row.Expires.After(t.now()) {
			continue
		}
		u.Files++
		size := row.Size
		if size < 0 {
			var n notes
			_ = json.Unmarshal(row.State, &n) // ours
			size = max(n.MaxSize, row.Offset)
		}
		u.Bytes += size
	}
	return u
}

// putUpload writes a row, whose time begins anew.
func (t *Tree) putUpload(tx store.Tx, row *store.Upload, n notes) (err error) {
	row.Expires = t.now().Add(uploadExpires)
	if row.State, err = n.encode(); err != nil {
		return err
	}
	return tx.PutUpload(*row)
}

// unwritten is the error of a transaction that was to keep an upload's row. A
// refusal is told as it is.
func unwritten(err error) error {
	if err == nil || isRefusal(err) {
		return err
	}
	return unrecorded(err)
}

// UploadAt tells how far an upload has come. One that is all there and could not
// be published gets another try, and its error: a client takes the full length
// for success.
func (t *Tree) UploadAt(ctx context.Context, id string) (UploadState, error) {
	row, n, err := t.uploadOf(ctx, id)
	if err != nil {
		return UploadState{}, err
	}
	if n.Done || row.Offset != row.Size {
		return stateOf(row, n), nil
	}
	st, err := t.inTurn(ctx, id, func(row store.Upload, n notes) (UploadState, error) { return t.complete(ctx, row, n, true) })
	return st, t.refused(ctx, audit.Event{Action: audit.Put, Path: row.Path.String()}, err)
}

// SizeUpload tells the size of an upload that began without one.
func (t *Tree) SizeUpload(ctx context.Context, id string, size int64) (UploadState, error) {
	st, err := t.inTurn(ctx, id, func(row store.Upload, n notes) (UploadState, error) { return t.sizeUpload(ctx, row, n, size) })
	return st, t.refused(ctx, audit.Event{Action: audit.Put, Path: st.Path.String()}, err)
}

func (t *Tree) sizeUpload(ctx context.Context, row store.Upload, n notes, size int64) (UploadState, error) {
	st := stateOf(row, n)
	wish := UploadWish{Size: size, MaxSize: n.MaxSize, Exists: n.Exists}
	switch err := wish.check(); {
	case row.Size == size:
		return st, nil
	case row.Size >= 0:
		return st, plain(fault.ErrConflict, "the size of an upload cannot be changed")
	case err != nil, size < row.Offset:
		_ = t.purge(ctx, row)
		if err == nil {
			err = plain(fault.ErrTooLarge, "more than the %d bytes of the file have come already", size)
		}
		return st, err
	}
	row.Size = size
	if err := unwritten(t.s.State.Update(ctx, func(tx store.Tx) error { return t.putUpload(tx, &row, n) })); err != nil {
		return st, err
	}
	if row.Offset == size {
		return t.complete(ctx, row, n, false)
	}
	return stateOf(row, n), nil
}

// DropUpload ends an upload and frees its room. What is complete stays.
func (t *Tree) DropUpload(ctx context.Context, id string) error {
	_, err := t.inTurn(ctx, id, func(row store.Upload, _ notes) (UploadState, error) { return UploadState{}, t.purge(ctx, row) })
	return err
}

// purge removes an upload, the bytes first. Should that be all that is done, the
// next piece finds it gone.
func (t *Tree) purge(ctx context.Context, row store.Upload) error {
	return t.s.purge(context.WithoutCancel(ctx), t.r, row)
}

func (s *Service) purge(ctx context.Context, r *rules, row store.Upload) error {
	if err := s.abort(ctx, r, row); err != nil {
		return err
	}
	return unwritten(s.State.Update(ctx, func(tx store.Tx) error { return tx.DropUpload(row.ID) }))
}

// ReapUploads removes uploads that nobody has gone on with for a day, with their
// bytes. What has lost its row is left to the storages' own Reap.
func (s *Service) ReapUploads(ctx context.Context) error {
	rows, err := s.State.UploadsExpired(ctx, s.Clock())
	if err != nil {
		return err
	}
	var failed []error
	for _, row := range rows {
		failed = append(failed, s.reapUpload(ctx, row.ID))
	}
	return errors.Join(failed...)
}

func (s *Service) reapUpload(ctx context.Context, id string) error {
	release, err := s.uploadTurn(ctx, id)
	if errors.Is(err, fault.ErrLocked) {
		return nil // another process is at it
	}
	if err != nil {
		return err
	}
	defer release()
	row, ok, err := s.State.UploadByID(ctx, id)
	if err != nil || !ok || row.Expires.After(s.Clock()) {
		return err
	}
	if isChunks(row) {
		return s.dropChunks(ctx, s.rules.Load(), id, func(now store.Upload) bool { return !now.Expires.After(s.Clock()) })
	}
	return s.purge(ctx, s.rules.Load(), row)
}
