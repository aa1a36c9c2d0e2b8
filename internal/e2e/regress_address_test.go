package e2e

import (
	"strings"
	"testing"
)

// The rows are those of the defects of x/net/webdav in addresses and content.

// TestRow28_RulesAndFilesSpeakOfOnePath asks through addresses that only begin
// like the drive, or like a folder with a rule.
func TestRow28_RulesAndFilesSpeakOfOnePath(t *testing.T) {
	onWorlds(t, func(w *world) {
		w.do("alice", "PUT", "/dav/team/denied-not", "mine").either(201, 204) // no rule of denied
		w.do("alice", "GET", "/dav/team/denied-not", "").want(200)
		for _, path := range []string{"/davx", "/davx/", "/dav-team/readme.txt", "/dave/team/readme.txt", "/davteam/readme.txt", "/dav%2fteam/readme.txt"} {
			w.wire("ann", "GET", path, "").either(400, 404).lacks("read me")
			w.wire("ann", "PROPFIND", path, "", "Depth", "1").either(400, 404, 405).lacks("multistatus")
		}
	})
}

// hostileTails are ends of an address that no client means.
func hostileTails() []string {
	return []string{
		"/a/../b", "/a/..", "/./b", "//b", "/a//b", "/%2e%2e/b", "/%2E/b", "/a%2fb", "/a%2Fb", "/a%5cb", "/a%5Cb", `/a\b`, "/a%00b", "/a%0ab", "/a%0d%0ab",
		"/a%7f", "/%c0%af", "/%ff", "/%zz", "/a%", "/" + strings.Repeat("a", 256), strings.Repeat("/d", 70), strings.Repeat("/"+strings.Repeat("d", 200), 6),
	}
}

// TestRow29_OneCanonicalPath refuses the same forms in the request line, in
// Destination and in a tag of If, and repairs none.
func TestRow29_OneCanonicalPath(t *testing.T) {
	onWorlds(t, func(w *world) {
		room := w.room()
		w.put(room+"/f", "f")
		w.unchanged(room, func() {
			for _, tail := range hostileTails() {
				for _, method := range []string{"GET", "PUT", "MKCOL", "DELETE", "PROPFIND", "LOCK", "PROPPATCH", "UNLOCK"} {
					w.wire("alice", method, room+tail, "").want(400)
				}
				for _, base := range []string{room, w.url + room} {
					w.wire("alice", "COPY", room+"/f", "", "Destination", base+tail).want(400)
					w.wire("alice", "MOVE", room+"/f", "", "Destination", base+tail).want(400)
					w.wire("alice", "PUT", room+"/f", "x", "If", "<"+base+tail+"> (Not <DAV:no-lock>)").want(400)
				}
			}
		})
	})
}

// TestRow30_NoPageOfUsers asks for a user's page as a browser does, and for the
// drive's own: the index of a folder, with a script in a name.
func TestRow30_NoPageOfUsers(t *testing.T) {
	onWorlds(t, func(w *world) {
		room := w.room()
		w.put(room+"/a.html", "<script>alert(1)</script>", room+"/%3Cscript%3Ealert(1)", "x")
		for _, method := range []string{"GET", "HEAD"} {
			savedNotShown(w.do("bob", method, room+"/a.html", "", "Accept", "text/html", "Sec-Fetch-Dest", "document").want(200))
		}
		w.do("bob", "POST", room+"/a.html", "").want(405).lacks("alert")
		w.do("bob", "POST", room, "").want(405)
		index := w.do("bob", "GET", room, "").want(200).has("a.html").lacks("<script>")
		if csp := index.header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") {
			w.t.Errorf("the index's Content-Security-Policy is %q", csp)
		}
	})
}

// TestThreat73_ActiveContent stores every kind of file that could run a script, and
// asks for it in every way: saved, never shown.
func TestThreat73_ActiveContent(t *testing.T) {
	onWorlds(t, func(w *world) {
		room := w.room()
		script := `<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><script>alert(1)</script></html>`
		for name := range strings.FieldsSeq("a.html a.HTM a.svg a.xml a.xhtml a.mhtml a.js a.pdf a.txt a.json a.css a.swf a .html a.png") {
			path := room + "/" + name
			w.do("alice", "PUT", path, script, "Content-Type", "text/html").want(201)
			etag := w.do("bob", "HEAD", path, "").want(200).header.Get("ETag")
			savedNotShown(w.do("bob", "GET", path, "").want(200).has("alert"))
			savedNotShown(w.do("bob", "GET", path+"?inline=1", "").want(200))
			savedNotShown(w.do("bob", "HEAD", path, "").want(200))
			savedNotShown(w.do("bob", "GET", path, "", "Range", "bytes=0-9").want(206))
			savedNotShown(w.do("bob", "GET", path, "", "Range", "bytes=0-1,4-5").either(200, 206))
			w.do("bob", "GET", path, "", "If-None-Match", etag).want(304)
		}
	})
}
