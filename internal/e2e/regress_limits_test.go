package e2e

import (
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"portico/internal/parts"
)

// The threats are rows of defects found in other products: parsers and limits.

// TestThreat81_LargeXMLCostsNothing sends bodies that are refused, and counts what
// the whole process allocates for them, the client's part included.
func TestThreat81_LargeXMLCostsNothing(t *testing.T) {
	w := worldOf(t, "disk")
	body := propfindOf(strings.Repeat("<D:getetag/>", 100_000))
	w.do("alice", "PROPFIND", "/dav/team", "", "Depth", "0").want(207)
	before := allocated()
	w.wire("alice", "PROPFIND", "/dav/team", body, "Depth", "0").want(413)
	if n := (allocated() - before) >> 20; n > 8 {
		t.Errorf("a body of %d bytes that was refused took %d MiB", len(body), n)
	}
	before = allocated()
	deep := strings.Repeat("<D:a xmlns:D='DAV:'>", 3000) // under 64 KiB
	w.wire("alice", "PROPFIND", "/dav/team", deep, "Depth", "0").want(400)
	if n := (allocated() - before) >> 20; n > 8 {
		t.Errorf("a deep body of %d bytes took %d MiB", len(deep), n)
	}
}

// TestThreat82_DocumentTypesAndProperties sends a DOCTYPE wherever one could be read,
// too many namespaces, and too many and too large properties.
func TestThreat82_DocumentTypesAndProperties(t *testing.T) {
	onWorlds(t, func(w *world) {
		room := w.room()
		w.put(room+"/f", "f")
		const doctype = `<!DOCTYPE x SYSTEM "file:///etc/passwd">`
		for _, body := range []string{
			doctype + propfindOf("<D:getetag/>"), propfindOf(doctype), propfindOf("<D:getetag/>") + doctype, propfindOf("<D:x>" + doctype + "</D:x>"),
			strings.ToLower(doctype) + propfindOf("<D:getetag/>"), "\ufeff" + doctype + propfindOf(""), propfindOf("<D:x>&e;</D:x>"),
		} {
			w.do("alice", "PROPFIND", room+"/f", body, "Depth", "0").want(400).lacks("root:")
		}
		set := func(props string) answer {
			return w.do("alice", "PROPPATCH", room+"/f", `<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop>`+props+`</D:prop></D:set></D:propertyupdate>`)
		}
		var spaces, many strings.Builder
		for i := range 65 {
			fmt.Fprintf(&spaces, ` xmlns:n%d="urn:n:%d"`, i, i)
		}
		set("<x xmlns='urn:x'"+spaces.String()+"/>").either(400, 403, 413, 507)
		for i := range 33 {
			fmt.Fprintf(&many, "<p%d xmlns='urn:many'>v</p%d>", i, i)
		}
		if a := set(many.String()); a.status == 207 {
			a.has("507").lacks("200 OK")
		} else {
			a.either(403, 507)
		}
		if a := set("<large xmlns='urn:x'>" + strings.Repeat("v", 9<<10) + "</large>"); a.status == 207 {
			a.has("507").lacks("200 OK")
		} else {
			a.either(403, 413, 507)
		}
		w.do("alice", "PROPFIND", room+"/f", "", "Depth", "0").want(207).lacks("urn:many").lacks("urn:x")
		kept := 0
		for ; kept < 40; kept++ { // one after the other
			if a := set(fmt.Sprintf("<q%d xmlns='urn:one'>v</q%d>", kept, kept)); a.status != 207 || !strings.Contains(a.body, "200 OK") {
				if a.status != 207 {
					a.either(403, 507)
				}
				break
			}
		}
		if kept != 32 {
			w.t.Errorf("a file took %d properties, want 32", kept)
		}
		wellFormed(w.do("alice", "PROPFIND", room, "", "Depth", "1").want(207))
	})
}

// TestThreat83_HeadersOfNonsense sends what no parser should trip over: an answer
// that is no fault of the server, and nothing changed.
func TestThreat83_HeadersOfNonsense(t *testing.T) {
	onWorlds(t, func(w *world) {
		room := w.room()
		w.put(room+"/f", "0123456789")
		nonsense := []string{
			"", " ", ",", ",,,,", "<", ">", "<>", "()", "(<>)", "([])", "(<a> Not)", "Not", "(Not Not <a>)", "([\"]\"])", strings.Repeat("(", 5000), strings.Repeat("(<a:b>)", 2000),
			strings.Repeat("<http://h/", 1000), "<http://h/x>", "(<a:b>", "(<a:b>)x", "\x80\xff", "%", "%%%zz", "http://", "http://[", "//", "/", "?", "#", "-1", "1e9", "99999999999999999999",
			"bytes=", "bytes=-", "bytes=5-2", "bytes=--1", "bytes=0-0,", "bytes=99999999999999999999-", "bytes=-99999999999999999999", "items=0-1", "Second-", "Second--1", "W/\"", "\"", "*,*", "* ",
		}
		w.unchanged(room, func() {
			for _, header := range []string{"If", "Destination", "Depth", "Timeout", "Range", "If-Range", "If-Match", "If-None-Match", "If-Modified-Since", "Lock-Token", "Content-Type", "X-OC-Mtime", "Accept", "Expect"} {
				for _, value := range nonsense {
					for _, method := range methodsFor(header) {
						a := w.wire("alice", method, room+"/f", "", header, value)
						if a.status >= 500 && a.status != 502 || a.status < 200 { // 502: a Destination elsewhere
							w.t.Errorf("%s with %s %.40q: %d; %s", a.what, header, value, a.status, a.body)
						}
					}
				}
			}
		})
	})
}

