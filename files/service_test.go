package files_test

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"time"

	"portico/acl"
	"portico/backends/mem"
	"portico/fault"
	"portico/files"
	"portico/store"
	"portico/vpath"
)

// While a path is busy, those who may not know of it get their answer at once,
// and those who may wait.
func TestBusyPathsAreNotTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{shape: mem.Objects, quiet: true})
	w.seed("hal", "/firm/HR/plan", "/firm/HR/old/x")
	w.seed("ann", "/firm/mine", "/firm/dir/x")
	started, goOn := make(chan struct{}), make(chan struct{})
	w.once("Copy", func() { close(started); <-goOn })
	var all sync.WaitGroup
	all.Go(func() {
		if _, err := w.as("hal").tree().Copy(t.Context(), vpath.Must("/firm/HR/old"), vpath.Must("/firm/HR/new"), over); err != nil {
			t.Error(err)
		}
	})
	<-started
	for _, who := range []string{"bob", "stranger"} {
		u := w.as(who)
		for _, o := range []*outcome{
			u.rm("/firm/HR/new"), u.mkdir("/firm/HR/new/x"), u.lock("/firm/HR/new/x"), u.patch("/firm/HR/new", files.Guard{}, color("red")),
			u.rm("/firm/HR/new/none"), u.mv("/firm/HR/new", "/firm/x"), u.cp("/firm/mine", "/firm/HR/new/x"),
		} {
			o.want(fs.ErrNotExist)
		}
	}
	w.as("mia").mv("/firm/HR/new", "/firm/x").want(fs.ErrNotExist)
	w.as("ann").cp("/firm/mine", "/firm/HR/new").want(fs.ErrNotExist)
	ctx, stop := context.WithCancel(t.Context())
	waiting := &user{w: w, login: "hal", ctx: ctx}
	stop()
	waiting.rm("/firm/HR/new").want(context.Canceled)
	waiting.mkdir("/firm/HR/new/y").want(context.Canceled)
	waiting.lock("/firm/HR/new/y").want(context.Canceled)
	waiting.patch("/firm/HR/new", files.Guard{}, color("red")).want(context.Canceled)
	waiting.mv("/firm/HR/new", "/firm/HR/z").want(context.Canceled)
	waiting.cp("/firm/HR/plan", "/firm/HR/new").want(context.Canceled)
	all.Go(func() {
		if err := w.as("hal").tree().Mkdir(t.Context(), vpath.Must("/firm/HR/new/y"), files.Guard{}); err != nil {
			t.Error(err)
		}
	})
	w.as("ann").rm("/firm/dir").ok() // elsewhere life goes on
	close(goOn)
	all.Wait()
	w.has("/firm/HR/new", "x=/firm/HR/old/x", "y/")
}

// A rule that ends takes effect with the next request.
func TestGrantsEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	w.seed("root", "/firm/x")
	editor, _ := acl.RoleNamed("editor")
	policy, err := acl.Compile(acl.Spec{Grants: []acl.Grant{
		{Path: vpath.Must("/firm"), Subject: "user:eve", Role: editor, Until: w.clock.Now().Add(time.Hour)},
		{Path: vpath.Must("/firm"), Subject: "group:staff", Role: editor},
	}})
	if err != nil {
		t.Fatal(err)
	}
	w.svc.Apply(policy, []files.Workspace{{Name: "firm", Backend: w.back["firm"]}})
	w.as("eve").get("/firm/x").ok()
	w.as("eve").get("/firm/x").ok()
	w.clock.add(time.Hour)
	w.as("eve").get("/firm/x").want(fs.ErrNotExist)
	tree, err := w.svc.As(t.Context(), files.Staff(files.Person{ID: "id-pat", Login: "pat", Name: "Pat", Groups: []files.Membership{{Group: "staff"}}}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tree.Stat(t.Context(), vpath.Must("/firm/x")); err != nil {
		t.Errorf("a member of the group: %v", err)
	}
}

// A service without workspaces shows none.
func TestNoWorkspaces(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	w.rules.Workspaces, w.back = nil, nil
	w.start(0)
	w.as("ann").ls("/").names()
	w.as("ann").get("/firm/x").want(fs.ErrNotExist)
	w.as("ann").put("/firm", "x").want(fs.ErrPermission)
}

func TestDecisionsAreCounted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	w.seed("root", "/firm/x")
	count := map[bool]int{}
	w.svc.Decided = func(allowed bool) { count[allowed]++ }
	w.as("bob").get("/firm/x").ok()
	w.as("bob").put("/firm/x", "1").want(fs.ErrPermission)
	if count[true] != 1 || count[false] == 0 {
		t.Errorf("decisions %v", count)
	}
}

