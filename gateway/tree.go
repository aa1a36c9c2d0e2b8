package gateway

import (
	"context"
	"io"
	"net/http"
	"strings"

	"portico/files"
	"portico/identity"
	"portico/sharing"
	"portico/vpath"
)

// Tree is what a drive shows: *files.Tree to the firm, *files.Window to a customer,
// *sharing.Room to who holds a link. Its parts are there to be small.
type Tree interface {
	files.Viewer
	Reader
	Writer
	Locker
}

// Reader is the part of a Tree that changes nothing, beside what files.Viewer finds.
type Reader interface {
	Stat(ctx context.Context, p vpath.Path) (files.Node, error)
	Check(ctx context.Context, p vpath.Path, g files.Guard) error
	Open(ctx context.Context, p vpath.Path, r files.Range) (io.ReadCloser, files.Node, error)
	Quota(ctx context.Context, p vpath.Path) (files.Quota, error)
}

// Writer is the part that changes files.
type Writer interface {
	Put(ctx context.Context, p vpath.Path, body io.Reader, o files.PutOptions) (n files.Node, created bool, err error)
	Mkdir(ctx context.Context, p vpath.Path, g files.Guard) error
	Delete(ctx context.Context, p vpath.Path, g files.Guard) error
	Copy(ctx context.Context, src, dst vpath.Path, o files.TransferOptions) (files.Landed, error)
	Move(ctx context.Context, src, dst vpath.Path, o files.TransferOptions) (files.Landed, error)
}

// Locker is the part that changes locks and properties.
type Locker interface {
	Lock(ctx context.Context, p vpath.Path, o files.LockOptions) (l files.Lock, created bool, err error)
	Refresh(ctx context.Context, p vpath.Path, o files.LockOptions) (files.Lock, error)
	Unlock(ctx context.Context, p vpath.Path, token string) error
	PatchProps(ctx context.Context, p vpath.Path, changes []files.PropChange, g files.Guard) error
}

var (
	_ Tree = (*files.Tree)(nil)
	_ Tree = (*files.Window)(nil)
	_ Tree = (*sharing.Room)(nil)
)

// What the drive mounts beside the workspaces. No workspace goes by these names.
const (
	sharedName = "shared" // of customers
	linkName   = "link"
)

// enterBy finds out by which door a request has come, and who asks. rest is the
// path within what that door shows.
func (h *Handler) enterBy(w http.ResponseWriter, r *http.Request, q *request, inside string) (rest string, leave func(), err error) {
	if below, ok := strings.CutPrefix(inside, "/"+linkName+"/"); ok && h.Links != nil && q.prefix == h.prefix {
		return h.admitLink(w, r, q, below)
	}
	return h.admit(r, q, inside)
}

// treeOf gives what somebody sees who has signed in. A customer has what was shared
// with them, under a prefix of its own, so that no Destination leads out of it.
func (h *Handler) treeOf(r *http.Request, q *request, who identity.Identity, inside string) (rest string, err error) {
	q.drive, q.chunks = q.door, nil // it may be the second try
	if inside, err = q.enterDoor(inside, who); err != nil {
		return "", err
	}
	p := h.principal(r, who)
	if !who.Contact {
		q.tree, err = h.Files.As(r.Context(), p)
		return inside, err
	}
	below, shared := strings.CutPrefix(inside, "/"+sharedName)
	if shared && (below == "" || below[0] == '/') || q.chunks != nil {
		q.within(sharedName)
		q.tree, err = h.Files.Window(r.Context(), p)
		return "/" + strings.TrimPrefix(below, "/"), err
	}
	// Nothing is given to a customer without an address: the window is empty.
	nobody := h.principal(r, identity.Identity{ID: who.ID, Name: who.Name, Key: who.Key, Limit: who.Limit, Contact: true})
	window, err := h.Files.Window(r.Context(), nobody)
	q.tree = lobby{window}
	return inside, err
}

// lobby is the top of a customer's drive: it holds "shared", and nothing else.
type lobby struct{ *files.Window }

// Find is of Reader.
func (l lobby) Find(ctx context.Context, p vpath.Path, members bool, want files.Want) (files.Node, []files.Node, error) {
	self, below, err := l.Window.Find(ctx, p, members, want)
	if err != nil || !p.IsRoot() || !members {
		return self, below, err
	}
	at, err := p.Child(sharedName)
	return self, append(below, files.Node{Path: at, Dir: true}), err
}

// Fill is of files.Filler: what a lobby holds has no properties.
func (lobby) Fill(_ context.Context, nodes []files.Node) (done int, err error) {
	for i := range nodes {
		nodes[i].Later = false
	}
	return len(nodes), nil
}

// admitLink lets in who holds a link. Of its password they have proof in Basic, with
// any name; cookies count for nothing here, as on the rest of the drive. Each link
// has a prefix of its own.
func (h *Handler) admitLink(w http.ResponseWriter, r *http.Request, q *request, below string) (rest string, leave func(), err error) {
	token, rest, _ := strings.Cut(below, "/")
	name, password := linkCredentials(r)
	w.Header().Set("X-Robots-Tag", "noindex")
	v, err := h.Links(r.Context(), sharing.Knock{
		Token: token, Address: h.Address(r), Name: name, Password: password,
		Via: "dav", Agent: clip(r.UserAgent(), 256), RequestID: h.RequestID(r.Context()),
	})
	if err != nil {
		return "", nil, err
	}
	// Each address has turns of its own: of many who hold a link none waits for
	// another.
	q.turn = v.Principal().Subject() + " " + h.Address(r)
	if leave, err = h.enter(r, q.turn); err != nil {
		return "", nil, err
	}
	q.prefix, q.tree, q.link = h.prefix+"/"+linkName+"/"+token, v.Room(), true
	return "/" + rest, leave, nil
}

// linkCredentials are the name and password that a program gives for a link. The
// name may be empty, as in curl -u :PASSWORD.
func linkCredentials(r *http.Request) (name, password string) {
	name, password, ok := r.BasicAuth()
	if !ok || len(r.Header.Values("Authorization")) > 1 || name != "" && !soundCredential(name) || !soundCredential(password) {
		return "", ""
	}
	return name, password
}

// keepNothing has no cache keep what came by a link (THREATS.md §4.3).
func (q *request) keepNothing(w http.ResponseWriter) {
	if q.link {
		w.Header().Set("Cache-Control", "private, no-store")
	}
}
