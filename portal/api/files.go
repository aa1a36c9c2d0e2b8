package api

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"time"

	"portico/files"
	"portico/identity"
	"portico/sharing"
	"portico/vpath"
)

// nodeJSON is a file or a folder.
type nodeJSON struct {
	Path        string       `json:"path"`
	Name        string       `json:"name"`
	Title       string       `json:"title,omitempty"` // of a workspace
	Kind        string       `json:"kind"`            // "file", "folder"
	Size        *int64       `json:"size,omitempty"`
	Modified    time.Time    `json:"modified,omitzero"`
	Created     time.Time    `json:"created,omitzero"`
	ETag        string       `json:"etag,omitempty"`
	ContentType string       `json:"content_type,omitempty"`
	SHA256      string       `json:"sha256,omitempty"`
	By          string       `json:"by,omitempty"` // a name
	Rights      []string     `json:"rights"`
	SharedWith  []personJSON `json:"shared_with,omitempty"`
	Labels      []labelJSON  `json:"labels,omitempty"`
	Locks       []lockJSON   `json:"locks,omitempty"`
}

// folderJSON is a folder with a part of its members.
type folderJSON struct {
	nodeJSON
	Members []nodeJSON `json:"members"`
	Next    string     `json:"next,omitempty"`
}

// lockJSON is a lock, without its token: that is for the program that holds it.
type lockJSON struct {
	ID      string     `json:"id"`
	Path    string     `json:"path"`
	Holder  string     `json:"holder"`
	Shared  bool       `json:"shared"`
	Mine    bool       `json:"mine"`
	Since   *time.Time `json:"since"`   // null where the holder is not told either
	Seconds int        `json:"seconds"` // what is left
}

// asJSON describes things as one request sees them.
type asJSON struct {
	ctx    context.Context
	door   door
	name   func(ctx context.Context, id string) string
	names  map[string]string
	shared map[vpath.Path][]sharing.Person
	labels map[vpath.Path][]sharing.LabelView
}

func (a *api) describe(r *http.Request, d door) *asJSON {
	return &asJSON{ctx: r.Context(), door: d, name: a.Name, names: map[string]string{}}
}

// node describes one thing.
func (j *asJSON) node(n files.Node) nodeJSON {
	out := nodeJSON{
		Path: n.Path.String(), Name: n.Path.Name(), Title: n.Title, Kind: "folder", Modified: n.ModTime.UTC(), Created: n.Created.UTC(),
		ETag: n.ETag, ContentType: n.ContentType, SHA256: n.SHA256, By: j.nameOf(n.By), Rights: listed(j.door.Rights(n.Path)),
		SharedWith: some(j.shared[n.Path], asPerson), Labels: some(j.labels[n.Path], asLabel), Locks: some(n.Locks, asLock),
	}
	if !n.Dir {
		out.Kind, out.Size = "file", &n.Size
	}
	return out
}

// some is each, with nothing for none.
func some[T, J any](list []T, f func(T) J) []J {
	if len(list) == 0 {
		return nil
	}
	return each(list, f)
}

func asLock(l files.Lock) lockJSON {
	out := lockJSON{ID: l.ID, Path: l.Root.String(), Holder: l.Holder, Shared: l.Shared, Mine: l.Token != "", Seconds: int(l.Timeout / time.Second)}
	if !l.Since.IsZero() {
		since := l.Since.UTC()
		out.Since = &since
	}
	return out
}

func (j *asJSON) nameOf(id string) string {
	if id == "" || j.name == nil {
		return ""
	}
	name, known := j.names[id]
	if !known {
		name = j.name(j.ctx, id)
		j.names[id] = name
	}
	return name
}

// show describes a file, or a folder with its members.
func (a *api) show(w http.ResponseWriter, r *http.Request) error {
	here, err := at(r)
	if err != nil {
		return err
	}
	d, own, err := a.eyes(r)
	if err != nil {
		return err
	}
	self, list, err := d.Find(r.Context(), here, true, files.Want{Locks: true})
	if err != nil {
		return err //nolint:wrapcheck // the door names itself, here and below
	}
	j := a.describe(r, d)
	if own {
		if err := a.marks(r, j, here); err != nil {
			return err
		}
	}
	if !self.Dir {
		return reply(w, r, http.StatusOK, j.node(self))
	}
	part, next, err := members(r, list)
	if err != nil {
		return err
	}
	return reply(w, r, http.StatusOK, folderJSON{j.node(self), each(part, j.node), next})
}

// eyes are whose the files are seen with: one's own, or those of a colleague.
func (a *api) eyes(r *http.Request) (d door, own bool, err error) {
	login := r.URL.Query().Get("as")
	if login == "" {
		d, err = a.door(r)
		return d, true, err
	}
	if a.Person == nil || a.asks(r).Contact {
		return nil, false, fs.ErrNotExist
	}
	who, err := a.Person(r.Context(), login)
	if errors.Is(err, identity.ErrRefused) {
		err = fs.ErrNotExist
	}
	if err != nil {
		return nil, false, err
	}
	d, err = a.Files.ViewAs(r.Context(), a.kit.Principal(r), who)
	return d, false, err
}

// marks finds with whom the members of a folder are shared, and their labels.
// Nothing is shared above the workspaces, and who may pass through a folder
// without reading it is shown neither.
func (a *api) marks(r *http.Request, j *asJSON, here vpath.Path) (err error) {
	if here.IsRoot() && !a.asks(r).Contact {
		return nil
	}
	by := a.kit.By(r)
	if !by.Contact {
		j.shared, err = a.Sharing.SharedWith(r.Context(), by, here)
	}
	if err == nil {
		j.labels, err = a.Sharing.Labels(r.Context(), by, here)
	}
	if errors.Is(err, fs.ErrPermission) || absent(err) {
		return nil
	}
	return err //nolint:wrapcheck // names itself
}

// members cuts a part out of a folder: it is in order of names, so that one who
// pages through misses nothing when the last one seen goes.
func members(r *http.Request, list []files.Node) (part []files.Node, next string, err error) {
	limit, err := limitOf(r)
	if err != nil {
		return nil, "", err
	}
	slices.SortFunc(list, func(a, b files.Node) int { return cmp.Compare(a.Path.Name(), b.Path.Name()) })
	if after := r.URL.Query().Get("after"); after != "" {
		i, found := slices.BinarySearchFunc(list, after, func(n files.Node, name string) int { return strings.Compare(n.Path.Name(), name) })
		if found {
			i++
		}
		list = list[i:]
	}
	if len(list) > limit {
		list = list[:limit]
		next = list[limit-1].Path.Name()
	}
	return list, next, nil
}
