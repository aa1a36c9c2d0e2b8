package gateway

import (
	"encoding/base64"
	"encoding/xml"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"portico/files"
	"portico/vpath"
)

// FuzzIf holds that an If header is refused, or understood to its last condition.
func FuzzIf(f *testing.F) {
	for _, s := range []string{
		"(<a>)", `</dav/a> (<t> ["e"]) (Not <DAV:no-lock>)`, "If: If: (<T>)", "<http://h/dav/x>(<t>)", `([W/"x"])`, "(Not)", "(<a", "((", "<>()", "(a)(b)",
	} {
		f.Add(s)
	}
	h := testHandler()
	f.Fuzz(func(t *testing.T, s string) {
		g, err := h.parseGuard(withHeader("PUT", "If", s))
		if err != nil {
			if o := judge("PUT", err); o.status != 400 {
				t.Fatalf("If %q = %d: %v", s, o.status, err)
			}
			return
		}
		count := 0
		for _, l := range g.If {
			count += len(l.Conditions)
			for _, c := range l.Conditions {
				if (c.Token == "") == (c.ETag == "") {
					t.Fatalf("If %q: condition %+v", s, c)
				}
			}
			if len(l.Conditions) == 0 || l.Elsewhere && l.Resource != nil {
				t.Fatalf("If %q: list %+v", s, l)
			}
		}
		if count == 0 || count > maxConditions {
			t.Fatalf("If %q has %d conditions", s, count)
		}
	})
}

// FuzzDestination holds that a path taken from a header is canonical, and that
// its href leads back to it.
func FuzzDestination(f *testing.F) {
	for _, s := range []string{
		"/dav/firm/a", "http://inner.example:8080/dav/firm/%C3%A9/", "https://FILES.firm.example:443/dav/x", "/dav/../x", "/davx", "//dav/a", "/dav/a%2fb", "/dav/%zz", "http://[::1]/dav/a", "/dav/a?b", "",
	} {
		f.Add(s)
	}
	h := testHandler()
	f.Fuzz(func(t *testing.T, s string) {
		p, err := h.destination(withHeader("MOVE", "Destination", s))
		if err != nil {
			if o := judge("MOVE", err); o.status != 400 && o.status != 502 {
				t.Fatalf("destination(%q) = %d: %v", s, o.status, err)
			}
			return
		}
		if again, err := vpath.Parse(p.String()); err != nil || again != p {
			t.Fatalf("destination(%q) = %s, which is not canonical: %v", s, p, err)
		}
		if back, err := h.destination(withHeader("MOVE", "Destination", h.href(p, true))); err != nil || back != p {
			t.Fatalf("the href of %s is %s, which leads to %s, %v", p, h.href(p, true), back, err)
		}
	})
}

func FuzzDepth(f *testing.F) {
	for _, s := range []string{"0", "1", "infinity", "1,noroot", "Infinity , noroot", "2", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := parseDepth([]string{s}, 1)
		if err == nil && d.levels != 0 && d.levels != 1 && d.levels != depthInfinity || d.membersOnly && d.levels == 0 {
			t.Fatalf("parseDepth(%q) = %+v, %v", s, d, err)
		}
	})
}

func FuzzTimeout(f *testing.F) {
	for _, s := range []string{"Second-600", "Infinite, Second-4100000000", "second-", "Second-99999999999999999999", ",", "Extend, Second-1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if d := parseTimeout(s); d < 0 || d.Seconds() > 1<<31 {
			t.Fatalf("parseTimeout(%q) = %v", s, d)
		}
	})
}

// FuzzRange holds that ranges, once resolved, lie inside the file and apart.
func FuzzRange(f *testing.F) {
	for _, s := range []string{"bytes=0-0", "bytes=-5", "bytes=5-", "bytes=0-1,4-5,-1", "bytes=9223372036854775807-", "bytes=0-9223372036854775807", "bytes=-0", "bytes=1-0", "x"} {
		f.Add(s, int64(10))
	}
	f.Fuzz(func(t *testing.T, s string, size int64) {
		if size < 0 {
			return
		}
		ranges := parseRange(s)
		spans, ok := resolve(ranges, size)
		var sum int64
		for _, sp := range spans {
			if sp.off < 0 || sp.size < 0 || sp.off > size-sp.size {
				t.Fatalf("%q of %d bytes: %+v", s, size, sp)
			}
			sum += sp.size
		}
		if len(ranges) > maxRanges || ok && (sum < 0 || sum > size) {
			t.Fatalf("%q of %d bytes: %d ranges, %d bytes", s, size, len(ranges), sum)
		}
	})
}

func FuzzBasic(f *testing.F) {
	for _, s := range []string{"Basic YW5uOng=", "Basic YW5uOg==", "Basic Og==", "Bearer", "basic  YW5uOng=", "Basic =", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		login, pass, ok := parseBasic([]string{s})
		if !ok {
			return
		}
		if login == "" || pass == "" || len(login) > maxCredential || len(pass) > maxCredential || strings.Contains(string(login), ":") || !utf8.ValidString(pass) {
			t.Fatalf("parseBasic(%q) = %q, %q", s, login, pass)
		}
		again := "Basic " + base64.StdEncoding.EncodeToString([]byte(string(login)+":"+pass))
		if l, p, ok := parseBasic([]string{again}); !ok || l != login || p != pass {
			t.Fatalf("parseBasic(%q) = %q, %q; again %q, %q, %v", s, login, pass, l, p, ok)
		}
	})
}

