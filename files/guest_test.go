package files_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"github.com/google/go-cmp/cmp"

	"portico/files"
	"portico/store"
	"portico/vpath"
)

// firm is who works there, as files asks for givers.
type firm struct {
	mu   sync.Mutex
	left map[string]bool // by login
	away error           // of the directory
}

func (f *firm) giver(_ context.Context, who string) (files.Person, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	login, ok := strings.CutPrefix(who, "id-user:")
	switch {
	case f.away != nil:
		return files.Person{}, f.away
	case !ok || f.left[login]:
		return files.Person{}, fs.ErrNotExist
	}
	return person(login), nil
}

// leaves has somebody leave the firm, or come back.
func (f *firm) leaves(login string, gone bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.left == nil {
		f.left = map[string]bool{}
	}
	f.left[login] = gone
}

func (f *firm) fails(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.away = err
}

// heard is what the hooks were told.
type heard struct {
	hooks    sync.Mutex
	deposits []store.Deposit
	openings []files.Opening
	refuse   error // of the hooks, if set
}

func (h *heard) deposited(_ context.Context, tx store.Tx, d store.Deposit) error {
	h.hooks.Lock()
	defer h.hooks.Unlock()
	d.ID = "d" + string(rune('0'+len(h.deposits)))
	h.deposits = append(h.deposits, d)
	if h.refuse != nil {
		return h.refuse
	}
	return tx.PutDeposit(d)
}

func (h *heard) opened(_ context.Context, _ store.Tx, o files.Opening) error {
	h.hooks.Lock()
	defer h.hooks.Unlock()
	h.openings = append(h.openings, o)
	return h.refuse
}

// give gives one thing; role may be followed by options.
func (u *user) give(p, subject, role string, opts ...func(*files.Gift)) *outcome {
	u.w.Helper()
	gift := files.Gift{Path: vpath.Must(p), Subject: subject, Role: role}
	for _, f := range opts {
		f(&gift)
	}
	return u.act("give "+p+" to "+subject+" as "+role, func(t *files.Tree, res *outcome) (err error) {
		res.grants, err = t.Give(u.ctx, []files.Gift{gift})
		return err
	})
}

func offered(g *files.Gift) { g.Offered = true }

func (u *user) withdraw(ids ...string) *outcome {
	u.w.Helper()
	return u.act("withdraw "+strings.Join(ids, " "), func(t *files.Tree, res *outcome) (err error) {
		res.grants, err = t.Withdraw(u.ctx, ids)
		return err
	})
}

func (u *user) change(g store.Grant, role string) *outcome {
	u.w.Helper()
	g.Role = role
	return u.act("change "+g.ID, func(t *files.Tree, res *outcome) error {
		g, err := t.Change(u.ctx, g)
		res.grants = []store.Grant{g}
		return err
	})
}

// grant is the only one that an operation gave.
func (o *outcome) grant() store.Grant {
	o.Helper()
	o.ok()
	if len(o.grants) != 1 {
		o.Fatalf("%s: %d grants", o.what, len(o.grants))
	}
	return o.grants[0]
}

// guest is somebody from outside.
type guest struct {
	w   *world
	p   files.Principal
	ctx context.Context //nolint:containedctx // a test's guest has one
}

const eve, gus = "contact:eve@client.example", "contact:gus@client.example"

// outside is the customer of a subject.
func (w *world) outside(subject string) *guest {
	mail := strings.TrimPrefix(subject, "contact:")
	p := files.Contact(files.Outsider{ID: "contact:id-" + mail, Mail: mail, Name: strings.ToUpper(mail)})
	p.Via = "test"
	return &guest{w, p, w.Context()}
}

// visitor holds the link.
func (w *world) visitor(link, name string) *guest {
	return &guest{w, files.Link(files.Visitor{Link: link, Visitor: name, Name: name}), w.Context()}
}

func (g *guest) window() *files.Window {
	g.w.Helper()
	win, err := g.w.svc.Window(g.ctx, g.p)
	if err != nil {
		g.w.Fatal(err)
	}
	return win
}

// result is what an operation of a guest gave.
type result struct {
	*guest
	what    string
	err     error
	node    files.Node
	list    []files.Node
	lock    files.Lock
	created bool
	body    string
}

func (r *result) ok() *result {
	r.w.Helper()
	if r.err != nil {
		r.w.Errorf("%s %s: %v", r.p.Subject(), r.what, r.err)
	}
	return r
}

func (r *result) want(kind error) *result {
	r.w.Helper()
	if !errors.Is(r.err, kind) {
		r.w.Errorf("%s %s: error %v, want %v", r.p.Subject(), r.what, r.err, kind)
	}
	return r
}

func (g *guest) get(p string) *result {
	g.w.Helper()
	body, n, err := g.window().Open(g.ctx, vpath.Must(p), files.Range{})
	res := &result{guest: g, what: "get " + p, err: err, node: n}
	if err == nil {
		data, readErr := io.ReadAll(body)
		res.body, res.err = string(data), errors.Join(readErr, body.Close())
	}
	return res
}

func (g *guest) put(p, body string) *result {
	g.w.Helper()
	n, created, err := g.window().Put(g.ctx, vpath.Must(p), strings.NewReader(body), files.PutOptions{Size: int64(len(body))})
	return &result{guest: g, what: "put " + p, err: err, node: n, created: created}
}

func (g *guest) mkdir(p string) *result {
	g.w.Helper()
	return &result{guest: g, what: "mkdir " + p, err: g.window().Mkdir(g.ctx, vpath.Must(p), files.Guard{})}
}

func (g *guest) rm(p string) *result {
	g.w.Helper()
	return &result{guest: g, what: "delete " + p, err: g.window().Delete(g.ctx, vpath.Must(p), files.Guard{})}
}

func (g *guest) mv(src, dst string) *result {
	g.w.Helper()
	l, err := g.window().Move(g.ctx, vpath.Must(src), vpath.Must(dst), over)
	return &result{guest: g, what: "move " + src + " " + dst, err: err, created: l.Created}
}

func (g *guest) cp(src, dst string) *result {
	g.w.Helper()
	l, err := g.window().Copy(g.ctx, vpath.Must(src), vpath.Must(dst), over)
	return &result{guest: g, what: "copy " + src + " " + dst, err: err, created: l.Created}
}

func (g *guest) lockIt(p string) *result {
	g.w.Helper()
	l, created, err := g.window().Lock(g.ctx, vpath.Must(p), files.LockOptions{})
	return &result{guest: g, what: "lock " + p, err: err, lock: l, created: created}
}

func (g *guest) stat(p string) *result {
	g.w.Helper()
	n, err := g.window().Stat(g.ctx, vpath.Must(p))
	return &result{guest: g, what: "stat " + p, err: err, node: n}
}

func (g *guest) ls(p string) *result {
	g.w.Helper()
	n, list, err := g.window().Find(g.ctx, vpath.Must(p), true, files.Want{Locks: true, Props: true})
	return &result{guest: g, what: "list " + p, err: err, node: n, list: list}
}

// sees wants exactly these paths below p.
func (g *guest) sees(p string, want ...string) {
	g.w.Helper()
	res := g.ls(p).ok()
	got := []string{}
	for _, n := range res.list {
		got = append(got, n.Path.String())
	}
	slices.Sort(got)
	if diff := cmp.Diff(append([]string{}, want...), got); diff != "" {
		g.w.Errorf("%s sees in %s (-want +got):\n%s", g.p.Subject(), p, diff)
	}
}
