package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// The rows are those of the defects of x/net/webdav in status codes and headers.

// TestRow32_WhyItIsRefused tells denied, hidden, away, full and locked apart.
func TestRow32_WhyItIsRefused(t *testing.T) {
	onWorlds(t, func(w *world) {
		room := w.room()
		w.dirs(room + "/d")
		w.put(room+"/f", "f", room+"/locked", "l")
		w.lock("alice", room+"/locked")
		to := []string{"Destination", w.url + room + "/elsewhere"}
		for _, c := range []struct {
			method, body string
			header       []string
		}{
			{"GET", "", nil},
			{"PUT", "x", nil},
			{"MKCOL", "", nil},
			{"DELETE", "", nil},
			{"COPY", "", to},
			{"MOVE", "", to},
			{"LOCK", lockBody, nil},
			{"PROPPATCH", setProp, nil},
			{"PROPFIND", "", []string{"Depth", "0"}},
		} {
			// Bob reads the room and changes nothing in it.
			if c.method != "GET" && c.method != "PROPFIND" && c.method != "COPY" {
				w.do("bob", c.method, room+"/f", c.body, c.header...).want(map[bool]int{true: 405, false: 403}[c.method == "MKCOL"])
			}
			if c.method == "MKCOL" || c.method == "PUT" || c.method == "LOCK" {
				w.do("bob", c.method, room+"/new", c.body, c.header...).want(403)
				w.do("bob", c.method, room+"/d/new", c.body, c.header...).want(403)
			}
			if c.method == "COPY" { // he may read it, and not put the copy there
				w.do("bob", c.method, room+"/f", c.body, c.header...).want(403)
			}
			// What he may not know of is not there.
			w.do("bob", c.method, "/dav/team/secret/f", c.body, c.header...).either(403, 404).lacks("top secret")
			w.do("mallory", c.method, room+"/f", c.body, c.header...).want(404)
		}
		w.do("bob", "GET", "/dav/team/secret/f", "").want(404)
		w.do("bob", "PROPFIND", "/dav/team/secret/f", "", "Depth", "0").want(404)
		w.do("carl", "PUT", room+"/locked", "x").want(423)
		w.do("alice", "PUT", "/dav/small/f", strings.Repeat("x", 2<<20)).want(507)
	})
}

// TestRow32_StorageAway says 503 with Retry-After while the storage is away, and
// never that there is nothing.
func TestRow32_StorageAway(t *testing.T) {
	t.Parallel()
	f := startFlaky(t)
	f.do("bob", "PUT", "/dav/firm/f", "bytes").want(201)
	f.do("bob", "MKCOL", "/dav/firm/d", "").want(201)
	all := func(*http.Request) bool { return true }
	for _, c := range [][]string{
		{"GET", ""},
		{"HEAD", ""},
		{"PUT", "x"},
		{"DELETE", ""},
		{"MKCOL", ""},
		{"COPY", "", "Destination", f.dav("/g")},
		{"MOVE", "", "Destination", f.dav("/g")},
		{"LOCK", lockBody},
		{"PROPPATCH", setProp},
		{"PROPFIND", "", "Depth", "0"},
		{"PROPFIND", "", "Depth", "1"},
	} {
		f.spoiled(all, away, func() {
			a := f.do("bob", c[0], "/dav/firm/f", c[1], c[2:]...).want(503)
			if a.header.Get("Retry-After") == "" {
				t.Errorf("%s: no Retry-After", a.what)
			}
		})
	}
	f.holds("/dav/firm/f", "bytes")
}

