package gateway

import (
	"cmp"
	"encoding/xml"
	"net/http"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"portico/files"
	"portico/vpath"
)

// truth is the three-valued logic of RFC 5323 §5.5: what is asked of a property
// that a thing does not have is unknown, and so is its contrary.
type truth int8

const (
	no truth = iota - 1
	unknown
	yes
)

func truthOf(is bool) truth {
	if is {
		return yes
	}
	return no
}

// condition judges one thing.
type condition func(n *files.Node) truth

func always(*files.Node) truth { return yes }

// field is a property that can be searched and sorted by. Just one of its readers
// is set, and tells whether n has the property.
type field struct {
	name   string
	kind   string // of XML Schema, for the discovery
	text   func(n *files.Node) (string, bool)
	number func(n *files.Node) (int64, bool)
	moment func(n *files.Node) (time.Time, bool)
}

func fields() []field {
	return []field{
		{name: "displayname", kind: "string", text: func(n *files.Node) (string, bool) {
			name := cmp.Or(n.Title, n.Path.Name())
			return name, name != ""
		}},
		{name: "getcontenttype", kind: "string", text: func(n *files.Node) (string, bool) { return n.ContentType, n.ContentType != "" }},
		{name: "getetag", kind: "string", text: func(n *files.Node) (string, bool) { return `"` + n.ETag + `"`, n.ETag != "" }},
		{name: "getcontentlength", kind: "nonNegativeInteger", number: func(n *files.Node) (int64, bool) { return n.Size, !n.Dir }},
		{name: "getlastmodified", kind: "dateTime", moment: func(n *files.Node) (time.Time, bool) { return n.ModTime, !n.ModTime.IsZero() }},
		{name: "creationdate", kind: "dateTime", moment: func(n *files.Node) (time.Time, bool) { return n.Created, !n.Created.IsZero() }},
	}
}

// fieldOf is the property that an operator or an order names.
func fieldOf(e *element) (field, error) {
	prop := e.child("prop")
	if prop == nil || len(prop.children()) != 1 {
		return field{}, unsearchable("The %s of the search does not name one property.", e.name.Local)
	}
	name := prop.children()[0].name
	for _, f := range fields() {
		if name == (xml.Name{Space: davSpace, Local: f.name}) {
			return f, nil
		}
	}
	return field{}, unsearchable("The property %s cannot be searched by.", name.Local)
}

// parseWhere reads the condition of a search. The parser of the body bounds how
// deep it goes (maxXMLDepth) and how long it is.
func parseWhere(where *element) (condition, error) {
	if all := where.children(); len(all) == 1 {
		return parseCondition(all[0])
	}
	return nil, unsearchable("The where of the search is not one condition.")
}

func parseCondition(e *element) (condition, error) {
	if e.name.Space != davSpace {
		return nil, noOperator(e)
	}
	switch e.name.Local {
	case "and", "or", "not":
		return parseLogic(e)
	case "eq", "lt", "lte", "gt", "gte":
		return parseComparison(e)
	case "like":
		return parseLike(e)
	case "contains": // of a file's text, which is not read; its name it is that people mean
		return textIs(nameField(), "%"+escapeLike(e.text())+"%", true), nil
	case "is-collection":
		return func(n *files.Node) truth { return truthOf(n.Dir) }, nil
	case "is-defined":
		f, err := fieldOf(e)
		return func(n *files.Node) truth { return truthOf(f.has(n)) }, err
	}
	return nil, noOperator(e)
}

// noOperator refuses what not every server has (RFC 5323 §5.11).
func noOperator(e *element) error {
	return &refusal{http.StatusUnprocessableEntity, "search-grammar-supported", "The search has the operator " + e.name.Local + ", which is not there."}
}

func parseLogic(e *element) (condition, error) {
	var parts []condition
	for _, c := range e.children() {
		part, err := parseCondition(c)
		if err != nil {
			return nil, err
		}
		parts = append(parts, part)
	}
	local := e.name.Local
	switch {
	case len(parts) == 0 || local == "not" && len(parts) > 1:
		return nil, unsearchable("The %s of the search has too few conditions, or too many.", local)
	case local == "not":
		return not(parts[0]), nil
	case local == "and":
		return all(parts), nil
	}
	return anyOf(parts), nil
}

