package local

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"

	"portico/backends"
)

// Fetch reads the file of an upload without a name. It is locked until the reader
// is closed.
func (b *Backend) Fetch(_ context.Context, handle string) (io.ReadCloser, error) {
	body, err := b.fetch(handle)
	if err != nil {
		return nil, fmt.Errorf("local: fetch: %w", err)
	}
	return body, nil
}

func (b *Backend) fetch(handle string) (*fetched, error) {
	st, err := parseStage(handle)
	if err != nil {
		return nil, err
	}
	if !st.Bare {
		return nil, fs.ErrInvalid
	}
	at, err := b.s.hold()
	if err != nil {
		return nil, err
	}
	file, _, err := at.resume(st)
	if err != nil {
		at.release()
		return nil, err
	}
	return &fetched{Reader: io.LimitReader(file, st.Off), file: file, base: at}, nil
}

// fetched is the body of an upload, of what its handle counts.
type fetched struct {
	io.Reader
	file *os.File
	base *base
}

// Close lets others at the file again.
func (f *fetched) Close() error {
	unlockFile(f.file)
	err := f.file.Close()
	f.base.release()
	return err
}

// IsBeside is of backends.Neighbour.
func (b *Backend) IsBeside(other backends.Backend) bool {
	o, ok := other.(*Backend)
	return ok && o.s == b.s
}
