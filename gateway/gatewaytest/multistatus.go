package gatewaytest

import (
	"encoding/xml"
	"slices"
	"strconv"
	"strings"
)

// Multistatus is the body of a 207, read by a parser that knows nothing of how
// the gateway writes it.
type Multistatus struct {
	Responses []Entry `xml:"DAV: response"`
	Token     string  `xml:"DAV: sync-token"`
}

// Entry is one response in it.
type Entry struct {
	Href      string     `xml:"DAV: href"`
	Status    string     `xml:"DAV: status"`
	Propstats []Propstat `xml:"DAV: propstat"`
	Text      string     `xml:"DAV: responsedescription"`
	Error     struct {
		Inner string `xml:",innerxml"`
	} `xml:"DAV: error"`
}

// Propstat is properties with one status.
type Propstat struct {
	Status string `xml:"DAV: status"`
	Prop   struct {
		List []Prop `xml:",any"`
	} `xml:"DAV: prop"`
}

// Prop is a property.
type Prop struct {
	XMLName xml.Name
	Text    string `xml:",chardata"`
	Inner   string `xml:",innerxml"`
}

// Multistatus reads the answer's body.
func (r *Response) Multistatus() Multistatus {
	r.user.t.Helper()
	var m Multistatus
	if err := xml.Unmarshal([]byte(r.Text), &m); err != nil {
		r.user.t.Fatalf("%s %s: %v in\n%s", r.Request.Method, r.Request.URL.Opaque, err, r.Text)
	}
	return m
}

// Hrefs are the addresses of all entries, sorted.
func (m Multistatus) Hrefs() []string {
	list := []string{}
	for _, e := range m.Responses {
		list = append(list, e.Href)
	}
	slices.Sort(list)
	return list
}

// Prop finds a property, and the status that it stands under; 0 if the answer
// does not have it.
func (m Multistatus) Prop(href, space, local string) (Prop, int) {
	for _, e := range m.Responses {
		if e.Href != href {
			continue
		}
		for _, ps := range e.Propstats {
			for _, p := range ps.Prop.List {
				if p.XMLName.Space == space && p.XMLName.Local == local {
					return p, code(ps.Status)
				}
			}
		}
	}
	return Prop{}, 0
}

// Code is the status of an entry without properties.
func (e Entry) Code() int { return code(e.Status) }

// code reads "HTTP/1.1 200 OK".
func code(line string) int {
	fields := strings.Fields(line)
	if len(fields) < 2 {
		return 0
	}
	n, err := strconv.Atoi(fields[1])
	if err != nil {
		return 0
	}
	return n
}
