package gateway

import (
	"net/http"
	"strings"

	"golang.org/x/net/webdav"

	"portico/files"
)

// maxConditions bounds the lists and conditions of one request.
const maxConditions = 100

// ifParser reads an If header (RFC 4918 §10.4.2), leniently where clients are
// known to stray: Word writes "If: If: (<T>)" (sabre/dav's MSWordTest), and some
// leave the angle brackets of a token out. Whatever it cannot read makes the
// whole request fail with 400: a condition must never be dropped.
type ifParser struct {
	rest  string
	tag   func(raw string) (files.List, error) // resolves a resource tag
	lists []files.List
	count int
}

// parseIf reads all If headers of a request; several count as one.
func parseIf(values []string, tag func(string) (files.List, error)) ([]files.List, error) {
	p := ifParser{rest: strings.TrimSpace(strings.Join(values, " ")), tag: tag}
	for again := true; again; p.space() {
		p.rest, again = cutFold(p.rest, "If:")
	}
	if err := p.all(); err != nil {
		return nil, err
	}
	return p.lists, nil
}

// all reads lists and the tags between them. A tag holds for the lists after it.
func (p *ifParser) all() error {
	var now files.List
	fresh := false // a tag that has no list yet
	for p.space(); p.rest != ""; p.space() {
		var err error
		switch p.rest[0] {
		// Outside of a list, angle brackets hold a resource; inside, a token.
		case '<':
			if fresh {
				return errIf()
			}
			now, err = p.resource()
			fresh = true
		case '(':
			err = p.list(now)
			fresh = false
		default:
			err = errIf()
		}
		if err != nil {
			return err
		}
	}
	// A tag without a list is half a condition.
	if len(p.lists) == 0 || fresh {
		return errIf()
	}
	return nil
}

// resource reads <URL>, the tag of the lists that follow.
func (p *ifParser) resource() (files.List, error) {
	raw, ok := p.between('<', '>')
	if !ok {
		return files.List{}, errIf()
	}
	return p.tag(raw)
}

// list reads ( conditions ) into a list with the tag of now.
func (p *ifParser) list(now files.List) error {
	p.rest = p.rest[1:]
	now.Conditions = nil
	for p.space(); p.rest != ""; p.space() {
		if p.rest[0] == ')' {
			p.rest = p.rest[1:]
			if len(now.Conditions) == 0 {
				return errIf()
			}
			p.lists = append(p.lists, now)
			return nil
		}
		c, ok := p.condition()
		// Each one may cost a look into the store.
		if p.count++; !ok || p.count > maxConditions {
			return errIf()
		}
		now.Conditions = append(now.Conditions, c)
	}
	return errIf()
}

// condition reads [Not] <token> or [Not] ["etag"].
func (p *ifParser) condition() (c webdav.Condition, ok bool) {
	if rest, found := cutFold(p.rest, "Not"); found && rest != "" && strings.ContainsRune(" \t<[", rune(rest[0])) {
		c.Not, p.rest = true, rest
		p.space()
	}
	switch {
	case strings.HasPrefix(p.rest, "<"):
		c.Token, ok = p.between('<', '>')
		c.Token = strings.TrimSpace(c.Token)
		return c, ok && c.Token != ""
	case strings.HasPrefix(p.rest, "["):
		raw, ok := p.etag()
		if !ok {
			return c, false
		}
		c.ETag, ok = plainETag(raw)
		return c, ok
	}
	end := strings.IndexAny(p.rest, " \t()<>[]")
	if end <= 0 || strings.EqualFold(p.rest[:end], "Not") {
		return c, false
	}
	c.Token, p.rest = p.rest[:end], p.rest[end:]
	return c, true
}

// etag reads [W/"…"]. A ] may stand inside the quotes.
func (p *ifParser) etag() (string, bool) {
	quoted := false
	for i := 1; i < len(p.rest); i++ {
		switch c := p.rest[i]; {
		case c == '"':
			quoted = !quoted
		case c == ']' && !quoted:
			raw := strings.TrimSpace(p.rest[1:i])
			p.rest = p.rest[i+1:]
			return raw, true
		}
	}
	return "", false
}

// between reads from the character open, which is next, to the first end.
func (p *ifParser) between(open, end byte) (string, bool) {
	i := strings.IndexByte(p.rest, end)
	if i < 0 || p.rest[0] != open {
		return "", false
	}
	s := p.rest[1:i]
	p.rest = p.rest[i+1:]
	return s, true
}

// space goes on to the next thing. Line ends inside a header never get here.
func (p *ifParser) space() { p.rest = strings.TrimLeft(p.rest, " \t") }

// errIf says no more than that: what stands in the header is for machines.
func errIf() error {
	return refuse(http.StatusBadRequest, "The If header cannot be read.")
}

// cutFold is strings.CutPrefix in any case of letters.
func cutFold(s, prefix string) (rest string, found bool) {
	if len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix) {
		return s[len(prefix):], true
	}
	return s, false
}
