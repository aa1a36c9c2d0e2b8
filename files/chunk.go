package files

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
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

// An upload in chunks is that of Nextcloud's and ownCloud's clients: a folder that
// its sender names, into which chunks with numbers come in any order, several at
// once and some of them again; and at the end one request that says what the file
// is called. They are joined in the order of their numbers.
//
// The bytes go into an upload without a name (see backends.Stager). A chunk whose
// turn it is goes straight on it. One that comes early waits in an upload of its
// own, and is read into the first when its turn has come, at the latest with Join.
//
// The upload is a row in the store, of its sender. Each chunk is a row that belongs
// to that one: what is there, for a client that asks, and the sum, for one that
// sends it again.

const maxChunks = 10_000 // of one upload, as Nextcloud has it

// chunkRows are kept this long should their upload's row be lost. With that they go.
const chunkRows = 30 * 24 * time.Hour

// ChunkID is what a chunk is called by its sender.
type ChunkID struct {
	Text     string // as the sender wrote it
	Number   int64  // by which the chunks are ordered
	IsOffset bool   // Number is where it begins in the file
}

// Chunk is one that has come.
type Chunk struct {
	Name  string
	Size  int64
	Taken time.Time
}

// ChunkFolder is an upload in chunks.
type ChunkFolder struct {
	Name   string
	Begun  time.Time
	Chunks []Chunk // by number
}

// ChunkWish goes with one BeginChunks.
type ChunkWish struct {
	Path    vpath.Path // what the file will be, the root if that is to be told at the end
	Size    int64      // of the whole, -1 if not known yet
	MaxSize int64      // fault.ErrTooLarge beyond; 0 for no limit
}

// chunkNotes are what the row of an upload in chunks keeps beside notes.
type chunkNotes struct {
	Folder string            `json:"folder"`          // its sender's name for it
	Turn   string            `json:"turn"`            // of this very upload, which another of its name may follow
	To     string            `json:"to,omitempty"`    // the file, where that was told with the beginning
	Last   int64             `json:"last"`            // number of the chunk that was joined last
	Count  int               `json:"count,omitempty"` // of chunks
	Early  int64             `json:"early,omitempty"` // bytes of those that wait
	Sums   map[string][]byte `json:"sums,omitempty"`  // beside that in notes, of what was joined
	New    bool              `json:"new,omitempty"`   // the file was made, not replaced
	Asked  string            `json:"asked,omitempty"` // the path that Join was asked for
}

// chunkState is what a chunk's row keeps in State. A row with a handle waits.
type chunkState struct {
	Name string `json:"name"`
	Sum  []byte `json:"sum"` // SHA-256
}

// chunksID is the row of somebody's upload of that name. Others cannot name it.
func (t *Tree) chunksID(folder string) string {
	sum := sha256.Sum256([]byte(t.who.acl.ID + "\x00" + folder))
	return "chunks-" + base64.RawURLEncoding.EncodeToString(sum[:18])
}

// chunkRow is the row of one of its chunks. They sort as their numbers do.
func chunkRow(upload string, number int64) string { return fmt.Sprintf("%s.%018d", upload, number) }

// chunksOf finds the principal's upload of that name. One that is complete is kept
// for Join alone.
func (t *Tree) chunksOf(ctx context.Context, from store.UploadReader, folder string) (row store.Upload, n notes, err error) {
	row, ok, err := from.UploadByID(ctx, t.chunksID(folder))
	if err != nil {
		return row, n, err
	}
	if !ok || row.Owner != t.who.acl.ID || !row.Expires.After(t.now()) {
		return row, n, errNoUpload()
	}
	n, err = notesOf(row)
	if err == nil && n.Chunks == nil {
		err = errNoUpload()
	}
	return row, n, err
}

func notesOf(row store.Upload) (n notes, err error) {
	if err := json.Unmarshal(row.State, &n); err != nil {
		return n, fmt.Errorf("files: upload: %w", err)
	}
	return n, nil
}

// openChunks is chunksOf for an upload that is not complete.
func (t *Tree) openChunks(ctx context.Context, from store.UploadReader, folder string) (row store.Upload, n notes, err error) {
	if row, n, err = t.chunksOf(ctx, from, folder); err == nil && n.Done {
		err = errNoUpload()
	}
	return row, n, err
}

