package files_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/net/webdav"

	"portico/fault"
	"portico/files"
	"portico/vpath"
)

// canaries are what no answer to somebody outside may hold.
func canaries() []string {
	return []string{"canary", "rules.yaml", "group:", "inherit", "user:", "rule", "viewer", "depositor", "inbox", "opaquelocktoken"}
}

const canaryRules = `
groups:
  canarygroup: {members: [zed]}
workspaces:
  canaryspace:
    folders:
      /: {grant: {"user:root": owner, "group:canarygroup": editor}}
      /CanaryParent/given/shut: {inherit: false, grant: {"user:root": owner}}
      /CanaryParent/given/pinned: {deny: {"group:canarygroup": [write]}}
      /CanaryParent/given/Twin: {grant: {"user:zed": viewer}}
`

// No word of where things lie, and no rule, comes out of a window: whatever is
// asked, and whatever goes wrong.
func TestNoAnswerOfAWindowTellsOfTheFirm(t *testing.T) {
	t.Parallel()
	const given = "/canaryspace/CanaryParent/given"
	for _, role := range []string{"viewer", "depositor", "inbox", "contributor"} {
		w := newWorld(t, options{rules: canaryRules, quiet: true, quota: 3000})
		w.seed("root", given+"/a.txt", given+"/sub/b.txt", given+"/shut/canary.txt", given+"/pinned/c.txt", given+"/Twin/t", "/canaryspace/CanaryOther/o")
		g := w.as("root").give(given, eve, role).grant()
		w.as("root").give(given+"/a.txt", eve, strings.Replace(role, "inbox", "viewer", 1)).ok()
		guest := w.outside(eve)
		guest.put("/given/mine.txt", "m")
		w.as("root").lock(given+"/sub/b.txt", func(o *files.LockOptions) { o.OwnerXML = "<canary/>" }).ok()
		w.as("root").lock("/canaryspace/CanaryParent", infinite, sharedly)
		drive(t, w, guest, role)
		for _, kind := range []error{
			fs.ErrNotExist, fs.ErrExist, fs.ErrPermission, fs.ErrInvalid, fault.ErrIsDir, fault.ErrNotDir, fault.ErrNotEmpty, fault.ErrNoParent,
			fault.ErrConflict, fault.ErrPrecondition, fault.ErrRange, fault.ErrTruncated, fault.ErrTooLarge, fault.ErrQuota,
			fault.ErrUnavailable, fault.ErrBusy, errors.New("disk: canary"), context.Canceled,
		} {
			var n atomic.Int64
			w.setHook(func(op string, p vpath.Path) error {
				if n.Add(1)%3 != 0 { // some calls succeed, so that others fail late
					return nil
				}
				return fault.Tell(fmt.Errorf("canary: %s %s: %w", op, p, kind), "canary %s", p)
			})
			drive(t, w, guest, role+", "+kind.Error())
		}
		w.setHook(nil)
		if got := w.as("root").withdraw(g.ID); got.err != nil {
			t.Error(got.err)
		}
	}
}

// drive asks everything of a window, and looks at all that it answers.
func drive(t *testing.T, w *world, guest *guest, what string) {
	t.Helper()
	paths := []string{
		"/", "/given", "/given/a.txt", "/given/sub", "/given/sub/b.txt", "/given/shut", "/given/shut/canary.txt",
		"/given/pinned", "/given/twin", "/given/none/x", "/given/mine.txt", "/a.txt", "/a.txt/x", "/none", "/none/x", "/given/con.", "/given/x" + strings.Repeat("y", 900),
	}
	ctx := t.Context()
	for _, text := range paths {
		p, err := vpath.Parse(text)
		if err != nil {
			p = vpath.Must("/given/long")
			for range 3 {
				p, _ = p.Child(strings.Repeat("y", 240))
			}
		}
		look := watcher{t, what + ": " + p.String(), p}
		win, err := w.svc.Window(ctx, guest.p)
		if err != nil {
			look.err("window", err)
			continue
		}
		for _, m := range win.Mounts() {
			look.text("mount", m.Name)
		}
		n, err := win.Stat(ctx, p)
		look.node("stat", n, err)
		n, list, err := win.Find(ctx, p, true, files.Want{Locks: true, Props: true})
		look.node("find", n, err)
		for _, n := range list {
			look.node("member", n, nil)
		}
		body, n, err := win.Open(ctx, p, files.Range{})
		look.node("open", n, err)
		if body != nil {
			_, err = io.Copy(io.Discard, body)
			look.err("read", errors.Join(err, body.Close()))
		}
		_, err = win.Quota(ctx, p)
		look.err("quota", err)
		look.err("check", win.Check(ctx, p, tagged("/given/a.txt", "opaque")))
		look.text("rights", strings.Join(win.Rights(p), " "))
		drivePut(ctx, look, win, p)
		for _, dst := range []string{"/given/new", "/given/sub/new", "/given/a.txt", "/given/sub", "/given/shut/x", "/none/x", "/given/pinned", "/given/twin", "/a.txt"} {
			_, err = win.Copy(ctx, p, vpath.Must(dst), files.TransferOptions{Overwrite: true})
			look.err("copy to "+dst, err)
			_, err = win.Move(ctx, p, vpath.Must(dst), files.TransferOptions{})
			look.err("move to "+dst, err)
		}
		look.err("delete", win.Delete(ctx, p, files.Guard{}))
	}
}

