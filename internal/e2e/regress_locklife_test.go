package e2e

import (
	"bufio"
	"encoding/xml"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// The rows are those of the defects of x/net/webdav in the life of a lock, and in
// what is told of it.

// TestRow20_LocksSurviveARestart restarts the server under a lock.
func TestRow20_LocksSurviveARestart(t *testing.T) {
	onEach(t, func(t *testing.T, st storage) {
		s := start(t, st)
		s.do("bob", "PUT", "/dav/firm/f", "f").want(201)
		token := s.lock("bob", "/dav/firm/f", "Timeout", "Second-3600")
		s.stop()
		s.run()
		s.do("ann", "PUT", "/dav/firm/f", "x").want(423)
		s.do("bob", "PROPFIND", "/dav/firm/f", propfindOf("<D:lockdiscovery/>"), "Depth", "0").want(207).has(token)
		s.do("bob", "LOCK", "/dav/firm/f", "", "If", "(<"+token+">)").want(200).has(token)
		s.do("bob", "PUT", "/dav/firm/f", "y", "If", "(<"+token+">)").want(204)
		s.do("bob", "UNLOCK", "/dav/firm/f", "", "Lock-Token", "<"+token+">").want(204)
	})
}

// slowPut is an upload that ends when the test closes feed.
func (s *server) slowPut(user, path string, header ...string) (feed io.WriteCloser, status chan int) {
	s.t.Helper()
	body, feed := io.Pipe()
	status = make(chan int, 1)
	go func() {
		r, err := http.NewRequestWithContext(s.t.Context(), "PUT", s.url+path, bufio.NewReader(body))
		if err != nil {
			status <- 0
			return
		}
		for i := 0; i+1 < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		r.SetBasicAuth(user, password)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			status <- 0
			return
		}
		resp.Body.Close()
		status <- resp.StatusCode
	}()
	if _, err := io.WriteString(feed, "slow"); err != nil {
		s.t.Fatal(err)
	}
	eventually(s.t, "the upload is under way", func() bool { return s.uploads() == "1" })
	return feed, status
}

// TestRow21_LockUnderAnUpload refreshes the lock, sets properties and unlocks while
// an upload with the same token is under way, as long uploads of macOS need.
func TestRow21_LockUnderAnUpload(t *testing.T) {
	onWorlds(t, func(w *world) {
		room := w.room()
		w.put(room+"/f", "old")
		token := w.lock("alice", room+"/f")
		feed, status := w.slowPut("alice", room+"/f", "If", "(<"+token+">)")
		w.do("alice", "LOCK", room+"/f", "", "If", "(<"+token+">)").want(200).has(token)
		w.do("alice", "PROPPATCH", room+"/f", setProp, "If", "(<"+token+">)").want(207).has("200 OK")
		w.do("bob", "GET", room+"/f", "").want(200).has("old")
		w.do("alice", "UNLOCK", room+"/f", "", "Lock-Token", "<"+token+">").want(204)
		feed.Close()
		if got := <-status; got != 204 {
			w.t.Errorf("the upload: %d, want 204", got)
		}
		w.holds(room+"/f", "slow")
	})
}

// TestRow22_UploadLocksNothing writes to a path while an upload to it is under way
// that holds no lock. Who locks it meanwhile is not overwritten.
func TestRow22_UploadLocksNothing(t *testing.T) {
	onWorlds(t, func(w *world) {
		room := w.room()
		w.put(room+"/f", "old")
		feed, status := w.slowPut("alice", room+"/f")
		w.do("carl", "PUT", room+"/f", "quick").want(204)
		w.do("carl", "PROPPATCH", room+"/f", setProp).want(207).has("200 OK")
		token := w.lock("carl", room+"/f")
		feed.Close()
		if got := <-status; got != 423 {
			w.t.Errorf("an upload onto a file that was locked meanwhile: %d, want 423", got)
		}
		w.holds(room+"/f", "quick")

		feed, status = w.slowPut("carl", room+"/f", "If", "(<"+token+">)")
		w.do("carl", "UNLOCK", room+"/f", "", "Lock-Token", "<"+token+">").want(204)
		w.do("alice", "PUT", room+"/f", "in between").want(204)
		feed.Close()
		if got := <-status; got != 204 && got != 412 {
			w.t.Errorf("the last writer: %d, want 204, or 412 for the lock that it named", got)
		}
	})
}

// TestRow23_Timeouts gives every lock an end, and says the real one.
func TestRow23_Timeouts(t *testing.T) {
	onWorlds(t, func(w *world) {
		room := w.room()
		w.put(room+"/f", "f")
		for wish, want := range map[string][2]int{
			"":                              {60, 3600},
			"Infinite":                      {60, 3600},
			"infinite":                      {60, 3600},
			"Infinite, Second-4100000000":   {60, 3600},
			"Second-4294967296":             {3590, 3600},
			"Second-99999999999999999999":   {60, 3600},
			"Second-600":                    {595, 600},
			"second-600":                    {595, 600},
			"Second-1":                      {55, 60},
			"Second-0":                      {55, 3600},
			"Second-":                       {60, 3600},
			"Extend Infinite, Second-10000": {3590, 3600},
			"tomorrow":                      {60, 3600},
		} {
			header := []string{"Timeout", wish}
			if wish == "" {
				header = nil
			}
			a := w.do("alice", "LOCK", room+"/f", lockBody, header...).want(200)
			shown := w.do("alice", "PROPFIND", room+"/f", propfindOf("<D:lockdiscovery/>"), "Depth", "0")
			for _, left := range [][]int{timeouts(a), timeouts(shown)} {
				if len(left) != 1 || left[0] < want[0]-5 || left[0] > want[1] {
					w.t.Errorf("Timeout %q: %v seconds, want %v; %s", wish, left, want, a.body)
				}
			}
			w.do("alice", "UNLOCK", room+"/f", "", "Lock-Token", a.header.Get("Lock-Token")).want(204)
		}
	})
}

