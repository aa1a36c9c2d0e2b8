package gateway

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"portico/files"
	"portico/vpath"
)

// wellFormed fails the test unless s is XML that uses no prefix it does not
// declare, by the judgement of another reader than ours.
func wellFormed(t *testing.T, s string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(s))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("not well-formed: %v\n%s", err, s)
		}
		start, ok := token.(xml.StartElement)
		// The decoder leaves an undeclared prefix in the place of the namespace.
		if ok && start.Name.Space != "" && !strings.ContainsAny(start.Name.Space, ":/") {
			t.Fatalf("undeclared prefix %q in\n%s", start.Name.Space, s)
		}
	}
}

func mustParse(t *testing.T, s string) *element {
	t.Helper()
	e, err := parseXML([]byte(s))
	if err != nil {
		t.Fatalf("parseXML(%q): %v", s, err)
	}
	return e
}

func TestXMLRefused(t *testing.T) {
	nest := func(n int) string { return strings.Repeat("<a>", n) + strings.Repeat("</a>", n) }
	cases := map[string]int{
		"<a>":              400,
		"</a>":             400,
		"<a></b>":          400,
		"<a/><b/>":         400,
		"<a/>text":         400,
		"text<a/>":         400,
		"<a b='1' b='2'/>": 400,
		"<p:a/>":           400,
		"<a p:b='1'/>":     400,
		"<a xmlns:p=''/>":  400,
		"<p:a xmlns:p='u' p:b='1' xmlns:q='u' q:b='2'/>": 400,
		"<a xmlns:xmlns='u'/>":                           400,
		"<a xmlns:xml='u'/>":                             400,
		"<xmlns:a/>":                                     400,
		"<:a/>":                                          400,
		"<a:/>":                                          400,
		"<a:b:c xmlns:a='u'/>":                           400,
		"<a>&unknown;</a>":                               400,
		"<a>\x01</a>":                                    400,
		"<a>\xff</a>":                                    400,
		"<!DOCTYPE a><a/>":                               400,
		`<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>`:           400,
		`<?xml version="1.0" encoding="koi8-r"?><a/>`:        400,
		nest(maxXMLDepth + 1):                                400,
		nest(8000):                                           400,
		"<a>" + strings.Repeat("<b/>", maxElements) + "</a>": 413,

		"<a xmlns:p='" + strings.Repeat("n", maxNamespace+1) + "'/>":                                                400,
		"<a xml:lang='" + strings.Repeat("n", maxLang+1) + "'/>":                                                    400,
		"<a" + strings.Repeat(" xmlns:p='u'", 1) + ">" + strings.Repeat("<b xmlns:p='u'/>", maxNamespaces) + "</a>": 400,
		"<a " + attrs(maxAttributes+1) + "/>":                                                                       400,
	}
	for in, want := range cases {
		_, err := parseXML([]byte(in))
		if got := judge("PROPFIND", err).status; err == nil || got != want {
			t.Errorf("parseXML(%.60q) = %v (%d), want %d", in, err, got, want)
		}
	}
}

func attrs(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(" a" + strings.Repeat("x", i) + "='1'")
	}
	return b.String()
}

func TestXMLTaken(t *testing.T) {
	nest := strings.Repeat("<a>", maxXMLDepth) + strings.Repeat("</a>", maxXMLDepth)
	utf16le := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(`<?xml version="1.0" encoding="UTF-16"?><é/>`)) {
		utf16le = append(utf16le, byte(u), byte(u>>8))
	}
	for _, in := range []string{
		"<a/>", "  <a/>\n", "\xef\xbb\xbf<a/>", "<?xml version='1.0'?><!-- c --><a><?pi x?></a>", nest,
		"<a>" + strings.Repeat("<b/>", maxElements-1) + "</a>", string(utf16le),
		"<?xml version='1.0' encoding='ISO-8859-1'?><a>\xe9</a>", "<a><![CDATA[<b>]]></a>", "<a " + attrs(maxAttributes) + "/>",
	} {
		if e, err := parseXML([]byte(in)); err != nil || e == nil {
			t.Errorf("parseXML(%.60q) = %v, %v", in, e, err)
		}
	}
	for _, in := range []string{"", " ", "\r\n\t"} {
		if e, err := parseXML([]byte(in)); err != nil || e != nil {
			t.Errorf("parseXML(%q) = %v, %v, want nothing", in, e, err)
		}
	}
	if e := mustParse(t, "<?xml version='1.0' encoding='ISO-8859-1'?><a>\xe9</a>"); e.content[0].text != "é" {
		t.Errorf("ISO-8859-1: %q", e.content[0].text)
	}
}