func TestContentTypes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{quiet: true})
	for ext, want := range map[string]string{
		"pdf": "application/pdf", "TXT": "text/plain", "csv": "text/csv", "html": "text/html", "xml": "application/xml", "json": "application/json",
		"rtf": "application/rtf", "doc": "application/msword", "xls": "application/vnd.ms-excel", "ppt": "application/vnd.ms-powerpoint",
		"docx": "wordprocessingml", "xlsx": "spreadsheetml", "pptx": "presentationml", "odt": "opendocument.text", "ods": "opendocument.spreadsheet",
		"odp": "opendocument.presentation", "eml": "message/rfc822", "zip": "application/zip", "7z": "application/x-7z", "gz": "application/gzip",
		"png": "image/png", "jpeg": "image/jpeg", "gif": "image/gif", "webp": "image/webp", "svg": "image/svg", "tiff": "image/tiff",
		"heic": "image/heic", "mp3": "audio/mpeg", "m4a": "audio/mp4", "wav": "audio/wav", "ogg": "audio/ogg", "mp4": "video/mp4",
		"mov": "video/quicktime", "webm": "video/webm", "exe": "application/octet-stream",
	} {
		n := w.as("ann").put("/firm/file."+ext, "<html>").ok().node
		if !strings.HasPrefix(n.ContentType, want) && !strings.Contains(n.ContentType, want) {
			t.Errorf("%s is %q, want %q", ext, n.ContentType, want)
		}
	}
}

// deaf is a state store whose reads of one kind fail.
type deaf struct {
	store.State
	broken *string
}

func (d deaf) LocksOn(ctx context.Context, p vpath.Path, now time.Time) ([]store.Lock, error) {
	if *d.broken == "LocksOn" {
		return nil, fault.ErrUnavailable
	}
	return d.State.LocksOn(ctx, p, now)
}

func (d deaf) LocksBelow(ctx context.Context, p vpath.Path, now time.Time) ([]store.Lock, error) {
	if *d.broken == "LocksBelow" {
		return nil, fault.ErrUnavailable
	}
	return d.State.LocksBelow(ctx, p, now)
}

func (d deaf) Around(ctx context.Context, l store.Listing, now time.Time) (store.Around, error) {
	if *d.broken == "Around" {
		return store.Around{}, fault.ErrUnavailable
	}
	return d.State.Around(ctx, l, now)
}

func (d deaf) Moves(ctx context.Context) ([]store.Move, error) {
	if *d.broken == "Moves" {
		return nil, fault.ErrUnavailable
	}
	return d.State.Moves(ctx)
}

// A state store that does not answer refuses, and never counts as "no lock".
func TestStateIsAway(t *testing.T) {
	t.Parallel()
	var broken string
	w := newWorld(t, options{state: func(s store.State) store.State { return deaf{s, &broken} }})
	w.seed("ann", "/firm/x", "/firm/d/y")
	ann := w.as("ann")
	for _, c := range []struct {
		broken string
		do     func() *outcome
	}{
		{"LocksOn", func() *outcome { return ann.put("/firm/x", "1") }},
		{"LocksOn", func() *outcome { return ann.put("/firm/n", "1") }},
		{"LocksOn", func() *outcome { return ann.rm("/firm/d") }},
		{"LocksBelow", func() *outcome { return ann.rm("/firm/d") }},
		{"Around", func() *outcome { return ann.ls("/firm") }},
		{"LocksOn", func() *outcome { return ann.unlock("/firm/x", "t") }},
		{"LocksOn", func() *outcome { return ann.lock("/firm/n") }},
		{"LocksOn", func() *outcome { return ann.put("/firm/x", "1", putIf(with("t"))) }},
	} {
		broken = c.broken
		o := c.do()
		broken = ""
		o.want(fault.ErrUnavailable)
	}
	broken = "Moves"
	if err := w.svc.Resume(t.Context()); !errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("resume: %v", err)
	}
	broken = ""
}

// noise is a random source that has run dry.
type noise struct{}

func (noise) Read([]byte) (int, error) { return 0, errors.New("no noise") }

func TestNoRandomness(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	w.seed("ann", "/firm/x")
	w.svc.Rand = noise{}
	if o := w.as("ann").lock("/firm/x"); o.err == nil {
		t.Error("a lock without a token")
	}
	if o := w.as("ann").mv("/firm/x", "/firm/y"); o.err == nil {
		t.Error("a move without an id")
	}
	w.has("/firm", "x=/firm/x")
	w.locks()
}
