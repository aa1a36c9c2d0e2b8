package gateway_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"portico/backends"
	"portico/gateway/gatewaytest"
	"portico/vpath"
)

// searchBody asks for what lies at scope and fits where.
func searchBody(scope, depth, where, more string) string {
	return `<D:searchrequest xmlns:D="DAV:"><D:basicsearch><D:select><D:prop><D:getcontentlength/></D:prop></D:select>` +
		`<D:from><D:scope><D:href>` + scope + `</D:href><D:depth>` + depth + `</D:depth></D:scope></D:from>` +
		where + more + `</D:basicsearch></D:searchrequest>`
}

// where makes a condition of a few words: "eq getcontentlength 5".
func where(words ...string) string {
	var b strings.Builder
	for _, w := range words {
		f := strings.SplitN(w, " ", 3)
		switch {
		case len(f) == 3:
			fmt.Fprintf(&b, "<D:%s><D:prop><D:%s/></D:prop><D:literal>%s</D:literal></D:%s>", f[0], f[1], f[2], f[0])
		case len(f) == 2:
			fmt.Fprintf(&b, "<D:%s><D:prop><D:%s/></D:prop></D:%s>", f[0], f[1], f[0])
		default:
			fmt.Fprintf(&b, "<D:%s/>", w)
		}
	}
	return b.String()
}

// searcher is ann in a house with a few files.
func searcher(t *testing.T) (*house, *gatewaytest.User) {
	t.Helper()
	h := newHouse(t)
	ann := h.as("ann")
	for _, p := range []string{"/firm/Clients", "/firm/Clients/Acme", "/firm/Empty"} {
		ann.Do("MKCOL", p, "").Want(201)
	}
	for p, size := range map[string]int{
		"/firm/Report.PDF": 10, "/firm/report_1.txt": 20, "/firm/100%25.txt": 30, "/firm/Clients/plan.pdf": 40, "/firm/Clients/Acme/R%C3%A9port.odt": 50,
	} {
		ann.Put(p, strings.Repeat("x", size), "X-OC-Mtime: "+strconv.Itoa(1_700_000_000+size*86400)).Want(201)
	}
	return h, ann
}

func names(res *gatewaytest.Response) (all []string) {
	for _, e := range res.Want(207).Multistatus().Responses {
		name := strings.TrimSuffix(e.Href, "/")
		all = append(all, name[strings.LastIndexByte(name, '/')+1:])
	}
	return all
}

func TestSearchFinds(t *testing.T) {
	_, ann := searcher(t)
	const all = "100%25.txt Acme Clients Empty R%C3%A9port.odt Report.PDF plan.pdf report_1.txt"
	for _, c := range []struct{ where, want string }{
		{"", all},
		{where("is-collection"), "Acme Clients Empty"},
		{"<D:not>" + where("is-collection") + "</D:not>", "100%25.txt R%C3%A9port.odt Report.PDF plan.pdf report_1.txt"},
		{where("eq displayname report.pdf"), "Report.PDF"},
		{`<D:eq caseless="no"><D:prop><D:displayname/></D:prop><D:literal>report.pdf</D:literal></D:eq>`, ""},
		{where("like displayname %.pdf"), "Report.PDF plan.pdf"},
		{where("like displayname report_1%"), "report_1.txt"},
		{where("like displayname r_port%"), "R%C3%A9port.odt Report.PDF report_1.txt"},
		{where(`like displayname %\%%`), "100%25.txt"},
		{where("like displayname re\u0301port.odt"), "R%C3%A9port.odt"}, // as macOS types it
		{where("like displayname "), ""},
		{where("like getcontenttype text/%"), "100%25.txt report_1.txt"},
		{"<D:contains>PORT</D:contains>", "R%C3%A9port.odt Report.PDF report_1.txt"},
		{"<D:contains>%</D:contains>", "100%25.txt"},
		{where("gt getcontentlength 30"), "R%C3%A9port.odt plan.pdf"},
		{where("gte getcontentlength 30"), "100%25.txt R%C3%A9port.odt plan.pdf"},
		{where("lt getcontentlength 20"), "Report.PDF"},
		{where("lte getcontentlength 20"), "Report.PDF report_1.txt"},
		{where("eq getcontentlength  20 "), "report_1.txt"},
		{where("lt getcontentlength twenty"), ""},
		{"<D:not>" + where("lt getcontentlength twenty") + "</D:not>", ""}, // unknown stays unknown
		{"<D:not>" + where("gt getcontentlength 0") + "</D:not>", ""},      // of a folder the length is unknown
		{where("is-defined getcontentlength"), "100%25.txt R%C3%A9port.odt Report.PDF plan.pdf report_1.txt"},
		{where("lt getlastmodified 2023-12-05T00:00:00Z"), "Report.PDF report_1.txt"},
		{"<D:and>" + where("gte getlastmodified Wed, 03 Jan 2024 22:13:20 GMT", "gt getcontentlength 0") + "</D:and>", "R%C3%A9port.odt"},
		{where("gt getlastmodified 2200-01-01"), ""},
		{"<D:and>" + where("gt getcontentlength 10", "lt getcontentlength 50", "like displayname %.txt") + "</D:and>", "100%25.txt report_1.txt"},
		{"<D:or>" + where("eq getcontentlength 10", "is-collection") + "</D:or>", "Acme Clients Empty Report.PDF"},
		{"<D:or>" + where("eq getcontentlength x", "is-collection") + "</D:or>", "Acme Clients Empty"},
	} {
		body := c.where
		if body != "" {
			body = "<D:where>" + body + "</D:where>"
		}
		got := names(ann.Do("SEARCH", "/firm", searchBody("/dav/firm", "infinity", body, "")))
		got = slices.DeleteFunc(got, func(n string) bool { return n == "firm" })
		slices.Sort(got)
		want := strings.Fields(c.want)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s\nfinds %q, want %q", c.where, got, want)
		}
	}
}

