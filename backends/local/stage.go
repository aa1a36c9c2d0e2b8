package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"portico/backends"
	"portico/fault"
	"portico/vpath"
)

// stagePrefix is what the names of files begin with that come in pieces, in
// .portico/tmp. Such a file is locked only while a piece comes in; its own time
// tells Reap when the last one did.
const stagePrefix = "st-"

// stage is what a handle says.
type stage struct {
	Name    string        `json:"n"`
	Version string        `json:"v"` // of the file that it will be
	Created string        `json:"c"`
	Off     int64         `json:"o"`
	Meta    backends.Meta `json:"m"`
	Bare    bool          `json:"b,omitempty"` // it has no name: Finish knows its Meta
}

func parseStage(handle string) (st stage, err error) {
	err = json.Unmarshal([]byte(handle), &st)
	if err != nil || !strings.HasPrefix(st.Name, stagePrefix) || strings.Contains(st.Name, "/") || st.Off < 0 {
		return st, fs.ErrNotExist
	}
	return st, nil
}

func (st stage) handle() (string, error) {
	text, err := json.Marshal(st)
	return string(text), err
}

// Begin makes the file that the pieces go into.
func (b *Backend) Begin(_ context.Context, p vpath.Path, o backends.PutOptions) (handle string, err error) {
	st := stage{Meta: o.Meta, Bare: p.IsRoot()}
	if handle, err = b.begin(&st, o.Size); err != nil {
		return "", fmt.Errorf("local: begin: %w", err)
	}
	return handle, nil
}

func (b *Backend) begin(st *stage, size int64) (handle string, err error) {
	at, err := b.s.hold()
	if err != nil {
		return "", err
	}
	defer at.release()
	version, err := b.s.random()
	if err != nil {
		return "", err
	}
	st.Version = fmt.Sprintf("%016x", version)
	st.Name, st.Created = stagePrefix+st.Version, formatTime(b.s.o.Clock())
	var file *os.File
	err = b.s.do("create", func() (err error) {
		file, err = at.tmp.root.OpenFile(st.Name, unix.O_RDWR|unix.O_CREAT|unix.O_EXCL, fileMode)
		return err
	})
	if err != nil {
		return "", ours(err)
	}
	defer file.Close() //nolint:errcheck // nothing was written
	if err := (&upload{file: file}).fits(size); err != nil {
		_ = at.tmp.root.Remove(st.Name)
		return "", err
	}
	if err := at.tmp.sync(); err != nil { // what comes is durable only if its name is
		return "", err
	}
	return st.handle()
}

// resume opens the file of a handle, and keeps others and Reap away from it
// until it is closed.
func (b *base) resume(st stage) (file *os.File, size int64, err error) {
	err = b.s.do("open", func() (err error) {
		if file, err = b.tmp.root.OpenFile(st.Name, unix.O_RDWR|unix.O_NONBLOCK|unix.O_NOFOLLOW, 0); err != nil {
			return err
		}
		return lockFile(file)
	})
	if file == nil {
		return nil, 0, err // fs.ErrNotExist: it was reaped
	}
	info, serr := file.Stat()
	switch {
	case err != nil:
		err = fmt.Errorf("%w (another is at this upload)", fault.ErrBusy)
	case serr != nil:
		err = named(serr)
	case !info.Mode().IsRegular() || info.Size() < st.Off: // not what was left here
		err = fs.ErrNotExist
	default:
		return file, info.Size(), nil
	}
	_ = file.Close()
	return nil, 0, err
}

// Append writes a piece at the file's end, and syncs it.
func (b *Backend) Append(ctx context.Context, handle string, off, _ int64, body io.Reader) (next string, n int64, err error) {
	st, err := parseStage(handle)
	if err == nil && st.Off != off {
		err = fault.ErrConflict
	}
	var broken error
	if err == nil {
		n, broken, err = b.append(ctx, st, body)
	}
	if err == nil {
		st.Off += n
		next, err = st.handle()
	}
	switch {
	case err != nil:
		return handle, 0, fmt.Errorf("local: append: %w", err)
	case broken != nil:
		return next, n, fmt.Errorf("local: append: body: %w", broken)
	}
	return next, n, nil
}