// BeginChunks starts an upload in chunks. Where its path is known all that would
// refuse a Put is judged now, but for locks: their tokens come with the last
// request. Else its sender must at least have a place to put something.
// fs.ErrExist if there is an upload of that name.
func (t *Tree) BeginChunks(ctx context.Context, folder string, wish ChunkWish) error {
	err := t.beginChunks(ctx, folder, wish)
	return t.refused(ctx, putEvent(wish.Path), err)
}

func (t *Tree) beginChunks(ctx context.Context, folder string, wish ChunkWish) error {
	if err := t.mayChange(); err != nil {
		return err
	}
	if err := (UploadWish{Size: wish.Size, MaxSize: wish.MaxSize, Exists: ExistsReplace}).check(); err != nil {
		return err
	}
	if err := t.forgetChunks(ctx, folder); err != nil {
		return err
	}
	home, err := t.chunkHome(ctx, wish)
	if err != nil {
		return err
	}
	stager, err := home.stager()
	if err != nil {
		return err
	}
	n, err := t.chunkNotes(folder, wish)
	if err != nil {
		return err
	}
	handle, err := stager.Begin(ctx, vpath.Path{}, backends.PutOptions{Size: wish.Size})
	if err != nil {
		return err
	}
	row := store.Upload{ID: t.chunksID(folder), Owner: t.who.acl.ID, Path: top(home.path), Size: wish.Size, Handle: handle, Created: t.now()}
	err = t.s.State.Update(ctx, func(tx store.Tx) error {
		if _, _, err := t.openChunks(ctx, tx, folder); !errors.Is(err, fs.ErrNotExist) {
			return cmp.Or(err, errChunksThere()) // somebody was quicker
		}
		return t.openUpload(ctx, tx, &row, n, UploadWish{})
	})
	if err != nil {
		_ = stager.Abort(context.WithoutCancel(ctx), handle) // else Reap does it
	}
	return unwritten(err)
}

func errChunksThere() error {
	return plain(fs.ErrExist, "there is an upload of this name: go on with it, or delete it first")
}

// forgetChunks makes room for a new upload of that name: one that has expired gives
// way.
func (t *Tree) forgetChunks(ctx context.Context, folder string) error {
	if _, _, err := t.openChunks(ctx, t.s.State, folder); !errors.Is(err, fs.ErrNotExist) {
		return cmp.Or(err, errChunksThere())
	}
	return t.s.dropChunks(ctx, t.r, t.chunksID(folder), func(row store.Upload) bool {
		n, err := notesOf(row)
		return err != nil || n.Done || !row.Expires.After(t.now())
	})
}

// chunkNotes are those of a new upload. By the numbers of those who tell the file
// with the beginning the first chunk is 1.
func (t *Tree) chunkNotes(folder string, wish ChunkWish) (n notes, err error) {
	n = notes{Exists: ExistsReplace, MaxSize: wish.MaxSize, Chunks: &chunkNotes{Folder: folder, Last: -1}}
	if !wish.Path.IsRoot() {
		n.Chunks.To, n.Chunks.Last = wish.Path.String(), 0
	}
	if n.Chunks.Turn, err = t.s.token(); err != nil {
		return n, err
	}
	return n, n.keepSums(newSums())
}

// chunkHome chooses the workspace whose storage takes the bytes: that of the file,
// or where nobody has told it, the first in which its sender may put anything and
// that has room for it.
func (t *Tree) chunkHome(ctx context.Context, wish ChunkWish) (place, error) {
	if !wish.Path.IsRoot() {
		return t.mayArrive(ctx, wish.Path, wish.Size)
	}
	var full error
	for _, name := range t.r.names {
		at, err := wish.Path.Child(name)
		if err != nil {
			return place{}, err
		}
		l := place{path: at, space: t.r.spaces[name]}
		if _, ok := l.space.Backend.(backends.Stager); !ok || !t.view.Somewhere(at, acl.Create) && !t.view.Somewhere(at, acl.Write) {
			continue
		}
		if err = t.hasRoom(ctx, l.space, 0, wish.Size); err == nil {
			return l, nil
		}
		full = cmp.Or(full, err)
	}
	return place{}, cmp.Or(full, plain(fs.ErrPermission, "there is no folder that you may put a file into"))
}

// hasRoom holds what is still to come to the quota, and reserves nothing: an upload
// may stand still for a day.
func (t *Tree) hasRoom(ctx context.Context, sp *space, old, size int64) error {
	g, err := t.s.reserve(ctx, sp, old, size)
	if err == nil {
		g.done()
	}
	return err
}

