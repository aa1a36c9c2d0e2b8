package e2e

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"

	"portico/gateway/replay"
)

// The rows are those of the defects of x/net/webdav in properties and their bodies.

// plays plays a sequence of its own in a new folder, as alice, with carl beside her. The
// lines of its failures are those of the play, from 1 on; files are name, text.
func (w *world) plays(play string, files ...string) {
	w.t.Helper()
	text := []byte("source: WEBDAV.md 1\nns: x urn:x\nns: Z urn:schemas-microsoft-com:\n-- play --\n" + play)
	for i := 0; i+1 < len(files); i += 2 {
		text = fmt.Appendf(text, "\n-- %s --\n%s", files[i], files[i+1])
	}
	s, err := replay.Parse(w.t.Name(), text)
	if err != nil {
		w.t.Fatal(err)
	}
	d := replay.Drive{Server: w.url, Room: w.room(), People: map[string]replay.Person{
		"first": {Login: "alice", Password: password}, "second": {Login: "carl", Password: password},
	}}
	if err := s.Play(w.t.Context(), d, replay.Untagged); err != nil {
		w.t.Error(err)
	}
}

// update is a PROPPATCH of what stands in it.
func update(steps string) string {
	return `<?xml version="1.0" encoding="utf-8"?><D:propertyupdate xmlns:D="DAV:" xmlns:x="urn:x">` + steps + `</D:propertyupdate>`
}

// TestRow37_BodiesOfPropfind reads what is unusual and sound, and refuses the rest.
func TestRow37_BodiesOfPropfind(t *testing.T) {
	utf16le := func(s string) string {
		b := []byte{0xff, 0xfe}
		for _, u := range utf16.Encode([]rune(s)) {
			b = append(b, byte(u), byte(u>>8))
		}
		return string(b)
	}
	onWorlds(t, func(w *world) {
		room := w.room()
		w.put(room+"/f", "12345")
		const head = `<?xml version="1.0" encoding="%s"?>`
		for name, body := range map[string]string{
			"empty prop":            propfindOf(""),
			"white space in a prop": propfindOf("<D:getetag> \n </D:getetag>"),
			"nested":                propfindOf("<D:resourcetype><D:collection/></D:resourcetype>"),
			"latin 1":               fmt.Sprintf(head, "ISO-8859-1") + propfindOf("<D:getetag/><x xmlns='urn:\xe9'/>"),
			"utf-16":                utf16le(fmt.Sprintf(head, "utf-16") + propfindOf("<D:getetag/>")),
			"a mark":                "\ufeff" + propfindOf("<D:getetag/>"),
			"blank":                 " \r\n\t ",
			"none":                  "",
			"a comment":             "<!-- a --><?pi?>" + propfindOf("<!-- b --><D:getetag/>") + "<!-- c -->",
			"unknown":               `<D:propfind xmlns:D="DAV:" xmlns:x="urn:x"><x:more/><D:prop><D:getetag/></D:prop></D:propfind>`,
		} {
			a := w.do("alice", "PROPFIND", room+"/f", body, "Depth", "0")
			a.what += " of " + name
			wellFormed(a.want(207).has(room + "/f"))
		}
		for name, body := range map[string]string{
			"another encoding": fmt.Sprintf(head, "EBCDIC") + propfindOf("<D:getetag/>"),
			"half":             propfindOf("<D:getetag/>")[:50],
			"no propfind":      `<D:other xmlns:D="DAV:"/>`,
			"no namespace":     `<propfind><allprop/></propfind>`,
			"two kinds":        `<D:propfind xmlns:D="DAV:"><D:allprop/><D:propname/></D:propfind>`,
			"nothing asked":    `<D:propfind xmlns:D="DAV:"/>`,
			"a document type":  `<!DOCTYPE a [<!ENTITY b "c">]>` + propfindOf("<D:getetag/>"),
			"text":             "give me all",
		} {
			a := w.do("alice", "PROPFIND", room+"/f", body, "Depth", "0")
			a.what += " of " + name
			a.want(400)
		}
		w.do("alice", "PROPFIND", room+"/f", propfindOf(strings.Repeat("<D:getetag/>", 90_000)), "Depth", "0").want(413)
	})
}

// TestRow38_BodiesOfProppatch takes a set or remove with nothing in it, and a remove with
// a value.
func TestRow38_BodiesOfProppatch(t *testing.T) {
	onWorlds(t, func(w *world) {
		w.plays(`
PUT /f
-> 201

PROPPATCH /f
	< set
-> 207
	prop /f x:a
	prop /f x:b

PROPPATCH /f
	< empty
-> 207
	prop /f x:a

PROPPATCH /f
	< value
-> 207
	prop /f x:b

PROPPATCH /f
	< nothing
-> 207
	only /f

PROPFIND /f
	Depth: 0
	< ask
-> 207
	prop /f x:a 404
	prop /f x:b 404

PROPPATCH /f
	< "<D:propertyupdate xmlns:D=\"DAV:\"><D:set>"
-> 400

PROPPATCH /f
-> 400
`, "set", update("<D:set><D:prop><x:a>1</x:a><x:b>2</x:b></D:prop></D:set>"),
			"empty", update("<D:set><D:prop/></D:set><D:remove><D:prop><x:a/></D:prop></D:remove>"),
			"value", update("<D:remove><D:prop><x:b>2</x:b></D:prop></D:remove><D:set/>"),
			"nothing", update("<D:remove><D:prop/></D:remove>"),
			"ask", propfindOf("<a xmlns='urn:x'/><b xmlns='urn:x'/>"))
	})
}

