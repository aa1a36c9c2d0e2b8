package config

import (
	"path/filepath"
	"strings"

	"portico/vpath"
)

// overlaps reports files that could be reached by two addresses: the rules of
// one would not hold for the other.
func (l *loader) overlaps(c *Config, roots map[string]value) {
	l.storagesApart(c)
	l.stateApart(c)
	for i, a := range c.Workspaces {
		for _, b := range c.Workspaces[:i] {
			if a.Storage == "" || a.Storage != b.Storage || !nested(c.Storage[a.Storage], a.Root, b.Root) {
				continue
			}
			roots[a.Name].fault("the workspaces %s (root %q) and %s (root %q) share files of the storage %s, so that the rules of one would be no rules for the other; give each a root of its own",
				b.Name, b.Root, a.Name, a.Root, a.Storage)
		}
	}
}

// nested tells whether one root holds the other, by whole elements. On a disk
// case does not count, since there are disks that do not tell it.
func nested(s Storage, a, b string) bool {
	if s.Local != nil {
		a, b = vpath.Fold(a), vpath.Fold(b)
	}
	return holds(a, b) || holds(b, a)
}

// holds tells whether folder a is b or has b below it; "" is the top.
func holds(a, b string) bool {
	return a == "" || a == b || strings.HasPrefix(b, strings.TrimSuffix(a, "/")+"/")
}

// storagesApart refuses two storages with files in common.
func (l *loader) storagesApart(c *Config) {
	for i, name := range l.storageNames.all {
		for _, other := range l.storageNames.all[:i] {
			a, b := c.Storage[other], c.Storage[name]
			if sameFiles(a, b) {
				l.add(b.At.Line, "storage.%s: it shares files with storage.%s, so that the rules of one workspace would be no rules for another; use one storage, with a root for each workspace", name, other)
			}
		}
	}
}

// sameFiles tells whether two storages have files in common, as far as can be
// told from here: one bucket under two host names passes for two.
func sameFiles(a, b Storage) bool {
	switch {
	case a.Local != nil && b.Local != nil:
		x, y := realPath(a.Local.Path), realPath(b.Local.Path)
		return holds(x, y) || holds(y, x)
	case a.S3 != nil && b.S3 != nil && a.S3.Endpoint != nil && b.S3.Endpoint != nil:
		return a.S3.Endpoint.Host == b.S3.Endpoint.Host && a.S3.Bucket == b.S3.Bucket &&
			(strings.HasPrefix(a.S3.Prefix, b.S3.Prefix) || strings.HasPrefix(b.S3.Prefix, a.S3.Prefix))
	}
	return false
}

// stateApart keeps Portico's own files off the drives, where somebody with
// rights could read or replace them.
func (l *loader) stateApart(c *Config) {
	for _, name := range l.storageNames.all {
		s := c.Storage[name]
		if s.Local == nil {
			continue
		}
		folder := realPath(s.Local.Path)
		for what, path := range map[string]string{"state": c.State.SQLite, "audit's file": c.Audit.File, "audit's checkpoints": c.Audit.Checkpoints} {
			if path != "" && holds(folder, realPath(path)) {
				l.add(s.At.Line, "storage.%s: the %s (%s) lies in this folder and would be served as a file; keep it elsewhere", name, what, path)
			}
		}
		if holds(folder, realPath(l.file)) {
			l.add(s.At.Line, "storage.%s: this config itself lies in the folder and would be served as a file; keep it elsewhere", name)
		}
	}
}

// realPath is the absolute path with links followed as far as it exists yet.
func realPath(path string) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		return filepath.Clean(path)
	}
	for head, tail := abs, ""; ; head, tail = filepath.Dir(head), filepath.Join(filepath.Base(head), tail) {
		if found, err := filepath.EvalSymlinks(head); err == nil {
			return filepath.ToSlash(filepath.Join(found, tail))
		}
		if head == filepath.Dir(head) {
			return filepath.ToSlash(abs)
		}
	}
}
