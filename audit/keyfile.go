package audit

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// KeyFile gives the secret in a file, and makes the file if it is not there.
// Of two processes that make it at once, both get the same secret.
func KeyFile(path string, random io.Reader) ([]byte, error) {
	secret, err := ReadKeyFile(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return secret, err
	}
	if err := makeKeyFile(path, random); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("cannot make the audit key %s: %w", path, err)
	}
	return ReadKeyFile(path)
}

// ReadKeyFile gives the secret in a file. Where there is none the error wraps
// fs.ErrNotExist.
func ReadKeyFile(path string) ([]byte, error) {
	f, err := os.Open(path) //nolint:gosec // the admin names the file
	if err != nil {
		return nil, fmt.Errorf("cannot read the audit key: %w", err)
	}
	defer f.Close() //nolint:errcheck // only read
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("cannot read the audit key: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("the audit key %s can be read by others (mode %v): run chmod 600 %[1]s, and think of the key as known", path, info.Mode().Perm())
	}
	text, err := io.ReadAll(io.LimitReader(f, 64<<10))
	if err != nil {
		return nil, fmt.Errorf("cannot read the audit key: %w", err)
	}
	secret := bytes.TrimSpace(text)
	if len(secret) < minKey {
		return nil, fmt.Errorf("the audit key %s has %d bytes and needs %d: put it back from a backup, or remove it so that a new one is made; rows of before cannot be checked with a new one", path, len(secret), minKey)
	}
	return secret, nil
}

// makeKeyFile writes the file under another name and links it to its own: so it
// is there with all of its content or not at all, and never takes the place of
// one that is there.
func makeKeyFile(path string, random io.Reader) (err error) {
	secret := make([]byte, minKey)
	if _, err := io.ReadFull(random, secret); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".audit-key-*") // makes it with mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) //nolint:errcheck // what stays is a file that nobody reads
	_, err = fmt.Fprintln(f, base64.StdEncoding.EncodeToString(secret))
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// syncDir makes the names in a folder durable.
func syncDir(dir string) error {
	d, err := os.Open(dir) //nolint:gosec // the admin names the folder
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
