package replay

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// check holds one expectation against the answer.
func (p *player) check(w want, a answer) error {
	switch w.kind {
	case "header":
		return p.checkHeader(w, a)
	case "text":
		if want := p.s.load(w.body); !bytes.Equal(a.body, want) {
			return fmt.Errorf("the body has %d bytes, want these %d: %.200q", len(a.body), len(want), want)
		}
		return nil
	case "lacks":
		return p.checkLacks(w, a)
	case "differ":
		return p.checkDiffer(w)
	}
	root, err := parseTree(a.body)
	if err != nil {
		return err
	}
	switch w.kind {
	case "prop":
		return p.checkProp(w, root)
	case "only":
		return p.checkOnly(w, root)
	}
	found := &node{children: []*node{root}}
	return p.checkNodes(w, found.below(w.names))
}

func (p *player) checkHeader(w want, a answer) error {
	values := a.header.Values(w.at)
	if w.pattern == "" {
		if len(values) > 0 {
			return fmt.Errorf("there is a header %s: %q", w.at, values)
		}
		return nil
	}
	if got := strings.Join(values, ", "); !p.matches(w.pattern, got) {
		return fmt.Errorf("%s is %q, want %s", w.at, got, p.show(w.pattern))
	}
	return nil
}

func (p *player) checkLacks(w want, a answer) error {
	text, err := p.expand(w.pattern, "")
	if err == nil && bytes.Contains(a.body, []byte(text)) {
		err = fmt.Errorf("%q is in the body", text)
	}
	return err
}

func (p *player) checkDiffer(w want) error {
	seen := map[string]bool{}
	for _, name := range w.hrefs {
		v, err := p.expand(name, "")
		if err != nil {
			return err
		}
		if seen[v] {
			return fmt.Errorf("%v: two are %s", w.hrefs, v)
		}
		seen[v] = true
	}
	return nil
}

// checkProp looks a property up by the address of its thing, its status and its name.
func (p *player) checkProp(w want, root *node) error {
	at, err := p.at(w.at)
	if err != nil {
		return err
	}
	responses, err := responsesOf(root)
	if err != nil {
		return err
	}
	r := responses[plain(at)]
	if r == nil {
		return fmt.Errorf("no response has the address %s, only %q", at, slices.Sorted(maps.Keys(responses)))
	}
	var nodes []*node
	for _, stat := range r.below([]string{dav("propstat")}) {
		if stat.status() == w.status {
			nodes = append(nodes, stat.below(append([]string{dav("prop")}, w.names...))...)
		}
	}
	return p.checkNodes(w, nodes)
}

// checkNodes wants one of the elements to match.
func (p *player) checkNodes(w want, nodes []*node) error {
	var texts []string
	for _, n := range nodes {
		if w.any || p.matches(w.pattern, n.text()) {
			return nil
		}
		texts = append(texts, n.text())
	}
	what := strings.Join(w.names, " / ")
	if w.status != 0 && w.status != 200 {
		what += fmt.Sprintf(" with status %d", w.status)
	}
	if len(texts) == 0 {
		return fmt.Errorf("there is no element %s", what)
	}
	return fmt.Errorf("%s is %q, want %s", what, texts, p.show(w.pattern))
}

// checkOnly wants the responses to be those named, each once.
func (p *player) checkOnly(w want, root *node) error {
	want := map[string]bool{}
	for _, href := range w.hrefs {
		at, err := p.at(href)
		if err != nil {
			return err
		}
		want[plain(at)] = true
	}
	responses, err := responsesOf(root)
	if err != nil {
		return err
	}
	if !slices.Equal(slices.Sorted(maps.Keys(responses)), slices.Sorted(maps.Keys(want))) {
		return fmt.Errorf("the multistatus is of %q, want %q", slices.Sorted(maps.Keys(responses)), slices.Sorted(maps.Keys(want)))
	}
	return nil
}

// responsesOf are the responses of a multistatus by their addresses, decoded and
// without the server. An address that stands twice is a fault: macOS shows the file twice.
func responsesOf(root *node) (map[string]*node, error) {
	if root.name != dav("multistatus") {
		return nil, fmt.Errorf("the body is no multistatus but %s", root.name)
	}
	all := map[string]*node{}
	for _, r := range root.below([]string{dav("response")}) {
		hrefs := r.below([]string{dav("href")})
		if len(hrefs) == 0 {
			return nil, errors.New("a response without an address")
		}
		for _, href := range hrefs {
			at := plain(href.text())
			if all[at] != nil {
				return nil, fmt.Errorf("%s stands there twice", at)
			}
			all[at] = r
		}
	}
	return all, nil
}

// plain is the decoded path of an address.
func plain(href string) string {
	u, err := url.Parse(href)
	if err != nil {
		return href
	}
	return u.Path
}

// matches holds text against a pattern. Variables without a value take what
// they find, if all of it matches.
func (p *player) matches(pattern, text string) bool {
	var expr strings.Builder
	var fresh []string
	for _, part := range regexp.MustCompile(`\{[\w:]+\}|\*|[^{*]+|\{`).FindAllString(pattern, -1) {
		name := strings.Trim(part, "{}")
		value, known := p.vars[name]
		switch {
		case part == "*":
			expr.WriteString(".*")
		case part[0] != '{' || name == "":
			expr.WriteString(regexp.QuoteMeta(part))
		case known:
			expr.WriteString(regexp.QuoteMeta(value))
		default:
			expr.WriteString("(.+)")
			fresh = append(fresh, name)
		}
	}
	m := regexp.MustCompile("(?s)^" + expr.String() + "$").FindStringSubmatch(text)
	if m == nil {
		return false
	}
	for i, name := range fresh {
		p.vars[name] = m[i+1]
	}
	return true
}

// show is a pattern with the values that it was held against.
func (p *player) show(pattern string) string {
	for name, value := range p.vars {
		pattern = strings.ReplaceAll(pattern, "{"+name+"}", value)
	}
	return fmt.Sprintf("%q", pattern)
}