// mayArrive judges a file that is still to come.
func (t *Tree) mayArrive(ctx context.Context, p vpath.Path, size int64) (place, error) {
	u, err := t.mayPut(ctx, p, PutOptions{Size: size})
	defer func() { u.done() }()
	if err != nil && !errors.Is(err, fault.ErrLocked) {
		return u.place, err
	}
	return u.place, t.hasRoom(ctx, u.space, u.info.Size, size)
}

// Chunks tells what has come of an upload.
func (t *Tree) Chunks(ctx context.Context, folder string) (ChunkFolder, error) {
	row, _, err := t.openChunks(ctx, t.s.State, folder)
	if err != nil {
		return ChunkFolder{}, err
	}
	f := ChunkFolder{Name: folder, Begun: row.Created}
	list, err := t.chunkList(ctx, t.s.State, row.ID)
	for _, c := range list {
		var st chunkState
		if err := json.Unmarshal(c.State, &st); err != nil {
			return f, fmt.Errorf("files: chunks: %w", err)
		}
		f.Chunks = append(f.Chunks, Chunk{Name: st.Name, Size: c.Size, Taken: c.Created})
	}
	return f, err
}

// chunkList are the rows of all chunks, by number.
func (t *Tree) chunkList(ctx context.Context, from store.UploadReader, upload string) ([]store.Upload, error) {
	list, err := from.UploadsOf(ctx, upload)
	slices.SortFunc(list, func(a, b store.Upload) int { return cmp.Compare(a.ID, b.ID) })
	return list, err
}

// ChunkFolders are the principal's uploads, without their chunks.
func (t *Tree) ChunkFolders(ctx context.Context) ([]ChunkFolder, error) {
	rows, err := t.s.State.UploadsOf(ctx, t.who.acl.ID)
	var list []ChunkFolder
	for _, row := range rows {
		n, err := notesOf(row)
		if err != nil {
			return nil, err
		}
		if n.Chunks != nil && !n.Done && row.Expires.After(t.now()) {
			list = append(list, ChunkFolder{Name: n.Chunks.Folder, Begun: row.Created})
		}
	}
	return list, err
}

// DropChunks ends an upload and frees its room. It waits for nobody: who is sending
// a chunk finds the upload gone.
func (t *Tree) DropChunks(ctx context.Context, folder string) error {
	if err := t.mayChange(); err != nil {
		return err
	}
	if _, _, err := t.openChunks(ctx, t.s.State, folder); err != nil {
		return err
	}
	return t.s.dropChunks(context.WithoutCancel(ctx), t.r, t.chunksID(folder), nil)
}

// dropChunks removes an upload with all that waits. only, if set, is asked about
// the row as it is then. The rows go first: with them nobody adds anything, and
// bytes that a crash leaves are the storage's Reap's.
func (s *Service) dropChunks(ctx context.Context, r *rules, id string, only func(store.Upload) bool) error {
	var gone []store.Upload
	err := s.State.Update(ctx, func(tx store.Tx) error {
		gone = nil
		row, ok, err := tx.UploadByID(ctx, id)
		if err != nil || !ok || only != nil && !only(row) {
			return err
		}
		if gone, err = tx.UploadsOf(ctx, id); err != nil {
			return err
		}
		gone = append(gone, row)
		return errors.Join(tx.DropUpload(id), tx.DropUploadsOf(id))
	})
	if err != nil {
		return unwritten(err)
	}
	var failed []error
	for _, row := range gone {
		failed = append(failed, s.abort(ctx, r, row))
	}
	return errors.Join(failed...)
}

// abort frees what a row's handle names.
func (s *Service) abort(ctx context.Context, r *rules, row store.Upload) error {
	sp := r.spaces[row.Path.Top()]
	if sp == nil || row.Handle == "" {
		return nil
	}
	stager, err := place{path: row.Path, space: sp, inner: row.Path.Tail()}.stager()
	if err != nil {
		return err
	}
	return stager.Abort(ctx, row.Handle)
}

// isChunks tells the row of an upload in chunks.
func isChunks(row store.Upload) bool {
	n, err := notesOf(row)
	return err == nil && n.Chunks != nil
}

// chunkEvent is the audit's event of an upload in chunks.
func chunkEvent(row store.Upload, n notes) audit.Event {
	if n.Chunks != nil && n.Chunks.To != "" {
		return audit.Event{Action: audit.Put, Path: n.Chunks.To}
	}
	return putEvent(row.Path)
}
