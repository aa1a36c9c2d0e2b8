package gateway_test

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"portico/gateway/gatewaytest"
)

func partial(s *settings) { s.gateway.Partial = true }

// patch sends a part, as SabreDAV's clients do.
func patch(u *gatewaytest.User, p, rang, body string, headers ...string) *gatewaytest.Response {
	headers = append([]string{"Content-Type: application/x-sabredav-partialupdate", "X-Update-Range: " + rang}, headers...)
	return u.Send(u.Request("PATCH", p, strings.NewReader(body), headers...))
}

func TestPatch(t *testing.T) {
	h := newHouse(t, partial)
	ann := h.as("ann")
	ann.Put("/firm/f", "0123456789", "X-OC-Mtime: 1700000000").Want(201)
	for _, step := range []struct{ rang, body, want string }{
		{"bytes=3-5", "abc", "012abc6789"},
		{"bytes=0-", "XY", "XY2abc6789"},
		{"bytes=8-", "tail", "XY2abc67tail"},
		{"bytes=-4", "TAIL", "XY2abc67TAIL"},
		{"bytes=-2", "longer", "XY2abc67TAlonger"},
		{"append", "!", "XY2abc67TAlonger!"},
		{"bytes=17-", "?", "XY2abc67TAlonger!?"},
		{"bytes=-0", ".", "XY2abc67TAlonger!?."},
		{"Bytes = 0 - 0", "x", "xY2abc67TAlonger!?."},
		{"append", "", "xY2abc67TAlonger!?."},
	} {
		etag := ann.Do("HEAD", "/firm/f", "").ETag()
		res := patch(ann, "/firm/f", step.rang, step.body, "If-Match: "+etag).Want(204)
		got := ann.Get("/firm/f").Want(200).WantText(step.want)
		if res.ETag() != got.ETag() || got.ETag() == etag {
			t.Errorf("%s: ETag %s, then %s, before %s", step.rang, res.ETag(), got.ETag(), etag)
		}
	}
}

func TestPatchRefused(t *testing.T) {
	h := newHouse(t, partial)
	ann, bob := h.as("ann"), h.as("bob")
	ann.Do("MKCOL", "/firm/d", "").Want(201)
	ann.Put("/firm/f", "0123456789").Want(201)
	for rang, want := range map[string]int{
		"bytes=11-": 416, "bytes=-11": 416, "bytes=5-4": 416, "bytes=0-1": 416, "bytes=0-9": 416,
		"": 400, "bytes": 400, "bytes=": 400, "bytes=-": 400, "bytes=x-": 400, "bytes=1-x": 400, "items=0-2": 400, "bytes=+1-": 400, "appendix": 400, "bytes=0-2,4-6": 400,
		"bytes=9223372036854775807-": 416, "bytes=-9223372036854775807": 416, "bytes=99999999999999999999-": 416,
	} {
		patch(ann, "/firm/f", rang, "abc").Want(want)
	}
	patch(ann, "/firm/none", "append", "x").Want(404)
	patch(ann, "/firm/d", "append", "x").Want(405)
	patch(ann, "/", "append", "x").Want(404, 405)
	patch(bob, "/firm/f", "append", "x").Want(403)
	patch(h.as("mallory"), "/firm/f", "append", "x").Want(404).WantText(patch(h.as("mallory"), "/firm/f", "append", "x").Text)
	patch(ann, "/firm/f", "append", "x", `If-Match: "other"`).Want(412)
	ann.Send(ann.Request("PATCH", "/firm/f", strings.NewReader("x"), "X-Update-Range: append")).Want(415)
	ann.Send(ann.Request("PATCH", "/firm/f", strings.NewReader("x"), "X-Update-Range: append", "Content-Type: text/plain")).Want(415)
	r := ann.Request("PATCH", "/firm/f", strings.NewReader("x"), "X-Update-Range: append", "Content-Type: application/x-sabredav-partialupdate")
	r.ContentLength, r.TransferEncoding = -1, []string{"chunked"}
	ann.Send(r).Want(411)
	bob.Do("MKCOL", "/firm/Clients", "").Want(403)
	token := ann.Lock("/firm/f").Want(200).Token()
	patch(ann, "/firm/f", "append", "x").Want(423)
	patch(ann, "/firm/f", "append", "", "If: (<"+token+">)").Want(204)
	ann.Get("/firm/f").WantText("0123456789")
	ann.Do("UNLOCK", "/firm/f", "", "Lock-Token: <"+token+">").Want(204)
	patch(ann, "/firm/f", "append", strings.Repeat("x", 1<<20)).Want(507)
	ann.Get("/firm/f").WantText("0123456789")
	ann.Do("OPTIONS", "/firm/f", "").Want(200).WantHeader("DAV", "1, 2, 3, sabredav-partialupdate")
}

// What OC-Checksum is of, with a part of a file, nobody has said: it is not passed over.
func TestPatchWithChecksum(t *testing.T) {
	ann := newHouse(t, partial).as("ann")
	const body = "0123456789"
	ann.Put("/firm/f", body, fmt.Sprintf("OC-Checksum: SHA1:%x", sha1.Sum([]byte(body)))).Want(201)
	for _, sum := range []string{
		fmt.Sprintf("SHA1:%x", sha1.Sum([]byte("ab"))), fmt.Sprintf("SHA1:%x", sha1.Sum([]byte("012ab56789"))), "CRC64:1", "what",
	} {
		patch(ann, "/firm/f", "bytes=3-4", "ab", "OC-Checksum: "+sum).Want(400).WantIn("OC-Checksum")
		ann.Put("/firm/f", "ab", "Content-Range: bytes 3-4/10", "OC-Checksum: "+sum).Want(400).WantIn("OC-Checksum")
	}
	ann.Get("/firm/f").WantText(body)
	ann.Do("PROPFIND", "/firm/f", checksumsOf, "Depth: 0").Want(207).WantIn("SHA1:")
	patch(ann, "/firm/f", "bytes=3-4", "ab").Want(204)
	ann.Do("PROPFIND", "/firm/f", checksumsOf, "Depth: 0").Want(207).WantNot("SHA1:")
}

