package files_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/webdav"

	"portico/audit"
	"portico/files"
	"portico/store"
	"portico/vpath"
)

// user is somebody who acts.
type user struct {
	w     *world
	login string
	ctx   context.Context //nolint:containedctx // a test's user has one
}

func (w *world) as(login string) *user {
	return &user{w: w, login: login, ctx: w.Context()}
}

func (u *user) tree() *files.Tree {
	t, err := u.w.svc.As(u.ctx, u.principal())
	if err != nil {
		u.w.Fatal(err)
	}
	return t
}

func (u *user) principal() files.Principal {
	p := files.Staff(person(u.login))
	p.Via, p.RequestID = "test", "r1"
	return p
}

func person(login string) files.Person {
	return files.Person{ID: id(login), Login: login, Name: strings.ToUpper(login)}
}

// outcome is what an operation gave.
type outcome struct {
	*world
	what    string
	err     error
	node    files.Node
	list    []files.Node
	created bool
	timed   bool
	body    string
	lock    files.Lock
	events  []audit.Event
	grants  []store.Grant
	before  string
	after   string
}

// act runs one operation, and notes what it changed and what it told the audit.
func (u *user) act(what string, f func(t *files.Tree, o *outcome) error) *outcome {
	u.w.Helper()
	o := &outcome{world: u.w, what: u.login + " " + what}
	if !u.w.quiet {
		o.before = u.w.dump()
	}
	recorded, appended := len(u.w.rec.Recorded()), len(u.w.rec.Appended())
	var t *files.Tree
	if t, o.err = u.w.svc.As(u.ctx, u.principal()); o.err == nil {
		o.err = f(t, o)
	}
	for _, e := range append(u.w.rec.Recorded()[recorded:], u.w.rec.Appended()[appended:]...) {
		if e.Actor.ID == id(u.login) { // others may act meanwhile
			o.events = append(o.events, e)
		}
	}
	if !u.w.quiet {
		o.after = u.w.dump()
	}
	return o
}

// ok wants success, and one event that says so.
func (o *outcome) ok() *outcome {
	o.Helper()
	if o.err != nil {
		o.Errorf("%s: %v", o.what, o.err)
	}
	o.oneEvent(true)
	return o
}

// want wants an error of the kind, one event, and that nothing has changed.
func (o *outcome) want(kind error) *outcome {
	o.Helper()
	if !errors.Is(o.err, kind) {
		o.Errorf("%s: error %v, want %v", o.what, o.err, kind)
	}
	o.unchanged()
	o.oneEvent(false)
	return o
}

func (o *outcome) unchanged() {
	o.Helper()
	if diff := cmp.Diff(lines(o.before), lines(o.after)); diff != "" {
		o.Errorf("%s was refused (%v) and changed something:\n%s", o.what, o.err, diff)
	}
}

func (o *outcome) oneEvent(ok bool) {
	o.Helper()
	if len(o.events) != 1 {
		o.Errorf("%s: %d events, want 1: %.500s", o.what, len(o.events), fmt.Sprint(o.events))
		return
	}
	e := o.events[0]
	if e.Actor.Via != "test" || e.RequestID != "r1" || e.Path == "" || e.Time.IsZero() {
		o.Errorf("%s: event %+v lacks something", o.what, e)
	}
	if good := e.Allowed && e.Error == ""; good != ok {
		o.Errorf("%s: event %+v for error %v", o.what, e, o.err)
	}
	if !e.Allowed && e.Why == "" {
		o.Errorf("%s: refused without a reason: %+v", o.what, e)
	}
}

func lines(s string) []string { return strings.Split(s, "\n") }

func (u *user) put(p, body string, opts ...func(*files.PutOptions)) *outcome {
	u.w.Helper()
	o := files.PutOptions{Size: int64(len(body))}
	for _, f := range opts {
		f(&o)
	}
	return u.act("put "+p, func(t *files.Tree, res *outcome) (err error) {
		res.node, res.created, err = t.Put(u.ctx, vpath.Must(p), strings.NewReader(body), o)
		return err
	})
}

func (u *user) get(p string) *outcome {
	u.w.Helper()
	return u.act("get "+p, func(t *files.Tree, res *outcome) error {
		r, n, err := t.Open(u.ctx, vpath.Must(p), files.Range{})
		res.node = n
		if err != nil {
			return err
		}
		defer r.Close()
		data, err := io.ReadAll(r)
		res.body = string(data)
		return err
	})
}

func (u *user) stat(p string) *outcome {
	u.w.Helper()
	return u.act("stat "+p, func(t *files.Tree, res *outcome) (err error) {
		res.node, err = t.Stat(u.ctx, vpath.Must(p))
		return err
	})
}

func (u *user) ls(p string) *outcome {
	u.w.Helper()
	return u.act("list "+p, func(t *files.Tree, res *outcome) (err error) {
		res.node, res.list, err = t.Find(u.ctx, vpath.Must(p), true, files.Want{Locks: true, Props: true})
		return err
	})
}

