package files_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"testing"

	"portico/acl"
	"portico/audit"
	"portico/backends"
	"portico/backends/mem"
	"portico/files"
	"portico/internal/parts"
	"portico/store"
	"portico/store/postgres"
	"portico/vpath"
)

// forgetful is an audit that keeps nothing, to measure the rest.
type forgetful struct{}

func (forgetful) Record(context.Context, audit.Event) error { return nil }
func (forgetful) Append(store.Tx, audit.Event) error        { return nil }
func (forgetful) Intend(context.Context, audit.Event) (string, error) {
	return "i", nil
}
func (forgetful) Forget(context.Context, store.Tx, string) error { return nil }

// benchService holds a folder of 100 files eight folders deep, and 1,000 rules.
func benchService(b *testing.B) (*files.Service, vpath.Path) {
	b.Helper()
	return benchServiceOn(b, openState(b))
}

func benchServiceOn(b *testing.B, state store.State) (*files.Service, vpath.Path) {
	b.Helper()
	dir := vpath.Must("/firm/a/b/c/d/e/f/g")
	back, err := mem.New().At(vpath.Must("/firm"))
	if err != nil {
		b.Fatal(err)
	}
	for _, p := range []string{"/a", "/a/b", "/a/b/c", "/a/b/c/d", "/a/b/c/d/e", "/a/b/c/d/e/f", "/a/b/c/d/e/f/g"} {
		if _, err := back.Mkdir(b.Context(), vpath.Must(p), backends.Meta{}); err != nil {
			b.Fatal(err)
		}
	}
	for i := range 100 {
		p := vpath.Must(fmt.Sprintf("/a/b/c/d/e/f/g/file%d.docx", i))
		if _, err := back.Put(b.Context(), p, strings.NewReader("content"), backends.PutOptions{}); err != nil {
			b.Fatal(err)
		}
	}
	editor, _ := acl.RoleNamed("editor")
	spec := acl.Spec{Grants: []acl.Grant{{Path: vpath.Must("/firm"), Subject: "group:staff", Role: editor}}}
	for i := range 1000 {
		spec.Grants = append(spec.Grants, acl.Grant{Path: vpath.Must(fmt.Sprintf("/firm/x%d", i)), Subject: "user:bob", Role: editor})
	}
	policy, err := acl.Compile(spec)
	if err != nil {
		b.Fatal(err)
	}
	clock := newClock()
	s := files.New(files.Options{State: state, Audit: forgetful{}, Clock: clock.Now, Rand: rand.Reader, Log: slog.New(slog.DiscardHandler)})
	s.Apply(policy, []files.Workspace{{Name: "firm", Backend: back}})
	return s, dir
}

// A request of a warm principal must cost little beside the store's own time
// (the whole gateway's budget is 50 µs).
func BenchmarkWarm(b *testing.B) {
	s, dir := benchService(b)
	file := vpath.Must(dir.String() + "/file7.docx")
	who := files.Staff(files.Person{ID: "id-bob", Login: "bob", Name: "Bob", Groups: []files.Membership{{Group: "staff"}, {Group: "sales"}}})
	for name, do := range map[string]func(t *files.Tree) error{
		"Stat": func(t *files.Tree) error { _, err := t.Stat(b.Context(), file); return err },
		"Open": func(t *files.Tree) error {
			r, _, err := t.Open(b.Context(), file, files.Range{})
			if err == nil {
				err = r.Close()
			}
			return err
		},
		"Find":    func(t *files.Tree) error { _, _, err := t.Find(b.Context(), file, false, files.Want{}); return err },
		"List100": func(t *files.Tree) error { _, _, err := t.Find(b.Context(), dir, true, files.Want{}); return err },
		"FindLocks": func(t *files.Tree) error {
			_, _, err := t.Find(b.Context(), file, false, files.Want{Locks: true, Props: true})
			return err
		},
		"List100Full": func(t *files.Tree) error {
			_, _, err := t.Find(b.Context(), dir, true, files.Want{Locks: true, Props: true})
			return err
		},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				tree, err := s.As(b.Context(), who)
				if err == nil {
					err = do(tree)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// A small upload over a file store in memory: what the change costs without its
// audit, and with all that it writes to the state store.
func BenchmarkPut(b *testing.B) {
	for name, audited := range map[string]bool{"Bare": false, "Audited": true} {
		b.Run(name, func(b *testing.B) {
			s, dir := benchService(b)
			if audited {
				s.Audit = benchAudit(b, s.State)
			}
			who := files.Staff(files.Person{ID: "id-bob", Login: "bob", Name: "Bob", Groups: []files.Membership{{Group: "staff"}}})
			p := vpath.Must(dir.String() + "/file7.docx")
			b.ReportAllocs()
			for b.Loop() {
				tree, err := s.As(b.Context(), who)
				if err == nil {
					_, _, err = tree.Put(b.Context(), p, strings.NewReader("content"), files.PutOptions{Size: 7})
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func benchAudit(b *testing.B, state store.State) audit.Recorder {
	b.Helper()
	l, err := audit.New(audit.Options{Store: state, Key: make([]byte, 32), Clock: newClock().Now, Rand: rand.Reader})
	if err != nil {
		b.Fatal(err)
	}
	return l
}

// A look for what is not there: what macOS and Explorer ask for at each step, and for
// comparison a name that has to be asked for in the storage, here in memory.
func BenchmarkProbe(b *testing.B) {
	for name, open := range map[string]func(b *testing.B) store.State{
		"SQLite": func(b *testing.B) store.State { b.Helper(); return openState(b) },
		"PostgreSQL": func(b *testing.B) store.State {
			b.Helper()
			s, err := postgres.Open(b.Context(), parts.Postgres(b).DSN, postgres.Options{Replica: "bench"})
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { _ = s.Close() })
			return s
		},
	} {
		b.Run(name, func(b *testing.B) {
			s, dir := benchServiceOn(b, open(b))
			if err := s.Resume(b.Context()); err != nil { // else nothing is known of the moves of others
				b.Fatal(err)
			}
			for _, name := range []string{"._file7.docx", ".DS_Store", "desktop.ini", "~$file7.docx", "other.docx"} {
				b.Run(name, func(b *testing.B) { probe(b, s, vpath.Must(dir.String()+"/"+name)) })
			}
		})
	}
}

func probe(b *testing.B, s *files.Service, p vpath.Path) {
	b.Helper()
	who := files.Staff(files.Person{ID: "id-bob", Login: "bob", Name: "Bob", Groups: []files.Membership{{Group: "staff"}}})
	b.ReportAllocs()
	for b.Loop() {
		tree, err := s.As(b.Context(), who)
		if err != nil {
			b.Fatal(err)
		}
		if _, _, err := tree.Find(b.Context(), p, false, files.Want{}); !errors.Is(err, fs.ErrNotExist) {
			b.Fatal(err)
		}
	}
}
