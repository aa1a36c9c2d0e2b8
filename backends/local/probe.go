package local

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"portico/fault"
)

// makeDir makes the storage's folder where its parent is there.
func makeDir(dir string) error {
	err := os.Mkdir(dir, folderMode)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("the folder does not exist and cannot be made; make it, or mount its disk: %w", err)
	}
	return nil
}

// openDir opens the storage's folder.
func openDir(dir string) (*os.Root, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("the folder cannot be opened; it must be a folder that Portico's user may read and write: %w", err)
	}
	return root, nil
}

// private enters a folder of Portico's own, and makes it if it is missing.
func (f *folder) private(name string) (*folder, error) {
	err := f.root.Mkdir(name, privateMode)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("the folder cannot be written to; give it to Portico's user: %w", err)
	}
	sub, err := f.enter(name)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fault.ErrNotDir) {
		return nil, fmt.Errorf("%s in it is no folder; remove it, Portico keeps its own files there", name)
	}
	return sub, err
}

// probe finds out whether the file system can do what Portico stands on.
func (b *base) probe() error {
	u, err := b.newUpload()
	if err != nil {
		return fmt.Errorf("the folder cannot be written to; give it to Portico's user: %w", err)
	}
	defer u.discard()
	if err := probeAttr(b.tmp, u); err != nil {
		return err
	}
	return probeCase(b.tmp, u.name)
}

func probeAttr(f *folder, u *upload) error {
	err := setAttr(u.file, []byte("probe"))
	if errors.Is(err, unix.ENOTSUP) || errors.Is(err, unix.EPERM) {
		return errors.New("its file system has no user extended attributes, where Portico keeps who made a file; " +
			"use ext4, XFS, Btrfs or ZFS, or mount it with the option user_xattr")
	}
	if err != nil {
		return fmt.Errorf("an extended attribute cannot be written: %w", err)
	}
	got, err := attrsIn(f.file).of(u.name)
	if err != nil || !bytes.Equal(got, []byte("probe")) {
		return fmt.Errorf("an extended attribute cannot be read through /proc/self/fd; is /proc mounted? (%q, %w)", got, err)
	}
	return nil
}

// probeCase refuses a disk for which FILE and file are one: a rule for /HR would
// not hold for /hr.
func probeCase(f *folder, name string) error {
	if _, err := f.root.Lstat(string(bytes.ToUpper([]byte(name)))); err == nil {
		return errors.New("its file system does not tell upper from lower case in names, so folder rules could be passed by; " +
			"use one that does")
	}
	return nil
}
