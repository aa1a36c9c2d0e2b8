package gateway

import (
	"encoding/xml"
	"net/http"
	"slices"

	"portico/files"
)

// query is what a PROPFIND asks for (RFC 4918 §14.20).
type query struct {
	all   bool // allprop, and named in addition (include)
	names bool // propname
	named []wanted
}

// wanted is one property asked for by name, with the tags of an answer.
type wanted struct {
	name  xml.Name
	live  *liveProp // nil for a dead one
	empty string    // the element without content
}

// parseQuery reads a propfind element; nil, an empty body, asks for all
// properties (RFC 4918 §9.1), as Windows does. Elements that are unknown, or
// that stand where none belongs, are passed over (§17): CERN's davix puts a
// collection inside its resourcetype.
func parseQuery(doc *element, lives []liveProp) (query, error) {
	if doc == nil {
		return query{all: true}, nil
	}
	prop, all, names := doc.child("prop"), doc.child("allprop"), doc.child("propname")
	forms := 0
	for _, e := range []*element{prop, all, names} {
		if e != nil {
			forms++
		}
	}
	if !doc.is("propfind") || forms != 1 {
		return query{}, refuse(http.StatusBadRequest, "The body is not a propfind with one of prop, allprop and propname.")
	}
	// RFC 4918 §9.1: include adds to allprop what it leaves out.
	q := query{all: all != nil, names: names != nil}
	if all != nil {
		prop = doc.child("include")
	}
	if prop != nil {
		err := q.want(prop.children(), lives)
		return q, err
	}
	return q, nil
}

// maxTags bounds what a request asks for by name: all of it comes back for each
// file, if only to say that it is missing.
const maxTags = 32 << 10

// want adds names, each once. With allprop, those that it brings anyway are left out.
func (q *query) want(asked []*element, lives []liveProp) error {
	tags := 0
	for _, e := range asked {
		if slices.ContainsFunc(q.named, func(w wanted) bool { return w.name == e.name }) {
			continue
		}
		w := wanted{name: e.name, live: findLive(lives, e.name), empty: emptyTag(e.name)}
		if q.all && w.live != nil && !w.live.named {
			continue
		}
		q.named = append(q.named, w)
		tags += len(w.empty)
	}
	if tags > maxTags {
		return refuse(http.StatusRequestEntityTooLarge, "The names of the properties that are asked for have more than 32 KiB together: ask for fewer at once.")
	}
	return nil
}

// asks tells whether a live property is asked for by name.
func (q *query) asks(local string) bool {
	return slices.ContainsFunc(q.named, func(w wanted) bool { return w.live != nil && w.live.name == local })
}

// want is what must be looked up for an answer beside the listing.
func (q *query) lookups() files.Want {
	dead := slices.ContainsFunc(q.named, func(w wanted) bool { return w.live == nil })
	return files.Want{
		Locks:  q.all || q.asks("lockdiscovery"),
		Props:  q.all || q.names || dead || q.asks("oc:checksums"),
		Rights: slices.ContainsFunc(q.named, func(w wanted) bool { return w.live != nil && w.live.rights }),
	}
}

// emptyTag is an element without content, its namespace declared.
func emptyTag(n xml.Name) string {
	switch n.Space {
	case davSpace:
		return "<D:" + n.Local + "/>"
	case "":
		return "<" + n.Local + "/>"
	}
	return string(appendAttr([]byte("<x:"+n.Local), "xmlns:x", n.Space)) + "/>"
}
