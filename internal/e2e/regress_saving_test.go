package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// expecting sends the head of a PUT with "Expect: 100-continue", as curl and
// LibreOffice do, and waits. It gives the first answer: 100 where the server wants the
// body, and then the one that came after it.
func (s *server) expecting(user, path, body string, header ...string) (first int, last answer) {
	s.t.Helper()
	conn := s.dial()
	defer conn.Close()
	in := bufio.NewReader(conn)
	next := func() answer {
		resp, err := http.ReadResponse(in, &http.Request{Method: http.MethodPut})
		if err != nil {
			s.t.Fatalf("PUT %s %v: %v", path, header, err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			s.t.Fatal(err)
		}
		return answer{s.t, fmt.Sprintf("%s PUT %s %.200v", user, path, header), resp.StatusCode, resp.Header, string(b)}
	}
	if _, err := io.WriteString(conn, s.head(user, "PUT", path, append(header, "Expect", "100-continue")...)); err != nil {
		s.t.Fatal(err)
	}
	last = next()
	if first = last.status; first == http.StatusContinue {
		if _, err := io.WriteString(conn, body); err != nil {
			s.t.Fatal(err)
		}
		last = next()
	}
	return first, last
}

// TestSaving_ContinueComesLast refuses an upload before its body where rights, locks,
// conditions, quota or the name forbid it, whether its length is told or not: a client
// that waits has not sent 5 GiB for nothing.
func TestSaving_ContinueComesLast(t *testing.T) {
	onWorlds(t, func(w *world) {
		room := w.room()
		w.dirs(room + "/d")
		w.put(room+"/f", "stays", room+"/locked", "stays")
		w.lock("alice", room+"/locked")
		etag := w.do("alice", "HEAD", room+"/f", "").header.Get("ETag")
		none := "(<opaquelocktoken:00000000-0000-0000-0000-000000000000>)"
		// A workspace that is full to the last byte.
		w.do("alice", "PUT", "/dav/small/all", strings.Repeat("x", 1<<20)).want(201)
		cases := []struct {
			user, path string
			want       []int
			header     []string
		}{
			{"", "/f", []int{401}, nil},
			{"bob", "/f", []int{403}, nil},
			{"bob", "/new", []int{403}, nil},
			{"mallory", "/f", []int{404}, nil},
			{"alice", "/../secret/f", []int{400}, nil},
			{"alice", "=/dav/team/secret/f", []int{403, 404}, nil},
			{"alice", "=/dav/team/denied/f", []int{403, 404}, nil},
			{"alice", "=/dav/nowhere/f", []int{403, 404, 409}, nil},
			{"carl", "/locked", []int{423}, nil},
			{"alice", "/locked", []int{423}, nil},
			{"alice", "/f", []int{412}, []string{"If", none}},
			{"alice", "/f", []int{400}, []string{"If", "("}},
			{"alice", "/f", []int{412}, []string{"If-Match", `"other"`}},
			{"alice", "/f", []int{412}, []string{"If-None-Match", "*"}},
			{"alice", "/f", []int{412}, []string{"If-None-Match", etag}},
			{"alice", "/f", []int{412}, []string{"If-Unmodified-Since", "Mon, 02 Jan 2006 15:04:05 GMT"}},
			{"alice", "/f", []int{400}, []string{"Content-Range", "bytes 0-4/5"}},
			{"alice", "/f", []int{400}, []string{"X-Expected-Entity-Length", "five"}}, // of chunks alone
			{"alice", "/f", []int{413}, []string{"X-Expected-Entity-Length", "99999999999"}},
			{"alice", "/d", []int{405}, nil},
			{"alice", "/f/", []int{400}, nil},
			{"alice", "/none/f", []int{409}, nil},
			{"alice", "/f/below", []int{409}, nil},
			{"alice", "/a%00b", []int{400}, nil},
			{"alice", "/a%0Ab", []int{400}, nil},
			{"alice", "/a%5Cb", []int{400}, nil},
			{"alice", "/a%2Fb", []int{400}, nil},
			{"alice", "/%ff", []int{400}, nil},
			{"alice", "/" + strings.Repeat("n", 256), []int{400}, nil},
			{"alice", "=/dav/small/new", []int{507}, nil},
			{"alice", "=/dav/small/new", []int{507}, []string{"X-Expected-Entity-Length", "5"}},
		}
		w.unchanged(room, func() {
			for _, c := range cases {
				path, whole := strings.CutPrefix(c.path, "=")
				if !whole {
					path = room + path
				}
				for _, frame := range [][]string{{"Content-Length", "5"}, {"Transfer-Encoding", "chunked"}} {
					if frame[0] == "Content-Length" && len(c.header) > 0 && c.header[0] == "X-Expected-Entity-Length" {
						continue // net/http holds a body to its Content-Length
					}
					first, last := w.expecting(c.user, path, "5\r\nstays\r\n0\r\n\r\n", append(frame, c.header...)...)
					if first == http.StatusContinue {
						w.t.Errorf("%s: the body was asked for, and then the answer was %d", last.what, last.status)
					}
					last.either(c.want...)
				}
			}
		})
		w.do("alice", "DELETE", "/dav/small/all", "").want(204)
	})
}

// TestSaving_Continue asks for the body of an upload that may be, and stores it.
func TestSaving_Continue(t *testing.T) {
	onWorlds(t, func(w *world) {
		room := w.room()
		token := w.lock("alice", room+"/locked")
		for path, header := range map[string][]string{
			"/plain":     {"Content-Length", "5"},
			"/chunked":   {"Transfer-Encoding", "chunked"},
			"/locked":    {"Content-Length", "5", "If", "(<" + token + ">)"},
			"/new":       {"Content-Length", "5", "If-None-Match", "*"},
			"/finder":    {"Transfer-Encoding", "chunked", "X-Expected-Entity-Length", "5"},
			"/NFC%CC%A7": {"Content-Length", "5"},
		} {
			body := map[string]string{"Content-Length": "bytes", "Transfer-Encoding": "5\r\nbytes\r\n0\r\n\r\n"}[header[0]]
			first, last := w.expecting("alice", room+path, body, header...)
			if first != http.StatusContinue {
				w.t.Errorf("%s: the first answer is %d, want 100", last.what, first)
			}
			last.either(201, 204)
			w.holds(room+path, "bytes")
		}
	})
}

// TestSaving_RestIsNoRequest gives up on a body that nobody reads: the
// connection is closed, so that what is left of the body is never taken for a request.
func TestSaving_RestIsNoRequest(t *testing.T) {
	onWorlds(t, func(w *world) {
		room := w.room()
		smuggled := w.head("alice", "DELETE", room, "Content-Length", "0")
		conn := w.dial()
		defer conn.Close()
		_, _ = io.WriteString(conn, strings.Replace(w.head("bob", "PUT", room+"/f", "Content-Length", strconv.Itoa(len(smuggled)), "Expect", "100-continue"), "Connection: close\r\n", "", 1)+smuggled)
		in := bufio.NewReader(conn)
		resp, err := http.ReadResponse(in, nil)
		if err != nil || resp.StatusCode != 403 {
			w.t.Fatalf("PUT without the right: %v, %v", resp, err)
		}
		defer resp.Body.Close()
		_, _ = io.Copy(io.Discard, resp.Body)
		if again, err := http.ReadResponse(in, nil); err == nil {
			again.Body.Close()
			w.t.Errorf("the body was taken for a request: %d", again.StatusCode)
		}
		w.do("alice", "PROPFIND", room, "", "Depth", "0").want(207)
	})
}