const checksumsOf = `<D:propfind xmlns:D="DAV:"><D:prop><c:checksums xmlns:c="http://owncloud.org/ns"/></D:prop></D:propfind>`

func TestPatchBeyondTheLimit(t *testing.T) {
	h := newHouse(t, partial, func(s *settings) { s.gateway.MaxUpload = 12 })
	ann := h.as("ann")
	ann.Put("/firm/f", "0123456789").Want(201)
	patch(ann, "/firm/f", "append", "abc").Want(413)
	patch(ann, "/firm/f", "bytes=9-", "abc").Want(204)
	ann.Get("/firm/f").WantText("012345678abc")
}

// Where the config does not ask for it, nothing is done by halves.
func TestNoPartialUpdates(t *testing.T) {
	ann := newHouse(t).as("ann")
	ann.Put("/firm/f", "0123456789").Want(201)
	patch(ann, "/firm/f", "append", "x").Want(405)
	ann.Put("/firm/f", "x", "Content-Range: bytes 0-0/10").Want(400)
	ann.Get("/firm/f").WantText("0123456789")
	ann.Do("OPTIONS", "/firm/f", "").WantHeader("DAV", "1, 2, 3")
}

func TestPutPart(t *testing.T) {
	ann := newHouse(t, partial).as("ann")
	ann.Put("/firm/f", "0123456789").Want(201)
	ann.Put("/firm/f", "ab", "Content-Range: bytes 3-4/10").Want(204)
	ann.Put("/firm/f", "cd", "Content-Range: Bytes 10-11/*").Want(204)
	ann.Get("/firm/f").WantText("012ab56789cd")
	for value, want := range map[string]int{
		"bytes 0-2/10": 416, "bytes 13-14/20": 416, "bytes 4-3/10": 416, "bytes 0-1/1": 400, "bytes */10": 400, "bytes 0-1": 400, "0-1/10": 400,
		"bytes -1/2": 400, "bytes 0-1/x": 400, "items 0-1/2": 400, "bytes 9999999999999999999-1/*": 400,
	} {
		ann.Put("/firm/f", "xy", "Content-Range: "+value).Want(want)
	}
	ann.Put("/firm/none", "xy", "Content-Range: bytes 0-1/2").Want(404)
	ann.Get("/firm/f").WantText("012ab56789cd")
}

// A part that breaks off leaves the old version, and of two who write into one
// version at once one is told.
func TestPatchIsWholeOrNothing(t *testing.T) {
	h := newHouse(t, partial)
	ann := h.as("ann")
	ann.Put("/firm/f", strings.Repeat("-", 100)).Want(201)
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", h.server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "PATCH /dav/firm/f HTTP/1.1\r\nHost: x\r\nAuthorization: Basic "+base64.StdEncoding.EncodeToString([]byte("ann:"+password))+
		"\r\nContent-Type: application/x-sabredav-partialupdate\r\nX-Update-Range: bytes=0-9\r\nContent-Length: 10\r\n\r\nhalf"); err != nil {
		t.Fatal(err)
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil || strings.HasPrefix(line, "HTTP/1.1 2") {
		t.Errorf("a part that was cut: %q, %v", line, err)
	}
	ann.Get("/firm/f").WantText(strings.Repeat("-", 100))
	var all sync.WaitGroup
	var mu sync.Mutex
	done := 0
	for range 8 {
		all.Go(func() {
			if res := patch(ann, "/firm/f", "append", "x"); res.StatusCode == 204 {
				mu.Lock()
				defer mu.Unlock()
				done++
			} else {
				res.Want(412)
			}
		})
	}
	all.Wait()
	ann.Get("/firm/f").WantText(strings.Repeat("-", 100) + strings.Repeat("x", done))
}

// TestPatchModel holds any sequence of parts against a slice of bytes.
func TestPatchModel(t *testing.T) {
	ann := newHouse(t, partial).as("ann")
	rapid.Check(t, func(rt *rapid.T) {
		model := rapid.SliceOfN(rapid.ByteRange('a', 'z'), 0, 20).Draw(rt, "file")
		ann.Put("/firm/f", string(model)).Want(201, 204)
		for range rapid.IntRange(1, 5).Draw(rt, "parts") {
			part := rapid.SliceOfN(rapid.ByteRange('A', 'Z'), 0, 10).Draw(rt, "part")
			off := rapid.IntRange(0, len(model)).Draw(rt, "at")
			rang := "bytes=" + strconv.Itoa(off) + "-"
			if off < len(model) && rapid.Bool().Draw(rt, "from the end") {
				rang = "bytes=-" + strconv.Itoa(len(model)-off)
			}
			patch(ann, "/firm/f", rang, string(part)).Want(204)
			if len(part) == 0 {
				continue
			}
			model = append(model, make([]byte, max(0, off+len(part)-len(model)))...)
			copy(model[off:], part)
		}
		ann.Get("/firm/f").WantText(string(model))
	})
}