func TestReadXML(t *testing.T) {
	read := func(body io.Reader, length int64) error {
		r := withHeader("PROPFIND", "Depth", "0")
		r.Body, r.ContentLength = io.NopCloser(body), length
		_, err := readXML(r)
		return err
	}
	big := "<a>" + strings.Repeat(" ", maxXML) + "</a>"
	if err := read(strings.NewReader(big), -1); judge("PROPFIND", err).status != 413 {
		t.Errorf("64 KiB in chunks: %v", err)
	}
	if err := read(brokenReader{}, maxXML+1); judge("PROPFIND", err).status != 413 {
		t.Errorf("64 KiB announced: %v, want 413 before the body is read", err)
	}
	if err := read(brokenReader{}, -1); judge("PROPFIND", err).status != 400 {
		t.Errorf("a body that breaks off: %v", err)
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestFragment(t *testing.T) {
	cases := map[string]string{
		`<a/>`:                               `<a/>`,
		`<a xmlns="urn:u">x</a>`:             `<ns0:a xmlns:ns0="urn:u">x</ns0:a>`,
		`<p:a xmlns:p="urn:u"><p:b/></p:a>`:  `<p:a xmlns:p="urn:u"><p:b/></p:a>`,
		`<D:a xmlns:D="urn:u"/>`:             `<ns0:a xmlns:ns0="urn:u"/>`,
		`<a xmlns="DAV:"><href>x</href></a>`: `<D:a xmlns:D="DAV:"><D:href>x</D:href></D:a>`,
		`<a xmlns="urn:u"><b xmlns="urn:v"/><c xmlns=""/></a>`: `<ns0:a xmlns:ns0="urn:u" xmlns:ns1="urn:v"><ns1:b/><c/></ns0:a>`,
		`<p:a xmlns:p="urn:u"><p:b xmlns:p="urn:v"/></p:a>`:    `<p:a xmlns:p="urn:u" xmlns:ns1="urn:v"><ns1:b/></p:a>`,
		`<a b="1 &quot;2&quot;" xml:lang="fr"/>`:               `<a b="1 &#34;2&#34;" xml:lang="fr"/>`,
		`<a xmlns:q="urn:v" q:b="1"/>`:                         `<a xmlns:q="urn:v" q:b="1"/>`,
		`<a>mixed <b>content</b> &amp; <c/> more</a>`:          `<a>mixed <b>content</b> &amp; <c/> more</a>`,
		`<a><![CDATA[<x>]]></a>`:                               `<a>&lt;x&gt;</a>`,
		`<a b="&#10;&#13;"/>`:                                  `<a b="&#10;&#13;"/>`,
		"<a>\n\ttext\n</a>":                                    "<a>\n\ttext\n</a>",
		`<a>&#13;</a>`:                                         `<a>&#13;</a>`,
		`<a xmlns:ns0="urn:w"><ns0:b/><c xmlns="urn:u"/></a>`:  `<a xmlns:ns1="urn:u" xmlns:ns0="urn:w"><ns0:b/><ns1:c/></a>`,
	}
	for in, want := range cases {
		got := fragment(mustParse(t, in))
		if got != want {
			t.Errorf("fragment(%s) = %s, want %s", in, got, want)
		}
		wellFormed(t, `<D:x xmlns:D="DAV:">`+got+`</D:x>`)
		if again := fragment(mustParse(t, got)); again != got {
			t.Errorf("fragment of %s = %s: it should stay as it is", got, again)
		}
	}
}

// The language of a property may be said far above it (RFC 4918 §4.3).
func TestFragmentLanguage(t *testing.T) {
	doc := mustParse(t, `<x xml:lang="nl"><y><a>tekst</a><b xml:lang="fr">texte</b></y></x>`)
	y := doc.children()[0]
	if got, want := fragment(y.children()[0]), `<a xml:lang="nl">tekst</a>`; got != want {
		t.Errorf("inherited: %s, want %s", got, want)
	}
	if got, want := fragment(y.children()[1]), `<b xml:lang="fr">texte</b>`; got != want {
		t.Errorf("own: %s, want %s", got, want)
	}
}

func TestAppendText(t *testing.T) {
	for in, want := range map[string]string{
		"":             "",
		"plain":        "plain",
		`<&>"'`:        `&lt;&amp;&gt;&#34;'`,
		"é文":           "é文",
		"a\x00b\x1f":   "a\uFFFDb\uFFFD",
		"\xff\xfea":    "\uFFFD\uFFFDa",
		"\uFFFE\uFFFF": "\uFFFD\uFFFD",
		"\uFFFD":       "\uFFFD",
		"a\r\n\tb":     "a&#13;\n\tb",
		"]]>":          "]]&gt;",
	} {
		if got := string(appendText(nil, in)); got != want {
			t.Errorf("appendText(%q) = %q, want %q", in, got, want)
		}
		var std bytes.Buffer
		if err := xml.EscapeText(&std, []byte(in)); err != nil {
			t.Fatal(err)
		}
		ours, theirs := unescape(t, want), unescape(t, std.String())
		if ours != theirs {
			t.Errorf("appendText(%q) reads as %q, encoding/xml's as %q", in, ours, theirs)
		}
	}
}

func unescape(t *testing.T, s string) string {
	t.Helper()
	var v struct {
		Text string `xml:",chardata"`
	}
	if err := xml.Unmarshal([]byte("<a>"+s+"</a>"), &v); err != nil {
		t.Fatalf("%q: %v", s, err)
	}
	return v.Text
}

func TestParseQuery(t *testing.T) {
	type result struct {
		All, Names bool
		Named      []string
		Want       files.Want
	}
	dav := func(s string) string { return `<propfind xmlns="DAV:">` + s + `</propfind>` }
	cases := map[string]result{
		"":                 {All: true, Want: files.Want{Locks: true, Props: true}},
		dav("<allprop/>"):  {All: true, Want: files.Want{Locks: true, Props: true}},
		dav("<propname/>"): {Names: true, Want: files.Want{Props: true}},
		dav("<prop/>"):     {},
		dav("<prop><getetag/> <getetag/>\n<resourcetype><collection/></resourcetype></prop>"): {Named: []string{"getetag", "resourcetype"}},
		dav("<prop><lockdiscovery/></prop>"):                                                  {Named: []string{"lockdiscovery"}, Want: files.Want{Locks: true}},
		dav("<prop><color xmlns='u'/></prop>"):                                                {Named: []string{"color"}, Want: files.Want{Props: true}},
		dav("<allprop/><include><getetag/><quota-used-bytes/></include>"):                     {All: true, Named: []string{"quota-used-bytes"}, Want: files.Want{Locks: true, Props: true}},
		dav("<unknown xmlns='u'><x/></unknown><prop><getetag/></prop>"):                       {Named: []string{"getetag"}},
	}
	for in, want := range cases {
		q, err := parseQuery(mustParse(t, in), liveProps())
		if err != nil {
			t.Errorf("parseQuery(%s): %v", in, err)
			continue
		}
		got := result{All: q.all, Names: q.names, Want: q.lookups()}
		for _, w := range q.named {
			got.Named = append(got.Named, w.name.Local)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("parseQuery(%s): -want +got\n%s", in, diff)
		}
	}
	for _, in := range []string{
		"<propfind/>", `<x xmlns="DAV:"><prop/></x>`, dav(""), dav("<prop/><allprop/>"), dav("<allprop/><propname/>"), dav("<include/>"),
	} {
		if _, err := parseQuery(mustParse(t, in), liveProps()); judge("PROPFIND", err).status != http.StatusBadRequest || err == nil {
			t.Errorf("parseQuery(%s): %v, want 400", in, err)
		}
	}
}

func TestParsePatches(t *testing.T) {
	doc := mustParse(t, `<D:propertyupdate xmlns:D="DAV:" xmlns:Z="urn:z">
		<D:set><D:prop/></D:set>
		<D:remove><D:prop><Z:gone>old value</Z:gone></D:prop></D:remove>
		<D:set><D:prop xml:lang="en"><Z:Author a="1"><Z:first>Ann</Z:first> Peeters</Z:Author><D:getetag>x</D:getetag></D:prop></D:set>
		<Z:other><D:prop><Z:not-this/></D:prop></Z:other>
	</D:propertyupdate>`)
	got, err := parsePatches(doc)
	if err != nil {
		t.Fatal(err)
	}
	want := []struct {
		remove bool
		local  string
		xml    string
		status int
	}{
		{true, "gone", "", 200},
		{false, "Author", `<Z:Author xmlns:Z="urn:z" xml:lang="en" a="1"><Z:first>Ann</Z:first> Peeters</Z:Author>`, 200},
		{false, "getetag", `<D:getetag xmlns:D="DAV:" xml:lang="en">x</D:getetag>`, 403},
	}
	if len(got) != len(want) {
		t.Fatalf("%d patches, want %d", len(got), len(want))
	}
	for i, w := range want {
		p := got[i]
		if p.change.Remove != w.remove || p.change.Local != w.local || p.change.XML != w.xml || p.status != w.status {
			t.Errorf("patch %d = %+v, want %+v", i, p, w)
		}
	}
	if settle(got) || got[0].status != 424 || got[2].status != 403 {
		t.Errorf("settled: %v", got)
	}
}

// What is asked for by name comes back for each file: all of it together is bounded.
func TestQueryLimits(t *testing.T) {
	ask := func(n, long int) error {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "<x:a%d/>", i)
		}
		_, err := parseQuery(mustParse(t, `<propfind xmlns="DAV:" xmlns:x="`+strings.Repeat("n", long)+`"><prop>`+b.String()+`</prop></propfind>`), liveProps())
		return err
	}
	if err := ask(30, maxNamespace); err != nil {
		t.Errorf("30 long names: %v", err)
	}
	if err := ask(900, 3); err != nil {
		t.Errorf("900 short names: %v", err)
	}
	if err := ask(40, maxNamespace); judge("PROPFIND", err).status != http.StatusRequestEntityTooLarge || err == nil {
		t.Errorf("40 long names: %v, want 413", err)
	}
}

