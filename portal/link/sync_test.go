package link_test

import (
	"regexp"
	"strings"
	"testing"

	"portico/sharing"
)

func syncBody(token string) string {
	return `<D:sync-collection xmlns:D="DAV:"><D:sync-token>` + token + `</D:sync-token><D:sync-level>infinite</D:sync-level><D:prop><D:getetag/></D:prop></D:sync-collection>`
}

func searchBody(scope string) string {
	return `<D:searchrequest xmlns:D="DAV:"><D:basicsearch><D:select><D:prop><D:getetag/></D:prop></D:select><D:from><D:scope><D:href>` + scope +
		`</D:href><D:depth>infinity</D:depth></D:scope></D:from></D:basicsearch></D:searchrequest>`
}

// tokenOf is the sync token of an answer.
func tokenOf(t *testing.T, text string) string {
	t.Helper()
	found := regexp.MustCompile(`<D:sync-token>(urn:[^<]+)</D:sync-token>`).FindStringSubmatch(text)
	if found == nil {
		t.Fatalf("no sync token in\n%s", clip(text))
	}
	return found[1]
}

// Who holds a link syncs and searches what it opens, and nothing beside it.
func TestSyncAndSearchByLink(t *testing.T) {
	h := newHouse(t)
	_, one := h.link(sharing.LinkWish{}, "/firm/Clients/Acme")
	_, two := h.link(sharing.LinkWish{}, "/firm/Clients/Acme")
	at := "/dav/link/" + one
	c := h.curl()
	first := c.do("REPORT", at+"/Acme", syncBody("")).want(207).has(at+"/Acme/canary-letter.txt", at+"/Acme/2025/plan.pdf").hasNot("sibling", "firm/")
	token := tokenOf(t, first.text)
	if strings.Contains(token, one) {
		t.Error("the sync token has the link's secret in it")
	}
	h.write("/firm/Clients/Acme/2025/new.pdf", "new")
	h.write("/firm/Clients/beside.txt", "beside")
	c.do("REPORT", at+"/Acme", syncBody(token)).want(207).has("new.pdf").hasNot("canary-letter", "beside")
	c.do("REPORT", at, syncBody("")).want(207).has(at + "/Acme/2025/new.pdf").hasNot("beside")
	h.curl().do("REPORT", "/dav/link/"+two+"/Acme", syncBody(token)).want(403).has("valid-sync-token")
	c.do("SEARCH", at, searchBody(at)).want(207).has(at+"/Acme/canary-letter.txt").hasNot("sibling", "beside")
	for _, scope := range []string{"/dav/firm", "/dav/link/" + two, "/dav/", at + "/../" + two, at + "/Clients"} {
		c.do("SEARCH", at, searchBody(scope)).want(409).has("search-scope-valid")
	}
}

// A blind drop has nothing to sync, and nothing to find.
func TestSyncOfInbox(t *testing.T) {
	h := newHouse(t)
	_, token := h.link(sharing.LinkWish{Mode: sharing.LinkInbox}, "/firm/Clients/In")
	at := "/dav/link/" + token
	h.curl().do("REPORT", at+"/In", syncBody("")).hasNot("known")
	h.curl().do("REPORT", at, syncBody("")).want(207).hasNot("known")
	h.curl().do("SEARCH", at, searchBody(at)).want(207).hasNot("known")
}
