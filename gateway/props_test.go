package gateway_test

import (
	"encoding/xml"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPropfind(t *testing.T) {
	h := newHouse(t)
	ann := h.as("ann")
	ann.Do("MKCOL", "/firm/Clients", "").Want(201)
	etag := ann.Put("/firm/a%20b.txt", "text", "X-OC-Mtime: 1700000000").Want(201).ETag()

	m := ann.Propfind("/firm", "1").Want(207).WantHeader("Content-Type", "application/xml; charset=utf-8").Multistatus()
	if diff := cmp.Diff([]string{"/dav/firm/", "/dav/firm/Clients/", "/dav/firm/a%20b.txt"}, m.Hrefs()); diff != "" {
		t.Errorf("hrefs: -want +got\n%s", diff)
	}
	for local, want := range map[string]string{
		"displayname": "a b.txt", "getcontentlength": "4", "getetag": etag, "resourcetype": "",
		"getlastmodified": "Tue, 14 Nov 2023 22:13:20 GMT", "getcontenttype": "text/plain; charset=utf-8", "lockdiscovery": "",
	} {
		if p, status := m.Prop("/dav/firm/a%20b.txt", "DAV:", local); status != 200 || p.Text != want {
			t.Errorf("%s = %q (%d), want %q", local, p.Text, status, want)
		}
	}
	if p, _ := m.Prop("/dav/firm/Clients/", "DAV:", "resourcetype"); p.Inner != "<D:collection/>" {
		t.Errorf("resourcetype of a folder: %q", p.Inner)
	}
	for _, local := range []string{"getcontentlength", "getetag", "getcontenttype", "quota-used-bytes"} {
		if _, status := m.Prop("/dav/firm/Clients/", "DAV:", local); status != 0 {
			t.Errorf("allprop gives a folder %s", local)
		}
	}
	if p, _ := m.Prop("/dav/firm/", "DAV:", "displayname"); p.Text != "Peeters & Co" {
		t.Errorf("a workspace is called %q", p.Text)
	}
}

func TestPropfindNamed(t *testing.T) {
	ann := newHouse(t).as("ann")
	ann.Put("/firm/a", "text").Want(201)
	res := ann.Do("PROPFIND", "/firm/a", `<propfind xmlns="DAV:"><prop><getcontentlength/><executable xmlns="http://apache.org/dav/props/"/><checked-in/><nons xmlns=""/></prop></propfind>`, "Depth: 0").Want(207)
	m := res.Multistatus()
	for _, c := range []struct {
		space, local string
		want         int
	}{
		{"DAV:", "getcontentlength", 200},
		{"http://apache.org/dav/props/", "executable", 404},
		{"DAV:", "checked-in", 404},
		{"", "nons", 404},
		{"DAV:", "getetag", 0},
	} {
		if _, status := m.Prop("/dav/firm/a", c.space, c.local); status != c.want {
			t.Errorf("{%s}%s has status %d, want %d", c.space, c.local, status, c.want)
		}
	}
	if strings.Contains(res.Text, "xmlns=") {
		t.Error("a default namespace, which the client of Windows 7 does not know")
	}
	if m := ann.Do("PROPFIND", "/firm/a", `<propfind xmlns="DAV:"><prop/></propfind>`, "Depth: 0").Want(207).Multistatus(); len(m.Responses) != 1 || len(m.Responses[0].Propstats) != 1 {
		t.Errorf("an empty prop: %+v", m)
	}
	names := ann.Do("PROPFIND", "/firm/a", `<propfind xmlns="DAV:"><propname/></propfind>`, "Depth: 0").Want(207)
	names.WantIn("<D:getetag/>", "<D:supportedlock/>").WantNot("text/plain", "quota")
}

func TestPropfindDepth(t *testing.T) {
	ann := newHouse(t).as("ann")
	ann.Do("MKCOL", "/firm/d", "").Want(201)
	ann.Put("/firm/d/x", "x").Want(201)
	count := func(headers ...string) int {
		t.Helper()
		return len(ann.Do("PROPFIND", "/firm/d", "", headers...).Want(207).Multistatus().Responses)
	}
	for header, want := range map[string]int{"Depth: 0": 1, "Depth: 1": 2, "Depth: 1,noroot": 1, "X-None: x": 2} {
		if got := count(header); got != want {
			t.Errorf("%s: %d responses, want %d", header, got, want)
		}
	}
	for _, depth := range []string{"infinity", "Infinity"} {
		ann.Do("PROPFIND", "/firm/d", "", "Depth: "+depth).Want(403).WantIn("<D:propfind-finite-depth/>").
			WantHeader("Content-Type", "application/xml; charset=utf-8")
	}
	ann.Do("PROPFIND", "/firm/d", "", "Depth: 2").Want(400)
	ann.Do("PROPFIND", "/firm/none", "", "Depth: 0").Want(404)
}

func TestPropfindVisible(t *testing.T) {
	h := newHouse(t)
	h.as("ann").Put("/firm/a", "x").Want(201)
	if diff := cmp.Diff([]string{"/dav/", "/dav/firm/"}, h.as("bob").Propfind("/", "1").Want(207).Multistatus().Hrefs()); diff != "" {
		t.Errorf("bob's workspaces: -want +got\n%s", diff)
	}
	if diff := cmp.Diff([]string{"/dav/"}, h.as("mallory").Propfind("/", "1").Want(207).Multistatus().Hrefs()); diff != "" {
		t.Errorf("mallory's workspaces: -want +got\n%s", diff)
	}
	h.as("mallory").Propfind("/firm", "1").Want(404)
	if one, two := h.as("mallory").Propfind("/firm/a", "0").Want(404).Text, h.as("mallory").Propfind("/firm/b", "0").Want(404).Text; strings.ReplaceAll(one, "/a", "") != strings.ReplaceAll(two, "/b", "") {
		t.Errorf("hidden: %q, absent: %q", one, two)
	}
}

func TestQuota(t *testing.T) {
	ann := newHouse(t).as("ann")
	ann.Put("/firm/a", "12345").Want(201)
	m := ann.Propfind("/firm", "1", "quota-available-bytes", "quota-used-bytes").Want(207).Multistatus()
	used, status := m.Prop("/dav/firm/", "DAV:", "quota-used-bytes")
	if status != 200 || used.Text != "5" {
		t.Errorf("quota-used-bytes = %q (%d), want 5", used.Text, status)
	}
	left, status := m.Prop("/dav/firm/", "DAV:", "quota-available-bytes")
	if want := strconv.Itoa(1<<20 - 5); status != 200 || left.Text != want {
		t.Errorf("quota-available-bytes = %q (%d), want %s", left.Text, status, want)
	}
	if _, status := m.Prop("/dav/firm/a", "DAV:", "quota-used-bytes"); status != 404 {
		t.Errorf("a file has a quota (%d)", status)
	}
	ann.Propfind("/", "1", "quota-used-bytes", "quota").Want(207)
}

func TestProppatch(t *testing.T) {
	h := newHouse(t)
	ann := h.as("ann")
	ann.Put("/firm/a", "x").Want(201)
	patch := func(body string, headers ...string) map[string]int {
		t.Helper()
		m := ann.Do("PROPPATCH", "/firm/a", `<D:propertyupdate xmlns:D="DAV:" xmlns:Z="urn:z" xmlns:W="urn:schemas-microsoft-com:">`+body+`</D:propertyupdate>`, headers...).Want(207).Multistatus()
		got := map[string]int{}
		for _, local := range []string{"author", "Win32FileAttributes", "getetag", "getlastmodified"} {
			for _, space := range []string{"urn:z", "urn:schemas-microsoft-com:", "DAV:"} {
				if _, status := m.Prop("/dav/firm/a", space, local); status != 0 {
					got[local] = status
				}
			}
		}
		return got
	}
	want := func(got, want map[string]int) {
		t.Helper()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("statuses: -want +got\n%s", diff)
		}
	}
	const author = `<D:set><D:prop><Z:author role="x" xml:lang="en"><Z:name>Ann &amp; Bob</Z:name> and <b/>others</Z:author></D:prop></D:set>`
	want(patch(author+`<D:set><D:prop><W:Win32FileAttributes>00000020</W:Win32FileAttributes></D:prop></D:set>`), map[string]int{"author": 200, "Win32FileAttributes": 200})

	query := `<propfind xmlns="DAV:"><prop><author xmlns="urn:z"/></prop></propfind>`
	const stored = `<Z:author xmlns:Z="urn:z" role="x" xml:lang="en"><Z:name>Ann &amp; Bob</Z:name> and <b/>others</Z:author>`
	ann.Do("PROPFIND", "/firm/a", query, "Depth: 0").Want(207).WantIn(stored)
	ann.Propfind("/firm/a", "0").Want(207).WantIn(stored)
	ann.Do("PROPFIND", "/firm/a", `<propfind xmlns="DAV:"><propname/></propfind>`, "Depth: 0").WantIn(`<x:author xmlns:x="urn:z"/>`).WantNot("others")
	twice := ann.Do("PROPFIND", "/firm/a", `<propfind xmlns="DAV:"><allprop/><include><author xmlns="urn:z"/></include></propfind>`, "Depth: 0").Want(207)
	if n := strings.Count(twice.Text, stored); n != 1 {
		t.Errorf("allprop with include gives a property %d times", n)
	}

	// All or nothing.
	want(patch(`<D:remove><D:prop><Z:author/></D:prop></D:remove><D:set><D:prop><D:getetag>x</D:getetag></D:prop></D:set>`), map[string]int{"author": 424, "getetag": 403})
	ann.Do("PROPFIND", "/firm/a", query, "Depth: 0").WantIn(stored)
	// In the order of the document.
	want(patch(`<D:remove><D:prop><Z:author/></D:prop></D:remove><D:set><D:prop><Z:author>2</Z:author></D:prop></D:set>`), map[string]int{"author": 200})
	ann.Do("PROPFIND", "/firm/a", query, "Depth: 0").WantIn(`<Z:author xmlns:Z="urn:z">2</Z:author>`)
	want(patch(`<D:remove><D:prop><Z:author>2</Z:author></D:prop></D:remove><D:set><D:prop/></D:set>`), map[string]int{"author": 200})
	if _, status := ann.Do("PROPFIND", "/firm/a", query, "Depth: 0").Multistatus().Prop("/dav/firm/a", "urn:z", "author"); status != 404 {
		t.Errorf("a removed property has status %d", status)
	}
	want(patch(`<D:set><D:prop/></D:set>`), map[string]int{})
}