// TestRow39_Include adds to allprop what it leaves out.
func TestRow39_Include(t *testing.T) {
	onWorlds(t, func(w *world) {
		w.put("/dav/small/included", "f")
		ask := `<D:propfind xmlns:D="DAV:"><D:allprop/><D:include><D:quota-used-bytes/><D:getetag/><D:nothing/></D:include></D:propfind>`
		a := w.do("alice", "PROPFIND", "/dav/small", ask, "Depth", "1").want(207)
		wellFormed(a.has("<D:quota-used-bytes>").has("<D:nothing/>"))
		if n := strings.Count(a.body, "<D:getetag>"); n != strings.Count(a.body, "<D:getcontentlength>") {
			w.t.Errorf("getetag stands there %d times; %s", n, a.body)
		}
		w.do("alice", "PROPFIND", "/dav/small", "", "Depth", "0").want(207).lacks("quota-used-bytes")
		w.do("alice", "DELETE", "/dav/small/included", "").want(204)
	})
}

// TestRow40_LiveProperties are there for files and folders, and each once.
func TestRow40_LiveProperties(t *testing.T) {
	onWorlds(t, func(w *world) {
		w.plays(`
MKCOL /d
-> 201

PUT /d/f.txt
	< "text"
-> 201
	ETag: {E}
	Last-Modified: {M}

PROPFIND /d
	Depth: 1
-> 207
	only /d/ /d/f.txt
	prop /d/ D:creationdate = *T*Z
	prop /d/ D:getlastmodified = * GMT
	prop /d/ D:resourcetype/D:collection
	prop /d/ D:displayname = d
	prop /d/ D:lockdiscovery
	prop /d/ D:supportedlock/D:lockentry/D:lockscope/D:shared
	prop /d/f.txt D:creationdate = *T*Z
	prop /d/f.txt D:getlastmodified = {M}
	prop /d/f.txt D:getetag = {E}
	prop /d/f.txt D:getcontentlength = 4
	prop /d/f.txt D:getcontenttype = text/plain; charset=utf-8
	prop /d/f.txt D:displayname = f.txt
	prop /d/f.txt D:resourcetype
	prop /d/f.txt D:lockdiscovery
	prop /d/f.txt D:supportedlock/D:lockentry/D:lockscope/D:exclusive

PROPFIND /d
	Depth: 0
	< ask
-> 207
	prop /d/ D:getcontentlength 404
	prop /d/ D:checked-in 404
`, "ask", propfindOf("<D:getcontentlength/><D:checked-in/>"))
		w.do("alice", "PROPFIND", "/dav/small", propfindOf("<D:quota-available-bytes/><D:quota-used-bytes/>"), "Depth", "0").want(207).
			has("<D:quota-available-bytes>").has("<D:quota-used-bytes>")
		room := w.room()
		w.put(room+"/f", "f")
		w.do("alice", "PROPPATCH", room+"/f", update("<D:set><D:prop><D:unheard-of>1</D:unheard-of><x:a/></D:prop></D:set>")).want(207)
		all := w.do("alice", "PROPFIND", room+"/f", "", "Depth", "0").want(207)
		for _, name := range []string{"D:getetag", "D:creationdate", "D:displayname", "D:getlastmodified", "D:lockdiscovery", "D:unheard-of"} {
			if n := strings.Count(all.body, "<"+name+">") + strings.Count(all.body, "<"+name+"/>"); n > 1 {
				w.t.Errorf("%s stands there %d times: %s", name, n, all.body)
			}
		}
	})
}

// TestRow44_CostOfAListing counts the calls to the storage: they do not grow with the
// number of files, whatever is asked for.
func TestRow44_CostOfAListing(t *testing.T) {
	onWorlds(t, func(w *world) {
		calls := func(path, body string) int {
			before := w.storageCalls()
			w.do("alice", "PROPFIND", path, body, "Depth", "1").want(207)
			return w.storageCalls() - before
		}
		few, many := w.room(), w.room()
		for i := range 50 {
			if i < 2 {
				w.put(fmt.Sprint(few, "/f", i), "f")
			}
			w.put(fmt.Sprint(many, "/f", i), "f")
		}
		for _, body := range []string{"", propfindOf("<D:getetag/><D:getcontenttype/><D:creationdate/><x xmlns='urn:x'/>"), `<D:propfind xmlns:D="DAV:"><D:propname/></D:propfind>`} {
			if a, b := calls(few, body), calls(many, body); b > a {
				w.t.Errorf("a listing of 2 files makes %d calls, of 50 files %d; asked for %q", a, b, body)
			}
		}
	})
}