// methodsFor are methods that read a header and, with nonsense in it, change nothing.
func methodsFor(header string) []string {
	switch header {
	case "Destination":
		return []string{"COPY", "MOVE"}
	case "Timeout", "Lock-Token":
		return []string{"UNLOCK", "LOCK"}
	}
	return []string{"GET", "PROPFIND"}
}

// TestThreat83_Ranges asks for many and overlapping parts: no more is sent than a
// few times the file.
func TestThreat83_Ranges(t *testing.T) {
	onWorlds(t, func(w *world) {
		room := w.room()
		text := strings.Repeat("0123456789", 2000)
		w.put(room+"/f", text)
		for _, n := range []int{2, 8, 9, 100, 1300} {
			for _, part := range []string{"0-,", "0-19999,", "0-0,", "-1,", "5-9,"} {
				a := w.do("bob", "GET", room+"/f", "", "Range", "bytes="+strings.TrimSuffix(strings.Repeat(part, n), ",")).either(200, 206, 416)
				if n > 8 && a.status == 206 || len(a.body) > 2*len(text) {
					w.t.Errorf("%d times %s: %d, %d bytes of a file with %d", n, part, a.status, len(a.body), len(text))
				}
			}
		}
		w.do("bob", "GET", room+"/f", "", "Range", "bytes=0-0,10-10,20-20,30-30,40-40,50-50,60-60,70-70,80-80").either(200, 416)
		w.do("bob", "GET", room+"/f", "", "Range", "bytes=20000-").want(416)
		if a := w.do("bob", "GET", room+"/f", "", "Range", "bytes=10-19").want(206); a.body != "0123456789" {
			w.t.Errorf("bytes 10-19 are %q", a.body)
		}
	})
}

// TestThreat84_LargerThanAllowed uploads more than the server takes, with the length
// announced and without: nothing of it is kept.
func TestThreat84_LargerThanAllowed(t *testing.T) {
	onWorlds(t, func(w *world) {
		room := w.room()
		w.put(room+"/old", "old")
		mib := strings.Repeat("x", 1<<20)
		w.unchanged(room, func() {
			for _, name := range []string{"/old", "/new"} {
				w.cut(room+name, "x", "Content-Length", "33554433").want(413)
				w.cut(room+name, "x", "Content-Length", "99999999999999999").either(400, 413)
				w.cut(room+name, "x", "Content-Length", "-1").want(400)
				chunked := strings.Repeat(fmt.Sprintf("%x\r\n%s\r\n", len(mib), mib), 33) + "0\r\n\r\n"
				w.cut(room+name, chunked, "Transfer-Encoding", "chunked").either(0, 413)
				w.cut(room+name, "4\r\nabcd\r\n0\r\n\r\n", "Transfer-Encoding", "chunked", "X-Expected-Entity-Length", "99999999999").want(413)
			}
			eventually(w.t, "the uploads are over", func() bool { return w.uploads() == "0" })
		})
	})
}

// TestBadInput_Quota fills a workspace: 507, and what was there is as it was.
func TestBadInput_Quota(t *testing.T) {
	onWorlds(t, func(w *world) {
		half := strings.Repeat("h", 600<<10)
		w.do("alice", "PUT", "/dav/small/half", half).want(201)
		w.do("alice", "PUT", "/dav/small/note", "note").want(201)
		w.unchanged("/dav/small", func() {
			w.do("alice", "PUT", "/dav/small/second", half).want(507).has("quota")
			w.do("alice", "PUT", "/dav/small/note", half).want(507)
			w.cut("/dav/small/note", fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(half), half), "Transfer-Encoding", "chunked").either(0, 507)
			w.do("alice", "COPY", "/dav/small/half", "", "Destination", w.url+"/dav/small/copy").want(507)
		})
		w.do("alice", "PUT", "/dav/small/half", half[1:]).want(204) // in the old one's place
		w.do("alice", "DELETE", "/dav/small/half", "").want(204)
		w.do("alice", "PUT", "/dav/small/second", half).want(201)
		w.do("alice", "DELETE", "/dav/small/second", "").want(204)
		w.do("alice", "DELETE", "/dav/small/note", "").want(204)
	})
}

// TestBadInput_FullDisk fills the disk itself.
func TestBadInput_FullDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if out, err := exec.Command(parts.Tool(t, "mount"), "-t", "tmpfs", "-o", "size=2m", "tmpfs", dir).CombinedOutput(); err != nil {
		t.Fatalf("mount: %v\n%s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command(parts.Tool(t, "umount"), "-l", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v\n%s", err, out)
		}
	})
	s := start(t, storage{"tmpfs", func(*testing.T) string { return "{type: local, path: " + dir + "}" }})
	s.do("bob", "PUT", "/dav/firm/f", "old").want(201)
	for _, path := range []string{"/dav/firm/f", "/dav/firm/new"} {
		a := s.do("bob", "PUT", path, strings.Repeat("x", 4<<20)).want(507)
		if regexp.MustCompile(`no space left on device|/tmp/`).MatchString(a.body) {
			t.Errorf("the answer tells internals: %s", a.body)
		}
	}
	s.holds("/dav/firm/f", "old")
	s.gone("/dav/firm/new")
	s.do("bob", "PUT", "/dav/firm/f", strings.Repeat("y", 1<<20)).want(204) // the failed ones left nothing behind
}
