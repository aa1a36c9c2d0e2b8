package gateway

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"portico/files"
)

// parseGuard reads all conditions that a request carries.
func (d *drive) parseGuard(r *http.Request) (g files.Guard, err error) {
	if g.Match, err = parseETags(r.Header.Values("If-Match")); err != nil {
		return g, err
	}
	if g.NoneMatch, err = parseETags(r.Header.Values("If-None-Match")); err != nil {
		return g, err
	}
	// RFC 9110 §13.2.2: a date gives way to an ETag, and one that cannot be
	// read counts for nothing. If-Modified-Since is for reads alone.
	if g.Match == nil {
		g.UnmodifiedSince = parseDate(r.Header.Get("If-Unmodified-Since"))
	}
	if g.NoneMatch == nil && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		g.ModifiedSince = parseDate(r.Header.Get("If-Modified-Since"))
	}
	if v := r.Header.Values("If"); len(v) > 0 {
		g.If, err = parseIf(v, func(raw string) (files.List, error) { return d.tag(r, raw) })
	}
	if token, ok := parseLockToken(r.Header.Get("Lock-Token")); ok && r.Method != "UNLOCK" {
		g.Tokens = []string{token} // Word 2016 sends it in place of If (sabre/dav issue 980)
	}
	return g, err
}

// tag resolves the resource tag of an If header.
func (d *drive) tag(r *http.Request, raw string) (l files.List, err error) {
	p, elsewhere, err := d.address(r, raw)
	if err == nil && !elsewhere {
		l.Resource = &p
	}
	l.Elsewhere = elsewhere
	return l, err
}

// checkIf judges the If header of a read. The conditions of a write are judged
// by the write itself.
func (q *request) checkIf(r *http.Request) error {
	if len(q.guard.If) == 0 {
		return nil
	}
	return q.tree.Check(r.Context(), q.path, files.Guard{If: q.guard.If, Tokens: q.guard.Tokens})
}

// parseETags reads If-Match or If-None-Match: "*" alone, or ETags, without
// their quotes. Tags without quotes are taken as they are, for old clients.
func parseETags(values []string) ([]string, error) {
	if len(values) == 0 {
		return nil, nil
	}
	rest, tags := strings.Join(values, ","), []string{}
	for {
		rest = strings.TrimLeft(rest, " \t,")
		if rest == "" {
			break
		}
		raw, more, ok := cutETag(rest)
		tag, sound := plainETag(raw)
		if !ok || !sound || len(tags) == maxConditions {
			return nil, refuse(http.StatusBadRequest, "If-Match or If-None-Match cannot be read.")
		}
		tags, rest = append(tags, tag), more
	}
	if len(tags) == 0 || len(tags) > 1 && slices.Contains(tags, "*") {
		return nil, refuse(http.StatusBadRequest, "If-Match or If-None-Match cannot be read.")
	}
	return tags, nil
}

// cutETag splits the first member off a list of ETags; a comma may stand inside
// its quotes.
func cutETag(s string) (tag, rest string, ok bool) {
	quoted := false
	for i := range len(s) {
		switch {
		case s[i] == '"':
			quoted = !quoted
		case s[i] == ',' && !quoted:
			return strings.TrimRight(s[:i], " \t"), s[i:], true
		}
	}
	return strings.TrimRight(s, " \t"), "", !quoted
}

// plainETag takes the quotes off an ETag. A weak one stays as it is, W/"…", so
// that it equals no ETag of ours.
func plainETag(raw string) (string, bool) {
	body, weak := strings.CutPrefix(raw, "W/")
	if inner, ok := strings.CutPrefix(body, `"`); ok {
		if body, ok = strings.CutSuffix(inner, `"`); !ok {
			return "", false
		}
	}
	if body == "" || strings.ContainsAny(body, "\" \t") {
		return "", false
	}
	if weak {
		body = weakETag(body)
	}
	return body, true
}

// weakETag is a weak ETag as parseETags keeps it.
func weakETag(tag string) string { return `W/"` + tag + `"` }

// parseDate reads an HTTP date in any of its three forms; zero where it cannot
// be read, which by RFC 9110 §13.1.3 is as if the header were not there.
func parseDate(s string) time.Time {
	t, err := http.ParseTime(s)
	if err != nil {
		return time.Time{}
	}
	return t
}

// parseLockToken reads a Lock-Token header: a URI in angle brackets.
func parseLockToken(s string) (string, bool) {
	s, open := strings.CutPrefix(strings.TrimSpace(s), "<")
	s, closed := strings.CutSuffix(s, ">")
	return s, open && closed && s != "" && !strings.ContainsAny(s, "<> \t")
}

// isHTTP tells whether a request has conditions of RFC 9110.
func isHTTP(g files.Guard) bool {
	return g.Match != nil || g.NoneMatch != nil || !g.ModifiedSince.IsZero() || !g.UnmodifiedSince.IsZero()
}

// judgeRead evaluates the conditions of a GET or HEAD against what was found,
// in the order of RFC 9110 §13.2.2: 200, 304 or 412.
func judgeRead(g files.Guard, n files.Node) int {
	// The dates of HTTP have seconds, and a client sends back what it was given.
	modified := n.ModTime.Truncate(time.Second)
	switch {
	// Steps 1 to 4; step 5, If-Range, is rangeStands.
	case g.Match != nil && !matches(g.Match, n.ETag, false):
		return http.StatusPreconditionFailed
	case !g.UnmodifiedSince.IsZero() && modified.After(g.UnmodifiedSince):
		return http.StatusPreconditionFailed
	case g.NoneMatch != nil && matches(g.NoneMatch, n.ETag, true):
		return http.StatusNotModified
	case !g.ModifiedSince.IsZero() && !modified.After(g.ModifiedSince):
		return http.StatusNotModified
	}
	return http.StatusOK
}

// matches compares by RFC 9110 §8.8.3.2. The weak way is for If-None-Match: a
// proxy that compresses marks the ETags it passes on as weak.
func matches(tags []string, etag string, weak bool) bool {
	return slices.ContainsFunc(tags, func(t string) bool {
		return t == "*" || etag != "" && (t == etag || weak && t == weakETag(etag))
	})
}

// rangeStands tells whether the Range of a request is to be followed: always
// without If-Range, else if it names the very version that is there.
func rangeStands(header string, n files.Node) bool {
	if header == "" {
		return true
	}
	if t, err := http.ParseTime(header); err == nil {
		return n.ModTime.Truncate(time.Second).Equal(t)
	}
	// The comparison is the strong one: a weak tag never stands (§13.1.5).
	tag, ok := plainETag(strings.TrimSpace(header))
	return ok && tag == n.ETag && n.ETag != ""
}
