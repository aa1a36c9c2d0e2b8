package files_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/webdav"

	"portico/backends"
	"portico/backends/mem"
	"portico/fault"
	"portico/files"
	"portico/store"
	"portico/vpath"
)

// stream is put with a body that does something.
func (u *user) stream(p string, body func() bodyReader, o files.PutOptions) *outcome {
	u.w.Helper()
	return u.act("put "+p, func(t *files.Tree, res *outcome) (err error) {
		res.node, res.created, err = t.Put(u.ctx, vpath.Must(p), body(), o)
		return err
	})
}

type bodyReader interface{ Read(p []byte) (int, error) }

func TestPut(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *onShape) {
		w := newWorld(t, options{shape: t.shape})
		at := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
		o := w.as("ann").put("/firm/x.docx", "one", func(o *files.PutOptions) { o.ModTime = at }).ok()
		if !o.created || o.node.ETag == "" || o.node.Size != 3 || !o.node.ModTime.Equal(at) {
			t.Errorf("new file: created %v, %+v", o.created, o.node)
		}
		if e := o.events[0]; e.Bytes != 3 || e.SHA256 == "" {
			t.Errorf("event %+v", e)
		}
		again := w.as("root").put("/firm/x.docx", "two").ok()
		if again.created || again.node.ETag == o.node.ETag {
			t.Errorf("replaced file: created %v, %+v", again.created, again.node)
		}
		info, err := w.back["firm"].Stat(t.Context(), vpath.Must("/x.docx"))
		if err != nil || info.Creator != id("ann") || !strings.Contains(info.ContentType, "wordprocessingml") {
			t.Errorf("stored as %+v (%v), want ann's", info, err)
		}
		w.as("ann").mkdir("/firm/d").ok()
		w.as("ann").put("/firm/d", "1").want(fault.ErrIsDir)
		w.as("ann").put("/firm", "1").want(fs.ErrExist)
		w.as("ann").put("/", "1").want(fs.ErrExist)
		w.as("ann").put("/nowhere", "1").want(fs.ErrPermission)
		w.as("ann").put("/firm/no/x", "1").want(fault.ErrNoParent)
		w.as("ann").put("/firm/x.docx/y", "1").want(fault.ErrNoParent)
		w.as("ann").put("/firm/trailing.", "1").want(fs.ErrInvalid)
	})
}

// M1: a body that breaks off leaves the old bytes and the old ETag.
func TestCutPutKeepsTheOld(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *onShape) {
		w := newWorld(t, options{shape: t.shape})
		w.seed("ann", "/firm/x")
		for _, p := range []string{"/firm/x", "/firm/new"} {
			w.as("ann").stream(p, func() bodyReader { return cut("half") }, files.PutOptions{Size: 100}).want(fault.ErrTruncated)
			w.mem.FailNext("Publish", fault.ErrUnavailable)
			w.as("ann").put(p, "whole").want(fault.ErrUnavailable)
			w.mem.FailNext("Put", fault.ErrQuota)
			w.as("ann").put(p, "whole").want(fault.ErrQuota)
			ctx, stop := context.WithCancel(t.Context())
			gone := &user{w: w, login: "ann", ctx: ctx}
			gone.stream(p, func() bodyReader { return hold("whole", stop) }, files.PutOptions{Size: 5}).want(context.Canceled)
		}
	})
}

