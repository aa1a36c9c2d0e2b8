package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"portico/backends"
	"portico/fault"
	"portico/vpath"
)

// Put stores body as p: into a file of its own out of sight, which is synced,
// renamed onto p, and the folder synced.
func (b *Backend) Put(ctx context.Context, p vpath.Path, body io.Reader, o backends.PutOptions) (backends.Info, error) {
	info, err := b.put(ctx, p, body, o)
	if err != nil {
		return backends.Info{}, fmt.Errorf("local: put: %w", err)
	}
	return info, nil
}

func (b *Backend) put(ctx context.Context, p vpath.Path, body io.Reader, o backends.PutOptions) (backends.Info, error) {
	at, err := b.s.hold() // one base from here to the publication
	if err != nil {
		return backends.Info{}, err
	}
	defer at.release()
	created, err := b.judge(ctx, p, o.If) // before the body is taken in for nothing
	if err != nil {
		return backends.Info{}, err
	}
	u, err := at.newUpload()
	if err != nil {
		return backends.Info{}, err
	}
	defer u.discard()
	u.inherit(created)
	if err := u.fill(ctx, body, o.Size); err != nil {
		return backends.Info{}, err
	}
	if err := u.seal(o.Meta, u.sha256()); err != nil {
		return backends.Info{}, err
	}
	if o.Commit != nil {
		if _, err := b.judge(ctx, p, o.If); err != nil {
			return backends.Info{}, err
		}
		if err := o.Commit(); err != nil {
			return backends.Info{}, err
		}
	}
	return b.publishFile(ctx, p, u, o.If)
}

func (b *Backend) publishFile(ctx context.Context, p vpath.Path, u *upload, c backends.Condition) (backends.Info, error) {
	info, err := b.publish(ctx, p, u, !c.NotExist, func(f *folder) error {
		_, err := f.judge(p.Name(), c)
		return err
	})
	if errors.Is(err, fs.ErrExist) { // another program was quicker than the rename
		err = fault.ErrPrecondition
	}
	return info, err
}

// judge tells whether a file can be put at p now, and when the one that is there
// was made, "" if there is none.
func (b *Backend) judge(ctx context.Context, p vpath.Path, c backends.Condition) (created string, err error) {
	if p.IsRoot() {
		return "", fault.ErrIsDir
	}
	f, err := b.parent(ctx, p)
	if err != nil {
		return "", err
	}
	defer f.close()
	return f.judge(p.Name(), c)
}

func (f *folder) judge(name string, c backends.Condition) (created string, err error) {
	st, err := f.lstat(name)
	switch {
	case isNotExist(err) && c.ETag != "":
		return "", fault.ErrPrecondition
	case isNotExist(err):
		return "", nil
	case err != nil:
		return "", err
	}
	switch kindOf(st) {
	case isFolder:
		return "", fault.ErrIsDir
	case isOther:
		return "", errTaken()
	case isFile:
	}
	old, err := f.info(name)
	switch {
	case isNotExist(err): // removed just now
		return f.judge(name, c)
	case err != nil:
		return "", err
	case c.NotExist, c.ETag != "" && c.ETag != old.ETag:
		return "", fault.ErrPrecondition
	}
	return formatTime(old.Created), nil
}

// inherit keeps the time when a file was first made over its versions.
func (u *upload) inherit(created string) {
	if created != "" {
		u.attr.created = created
	}
}

// publish asks judge and renames under one lock, and syncs the folder when the
// lock is free again. The path is walked anew, as folders may have moved while
// the body came in.
func (b *Backend) publish(ctx context.Context, p vpath.Path, u *upload, replace bool, judge func(*folder) error) (backends.Info, error) {
	b.s.tree.RLock()
	f, info, err := b.place(ctx, p, u, replace, judge)
	b.s.tree.RUnlock()
	if err != nil {
		return backends.Info{}, err
	}
	defer f.close()
	// Should this fail, the name is there but might not outlive a crash of the
	// machine: the caller hears of it and sends it again.
	return info, f.sync()
}

func (b *Backend) place(ctx context.Context, p vpath.Path, u *upload, replace bool, judge func(*folder) error) (*folder, backends.Info, error) {
	f, err := b.parent(ctx, p)
	if err != nil {
		return nil, backends.Info{}, err
	}
	unlock := b.s.names.lock(f.place(p.Name()))
	defer unlock()
	var info backends.Info
	if err = judge(f); err == nil {
		info, err = u.publish(ctx, f, p.Name(), replace)
	}
	if err != nil {
		f.close()
		return nil, backends.Info{}, err
	}
	return f, info, nil
}

func isNotExist(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// ours gives an error about Portico's own folder its name: it is never about a
// file of the user's, which must not look missing or taken.
func ours(err error) error {
	if errors.Is(err, fault.ErrQuota) || errors.Is(err, fault.ErrUnavailable) {
		return err
	}
	return unavailable(err)
}