// append tells how body broke beside what happened to the store.
func (b *Backend) append(ctx context.Context, st stage, body io.Reader) (n int64, broken, err error) {
	at, err := b.s.hold()
	if err != nil {
		return 0, nil, err
	}
	defer at.release()
	file, size, err := at.resume(st)
	if err != nil {
		return 0, nil, err
	}
	defer file.Close() //nolint:errcheck // synced, or of no worth
	defer unlockFile(file)
	if size > st.Off { // a piece of which nobody kept the handle
		if err := b.s.do("truncate", func() error { return file.Truncate(st.Off) }); err != nil {
			return 0, nil, err
		}
	}
	if _, err := file.Seek(st.Off, io.SeekStart); err != nil {
		return 0, nil, named(err)
	}
	if n, broken, err = b.s.pour(ctx, file, body); err != nil {
		return 0, nil, err
	}
	return n, broken, b.s.do("sync", file.Sync)
}

// pour writes body to a file.
func (s *Storage) pour(ctx context.Context, file *os.File, body io.Reader) (n int64, broken, err error) {
	bufp, _ := s.bufs.Get().(*[]byte)
	defer s.bufs.Put(bufp)
	for {
		m, end := fillBuffer(ctx, body, *bufp)
		if ctx.Err() != nil {
			return 0, nil, ctx.Err()
		}
		if m > 0 {
			if _, err := file.Write((*bufp)[:m]); err != nil {
				return 0, nil, named(err)
			}
			n += int64(m)
		}
		switch {
		case end == io.EOF: //nolint:errorlint // a wrapped io.EOF is a failure of the body, not its end
			return n, nil, nil
		case end != nil:
			return n, end, nil
		}
	}
}

// Finish gives the file its name.
func (b *Backend) Finish(ctx context.Context, handle string, p vpath.Path, o backends.PutOptions) (backends.Info, error) {
	st, err := parseStage(handle)
	var info backends.Info
	if err == nil {
		info, err = b.finish(ctx, st, p, o)
	}
	if err != nil {
		return backends.Info{}, fmt.Errorf("local: finish: %w", err)
	}
	return info, nil
}

func (b *Backend) finish(ctx context.Context, st stage, p vpath.Path, o backends.PutOptions) (info backends.Info, err error) {
	at, err := b.s.hold() // one base from here to the publication
	if err != nil {
		return info, err
	}
	defer at.release()
	created, err := b.judge(ctx, p, o.If)
	if err != nil {
		return info, err
	}
	u, err := at.staged(st, o.Size)
	if err != nil {
		return info, err
	}
	defer u.discard()
	u.inherit(created)
	if st.Bare {
		st.Meta = o.Meta
	}
	if err := u.seal(st.Meta, o.SHA256); err != nil {
		return info, err
	}
	if o.Commit != nil {
		if err := o.Commit(); err != nil {
			return info, err
		}
	}
	return b.publishFile(ctx, p, u, o.If)
}

// staged is the upload of a handle, cut to what counts.
func (b *base) staged(st stage, size int64) (*upload, error) {
	if st.Off != size {
		return nil, fault.ErrTruncated
	}
	file, was, err := b.resume(st)
	if err != nil {
		return nil, err
	}
	b.users.Add(1)
	u := &upload{s: b.s, base: b, name: st.Name, file: file, kept: true, attr: attr{version: st.Version, created: st.Created}}
	if was > size {
		err = b.s.do("truncate", func() error { return file.Truncate(size) })
	}
	if err != nil {
		u.discard()
		return nil, err
	}
	return u, nil
}

// Finished looks for the version that the handle names.
func (b *Backend) Finished(ctx context.Context, handle string, p vpath.Path, _ backends.PutOptions) (backends.Info, bool, error) {
	st, err := parseStage(handle)
	if err != nil {
		return backends.Info{}, false, fmt.Errorf("local: finished: %w", err)
	}
	info, err := b.stat(ctx, p)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return backends.Info{}, false, nil
	case err != nil:
		return backends.Info{}, false, fmt.Errorf("local: finished: %w", err)
	case !strings.HasPrefix(info.ETag, st.Version+"."):
		return backends.Info{}, false, nil
	}
	return info, true, nil
}

// Abort removes the file.
func (b *Backend) Abort(_ context.Context, handle string) error {
	st, err := parseStage(handle)
	if err != nil {
		return nil
	}
	at, err := b.s.hold()
	if err != nil {
		return fmt.Errorf("local: abort: %w", err)
	}
	defer at.release()
	err = b.s.do("remove", func() error { return at.tmp.root.Remove(st.Name) })
	if err != nil && !isNotExist(err) {
		return fmt.Errorf("local: abort: %w", ours(err))
	}
	return nil
}
