package staff

import (
	"bytes"
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/collate"
	"golang.org/x/text/language"

	"portico/files"
	"portico/lang"
	"portico/portal/content"
	"portico/portal/web"
	"portico/vpath"
)

// perPage is how many rows a page holds. Scripts fetch the others as one scrolls;
// without them there are links.
const perPage = 200

// row is a thing in a list, ready to show.
type row struct {
	Name   string
	Title  string `json:",omitempty"` // of a workspace
	Href   string
	Kind   string // of its icon
	Dir    bool   `json:",omitempty"`
	Size   string
	Time   time.Time `json:"-"`
	When   string
	Stamp  string
	By     string   `json:",omitempty"`
	Where  string   `json:",omitempty"` // the folder, in a search
	Shared []face   `json:",omitempty"`
	Labels []marker `json:",omitempty"`

	size int64
	node files.Node
}

// face is a person in the column "Shared with".
type face struct {
	Name, Mail, Initials string
	Color                int
	Waiting              bool `json:",omitempty"` // has not answered yet
}

// marker is a label.
type marker struct{ Name, Color string }

// order is how a list is sorted.
type order struct {
	By   string // "name", "size", "changed"
	Down bool
	Grid bool

	who string // whose drive it is, on a page of viewAs
}

func orderOf(q url.Values) order {
	o := order{By: q.Get("sort"), Down: q.Get("down") != "", Grid: q.Get("view") == "grid"}
	if o.By != "size" && o.By != "changed" {
		o.By = "name"
	}
	return o
}

// Query is the address of this order.
func (o order) Query() string {
	q := url.Values{}
	if o.By != "name" {
		q.Set("sort", o.By)
	}
	if o.Down {
		q.Set("down", "1")
	}
	if o.Grid {
		q.Set("view", "grid")
	}
	return q.Encode()
}

// To is the order that the head of a column leads to: the other way round where
// it is this one.
func (o order) To(by string) string {
	next := order{By: by, Down: o.By == by && !o.Down, Grid: o.Grid, who: o.who}
	return next.link()
}

// View is the same order, as a list or a grid.
func (o order) View(grid bool) string {
	o.Grid = grid
	return o.link()
}

// link is a whole address: behind a "?" of its own, html/template would take the
// query for one value, and escape the "=" in it.
func (o order) link() string {
	q := o.Query()
	if o.who != "" {
		q = strings.TrimSuffix(url.Values{"who": {o.who}}.Encode()+"&"+q, "&")
	}
	return "?" + q
}

// Sorted is the word for it (aria-sort).
func (o order) Sorted(by string) string {
	switch {
	case o.By != by:
		return "none"
	case o.Down:
		return "descending"
	}
	return "ascending"
}

// sortNodes puts folders first, and each by the order; names as the language sorts
// them, and numbers in them by their value.
func sortNodes(list []files.Node, o order, tag string) {
	all := keyed(list, tag)
	slices.SortStableFunc(all, func(a, b keyedNode) int {
		if a.node.Dir != b.node.Dir {
			if a.node.Dir {
				return -1
			}
			return 1
		}
		c := 0
		switch {
		case o.By == "size" && !a.node.Dir:
			c = cmp.Compare(a.node.Size, b.node.Size)
		case o.By == "changed":
			c = a.node.ModTime.Compare(b.node.ModTime)
		}
		if c == 0 {
			c = bytes.Compare(a.key, b.key)
		}
		if o.Down {
			return -c
		}
		return c
	})
	sorted := make([]files.Node, 0, len(list))
	for _, k := range all {
		sorted = append(sorted, *k.node)
	}
	copy(list, sorted)
}

// keyedNode is a node with the key of its name. It is small, because sorting moves
// it about.
type keyedNode struct {
	node *files.Node
	key  []byte
}

