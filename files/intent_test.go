package files_test

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"slices"
	"testing"

	"portico/audit"
	"portico/audit/audittest"
	"portico/fault"
	"portico/files"
	"portico/vpath"
)

// changes are all that changes files, but for a move, which has its journal.
func changes() map[string]func(*world) *outcome {
	return map[string]func(*world) *outcome{
		"put":         func(w *world) *outcome { return w.as("ann").put("/firm/x", "new") },
		"put new":     func(w *world) *outcome { return w.as("ann").put("/firm/n", "new") },
		"drop":        func(w *world) *outcome { return w.as("ida").put("/firm/Drop/n", "new") },
		"drop deep":   func(w *world) *outcome { return w.as("ida").put("/firm/Drop/e/f/n", "new") },
		"mkdir":       func(w *world) *outcome { return w.as("ann").mkdir("/firm/e") },
		"mkdir deep":  func(w *world) *outcome { return w.as("ida").mkdir("/firm/Drop/e/f") },
		"delete":      func(w *world) *outcome { return w.as("ann").rm("/firm/d") },
		"copy":        func(w *world) *outcome { return w.as("ann").cp("/firm/d", "/firm/e") },
		"copy over":   func(w *world) *outcome { return w.as("ann").cp("/firm/x", "/firm/d/y") },
		"lock new":    func(w *world) *outcome { return w.as("ann").lock("/firm/n") },
		"copy a file": func(w *world) *outcome { return w.as("ann").cp("/firm/x", "/firm/n") },
	}
}

func changeWorld(t *onShape) *world {
	w := newWorld(t, options{shape: t.shape, shared: newMemState()})
	w.seed("ann", "/firm/x", "/firm/d/y")
	w.seed("root", "/firm/Drop/")
	return w
}

// mute is an audit that takes no intents.
type mute struct{ *audittest.Recorder }

func (mute) Intend(context.Context, audit.Event) (string, error) {
	return "", errors.New("disk full")
}

// A change that cannot be recorded is refused, and changes nothing.
func TestNoChangeWithoutAnIntent(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *onShape) {
		for name, change := range changes() {
			w := changeWorld(t)
			w.svc = files.New(files.Options{
				State: w.state, Audit: mute{w.rec}, Clock: w.clock.Now, Rand: rand.Reader, Log: slog.New(slog.DiscardHandler),
			})
			w.apply(0)
			if o := change(w).want(fault.ErrUnavailable); fault.Told(o.err) == "" {
				t.Errorf("%s: no sentence", name)
			}
		}
	})
}

// An intent is there before anything can be seen, and ends with the outcome.
func TestAnIntentComesFirst(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *onShape) {
		for name, change := range changes() {
			w := changeWorld(t)
			seen := 0
			w.setHook(func(op string, p vpath.Path) error {
				if slices.Contains([]string{"Publish", "Mkdir", "Remove", "Rename"}, op) {
					if seen++; len(w.rec.Open()) != 1 {
						t.Errorf("%s: %s %s with the intents %v", name, op, p, w.rec.Open())
					}
				}
				return nil
			})
			change(w).ok()
			if open := w.rec.Open(); seen == 0 || len(open) != 0 {
				t.Errorf("%s: %d calls, open intents %v", name, seen, open)
			}
		}
	})
}

// A change that the file store refuses leaves no intent. One of which nobody knows
// whether it was made leaves it, for the audit to tell.
func TestWhatBecomesOfAnIntent(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *onShape) {
		for name, change := range changes() {
			for _, op := range []string{"Publish", "Mkdir"} {
				for err, left := range map[error]int{fault.ErrQuota: 0, fault.ErrUnavailable: 1, errors.New("input/output error"): 1} {
					w := changeWorld(t)
					called := false
					w.setHook(func(o string, _ vpath.Path) error {
						if o == op && !called {
							called = true
							return err
						}
						return nil
					})
					o := change(w)
					if !called || errors.As(o.err, new(*files.Partial)) {
						continue
					}
					if name == "copy" || name == "copy over" || name == "copy a file" {
						left = 0 // recorded as done in part
					}
					if n := len(w.rec.Left()); n != left {
						t.Errorf("%s, %s fails with %v: the audit was told of %d intents that it has to end, want %d", name, op, err, n, left)
					}
					if open := w.rec.Open(); len(open) != left || !errors.Is(o.err, err) {
						t.Errorf("%s, %s fails with %v: answer %v, %d intents open, want %d", name, op, err, o.err, len(open), left)
					}
				}
			}
		}
	})
}

// Where the outcome cannot be recorded after all, the intent stays.
func TestAnIntentOutlastsALostRecord(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *onShape) {
		for name, change := range changes() {
			w := changeWorld(t)
			w.setHook(func(op string, _ vpath.Path) error {
				if slices.Contains([]string{"Publish", "Mkdir", "Remove"}, op) {
					w.rec.Fail(errors.New("disk full"))
				}
				return nil
			})
			o := change(w)
			if open := w.rec.Open(); len(open) != 1 || !errors.Is(o.err, fault.ErrUnavailable) {
				t.Errorf("%s: answer %v, intents %v", name, o.err, open)
			}
			if len(w.rec.Left()) == 0 {
				t.Errorf("%s: the audit was not told that the intent has no outcome", name)
			}
		}
	})
}

// An event tells the app password and the config.
func TestEventNamesKeyAndEpoch(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{shared: newMemState()})
	w.svc = files.New(files.Options{
		State: w.state, Audit: w.rec, Clock: w.clock.Now, Rand: rand.Reader, Log: slog.New(slog.DiscardHandler),
		Epoch: func() string { return "e7" },
	})
	w.apply(0)
	p := files.Staff(files.Person{ID: id("ann"), Login: "ann"})
	p.Key = "k1"
	tree, err := w.svc.As(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	if err := tree.Mkdir(t.Context(), vpath.Must("/firm/e"), files.Guard{}); err != nil {
		t.Fatal(err)
	}
	e := w.rec.Appended()[0]
	if e.Actor.Key != "k1" || e.Actor.Type != audit.ByAppPassword || e.Epoch != "e7" {
		t.Errorf("event %+v", e)
	}
}
