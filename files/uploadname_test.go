package files_test

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"sync"
	"testing"

	"portico/backends"
	"portico/backends/mem"
	"portico/fault"
	"portico/files"
	"portico/vpath"
)

func TestUploadWhereAFileIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	w.seed("root", "/firm/a.txt")
	ann := w.as("ann")
	wish := func(word string) files.UploadWish { return files.UploadWish{Size: 3, Exists: word} }
	_, err := ann.tryBegin("/firm/a.txt", wish(files.ExistsAsk))
	wantErr(t, "ask", err, fs.ErrExist)
	ann.begin("/firm/a.txt", wish(files.ExistsKeep)).add("new").became("/firm/a (2).txt", "new")
	w.holds("/firm/a.txt", "/firm/a.txt")
	ann.begin("/firm/a.txt", wish(files.ExistsReplace)).add("two").became("/firm/a.txt", "two")
	if info, _ := w.back["firm"].Stat(t.Context(), vpath.Must("/a.txt")); info.Creator != id("root") {
		t.Errorf("who replaced it took it over: %+v", info)
	}
	w.idle()
}

// TestUploadMeanwhile makes a file of the upload's name while it is under way.
func TestUploadMeanwhile(t *testing.T) {
	t.Parallel()
	for _, word := range []string{files.ExistsAsk, files.ExistsKeep, files.ExistsReplace} {
		w := newWorld(t, options{})
		w.seed("root", "/firm/")
		s := w.as("ann").begin("/firm/f", files.UploadWish{Size: 2, Exists: word}).add("a")
		w.seed("root", "/firm/f")
		s.add("b").became("/firm/f (2)", "ab")
		w.holds("/firm/f", "/firm/f")
	}
	// In the very last moment.
	w := newWorld(t, options{})
	w.seed("root", "/firm/")
	s := w.as("ann").begin("/firm/f", ask(1))
	w.once("Finish", func() { w.seed("root", "/firm/f") })
	s.add("x").became("/firm/f (2)", "x")

	// What is to be replaced became somebody else's, or went.
	for _, change := range []func(w *world){
		func(w *world) { w.as("root").rm("/firm/g").ok() },
		func(w *world) { w.as("root").rm("/firm/g").ok(); w.seed("hal", "/firm/g") },
	} {
		w = newWorld(t, options{})
		w.seed("root", "/firm/g")
		s = w.as("ann").begin("/firm/g", files.UploadWish{Size: 1, Exists: files.ExistsReplace})
		change(w)
		wantErr(t, "the last piece", s.try(strings.NewReader("x")), fault.ErrPrecondition)
	}
}

// bound is a storage whose uploads keep the name that they began with, as parts
// of S3 do.
func bound(b *mem.Backend) backends.Backend {
	return &boundBackend{Backend: b, names: map[string]vpath.Path{}}
}

type boundBackend struct {
	*mem.Backend
	mu    sync.Mutex
	names map[string]vpath.Path
}

func idOf(handle string) string { id, _, _ := strings.Cut(handle, ":"); return id }

func (b *boundBackend) Begin(ctx context.Context, p vpath.Path, o backends.PutOptions) (string, error) {
	handle, err := b.Backend.Begin(ctx, p, o)
	b.mu.Lock()
	defer b.mu.Unlock()
	if !o.Loose {
		b.names[idOf(handle)] = p
	}
	return handle, err
}

func (b *boundBackend) Finish(ctx context.Context, handle string, p vpath.Path, o backends.PutOptions) (backends.Info, error) {
	b.mu.Lock()
	at := b.names[idOf(handle)]
	b.mu.Unlock()
	if !at.IsRoot() && at != p {
		return backends.Info{}, fault.ErrConflict
	}
	return b.Backend.Finish(ctx, handle, p, o)
}