func drivePut(ctx context.Context, look watcher, win *files.Window, p vpath.Path) {
	n, _, err := win.Put(ctx, p, strings.NewReader("body"), files.PutOptions{Size: 4})
	look.node("put", n, err)
	_, _, err = win.Put(ctx, p, strings.NewReader(strings.Repeat("x", 4000)), files.PutOptions{Size: 4000})
	look.err("put too much", err)
	_, _, err = win.Put(ctx, p, strings.NewReader("body"), files.PutOptions{Size: 4, Guard: files.Guard{Match: []string{"no"}}})
	look.err("put if", err)
	look.err("mkdir", win.Mkdir(ctx, p, files.Guard{}))
	l, _, err := win.Lock(ctx, p, files.LockOptions{Infinite: true})
	look.err("lock", err)
	look.text("lock", l.Root.String()+l.Holder)
	_, err = win.Refresh(ctx, p, files.LockOptions{Guard: with("opaque")})
	look.err("refresh", err)
	look.err("unlock", win.Unlock(ctx, p, "opaque"))
	look.err("patch", win.PatchProps(ctx, p, []files.PropChange{color("red")}, files.Guard{}))
	list := files.List{Conditions: []webdav.Condition{{ETag: "none"}}}
	look.err("patch if", win.PatchProps(ctx, p, nil, files.Guard{If: []files.List{list}}))
	if l.Token != "" {
		look.err("unlock", win.Unlock(ctx, p, l.Token))
	}
}

// watcher looks at answers.
type watcher struct {
	*testing.T
	what  string
	asked vpath.Path
}

func (l watcher) text(op, s string) {
	l.Helper()
	low := strings.ReplaceAll(strings.ToLower(s), strings.ToLower(l.asked.String()), "")
	low = strings.ReplaceAll(low, "/shut/canary.txt", "")
	for _, word := range canaries() {
		if strings.Contains(low, word) {
			l.Errorf("%s: %s tells %q", l.what, op, s)
		}
	}
}

func (l watcher) node(op string, n files.Node, err error) {
	l.Helper()
	l.err(op, err)
	l.text(op, n.Path.String()+n.Title+n.By)
	for _, lock := range n.Locks {
		l.text(op+" lock", lock.Root.String()+lock.Holder+lock.OwnerXML)
		if lock.Token != "" && lock.Holder == "ROOT" {
			l.Errorf("%s: %s tells another's token", l.what, op)
		}
	}
}

// err looks at an error, all that it wraps, and what it names.
func (l watcher) err(op string, err error) {
	l.Helper()
	if err == nil {
		return
	}
	l.text(op, err.Error())
	l.text(op, fault.Told(err))
	if locked, ok := errors.AsType[*files.LockedError](err); ok {
		l.text(op, locked.Path.String()+locked.Holder)
	}
	if partial, ok := err.(*files.Partial); ok { //nolint:errorlint // this very one
		for _, f := range partial.Failed {
			l.text(op, f.Path.String())
			l.err(op, f.Err)
		}
	}
	switch x := err.(type) { //nolint:errorlint // walks the whole chain
	case interface{ Unwrap() error }:
		l.err(op, x.Unwrap())
	case interface{ Unwrap() []error }:
		for _, one := range x.Unwrap() {
			l.err(op, one)
		}
	}
}
