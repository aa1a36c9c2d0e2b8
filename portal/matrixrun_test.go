package portal_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"sort"
	"strings"
	"testing"

	"portico/files"
	"portico/portal/web"
	"portico/vpath"
)

// assets are the routes that the kit itself has.
func (m *matrix) assets() []web.Route {
	return []web.Route{{Pattern: "GET /assets/{name...}", Needs: web.Anyone}}
}

// drives are the methods of WebDAV as routes.
func drives() []web.Route {
	var all []web.Route
	for pattern := range davPlans() {
		needs := web.SignedIn
		if strings.Contains(pattern, "{token}") {
			needs = web.LinkHolder
		}
		all = append(all, web.Route{Pattern: pattern, Needs: needs, API: true})
	}
	slices.SortFunc(all, func(a, b web.Route) int { return strings.Compare(a.Pattern, b.Pattern) })
	return all
}

// row is one route by one identity, in all states.
func (m *matrix) row(t *testing.T, r web.Route, p plan, c caste) (unexpected int) {
	t.Helper()
	said := map[string]string{}
	for _, state := range []string{visible, hidden, absent} {
		m.checks++
		method, _, _ := strings.Cut(r.Pattern, " ")
		safe := slices.Contains([]string{"GET", "HEAD", "OPTIONS", "PROPFIND"}, method)
		fill := m.target(r.Pattern, c, state, !safe && c.can(p.right))
		q := m.request(r, p, c, fill)
		before := ""
		watched := !safe && p.right != "-" && p.right != "*" && (state != visible || !c.can(p.right))
		if watched {
			before = m.fingerprint()
		}
		got := m.do(q)
		said[state] = normal(got)
		complaint := wrong(r, p, c, state, got)
		if complaint == "" && watched && m.fingerprint() != before {
			complaint = "something was changed"
		}
		if complaint == "" {
			complaint = leaks(r, c, state, got)
		}
		if complaint != "" {
			unexpected++
			t.Errorf("%s by %s, %s (%s): %d: %s", r.Pattern, c.name, state, q.path, got.status, complaint)
		}
		if !safe && c.can(p.right) {
			m.clear(state, fill)
		}
	}
	switch {
	case !strings.Contains(r.Pattern, "{") && !strings.Contains(p.query+p.body, "$") || p.right == "*":
		return unexpected // it speaks of no thing
	case c.name == "disabled user":
		return unexpected // who is told how long to wait
	}
	if said[hidden] != said[absent] {
		unexpected++
		t.Errorf("%s by %s: what is hidden is told from what is not there:\n%s\n---\n%s", r.Pattern, c.name, said[hidden], said[absent])
	}
	if c.rights == "" && c.kind+c.token != "" && strings.Contains(r.Pattern, "{path...}") && r.Needs != web.Anyone && said[visible] != said[absent] {
		unexpected++
		t.Errorf("%s by %s: what others see is told from what is not there:\n%s\n---\n%s", r.Pattern, c.name, said[visible], said[absent])
	}
	return unexpected
}

// clear removes the file of a check.
func (m *matrix) clear(state string, fill *strings.Replacer) {
	if state == visible {
		p := vpath.Must("/firm/Clients/Acme/" + fill.Replace("$N"))
		_ = m.tree("root").Delete(m.Context(), p, files.Guard{}) // the check may have done it
	}
}

// wrong tells what is wrong with an answer; what is due follows from the route's
// declaration and the rights of who asks.
func wrong(r web.Route, p plan, c caste, state string, got answer) string {
	switch {
	case got.status >= 500:
		return "a fault of the server: " + got.text
	case p.right == "*" && r.Needs != web.LinkHolder:
		return ""
	case r.Needs == web.LinkHolder:
		return wrongLink(p, c, state, got)
	case c.name == "disabled user" && got.status == 429:
		return "" // a password that is wrong too often is not looked at
	case c.kind == "":
		return want(got, unknown(r))
	case r.Needs == web.StaffOnly && c.kind != "staff", r.Needs == web.ContactOnly && c.kind != "contact":
		return want(got, elsewhere(r))
	case strings.Contains(r.Pattern, "/dav/") && strings.Contains(r.Pattern, "shared") != (c.kind == "contact"):
		return "" // another's drive: held to say nothing
	case p.right == "-":
		return unless(got.status != 401, "somebody who may is not let in")
	}
	return wrongRight(r, p, c, state, got)
}

func unless(ok bool, complaint string) string {
	if ok {
		return ""
	}
	return complaint
}

func want(got answer, status int) string {
	return unless(got.status == status, fmt.Sprintf("want %d: %.300s", status, got.text))
}

// unknown is the answer to nobody.
func unknown(r web.Route) int {
	if !r.API && strings.HasPrefix(r.Pattern, "GET ") {
		return http.StatusSeeOther
	}
	return http.StatusUnauthorized
}

// elsewhere is the answer to staff at the customers' pages, and the other way round.
func elsewhere(r web.Route) int {
	if strings.HasPrefix(r.Pattern, "GET /files/") || strings.HasPrefix(r.Pattern, "GET /portal/") {
		return http.StatusSeeOther
	}
	return http.StatusNotFound
}