// What happens while an upload is under way is judged when its bytes are there.
func TestPutMeanwhile(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *onShape) {
		for _, c := range []struct {
			name, path string
			meanwhile  func(w *world)
			g          files.Guard
			want       error
		}{
			{"locked", "/firm/d/x", func(w *world) { w.as("root").lock("/firm/d/x").ok() }, files.Guard{}, fault.ErrLocked},
			{"folder locked", "/firm/d/x", func(w *world) { w.as("root").lock("/firm/d", infinite).ok() }, files.Guard{}, fault.ErrLocked},
			{"members locked, new", "/firm/d/n", func(w *world) { w.as("root").lock("/firm/d").ok() }, files.Guard{}, fault.ErrLocked},
			{"members locked, old", "/firm/d/x", func(w *world) { w.as("root").lock("/firm/d").ok() }, files.Guard{}, nil},
			{"right taken", "/firm/d/x", func(w *world) { w.grant("/", "ann", "viewer") }, files.Guard{}, fs.ErrPermission},
			{"all rights taken", "/firm/d/x", func(w *world) { w.grant("/", "ann", "") }, files.Guard{}, fs.ErrNotExist},
			{"folder deleted", "/firm/d/x", func(w *world) { w.as("root").rm("/firm/d").ok() }, files.Guard{}, fault.ErrNoParent},
			{"folder deleted, new", "/firm/d/n", func(w *world) { w.as("root").rm("/firm/d").ok() }, files.Guard{}, fault.ErrNoParent},
			{"folder moved", "/firm/d/n", func(w *world) { w.as("root").mv("/firm/d", "/firm/e").ok() }, files.Guard{}, fault.ErrNoParent},
			{"file deleted", "/firm/d/x", func(w *world) { w.as("root").rm("/firm/d/x").ok() }, files.Guard{}, fault.ErrPrecondition},
			{"file changed", "/firm/d/x", func(w *world) { w.as("root").put("/firm/d/x", "new").ok() }, files.Guard{}, nil},
			{"file changed, If-Match", "/firm/d/x", func(w *world) { w.as("root").put("/firm/d/x", "new").ok() }, files.Guard{Match: []string{"v1"}}, fault.ErrPrecondition},
			{"file changed, If", "/firm/d/x", func(w *world) { w.as("root").put("/firm/d/x", "new").ok() }, files.Guard{If: []files.List{{Conditions: []webdav.Condition{{ETag: "v1"}}}}}, fault.ErrPrecondition},
			{"file came", "/firm/d/n", func(w *world) { w.as("root").put("/firm/d/n", "new").ok() }, files.Guard{}, nil},
			{"file came, If-None-Match", "/firm/d/n", func(w *world) { w.as("root").put("/firm/d/n", "new").ok() }, files.Guard{NoneMatch: []string{"*"}}, fault.ErrPrecondition},
			{"folder came", "/firm/d/n", func(w *world) { w.as("root").mkdir("/firm/d/n").ok() }, files.Guard{}, fault.ErrIsDir},
		} {
			w := newWorld(t, options{shape: t.shape})
			w.seed("ann", "/firm/d/x")
			var after string
			_, _, err := w.as("ann").tree().Put(t.Context(), vpath.Must(c.path), hold("mine", func() {
				c.meanwhile(w)
				after = w.dump()
			}), files.PutOptions{Size: 4, Guard: c.g})
			if !errors.Is(err, c.want) {
				t.Errorf("%s: error %v, want %v", c.name, err, c.want)
			}
			if changed := w.dump() != after; changed != (c.want == nil) {
				t.Errorf("%s: changed %v after error %v", c.name, changed, err)
			}
		}
	})
}

// lenient is a store that knows no folders, as S3 does: it takes a file whose
// folder ended while the bytes came in.
type lenient struct {
	backends.Backend
	b *mem.Backend
}

func (l lenient) Put(ctx context.Context, p vpath.Path, body io.Reader, o backends.PutOptions) (backends.Info, error) {
	if _, err := l.b.Stat(ctx, p.Parent()); err != nil {
		return backends.Info{}, fault.ErrNoParent
	}
	data, err := io.ReadAll(body)
	if err == nil && o.Commit != nil {
		err = o.Commit()
	}
	if err != nil {
		return backends.Info{}, err
	}
	o.Commit = nil
	for _, up := range slices.Backward(slices.Collect(p.Parent().Ancestors())) {
		if _, err := l.b.Mkdir(ctx, up, backends.Meta{}); err != nil && !errors.Is(err, fs.ErrExist) {
			return backends.Info{}, err
		}
	}
	return l.b.Put(ctx, p, bytes.NewReader(data), o)
}

