package e2e

import (
	"fmt"
	"io"
	"strings"
	"testing"
)

// The rows are those of the defects of x/net/webdav that lose data.

// TestRow1_MoveOfNothing moves a source that does not exist onto a file.
func TestRow1_MoveOfNothing(t *testing.T) {
	onWorlds(t, func(w *world) {
		room := w.room()
		w.dirs(room + "/dir")
		w.put(room+"/dst", "stays", room+"/dir/a", "stays")
		w.unchanged(room, func() {
			for _, dst := range []string{"/dst", "/dir"} {
				w.do("alice", "MOVE", room+"/missing", "", "Destination", w.url+room+dst, "Overwrite", "T").want(404)
				w.do("alice", "COPY", room+"/missing", "", "Destination", w.url+room+dst, "Overwrite", "T").want(404)
				w.do("alice", "MOVE", room+"/dst/", "", "Destination", w.url+room+"/dir", "Overwrite", "T").want(404) // a file's address has no slash
			}
		})
	})
}

// TestRow31_Overwrite holds a file against a MOVE and a COPY that say not to replace
// it. macOS says nothing and means yes, and some say so in a small letter.
func TestRow31_Overwrite(t *testing.T) {
	onWorlds(t, func(w *world) {
		room := w.room()
		w.dirs(room+"/dir", room+"/old")
		w.put(room+"/a", "new", room+"/b", "old", room+"/old/member", "m")
		for _, method := range []string{"COPY", "MOVE"} {
			w.unchanged(room, func() {
				for src, dst := range map[string]string{"/a": "/b", "/dir": "/old"} {
					w.do("alice", method, room+src, "", "Destination", w.url+room+dst, "Overwrite", "F").want(412)
					w.do("alice", method, room+src, "", "Destination", w.url+room+dst, "Overwrite", "f").want(412)
				}
			})
		}
		w.do("alice", "COPY", room+"/a", "", "Destination", w.url+room+"/b", "Overwrite", "t").want(204)
		w.do("alice", "MOVE", room+"/a", "", "Destination", w.url+room+"/b").want(204)
		w.holds(room+"/b", "new")
	})
}

// TestRow2_OntoAncestor replaces a folder by a thing inside it, by MOVE and COPY.
func TestRow2_OntoAncestor(t *testing.T) {
	onWorlds(t, func(w *world) {
		room := w.room()
		w.dirs(room+"/a", room+"/a/b")
		w.put(room+"/a/b/file", "source", room+"/a/sibling", "s")
		w.unchanged(room, func() {
			for _, method := range []string{"COPY", "MOVE"} {
				for _, overwrite := range []string{"T", "F"} {
					w.do("alice", method, room+"/a/b", "", "Destination", w.url+room+"/a", "Overwrite", overwrite).either(403, 409, 412)
					w.do("alice", method, room+"/a/b/file", "", "Destination", room+"/a/", "Overwrite", overwrite).either(403, 409, 412)
				}
				w.do("alice", method, room+"/a/b", "", "Destination", w.url+room+"/a").either(403, 409)
			}
		})
	})
}

// TestRow3_AliasOfTheSource names the source once more as the destination.
func TestRow3_AliasOfTheSource(t *testing.T) {
	onWorlds(t, func(w *world) {
		room := w.room()
		w.dirs(room+"/dir", room+"/x")
		w.put(room+"/caf%C3%A9", "bytes", room+"/dir/member", "m")
		w.unchanged(room, func() {
			for _, method := range []string{"COPY", "MOVE"} {
				for _, alias := range []string{
					"/caf%C3%A9", "/caf%C3%A9/", "//caf%C3%A9", "/./caf%C3%A9", "/x/../caf%C3%A9", "/cafe%CC%81", "/caf%c3%a9", "/%63af%C3%A9", "/x/%2e%2e/caf%C3%A9",
				} {
					w.wire("alice", method, room+"/caf%C3%A9", "", "Destination", w.url+room+alias).either(400, 403)
					w.wire("alice", method, room+"/cafe%CC%81", "", "Destination", room+alias, "Overwrite", "T").either(400, 403)
				}
				for _, alias := range []string{"/dir", "/dir/", "//dir", "/./dir", "/x/../dir"} {
					w.wire("alice", method, room+"/dir/", "", "Destination", w.url+room+alias).either(400, 403)
				}
			}
		})
	})
}