// TestRow24_LockDiscovery shows who holds a lock to all who see the file, and the
// token to its holder alone.
func TestRow24_LockDiscovery(t *testing.T) {
	onWorlds(t, func(w *world) {
		room := w.room()
		w.dirs(room + "/d")
		w.put(room+"/f", "f", room+"/d/inside", "i")
		token, tree := w.lock("alice", room+"/f"), w.lock("alice", room+"/d")
		for path, token := range map[string]string{"/f": token, "/d": tree, "/d/inside": tree} {
			for _, body := range []string{propfindOf("<D:lockdiscovery/>"), ""} {
				w.do("alice", "PROPFIND", room+path, body, "Depth", "0").want(207).has("<D:activelock>").has(token)
				for _, user := range []string{"bob", "carl", "ann"} {
					w.do(user, "PROPFIND", room+path, body, "Depth", "0").want(207).has("<D:activelock>").has("Alice Jacobs").lacks(token[len(token)-36:])
				}
			}
		}
	})
}

// TestRow25_OwnerKeepsItsNamespaces gives an owner whose prefix is declared further
// up, and with a quote, an entity and a comment in it.
func TestRow25_OwnerKeepsItsNamespaces(t *testing.T) {
	onWorlds(t, func(w *world) {
		room := w.room()
		w.put(room+"/f", "f")
		body := `<ns0:lockinfo xmlns:ns0="DAV:" xmlns:m="urn:mine"><ns0:lockscope><ns0:exclusive/></ns0:lockscope><ns0:locktype><ns0:write/></ns0:locktype>` +
			`<ns0:owner><ns0:href m:note="a&quot;&lt;b">http://h/?a=1&amp;b=&lt;2&gt;</ns0:href><m:who>Ed<!-- hm --></m:who></ns0:owner></ns0:lockinfo>`
		for _, a := range []answer{
			w.do("alice", "LOCK", room+"/f", body).want(200),
			w.do("alice", "PROPFIND", room+"/f", "", "Depth", "0").want(207),
			w.do("alice", "PROPFIND", room, "", "Depth", "1").want(207),
		} {
			wellFormed(a.has("http://h/?a=1&amp;b=&lt;2&gt;").has("Ed"))
		}
	})
}

// TestRow26_LockRootIsAnAddress locks a file whose name must be escaped.
func TestRow26_LockRootIsAnAddress(t *testing.T) {
	onWorlds(t, func(w *world) {
		room := w.room()
		path := room + "/h%20%26%C3%A9%3Cb%3E"
		w.put(path, "f")
		plain, err := url.PathUnescape(path)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, a := range []answer{
			w.do("alice", "LOCK", path, lockBody).want(200),
			w.do("bob", "PROPFIND", path, propfindOf("<D:lockdiscovery/>"), "Depth", "0").want(207),
			w.do("carl", "PUT", path, "x").want(423),
		} {
			hrefs := hrefsOf(a)
			if len(hrefs) == 0 {
				w.t.Errorf("%s names no address: %s", a.what, a.body)
			}
			for _, href := range hrefs {
				if got, err := url.PathUnescape(href); err != nil || got != plain || strings.ContainsAny(href, " <>\u00e9") {
					w.t.Errorf("%s names %q, want %q", a.what, href, path)
				}
			}
		}
	})
}

// hrefsOf are the addresses in an answer, without tokens.
func hrefsOf(a answer) (list []string) {
	d := xml.NewDecoder(strings.NewReader(a.body))
	for {
		token, err := d.Token()
		if err != nil {
			return list
		}
		if e, ok := token.(xml.StartElement); ok && e.Name.Local == "href" {
			var text string
			if d.DecodeElement(&text, &e) == nil && strings.HasPrefix(text, "/") {
				list = append(list, text)
			}
		}
	}
}

// TestRow27_SharedLocksAndConflicts holds the bodies of 423 and shared locks to
// RFC 4918.
func TestRow27_SharedLocksAndConflicts(t *testing.T) {
	onWorlds(t, func(w *world) {
		room := w.room()
		w.put(room+"/f", "f", room+"/x", "x", room+"/y", "y")
		shared := strings.Replace(lockBody, "exclusive", "shared", 1)
		first := w.do("alice", "LOCK", room+"/f", shared).want(200).has("<D:shared/>").header.Get("Lock-Token")
		second := w.do("carl", "LOCK", room+"/f", shared).want(200).header.Get("Lock-Token")
		if first == second {
			w.t.Error("two shared locks have one token")
		}
		w.do("dave", "LOCK", room+"/f", lockBody).want(423).has("no-conflicting-lock").has(room + "/f")
		w.do("dave", "PUT", room+"/f", "x").want(423).has("lock-token-submitted").has(room + "/f").lacks(first).lacks(second)
		w.do("carl", "PUT", room+"/f", "carl's", "If", "("+second+")").want(204)

		w.lock("alice", room+"/x")
		w.do("carl", "LOCK", room+"/x", shared).want(423).has("no-conflicting-lock")
		w.do("alice", "LOCK", room+"/none/child", lockBody).want(409)
		w.do("alice", "LOCK", room+"/y/child", lockBody).want(409)
	})
}
