package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// NewFolder makes a way out that writes each mail as a file into a folder: for a
// trial, and for firms whose own program fetches them. It makes the folder.
func NewFolder(dir string) (Mailer, error) {
	// Mails hold links that let their reader in.
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("notify: folder: %w", err)
	}
	return folder(dir), nil
}

// folder is a Mailer, and its own Session.
type folder string

// Open is of Mailer.
func (f folder) Open(context.Context) (Session, error) {
	root, err := os.OpenRoot(string(f))
	if err != nil {
		return nil, fmt.Errorf("notify: folder: %w", err)
	}
	return &shelf{root}, nil
}

// shelf is a folder that is open.
type shelf struct{ root *os.Root }

// Send is of Session. The file is whole or not there: another program may watch
// the folder. It is named by its notice, so that a second try replaces the first.
func (s *shelf) Send(_ context.Context, m *Mail) (err error) {
	var b bytes.Buffer
	if _, err := m.WriteTo(&b); err != nil {
		return err
	}
	name := m.Written.UTC().Format("20060102-150405-") + m.ID + ".eml"
	part := "." + m.ID + ".part"
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("notify: folder: %w", err), s.drop(part))
		}
	}()
	f, err := s.root.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b.Bytes())
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := s.root.Rename(part, name); err != nil {
		return err
	}
	return s.sync()
}

// sync makes the name durable.
func (s *shelf) sync() error {
	dir, err := os.Open(filepath.Clean(s.root.Name()))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

func (s *shelf) drop(name string) error {
	if err := s.root.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("notify: folder: %w", err)
	}
	return nil
}

// Close is of Session.
func (s *shelf) Close() { _ = s.root.Close() }