// TestRow4_CopyIntoItself wants no copies of copies, with Depth 0 neither loss.
func TestRow4_CopyIntoItself(t *testing.T) {
	onWorlds(t, func(w *world) {
		room := w.room()
		w.dirs(room+"/a", room+"/a/c")
		w.put(room+"/a/f", "f")
		w.unchanged(room, func() {
			for _, dst := range []string{"/a/b", "/a/c", "/a/c/d", "/a/f"} {
				w.do("alice", "COPY", room+"/a", "", "Destination", w.url+room+dst, "Depth", "infinity").either(403, 409)
				w.do("alice", "MOVE", room+"/a", "", "Destination", w.url+room+dst).either(403, 409)
			}
		})
		w.do("alice", "COPY", room+"/a", "", "Destination", w.url+room+"/a/b", "Depth", "0").want(201)
		w.gone(room + "/a/b/f")
	})
}

// TestRow5_LockEmptiesNothing locks a file that is there.
func TestRow5_LockEmptiesNothing(t *testing.T) {
	onWorlds(t, func(w *world) {
		room := w.room()
		w.put(room+"/f", "bytes")
		w.unchanged(room, func() { w.do("alice", "LOCK", room+"/f", lockBody).want(200) })
	})
}

// TestRow6_ResetUpload ends the connection of an upload with a reset, as a client
// that is killed does: the old version stays, and a new name stays free.
func TestRow6_ResetUpload(t *testing.T) {
	onWorlds(t, func(w *world) {
		room := w.room()
		w.put(room+"/old", "the old bytes")
		w.unchanged(room, func() {
			for _, path := range []string{room + "/old", room + "/new"} {
				for _, sent := range []int{10, 12 << 20} {
					conn := w.dial()
					_, _ = io.WriteString(conn, w.head("alice", "PUT", path, "Content-Length", "20000000")+strings.Repeat("x", sent))
					eventually(w.t, "the upload is under way", func() bool { return w.uploads() == "1" })
					_ = conn.SetLinger(0) // a reset, not a good-bye
					conn.Close()
					eventually(w.t, "the upload is over", func() bool { return w.uploads() == "0" })
				}
			}
		})
		w.holds(room+"/old", "the old bytes")
		w.gone(room + "/new")
	})
}

// TestRow7_PutOfAPart resumes an upload as Cyberduck does.
func TestRow7_PutOfAPart(t *testing.T) {
	onWorlds(t, func(w *world) {
		room := w.room()
		w.put(room+"/f", "0123456789")
		w.unchanged(room, func() {
			for _, path := range []string{room + "/f", room + "/new"} {
				for _, part := range []string{"bytes 5-9/10", "bytes 0-4/10", "bytes */10", "nonsense"} {
					w.do("alice", "PUT", path, "abcde", "Content-Range", part).either(400, 501)
				}
			}
		})
	})
}

