package gateway

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"unicode/utf16"

	"portico/files"
)

// Limits of an XML body (THREATS.md §4.1). They are counted while the body is
// read in a loop: x/net's parser calls itself for each level and ends the whole
// process on a body of 25 million (golang/go issue 81181).
const (
	maxXML        = 64 << 10
	maxXMLDepth   = 32
	maxElements   = 1000
	maxNamespaces = 64
	// A name stands in an answer with its namespace, once for each property and, in a
	// listing, for each file: what is long would come back a thousand times.
	maxNamespace  = files.MaxPropName
	maxLang       = 64
	maxAttributes = 64
)

const (
	davSpace = "DAV:"
	xmlSpace = "http://www.w3.org/XML/1998/namespace"
)

// element is one element of a body, its names resolved. Prefixes are kept, as
// values may speak of them (RFC 4918 §4.3).
type element struct {
	name    xml.Name
	prefix  string
	attrs   []attribute
	lang    string // the xml:lang in force, its own or inherited
	content []content
}

// content is a piece of text or a child.
type content struct {
	text  string
	child *element
}

type attribute struct {
	name          xml.Name
	prefix, value string
}

// is compares with a name of DAV:.
func (e *element) is(local string) bool { return e.name == xml.Name{Space: davSpace, Local: local} }

// children are the child elements, without the text between them.
func (e *element) children() []*element {
	var list []*element
	for _, c := range e.content {
		if c.child != nil {
			list = append(list, c.child)
		}
	}
	return list
}

// child is the first child with a name of DAV:, or nil.
func (e *element) child(local string) *element {
	for _, c := range e.children() {
		if c.is(local) {
			return c
		}
	}
	return nil
}

// text is the text of an element, without that of its children.
func (e *element) text() string {
	var b strings.Builder
	for _, c := range e.content {
		b.WriteString(c.text)
	}
	return b.String()
}

// readXML reads the XML body of a request; nil if the body is empty or blank,
// which to PROPFIND and LOCK has a meaning of its own.
func readXML(r *http.Request) (*element, error) {
	if r.ContentLength > maxXML {
		return nil, errLargeXML()
	}
	// One byte more than is allowed tells a body that is too large from one that
	// just fits.
	body, err := io.ReadAll(io.LimitReader(r.Body, maxXML+1))
	switch {
	case err != nil:
		return nil, badBody(err)
	case len(body) > maxXML:
		return nil, errLargeXML()
	}
	return parseXML(body)
}

// parseXML turns a body into a tree. It refuses what is not well-formed with its
// namespaces, and any document type, so that there are no entities to expand.
func parseXML(body []byte) (*element, error) {
	body = plainUTF8(body)
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, nil //nolint:nilnil // an empty body is a request of its own kind, not a fault
	}
	d := xml.NewDecoder(bytes.NewReader(body))
	d.CharsetReader = decodeCharset
	var p treeParser
	for {
		token, err := d.RawToken() // resolves no names: the package takes an undeclared prefix for a namespace
		if errors.Is(err, io.EOF) {
			return p.end()
		}
		if err == nil {
			err = p.take(token)
		} else {
			err = badXML("is not well-formed XML")
		}
		if err != nil {
			return nil, err
		}
	}
}

// treeParser builds the tree, with a stack of its own.
type treeParser struct {
	root     *element
	stack    []*element
	bindings []binding // of prefixes, the innermost last
	elements int
	declared int
}

// binding is one xmlns attribute, and the depth that it holds from.
type binding struct {
	prefix, space string
	depth         int
}

// take adds one token to the tree.
func (p *treeParser) take(token xml.Token) error {
	switch t := token.(type) {
	case xml.StartElement:
		return p.open(t)
	case xml.EndElement:
		return p.close(t)
	case xml.CharData:
		return p.text(string(t))
	case xml.Directive:
		return badXML("has a document type")
	}
	return nil // comments and processing instructions mean nothing here
}

// end gives the tree, if all that was opened has been closed.
func (p *treeParser) end() (*element, error) {
	if len(p.stack) > 0 || p.root == nil {
		return nil, badXML("is not well-formed XML")
	}
	return p.root, nil
}

// open begins an element. The limits are checked first, so that nothing is
// built of a body that breaks them.
func (p *treeParser) open(t xml.StartElement) error {
	p.elements++
	switch {
	case len(p.stack) == maxXMLDepth:
		return badXML("is nested too deeply")
	case p.elements > maxElements:
		return errLargeXML()
	case len(t.Attr) > maxAttributes:
		return badXML("has an element with too many attributes")
	case p.root != nil && len(p.stack) == 0:
		return badXML("has more than one root element")
	}
	// RawToken gives the prefix in the place of the namespace.
	e := &element{prefix: t.Name.Space}
	if len(p.stack) > 0 {
		e.lang = p.stack[len(p.stack)-1].lang
	}
	p.stack = append(p.stack, e)
	// The declarations of an element hold for its own name, too.
	if err := p.declare(t.Attr); err != nil {
		return err
	}
	var err error
	if e.name, err = p.resolve(t.Name, true); err != nil {
		return err
	}
	if err := p.attributes(e, t.Attr); err != nil {
		return err
	}
	if p.root == nil {
		p.root = e
	} else {
		up := p.stack[len(p.stack)-2]
		up.content = append(up.content, content{child: e})
	}
	return nil
}

