package replay

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// node is an element of an answer, read by a parser that knows nothing of how the
// gateway writes. name is its namespace and local name, with a space between.
type node struct {
	name     string
	content  strings.Builder
	children []*node
}

// dav is a name of DAV:.
func dav(local string) string { return "DAV: " + local }

// parseTree reads an XML body. A prefix that is not declared is a fault: strict
// clients drop the whole listing for one (WEBDAV.md row 25).
func parseTree(body []byte) (*node, error) {
	top := &node{}
	stack := []*node{top}
	d := xml.NewDecoder(bytes.NewReader(body))
	for {
		token, err := d.Token()
		switch {
		case errors.Is(err, io.EOF) && len(top.children) == 1:
			return top.children[0], nil
		case err != nil:
			return nil, fmt.Errorf("the body is no XML: %w", err)
		}
		up := stack[len(stack)-1]
		switch t := token.(type) {
		case xml.StartElement:
			if t.Name.Space != "" && !strings.Contains(t.Name.Space, ":") {
				return nil, fmt.Errorf("the prefix or namespace %q is no URI", t.Name.Space)
			}
			n := &node{name: t.Name.Space + " " + t.Name.Local}
			up.children = append(up.children, n)
			stack = append(stack, n)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		case xml.CharData:
			up.content.Write(t)
		}
	}
}

// text is an element's own text.
func (n *node) text() string { return strings.TrimSpace(n.content.String()) }

// below are the elements at the end of a path of names.
func (n *node) below(names []string) []*node {
	at := []*node{n}
	for _, name := range names {
		var next []*node
		for _, up := range at {
			for _, c := range up.children {
				if c.name == name {
					next = append(next, c)
				}
			}
		}
		at = next
	}
	return at
}

// status reads the status of a propstat, "HTTP/1.1 200 OK"; 0 if there is none.
func (n *node) status() int {
	for _, s := range n.below([]string{dav("status")}) {
		if words := strings.Fields(s.text()); len(words) > 1 {
			code, err := strconv.Atoi(words[1])
			if err == nil {
				return code
			}
		}
	}
	return 0
}
