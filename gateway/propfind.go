package gateway

import (
	"context"
	"encoding/xml"
	"errors"
	"io/fs"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/net/webdav"

	"portico/files"
)

// handlePropfind lists a folder, or describes one thing. All of the answer comes
// from one listing that is complete before the first byte goes out: a listing
// that was cut short would look to a sync client like files that were deleted.
func (h *Handler) handlePropfind(w http.ResponseWriter, r *http.Request, q *request) error {
	lives := liveProps()
	d, query, err := parsePropfind(r, lives)
	if err != nil {
		return err
	}
	if err := q.checkIf(r); err != nil {
		return err
	}
	self, below, leave, err := h.find(r, q, d.levels == 1, query.lookups())
	if err != nil {
		return err
	}
	defer leave()
	if q.slash && !self.Dir {
		return errNotFolder()
	}
	room, err := q.quota(r, query)
	if err != nil {
		return err
	}
	token, err := h.syncToken(r, q, query, self)
	if err != nil {
		return err
	}
	access, err := q.access(r, query, &self)
	if err != nil {
		return err
	}
	p := &page{ctx: r.Context(), answer: h.startXML(w, q), query: query, lives: lives, quota: room, token: token, access: access}
	if d.membersOnly {
		return p.write(below)
	}
	return p.write(append([]files.Node{self}, below...))
}

// find is the tree's own, in a listing's turn where there are members. The turn of a
// long one lasts until leave.
func (h *Handler) find(r *http.Request, q *request, members bool, want files.Want) (self files.Node, below []files.Node, leave func(), err error) {
	leave = func() {}
	if members {
		if leave, err = h.list(r.Context(), q.turn); err != nil {
			return self, nil, nil, err
		}
	}
	self, below, err = q.tree.Find(r.Context(), q.path, members, want)
	if err != nil || isShort(&self, below) {
		leave()
		leave = func() {}
	}
	return self, below, leave, err
}

// isShort tells a listing that many may hold at once: of few nodes, whose properties are
// few. Those that come later are held by the hundred while the answer is written.
func isShort(self *files.Node, below []files.Node) bool {
	if len(below) > shortListing {
		return false
	}
	size := self.Weigh()
	for i := range below {
		if below[i].Later {
			return false
		}
		size += below[i].Weigh()
	}
	return size <= shortProps
}

// parsePropfind reads how deep a PROPFIND goes and what it asks for.
func parsePropfind(r *http.Request, lives []liveProp) (d depth, q query, err error) {
	// Many old clients leave Depth out and mean the folder's members. By RFC 4918
	// §9.1 it means infinity, which §9.1 lets us limit, too.
	if d, err = parseDepth(r.Header.Values("Depth"), 1); err != nil {
		return d, q, err
	}
	// The body is judged before the Depth that cannot be served: a request that is
	// nonsense is 400 at any depth.
	doc, err := readXML(r)
	if err != nil {
		return d, q, err
	}
	if q, err = parseQuery(doc, lives); err == nil && d.levels == depthInfinity {
		err = &refusal{http.StatusForbidden, "propfind-finite-depth", "A whole tree is not listed at once: ask for it folder by folder, with Depth: 1."}
	}
	return d, q, err
}

// quota asks for the room in the workspace, if the request does. Without the
// right to know it is unknown.
func (q *request) quota(r *http.Request, query query) (files.Quota, error) {
	unknown := files.Quota{Available: -1, Used: -1}
	if q.path.IsRoot() || !slices.ContainsFunc(query.named, wanted.isQuota) {
		return unknown, nil
	}
	quota, err := q.tree.Quota(r.Context(), q.path)
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) {
		return unknown, nil
	}
	return quota, err
}

// isQuota tells the properties that Quota answers.
func (w wanted) isQuota() bool {
	return w.live != nil && strings.HasPrefix(w.live.name, "quota")
}

// page writes the answer to one PROPFIND, REPORT or SEARCH.
type page struct {
	ctx context.Context //nolint:containedctx // of the request
	*answer
	query   query
	lives   []liveProp
	quota   files.Quota
	token   string  // for a sync of the folder itself, "" for none
	access  *access // to the thing itself, nil if not for the principal to know
	missing []int   // named properties that the node at hand lacks; reused
}

// write answers with the nodes given, all of them.
func (p *page) write(nodes []files.Node) error {
	p.b = append(p.b, openMultistatus...)
	if err := p.addAll(len(nodes), func(i int) *files.Node { return &nodes[i] }); err != nil {
		return err
	}
	p.b = append(p.b, closeMultistatus...)
	return p.end(webdav.StatusMulti)
}

// addAll describes n nodes.
func (p *page) addAll(n int, node func(i int) *files.Node) error {
	for i := range n {
		if err := p.fill(i, n, node); err != nil {
			return err
		}
		if err := p.add(node(i)); err != nil {
			return err
		}
		node(i).Props = nil
	}
	return nil
}

