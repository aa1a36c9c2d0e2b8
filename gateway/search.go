package gateway

import (
	"errors"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/webdav"

	"portico/files"
	"portico/vpath"
)

// Limits of one search: things looked at, answers, and time.
const (
	maxSeen    = 50_000
	maxFound   = 5_000
	searchTime = 5 * time.Second
)

// handleSearch answers a DAV:basicsearch (RFC 5323) over names, sizes, times and
// types, within what the one who asks may see.
func (h *Handler) handleSearch(w http.ResponseWriter, r *http.Request, q *request) error {
	doc, err := readXML(r)
	if err != nil {
		return err
	}
	switch {
	case doc == nil:
		return refuse(http.StatusBadRequest, "A SEARCH needs a body that says for what.")
	case doc.is("query-schema-discovery"):
		return h.describeSearch(w, r, q, doc)
	case !doc.is("searchrequest"):
		return refuse(http.StatusUnprocessableEntity, "The body is not a searchrequest.")
	}
	lives := liveProps()
	s, err := q.parseSearch(r, doc, lives)
	if err != nil {
		return err
	}
	if err := q.checkIf(r); err != nil {
		return err
	}
	cut, err := q.find(r, s)
	if err != nil {
		return err
	}
	room, err := q.quota(r, s.query)
	if err != nil {
		return err
	}
	p := &page{ctx: r.Context(), answer: h.startXML(w, q), query: s.query, lives: lives, quota: room}
	return p.found(s.hits.list, cut)
}

// search is a searchrequest that can be answered.
type search struct {
	query   query
	scope   vpath.Path
	shallow bool // the members of the scope, and not what lies in those
	alone   bool // the scope itself
	where   condition
	hits    hits
	later   bool // the properties of the hits are read when they are told
}

// parseSearch reads a searchrequest (RFC 5323 §5.2).
func (q *request) parseSearch(r *http.Request, doc *element, lives []liveProp) (*search, error) {
	basic, err := basicsearch(doc)
	if err != nil {
		return nil, err
	}
	s := &search{where: always}
	if s.query, err = parseSelect(basic, lives); err != nil {
		return nil, err
	}
	if err := q.parseScope(r, basic, s); err != nil {
		return nil, err
	}
	if where := basic.child("where"); where != nil {
		if s.where, err = parseWhere(where); err != nil {
			return nil, err
		}
	}
	if s.hits.order, err = parseOrder(basic); err != nil {
		return nil, err
	}
	n, limited, err := parseLimit(basic)
	s.hits.most = maxFound
	if limited {
		s.hits.most, s.hits.asked = min(n, maxFound), n <= maxFound
	}
	return s, err
}

// basicsearch is the one grammar that there is (RFC 5323 §2.4).
func basicsearch(doc *element) (*element, error) {
	if basic := doc.child("basicsearch"); basic != nil {
		return basic, nil
	}
	return nil, &refusal{http.StatusUnprocessableEntity, "search-grammar-supported", "The search is in another grammar than DAV:basicsearch."}
}

// parseSelect reads what is wanted of each hit.
func parseSelect(basic *element, lives []liveProp) (query, error) {
	which := basic.child("select")
	switch {
	case which == nil:
	case which.child("allprop") != nil:
		return query{all: true}, nil
	case which.child("prop") != nil:
		var q query
		err := q.want(which.child("prop").children(), lives)
		return q, err
	}
	return query{}, unsearchable("The search has no select with prop or allprop.")
}

// parseScope reads where to look. One scope is what a server must take (RFC 5323
// §5.4.1).
func (q *request) parseScope(r *http.Request, basic *element, s *search) error {
	var scopes []*element
	if from := basic.child("from"); from != nil {
		scopes = slices.DeleteFunc(from.children(), func(e *element) bool { return !e.is("scope") })
	}
	switch {
	case len(scopes) == 0:
		return unsearchable("The search has no scope.")
	case len(scopes) > 1:
		return &refusal{http.StatusUnprocessableEntity, "search-multiple-scope-supported", "The search has more than one scope."}
	}
	href := scopes[0].child("href")
	if href == nil {
		return unsearchable("The scope has no href.")
	}
	var err error
	if s.scope, err = q.scope(r, strings.TrimSpace(href.text())); err != nil {
		return err
	}
	levels := "infinity" // where the client says nothing, as with COPY
	if depth := scopes[0].child("depth"); depth != nil {
		levels = depth.text()
	}
	d, err := parseDepth([]string{strings.TrimSpace(levels)}, 0)
	if err != nil {
		return unsearchable("The depth of the scope is none of 0, 1 and infinity.")
	}
	s.alone, s.shallow = d.levels == 0, d.levels == 1
	return nil
}