// wrongRight is for those whom the route lets in.
func wrongRight(r web.Route, p plan, c caste, state string, got answer) string {
	form := !r.API && strings.HasPrefix(r.Pattern, "POST ") // whose page says what went wrong: its effect is held
	named := strings.Contains(r.Pattern, "{") || p.body+p.query != ""
	switch {
	case form:
		return unless(got.status != 401, "somebody who may is not let in")
	case state == visible && c.can(p.right) && strings.Contains(r.Pattern, "/dav"):
		return unless(!slices.Contains([]int{401, 403, 404}, got.status), "refused to who may: "+got.text)
	case state == visible && c.can(p.right):
		return unless(got.status < 400 || got.status == 429, "refused to who may: "+got.text)
	case state == visible && strings.HasPrefix(p.right, "list") && c.rights == "":
		return want(got, 404)
	case state == visible:
		return unless(slices.Contains([]int{403, 404, 409}, got.status), "not refused to who may not: "+got.text)
	case named:
		return unless(slices.Contains([]int{404, 409, 403}, got.status), "what is not there is not missed: "+got.text)
	}
	return ""
}

// wrongLink is for those who come by a link's address.
func wrongLink(p plan, c caste, state string, got answer) string {
	switch {
	case c.token == "":
		return unless(got.status == 404 || got.status == 401, "there is no such link: "+got.text)
	case c.name == "expired link":
		return unless(got.status == 410 || got.status == 404 || got.status == 401, "the link has ended: "+got.text)
	case p.right != "*" && state == visible && !c.can(p.right):
		return unless(got.status >= 400 || got.status == 303, "not refused to who may not: "+got.text)
	}
	return ""
}

// leaks tells words in an answer that who asks may not read.
func leaks(r web.Route, c caste, state string, got answer) string {
	parts := []string{got.text}
	for _, values := range got.header {
		parts = append(parts, values...)
	}
	all := strings.Join(parts, "\n")
	if strings.Contains(all, "hidden words") || state == hidden && strings.Contains(all, "firm/HR") && c.kind != "staff" {
		return "it tells what is hidden: " + all
	}
	if !c.can("list") && got.status == 207 && strings.Contains(all, ".txt") {
		return "it tells what is in a folder that may not be listed: " + all
	}
	if !c.can("read") && (strings.Contains(all, "dear acme") || c.name == "locked link" && strings.Contains(r.Pattern, "{token}/{$}") && strings.Contains(all, "letter.txt")) {
		return "it tells what only readers may know: " + all
	}
	return ""
}

// normal is an answer without what differs from one request to the next, and
// without the names that were asked for.
func normal(a answer) string {
	text := a.text
	var lines []string
	for name, values := range a.header {
		if slices.Contains([]string{"Date", "Content-Length", "X-Request-Id"}, name) {
			continue
		}
		for _, v := range values {
			if name == "Set-Cookie" {
				v = opened(v)
			}
			if plain, err := url.QueryUnescape(v); err == nil {
				v = plain
			}
			lines = append(lines, name+": "+v)
		}
	}
	sort.Strings(lines)
	all := fmt.Sprintf("%d\n%s\n\n%s", a.status, strings.Join(lines, "\n"), text)
	all = strings.NewReplacer("%2F", "/", "%40", "@", "%3F", "?", "%3D", "=", "%26", "&").Replace(all)
	return oneTime().ReplaceAllString(all, "X")
}

// oneTime are the names that one check has for itself.
func oneTime() *regexp.Regexp {
	return regexp.MustCompile(`request-\d+|\bnew\d+\b|\bt\d+\.txt|\bpay\.txt|\bHR\b|\bHX\b|\blab\b|\bnil\b|\bLAB\b|\bAcme\b|letter\.txt|z{16}|\b[0-9a-z]{16}\b|[0-9a-f-]{36}|nobody\d+|[0-9A-Za-z_-]{43}`)
}

// opened is a cookie of a line that is said on the next page, for people to read.
func opened(cookie string) string {
	name, value, _ := strings.Cut(cookie, "=")
	value, rest, _ := strings.Cut(value, ";")
	b, err := base64.RawURLEncoding.DecodeString(value)
	if err != nil || !strings.HasPrefix(string(b), "{") {
		return cookie
	}
	return name + "=" + string(b) + ";" + rest
}

// fingerprint changes with all that the routes change.
func (m *matrix) fingerprint() string {
	m.Helper()
	var b strings.Builder
	for _, at := range []string{"root /firm", "hal /firm/HR", "hal /lab"} {
		login, p, _ := strings.Cut(at, " ")
		m.walk(&b, m.tree(login), vpath.Must(p))
	}
	n, err := m.state.GrantsChange(m.Context())
	m.ok(err)
	fmt.Fprintln(&b, n)
	for _, w := range []string{"firm", "lab"} {
		links, err := m.state.LinksIn(m.Context(), w)
		m.ok(err)
		for _, l := range links {
			fmt.Fprintln(&b, l.ID, l.Version, l.Revoked)
		}
		people, err := m.state.ContactsIn(m.Context(), w)
		m.ok(err)
		for _, c := range people {
			fmt.Fprintln(&b, c)
		}
	}
	return b.String()
}

func (m *matrix) walk(b *strings.Builder, t *files.Tree, p vpath.Path) {
	_, list, err := t.Find(m.Context(), p, true, files.Want{Locks: true})
	m.ok(err)
	for _, n := range list {
		fmt.Fprintln(b, n.Path, n.ETag, len(n.Locks))
		if n.Dir {
			m.walk(b, t, n.Path)
		}
	}
}