// TestUploadBoundToItsName keeps the bytes until the name is free again.
func TestUploadBoundToItsName(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{shape: bound})
	w.seed("root", "/firm/")
	s := w.as("ann").begin("/firm/f", ask(2)).add("a")
	w.seed("root", "/firm/f")
	err := s.try(strings.NewReader("b"))
	wantErr(t, "the last piece", err, fs.ErrExist)
	if fault.Told(err) == "" {
		t.Errorf("the client is not told what to do: %v", err)
	}
	w.holds("/firm/f", "/firm/f")
	w.as("root").rm("/firm/f").ok()
	if s.UploadState, err = s.tree().UploadAt(s.ctx, s.ID); err != nil {
		t.Fatal(err)
	}
	s.became("/firm/f", "ab")
}

func TestUploadBlind(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	w.seed("root", "/firm/Drop/tax.pdf")
	s := w.as("ida").begin("/firm/Drop/tax.pdf", ask(3))
	other := w.as("ivo").begin("/firm/Drop/tax.pdf", ask(3))
	s.add("ida").became("/firm/Drop/tax (2).pdf", "ida")
	if err := other.try(strings.NewReader("ivo")); err != nil {
		t.Fatal(err)
	}
	w.holds(other.Path.String(), "ivo")
	if other.Path == s.Path {
		t.Errorf("both are at %s", s.Path)
	}
	w.holds("/firm/Drop/tax.pdf", "/firm/Drop/tax.pdf")
	w.as("ida").begin("/firm/Drop/new/x", ask(1)).add("x").became("/firm/Drop/new/x", "x")
}

// TestUploadBlindBound is overtaken under each name that it may have had, in a
// storage that binds bytes to names: its sender neither fails nor hears of it.
func TestUploadBlindBound(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{shape: bound})
	w.seed("root", "/firm/Drop/tax.pdf")
	s := w.as("ida").begin("/firm/Drop/tax.pdf", ask(3)).add("i")
	w.seed("root", "/firm/Drop/tax (2).pdf")
	s.add("d")
	w.once("Finish", func() { w.seed("root", "/firm/Drop/tax (3).pdf") })
	s.add("a").became("/firm/Drop/tax (4).pdf", "ida")
	for _, theirs := range []string{"/firm/Drop/tax.pdf", "/firm/Drop/tax (2).pdf", "/firm/Drop/tax (3).pdf"} {
		w.holds(theirs, theirs)
	}
	w.idle()
}

// TestUploadBlindOutrun loses every try in the last moment, which nobody does by
// chance: it is told to try again, not why, and the bytes stay.
func TestUploadBlindOutrun(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{shape: bound})
	w.seed("root", "/firm/Drop/")
	s := w.as("ida").begin("/firm/Drop/x", ask(2)).add("a")
	w.setHook(func(op string, _ vpath.Path) error {
		if op == "Finish" {
			return fault.ErrPrecondition
		}
		return nil
	})
	err := s.try(strings.NewReader("b"))
	wantErr(t, "outrun", err, fault.ErrUnavailable)
	if text := fault.Told(err); strings.Contains(text, "x") && strings.Contains(text, "/") || errors.Is(err, fs.ErrExist) || errors.Is(err, fault.ErrConflict) {
		t.Errorf("the sender is told %q (%v)", text, err)
	}
	w.setHook(nil)
	if s.UploadState, err = s.tree().UploadAt(s.ctx, s.ID); err != nil {
		t.Fatal(err)
	}
	s.became("/firm/Drop/x", "ab")
}

func TestUploadLocked(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	w.seed("root", "/firm/f")
	s := w.as("ann").begin("/firm/f", files.UploadWish{Size: 2, Exists: files.ExistsReplace}).add("a")
	token := w.as("root").lock("/firm/f").ok().lock.Token
	wantErr(t, "the last piece", s.try(strings.NewReader("b")), fault.ErrLocked)
	w.holds("/firm/f", "/firm/f")
	w.as("root").unlock("/firm/f", token).ok()
	s.add("b").became("/firm/f", "ab")
}
