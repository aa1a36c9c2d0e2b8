package files_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"gopkg.in/yaml.v3"

	"portico/acl"
	"portico/acl/acltest"
	"portico/audit/audittest"
	"portico/backends"
	"portico/backends/mem"
	"portico/fault"
	"portico/files"
	"portico/internal/parts"
	"portico/store"
	"portico/store/sqlite"
	"portico/vpath"
)

// under runs the tests with the servers that parts shares among them.
type under struct{ m *testing.M }

func (u under) Run() int { return parts.Main(u.m) }

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(under{m}, goleak.IgnoreAnyFunction("portico/internal/parts.startPinned.func1"))
}

// shapes are the abilities that stores come with.
var shapes = map[string]func(*mem.Backend) backends.Backend{
	"full": nil, "objects": mem.Objects, "bare": mem.Bare,
}

// onShape is a test over one of them.
type onShape struct {
	*testing.T
	kind  string
	shape mem2backend
}

// everyShape runs a test over each kind of store.
func everyShape(t *testing.T, f func(t *onShape)) {
	t.Helper()
	for name, shape := range shapes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f(&onShape{t, name, shape})
		})
	}
}

// clock is a clock that the test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// world is a Service over two stores, with all that a test looks at or breaks.
type world struct {
	testing.TB
	svc   *files.Service
	rules *acltest.Rules
	mem   *mem.Storage
	back  map[string]backends.Backend
	state store.State
	rec   *audittest.Recorder
	clock *clock
	quiet bool
	firm  *firm
	heard // of the hooks

	mu   sync.Mutex
	hook func(op string, p vpath.Path) error // of the store's calls; nil while the test itself looks
}

// options are what a test chooses.
type options struct {
	shape  func(*mem.Backend) backends.Backend
	rules  string
	quota  int64
	state  func(store.State) store.State
	shared store.State // instead of one of its own
	quiet  bool        // leave out the dumps around each operation: for tests of many
}

// officeRules are those of most tests: root owns all, ann edits, bob reads, ida
// drops into /firm/Drop and sees nothing there, tom deletes only what is his, and
// /firm/HR is hidden from all of them but hal.
const officeRules = `
workspaces:
  firm:
    folders:
      /:       {grant: {"user:root": owner, "user:ann": editor, "user:bob": viewer, "user:tom": contributor, "user:mia": member}}
      /HR:     {inherit: false, grant: {"user:hal": admin}}
      /Drop:   {inherit: false, grant: {"user:ida": inbox, "user:ivo": inbox, "user:root": owner, "user:ann": editor}}
      /Locked: {deny: {"user:ann": [write, delete]}}
  lab:
    folders:
      /: {grant: {"user:root": owner, "user:ann": editor}}
`

func newWorld(tb testing.TB, o options) *world {
	tb.Helper()
	w := &world{TB: tb, rec: &audittest.Recorder{}, clock: newClock(), quiet: o.quiet, back: map[string]backends.Backend{}, firm: &firm{}}
	w.mem = mem.NewWith(mem.Options{Shape: o.shape, Hook: w.called})
	w.state = o.shared
	if w.state == nil {
		w.state = openState(tb)
	}
	if o.state != nil {
		w.state = o.state(w.state)
	}
	if o.rules == "" {
		o.rules = officeRules
	}
	w.rules = &acltest.Rules{}
	if err := yaml.Unmarshal([]byte(o.rules), w.rules); err != nil {
		tb.Fatal(err)
	}
	for name := range w.rules.Workspaces {
		b, err := w.mem.At(vpath.Must("/" + name))
		if err != nil {
			tb.Fatal(err)
		}
		w.back[name] = b
	}
	w.start(o.quota)
	return w
}