func TestSearchScopes(t *testing.T) {
	h, ann := searcher(t)
	for _, c := range []struct{ at, scope, depth, want string }{
		{"/firm", "/dav/firm", "0", "firm"},
		{"/firm", "/dav/firm/", "1", "firm 100%25.txt Clients Empty Report.PDF report_1.txt"},
		{"/", "Clients", "0", ""},
		{"/firm", "Clients", "1", "Clients plan.pdf Acme"},
		{"/firm/", "./Clients/Acme/", "infinity", "Acme R%C3%A9port.odt"},
		{"/firm/Empty", "/dav/firm/Report.PDF", "infinity", "Report.PDF"},
		{"/lab", h.server.URL + "/dav/firm/Clients", "1", "Clients plan.pdf Acme"},
		{"/", "/dav/", "1", "firm lab"},
		{"/firm/Clients", "", "0", "Clients"}, // RFC 3986 §4.4
	} {
		res := ann.Do("SEARCH", c.at, searchBody(c.scope, c.depth, "", ""))
		if c.want == "" {
			res.Want(409).WantIn("<D:search-scope-valid/>")
			continue
		}
		got, want := names(res), strings.Fields(c.want)
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s from %s, depth %s: %q, want %q", c.scope, c.at, c.depth, got, want)
		}
	}
	for _, scope := range []string{"/dav/none", "/davx/firm", "http://elsewhere.example/dav/firm", "/dav/firm/../lab", "/dav//firm", "/dav/firm?x", "/dav/firm/%2e%2e/lab"} {
		ann.Do("SEARCH", "/", searchBody(scope, "infinity", "", "")).Want(409).WantIn("search-scope-valid")
	}
}

func TestSearchOrder(t *testing.T) {
	_, ann := searcher(t)
	by := func(orders ...string) string {
		var b strings.Builder
		for _, o := range orders {
			prop, down, _ := strings.Cut(o, " ")
			fmt.Fprintf(&b, "<D:order><D:prop><D:%s/></D:prop>%s</D:order>", prop, map[bool]string{true: "<D:descending/>"}[down != ""])
		}
		return "<D:orderby>" + b.String() + "</D:orderby>"
	}
	files := "<D:where><D:not><D:is-collection/></D:not></D:where>"
	for _, c := range []struct{ where, more, want string }{
		{files, by("getcontentlength"), "Report.PDF report_1.txt 100%25.txt plan.pdf R%C3%A9port.odt"},
		{files, by("getcontentlength down"), "R%C3%A9port.odt plan.pdf 100%25.txt report_1.txt Report.PDF"},
		{files, by("getlastmodified down") + "<D:limit><D:nresults>2</D:nresults></D:limit>", "R%C3%A9port.odt plan.pdf"},
		{files, by("displayname"), "100%25.txt plan.pdf Report.PDF report_1.txt R%C3%A9port.odt"},
		{files, by("getcontenttype", "displayname down"), "Report.PDF plan.pdf R%C3%A9port.odt report_1.txt 100%25.txt"},
		// A folder has no length, and comes first. The name of a workspace is its title.
		{"<D:where>" + where("like displayname %e%") + "</D:where>", by("getcontentlength", "displayname"), "Acme Clients Empty firm Report.PDF report_1.txt"},
		{files, by("displayname") + "<D:limit><D:nresults>0</D:nresults></D:limit>", ""},
	} {
		res := ann.Do("SEARCH", "/firm", searchBody("/dav/firm", "infinity", c.where, c.more))
		if got := strings.Join(names(res), " "); got != c.want {
			t.Errorf("%s\ngives %q, want %q", c.more, got, c.want)
		}
	}
	if got := names(ann.Do("SEARCH", "/firm", searchBody("/dav/firm", "infinity", files, "<D:limit><D:nresults>2</D:nresults></D:limit>"))); len(got) != 2 {
		t.Errorf("a limit of 2 gives %q", got)
	}
}

