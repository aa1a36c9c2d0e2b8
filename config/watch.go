package config

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

// Watcher tells when a config's content changes.
//
// It watches folders, not the file: editors write a new file and rename it over
// the old one, and Kubernetes swaps a symbolic link two steps away, both of
// which end a watch on the file itself. Whatever stirs in the folders, the
// content is what is compared, so that a touch or a neighbour's change is none.
// Files that ${file:…} names are not watched: send SIGHUP.
type Watcher struct {
	File     string
	Seen     string // Config.Digest of what is loaded; "" for whatever is there at the start
	OnChange func() // called by Run, never twice at once

	// Quiet is how long the folders must be still before the file is read, so
	// that half a file is not. After makes its timers: time.After where it is nil.
	Quiet time.Duration
	After func(time.Duration) <-chan time.Time
}

// quiet is longer than an editor takes between two steps of one save.
const quiet = 300 * time.Millisecond

// Watch calls onChange each time the file's content changes, until ctx ends.
// seen is the Config.Digest of what is loaded.
func Watch(ctx context.Context, file, seen string, onChange func()) error {
	w := Watcher{File: file, Seen: seen, OnChange: onChange, Quiet: quiet}
	return w.Run(ctx)
}

// Run watches until ctx ends, and then returns nil.
func (w *Watcher) Run(ctx context.Context) error {
	events, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("config: watch: %w", err)
	}
	defer events.Close() //nolint:errcheck // nothing was written
	follow := func() error {
		for _, folder := range foldersOf(w.File) {
			if err := events.Add(folder); err != nil { // adding twice is adding once
				return fmt.Errorf("config: watch %s: %w", folder, err)
			}
		}
		return nil
	}
	if err := follow(); err != nil {
		return err
	}
	return w.loop(ctx, events, follow)
}

// loop turns events into reports. Each event starts the wait anew, so that a
// save in several steps is one change.
func (w *Watcher) loop(ctx context.Context, events *fsnotify.Watcher, follow func() error) error {
	seen := w.Seen
	if seen == "" {
		seen = contentOf(w.File)
	}
	still := w.after() // what changed before the watch began counts as well
	for {
		select {
		case <-ctx.Done():
			return nil
		case _, ok := <-events.Events:
			if !ok {
				return nil
			}
			still = w.after()
		case _, ok := <-events.Errors: // the kernel's queue ran over: look for ourselves
			if !ok {
				return nil
			}
			still = w.after()
		case <-still:
			still = nil
			_ = follow() // a link may lead elsewhere now; if that is gone, Load says so
			if now := contentOf(w.File); now != seen {
				seen = now
				w.OnChange()
			}
		}
	}
}

// after is a timer that fires when the folders have been still for long enough.
func (w *Watcher) after() <-chan time.Time {
	if w.After == nil {
		return time.After(w.Quiet)
	}
	return w.After(w.Quiet)
}

// foldersOf are the folder of the file as it is named and that of the file that
// it leads to.
func foldersOf(file string) []string {
	folders := []string{filepath.Dir(file)}
	if target, err := filepath.EvalSymlinks(file); err == nil {
		folders = append(folders, filepath.Dir(target))
	}
	return folders
}

// contentOf is the digest of the file, or what keeps it from being read.
func contentOf(file string) string {
	data, _, err := readBounded(file, maxFile)
	if err != nil {
		return "unreadable: " + err.Error()
	}
	return digest(data)
}