func TestProppatchRefused(t *testing.T) {
	h := newHouse(t)
	ann := h.as("ann")
	ann.Put("/firm/a", "x").Want(201)
	const set = `<propertyupdate xmlns="DAV:"><set><prop><p xmlns="urn:z">v</p></prop></set></propertyupdate>`
	const live = `<propertyupdate xmlns="DAV:"><set><prop><getetag>v</getetag></prop></set></propertyupdate>`
	ann.Do("PROPPATCH", "/firm/a", "").Want(400)
	ann.Do("PROPPATCH", "/firm/a", "<x/>").Want(400)
	ann.Do("PROPPATCH", "/firm/none", set).Want(404)
	ann.Do("PROPPATCH", "/firm/none", live).Want(404)
	h.as("mallory").Do("PROPPATCH", "/firm/a", live).Want(404)
	h.as("bob").Do("PROPPATCH", "/firm/a", set).Want(403)
	ann.Do("PROPPATCH", "/firm/a", live).Want(207).WantIn("<D:cannot-modify-protected-property/>")
	token := ann.Lock("/firm/a").Want(200).Token()
	ann.Do("PROPPATCH", "/firm/a", set).Want(423)
	ann.Do("PROPPATCH", "/firm/a", set, "If: (<"+token+">)").Want(207)
}

