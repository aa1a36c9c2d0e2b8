package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"portico/backends"
	"portico/fault"
	"portico/vpath"
)

// Backend is one workspace: the tree below a folder of the storage.
type Backend struct {
	s    *Storage
	root vpath.Path
}

// Stat describes a file or folder.
func (b *Backend) Stat(ctx context.Context, p vpath.Path) (backends.Info, error) {
	info, err := b.stat(ctx, p)
	if err != nil {
		return backends.Info{}, fmt.Errorf("local: stat: %w", err)
	}
	return info, nil
}

func (b *Backend) stat(ctx context.Context, p vpath.Path) (info backends.Info, err error) {
	if p.IsRoot() {
		f, err := b.folder(ctx, p)
		if err != nil {
			return backends.Info{}, err
		}
		defer f.close()
		return f.self("")
	}
	f, err := b.above(ctx, p)
	if err != nil {
		return backends.Info{}, err
	}
	defer f.close()
	return f.info(p.Name())
}

// List is one listing.
func (b *Backend) List(ctx context.Context, p vpath.Path) (self backends.Info, members []backends.Info, err error) {
	self, members, err = b.listing(ctx, p, b.members)
	if err != nil {
		return backends.Info{}, nil, fmt.Errorf("local: list: %w", err)
	}
	return self, members, nil
}

// self describes the folder itself.
func (f *folder) self(name string) (backends.Info, error) {
	st, err := f.file.Stat()
	if err != nil {
		return backends.Info{}, named(err)
	}
	raw, err := fileAttr(f.file)
	if err != nil {
		return backends.Info{}, named(err)
	}
	a := decode(raw)
	return a.info(name, st), nil
}

// Open reads a file.
func (b *Backend) Open(ctx context.Context, p vpath.Path, r backends.Range) (io.ReadCloser, backends.Info, error) {
	file, info, err := b.openFile(ctx, p)
	if err != nil {
		return nil, backends.Info{}, fmt.Errorf("local: open: %w", err)
	}
	off, n, ok := r.Resolve(info.Size)
	if !ok {
		_ = file.Close()
		return nil, info, fmt.Errorf("local: open: %w", fault.ErrRange)
	}
	if _, err := file.Seek(off, io.SeekStart); err != nil {
		_ = file.Close()
		return nil, backends.Info{}, fmt.Errorf("local: open: %w", named(err))
	}
	return &reader{ctx: ctx, file: file, part: io.LimitedReader{R: file, N: n}}, info, nil
}

// openFile opens a file and describes the version that the handle has.
func (b *Backend) openFile(ctx context.Context, p vpath.Path) (*os.File, backends.Info, error) {
	if p.IsRoot() {
		return nil, backends.Info{}, fault.ErrIsDir
	}
	f, err := b.above(ctx, p)
	if err != nil {
		return nil, backends.Info{}, err
	}
	defer f.close()
	var file *os.File
	var st fs.FileInfo
	err = b.s.report("open", func() (err error) { file, st, err = f.openFile(p.Name()); return err })
	if err != nil {
		return nil, backends.Info{}, err
	}
	raw, err := fileAttr(file)
	if err != nil {
		_ = file.Close()
		return nil, backends.Info{}, named(err)
	}
	a := decode(raw)
	return file, a.info(p.Name(), st), nil
}

// reader gives a part of a file.
type reader struct {
	ctx  context.Context //nolint:containedctx // a reader lives as long as the call it came from
	file *os.File
	part io.LimitedReader
}

// Read gives the next bytes. A file that another program has cut short is an
// error: the caller has announced its size.
func (r *reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := r.part.Read(p)
	return n, r.ended(err)
}

// WriteTo hands the file itself to w: a ResponseWriter then lets the kernel send
// it (sendfile), which halves the time of a large download.
func (r *reader) WriteTo(w io.Writer) (int64, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := io.Copy(w, &r.part)
	if err == nil {
		if err = r.ended(io.EOF); errors.Is(err, io.EOF) {
			err = nil
		}
	}
	return n, err
}

func (r *reader) ended(err error) error {
	if errors.Is(err, io.EOF) && r.part.N > 0 {
		return fmt.Errorf("local: read: the file was cut short: %w", io.ErrUnexpectedEOF)
	}
	return err
}

// Close closes the file.
func (r *reader) Close() error { return r.file.Close() }
