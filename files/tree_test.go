package files_test

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/backends/mem"
	"portico/fault"
	"portico/files"
	"portico/store"
	"portico/vpath"
)

func TestListing(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *onShape) {
		w := newWorld(t, options{shape: t.shape})
		w.seed("mia", "/firm/mias.txt")
		w.seed("root", "/firm/HR/", "/firm/Drop/", "/firm/x.pdf", "/lab/y")
		w.as("bob").ls("/").names("firm")
		w.as("ann").ls("/").names("firm", "lab")
		w.as("stranger").ls("/").names()
		w.as("ann").ls("/firm").names("Drop", "mias.txt", "x.pdf")
		w.as("mia").ls("/firm").names("mias.txt") // Drop inherits nothing
		w.as("hal").ls("/firm").names("HR")
		w.as("bob").find("/firm").names()
		w.as("bob").ls("/firm/x.pdf").names()
		w.as("bob").ls("/firm/x.pdf/y").want(fs.ErrNotExist)
		w.as("bob").ls("/lab").want(fs.ErrNotExist)

		o := w.as("bob").ls("/firm").ok()
		if o.node.Title != "The firm" || !o.node.Dir {
			t.Errorf("the workspace is %+v", o.node)
		}
		n := o.list[len(o.list)-1]
		if n.ContentType != "application/pdf" || n.ETag == "" || n.Size != 11 || n.Created.IsZero() || n.ModTime.IsZero() {
			t.Errorf("the file is %+v", n)
		}
		if o := w.as("bob").get("/firm/x.pdf").ok(); o.body != "/firm/x.pdf" || o.node.Size != 11 || o.node.ETag != n.ETag {
			t.Errorf("got %q, %+v", o.body, o.node)
		}
		w.as("bob").get("/firm").want(fault.ErrIsDir)
		w.as("bob").get("/").want(fault.ErrIsDir)
		w.as("bob").stat("/").ok()
		w.as("bob").stat("/firm").ok()
	})
}

func TestRanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	w.seed("root", "/firm/x")
	for _, c := range []struct {
		r    files.Range
		want error
	}{{files.Range{Off: 1, Len: 2}, nil}, {files.Range{Off: 99}, fault.ErrRange}} {
		o := w.as("bob").act("range", func(tree *files.Tree, o *outcome) error {
			r, n, err := tree.Open(t.Context(), vpath.Must("/firm/x"), c.r)
			if err == nil {
				err = r.Close()
			}
			o.node = n
			return err
		})
		if !errors.Is(o.err, c.want) || o.node.Size != 7 {
			t.Errorf("range %+v: %v, node %+v", c.r, o.err, o.node)
		}
	}
}

// A store that is away hides nothing but what it holds.
func TestStoreIsAway(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *onShape) {
		w := newWorld(t, options{shape: t.shape})
		w.seed("ann", "/firm/x", "/firm/d/y")
		w.setHook(func(string, vpath.Path) error { return fault.ErrUnavailable })
		ann := w.as("ann")
		ann.ls("/").names("firm", "lab")
		for _, o := range []*outcome{
			ann.get("/firm/x"), ann.stat("/firm/x"), ann.ls("/firm"), ann.find("/firm/x"), ann.put("/firm/x", "1"), ann.put("/firm/n", "1"),
			ann.mkdir("/firm/n"), ann.rm("/firm/x"), ann.cp("/firm/x", "/firm/n"), ann.mv("/firm/x", "/firm/n"), ann.lock("/firm/x"),
			ann.lock("/firm/n"), ann.patch("/firm/x", files.Guard{}, color("red")), ann.refresh("/firm/x", "t"), ann.unlock("/firm/x", "t"),
		} {
			o.want(fault.ErrUnavailable)
		}
	})
}