func TestBodies(t *testing.T) {
	ann := newHouse(t).as("ann")
	deep := strings.Repeat("<a>", 9000)
	large := `<propfind xmlns="DAV:"><prop>` + strings.Repeat("<a/>", 20000) + "</prop></propfind>"
	for _, method := range []string{"PROPFIND", "PROPPATCH", "LOCK"} {
		ann.Do(method, "/firm", deep, "Depth: 0").Want(400)
		ann.Do(method, "/firm", large, "Depth: 0").Want(413)
		ann.Do(method, "/firm", `<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>`, "Depth: 0").Want(400)
	}
}

// Names and properties of every kind give an answer that another parser reads.
func TestListingIsSound(t *testing.T) {
	ann := newHouse(t).as("ann")
	names := []string{"a%26b", "%3C%3E", "%22quoted%22", "100%25", "caf%C3%A9", "%EF%BF%BD", "a+b", "a;b", "%5Bx%5D", "'"}
	for _, n := range names {
		ann.Put("/firm/"+n, "x").Want(201)
	}
	res := ann.Propfind("/firm", "1").Want(207)
	if got := len(res.Multistatus().Responses); got != len(names)+1 {
		t.Errorf("%d responses, want %d", got, len(names)+1)
	}
	for _, href := range res.Multistatus().Hrefs() {
		if href != "/dav/firm/" {
			ann.Get(strings.TrimPrefix(href, "/dav")).Want(200)
		}
	}
	var doc struct {
		XMLName xml.Name
	}
	if err := xml.Unmarshal([]byte(res.Text), &doc); err != nil || doc.XMLName != (xml.Name{Space: "DAV:", Local: "multistatus"}) {
		t.Errorf("%v, %v", doc.XMLName, err)
	}
}