// TestRow33_WhatIsMissing tells a source that is not there from a folder to put it in.
func TestRow33_WhatIsMissing(t *testing.T) {
	onWorlds(t, func(w *world) {
		room := w.room()
		w.dirs(room + "/d")
		w.put(room+"/f", "f", room+"/d/m", "m")
		w.unchanged(room, func() {
			for _, method := range []string{"MOVE", "COPY"} {
				w.do("alice", method, room+"/none", "", "Destination", w.url+room+"/g").want(404)
				w.do("alice", method, room+"/none/f", "", "Destination", w.url+room+"/g").want(404)
				for _, src := range []string{"/f", "/d", "/d/"} {
					w.do("alice", method, room+src, "", "Destination", w.url+room+"/none/g").want(409)
					w.do("alice", method, room+src, "", "Destination", w.url+room+"/f/g").either(403, 409) // into itself, or under a file
				}
			}
			w.do("alice", "PUT", room+"/none/f", "x").want(409)
			w.do("alice", "PUT", room+"/f/x", "x").want(409)
			w.do("alice", "PUT", room+"/d", "x").want(405)
			w.do("alice", "MKCOL", room+"/none/d", "").want(409)
			w.do("alice", "MKCOL", room+"/f/d", "").want(409)
			w.do("alice", "MKCOL", room+"/f", "").want(405)
			w.do("alice", "MKCOL", room+"/d", "").want(405)
			w.do("alice", "DELETE", room+"/none", "").want(404)
			w.do("alice", "LOCK", room+"/none/f", lockBody).want(409)
			w.do("alice", "GET", room+"/f/x", "").want(404)
		})
	})
}

// TestRow34_AnswerOfPut tells new from replaced, with the ETag and the time that a
// GET tells then.
func TestRow34_AnswerOfPut(t *testing.T) {
	onWorlds(t, func(w *world) {
		room := w.room()
		large := strings.Repeat("x", 9<<20) // in parts to S3
		etag := ""
		for i, text := range []string{"first", "second", "", large, "last"} {
			a := w.do("alice", "PUT", room+"/f", text).want(map[bool]int{true: 201, false: 204}[i == 0])
			head := w.do("alice", "HEAD", room+"/f", "").want(200)
			for _, name := range []string{"ETag", "Last-Modified"} {
				if got := a.header.Get(name); got == "" || got != head.header.Get(name) {
					w.t.Errorf("%s %d: %s is %q, of HEAD %q", a.what, i, name, got, head.header.Get(name))
				}
			}
			if a.header.Get("ETag") == etag {
				w.t.Errorf("the ETag of version %d is that of the one before", i)
			}
			etag = a.header.Get("ETag")
		}
	})
}

// TestRow35_Destination names the server as clients and proxies do.
func TestRow35_Destination(t *testing.T) {
	onWorlds(t, func(w *world) {
		room := w.room()
		w.put(room+"/f", "f")
		port := w.url[strings.LastIndex(w.url, ":"):]
		for destination, want := range map[string]int{
			w.url + room + "/a":                         201,
			room + "/b":                                 201,
			"https://127.0.0.1" + port + room + "/c":    201, // a proxy ends TLS
			"http://elsewhere.example" + room + "/d":    502,
			"http://127.0.0.1.elsewhere.example" + room: 502,
			w.url + "/davx/f":                           502,
			w.url + room + "/%zz":                       400,
			w.url + room + "/a?b":                       400,
			w.url + room + "/a#b":                       400,
			"f":                                         400,
			"http://":                                   502,
			"":                                          400,
			"mailto:ann@example.org":                    400,
			"//127.0.0.1" + port + room + "/e":          400,
			"ftp://127.0.0.1" + port + room + "/e":      502,
			"http://ann:secret@127.0.0.1" + port + room + "/g": 201,
		} {
			a := w.do("alice", "COPY", room+"/f", "", "Destination", destination)
			a.what += " to " + destination
			a.want(want)
		}
	})
}

