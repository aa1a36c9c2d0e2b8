package mem_test

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"portico/backends"
	"portico/backends/mem"
	"portico/vpath"
)

var errTest = errors.New("the test's fault")

func at(t *testing.T, s *mem.Storage) backends.Backend {
	t.Helper()
	b, err := s.At(vpath.Must("/firm"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// put stores content as /file.
func put(ctx context.Context, b backends.Backend, content string) error {
	_, err := b.Put(ctx, vpath.Must("/file"), strings.NewReader(content), backends.PutOptions{})
	return err
}

// TestFailNext breaks each call once: the next one works again.
func TestFailNext(t *testing.T) {
	t.Parallel()
	ctx, file, gone := t.Context(), vpath.Must("/file"), func(b *mem.Backend, p vpath.Path) error {
		return b.RemoveAll(t.Context(), []vpath.Path{p})[p]
	}
	for op, call := range map[string]func(s *mem.Storage, b *mem.Backend) error{
		"Stat": func(_ *mem.Storage, b *mem.Backend) error { _, err := b.Stat(ctx, file); return err },
		"List": func(_ *mem.Storage, b *mem.Backend) error { _, _, err := b.List(ctx, vpath.Path{}); return err },
		"Open": func(_ *mem.Storage, b *mem.Backend) error {
			_, _, err := b.Open(ctx, file, backends.Range{})
			return err
		},
		"Put":     func(_ *mem.Storage, b *mem.Backend) error { return put(ctx, b, "new") },
		"Publish": func(_ *mem.Storage, b *mem.Backend) error { return put(ctx, b, "new") },
		"Mkdir": func(_ *mem.Storage, b *mem.Backend) error {
			_, err := b.Mkdir(ctx, vpath.Must("/d"), backends.Meta{})
			return err
		},
		"Remove": func(_ *mem.Storage, b *mem.Backend) error { return b.Remove(ctx, file) },
		"Copy": func(_ *mem.Storage, b *mem.Backend) error {
			_, err := b.Copy(ctx, file, vpath.Must("/c"), backends.Meta{})
			return err
		},
		"Rename": func(_ *mem.Storage, b *mem.Backend) error { return b.Rename(ctx, file, vpath.Must("/r")) },
		"Walk": func(_ *mem.Storage, b *mem.Backend) error {
			return b.Walk(ctx, vpath.Path{}, func(vpath.Path, backends.Info) error { return nil })
		},
		"RemoveAll": func(_ *mem.Storage, b *mem.Backend) error { return gone(b, file) },
		"Free":      func(_ *mem.Storage, b *mem.Backend) error { _, err := b.Free(ctx); return err },
		"Check":     func(s *mem.Storage, _ *mem.Backend) error { return s.Check(ctx) },
		"Reap":      func(s *mem.Storage, _ *mem.Backend) error { _, err := s.Reap(ctx, time.Time{}); return err },
	} {
		t.Run(op, func(t *testing.T) {
			t.Parallel()
			s := mem.New()
			b, _ := at(t, s).(*mem.Backend)
			if err := put(t.Context(), b, "old"); err != nil {
				t.Fatal(err)
			}
			s.FailNext(op, errTest)
			if err := call(s, b); !errors.Is(err, errTest) {
				t.Errorf("%s = %v, want the fault", op, err)
			}
			if info, err := b.Stat(t.Context(), file); err != nil || info.Size != 3 {
				t.Errorf("after the fault: %+v, %v", info, err)
			}
			if err := call(s, b); err != nil {
				t.Errorf("%s again = %v", op, err)
			}
		})
	}
}

func TestFaultsQueue(t *testing.T) {
	t.Parallel()
	s := mem.New()
	s.FailNext("Check", errTest)
	s.FailNext("Check", fs.ErrExist)
	for _, want := range []error{errTest, fs.ErrExist, nil} {
		if err := s.Check(t.Context()); !errors.Is(err, want) {
			t.Errorf("Check = %v, want %v", err, want)
		}
	}
}

func TestHookAndOnCall(t *testing.T) {
	t.Parallel()
	var hooked, called []string
	s := mem.NewWith(mem.Options{
		Hook: func(op string, p vpath.Path) error {
			hooked = append(hooked, op+" "+p.String())
			if p.Name() == "forbidden" {
				return errTest
			}
			return nil
		},
		OnCall: func(c backends.Call) {
			if (c.Err != nil) != (c.Name == "Stat") {
				t.Errorf("OnCall of %s tells %v", c.Name, c.Err)
			}
			called = append(called, c.Name)
		},
	})
	b := at(t, s)
	if err := put(t.Context(), b, "x"); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Stat(t.Context(), vpath.Must("/forbidden")); !errors.Is(err, errTest) {
		t.Errorf("Stat = %v", err)
	}
	if want := []string{"Put /file", "Publish /file", "Stat /forbidden"}; !slices.Equal(hooked, want) {
		t.Errorf("hooked %q, want %q", hooked, want)
	}
	if want := []string{"Put", "Stat"}; !slices.Equal(called, want) {
		t.Errorf("called %q, want %q", called, want)
	}
}

func TestShapes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		shape                             func(*mem.Backend) backends.Backend
		copies, renames, walks, rms, room bool
	}{
		"all":     {nil, true, true, true, true, true},
		"bare":    {mem.Bare, false, false, false, false, false},
		"objects": {mem.Objects, true, false, true, true, false},
	} {
		b := at(t, mem.NewWith(mem.Options{Shape: c.shape}))
		_, copies := b.(backends.Copier)
		_, renames := b.(backends.Renamer)
		_, walks := b.(backends.Walker)
		_, rms := b.(backends.Remover)
		_, room := b.(backends.Sizer)
		if copies != c.copies || renames != c.renames || walks != c.walks || rms != c.rms || room != c.room {
			t.Errorf("%s: Copier %v, Renamer %v, Walker %v, Remover %v, Sizer %v", name, copies, renames, walks, rms, room)
		}
	}
}

// TestClock: versions have the clock's times, and a file keeps its first.
func TestClock(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	s := mem.NewWith(mem.Options{Clock: func() time.Time { return now }})
	b := at(t, s)
	first := now
	for range 2 {
		if err := put(t.Context(), b, "x"); err != nil {
			t.Fatal(err)
		}
		info, err := b.Stat(t.Context(), vpath.Must("/file"))
		if err != nil || !info.ModTime.Equal(now) || !info.Created.Equal(first) {
			t.Errorf("Stat = %+v, %v at %v", info, err, now)
		}
		now = now.Add(time.Hour)
	}
}