func TestDeleteAllOrNothing(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *onShape) {
		w := newWorld(t, options{shape: t.shape, rules: `
workspaces:
  firm:
    folders:
      /:         {grant: {"user:ann": editor, "user:tom": contributor, "user:root": owner}}
      /A/Locked: {deny: {"user:ann": [delete]}}
      /B/Hidden: {inherit: false}
      /C/Blind:  {deny: {"user:ann": [list, read]}}
  lab: {folders: {/: {grant: {"user:root": owner}}}}
`})
		w.seed("root", "/firm/A/x", "/firm/A/Locked/y", "/firm/B/x", "/firm/B/Hidden/y", "/firm/C/x", "/firm/C/Blind/y", "/firm/D/e/f/g", "/firm/D/h")
		w.seed("tom", "/firm/T/1", "/firm/T/2")
		w.as("ann").rm("/firm/A").want(fs.ErrPermission)
		w.as("ann").rm("/firm/B").want(fs.ErrPermission)
		w.as("ann").rm("/firm/D").ok()
		w.has("/firm/D")
		w.as("tom").rm("/firm/T").ok()
		w.seed("tom", "/firm/T/1")
		w.seed("ann", "/firm/T/2")
		w.as("tom").rm("/firm/T").want(fs.ErrPermission)
		w.as("root").rm("/firm/none").want(fs.ErrNotExist)
		// Folders of the config stay where they are, and so does all above them.
		w.as("root").rm("/").want(fs.ErrPermission)
		for _, p := range []string{"/firm", "/firm/A", "/firm/A/Locked", "/firm/B"} {
			w.as("root").rm(p).want(fs.ErrPermission)
			w.as("root").mv(p, "/lab/E").want(fs.ErrPermission)
		}
		w.as("root").rm("/firm/T").ok()
	})
}

// What lies below and cannot be seen is no less protected (THREATS.md 1B 18).
func TestHiddenMembersProtectTheirFolder(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *onShape) {
		w := newWorld(t, options{shape: t.shape, rules: `
workspaces:
  firm: {folders: {/: {grant: {"user:pat": deleter, "user:root": owner}}}}
roles:
  deleter: ["list:own", "read:own", create, write, "delete:own"]
`})
		w.seed("pat", "/firm/A/mine", "/firm/src/new", "/firm/f")
		w.seed("eve", "/firm/A/hers")
		w.as("pat").ls("/firm/A").names("mine")
		for _, o := range []*outcome{
			w.as("pat").rm("/firm/A"), w.as("pat").mv("/firm/A", "/firm/B"), w.as("pat").cp("/firm/src", "/firm/A"),
			w.as("pat").mv("/firm/src", "/firm/A"), w.as("pat").cp("/firm/f", "/firm/A"), w.as("pat").mv("/firm/f", "/firm/A"),
		} {
			o.want(fs.ErrPermission)
			if errors.Is(o.err, fs.ErrNotExist) || strings.Contains(o.err.Error(), "hers") {
				t.Errorf("%s: %v tells what is hidden", o.what, o.err)
			}
			if e := o.events[0]; e.Allowed || !strings.Contains(e.Why, "/firm/A/hers") {
				t.Errorf("%s: the audit is not told what was in the way: %+v", o.what, e)
			}
		}
		// A copy leaves the invisible out, and belongs to who made it.
		w.as("pat").cp("/firm/A", "/firm/B").ok()
		w.has("/firm/B", "mine=/firm/A/mine")
		w.as("root").cp("/firm/A", "/firm/C").ok()
		w.as("pat").ls("/firm/C").names()
	})
}

func TestCopyLeavesOutWhatLiesBelowTheInvisible(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *onShape) {
		w := newWorld(t, options{shape: t.shape, rules: `
workspaces:
  firm:
    folders:
      /A: {grant: {"user:pat": own}}
      /B: {grant: {"user:pat": editor}}
roles:
  own: ["read:own"]
`})
		w.seed("eve", "/firm/A/sub/", "/firm/B/")
		w.seed("pat", "/firm/A/sub/mine", "/firm/A/top")
		w.paint("/firm/A/sub/mine")
		w.mem.Plant("firm/A/sub/back\\slash", "x")
		w.as("pat").cp("/firm/A", "/firm/B/A").ok()
		w.has("/firm/B/A", "top=/firm/A/top")
	})
}