// close ends the innermost element. RawToken leaves it to us to see that the
// names match.
func (p *treeParser) close(t xml.EndElement) error {
	if len(p.stack) == 0 {
		return badXML("is not well-formed XML")
	}
	e := p.stack[len(p.stack)-1]
	if e.prefix != t.Name.Space || e.name.Local != t.Name.Local {
		return badXML("is not well-formed XML")
	}
	// What the element has declared ends with it.
	depth := len(p.stack)
	p.bindings = slices.DeleteFunc(p.bindings, func(b binding) bool { return b.depth == depth })
	p.stack = p.stack[:depth-1]
	return nil
}

// text is kept as it came: in the value of a property white space counts.
func (p *treeParser) text(s string) error {
	if len(p.stack) == 0 {
		if strings.TrimSpace(s) != "" {
			return badXML("has text outside its root element")
		}
		return nil
	}
	e := p.stack[len(p.stack)-1]
	e.content = append(e.content, content{text: s})
	return nil
}

// declare takes the xmlns attributes of the element that has just been opened.
func (p *treeParser) declare(attrs []xml.Attr) error {
	for _, a := range attrs {
		var prefix string
		switch {
		case a.Name.Space == "xmlns":
			prefix = a.Name.Local
		case a.Name.Space != "" || a.Name.Local != "xmlns":
			continue
		}
		// Namespaces in XML 1.0 §3 and §5: the two reserved prefixes are fixed,
		// and a prefix cannot be undeclared (litmus: propfind_invalid2).
		if prefix == "xml" || prefix == "xmlns" || strings.Contains(prefix, ":") || prefix != "" && a.Value == "" {
			return badXML("declares a namespace wrongly")
		}
		if len(a.Value) > maxNamespace {
			return badXML("declares a namespace that is too long")
		}
		if p.declared++; p.declared > maxNamespaces {
			return badXML("declares too many namespaces")
		}
		p.bindings = append(p.bindings, binding{prefix, a.Value, len(p.stack)})
	}
	return nil
}

// attributes takes all that are not declarations of namespaces.
func (p *treeParser) attributes(e *element, attrs []xml.Attr) error {
	for _, a := range attrs {
		if a.Name.Space == "xmlns" || a.Name.Space == "" && a.Name.Local == "xmlns" {
			continue
		}
		name, err := p.resolve(a.Name, false)
		if err != nil {
			return err
		}
		// The decoder lets an attribute stand twice, and a stored property with
		// one would break every listing that shows it.
		if slices.ContainsFunc(e.attrs, func(b attribute) bool { return b.name == name }) {
			return badXML("has an attribute twice")
		}
		if name == (xml.Name{Space: xmlSpace, Local: "lang"}) {
			if e.lang = a.Value; len(e.lang) > maxLang { // every property below would have it
				return badXML("names a language that is too long")
			}
		}
		e.attrs = append(e.attrs, attribute{name, a.Name.Space, a.Value})
	}
	return nil
}

// resolve replaces the prefix of a name by its namespace. The default namespace
// is for elements alone.
func (p *treeParser) resolve(n xml.Name, isElement bool) (xml.Name, error) {
	prefix, local := n.Space, n.Local
	switch {
	// Names that the decoder lets through, and that would be written wrongly.
	case strings.Contains(local, ":") || prefix == "xmlns":
		return n, badXML("has a name that is none")
	case prefix == "xml":
		return xml.Name{Space: xmlSpace, Local: local}, nil
	case prefix == "" && !isElement:
		return n, nil
	}
	for _, b := range slices.Backward(p.bindings) {
		if b.prefix == prefix {
			return xml.Name{Space: b.space, Local: local}, nil
		}
	}
	if prefix != "" {
		return n, badXML("uses a namespace prefix that it does not declare")
	}
	return n, nil
}

// plainUTF8 takes off a byte order mark and turns UTF-16 into UTF-8.
func plainUTF8(body []byte) []byte {
	var order func([]byte) uint16
	switch {
	case bytes.HasPrefix(body, []byte("\xef\xbb\xbf")):
		return body[3:]
	case bytes.HasPrefix(body, []byte("\xff\xfe")):
		order = func(b []byte) uint16 { return uint16(b[0]) | uint16(b[1])<<8 }
	case bytes.HasPrefix(body, []byte("\xfe\xff")):
		order = func(b []byte) uint16 { return uint16(b[1]) | uint16(b[0])<<8 }
	default:
		return body
	}
	units := make([]uint16, 0, len(body)/2)
	for b := body[2:]; len(b) >= 2; b = b[2:] {
		units = append(units, order(b))
	}
	return []byte(string(utf16.Decode(units)))
}

// decodeCharset reads the encodings that clients are known to declare beside
// UTF-8: BitKinex sends ISO-8859-1 and UTF-16 (WEBDAV.md row 37).
func decodeCharset(label string, in io.Reader) (io.Reader, error) {
	switch strings.ToLower(label) {
	case "utf-16", "us-ascii", "ascii": // UTF-16 has been decoded by its mark
		return in, nil
	case "iso-8859-1", "latin1":
		raw, err := io.ReadAll(in)
		text := make([]rune, len(raw))
		for i, b := range raw {
			text[i] = rune(b)
		}
		return strings.NewReader(string(text)), err
	}
	return nil, badXML("is in an encoding that is not UTF-8")
}

// badXML is a body that cannot be read; what names the fault.
func badXML(what string) error {
	return refuse(http.StatusBadRequest, "The body of the request %s.", what)
}

// errLargeXML is a body beyond the limits of size.
func errLargeXML() error {
	return refuse(http.StatusRequestEntityTooLarge, "The XML body of the request is larger than 64 KiB or has more than 1,000 elements.")
}
