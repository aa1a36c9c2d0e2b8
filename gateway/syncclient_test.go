package gateway_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"portico/gateway/gatewaytest"
)

// syncProps is all that a client keeps of each thing; x is a dead property.
const syncProps = `<D:prop><D:resourcetype/><D:displayname/><D:getetag/><D:getcontentlength/><D:getlastmodified/><x xmlns="urn:x"/></D:prop>`

// mirror is a sync client: what it knows of one folder, from answers alone.
type mirror struct {
	tb    testing.TB
	user  *gatewaytest.User
	at    string // of the folder, without the prefix
	href  string // of the folder
	level string
	token string
	late  bool              // the token is older than any that is kept
	known map[string]string // by href
}

func newMirror(tb testing.TB, user *gatewaytest.User, at, level string) *mirror {
	tb.Helper()
	return &mirror{tb: tb, user: user, at: at, href: "/dav" + strings.TrimSuffix(at, "/") + "/", level: level, known: map[string]string{}}
}

// report asks for what has changed, at most limit things if it is not 0.
func (m *mirror) report(limit int) *gatewaytest.Response {
	m.tb.Helper()
	return m.user.Do("REPORT", m.at, syncBody(m.token, m.level, limit), "Depth: 0")
}

func syncBody(token, level string, limit int) string {
	most := ""
	if limit > 0 {
		most = fmt.Sprintf("<D:limit><D:nresults>%d</D:nresults></D:limit>", limit)
	}
	return `<D:sync-collection xmlns:D="DAV:"><D:sync-token>` + token + `</D:sync-token><D:sync-level>` + level + `</D:sync-level>` + most + syncProps + `</D:sync-collection>`
}

// sync asks until nothing is left, and gives the hrefs that it was told of.
func (m *mirror) sync(limit int) (told []string) {
	m.tb.Helper()
	for more, pages := true, 0; more; pages++ {
		if pages > 1000 {
			m.tb.Fatal("the sync gets nowhere")
		}
		answer := m.report(limit).Want(207).Multistatus()
		more = false
		if limit > 0 && len(answer.Responses) > limit+1 {
			m.tb.Fatalf("%d responses for a limit of %d", len(answer.Responses), limit)
		}
		for _, e := range answer.Responses {
			if e.Code() == 507 && e.Href == m.href {
				more = true
				continue
			}
			told = append(told, e.Href)
			m.take(e)
		}
		if answer.Token == "" {
			m.tb.Fatal("no sync-token")
		}
		m.token = answer.Token
	}
	return told
}

// take applies one response, as RFC 6578 §3.5 means it.
func (m *mirror) take(e gatewaytest.Entry) {
	m.tb.Helper()
	other := strings.TrimSuffix(e.Href, "/") // a folder in the place of a file, or the reverse
	if other == e.Href {
		other += "/"
	}
	if e.Code() == 404 {
		if _, ok := m.known[e.Href]; !ok {
			m.tb.Errorf("%s is gone, and was never told of", e.Href)
		}
		delete(m.known, e.Href)
		return
	}
	if e.Code() != 0 {
		m.tb.Errorf("%s has the status %d", e.Href, e.Code())
	}
	delete(m.known, other)
	m.known[e.Href] = propsOf(e)
}

func propsOf(e gatewaytest.Entry) string {
	var all []string
	for _, ps := range e.Propstats {
		for _, p := range ps.Prop.List {
			all = append(all, fmt.Sprintf("%s %s=%q %s", p.XMLName.Space, p.XMLName.Local, p.Inner, ps.Status[9:12]))
		}
	}
	slices.Sort(all)
	return strings.Join(all, "; ")
}

// shown is what PROPFIND shows of a folder, folder by folder.
func (m *mirror) shown() map[string]string {
	m.tb.Helper()
	all := map[string]string{}
	folders := []string{m.href}
	for len(folders) > 0 {
		at := folders[0]
		folders = folders[1:]
		answer := m.user.Do("PROPFIND", strings.TrimPrefix(at, "/dav"), `<D:propfind xmlns:D="DAV:">`+syncProps+`</D:propfind>`, "Depth: 1").Want(207).Multistatus()
		for _, e := range answer.Responses {
			if e.Href == at {
				continue
			}
			all[e.Href] = propsOf(e)
			if strings.HasSuffix(e.Href, "/") && m.level == "infinite" {
				folders = append(folders, e.Href)
			}
		}
	}
	return all
}

// wantSame wants the client to know what PROPFIND shows, to the letter.
func (m *mirror) wantSame() {
	m.tb.Helper()
	if diff := cmp.Diff(m.shown(), maps.Clone(m.known)); diff != "" {
		m.tb.Errorf("%s, level %s: PROPFIND shows (-), the client knows (+)\n%s", m.at, m.level, diff)
	}
}