// paint gives things a property, without asking.
func (w *world) paint(paths ...string) {
	w.Helper()
	err := w.state.Update(w.Context(), func(tx store.Tx) (err error) {
		for _, path := range paths {
			err = errors.Join(err, tx.PutProp(vpath.Must(path), store.Prop{Space: "urn:x", Local: "color", XML: path}))
		}
		return err
	})
	if err != nil {
		w.Fatal(err)
	}
}

func TestCopyNeedsReadOnAllThatIsSeen(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{rules: `
workspaces:
  firm:
    folders:
      /:         {grant: {"user:pat": editor}}
      /A/Sealed: {deny: {"user:pat": [read]}}
      /B/Shut:   {deny: {"user:pat": [create]}}
`})
	w.seed("eve", "/firm/A/x", "/firm/A/Sealed/y", "/firm/D/Shut/z", "/firm/D/Shut/sub/z", "/firm/B/Shut/")
	w.as("pat").cp("/firm/A", "/firm/C").want(fs.ErrPermission)
	w.as("pat").mv("/firm/A/x", "/firm/none/x").want(fault.ErrNoParent)
	w.as("pat").cp("/firm/D", "/firm/B/Shut/D").want(fs.ErrPermission)
	w.as("pat").cp("/firm/D/Shut", "/firm/C").ok()
	w.has("/firm/C", "sub/", "sub/z=/firm/D/Shut/sub/z", "z=/firm/D/Shut/z")
}

func TestCopyFolderOverFolder(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *onShape) {
		w := newWorld(t, options{shape: t.shape})
		w.seed("ann", "/firm/src/a", "/firm/src/dir/b", "/firm/src/file", "/firm/src/e/")
		w.seed("bob", "/firm/dst/a", "/firm/dst/dir", "/firm/dst/file/x", "/firm/dst/old/y")
		w.paint("/firm/src/a", "/firm/src/dir", "/firm/dst/a", "/firm/dst/dir", "/firm/dst/file/x", "/firm/dst/old")
		w.as("ann").cp("/firm/src", "/firm/dst", files.TransferOptions{}).want(fault.ErrPrecondition)
		if o := w.as("ann").cp("/firm/src", "/firm/dst").ok(); o.created {
			t.Error("created, want replaced")
		}
		w.has("/firm/dst", "a=/firm/src/a", "dir/", "dir/b=/firm/src/dir/b", "e/", "file=/firm/src/file")
		want := map[string]string{"/firm/dst/a": "/firm/src/a", "/firm/dst/dir": "/firm/src/dir"}
		if diff := cmp.Diff(want, w.props("/firm/dst")); diff != "" {
			t.Errorf("properties: %s", diff)
		}
		info, err := w.back["firm"].Stat(t.Context(), vpath.Must("/dst/a"))
		if err != nil || info.Creator != id("bob") {
			t.Errorf("a replaced file is %s's, want bob's (%v)", info.Creator, err)
		}
		info, err = w.back["firm"].Stat(t.Context(), vpath.Must("/dst/file"))
		if err != nil || info.Creator != id("ann") {
			t.Errorf("a new file is %s's, want ann's (%v)", info.Creator, err)
		}
		w.as("ann").cp("/firm/src", "/firm/flat", files.TransferOptions{Shallow: true}).ok()
		w.has("/firm/flat")
		w.as("ann").cp("/firm/src", "/lab/src").ok()
		w.has("/lab/src", "a=/firm/src/a", "dir/", "dir/b=/firm/src/dir/b", "e/", "file=/firm/src/file")
	})
}

// props are all colors below a folder.
func (w *world) props(folder string) map[string]string {
	w.Helper()
	all := map[string]string{}
	for _, name := range append(w.tree(folder), "") {
		name, _, _ = cutAny(name)
		p, err := vpath.Parse(folder + "/" + name)
		if err != nil {
			w.Fatal(err)
		}
		list, err := w.state.PropsOf(w.Context(), p)
		if err != nil {
			w.Fatal(err)
		}
		for _, prop := range list {
			all[p.String()] = prop.XML
		}
	}
	return all
}

func cutAny(name string) (string, string, bool) {
	for i, c := range name {
		if c == '=' {
			return name[:i], name[i+1:], true
		}
	}
	return name, "", false
}