// An upload does not bring back a folder that was deleted or moved away while it
// was under way, be it that the deletion still runs when the bytes are there.
func TestPutDoesNotBringAFolderBack(t *testing.T) {
	t.Parallel()
	shape := func(b *mem.Backend) backends.Backend { return lenient{b, b} }
	w := newWorld(t, options{shape: shape})
	for _, end := range []func(tree *files.Tree) error{
		func(tree *files.Tree) error { return tree.Delete(t.Context(), vpath.Must("/firm/d"), files.Guard{}) },
		func(tree *files.Tree) error {
			_, err := tree.Move(t.Context(), vpath.Must("/firm/d"), vpath.Must("/firm/e"), over)
			return err
		},
	} {
		for _, slow := range []bool{false, true} {
			w.seed("ann", "/firm/d/x")
			root := w.as("root").tree()
			var ending sync.WaitGroup
			before := func() {
				if err := end(root); err != nil {
					t.Error(err)
				}
			}
			if slow {
				began, goOn := make(chan struct{}), make(chan struct{})
				before = func() {
					w.once("Remove", func() { close(began); <-goOn })
					ending.Go(func() {
						if err := end(root); err != nil {
							t.Error(err)
						}
					})
					<-began
					close(goOn) // the upload may come before or after its end now
				}
			}
			_, _, err := w.as("ann").tree().Put(t.Context(), vpath.Must("/firm/d/n"), hold("late", before), files.PutOptions{Size: 4})
			ending.Wait()
			w.setHook(nil)
			if !errors.Is(err, fault.ErrNoParent) {
				t.Errorf("error %v, want %v", err, fault.ErrNoParent)
			}
			w.has("/firm/d")
			w.as("root").rm("/firm/e")
		}
	}
}

// Of two who make one file at once, one who may not replace it never does.
func TestTwoCreators(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *onShape) {
		w := newWorld(t, options{shape: t.shape})
		_, _, err := w.as("tom").tree().Put(t.Context(), vpath.Must("/firm/x"), hold("tom's", func() {
			w.as("ann").put("/firm/x", "ann's").ok()
		}), files.PutOptions{Size: 5})
		if !errors.Is(err, fault.ErrPrecondition) {
			t.Errorf("error %v, want %v", err, fault.ErrPrecondition)
		}
		w.has("/firm", "x=ann's")
		// Nor does one whose right hangs on the creator of what was there.
		w.as("tom").put("/firm/y", "1").ok()
		_, _, err = w.as("tom").tree().Put(t.Context(), vpath.Must("/firm/y"), hold("tom's", func() {
			w.as("ann").rm("/firm/y").ok()
			w.as("ann").put("/firm/y", "ann's").ok()
		}), files.PutOptions{Size: 5})
		if !errors.Is(err, fault.ErrPrecondition) {
			t.Errorf("error %v, want %v", err, fault.ErrPrecondition)
		}
		w.has("/firm", "x=ann's", "y=ann's")
	})
}

func TestConditions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	w.seed("ann", "/firm/x") // v1
	mtime := w.as("ann").stat("/firm/x").ok().node.ModTime
	ann := w.as("ann")
	for _, c := range []struct {
		name string
		path string
		g    files.Guard
		want error
	}{
		{"match", "/firm/x", files.Guard{Match: []string{"v0", "v1"}}, nil},
		{"stale", "/firm/x", files.Guard{Match: []string{"v0"}}, fault.ErrPrecondition},
		{"match any", "/firm/x", files.Guard{Match: []string{"*"}}, nil},
		{"match any of nothing", "/firm/n", files.Guard{Match: []string{"*"}}, fault.ErrPrecondition},
		{"weak never matches", "/firm/x", files.Guard{Match: []string{`W/"v1"`}}, fault.ErrPrecondition},
		{"none match", "/firm/x", files.Guard{NoneMatch: []string{"v0"}}, nil},
		{"none match, there", "/firm/x", files.Guard{NoneMatch: []string{"v1"}}, fault.ErrPrecondition},
		{"none match, weakly there", "/firm/x", files.Guard{NoneMatch: []string{`W/"v1"`}}, fault.ErrPrecondition},
		{"none", "/firm/x", files.Guard{NoneMatch: []string{"*"}}, fault.ErrPrecondition},
		{"none of nothing", "/firm/n", files.Guard{NoneMatch: []string{"*"}}, nil},
		{"unmodified", "/firm/x", files.Guard{UnmodifiedSince: mtime}, nil},
		{"modified", "/firm/x", files.Guard{UnmodifiedSince: mtime.Add(-time.Second)}, fault.ErrPrecondition},
		{"date of nothing", "/firm/n", files.Guard{UnmodifiedSince: mtime}, nil},
	} {
		for _, o := range []*outcome{
			ann.patch(c.path, c.g, color("red")), ann.cp(c.path, "/firm/y", copyIf(c.g)), ann.rm(c.path, c.g), ann.put(c.path, "1", putIf(c.g)),
		} {
			switch {
			case c.path == "/firm/n" && !strings.Contains(o.what, "put"):
				o.want(fs.ErrNotExist)
			case c.want != nil:
				o.want(c.want)
			case strings.Contains(o.what, "put") && c.path == "/firm/x":
				o.unchangedUnless(c.g)
			default:
				o.ok()
			}
		}
		w = newWorld(t, options{shared: cleared(t, w.state)})
		w.seed("ann", "/firm/x")
		ann = w.as("ann")
	}
}