// The answer has what select asks for, as PROPFIND gives it.
func TestSearchSelect(t *testing.T) {
	_, ann := searcher(t)
	body := searchBody("/dav/firm/Report.PDF", "0", "", "")
	ann.Do("SEARCH", "/firm", strings.Replace(body, "<D:prop><D:getcontentlength/></D:prop>", "<D:allprop/>", 1)).Want(207).
		WantIn("<D:getcontentlength>10<", "<D:getetag>", "<D:lockdiscovery/>").WantNot("sync-token")
	got := ann.Do("SEARCH", "/firm", strings.Replace(body, "</D:prop>", `<x xmlns="urn:x"/></D:prop>`, 1)).Want(207).Multistatus()
	if p, status := got.Prop("/dav/firm/Report.PDF", "DAV:", "getcontentlength"); p.Text != "10" || status != 200 {
		t.Errorf("getcontentlength is %q, %d", p.Text, status)
	}
	if _, status := got.Prop("/dav/firm/Report.PDF", "urn:x", "x"); status != 404 {
		t.Errorf("a property that is not there has the status %d", status)
	}
}

func TestSearchRefused(t *testing.T) {
	_, ann := searcher(t)
	ok := searchBody("/dav/firm", "infinity", "", "")
	for _, c := range []struct {
		body   string
		status int
		in     string
	}{
		{"", 400, ""},
		{"<x>", 400, ""},
		{`<x xmlns="DAV:"/>`, 422, ""},
		{`<searchrequest xmlns="DAV:"><sql xmlns="http://example.com">SELECT</sql></searchrequest>`, 422, "<D:search-grammar-supported/>"},
		{strings.Replace(ok, "<D:select><D:prop><D:getcontentlength/></D:prop></D:select>", "", 1), 422, "select"},
		{strings.Replace(ok, "</D:from>", "<D:scope><D:href>/dav/lab</D:href><D:depth>1</D:depth></D:scope></D:from>", 1), 422, "<D:search-multiple-scope-supported/>"},
		{strings.Replace(ok, "D:scope", "D:scopes", 2), 422, "scope"},
		{searchBody("/dav/firm", "2", "", ""), 422, "depth"},
		{searchBody("/dav/firm", "1", "<D:where/>", ""), 422, ""},
		{searchBody("/dav/firm", "1", "<D:where><D:near/></D:where>", ""), 422, "near"},
		{searchBody("/dav/firm", "1", "<D:where><D:language-matches/></D:where>", ""), 422, "<D:search-grammar-supported/>"},
		{searchBody("/dav/firm", "1", `<D:where><contains xmlns="x">a</contains></D:where>`, ""), 422, ""},
		{searchBody("/dav/firm", "1", "<D:where><D:and/></D:where>", ""), 422, ""},
		{searchBody("/dav/firm", "1", "<D:where><D:not>"+where("is-collection", "is-collection")+"</D:not></D:where>", ""), 422, ""},
		{searchBody("/dav/firm", "1", "<D:where>"+where("eq secret 1")+"</D:where>", ""), 422, "secret"},
		{searchBody("/dav/firm", "1", "<D:where>"+where("eq displayname")+"</D:where>", ""), 422, ""},
		{searchBody("/dav/firm", "1", "<D:where>"+where("like getcontentlength 1%")+"</D:where>", ""), 422, ""},
		{searchBody("/dav/firm", "1", "", "<D:orderby><D:order><D:score/></D:order></D:orderby>"), 422, ""},
		{searchBody("/dav/firm", "1", "", "<D:orderby>"+strings.Repeat("<D:order><D:prop><D:getetag/></D:prop></D:order>", 9)+"</D:orderby>"), 422, ""},
		{searchBody("/dav/firm", "1", "", "<D:limit><D:nresults>-1</D:nresults></D:limit>"), 400, ""},
		{searchBody("/dav/firm", "1", "<D:where>"+strings.Repeat("<D:not>", 40)+where("is-collection")+strings.Repeat("</D:not>", 40)+"</D:where>", ""), 400, "deep"},
		{searchBody("/dav/firm", "1", "<D:where><D:or>"+strings.Repeat("<D:is-collection/>", 1000)+"</D:or></D:where>", ""), 413, ""},
	} {
		ann.Do("SEARCH", "/firm", c.body).Want(c.status).WantIn(c.in)
	}
}