func openState(tb testing.TB) store.State {
	tb.Helper()
	s, err := sqlite.Open(tb.Context(), filepath.Join(tb.TempDir(), "state.db"), sqlite.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

// start makes a new Service over what is there, as after a crash.
func (w *world) start(quota int64) {
	w.Helper()
	w.svc = files.New(files.Options{
		State: w.state, Audit: w.rec, Clock: w.clock.Now, Rand: rand.Reader,
		Log: slog.New(slog.DiscardHandler), Decided: func(bool) {}, Giver: w.firm.giver,
		Deposited: w.deposited, Opened: w.opened,
	})
	w.apply(quota)
}

// policy is w.rules, compiled.
func (w *world) policy() *acl.Policy {
	w.Helper()
	spec, err := w.rules.Spec()
	if err != nil {
		w.Fatal(err)
	}
	policy, err := acl.Compile(spec)
	if err != nil {
		w.Fatal(err)
	}
	return policy
}

func (w *world) view(login string) *acl.View {
	w.Helper()
	return w.policy().View(w.rules.Principal("user:"+login), w.clock.Now())
}

// apply puts w.rules into force.
func (w *world) apply(quota int64) {
	w.Helper()
	var list []files.Workspace
	for name, b := range w.back {
		list = append(list, files.Workspace{Name: name, Title: "The " + name, Backend: b, Quota: quota})
	}
	w.svc.Apply(w.policy(), list)
}

// grant changes the rules of a folder of /firm.
func (w *world) grant(folder, user, role string) {
	f := w.rules.Workspaces["firm"].Folders[folder]
	f.Grant = maps.Clone(f.Grant)
	if f.Grant == nil {
		f.Grant = map[string]string{}
	}
	f.Grant["user:"+user] = role
	if role == "" {
		delete(f.Grant, "user:"+user)
	}
	w.rules.Workspaces["firm"].Folders[folder] = f
	w.apply(0)
}

// called is the store's hook.
func (w *world) called(op string, p vpath.Path) error {
	w.mu.Lock()
	hook := w.hook
	w.mu.Unlock()
	if hook != nil {
		return hook(op, p)
	}
	return nil
}

func (w *world) setHook(f func(op string, p vpath.Path) error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hook = f
}

// once calls f at the first call op of the store.
func (w *world) once(op string, f func()) {
	var once sync.Once
	w.setHook(func(o string, _ vpath.Path) error {
		if o == op {
			once.Do(f)
		}
		return nil
	})
}

// seed puts things into the store without a word to the service: "/firm/a/b.txt"
// is a file that holds its own name, and a name with a slash at the end a folder.
func (w *world) seed(creator string, names ...string) {
	w.Helper()
	for _, name := range names {
		p := vpath.Must(name)
		b := w.back[p.Top()]
		meta := backends.Meta{Creator: id(creator)}
		for _, up := range slices.Backward(slices.Collect(p.Parent().Tail().Ancestors())) {
			if _, err := b.Mkdir(w.Context(), up, meta); err != nil && !errors.Is(err, fs.ErrExist) {
				w.Fatal(err)
			}
		}
		var err error
		if strings.HasSuffix(name, "/") {
			_, err = b.Mkdir(w.Context(), p.Tail(), meta)
		} else {
			_, err = b.Put(w.Context(), p.Tail(), strings.NewReader(name), backends.PutOptions{Size: int64(len(name)), Meta: meta})
		}
		if err != nil && !errors.Is(err, fs.ErrExist) {
			w.Fatal(err)
		}
	}
}

// id is the identity of a login, as acltest has it.
func id(login string) string {
	if login == "" {
		return ""
	}
	return acltest.ID("user:" + login)
}

// dump is all that is stored: files with their bytes, creators and versions,
// properties, locks and the journal.
func (w *world) dump() string {
	w.Helper()
	w.mu.Lock()
	hook := w.hook
	w.hook = nil
	w.mu.Unlock()
	defer w.setHook(hook)
	var out strings.Builder
	for _, name := range slices.Sorted(maps.Keys(w.back)) {
		w.dumpTree(&out, name)
	}
	locks, err := w.state.Locks(context.Background(), w.clock.Now())
	if err != nil {
		w.Fatal(err)
	}
	for _, l := range locks {
		fmt.Fprintf(&out, "lock %s %s %s inf=%v shared=%v until %s\n", l.Path, l.Token, l.Holder, l.Infinite, l.Shared, l.Expires)
	}
	moves, err := w.state.Moves(context.Background())
	if err != nil {
		w.Fatal(err)
	}
	for _, m := range moves {
		fmt.Fprintf(&out, "move %s -> %s %s\n", m.From, m.To, m.Phase)
	}
	return out.String()
}

func (w *world) dumpTree(out *strings.Builder, space string) {
	w.Helper()
	b := w.back[space]
	top := vpath.Must("/" + space)
	err := backends.Walk(context.Background(), b, vpath.Path{}, func(p vpath.Path, info backends.Info) error {
		full, err := top.Join(p)
		if err != nil {
			return err
		}
		if info.Foreign != "" {
			fmt.Fprintf(out, "foreign %s %q\n", full, info.Foreign)
			return nil
		}
		fmt.Fprintf(out, "%s dir=%v by=%s etag=%s", full, info.Dir, info.Creator, info.ETag)
		if !info.Dir {
			fmt.Fprintf(out, " %q", content(w, b, p))
		}
		props, err := w.state.PropsOf(context.Background(), full)
		for _, prop := range props {
			fmt.Fprintf(out, " %s=%s", prop.Local, prop.XML)
		}
		out.WriteString("\n")
		return err
	})
	if err != nil {
		w.Fatal(err)
	}
}

func content(w *world, b backends.Backend, p vpath.Path) string {
	w.Helper()
	r, _, err := b.Open(context.Background(), p, backends.Range{})
	if err != nil {
		w.Fatal(err)
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil {
		w.Fatal(err)
	}
	return string(data)
}

// has compares what a store holds below a folder with want: "a/b.txt=content",
// "dir/" in order of path.
func (w *world) has(folder string, want ...string) {
	w.Helper()
	if got := w.tree(folder); !slices.Equal(got, want) && len(got)+len(want) > 0 {
		w.Errorf("%s holds %q, want %q", folder, got, want)
	}
}

func (w *world) tree(folder string) []string {
	w.Helper()
	top := vpath.Must(folder)
	b := w.back[top.Top()]
	var got []string
	err := backends.Walk(context.Background(), b, top.Tail(), func(p vpath.Path, info backends.Info) error {
		below, _ := top.Tail().Under(p)
		name := strings.TrimPrefix(below.String(), "/")
		if info.Dir {
			got = append(got, name+"/")
		} else {
			got = append(got, name+"="+content(w, b, p))
		}
		return nil
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		w.Fatal(err)
	}
	return got
}

// cut is a body that breaks off after some bytes.
func cut(body string) io.Reader {
	return io.MultiReader(strings.NewReader(body), errReader{fault.ErrTruncated})
}

type errReader struct{ err error }

func (e errReader) Read([]byte) (int, error) { return 0, e.err }

// hold is a body that runs f when it has been read, before its end.
func hold(body string, f func()) io.Reader {
	return io.MultiReader(bytes.NewReader([]byte(body)), &trigger{f: f})
}

type trigger struct{ f func() }

func (t *trigger) Read([]byte) (int, error) {
	if t.f != nil {
		t.f()
		t.f = nil
	}
	return 0, io.EOF
}

// mem2backend is a shape.
type mem2backend = func(*mem.Backend) backends.Backend

// cleared empties a store that tests share one after the other.
func cleared(tb testing.TB, s store.State) store.State {
	tb.Helper()
	err := s.Update(context.Background(), func(tx store.Tx) error {
		moves, err := tx.Moves(context.Background())
		for _, m := range moves {
			err = errors.Join(err, tx.DropMove(m.ID))
		}
		return errors.Join(err, tx.DropLocksBelow(vpath.Path{}), tx.DropPropsBelow(vpath.Path{}), tx.DropNoiseBelow(vpath.Path{}),
			tx.DropGrantsBelow(vpath.Path{}), tx.DropLabelsBelow(vpath.Path{}), tx.DropContactFolders(vpath.Path{}),
			tx.DepositsGoneBelow(vpath.Path{}), tx.DropDepositsBefore(time.Now().Add(time.Hour*24*365*100)))
	})
	if err != nil {
		tb.Fatal(err)
	}
	return s
}