func not(part condition) condition {
	return func(n *files.Node) truth { return -part(n) }
}

// all is the and of conditions: the least of what they give. None is asked after one
// that says no.
func all(parts []condition) condition {
	return func(n *files.Node) truth {
		least := yes
		for _, part := range parts {
			if least = min(least, part(n)); least == no {
				break
			}
		}
		return least
	}
}

// anyOf is the or: the most of what they give.
func anyOf(parts []condition) condition {
	return func(n *files.Node) truth {
		most := no
		for _, part := range parts {
			if most = max(most, part(n)); most == yes {
				break
			}
		}
		return most
	}
}

// parseComparison reads eq, lt, lte, gt and gte. A literal that is no value of the
// property compares with none (RFC 5323 §5.5.3).
func parseComparison(e *element) (condition, error) {
	f, err := fieldOf(e)
	if err != nil {
		return nil, err
	}
	literal, caseless, err := operand(e)
	if err != nil {
		return nil, err
	}
	compare := f.compareTo(literal, caseless)
	is := map[string]func(int) bool{
		"eq": func(n int) bool { return n == 0 },
		"lt": func(n int) bool { return n < 0 }, "lte": func(n int) bool { return n <= 0 },
		"gt": func(n int) bool { return n > 0 }, "gte": func(n int) bool { return n >= 0 },
	}[e.name.Local]
	return func(n *files.Node) truth {
		order, ok := compare(n)
		if !ok {
			return unknown
		}
		return truthOf(is(order))
	}, nil
}

// operand is the literal of an operator, and whether case counts: it does not
// unless the client says so, since people who search do not mean it.
func operand(e *element) (literal string, caseless bool, err error) {
	caseless = isCaseless(e)
	for _, name := range []string{"literal", "typed-literal"} {
		if c := e.child(name); c != nil {
			return c.text(), caseless, nil
		}
	}
	return "", caseless, unsearchable("The %s of the search has no literal.", e.name.Local)
}

func isCaseless(e *element) bool {
	for _, a := range e.attrs {
		if a.name.Local == "caseless" && (a.name.Space == "" || a.name.Space == davSpace) {
			return !strings.EqualFold(strings.TrimSpace(a.value), "no")
		}
	}
	return true
}

// compareTo compares things with a literal; false for what has no value, and for
// a literal that is none.
func (f field) compareTo(literal string, caseless bool) func(n *files.Node) (int, bool) {
	switch {
	case f.number != nil:
		want, err := strconv.ParseInt(strings.TrimSpace(literal), 10, 64)
		return func(n *files.Node) (int, bool) {
			v, ok := f.number(n)
			return cmp.Compare(v, want), ok && err == nil
		}
	case f.moment != nil:
		want, sound := parseMoment(literal)
		return func(n *files.Node) (int, bool) {
			v, ok := f.moment(n)
			return v.Truncate(time.Second).Compare(want), ok && sound // as the property shows it
		}
	}
	want := folded(literal, caseless)
	return func(n *files.Node) (int, bool) {
		v, ok := f.text(n)
		return strings.Compare(folded(v, caseless), want), ok
	}
}

// has tells whether n has the property.
func (f field) has(n *files.Node) (ok bool) {
	switch {
	case f.number != nil:
		_, ok = f.number(n)
	case f.moment != nil:
		_, ok = f.moment(n)
	default:
		_, ok = f.text(n)
	}
	return ok
}

// parseMoment reads a time in the form of getlastmodified or of creationdate, or
// a day.
func parseMoment(s string) (time.Time, bool) {
	s = strings.TrimSpace(s)
	if t, err := http.ParseTime(s); err == nil {
		return t, true
	}
	for _, form := range []string{time.RFC3339, "2006-01-02T15:04:05", time.DateOnly} {
		if t, err := time.Parse(form, s); err == nil {
			return t.Truncate(time.Second), true
		}
	}
	return time.Time{}, false
}

// folded is a text as it is compared. Names are in NFC, and macOS types NFD.
func folded(s string, caseless bool) string {
	s = norm.NFC.String(s)
	if caseless {
		return vpath.Fold(s)
	}
	return s
}
