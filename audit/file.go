package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// File is a sink that appends lines to a file and syncs it. When the file was
// renamed or removed, as logrotate does, the next line makes it anew: so nobody
// need be told of a rotation.
type File struct {
	name, path string

	mu sync.Mutex
	f  *os.File // nil when it must be opened
}

var _ Sink = (*File)(nil)

// NewFile makes a File; nothing is opened yet. A file that it makes can be read
// by its owner alone; one that is there keeps its mode.
func NewFile(name, path string) *File { return &File{name: name, path: path} }

// Name is of Sink.
func (s *File) Name() string { return s.name }

// Send is of Sink.
func (s *File) Send(ctx context.Context, items []Item) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.open(); err != nil {
		return fmt.Errorf("audit: file %s: %w", s.path, err)
	}
	var text bytes.Buffer
	for _, i := range items {
		text.Write(i.Line)
		text.WriteByte('\n')
	}
	if err := s.write(ctx, text.Bytes()); err != nil {
		return fmt.Errorf("audit: file %s: %w", s.path, errors.Join(err, s.close()))
	}
	return nil
}

// Close ends the sink. It does not wait for a Send that hangs.
func (s *File) Close() error {
	if !s.mu.TryLock() {
		return fmt.Errorf("audit: file %s: a write to it hangs", s.path)
	}
	defer s.mu.Unlock()
	return s.close()
}

func (s *File) close() error {
	if s.f == nil {
		return nil
	}
	f := s.f
	s.f = nil
	return f.Close()
}

// open sees to it that f is the file that path names now.
func (s *File) open() error {
	if s.f != nil && s.current() {
		return nil
	}
	if err := s.close(); err != nil {
		return err
	}
	// Read as well, for mend.
	f, err := os.OpenFile(s.path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := mend(f); err != nil {
		return errors.Join(err, f.Close())
	}
	s.f = f
	return syncDir(filepath.Dir(s.path))
}

func (s *File) current() bool {
	have, err := s.f.Stat()
	if err != nil {
		return false
	}
	there, err := os.Stat(s.path)
	return err == nil && os.SameFile(have, there)
}

// write appends all of text or, where the disk is full, nothing: half a line
// would make the one behind it unreadable, too.
func (s *File) write(ctx context.Context, text []byte) error {
	f := s.f // the end of ctx may be told of when s.f is no more
	info, err := f.Stat()
	if err != nil {
		return err
	}
	// A pipe that nobody reads is given up with ctx; files have no deadlines and
	// say so, which is no matter.
	defer context.AfterFunc(ctx, func() { _ = f.SetWriteDeadline(time.Unix(1, 0)) })()
	_, err = f.Write(text)
	if !info.Mode().IsRegular() {
		return err // devices and pipes know no sync
	}
	if err == nil {
		err = f.Sync()
	}
	if err != nil {
		err = errors.Join(err, f.Truncate(info.Size()))
	}
	return err
}

// mend removes a last line that has no end, which a crash has left. Its row
// comes again: the sink never said that it has it.
func mend(f *os.File) error {
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return err
	}
	end, err := lastLine(f, info.Size())
	if err != nil || end == info.Size() {
		return err
	}
	return f.Truncate(end)
}

// lastLine is where the last whole line of a file ends.
func lastLine(f io.ReaderAt, size int64) (int64, error) {
	const step = 32 << 10
	for end := size; end > 0; {
		begin := max(0, end-step)
		part := make([]byte, end-begin)
		if _, err := f.ReadAt(part, begin); err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
		if at := bytes.LastIndexByte(part, '\n'); at >= 0 {
			return begin + int64(at) + 1, nil
		}
		end = begin
	}
	return 0, nil
}