// TestRow45_OneContentType tells the same type by GET, HEAD and PROPFIND, from the name,
// whatever is in the file.
func TestRow45_OneContentType(t *testing.T) {
	onWorlds(t, func(w *world) {
		room := w.room()
		for name, text := range map[string]string{"a.txt": "<html>", "a.odt": "x", "a.html": "text", "none": "%PDF-1.7", "a.unheard": "\x89PNG\r\n", "b.TXT": "x"} {
			w.put(room+"/"+name, text)
			get, head := w.do("alice", "GET", room+"/"+name, "").header.Get("Content-Type"), w.do("alice", "HEAD", room+"/"+name, "").header.Get("Content-Type")
			if get != head || get == "" {
				w.t.Errorf("%s: GET says %q, HEAD %q", name, get, head)
			}
			for _, depth := range []string{"0", "1"} {
				path := map[string]string{"0": room + "/" + name, "1": room}[depth]
				w.do("alice", "PROPFIND", path, propfindOf("<D:getcontenttype/>"), "Depth", depth).want(207).has("<D:getcontenttype>" + get + "</D:getcontenttype>")
			}
		}
	})
}

// TestRow47_ProppatchOfAFolder sets what the Mini-Redirector sets on each new folder.
func TestRow47_ProppatchOfAFolder(t *testing.T) {
	onWorlds(t, func(w *world) {
		w.plays(`
MKCOL /d
-> 201

PROPPATCH /d
	< set
-> 207
	prop /d Z:Win32FileAttributes

PROPPATCH /d/
	< set
-> 207
	prop /d/ Z:Win32FileAttributes

PROPFIND /d
	Depth: 0
-> 207
	prop /d/ Z:Win32FileAttributes = 00000010
`, "set", update(`<D:set><D:prop><Win32FileAttributes xmlns="urn:schemas-microsoft-com:">00000010</Win32FileAttributes></D:prop></D:set>`))
	})
}

// TestRow50_OneETag is the same string wherever it is told, after each way of writing.
func TestRow50_OneETag(t *testing.T) {
	onWorlds(t, func(w *world) {
		room := w.room()
		same := func(how, path, etag string) {
			w.t.Helper()
			head := w.do("alice", "HEAD", path, "").header.Get("ETag")
			get := w.do("alice", "GET", path, "").header.Get("ETag")
			if head != get || etag != "" && etag != head || head == "" {
				w.t.Errorf("after %s: told %q, HEAD %q, GET %q", how, etag, head, get)
			}
			for _, depth := range []string{"0", "1"} {
				at := map[string]string{"0": path, "1": room}[depth]
				w.do("alice", "PROPFIND", at, propfindOf("<D:getetag/>"), "Depth", depth).want(207).has("<D:getetag>" + head + "</D:getetag>")
			}
			w.do("alice", "GET", path, "", "If-None-Match", head).want(304)
		}
		same("PUT", room+"/a", w.do("alice", "PUT", room+"/a", "x").header.Get("ETag"))
		same("PUT of much", room+"/a", w.do("alice", "PUT", room+"/a", strings.Repeat("x", 17<<20)).header.Get("ETag"))
		w.do("alice", "COPY", room+"/a", "", "Destination", w.url+room+"/b").want(201)
		same("COPY", room+"/b", "")
		w.do("alice", "MOVE", room+"/a", "", "Destination", w.url+room+"/c").want(201)
		same("MOVE", room+"/c", "")
		w.do("alice", "LOCK", room+"/d", lockBody).want(201)
		same("LOCK", room+"/d", "")
	})
}

// TestRow52_NamespacesAreJudged refuses what is no XML with namespaces, for every client
// alike: also for one that says it is litmus, and also where it does not.
func TestRow52_NamespacesAreJudged(t *testing.T) {
	onWorlds(t, func(w *world) {
		room := w.room()
		w.put(room+"/f", "f")
		for _, body := range []string{
			`<D:propfind xmlns:D="DAV:"><D:prop><bar:foo xmlns:bar=""/></D:prop></D:propfind>`, // propfind_invalid2
			`<D:propfind xmlns:D="DAV:"><D:prop><bar:foo/></D:prop></D:propfind>`,
			`<D:propfind xmlns:D="DAV:"><D:prop><D:a:b/></D:prop></D:propfind>`,
			`<D:propfind xmlns:D="DAV:"><D:prop><a xmlns:xml="urn:x"/></D:prop></D:propfind>`,
			`<foo`, // propfind_invalid
		} {
			for _, header := range [][]string{{"Depth", "0"}, {"Depth", "0", "X-Litmus", "props: 4 (propfind_invalid2)"}} {
				w.do("alice", "PROPFIND", room+"/f", body, header...).want(400)
			}
			w.do("alice", "PROPPATCH", room+"/f", body).want(400)
			w.do("alice", "LOCK", room+"/f", body).want(400)
		}
		sound := propfindOf(`<foo xmlns="" /><bar xmlns="urn:x"/>`)
		w.do("alice", "PROPFIND", room+"/f", sound, "Depth", "0", "X-Litmus", "props: 4 (propfind_invalid2)").want(207)
	})
}