// scope reads the address of a scope, which may be relative to that of the request.
func (q *request) scope(r *http.Request, href string) (vpath.Path, error) {
	if !strings.HasPrefix(href, "/") && !strings.Contains(href, "://") {
		href = q.href(q.path, true) + strings.TrimPrefix(href, "./")
	}
	p, elsewhere, err := q.address(r, href)
	if err != nil || elsewhere {
		return p, errScope()
	}
	return p, nil
}

// errScope is the precondition of RFC 5323 §2.4.
func errScope() error {
	return &refusal{http.StatusConflict, "search-scope-valid", "There is nothing at the scope of the search."}
}

// unsearchable is a search that is well-formed and cannot be made (RFC 4918 §11.2).
func unsearchable(format string, args ...any) error {
	return refuse(http.StatusUnprocessableEntity, format, args...)
}

// errFound ends a search that has found as many as it shows.
var errFound = errors.New("enough was found")

// find looks at what may be seen, and keeps what is looked for. cut tells that
// there may be more.
func (q *request) find(r *http.Request, s *search) (cut bool, err error) {
	n, err := q.tree.Stat(r.Context(), s.scope)
	if errors.Is(err, fs.ErrNotExist) {
		return false, errScope()
	}
	switch {
	case err != nil:
		return false, err
	case s.alone || !n.Dir:
		return false, q.findAlone(r, s)
	}
	want := s.query.lookups()
	s.later, want.Props = want.Props, false // of what is found alone
	walk := &files.Walk{In: q.tree, Want: want, Left: maxSeen, Time: searchTime, Shallow: s.shallow}
	err = walk.Each(r.Context(), []vpath.Path{s.scope}, s.meet)
	s.hits.end()
	switch {
	case errors.Is(err, files.ErrEnough):
		return true, nil
	case errors.Is(err, errFound):
		return !s.hits.asked, nil
	}
	return s.hits.cut && !s.hits.asked, err
}

// findAlone is find for one thing.
func (q *request) findAlone(r *http.Request, s *search) error {
	n, _, err := q.tree.Find(r.Context(), s.scope, false, s.query.lookups())
	if err != nil {
		return err
	}
	if err := s.meet(n); err != nil && !errors.Is(err, errFound) {
		return err
	}
	s.hits.end()
	return nil
}

func (s *search) meet(n files.Node) error {
	if s.where(&n) != yes {
		return nil
	}
	n.Later = s.later
	return s.hits.add(n)
}

// hits are what was found, of which the first ones are kept.
type hits struct {
	list  []hit
	most  int
	asked bool // by the client: then the rest is no loss (RFC 5323 §5.17)
	order []order
	cut   bool
}

// add keeps a hit. In no order, as many as are wanted end the search.
func (h *hits) add(n files.Node) error {
	if len(h.order) == 0 && len(h.list) == h.most {
		return errFound
	}
	h.list = append(h.list, hit{n, keysOf(h.order, &n)})
	if len(h.list) >= 2*h.most+100 {
		h.end()
	}
	return nil
}

// end puts the hits in order and drops those that are too many.
func (h *hits) end() {
	if len(h.order) > 0 {
		slices.SortFunc(h.list, func(a, b hit) int { return compareBy(h.order, &a, &b) })
	}
	if len(h.list) > h.most {
		clear(h.list[h.most:])
		h.list, h.cut = h.list[:h.most], true
	}
}

// found writes the answer to a search.
func (p *page) found(list []hit, cut bool) error {
	p.b = append(p.b, openMultistatus...)
	if err := p.addAll(len(list), func(i int) *files.Node { return &list[i].Node }); err != nil {
		return err
	}
	if cut {
		p.cut(p.q.href(p.q.path, p.q.slash))
	}
	p.b = append(p.b, closeMultistatus...)
	return p.end(webdav.StatusMulti)
}
