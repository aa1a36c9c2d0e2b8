package s3

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"

	"portico/backends"
	"portico/fault"
	"portico/vpath"
)

// An upload in pieces is a multipart upload at the file's own key (but see
// loose.go), which begins
// when there is enough for its first part. S3 wants parts of 5 MiB and more, but
// for the last: what is less waits in objects of its own below .portico/staged/,
// in a folder for each upload, and is put in front of the next part.
//
// Two processes can be at one upload when the caller's claim is lost. So no
// object of the tail is ever written twice, and the handle holds a sum over all
// parts, which Finish compares with the parts that the store has.
const (
	stagedFolder = backends.Reserved + "/staged/"

	stagedPart = 8 << 20 // the least that is sent as a part before the last one
	maxPieces  = 32      // of a tail: many tiny ones are joined
)

// stage is what a handle says.
type stage struct {
	ID     string `json:"i"` // of the tail's folder until there is an upload
	Key    string `json:"k"`
	Loose  bool   `json:"l,omitempty"` // Key is not the file's own
	Upload string `json:"u,omitempty"` // of S3, "" before the first part

	Parts int     `json:"p,omitempty"` // how many, from 1 on
	Sent  int64   `json:"b,omitempty"` // bytes in them
	Sum   string  `json:"s,omitempty"` // over their ETags, hex
	Tail  []piece `json:"t,omitempty"` // what waits behind them
	Old   []piece `json:"d,omitempty"` // pieces that a part holds now

	Bare  bool          `json:"x,omitempty"` // it has no name: Finish knows its Meta
	Meta  backends.Meta `json:"m"`
	Taken time.Time     `json:"c"`
}

// piece is an object with a bit of the tail.
type piece struct {
	Key  string `json:"k"`
	Size int64  `json:"n"`
}

func parseStage(handle string) (st stage, err error) {
	if err := json.Unmarshal([]byte(handle), &st); err != nil || st.Key == "" || st.ID == "" {
		return st, fs.ErrNotExist
	}
	return st, nil
}

func (st *stage) handle() (string, error) {
	text, err := json.Marshal(st)
	return string(text), err
}

// size is what has come so far.
func (st *stage) size() int64 { return st.Sent + st.waiting() }

// waiting is the size of the tail.
func (st *stage) waiting() (n int64) {
	for _, p := range st.Tail {
		n += p.Size
	}
	return n
}

// folder is where the tail's objects are. Reap finds it by the upload's id.
func (st *stage) folder(prefix string) string {
	if st.Upload != "" {
		return stagedAt(prefix, st.Upload)
	}
	return prefix + stagedFolder + st.ID + "/"
}

func stagedAt(prefix, upload string) string {
	sum := sha256.Sum256([]byte(upload))
	return prefix + stagedFolder + hex.EncodeToString(sum[:16]) + "/"
}

// count adds the next part to the sum.
func (st *stage) count(etag string) {
	st.Parts++
	sum := sha256.Sum256([]byte(st.Sum + "\n" + strconv.Itoa(st.Parts) + " " + strings.Trim(etag, `"`)))
	st.Sum = hex.EncodeToString(sum[:])
}

// Begin asks the store nothing: a small file never becomes a multipart upload.
func (b *Backend) Begin(_ context.Context, p vpath.Path, o backends.PutOptions) (handle string, err error) {
	if err := b.creatable(p); err != nil {
		return "", fmt.Errorf("s3: begin %s: %w", p, err)
	}
	if o.Size > maxSize/partSize*stagedPart {
		err := fault.Tell(fault.ErrTooLarge, "The file has %d bytes, and the storage takes up to %d in pieces.", o.Size, maxSize/partSize*stagedPart)
		return "", fmt.Errorf("s3: begin %s: %w", p, err)
	}
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	st := &stage{ID: hex.EncodeToString(id[:]), Key: b.key(p), Meta: o.Meta, Taken: b.s.o.Clock().UTC(), Bare: p.IsRoot()}
	st.Meta.SHA256 = ""
	if st.Loose = o.Loose || st.Bare; st.Loose {
		st.Key = b.s.looseKey(st.ID)
	}
	return st.handle()
}

// Append sends what is enough for parts, and lets the rest wait.
func (b *Backend) Append(ctx context.Context, handle string, off, size int64, body io.Reader) (next string, n int64, err error) {
	st, err := parseStage(handle)
	if err == nil && st.size() != off {
		err = fault.ErrConflict
	}
	a := &appending{b: b, st: &st, size: size}
	if err == nil {
		err = a.take(ctx, body)
	}
	if err == nil {
		next, err = st.handle()
	}
	switch {
	case err != nil:
		return handle, 0, fmt.Errorf("s3: append %s: %w", st.Key, err)
	case a.broken != nil:
		return next, st.size() - off, fmt.Errorf("s3: append %s: %w", st.Key, a.broken)
	}
	return next, st.size() - off, nil
}

// Abort frees the parts and the tail.
func (b *Backend) Abort(ctx context.Context, handle string) error {
	st, err := parseStage(handle)
	if err != nil {
		return nil //nolint:nilerr // there is nothing that it could name
	}
	if st.Upload != "" {
		err = b.s.abortUpload(ctx, st.Key, st.Upload)
	}
	if err == nil {
		err = b.s.sweep(ctx, &st)
	}
	if err != nil {
		return fmt.Errorf("s3: abort %s: %w", st.Key, err)
	}
	return nil
}

// sweep removes all objects of an upload in pieces, those of lost handles too.
func (s *Storage) sweep(ctx context.Context, st *stage) error {
	folders := []string{s.prefix + stagedFolder + st.ID + "/"}
	if st.Upload != "" {
		folders = append(folders, stagedAt(s.prefix, st.Upload))
	}
	for _, folder := range folders {
		waiting, err := s.waiting(ctx, folder)
		if err != nil {
			return err
		}
		for _, w := range waiting {
			if err := s.drop(ctx, w); err != nil {
				return err
			}
		}
	}
	return nil
}

// tails are the objects of one upload that wait, with the time of the newest.
type tails struct {
	keys []string
	last time.Time
}

// waiting gives what lies below a prefix, by the folder of each upload.
func (s *Storage) waiting(ctx context.Context, prefix string) (map[string]*tails, error) {
	found := map[string]*tails{}
	err := s.scan(ctx, minio.ListObjectsOptions{Prefix: prefix, Recursive: true}, func(o minio.ObjectInfo) error {
		folder := o.Key[:strings.LastIndex(o.Key, "/")+1]
		w := found[folder]
		if w == nil {
			w = &tails{}
			found[folder] = w
		}
		w.keys = append(w.keys, o.Key)
		if o.LastModified.After(w.last) {
			w.last = o.LastModified
		}
		return nil
	})
	return found, err
}

func (s *Storage) drop(ctx context.Context, w *tails) error {
	for _, key := range w.keys {
		if err := s.delete(ctx, key); err != nil {
			return err
		}
	}
	return nil
}