// fill reads the properties of the node i, if there were too many to be read with the
// listing, and those of some behind it. Where that fails in the midst of an answer, the
// connection breaks: an answer that was cut short would look like files that are gone.
func (p *page) fill(i, n int, node func(i int) *files.Node) error {
	if !node(i).Later {
		return nil
	}
	some := make([]files.Node, min(n-i, files.FillAtOnce))
	for j := range some {
		some[j] = *node(i + j)
	}
	done, err := p.q.tree.Fill(p.ctx, some)
	for j := range some[:done] {
		*node(i + j) = some[j]
	}
	return err
}

// add describes one node, and sends what has come together.
func (p *page) add(n *files.Node) error {
	p.response(n)
	return p.send(webdav.StatusMulti)
}

// response describes one node. It is kept short: Windows takes 1,000,000 bytes
// for a folder (FileAttributesLimitInBytes) and shows nothing of a longer one.
func (p *page) response(n *files.Node) {
	p.b = p.q.appendHref(append(p.b, "<D:response><D:href>"...), n.Path, n.Dir)
	p.b = append(p.b, "</D:href>"...)
	p.missing = p.missing[:0]
	start := len(p.b)
	p.b = append(p.b, openPropstat...)
	empty := len(p.b)
	switch {
	case p.query.names:
		p.names(n)
	case p.query.all:
		p.all(n)
	}
	p.named(n)
	// One propstat is the least (RFC 4918 §14.24), even for a request of nothing.
	if len(p.b) == empty && len(p.missing) > 0 {
		p.b = p.b[:start] // nothing was found
	} else {
		p.closePropstat(http.StatusOK)
	}
	if len(p.missing) > 0 {
		p.b = append(p.b, openPropstat...)
		for _, i := range p.missing {
			p.b = append(p.b, p.query.named[i].empty...)
		}
		p.closePropstat(http.StatusNotFound)
	}
	p.b = append(p.b, "</D:response>"...)
}

const openPropstat = "<D:propstat><D:prop>"

// closePropstat ends the properties that share a status.
func (p *page) closePropstat(status int) {
	p.b = append(p.b, "</D:prop>"...)
	p.b = append(appendStatus(p.b, status), "</D:propstat>"...)
}

// names writes the names of all properties, without their values.
func (p *page) names(n *files.Node) {
	for i := range p.lives {
		mark := len(p.b)
		if p.live(&p.lives[i], n) {
			p.b = append(p.b[:mark], emptyTag(p.lives[i].xmlName())...)
		}
	}
	for _, dead := range n.Props {
		p.b = append(p.b, emptyTag(xml.Name{Space: dead.Space, Local: dead.Local})...)
	}
}

// all writes the live properties, but for those that must be named, and the dead ones.
func (p *page) all(n *files.Node) {
	for i := range p.lives {
		if !p.lives[i].named {
			p.live(&p.lives[i], n)
		}
	}
	for i := range n.Props {
		if !p.asked(n.Props[i].Space, n.Props[i].Local) {
			p.b = appendDead(p.b, n.Props[i].XML)
		}
	}
}

// asked tells whether a dead property stands in include, and comes anyway.
func (p *page) asked(space, local string) bool {
	return slices.ContainsFunc(p.query.named, func(w wanted) bool {
		return w.name == xml.Name{Space: space, Local: local}
	})
}

// named writes the properties asked for by name and notes those that are missing.
func (p *page) named(n *files.Node) {
	for i := range p.query.named {
		w := &p.query.named[i]
		if w.live != nil && p.live(w.live, n) || w.live == nil && p.dead(w.name, n) {
			continue
		}
		p.missing = append(p.missing, i)
	}
}

// live writes a live property, if n has it.
func (p *page) live(l *liveProp, n *files.Node) bool {
	start := len(p.b)
	p.b = l.appendOpen(p.b)
	from := len(p.b)
	var ok bool
	p.b, ok = l.value(p.b, p, n)
	switch {
	case !ok:
		p.b = p.b[:start]
	case len(p.b) == from: // empty: <D:name/> is half as long
		p.b = append(p.b[:from-1], "/>"...)
	default:
		p.b = l.appendClose(p.b)
	}
	return ok
}

// declaredZ is declared once for a whole answer: Windows sets four properties on each
// file, with this prefix, and a third of what they take would be the declaration.
const declaredZ = ` xmlns:Z="urn:schemas-microsoft-com:"`

// appendDead writes a dead property, without what the answer has declared already.
func appendDead(b []byte, element string) []byte {
	if i := strings.Index(element, declaredZ); i > 0 && strings.HasPrefix(element, "<Z:") && strings.IndexAny(element, " >") == i {
		b, element = append(b, element[:i]...), element[i+len(declaredZ):]
	}
	return append(b, element...)
}

// dead writes a dead property, which was stored as the element that it is.
func (p *page) dead(name xml.Name, n *files.Node) bool {
	for i := range n.Props {
		if d := &n.Props[i]; d.Local == name.Local && d.Space == name.Space {
			p.b = appendDead(p.b, d.XML)
			return true
		}
	}
	return false
}