// TestRow35_BehindAProxy takes a Destination of the public address where the proxy
// passes on another Host.
func TestRow35_BehindAProxy(t *testing.T) {
	onEach(t, func(t *testing.T, st storage) {
		s := serve(t, strings.Replace(fmt.Sprintf(standard, t.TempDir(), st.yaml(t), hash()),
			"server: {", "server: {public_url: \"https://files.example.com\", ", 1))
		s.do("bob", "PUT", "/dav/firm/a", "a").want(201)
		for _, destination := range []string{"https://files.example.com/dav/firm/b", "http://Files.example.com:80/dav/firm/b", "https://files.example.com:443/dav/firm/b"} {
			s.do("bob", "MOVE", "/dav/firm/a", "", "Destination", destination).want(201)
			s.do("bob", "MOVE", "/dav/firm/b", "", "Destination", "/dav/firm/a").want(201)
		}
		s.do("bob", "MOVE", "/dav/firm/a", "", "Destination", "https://files.example.org/dav/firm/b").want(502)
		for i, c := range [][]string{
			{"files.example.com", "http://FILES.example.com"},
			{"files.example.com", "https://files.example.com:443"},
			{"files.example.com:443", "https://files.example.com"},
			{"FILES.example.com:80", "http://files.EXAMPLE.com"},
		} {
			s.wire("bob", "COPY", "/dav/firm/a", "", "Host", c[0], "Destination", fmt.Sprint(c[1], "/dav/firm/h", i)).want(201)
		}
	})
}

// TestRow36_Depth limits PROPFIND, takes what old clients write, and refuses a Depth
// that DELETE and MOVE do not have.
func TestRow36_Depth(t *testing.T) {
	onWorlds(t, func(w *world) {
		room := w.room()
		w.dirs(room+"/d", room+"/d/deep")
		w.put(room+"/d/f", "f", room+"/d/deep/g", "g")
		for depth, want := range map[string]int{"0": 1, "1": 3, " 1 ": 3, "1,noroot": 2, "1, NoRoot": 2} {
			a := w.do("alice", "PROPFIND", room+"/d", "", "Depth", depth).want(207)
			if n := strings.Count(a.body, "<D:response>"); n != want {
				w.t.Errorf("Depth %q: %d responses, want %d", depth, n, want)
			}
		}
		if n := strings.Count(w.do("alice", "PROPFIND", room+"/d", "").want(207).body, "<D:response>"); n != 3 {
			w.t.Errorf("without a Depth: %d responses, want 3", n)
		}
		for _, depth := range []string{"infinity", "Infinity", "INFINITY", "infinity,noroot"} {
			w.do("alice", "PROPFIND", room+"/d", "", "Depth", depth).want(403).has("<D:propfind-finite-depth/>")
		}
		w.unchanged(room, func() {
			for _, depth := range []string{"2", "-1", "", "one", "0,noroot"} {
				for _, method := range []string{"PROPFIND", "COPY", "MOVE", "DELETE", "LOCK"} {
					w.do("alice", method, room+"/d", "", "Depth", depth, "Destination", w.url+room+"/e").want(400)
				}
			}
			w.do("alice", "DELETE", room+"/d", "", "Depth", "0").want(400)
			w.do("alice", "DELETE", room+"/d", "", "Depth", "1").want(400)
			w.do("alice", "MOVE", room+"/d", "", "Depth", "0", "Destination", w.url+room+"/e").want(400)
			w.do("alice", "COPY", room+"/d", "", "Depth", "1", "Destination", w.url+room+"/e").want(400)
			w.do("alice", "LOCK", room+"/d", lockBody, "Depth", "1").want(400)
		})
		w.do("alice", "MOVE", room+"/d", "", "Depth", "Infinity", "Destination", w.url+room+"/e").want(201)
		w.do("alice", "DELETE", room+"/e", "", "Depth", "infinity").want(204)
	})
}

// TestRow46_FoldersAndMethods answers HEAD and GET of a folder, and 405 with Allow to
// what the drive does not know.
func TestRow46_FoldersAndMethods(t *testing.T) {
	onWorlds(t, func(w *world) {
		room := w.room()
		w.dirs(room + "/d")
		w.put(room+"/d/f", "f")
		for _, path := range []string{room + "/d", room + "/d/", room, "/dav/team", "/dav/"} {
			w.do("alice", "HEAD", path, "").want(200)
			w.do("alice", "GET", path, "").want(200)
			w.do("alice", "GET", path, "", "Range", "bytes=0-0").either(200, 206)
		}
		for _, method := range []string{"POST", "BREW", "get", "TRACE", "CHECKOUT", "MKCALENDAR"} {
			for _, path := range []string{room + "/d", room + "/d/f", room + "/none"} {
				a := w.do("alice", method, path, "").either(405, 501)
				if allow := a.header.Get("Allow"); !strings.Contains(allow, "PROPFIND") || strings.Contains(allow, method) {
					w.t.Errorf("%s: Allow is %q", a.what, allow)
				}
			}
		}
	})
}

