package e2e

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"
)

// The traps M1 to M16 are those that x/net/webdav was measured to fall into.

// TestM1_CutPut cuts an upload in the middle: the old version stays, with its ETag.
func TestM1_CutPut(t *testing.T) {
	onWorlds(t, func(w *world) {
		file := w.room() + "/a.bin"
		w.put(file, "the old bytes")
		etag := w.do("ann", "HEAD", file, "").header.Get("ETag")
		big := strings.Repeat("x", 20<<20) // in parts, on MinIO
		for name, cut := range map[string]struct {
			body   string
			header []string
		}{
			"length":         {"new", []string{"Content-Length", "100"}},
			"large":          {big[:18<<20], []string{"Content-Length", "20971520"}},
			"chunked":        {"3\r\nnew\r\n", []string{"Transfer-Encoding", "chunked"}},
			"inside a chunk": {"64\r\nnew", []string{"Transfer-Encoding", "chunked"}},
		} {
			for _, at := range []string{file, file + "." + strings.ReplaceAll(name, " ", "")} {
				w.unchanged(strings.TrimSuffix(file, "/a.bin"), func() {
					// 499: to net/http, one who sends no more has gone.
					w.cut(at, cut.body, cut.header...).either(0, 400, 408, 499)
					eventually(w.t, "the upload is over", func() bool { return w.uploads() == "0" })
				})
			}
			// The chunks of macOS end in good order; the length that it announced beside them was another.
			w.wire("alice", "PUT", file, "3\r\nnew\r\n0\r\n\r\n", "Transfer-Encoding", "chunked", "X-Expected-Entity-Length", "100").want(400)
			// The framing breaks and the connection stays.
			w.wire("alice", "PUT", file, "3\r\nnew\r\nZZ\r\n", "Transfer-Encoding", "chunked").want(400)
			w.holds(file, "the old bytes")
			if now := w.do("ann", "HEAD", file, "").header.Get("ETag"); now != etag {
				w.t.Errorf("after a PUT cut in %s the ETag is %s, want %s", name, now, etag)
			}
		}
	})
}

// TestM2_MoveOntoAncestor replaces a folder by what lies in it, which would
// delete the source, and all its neighbours.
func TestM2_MoveOntoAncestor(t *testing.T) {
	onWorlds(t, func(w *world) {
		room := w.room()
		w.dirs(room+"/dir", room+"/dir/sub")
		w.put(room+"/dir/a", "a", room+"/dir/sub/b", "b", room+"/other", "o")
		w.unchanged(room, func() {
			for _, src := range []string{"/dir/a", "/dir/sub", "/dir/sub/", "/dir/sub/b"} {
				for _, dst := range []string{"/dir", "/dir/", ""} {
					w.do("alice", "MOVE", room+src, "", "Destination", w.url+room+dst, "Overwrite", "T").either(403, 409)
				}
			}
		})
	})
}

// TestM3_OwnLockOpensNoOther writes to another's locked file with one's own
// token: THREATS.md M3.
func TestM3_OwnLockOpensNoOther(t *testing.T) {
	onWorlds(t, func(w *world) {
		room := w.room()
		w.put(room+"/victim", "alice's", room+"/mine", "carl's")
		w.lock("alice", room+"/victim")
		mine := w.lock("carl", room+"/mine")
		w.do("carl", "PUT", room+"/victim", "broken in", "If", "<"+w.url+room+"/mine> (<"+mine+">)").want(423)
		w.holds(room+"/victim", "alice's")
	})
}

