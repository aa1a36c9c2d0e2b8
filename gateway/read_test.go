package gateway_test

import (
	"strconv"
	"strings"
	"testing"

	"portico/gateway/gatewaytest"
	"portico/vpath"
)

func TestConditionalGet(t *testing.T) {
	ann := newHouse(t).as("ann")
	etag := ann.Put("/firm/a", "text", "X-OC-Mtime: 1700000000").Want(201).ETag()
	const before, then = "Tue, 14 Nov 2023 22:13:19 GMT", "Tue, 14 Nov 2023 22:13:20 GMT"
	for _, method := range []string{"GET", "HEAD"} {
		do := func(headers ...string) *gatewaytest.Response { return ann.Do(method, "/firm/a", "", headers...) }
		do("If-None-Match: "+etag).Want(304).WantText("").WantHeader("ETag", etag).WantHeader("Cache-Control", "private, no-cache")
		do("If-None-Match: W/" + etag).Want(304)
		do(`If-None-Match: "x"`).Want(200)
		do("If-Modified-Since: " + then).Want(304)
		do("If-Modified-Since: " + before).Want(200)
		do(`If-None-Match: "x"`, "If-Modified-Since: "+then).Want(200)
		do("If-Match: " + etag).Want(200)
		do(`If-Match: "x"`).Want(412)
		do("If-Unmodified-Since: " + before).Want(412)
		do("If-Unmodified-Since: " + then).Want(200)
		do("If: ([" + etag + "])").Want(200)
		do(`If: (["x"])`).Want(412)
		do("If: (Not <DAV:no-lock>)").Want(200)
	}
}

func TestRanges(t *testing.T) {
	ann := newHouse(t).as("ann")
	etag := ann.Put("/firm/a", "0123456789").Want(201).ETag()
	one := func(spec, text, header string) {
		t.Helper()
		ann.Get("/firm/a", "Range: "+spec).Want(206).WantText(text).WantHeader("Content-Range", header).
			WantHeader("Content-Length", strconv.Itoa(len(text))).WantHeader("ETag", etag)
	}
	one("bytes=0-0", "0", "bytes 0-0/10")
	one("bytes=2-4", "234", "bytes 2-4/10")
	one("bytes=8-99", "89", "bytes 8-9/10")
	one("bytes=5-", "56789", "bytes 5-9/10")
	one("bytes=0-", "0123456789", "bytes 0-9/10")
	one("bytes=-3", "789", "bytes 7-9/10")
	one("bytes=-99", "0123456789", "bytes 0-9/10")
	one("bytes=1-1,99-", "1", "bytes 1-1/10")
	for _, whole := range []string{"bytes=5-2", "rows=1-2", "bytes=0-4,4-5", "bytes=a", "bytes=0-0,1-1,2-2,3-3,4-4,5-5,6-6,7-7,8-8"} {
		ann.Get("/firm/a", "Range: "+whole).Want(200).WantText("0123456789")
	}
	for _, outside := range []string{"bytes=10-", "bytes=99-100", "bytes=-0", "bytes=10-,20-"} {
		ann.Get("/firm/a", "Range: "+outside).Want(416).WantHeader("Content-Range", "bytes */10")
	}
	ann.Get("/firm/a", "Range: bytes=1-2", "If-Range: "+etag).Want(206).WantText("12")
	ann.Get("/firm/a", "Range: bytes=1-2", `If-Range: "old"`).Want(200).WantText("0123456789")
	ann.Do("HEAD", "/firm/a", "", "Range: bytes=1-2").Want(200).WantHeader("Content-Length", "10")
	ann.Put("/firm/empty", "").Want(201)
	ann.Get("/firm/empty", "Range: bytes=0-0").Want(200).WantText("")
}

func TestManyRanges(t *testing.T) {
	ann := newHouse(t).as("ann")
	ann.Put("/firm/a.txt", "0123456789").Want(201)
	res := ann.Get("/firm/a.txt", "Range: bytes=8-9, 0-1").Want(206)
	kind := res.Header.Get("Content-Type")
	boundary, ok := strings.CutPrefix(kind, "multipart/byteranges; boundary=")
	if !ok {
		t.Fatalf("Content-Type is %q", kind)
	}
	part := func(rg, text string) string {
		return "--" + boundary + "\r\nContent-Range: bytes " + rg + "/10\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + text + "\r\n"
	}
	res.WantText(part("8-9", "89") + part("0-1", "01") + "--" + boundary + "--\r\n")
	res.WantHeader("Content-Length", strconv.Itoa(len(res.Text)))
}

// A file that is replaced between two reads of one answer never gives a mix.
func TestRangeOfOneVersion(t *testing.T) {
	var ann *gatewaytest.User
	opens, replaceAt := 0, 0
	h := newHouse(t, func(s *settings) {
		s.mem.Hook = func(op string, _ vpath.Path) error {
			if op == "Open" {
				if opens++; opens == replaceAt {
					ann.Put("/firm/a", "abcdefghij").Want(204)
				}
			}
			return nil
		}
	})
	ann = h.as("ann")
	old := ann.Put("/firm/a", "0123456789").Want(201).ETag()

	opens, replaceAt = 0, 1 // after Stat, before the first byte: all of the new one
	ann.Get("/firm/a", "Range: bytes=0-1,4-5").Want(206).WantIn("\r\nab\r\n", "\r\nef\r\n")
	opens, replaceAt = 0, 1
	ann.Put("/firm/a", "0123456789")
	ann.Get("/firm/a", "Range: bytes=0-1", "If-Range: "+old).Want(200).WantText("abcdefghij")

	// In the middle the answer is cut. It is too long for net/http's buffers: an
	// answer of which nothing has arrived is asked for again.
	ann.Put("/firm/a", strings.Repeat("x", 200_000))
	opens, replaceAt = 0, 2
	res := ann.Get("/firm/a", "Range: bytes=0-99999,100004-100005").Want(206).WantNot("\r\nabc", "\r\nef")
	if res.Cut == nil {
		t.Errorf("the answer ended well: %q", res.Text)
	}
}