// unchangedUnless is for a PUT after the file was deleted under the same
// condition, which then may or may not hold.
func (o *outcome) unchangedUnless(g files.Guard) {
	o.Helper()
	mustFail := g.Match != nil
	if mustFail && o.err == nil || !mustFail && o.err != nil {
		o.Errorf("%s with %+v after the file ended: %v", o.what, g, o.err)
	}
}

func TestIfHeader(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	w.seed("ann", "/firm/x", "/firm/y") // v1, v2
	token := w.as("ann").lock("/firm/x").ok().lock.Token
	x := vpath.Must("/firm/x")
	yes, no := webdav.Condition{Token: token}, webdav.Condition{Token: "opaquelocktoken:no"}
	etag, stale := webdav.Condition{ETag: "v1"}, webdav.Condition{ETag: "v9"}
	not := func(c webdav.Condition) webdav.Condition { c.Not = true; return c }
	list := func(cs ...webdav.Condition) files.List { return files.List{Conditions: cs} }
	for i, c := range []struct {
		path  string
		lists []files.List
		want  error
	}{
		{"/firm/x", []files.List{list(yes)}, nil},
		{"/firm/x", []files.List{list(no)}, fault.ErrPrecondition},
		{"/firm/x", []files.List{list(no), list(yes)}, nil},
		{"/firm/x", []files.List{list(yes, etag)}, nil},
		{"/firm/x", []files.List{list(yes, stale)}, fault.ErrPrecondition},
		{"/firm/x", []files.List{list(etag)}, fault.ErrLocked}, // it holds, and shows no token
		{"/firm/x", []files.List{list(not(no))}, fault.ErrLocked},
		{"/firm/x", []files.List{list(not(no), yes)}, nil},
		{"/firm/x", []files.List{list(not(yes))}, fault.ErrPrecondition},
		{"/firm/x", []files.List{list(not(stale), yes)}, nil},
		{"/firm/y", []files.List{{Resource: &x, Conditions: []webdav.Condition{yes}}}, nil},
		{"/firm/y", []files.List{{Elsewhere: true, Conditions: []webdav.Condition{yes}}}, fault.ErrPrecondition},
		{"/firm/y", []files.List{{Elsewhere: true, Conditions: []webdav.Condition{not(yes)}}}, nil},
	} {
		g := files.Guard{If: c.lists}
		want := c.want
		if errors.Is(want, fault.ErrLocked) { // a read does not mind locks
			want = nil
		}
		if err := w.as("ann").tree().Check(t.Context(), vpath.Must(c.path), g); !errors.Is(err, want) {
			t.Errorf("case %d: check: %v, want %v", i, err, want)
		}
		o := w.as("ann").patch(c.path, g, color("red"))
		if !errors.Is(o.err, c.want) {
			t.Errorf("case %d: %v, want %v", i, o.err, c.want)
		}
	}
}