// TestRow48_MkcolWithABody refuses a body, in chunks too, and makes nothing.
func TestRow48_MkcolWithABody(t *testing.T) {
	onWorlds(t, func(w *world) {
		room := w.room()
		w.do("alice", "MKCOL", room+"/d", "<mkcol/>", "Content-Type", "application/xml").want(415)
		w.wire("alice", "MKCOL", room+"/d", "3\r\nabc\r\n0\r\n\r\n", "Transfer-Encoding", "chunked").want(415)
		w.wire("alice", "MKCOL", room+"/d", "1\r\n \r\n0\r\n\r\n", "Transfer-Encoding", "chunked").want(415)
		w.gone(room + "/d")
		w.wire("alice", "MKCOL", room+"/d", "0\r\n\r\n", "Transfer-Encoding", "chunked").want(201) // an empty one is none
	})
}

// TestRow49_WhatFailed names the members that could not be deleted, and no others, where
// the store fails for some.
func TestRow49_WhatFailed(t *testing.T) {
	t.Parallel()
	f := startFlaky(t)
	for _, path := range []string{"/d", "/d/e"} {
		f.do("bob", "MKCOL", "/dav/firm"+path, "").want(201)
	}
	for _, path := range []string{"/d/a", "/d/stuck", "/d/e/b"} {
		f.do("bob", "PUT", "/dav/firm"+path, "x").want(201)
	}
	f.stuck("/stuck", func() {
		a := f.do("bob", "DELETE", "/dav/firm/d", "").want(207)
		wellFormed(a.has("<D:href>/dav/firm/d/stuck</D:href>").has("HTTP/1.1 5").lacks("/d/a<").lacks("/e/b"))
	})
	f.holds("/dav/firm/d/stuck", "x")
	f.gone("/dav/firm/d/a")
	f.gone("/dav/firm/d/e/b")
	f.do("bob", "DELETE", "/dav/firm/d", "").want(204)
}

// TestRow51_Options is one constant answer, wherever a client asks, at no cost.
func TestRow51_Options(t *testing.T) {
	onWorlds(t, func(w *world) {
		room := w.room()
		w.put(room+"/f", "f")
		before := w.storageCalls()
		var first answer
		for _, path := range []string{"/", "*", "/dav", "/dav/", "/dav/team", room, room + "/f", room + "/none", "/dav/team/secret/f"} {
			for _, user := range []string{"", "alice", "mallory"} {
				a := w.wire(user, "OPTIONS", path, "").want(200)
				if first.header == nil {
					first = a
				}
				for _, name := range []string{"DAV", "MS-Author-Via", "Allow"} {
					if got, want := a.header.Get(name), first.header.Get(name); got != want || got == "" {
						w.t.Errorf("%s: %s is %q, elsewhere %q", a.what, name, got, want)
					}
				}
			}
		}
		for _, method := range []string{"GET", "PUT", "MKCOL", "PROPFIND", "PROPPATCH", "LOCK", "UNLOCK", "COPY", "MOVE", "DELETE"} {
			if allow := first.header.Get("Allow"); !strings.Contains(allow, method) {
				w.t.Errorf("Allow is %q, without %s", allow, method)
			}
		}
		if !strings.HasPrefix(first.header.Get("DAV"), "1, 2") {
			w.t.Errorf("DAV is %q", first.header.Get("DAV"))
		}
		if n := w.storageCalls() - before; n != 0 {
			w.t.Errorf("OPTIONS made %d calls to the storage", n)
		}
	})
}