// TestRow8_ConditionalPut holds conditions against the file, also when many
// writers race: one of them wins.
func TestRow8_ConditionalPut(t *testing.T) {
	onWorlds(t, func(w *world) {
		room := w.room()
		w.do("alice", "PUT", room+"/new", "1", "If-Match", "*").want(412)
		w.do("alice", "PUT", room+"/new", "1", "If-Match", `"x"`).want(412)
		w.gone(room + "/new")
		w.do("alice", "PUT", room+"/new", "1", "If-None-Match", "*").want(201)
		etag := w.do("alice", "HEAD", room+"/new", "").header.Get("ETag")
		w.do("alice", "PUT", room+"/new", "2", "If-Match", "W/"+etag).want(412)
		w.do("alice", "PUT", room+"/new", "2", "If-None-Match", etag).want(412)
		w.do("alice", "PUT", room+"/new", "2", "If-Match", `"other", `+etag).want(204)
		w.do("alice", "DELETE", room+"/new", "", "If-Match", etag).want(412)
		w.do("alice", "MOVE", room+"/new", "", "If-Match", etag, "Destination", w.url+room+"/b").want(412)
		w.holds(room+"/new", "2")

		etag = w.do("alice", "HEAD", room+"/new", "").header.Get("ETag")
		if n := winners(w, room+"/new", 204, "If-Match", etag); n != 1 {
			w.t.Errorf("%d writers of one version won, want 1", n)
		}
		if n := winners(w, room+"/race", 201, "If-None-Match", "*"); n != 1 {
			w.t.Errorf("%d writers made the one file, want 1", n)
		}
	})
}

// winners lets eight clients PUT at once, and counts those who are told won;
// all others must be told 412.
func winners(w *world, path string, won int, header ...string) int {
	results := make(chan answer)
	for i := range 8 {
		go func() { results <- w.do("alice", "PUT", path, fmt.Sprint("writer ", i), header...) }()
	}
	n := 0
	for range 8 {
		if (<-results).either(won, 412).status == won {
			n++
		}
	}
	return n
}

// TestRow10_ProppatchKeepsTheBytes sets properties as Windows does after a copy.
func TestRow10_ProppatchKeepsTheBytes(t *testing.T) {
	onWorlds(t, func(w *world) {
		room := w.room()
		w.dirs(room + "/dir")
		w.put(room+"/f", "bytes")
		etag := w.do("alice", "HEAD", room+"/f", "").header.Get("ETag")
		body := `<D:propertyupdate xmlns:D="DAV:" xmlns:Z="urn:schemas-microsoft-com:"><D:set><D:prop>` +
			`<Z:Win32LastModifiedTime>Wed, 01 Jan 2025 00:00:00 GMT</Z:Win32LastModifiedTime></D:prop></D:set></D:propertyupdate>`
		w.unchanged(room, func() {
			w.do("alice", "PROPPATCH", room+"/f", body).want(207).has("200 OK")
			w.do("alice", "PROPPATCH", room+"/dir", body).want(207).has("200 OK")
			w.do("alice", "PROPPATCH", room+"/none", body).want(404)
		})
		if now := w.do("alice", "HEAD", room+"/f", "").header.Get("ETag"); now != etag {
			w.t.Errorf("PROPPATCH changed the ETag from %s to %s", etag, now)
		}
		w.holds(room+"/f", "bytes")
	})
}

// TestRow11_ReadersSeeOldOrNew reads a file while it is replaced again and again.
func TestRow11_ReadersSeeOldOrNew(t *testing.T) {
	onWorlds(t, func(w *world) {
		room := w.room()
		old, fresh := strings.Repeat("old", 30_000), strings.Repeat("new!", 20_000)
		w.put(room+"/dst", old, room+"/new", fresh)
		stop, read := make(chan struct{}), make(chan int)
		go func() {
			n := 0
			for {
				if a := w.do("bob", "GET", room+"/dst", ""); a.status != 200 || a.body != old && a.body != fresh {
					w.t.Errorf("a reader got %d, %d bytes", a.status, len(a.body))
				}
				n++
				select {
				case <-stop:
					read <- n
					return
				default:
				}
			}
		}()
		for range 10 {
			w.do("alice", "COPY", room+"/new", "", "Destination", w.url+room+"/dst").want(204)
			w.do("alice", "PUT", room+"/dst", old).want(204)
			w.do("alice", "COPY", room+"/new", "", "Destination", w.url+room+"/tmp").want(201)
			w.do("alice", "MOVE", room+"/tmp", "", "Destination", w.url+room+"/dst", "Overwrite", "T").want(204)
			w.do("alice", "PUT", room+"/dst", old).want(204)
		}
		close(stop)
		if n := <-read; n < 5 {
			w.t.Errorf("only %d reads in between", n)
		}
	})
}