func TestTransfersThatDestroyTheirSource(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	w.seed("ann", "/firm/a/b/c", "/firm/f", "/firm/g")
	for _, do := range []func(src, dst string, o ...files.TransferOptions) *outcome{w.as("ann").cp, w.as("ann").mv} {
		do("/firm/a/b", "/firm/a").want(fault.ErrConflict)    // M2
		do("/firm/a", "/firm/a").want(fs.ErrPermission)       // WEBDAV.md 1.3
		do("/firm/a", "/firm/a/b/d").want(fault.ErrConflict)  // M9
		do("/firm/none", "/firm/f").want(fs.ErrNotExist)      // WEBDAV.md 1.1
		do("/firm/f", "/firm/none/f").want(fault.ErrNoParent) //
		do("/firm/f", "/firm/g/f").want(fault.ErrNoParent)    // below a file
		do("/firm/f", "/firm").want(fault.ErrConflict)        // an ancestor
		do("/firm", "/lab/x").want(fs.ErrPermission)          // a workspace
		do("/firm/f", "/lab").want(fs.ErrPermission)          //
		do("/firm/f", "/").want(fault.ErrConflict)            //
		do("/firm/f", "/nowhere/f").want(fs.ErrNotExist)      //
		do("/firm/f", "/firm/NUL").want(fs.ErrInvalid)        // Windows cannot open it
		do("/firm/f", "/firm/g", files.TransferOptions{}).want(fault.ErrPrecondition)
	}
	w.as("ann").cp("/firm/a", "/firm/a/x", files.TransferOptions{Shallow: true}).ok() // RFC 4918 §9.8.3: depth 0
}

func TestForeignNames(t *testing.T) {
	t.Parallel()
	for name, shape := range shapes {
		if name == "bare" {
			continue
		}
		w := newWorld(t, options{shape: shape})
		w.seed("ann", "/firm/d/x")
		w.mem.Plant("firm/d/back\\slash", "bytes")
		for _, o := range []*outcome{w.as("ann").rm("/firm/d"), w.as("ann").mv("/firm/d", "/firm/e"), w.as("ann").cp("/firm/d", "/firm/e")} {
			o.want(fault.ErrConflict)
		}
		w.as("ann").cp("/firm/d/x", "/firm/d").want(fault.ErrConflict)
		w.seed("ann", "/firm/s/x")
		w.as("ann").cp("/firm/s", "/firm/d").want(fault.ErrConflict)
		w.as("bob").rm("/firm/d").want(fs.ErrPermission) // who may not, learns nothing of it
		w.as("ann").ls("/firm/d").names("x")
	}
}

// TestMkdirOfABusyFolder wants a folder that is there told of while a file is
// being put into it: rclone asks for the folder of each file that it sends.
func TestMkdirOfABusyFolder(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{quiet: true})
	w.seed("ann", "/firm/d/")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	asked := false
	w.once("Publish", func() {
		asked = true
		wantErr(t, "mkdir meanwhile", w.as("ann").tree().Mkdir(ctx, vpath.Must("/firm/d"), files.Guard{}), fs.ErrExist)
	})
	w.as("ann").put("/firm/d/f", "x")
	if !asked {
		t.Error("nothing was published")
	}
}

func TestMkdir(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *onShape) {
		w := newWorld(t, options{shape: t.shape})
		w.seed("ann", "/firm/f", "/firm/d/")
		w.paint("/firm/new")
		w.as("ann").mkdir("/firm/new").ok()
		if got := w.props("/firm/new"); len(got) != 0 {
			t.Errorf("a new folder has properties %v", got)
		}
		for _, p := range []string{"/firm/f", "/firm/d", "/firm", "/"} {
			w.as("ann").mkdir(p).want(fs.ErrExist)
		}
		w.as("ann").mkdir("/firm/f/x").want(fault.ErrNoParent)
		w.as("ann").mkdir("/firm/no/x").want(fault.ErrNoParent)
		w.as("ann").mkdir("/nowhere").want(fs.ErrPermission)
		w.as("bob").mkdir("/lab").want(fs.ErrPermission)
		w.as("ann").mkdir("/firm/AUX").want(fs.ErrInvalid)
		w.as("ann").mkdir("/firm/x", files.Guard{Match: []string{"*"}}).want(fault.ErrPrecondition)
		w.seed("hal", "/firm/HR/")
		w.as("ann").mkdir("/firm/HR").want(fs.ErrPermission)
	})
}