// fuzzXML gives each body of seeds, and what the fuzzer makes of them, to use.
// What use keeps of a body must be well-formed by itself, and stay as it is
// when it is read and written again: it comes back in answers for others.
func fuzzXML(f *testing.F, use func(*element) (kept []string), seeds ...string) {
	f.Helper()
	for _, s := range append(seeds, "", "<a", "<!DOCTYPE a><a/>", `<p:a xmlns:p="u" p:b="&#13;"><c xmlns=""/>&lt;</p:a>`, "\xff\xfe<\x00a\x00/\x00>\x00") {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		doc, err := parseXML(body)
		if err != nil {
			if o := judge("PROPFIND", err); o.status != 400 && o.status != 413 {
				t.Fatalf("%q = %d: %v", body, o.status, err)
			}
			return
		}
		if doc == nil {
			return
		}
		for _, s := range use(doc) {
			if err := xml.Unmarshal([]byte(`<D:x xmlns:D="DAV:">`+s+`</D:x>`), new(struct{})); err != nil {
				t.Fatalf("%q keeps %q, which is not well-formed: %v", body, s, err)
			}
			again, err := parseXML([]byte(s))
			if err != nil && judge("", err).status == 413 || len(s) > maxXML {
				continue
			}
			if err != nil || fragment(again) != s {
				t.Fatalf("%q keeps %q: %v", body, s, err)
			}
		}
	})
}

func FuzzPropfind(f *testing.F) {
	lives := liveProps()
	fuzzXML(f, func(doc *element) (kept []string) {
		q, err := parseQuery(doc, lives)
		if err != nil {
			return nil
		}
		for _, w := range q.named {
			if w.name.Space != davSpace { // whose prefix the answer declares
				kept = append(kept, w.empty)
			}
		}
		return kept
	}, `<propfind xmlns="DAV:"><prop><getetag/><x xmlns="u"/></prop></propfind>`, `<propfind xmlns="DAV:"><allprop/><include><a/></include></propfind>`, `<propfind xmlns="DAV:"><propname/></propfind>`)
}

func FuzzProppatch(f *testing.F) {
	fuzzXML(f, func(doc *element) (kept []string) {
		patches, err := parsePatches(doc)
		if err != nil {
			return nil
		}
		settle(patches)
		for _, p := range patches {
			if !p.change.Remove {
				kept = append(kept, p.change.XML)
			}
		}
		return kept
	}, `<propertyupdate xmlns="DAV:"><set><prop xml:lang="nl"><a xmlns="u" b="1">x<c/>y</a></prop></set><remove><prop><d/></prop></remove></propertyupdate>`)
}

// FuzzPart holds that what is taken for a part lies where its header says, and is as long
// as the body.
func FuzzPart(f *testing.F) {
	for _, s := range []string{"append", "bytes=0-4", "bytes=5-", "bytes=-5", "bytes 0-4/10", "bytes 0-4/*", "bytes=9223372036854775807-"} {
		f.Add(s, int64(5))
	}
	f.Fuzz(func(t *testing.T, header string, length int64) {
		if length < 0 {
			return
		}
		if o, err := parseUpdateRange(header, length); err == nil && o.Append && o.Off != 0 {
			t.Errorf("X-Update-Range: %q is %+v", header, o)
		}
		o, err := parseContentRange([]string{header}, length)
		if err != nil {
			return
		}
		last := strconv.FormatInt(o.Off+length-1, 10)
		if o.Append || o.Off < 0 || length == 0 || !strings.Contains(strings.ReplaceAll(header, "-0", "-"), "-"+strings.TrimLeft(last, "0")) && last != "0" {
			t.Errorf("Content-Range: %q with %d bytes is %+v", header, length, o)
		}
	})
}

// FuzzChecksum holds that what is told of a checksum is what is read of it again.
func FuzzChecksum(f *testing.F) {
	for _, s := range []string{"SHA1:da39a3ee5e6b4b0d3255bfef95601890afd80709", "md5:D41D8CD98F00B204E9800998ECF8427E ADLER32:00000001", "SHA3:00", "MD5:", ":"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, header string) {
		list, err := parseChecksums(header)
		if err != nil {
			return
		}
		again, err := parseChecksums(proved(list))
		if err != nil || proved(again) != proved(list) || len(list) > maxChecksums {
			t.Errorf("%q is told as %q, read as %q, %v", header, proved(list), proved(again), err)
		}
	})
}

func FuzzLockInfo(f *testing.F) {
	fuzzXML(f, func(doc *element) (kept []string) {
		var o files.LockOptions
		if err := parseLockInfo(doc, &o); err != nil || o.OwnerXML == "" {
			return nil
		}
		return []string{o.OwnerXML}
	}, `<lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope><locktype><write/></locktype><owner xmlns:n="u"><n:a/>me</owner></lockinfo>`)
}

// FuzzText holds that any string, as text or as a value, is read back by
// another parser, but for what XML cannot hold.
func FuzzText(f *testing.F) {
	for _, s := range []string{"a<b>&\"'", "\x00\x1f\r\n\t", "\xff\uFFFE\uFFFD", "]]>"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var v struct {
			Attr string `xml:"b,attr"`
			Text string `xml:",chardata"`
		}
		doc := append(appendAttr([]byte("<a"), "b", s), '>')
		doc = append(appendText(doc, s), "</a>"...)
		if err := xml.Unmarshal(doc, &v); err != nil {
			t.Fatalf("%q: %v", doc, err)
		}
		want := strings.Map(func(r rune) rune {
			if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
				return utf8.RuneError
			}
			return r
		}, s)
		if v.Text != want || v.Attr != want {
			t.Fatalf("%q is read as %q and %q, want %q", s, v.Text, v.Attr, want)
		}
	})
}