func TestPatchLimits(t *testing.T) {
	prop := func(n int, value string) string {
		return "<p" + strings.Repeat("x", n) + ">" + value + "</p" + strings.Repeat("x", n) + ">"
	}
	var many strings.Builder
	for i := range maxPatchProps + 1 {
		many.WriteString(prop(i, "v"))
	}
	for name, props := range map[string]string{"many": many.String(), "large": prop(0, "v") + prop(1, strings.Repeat("v", maxPropBytes))} {
		got, err := parsePatches(mustParse(t, `<propertyupdate xmlns="DAV:"><set><prop>`+props+`</prop></set></propertyupdate>`))
		if err != nil || settle(got) {
			t.Fatalf("%s: %v, settled", name, err)
		}
		if first, last := got[0].status, got[len(got)-1].status; first != 424 || last != 507 {
			t.Errorf("%s: first %d, last %d, want 424 and 507", name, first, last)
		}
	}
}

func TestParseLockInfo(t *testing.T) {
	info := func(s string) string { return `<D:lockinfo xmlns:D="DAV:">` + s + `</D:lockinfo>` }
	const write = "<D:locktype><D:write/></D:locktype>"
	cases := map[string]files.LockOptions{
		info("<D:lockscope><D:exclusive/></D:lockscope>" + write): {},
		info("<D:lockscope><D:shared/></D:lockscope>" + write):    {Shared: true},
		info("<D:lockscope><D:exclusive/></D:lockscope>" + write + `<D:owner><D:href>DESKTOP-X\ed</D:href></D:owner>`): {
			OwnerXML: `<D:owner xmlns:D="DAV:"><D:href>DESKTOP-X\ed</D:href></D:owner>`,
		},
		info("<D:lockscope><D:exclusive/></D:lockscope>" + write + `<D:owner xmlns:n="urn:n"><n:who>ann</n:who></D:owner>`): {
			OwnerXML: `<D:owner xmlns:D="DAV:" xmlns:n="urn:n"><n:who>ann</n:who></D:owner>`,
		},
	}
	for in, want := range cases {
		var got files.LockOptions
		if err := parseLockInfo(mustParse(t, in), &got); err != nil {
			t.Errorf("parseLockInfo(%s): %v", in, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("parseLockInfo(%s): -want +got\n%s", in, diff)
		}
	}
	const scope = "<D:lockscope><D:exclusive/></D:lockscope>"
	for in, want := range map[string]int{
		"<x/>":                         400,
		info(""):                       400,
		info(scope):                    400,
		info(write):                    400,
		info("<D:lockscope/>" + write): 400,
		info("<D:lockscope><D:exclusive/><D:shared/></D:lockscope>" + write):         400,
		info(scope + "<D:locktype><D:read/></D:locktype>"):                           400,
		info(scope + write + "<D:owner>" + strings.Repeat("x", 1024) + "</D:owner>"): 413,
	} {
		if err := parseLockInfo(mustParse(t, in), &files.LockOptions{}); judge("LOCK", err).status != want {
			t.Errorf("parseLockInfo(%.50s): %v, want %d", in, err, want)
		}
	}
}

// Nobody is told what they may not know, or what there is not: where the used space or
// the quota is unknown there is no whole.
func TestQuotaInBlocksUnknown(t *testing.T) {
	for name, q := range map[string]files.Quota{
		"no quota": {Available: -1, Used: -1}, "a disk without a quota": {Available: 4096, Used: -1}, "only used": {Available: -1, Used: 512},
	} {
		p := &page{quota: q}
		n := &files.Node{Path: vpath.Must("/firm/a"), Dir: true}
		for _, value := range []appender{appendBlocks, appendBlocksUsed} {
			if b, ok := value(nil, p, n); ok {
				t.Errorf("%s: %s", name, b)
			}
		}
	}
}