// TestM4_TokenIsNotGuessed wants random tokens that serve nobody but their holder.
func TestM4_TokenIsNotGuessed(t *testing.T) {
	onWorlds(t, func(w *world) {
		room := w.room()
		w.put(room+"/a", "a", room+"/b", "b")
		a, b := w.lock("alice", room+"/a"), w.lock("alice", room+"/b")
		for _, token := range []string{a, b} {
			if !regexp.MustCompile(`^(opaquelocktoken|urn:uuid):[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(token) {
				w.t.Errorf("the token %s is no random UUID", token)
			}
		}
		if head, _, _ := strings.Cut(a, "-"); strings.HasPrefix(b, head) {
			w.t.Errorf("two tokens begin alike: %s, %s", a, b)
		}
		near := a[:len(a)-1] + string("0123456789abcdef0"[strings.IndexByte("0123456789abcdef", a[len(a)-1])+1])
		w.do("carl", "UNLOCK", room+"/a", "", "Lock-Token", "<"+near+">").either(403, 409)
		w.do("carl", "UNLOCK", room+"/a", "", "Lock-Token", "<"+a+">").either(403, 409)
		w.do("carl", "UNLOCK", room+"/b", "", "Lock-Token", "<"+a+">").either(403, 409)
		w.do("alice", "UNLOCK", room+"/b", "", "Lock-Token", "<"+a+">").either(403, 409)
		w.do("bob", "UNLOCK", room+"/a", "", "Lock-Token", "<"+a+">").either(403, 409)
		w.do("carl", "PUT", room+"/a", "x").want(423)
		w.do("carl", "PUT", room+"/b", "x").want(423)
	})
}

// TestM5_LockedChildSurvives deletes, moves and replaces a folder in which
// somebody holds a lock.
func TestM5_LockedChildSurvives(t *testing.T) {
	onWorlds(t, func(w *world) {
		room := w.room()
		w.dirs(room+"/dir", room+"/dir/deep", room+"/new")
		w.put(room+"/dir/deep/a", "held", room+"/new/n", "n")
		w.lock("alice", room+"/dir/deep/a")
		w.unchanged(room, func() {
			for _, user := range []string{"carl", "alice"} { // alice shows no token
				w.do(user, "DELETE", room+"/dir", "").want(423)
				w.do(user, "MOVE", room+"/dir", "", "Destination", w.url+room+"/away").want(423)
				w.do(user, "COPY", room+"/new", "", "Destination", w.url+room+"/dir", "Overwrite", "T").want(423)
				w.do(user, "MOVE", room+"/new", "", "Destination", w.url+room+"/dir", "Overwrite", "T").want(423)
			}
		})
	})
}

// TestM6_LockMakesNothingForAReader locks free names without the right to create.
func TestM6_LockMakesNothingForAReader(t *testing.T) {
	onWorlds(t, func(w *world) {
		room := w.room()
		w.unchanged(room, func() {
			w.do("bob", "LOCK", room+"/ghost", lockBody).want(403)
			w.do("bob", "LOCK", room+"/ghost", lockBody, "Depth", "0", "Timeout", "Second-1800").want(403)
		})
		w.do("bob", "PROPFIND", room, "", "Depth", "1").want(207).lacks("ghost")
	})
}

// TestM7_PrefixEndsAtASlash asks for what only begins like the drive.
func TestM7_PrefixEndsAtASlash(t *testing.T) {
	onWorlds(t, func(w *world) {
		room := w.room()
		w.put(room+"/f", "f")
		w.unchanged("", func() {
			for _, path := range []string{"/davteam/secret/f", "/davsecret/f", "/dav.team/readme.txt", "/davx" + room, "/DAV/team/readme.txt"} {
				w.wire("ann", "GET", path, "").want(404).lacks("secret\n")
				w.wire("ann", "PUT", path, "x").either(404, 405)
			}
			for _, dst := range []string{"/davpub", "/davpub/f", "/davteam/f", "/dav.team/f", "/f", "/"} {
				w.do("ann", "COPY", room+"/f", "", "Destination", w.url+dst).either(400, 502)
				w.do("ann", "MOVE", room+"/f", "", "Destination", dst).either(400, 502)
			}
			w.do("ann", "COPY", room+"/f", "", "Destination", "http://elsewhere.example"+room+"/g").want(502)
		})
	})
}

// TestM8_ConditionsOfPut overwrites under conditions that do not hold.
func TestM8_ConditionsOfPut(t *testing.T) {
	onWorlds(t, func(w *world) {
		room := w.room()
		w.put(room+"/a", "first")
		stale := w.do("alice", "HEAD", room+"/a", "").header.Get("ETag")
		w.do("alice", "PUT", room+"/a", "second").want(204)
		w.unchanged(room, func() {
			w.do("alice", "PUT", room+"/a", "lost update", "If-Match", stale).want(412)
			w.do("alice", "PUT", room+"/a", "not new", "If-None-Match", "*").want(412)
			w.do("alice", "PUT", room+"/a", "old", "If-Unmodified-Since", "Mon, 02 Jan 2006 15:04:05 GMT").want(412)
			w.do("alice", "PUT", room+"/a", "frag", "Content-Range", "bytes 2-5/6").want(400)
		})
		w.holds(room+"/a", "second")
	})
}

// TestM9_CopyIntoItself copies and moves a folder into one of its own.
func TestM9_CopyIntoItself(t *testing.T) {
	onWorlds(t, func(w *world) {
		room := w.room()
		w.dirs(room+"/dir", room+"/dir/there")
		w.put(room+"/dir/a", "a")
		w.unchanged(room, func() {
			for _, dst := range []string{"/dir/sub", "/dir/sub/", "/dir/there", "/dir/there/deeper", "/dir/a"} {
				w.do("alice", "COPY", room+"/dir", "", "Destination", w.url+room+dst).either(403, 409)
				w.do("alice", "MOVE", room+"/dir/", "", "Destination", w.url+room+dst).either(403, 409)
			}
		})
	})
}

// TestM10_NoDepthIsNoWalk lists without a Depth, and with infinity.
func TestM10_NoDepthIsNoWalk(t *testing.T) {
	onWorlds(t, func(w *world) {
		room := w.room()
		w.dirs(room + "/dir")
		w.put(room+"/dir/grandchild", "x")
		for _, path := range []string{room, "/dav/team", "/dav/", "/dav"} {
			if a := w.do("bob", "PROPFIND", path, ""); a.status != 207 {
				a.want(403).has("propfind-finite-depth")
			} else {
				a.lacks("grandchild")
			}
			for _, depth := range []string{"infinity", "Infinity"} {
				w.do("bob", "PROPFIND", path, "", "Depth", depth).want(403).has("<D:propfind-finite-depth/>").lacks("grandchild")
			}
		}
	})
}

// TestM11_ListingOutlivesItsMembers lists a folder while its members vanish: each
// answer is whole, with all that stays.
func TestM11_ListingOutlivesItsMembers(t *testing.T) {
	const count = 30
	onWorlds(t, func(w *world) {
		room := w.room()
		for i := range count {
			w.put(fmt.Sprintf("%s/%02d-stays", room, i), "s", fmt.Sprintf("%s/%02d-goes", room, i), "g")
		}
		var deleted errgroup.Group
		deleted.Go(func() error {
			for i := range count {
				if a := w.do("alice", "DELETE", fmt.Sprintf("%s/%02d-goes", room, i), ""); a.status != 204 {
					return fmt.Errorf("DELETE: %d", a.status)
				}
			}
			return nil
		})
		for left := count; left > 0 && !w.t.Failed(); {
			a := w.do("bob", "PROPFIND", room, "", "Depth", "1").want(207).has("</D:multistatus>")
			wellFormed(a)
			if n := strings.Count(a.body, "-stays</D:href>"); n != count {
				w.t.Errorf("%d of %d members that stay are listed", n, count)
			}
			left = strings.Count(a.body, "-goes</D:href>")
		}
		if err := deleted.Wait(); err != nil {
			w.t.Error(err)
		}
	})
}

// wellFormed fails the test unless the body is XML with all prefixes declared.
func wellFormed(a answer) {
	a.t.Helper()
	d := xml.NewDecoder(strings.NewReader(a.body))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			a.t.Errorf("%s: %v in %.300s", a.what, err, a.body)
			return
		}
		if e, ok := token.(xml.StartElement); ok && e.Name.Space != "" && !strings.Contains(e.Name.Space, ":") {
			a.t.Errorf("%s: the prefix of %v is not declared in %s", a.what, e.Name, a.body)
		}
	}
}

// propfindOf asks for one property.
func propfindOf(prop string) string {
	return `<D:propfind xmlns:D="DAV:"><D:prop>` + prop + `</D:prop></D:propfind>`
}

// TestM12_BombsOfXML nests deep enough to end the process of x/net, and lists
// enough names to fill its memory (rows 81 and 82, too).
func TestM12_BombsOfXML(t *testing.T) {
	w := worldOf(t, "disk")
	deep := func(n int) string {
		return propfindOf(strings.Repeat("<D:x>", n) + strings.Repeat("</D:x>", n))
	}
	for name, c := range map[string]struct {
		body     string
		statuses []int
	}{
		"shallow":          {deep(20), []int{207}},
		"33 levels":        {deep(33), []int{400}},
		"5,000 levels":     {deep(5000), []int{400}},
		"7 MB of levels":   {deep(640_000), []int{413}},
		"75 MB of levels":  {strings.Repeat("<a>", 25_000_000), []int{413}},
		"64 KiB and one":   {propfindOf("<!--" + strings.Repeat("x", 64<<10) + "-->"), []int{413}},
		"100,000 elements": {propfindOf(strings.Repeat("<D:getetag/>", 100_000)), []int{413}},
		"2,000 elements":   {propfindOf(strings.Repeat("<D:a/>", 2000)), []int{413}},
		"never closed":     {strings.Repeat("<a>", 2000), []int{400}},
	} {
		for _, method := range []string{"PROPFIND", "PROPPATCH", "LOCK"} {
			statuses := c.statuses
			if method != "PROPFIND" && statuses[0] == 207 {
				statuses = []int{400} // sound, but of another kind
			}
			a, _ := w.wired("alice", method, "/dav/team/readme.txt", c.body, false, "Content-Length", strconv.Itoa(len(c.body)), "Depth", "0")
			a.what += ", " + name
			a.either(statuses...)
			chunked, _ := w.wired("alice", method, "/dav/team/readme.txt", fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(c.body), c.body), false,
				"Transfer-Encoding", "chunked", "Depth", "0")
			chunked.what += ", chunked, " + name
			chunked.either(statuses...)
		}
	}
	w.do("bob", "GET", "/dav/team/readme.txt", "").want(200)
}

// TestM13_LocksAreBounded asks for large, many and long locks.
func TestM13_LocksAreBounded(t *testing.T) {
	onWorlds(t, func(w *world) {
		room := w.room()
		w.put(room+"/f", "f")
		for _, size := range []int{2 << 10, 60 << 10, 8 << 20} {
			body := strings.Replace(lockBody, "test", strings.Repeat("o", size), 1)
			w.do("dave", "LOCK", room+"/f", body).either(400, 403, 413)
		}
		w.do("dave", "PROPFIND", room+"/f", propfindOf("<D:lockdiscovery/>"), "Depth", "0").want(207).lacks("activelock")
		shared := strings.Replace(lockBody, "exclusive", "shared", 1)
		taken := 0
		for ; taken <= 100; taken++ {
			a := w.do("dave", "LOCK", room+"/f", shared, "Timeout", "Infinite, Second-4100000000")
			if a.status != 200 {
				a.either(403, 429, 507).has("locks")
				break
			}
			if left := timeouts(a); len(left) != 1 || left[0] > 3600 || left[0] < 1 {
				w.t.Fatalf("a lock for %v seconds, want an hour at most: %s", left, a.body)
			}
		}
		if taken != 100 {
			w.t.Errorf("one person took %d locks, want 100", taken)
		}
		w.lock("alice", room+"/alice's is free") // another's count is theirs
	})
}

// timeouts are the seconds that the locks in an answer have left.
func timeouts(a answer) (list []int) {
	for _, m := range regexp.MustCompile(`<D:timeout>Second-(\d+)</D:timeout>`).FindAllStringSubmatch(a.body, -1) {
		var n int
		_, _ = fmt.Sscan(m[1], &n)
		list = append(list, n)
	}
	return list
}

// TestM14_PagesAreSaved opens what could run scripts in the server's name.
func TestM14_PagesAreSaved(t *testing.T) {
	onWorlds(t, func(w *world) {
		room := w.room()
		page := "<html><script>alert(1)</script></html>"
		for _, name := range []string{"/x.html", "/x.svg", "/x"} {
			w.put(room+name, page)
			a := w.do("bob", "GET", room+name, "").want(200).has(page)
			savedNotShown(a)
			if kind := a.header.Get("Content-Type"); name == "/x" && kind != "application/octet-stream" {
				w.t.Errorf("the type of a file without an extension is guessed: %s", kind)
			}
			a = w.do("bob", "POST", room+name, "").want(405).lacks("alert")
			if a.header.Get("Allow") == "" {
				w.t.Errorf("%s: 405 without Allow", a.what)
			}
		}
	})
}

// savedNotShown fails the test unless a browser saves the answer's body.
func savedNotShown(a answer) {
	a.t.Helper()
	for header, want := range map[string]string{
		"Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff",
		"Content-Security-Policy": "sandbox", "Cross-Origin-Resource-Policy": "same-origin",
	} {
		if got := a.header.Get(header); !strings.HasPrefix(got, want) {
			a.t.Errorf("%s: %s is %q, want %s", a.what, header, got, want)
		}
	}
	if csp := a.header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "allow-") {
		a.t.Errorf("%s: Content-Security-Policy is %q", a.what, csp)
	}
}

// TestM15_OnePathOneName asks in four ways that are no address.
func TestM15_OnePathOneName(t *testing.T) {
	onWorlds(t, func(w *world) {
		for _, user := range []string{"ann", "bob"} { // who may see it, and who may not
			for _, path := range []string{
				"/dav/team/pub/%2e%2e/secret/f", "/dav/team/pub%2f..%2fsecret%2ff", "/dav/team/../team/secret/f",
				"/dav//team//secret//f", "/dav/team/secret//f", "/dav/team/./secret/f",
			} {
				for _, method := range []string{"GET", "HEAD", "PUT", "DELETE", "PROPFIND", "LOCK"} {
					w.wire(user, method, path, "").want(400).lacks("top secret")
				}
			}
			for _, path := range []string{"//team//secret//f", "//dav/team/secret/f", "///dav/team/secret/f"} {
				w.wire(user, "GET", path, "").either(400, 404).lacks("top secret")
			}
		}
		w.wire("ann", "GET", "/dav/team/secret/f/", "").either(400, 404).lacks("top secret") // a file's address has no slash
		w.holds("/dav/team/secret/f", "top secret")
	})
}

// TestM16_NoEntities sends document types, whose entities x/net does not expand either.
func TestM16_NoEntities(t *testing.T) {
	w := worldOf(t, "disk")
	room := w.room()
	w.put(room+"/f", "f")
	const dtd = `<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd"><!ENTITY b "bomb">]>`
	for method, body := range map[string]string{
		"PROPFIND":  dtd + `<D:propfind xmlns:D="DAV:"><D:prop><D:displayname>&b;&e;</D:displayname></D:prop></D:propfind>`,
		"PROPPATCH": dtd + `<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><x xmlns="urn:x">&b;&e;</x></D:prop></D:set></D:propertyupdate>`,
		"LOCK":      dtd + strings.TrimPrefix(strings.Replace(lockBody, "test", "&b;&e;", 1), `<?xml version="1.0" encoding="utf-8"?>`),
	} {
		w.do("alice", method, room+"/f", body, "Depth", "0").want(400).lacks("bomb").lacks("root:")
		w.do("alice", method, room+"/f", strings.Replace(body, "&b;&e;", "", 1), "Depth", "0").want(400)
	}
	w.do("alice", "PROPFIND", room+"/f", "", "Depth", "0").want(207).lacks("bomb").lacks("root:").lacks("activelock")
}

// allocated is what the process has allocated so far.
func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}