// Of a folder that the store can only remove in part, what stays is named, and
// what has gone has lost its locks and properties.
func TestDeleteInPart(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *onShape) {
		w := newWorld(t, options{shape: t.shape})
		w.seed("ann", "/firm/d/a", "/firm/d/b", "/firm/d/e/c")
		w.paint("/firm/d", "/firm/d/a", "/firm/d/b", "/firm/d/e", "/firm/d/e/c")
		token := w.as("ann").lock("/firm/d/a").ok().lock.Token
		w.setHook(func(op string, p vpath.Path) error {
			if op == "Remove" && p.Name() == "b" {
				return fault.ErrUnavailable
			}
			return nil
		})
		o := w.as("ann").rm("/firm/d", files.Guard{Tokens: []string{token}})
		partial, ok := errors.AsType[*files.Partial](o.err)
		if !ok || len(partial.Failed) != 1 || partial.Failed[0].Path.String() != "/firm/d/b" || !errors.Is(partial.Failed[0].Err, fault.ErrUnavailable) {
			t.Fatalf("error %v, want /firm/d/b", o.err)
		}
		if partial.Error() == "" {
			t.Error("no text")
		}
		if len(o.events) != 1 || !o.events[0].Allowed || o.events[0].Error == "" {
			t.Errorf("events %+v", o.events)
		}
		w.has("/firm/d", "b=/firm/d/b")
		if diff := cmp.Diff(map[string]string{"/firm/d": "/firm/d", "/firm/d/b": "/firm/d/b"}, w.props("/firm/d")); diff != "" {
			t.Errorf("properties: %s", diff)
		}
		if n, err := w.svc.Locks(t.Context()); n != 0 || err != nil {
			t.Errorf("%d locks left (%v)", n, err)
		}
		w.setHook(nil)
		w.as("ann").mkdir("/firm/d/e").ok()
		if got := w.props("/firm/d/e"); len(got) != 0 {
			t.Errorf("a new folder has properties %v", got)
		}
	})
}

func TestCopyInPart(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *onShape) {
		for _, broken := range []string{"/s/a", "/d/a"} {
			w := newWorld(t, options{shape: t.shape})
			w.seed("ann", "/firm/s/a", "/firm/s/b", "/firm/s/e/c")
			w.setHook(func(op string, p vpath.Path) error {
				if slices.Contains([]string{"Copy", "Open", "Put"}, op) && p.String() == broken {
					return fault.ErrUnavailable
				}
				return nil
			})
			o := w.as("ann").cp("/firm/s", "/firm/d")
			if broken == "/d/a" && o.err == nil {
				continue // this store copies by the source's name
			}
			partial, ok := errors.AsType[*files.Partial](o.err)
			if !ok || len(partial.Failed) != 1 || partial.Failed[0].Path.String() != "/firm/d/a" {
				t.Fatalf("error %v, want /firm/d/a", o.err)
			}
			if len(o.events) != 1 || !o.events[0].Allowed || o.events[0].Error == "" {
				t.Errorf("events %+v", o.events)
			}
			w.has("/firm/d", "b=/firm/s/b", "e/", "e/c=/firm/s/e/c")
		}
	})
}

// A member that ends while its folder is copied is named, and the rest is there.
func TestCopyOfWhatEndsMeanwhile(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{shape: mem.Bare})
	w.seed("ann", "/firm/s/a", "/firm/s/b")
	w.once("Mkdir", func() {
		if err := w.back["firm"].Remove(t.Context(), vpath.Must("/s/a")); err != nil {
			t.Error(err)
		}
	})
	o := w.as("ann").cp("/firm/s", "/firm/d")
	if partial, ok := errors.AsType[*files.Partial](o.err); !ok || partial.Failed[0].Path.Name() != "a" || fault.Told(partial.Failed[0].Err) == "" {
		t.Errorf("error %v", o.err)
	}
	w.has("/firm/d", "b=/firm/s/b")
}