// Nobody finds what they do not see, nor learns from the answer that it is there.
func TestSearchIsBlindToWhatIsHidden(t *testing.T) {
	h, _ := searcher(t)
	bob := h.as("bob")
	if got := names(bob.Do("SEARCH", "/", searchBody("/dav/", "infinity", "<D:where>"+where("like displayname %")+"</D:where>", ""))); slices.Contains(got, "lab") {
		t.Errorf("bob finds %q", got)
	}
	ida := h.as("ida")
	ida.Put("/firm/Inbox/dropped", "x")
	for _, scope := range []string{"/dav/firm", "/dav/firm/Clients", "/dav/firm/none"} {
		res := h.as("mallory").Do("SEARCH", "/", searchBody(scope, "infinity", "", "")).Want(409)
		none := h.as("mallory").Do("SEARCH", "/", searchBody("/dav/nothing", "infinity", "", "")).Want(409)
		if res.Text != none.Text {
			t.Errorf("mallory learns of %s:\n%s", scope, res.Text)
		}
	}
	_, carol := newShared(t)
	if got := names(carol.Do("SEARCH", "/shared", searchBody("/dav/shared", "infinity", "<D:where>"+where("like displayname %t%")+"</D:where>", ""))); slices.Contains(got, "secret.txt") || !slices.Contains(got, "plan.txt") {
		t.Errorf("carol finds %q", got)
	}
	carol.Do("SEARCH", "/shared", searchBody("/dav/firm", "infinity", "", "")).Want(409)
}

func TestSearchSchema(t *testing.T) {
	_, ann := searcher(t)
	body := `<query-schema-discovery xmlns="DAV:"><basicsearch><from><scope><href>/dav/firm</href><depth>infinity</depth></scope></from></basicsearch></query-schema-discovery>`
	ann.Do("SEARCH", "/firm", body).Want(207).WantIn("<D:href>/dav/firm/</D:href>", "<D:getlastmodified/>", "<xs:dateTime/>", "<D:like/>", "<D:basicsearchschema>").Multistatus()
	ann.Do("SEARCH", "/firm", strings.Replace(body, "/dav/firm", "/dav/none", 1)).Want(409)
	ann.Do("SEARCH", "/firm", strings.ReplaceAll(body, "basicsearch", "sql")).Want(422)
}

// What an answer cannot tell, it says that it does not tell.
func TestSearchIsCut(t *testing.T) {
	h := newHouse(t)
	ann := h.as("ann")
	firm, err := h.store.At(vpath.Must("/firm"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5_001 {
		if _, err := firm.Put(t.Context(), vpath.Must(fmt.Sprintf("/%d", i)), strings.NewReader("x"), backends.PutOptions{Size: 1}); err != nil {
			t.Fatal(err)
		}
	}
	files := "<D:where><D:not><D:is-collection/></D:not></D:where>"
	for _, more := range []string{"", "<D:orderby><D:order><D:prop><D:displayname/></D:prop></D:order></D:orderby>", "<D:limit><D:nresults>9000</D:nresults></D:limit>"} {
		got := ann.Do("SEARCH", "/firm", searchBody("/dav/firm", "infinity", files, more)).Want(207).Multistatus().Responses
		last := got[len(got)-1]
		if len(got) != 5_001 || last.Code() != 507 || last.Href != "/dav/firm" || !strings.Contains(last.Error.Inner, "number-of-matches-within-limits") {
			t.Errorf("%s: %d responses, the last is %+v", more, len(got), last)
		}
	}
	// Who asks for few is told of few, and misses nothing.
	ann.Do("SEARCH", "/firm", searchBody("/dav/firm", "infinity", files, "<D:limit><D:nresults>3</D:nresults></D:limit>")).Want(207).WantNot("507")
}
