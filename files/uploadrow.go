package files

import (
	"context"
	"crypto/sha256"
	"encoding"
	"encoding/json"
	"fmt"
	"hash"
	"io/fs"
	"sync"
	"time"

	"portico/fault"
	"portico/store"
)

// notes are what an upload's row keeps in State.
type notes struct {
	Sum     []byte    `json:"sum"` // of what has come, as the hash writes itself
	Exists  string    `json:"exists"`
	Name    string    `json:"name"` // as its sender gave it
	ModTime time.Time `json:"mtime,omitzero"`
	MaxSize int64     `json:"max,omitempty"`
	Found   bool      `json:"found,omitempty"` // a file was there when it began
	Creator string    `json:"creator"`         // of the file that it becomes
	As      string    `json:"as,omitempty"`    // another path than the row's, tried last
	Done    bool      `json:"done,omitempty"`
	Receipt string    `json:"receipt,omitempty"`

	Chunks *chunkNotes `json:"chunks,omitempty"` // of an upload in chunks alone
}

func (n notes) encode() ([]byte, error) { return json.Marshal(n) }

// keepSum notes the state of the hash.
func (n *notes) keepSum(h hash.Hash) (err error) {
	m, ok := h.(encoding.BinaryMarshaler)
	if !ok {
		return fmt.Errorf("files: %T cannot be kept", h)
	}
	n.Sum, err = m.MarshalBinary()
	return err
}

// sum is the hash, to go on with.
func (n notes) sum() (hash.Hash, error) {
	h := sha256.New()
	m, ok := h.(encoding.BinaryUnmarshaler)
	if !ok {
		return nil, fmt.Errorf("files: %T cannot be kept", h)
	}
	return h, m.UnmarshalBinary(n.Sum)
}

// stateOf is what the owner is told.
func stateOf(row store.Upload, n notes) UploadState {
	st := UploadState{ID: row.ID, Path: row.Path, Size: row.Size, Offset: row.Offset, Expires: row.Expires, Receipt: n.Receipt}
	if n.Done {
		st.Node = &Node{Path: row.Path, Size: row.Size, ContentType: ContentType(row.Path.Name())}
	}
	return st
}

// errNoUpload is told of an upload that never was, has ended or is another's.
func errNoUpload() error {
	return plain(fs.ErrNotExist, "there is no such upload: it was cancelled, or nothing came for too long; begin it again")
}

// plainError is told to everybody as it is: it names no path.
type plainError struct{ error }

func (e *plainError) Unwrap() error { return e.error }

func plain(kind error, format string, args ...any) error {
	return &plainError{fault.Tell(kind, format, args...)}
}

// uploadOf is the principal's own upload.
func (t *Tree) uploadOf(ctx context.Context, id string) (row store.Upload, n notes, err error) {
	row, ok, err := t.s.State.UploadByID(ctx, id)
	switch {
	case err != nil:
		return row, n, err
	case !ok, row.Owner != t.who.acl.ID, !row.Expires.After(t.now()):
		return store.Upload{}, n, errNoUpload()
	}
	if n, err = notesOf(row); err == nil && n.Chunks != nil {
		return store.Upload{}, n, errNoUpload() // it has a door of its own
	}
	return row, n, err
}

// inTurn runs do with the newest row of an upload that nobody else is at.
func (t *Tree) inTurn(ctx context.Context, id string, do func(store.Upload, notes) (UploadState, error)) (UploadState, error) {
	if err := t.mayChange(); err != nil {
		return UploadState{}, err
	}
	if _, _, err := t.uploadOf(ctx, id); err != nil { // who has none waits for nobody
		return UploadState{}, err
	}
	release, err := t.s.uploadTurn(ctx, id)
	if err != nil {
		return UploadState{}, err
	}
	defer release()
	row, n, err := t.uploadOf(ctx, id)
	if err != nil {
		return UploadState{}, err
	}
	return do(row, n)
}

// turns are the uploads that this process is at.
type turns struct {
	mu   sync.Mutex
	held map[string]bool
}

// take is false if somebody is at it already.
func (l *turns) take(id string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held[id] {
		return false
	}
	if l.held == nil {
		l.held = map[string]bool{}
	}
	l.held[id] = true
	return true
}

func (l *turns) giveBack(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.held, id)
}

// uploadTurn keeps all others from an upload, those in other processes too. Who
// comes second is told so at once: the first may wait for a dead line.
func (s *Service) uploadTurn(ctx context.Context, id string) (release func(), err error) {
	busy := plain(fault.ErrLocked, "another connection is sending this upload: try again shortly")
	if !s.turns.take(id) {
		return nil, busy
	}
	if !s.shared {
		return func() { s.turns.giveBack(id) }, nil
	}
	claim, ok, err := s.State.ClaimName(ctx, "upload", id)
	if err != nil || !ok {
		s.turns.giveBack(id)
		if err != nil {
			return nil, unclaimed(ctx, err)
		}
		return nil, busy
	}
	return func() { claim.Release(); s.turns.giveBack(id) }, nil
}