// A new thing under an old name inherits no properties.
func TestNewFileHasNoProperties(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	w.paint("/firm/x")
	w.as("ann").put("/firm/x", "1").ok()
	if got := w.props("/firm"); len(got) != 0 {
		t.Errorf("properties %v", got)
	}
	w.paint("/firm/x")
	w.as("ann").put("/firm/x", "2").ok()
	if got := w.props("/firm"); len(got) != 1 {
		t.Errorf("a replaced file lost its properties")
	}
}

func TestProperties(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *onShape) {
		w := newWorld(t, options{shape: t.shape})
		w.seed("ann", "/firm/d/x", "/firm/d/y")
		none := files.Guard{}
		w.as("ann").patch("/firm/d/x", none, color("red")).ok()
		w.as("ann").patch("/firm/d", none, color("blue")).ok()
		w.as("ann").patch("/firm", none, color("white")).ok()
		o := w.as("bob").ls("/firm/d").ok()
		if len(o.node.Props) != 1 || o.node.Props[0].XML != "blue" || len(o.list[0].Props) != 1 || o.list[1].Props != nil {
			t.Errorf("listing %+v %+v", o.node, o.list)
		}
		w.as("bob").patch("/firm/d/x", none, color("green")).want(fs.ErrPermission)
		w.as("ann").patch("/", none, color("green")).want(fs.ErrPermission)
		w.as("ann").patch("/nowhere/x", none, color("green")).want(fs.ErrNotExist)
		w.as("ann").patch("/firm/d/x", none, color(strings.Repeat("x", files.MaxPropBytes+1))).want(fault.ErrQuota)
		named := files.PropChange{Prop: store.Prop{Space: "urn:" + strings.Repeat("x", files.MaxPropName), Local: "p", XML: "<p/>"}}
		w.as("ann").patch("/firm/d/x", none, named).want(fault.ErrQuota)
		var many []files.PropChange
		for i := range files.MaxProps + 1 {
			many = append(many, files.PropChange{Prop: store.Prop{Local: string(rune('a' + i)), XML: "x"}})
		}
		w.as("ann").patch("/firm/d/x", none, many...).want(fault.ErrQuota)
		w.as("ann").patch("/firm/d/x", none, many[:files.MaxProps-1]...).ok()
		w.as("ann").patch("/firm/d/x", none, files.PropChange{Remove: true, Prop: store.Prop{Space: "urn:x", Local: "color"}}).ok()
		w.as("ann").cp("/firm/d", "/firm/e").ok()
		w.as("ann").mv("/firm/d", "/firm/f").ok()
		for _, p := range []string{"/firm/e", "/firm/f"} {
			if props := w.as("bob").find(p + "/x").ok().node.Props; len(props) != files.MaxProps-1 {
				t.Errorf("%s/x has %d properties", p, len(props))
			}
			if props := w.as("bob").find(p).ok().node.Props; len(props) != 1 || props[0].XML != "blue" {
				t.Errorf("%s has %v", p, props)
			}
		}
		w.as("ann").rm("/firm/f").ok()
		w.as("ann").mkdir("/firm/f").ok()
		if props := w.as("bob").find("/firm/f").ok().node.Props; props != nil {
			t.Errorf("a new folder has %v", props)
		}
	})
}

// When the audit cannot be written, nothing is said to be done, and nothing is
// done: but for a move, which has its row in the journal.
func TestAuditFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	w.seed("ann", "/firm/x", "/firm/d/y")
	w.rec.Fail(errors.New("disk full"))
	ann := w.as("ann")
	for _, o := range []*outcome{
		ann.get("/firm/x"), ann.stat("/firm/x"), ann.ls("/firm"), ann.put("/firm/x", "1"), ann.mkdir("/firm/e"), ann.rm("/firm/x"),
		ann.cp("/firm/d", "/firm/f"), ann.mv("/firm/d", "/firm/g"), ann.lock("/firm/n"), ann.patch("/firm/x", files.Guard{}, color("red")),
	} {
		if !errors.Is(o.err, fault.ErrUnavailable) {
			t.Errorf("%s: %v", o.what, o.err)
		}
	}
	w.rec.Fail(nil)
	if err := w.svc.Resume(t.Context()); err != nil {
		t.Error(err)
	}
	w.has("/firm", "g/", "g/y=/firm/d/y", "x=/firm/x")
}
