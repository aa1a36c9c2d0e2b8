package local

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"portico/backends"
	"portico/fault"
)

// upload is a file or folder that grows out of sight, in .portico/tmp. Its name
// tells when it began, and a lock on it that somebody is still at it: a crash
// leaves the name without the lock, for Reap.
type upload struct {
	s    *Storage
	base *base // in use until discard
	name string
	file *os.File
	st   fs.FileInfo // as seal left it
	attr attr
	sum  hash.Hash
	done bool
	kept bool // it came in pieces: whatever happens now, it can be finished later
}

// newUpload begins a file in the base that stands now.
func (s *Storage) newUpload() (*upload, error) {
	b, err := s.hold()
	if err != nil {
		return nil, err
	}
	defer b.release()
	return b.newUpload()
}

// newUpload begins a file in a base that the caller holds.
func (b *base) newUpload() (*upload, error) {
	return b.begin(func(name string) (*os.File, error) {
		return b.tmp.root.OpenFile(name, unix.O_RDWR|unix.O_CREAT|unix.O_EXCL, fileMode)
	})
}

// newUploadFolder begins a folder.
func (b *base) newUploadFolder() (*upload, error) {
	return b.begin(func(name string) (*os.File, error) {
		if err := b.tmp.root.Mkdir(name, folderMode); err != nil {
			return nil, err
		}
		return b.tmp.root.OpenFile(name, unix.O_DIRECTORY|unix.O_NONBLOCK, 0)
	})
}

func (b *base) begin(create func(name string) (*os.File, error)) (*upload, error) {
	s := b.s
	version, err := s.random()
	if err != nil {
		return nil, err
	}
	b.users.Add(1)
	u := &upload{s: s, base: b, sum: sha256.New()}
	u.attr.version = fmt.Sprintf("%016x", version)
	u.attr.created = formatTime(s.o.Clock())
	u.name = "up-" + strconv.FormatInt(s.o.Clock().UnixNano(), 10) + "-" + u.attr.version
	err = s.do("create", func() (err error) {
		if u.file, err = create(u.name); err != nil {
			return err
		}
		return lockFile(u.file)
	})
	if err != nil {
		u.discard()
		// Whatever is wrong with our own folder, no file of the user's is missing.
		return nil, ours(err)
	}
	return u, nil
}

// began is the time that an upload's name tells.
func began(name string) (time.Time, bool) {
	rest, ok := strings.CutPrefix(name, "up-")
	stamp, _, found := strings.Cut(rest, "-")
	ns, err := strconv.ParseInt(stamp, 10, 64)
	return time.Unix(0, ns), ok && found && err == nil
}

// fill takes the body in, and stops when ctx ends. Errors of body come back as
// they are.
func (u *upload) fill(ctx context.Context, body io.Reader, size int64) error {
	if err := u.fits(size); err != nil {
		return err
	}
	bufp, _ := u.s.bufs.Get().(*[]byte)
	defer u.s.bufs.Put(bufp)
	var total int64
	for ended := false; !ended; {
		n, err := fillBuffer(ctx, body, *bufp)
		if ended = err == io.EOF; !ended && err != nil { //nolint:errorlint // a wrapped io.EOF is a failure of the body, not its end
			return err
		}
		if err := u.write((*bufp)[:n]); err != nil {
			return err
		}
		total += int64(n)
	}
	if size >= 0 && total != size {
		return fault.ErrTruncated
	}
	return nil
}

// fits refuses a body at once that the disk has no room for.
func (u *upload) fits(size int64) error {
	if size <= 0 {
		return nil
	}
	_, all, err := room(u.file)
	if err != nil {
		return named(err)
	}
	if size > all {
		return named(unix.ENOSPC)
	}
	return nil
}

// fillBuffer reads until buf is full: a request's body comes in small pieces.
func fillBuffer(ctx context.Context, body io.Reader, buf []byte) (n int, err error) {
	for n < len(buf) && err == nil {
		var m int
		m, err = body.Read(buf[n:])
		n += m
		if ctx.Err() != nil {
			return n, ctx.Err()
		}
	}
	return n, err
}

func (u *upload) write(p []byte) error {
	if len(p) == 0 {
		return nil
	}
	if _, err := u.file.Write(p); err != nil {
		return named(err)
	}
	_, err := u.sum.Write(p)
	return err
}

// seal writes the attribute and makes all durable, still out of sight. sum is
// the content's, hex; "" if unknown.
func (u *upload) seal(m backends.Meta, sum string) error {
	u.attr.creator, u.attr.contentType, u.attr.modTime, u.attr.sha256 = m.Creator, m.ContentType, formatTime(m.ModTime), sum
	err := u.s.do("set attribute", func() (err error) {
		if u.st, err = u.file.Stat(); err != nil {
			return err
		}
		if !u.st.IsDir() {
			u.attr.remember(u.st)
		}
		return setAttr(u.file, u.attr.encode())
	})
	if err != nil {
		return err
	}
	return u.s.do("sync", u.file.Sync)
}

func (u *upload) sha256() string { return hex.EncodeToString(u.sum.Sum(nil)) }

// publish gives the upload its name in f.
func (u *upload) publish(ctx context.Context, f *folder, name string, replace bool) (backends.Info, error) {
	if err := u.base.joins(ctx, f); err != nil {
		return backends.Info{}, err
	}
	err := u.s.do("rename", func() error { return rename(u.base.tmp, u.name, f, name, replace) })
	if err != nil {
		return backends.Info{}, u.whyNot(err)
	}
	u.done = true
	return u.attr.info(name, u.st), nil
}

// whyNot tells a missing folder from a missing upload, which are one errno.
func (u *upload) whyNot(err error) error {
	if named := because(fs.ErrNotExist, err); isNotExist(err) {
		if _, err := u.base.tmp.lstat(u.name); err != nil {
			return ours(named)
		}
		return because(fault.ErrNoParent, err)
	}
	return err
}

// discard ends the upload, and removes it unless it was published.
func (u *upload) discard() {
	if u.file != nil {
		if !u.done && !u.kept {
			_ = u.base.tmp.root.Remove(u.name) // Reap does it otherwise
		}
		if u.kept {
			unlockFile(u.file)
		}
		_ = u.file.Close() // synced, or of no worth
	}
	u.base.release()
}
