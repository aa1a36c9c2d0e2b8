package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"html/template"
	"net/url"
	"strings"
	"time"
	"unicode"

	"portico/lang"
	"portico/vpath"
)

// functions are what templates may call.
func (k *Kit) functions(t *lang.Text) template.FuncMap {
	return template.FuncMap{
		"t": t.T, "n": t.N, "size": t.Size, "number": func(n int) string { return t.Number(int64(n)) }, "iso": iso,
		"initials": func(name any) string { return Initials(fmt.Sprint(name)) }, "color": func(name any) int { return Color(fmt.Sprint(name)) }, "icon": icon, "href": Href, "middle": Middle,
		"dict": dict, "json": asJSON, "langs": lang.Tags, "langTitle": lang.Title,
	}
}

// iso is a time for machines.
func iso(at time.Time) string { return at.UTC().Format(time.RFC3339) }

// icon is one of our own pictures, which the frame holds once. The name is of our
// templates.
func icon(name string) template.HTML {
	return template.HTML(`<svg class="icon" aria-hidden="true"><use href="#i-` + template.HTMLEscapeString(name) + `"/></svg>`) //nolint:gosec // escaped
}

// Initials are one or two letters that stand for a person.
func Initials(name string) string {
	name, _, _ = strings.Cut(name, "@")
	words := strings.FieldsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	if len(words) == 0 {
		return "?"
	}
	first := []rune(words[0])[0]
	if len(words) == 1 {
		return string(unicode.ToUpper(first))
	}
	return string([]rune{unicode.ToUpper(first), unicode.ToUpper([]rune(words[len(words)-1])[0])})
}

// colors are how many the style sheet has for people.
const colors = 8

// Color is a person's colour, the same wherever they are shown: 0 to 7. Tell it
// what does not change, such as their address.
func Color(of string) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(strings.ToLower(of))) // never fails
	return int(h.Sum32() % colors)
}

// Href is the address of a path below a prefix such as "/files".
func Href(prefix string, p vpath.Path) string {
	var b strings.Builder
	b.WriteString(prefix)
	for name := range strings.SplitSeq(strings.Trim(p.String(), "/"), "/") {
		b.WriteByte('/')
		b.WriteString(url.PathEscape(name))
	}
	return b.String()
}

// Ends are a name in two pieces, of which the first may be cut.
type Ends struct{ Head, Tail string }

// Middle parts a long name so that its end, which tells the versions and kinds
// apart, is always seen.
func Middle(name string) Ends {
	const tail = 12
	runes := []rune(name)
	if len(runes) <= 2*tail {
		return Ends{Head: name}
	}
	return Ends{string(runes[:len(runes)-tail]), string(runes[len(runes)-tail:])}
}

// dict hands several values to a part: names and values in turn.
func dict(pairs ...any) (map[string]any, error) {
	m := make(map[string]any, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok {
			return nil, errors.New("dict: a name is no text")
		}
		m[name] = pairs[i+1]
	}
	return m, nil
}

// asJSON is for attributes that scripts read.
func asJSON(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}
