package config

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// watched is a running Watcher whose timers the test fires: it never waits for
// a clock.
type watched struct {
	t       *testing.T
	timers  chan chan time.Time // each timer that the watcher makes
	changed chan struct{}
	done    chan error
	cancel  context.CancelFunc
}

func watch(t *testing.T, file, seen string) *watched {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	w := &watched{t, make(chan chan time.Time, 1000), make(chan struct{}, 1000), make(chan error, 1), cancel}
	watcher := Watcher{
		File: file, Seen: seen, Quiet: time.Hour,
		OnChange: func() { w.changed <- struct{}{} },
		After: func(time.Duration) <-chan time.Time {
			timer := make(chan time.Time, 1)
			w.timers <- timer
			return timer
		},
	}
	go func() { w.done <- watcher.Run(ctx) }()
	t.Cleanup(w.stop)
	first := <-w.timers // the watch has begun
	w.timers <- first
	return w
}

func (w *watched) stop() {
	w.cancel()
	if err := <-w.done; err != nil {
		w.t.Errorf("Run() = %v, want nil at the end", err)
	}
	w.done <- nil
}

// settle fires each timer as it is made, until the watcher reports a change.
func (w *watched) settle(what string) {
	w.t.Helper()
	limit := time.After(20 * time.Second)
	for {
		select {
		case timer := <-w.timers:
			timer <- time.Time{}
		case <-w.changed:
			return
		case <-limit:
			w.t.Fatalf("%s: no change was reported", what)
		}
	}
}

// none fails if there was a report that nobody waited for.
func (w *watched) none(what string) {
	w.t.Helper()
	if len(w.changed) > 0 {
		w.t.Errorf("%s: a change was reported", what)
	}
}

func put(t *testing.T, file, content string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, to, name string) {
	t.Helper()
	if err := os.Symlink(to, name); err != nil {
		t.Fatal(err)
	}
}

// TestWatchEditors changes the file in each of the ways that editors do.
func TestWatchEditors(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "portico.yaml")
	put(t, file, "one")
	w := watch(t, file, "")

	put(t, file, "written in place")
	w.settle("written in place")
	put(t, file+".tmp", "renamed over it")
	rename(t, file+".tmp", file)
	w.settle("renamed over it (vim, sed -i)")
	rename(t, file, file+"~")
	w.settle("moved away")
	put(t, file, "written anew")
	w.settle("moved away and written anew (emacs)")
	put(t, file, "again in place")
	w.settle("in place after all that")
	w.none("at the end")
}

// TestWatchSameContent: neither a touch nor a neighbour is a change. The real
// change after them must be the first report.
func TestWatchSameContent(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "portico.yaml")
	put(t, file, "one")
	w := watch(t, file, digest([]byte("one")))
	put(t, file, "one")
	put(t, filepath.Join(dir, "neighbour"), "x")
	for range 3 { // the watcher looks, and finds nothing
		(<-w.timers) <- time.Time{}
	}
	w.none("touched")
	put(t, file, "two")
	w.settle("two")
	w.none("at the end")
}

// TestWatchKubernetes swaps the link that a mounted ConfigMap is behind.
func TestWatchKubernetes(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "portico.yaml")
	for _, version := range []string{"..v1", "..v2", "..v3"} {
		if err := os.Mkdir(filepath.Join(dir, version), 0o700); err != nil {
			t.Fatal(err)
		}
		put(t, filepath.Join(dir, version, "portico.yaml"), version)
	}
	link(t, "..v1", filepath.Join(dir, "..data"))
	link(t, filepath.Join("..data", "portico.yaml"), file)
	w := watch(t, file, "")
	for _, version := range []string{"..v2", "..v3"} {
		link(t, version, filepath.Join(dir, "..data_tmp"))
		rename(t, filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data"))
		w.settle(version)
	}
}

// TestWatchLink: what a link leads to may change in its own folder.
func TestWatchLink(t *testing.T) {
	far, near := t.TempDir(), t.TempDir()
	file := filepath.Join(near, "portico.yaml")
	put(t, filepath.Join(far, "real.yaml"), "one")
	link(t, filepath.Join(far, "real.yaml"), file)
	w := watch(t, file, "")
	put(t, filepath.Join(far, "real.yaml"), "two")
	w.settle("two")
}

// TestWatchSeen: a change between the load and the watch is not lost.
func TestWatchSeen(t *testing.T) {
	file := filepath.Join(t.TempDir(), "portico.yaml")
	put(t, file, "two")
	w := watch(t, file, digest([]byte("one")))
	w.settle("changed before the watch began")
}

func TestWatchNoFolder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "none", "portico.yaml")
	if err := Watch(t.Context(), file, "", func() {}); err == nil {
		t.Error("Watch of a folder that does not exist succeeded")
	}
}

// TestWatchClock is the whole with real timers.
func TestWatchClock(t *testing.T) {
	file := filepath.Join(t.TempDir(), "portico.yaml")
	put(t, file, "two")
	ctx, cancel := context.WithCancel(t.Context())
	if err := Watch(ctx, file, digest([]byte("one")), cancel); err != nil {
		t.Errorf("Watch() = %v, want nil at the end", err)
	}
}