func keyed(list []files.Node, tag string) []keyedNode {
	c := collate.New(language.Make(tag), collate.IgnoreCase)
	var buf collate.Buffer // holds all keys
	all := make([]keyedNode, 0, len(list))
	for i := range list {
		name := list[i].Title
		if name == "" {
			name = list[i].Path.Name()
		}
		all = append(all, keyedNode{&list[i], c.KeyFromString(&buf, padded(name))})
	}
	return all
}

// lister makes rows for one request.
type lister struct {
	p     *pages
	ctx   context.Context //nolint:containedctx // it lives as long as the request
	text  *lang.Text
	now   time.Time
	known map[string]string
	under string // the pages that the rows lead to: "/files"
	query string // kept in their addresses
	extra extras
}

func (p *pages) lister(r *http.Request) *lister {
	return &lister{p: p, ctx: r.Context(), text: p.kit.Text(r), now: p.kit.Clock(), known: map[string]string{}, under: "/files"}
}

func (l *lister) row(n files.Node) row {
	at := web.Href(l.under, n.Path)
	if n.Dir {
		at += "/"
	}
	if l.query != "" {
		at += "?" + l.query
	}
	w := row{
		Name: n.Path.Name(), Title: n.Title, Href: at, Kind: kindOf(n), Dir: n.Dir, Time: n.ModTime, size: n.Size, node: n,
		By: l.p.nameOf(l.ctx, l.known, n.By),
	}
	if !n.Dir {
		w.Size = l.text.Size(n.Size)
	}
	if !n.ModTime.IsZero() {
		w.When, w.Stamp = l.text.Moment(n.ModTime, l.now), l.text.Stamp(n.ModTime)
	}
	w.Shared, w.Labels = l.extra.of(n.Path)
	return w
}

func (l *lister) rows(list []files.Node) []row {
	all := make([]row, 0, len(list))
	for _, n := range list {
		all = append(all, l.row(n))
	}
	return all
}

// kindOf names the icon of a thing. The tops of the tree are drives.
func kindOf(n files.Node) string {
	if n.Dir && n.Path.Depth() == 1 {
		return "drive"
	}
	return content.Kind(n)
}

// crumb is a folder above this one.
type crumb struct{ Name, Href string }

// crumbs are the folders above, from the workspace down.
func crumbs(under string, p vpath.Path, titles map[string]string, query string) []crumb {
	var all []crumb
	for a := range p.Ancestors() {
		if a.IsRoot() {
			continue
		}
		c := crumb{Name: nameIn(a, titles), Href: web.Href(under, a) + "/"}
		if query != "" {
			c.Href += "?" + query
		}
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b crumb) int { return len(a.Href) - len(b.Href) })
	return all
}

// can are what somebody may do in a folder: the buttons.
type can struct{ Create, Read, Write, Delete, Share, Grant, Move bool }

func canOf(words []string) can {
	has := func(w ...string) bool {
		return slices.ContainsFunc(w, func(s string) bool { return slices.Contains(words, s) })
	}
	return can{
		Create: has("create"), Read: has("read", "read:own"), Write: has("write", "write:own"), Delete: has("delete", "delete:own"),
		Share: has("share"), Grant: has("grant"), Move: has("delete", "delete:own"),
	}
}

// pageOf is the number in an address, from 1.
func pageOf(q url.Values) int {
	n, err := strconv.Atoi(q.Get("page"))
	if err != nil || n < 1 {
		return 1
	}
	return n
}

// padded writes the numbers in a name with so many digits that "a9" comes before
// "a10".
func padded(name string) string {
	const width = 12
	if !strings.ContainsAny(name, "0123456789") {
		return name
	}
	var b strings.Builder
	for i := 0; i < len(name); {
		end := i
		for end < len(name) && name[end] >= '0' && name[end] <= '9' {
			end++
		}
		if end == i {
			b.WriteByte(name[i])
			i++
			continue
		}
		b.WriteString(strings.Repeat("0", max(width-(end-i), 0)))
		b.WriteString(name[i:end])
		i = end
	}
	return b.String()
}