func (u *user) find(p string) *outcome {
	u.w.Helper()
	return u.act("find "+p, func(t *files.Tree, res *outcome) (err error) {
		res.node, res.list, err = t.Find(u.ctx, vpath.Must(p), false, files.Want{Locks: true, Props: true})
		return err
	})
}

// names are those of a listing.
func (o *outcome) names(want ...string) {
	o.Helper()
	o.ok()
	got := []string{}
	for _, n := range o.list {
		got = append(got, n.Path.Name())
	}
	if !slices.Equal(got, want) && len(got)+len(want) > 0 {
		o.Errorf("%s = %q, want %q", o.what, got, want)
	}
}

func (u *user) mkdir(p string, g ...files.Guard) *outcome {
	u.w.Helper()
	return u.act("mkdir "+p, func(t *files.Tree, _ *outcome) error {
		return t.Mkdir(u.ctx, vpath.Must(p), first(g))
	})
}

func (u *user) rm(p string, g ...files.Guard) *outcome {
	u.w.Helper()
	return u.act("delete "+p, func(t *files.Tree, _ *outcome) error {
		return t.Delete(u.ctx, vpath.Must(p), first(g))
	})
}

func first[T any](list []T) (one T) {
	if len(list) > 0 {
		one = list[0]
	}
	return one
}

// over is what most clients send: Overwrite: T.
var over = files.TransferOptions{Overwrite: true}

func (u *user) cp(src, dst string, o ...files.TransferOptions) *outcome {
	u.w.Helper()
	if len(o) == 0 {
		o = append(o, over)
	}
	return u.act("copy "+src+" "+dst, func(t *files.Tree, res *outcome) error {
		l, err := t.Copy(u.ctx, vpath.Must(src), vpath.Must(dst), o[0])
		res.created, res.timed = l.Created, l.Timed
		return err
	})
}

func (u *user) mv(src, dst string, o ...files.TransferOptions) *outcome {
	u.w.Helper()
	if len(o) == 0 {
		o = append(o, over)
	}
	return u.act("move "+src+" "+dst, func(t *files.Tree, res *outcome) error {
		l, err := t.Move(u.ctx, vpath.Must(src), vpath.Must(dst), o[0])
		res.created, res.timed = l.Created, l.Timed
		return err
	})
}

func (u *user) lock(p string, opts ...func(*files.LockOptions)) *outcome {
	u.w.Helper()
	o := files.LockOptions{OwnerXML: "<o/>"}
	for _, f := range opts {
		f(&o)
	}
	return u.act("lock "+p, func(t *files.Tree, res *outcome) (err error) {
		res.lock, res.created, err = t.Lock(u.ctx, vpath.Must(p), o)
		return err
	})
}

func infinite(o *files.LockOptions) { o.Infinite = true }
func sharedly(o *files.LockOptions) { o.Shared = true }
func forHours(o *files.LockOptions) { o.Timeout = 100 * time.Hour }
func briefly(o *files.LockOptions)  { o.Timeout = time.Second }
func lockIf(g files.Guard) func(*files.LockOptions) {
	return func(o *files.LockOptions) { o.Guard = g }
}

func (u *user) refresh(p string, tokens ...string) *outcome {
	u.w.Helper()
	return u.act("refresh "+p, func(t *files.Tree, res *outcome) (err error) {
		res.lock, err = t.Refresh(u.ctx, vpath.Must(p), files.LockOptions{Guard: with(tokens...)})
		return err
	})
}

func (u *user) unlock(p, token string) *outcome {
	u.w.Helper()
	return u.act("unlock "+p, func(t *files.Tree, _ *outcome) error {
		return t.Unlock(u.ctx, vpath.Must(p), token)
	})
}

func (u *user) patch(p string, g files.Guard, changes ...files.PropChange) *outcome {
	u.w.Helper()
	return u.act("patch "+p, func(t *files.Tree, _ *outcome) error {
		return t.PatchProps(u.ctx, vpath.Must(p), changes, g)
	})
}

// color is a property that tests set.
func color(value string) files.PropChange {
	return files.PropChange{Prop: store.Prop{Space: "urn:x", Local: "color", XML: value}}
}

// with submits tokens in an untagged If header, which must hold.
func with(tokens ...string) files.Guard {
	var g files.Guard
	for _, token := range tokens {
		g.If = append(g.If, files.List{Conditions: []webdav.Condition{{Token: token}}})
	}
	return g
}

// tagged submits tokens for another resource than the request's.
func tagged(p string, tokens ...string) files.Guard {
	at := vpath.Must(p)
	g := with(tokens...)
	for i := range g.If {
		g.If[i].Resource = &at
	}
	return g
}

func putIf(g files.Guard) func(*files.PutOptions) {
	return func(o *files.PutOptions) { o.Guard = g }
}

func copyIf(g files.Guard) files.TransferOptions {
	return files.TransferOptions{Overwrite: true, Guard: g}
}
