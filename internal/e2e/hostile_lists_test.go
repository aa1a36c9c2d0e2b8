//go:build !race

package e2e

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf16"
)

const chunked = "Transfer-Encoding: chunked\r\n"

// endless repeats a text up to 100 MB.
func endless(text string) io.Reader {
	const most = 100_000_000
	return io.LimitReader(&repeated{text: []byte(text)}, most)
}

type repeated struct {
	text []byte
	at   int
}

func (r *repeated) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		k := copy(p[n:], r.text[r.at:])
		n, r.at = n+k, (r.at+k)%len(r.text)
	}
	return n, nil
}

// hostileXML are bodies of some n bytes.
func hostileXML(n int) map[string]string {
	fill := func(head, piece, tail string) string {
		return head + strings.Repeat(piece, max(0, (n-len(head)-len(tail))/len(piece))) + tail
	}
	numbered := func(head, format, tail string) string {
		var b strings.Builder
		b.WriteString(head)
		for i := 0; b.Len()+len(tail) < n; i++ {
			fmt.Fprintf(&b, format, i)
		}
		return b.String() + tail
	}
	const find, findEnd = `<D:propfind xmlns:D="DAV:"><D:prop>`, `</D:prop></D:propfind>`
	const set, setEnd = `<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop>`, `</D:prop></D:set></D:propertyupdate>`
	long := strings.Repeat("n", n-20_000)
	wide := func(s string) string {
		b := []byte{0xff, 0xfe}
		for _, u := range utf16.Encode([]rune(s)) {
			b = append(b, byte(u), byte(u>>8))
		}
		return string(b)
	}
	return map[string]string{
		"nesting":            fill("", "<a>", ""),
		"closed nesting":     strings.Repeat("<a>", n/7) + strings.Repeat("</a>", n/7),
		"attributes":         numbered(`<D:propfind xmlns:D="DAV:"`, ` a%d=""`, `/>`),
		"namespaces":         numbered(`<D:propfind xmlns:D="DAV:"`, ` xmlns:a%d="u"`, `/>`),
		"properties":         numbered(find, "<a%d/>", findEnd),
		"set properties":     numbered(set, "<a%d/>", setEnd),
		"empty sets":         fill(`<D:propertyupdate xmlns:D="DAV:">`, "<D:set/>", `</D:propertyupdate>`),
		"a long namespace":   `<D:propfind xmlns:D="DAV:" xmlns:x="` + long + `"><D:prop>` + numbered15K("<x:a%d/>") + findEnd,
		"set in a long one":  `<D:propertyupdate xmlns:D="DAV:" xmlns:x="` + long + `"><D:set><D:prop>` + numbered15K("<x:a%d/>") + setEnd,
		"a long language":    `<D:propertyupdate xmlns:D="DAV:" xml:lang="` + long + `"><D:set><D:prop>` + numbered15K("<a%d/>") + setEnd,
		"entities":           `<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;">]>` + fill("<a>", "&d;", "</a>"),
		"a foreign entity":   `<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>`,
		"unknown entities":   fill("<a>", "&b;", "</a>"),
		"references":         fill(find+"<a>", "&#65;", "</a>"+findEnd),
		"text":               fill(find+"<a>", "text ", "</a>"+findEnd),
		"owner":              fill(`<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype><D:owner>`, "o", `</D:owner></D:lockinfo>`),
		"comments":           fill(find, "<!-- a -->", findEnd),
		"instructions":       fill(find, "<?a b?>", findEnd),
		"unclosed comment":   fill(find+"<!-- ", "a", ""),
		"unclosed attribute": fill(`<D:propfind a="`, "a", ""),
		"a long name":        "<" + fill("", "a", "") + "/>",
		"utf-16":             wide(fill(find, "<a/>", findEnd)),
		"utf-16 of nothing":  "\xff\xfe" + fill("", "\x00", ""),
		"latin 1":            fill(`<?xml version="1.0" encoding="ISO-8859-1"?>`+find+"<a>", "\xe9", "</a>"+findEnd),
		"open brackets":      fill("", "<", ""),
		"nothing":            fill("", "\x00", ""),
	}
}

// numbered15K repeats a piece with a number up to 15,000 bytes, and no more elements
// than the server takes.
func numbered15K(format string) string {
	var b strings.Builder
	for i := 0; b.Len() < 15_000 && i < 990; i++ {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

// xmlAttacks are all bodies, near the limit and far beyond it, with their length and
// without, for each method that reads one.
func xmlAttacks(sizes []int) []attack {
	var list []attack
	for _, n := range sizes {
		for name, body := range hostileXML(n) {
			for _, method := range []string{"PROPFIND", "PROPPATCH", "LOCK", "MKCOL", "REPORT", "SEARCH"} {
				header, r := inFull(body)
				list = append(list, attack{fmt.Sprintf("%s of %s, %d KiB", method, name, n>>10), method, "/dav/firm/victims/", "Depth: 1\r\n" + header, r, nil, false, false})
			}
			pieces := fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(body), body)
			list = append(list, attack{fmt.Sprintf("PROPFIND of %s, %d KiB in a chunk", name, n>>10), "PROPFIND", "/dav/firm/victims/", "Depth: 1\r\n" + chunked, strings.NewReader(pieces), nil, false, false})
		}
	}
	// What asks for properties and is well-formed gets as far as the answer.
	names := strings.Repeat("n", 900) + `">` + numbered15K("<x:a%d/>") + `</D:prop>`
	for method, body := range map[string]string{
		"REPORT": `<D:sync-collection xmlns:D="DAV:"><D:sync-token/><D:sync-level>1</D:sync-level><D:prop xmlns:x="` + names + `</D:sync-collection>`,
		"SEARCH": `<D:searchrequest xmlns:D="DAV:"><D:basicsearch><D:select><D:prop xmlns:x="` + names + `</D:select>` +
			`<D:from><D:scope><D:href>/dav/firm/victims/</D:href><D:depth>1</D:depth></D:scope></D:from></D:basicsearch></D:searchrequest>`,
	} {
		header, r := inFull(body)
		list = append(list, attack{method + " of many properties", method, "/dav/firm/victims/", "Depth: 0\r\n" + header, r, []int{413}, false, false})
	}
	return list
}

// headerAttacks are what can be put into headers and addresses.
func headerAttacks() []attack {
	const file, mib = "/dav/firm/victim.txt", 1 << 20
	fits := 30 << 10 // what the server takes at all
	list := []attack{
		{"If of 10,000 lists", "PUT", file, "Content-Length: 0\r\nIf: " + strings.Repeat("(<urn:x:a>) ", 10_000) + "\r\n", nil, nil, false, false},
		{"If of many lists", "PUT", file, "Content-Length: 0\r\nIf: " + strings.Repeat("(<u:a>)", fits/7) + "\r\n", nil, []int{400}, false, false},
		{"If of open brackets", "PUT", file, "Content-Length: 0\r\nIf: " + strings.Repeat("(", fits) + "\r\n", nil, []int{400}, false, false},
		{"If of many files", "PUT", file, "Content-Length: 0\r\nIf: " + strings.Repeat(`</dav/firm/x>(["a"])`, 99) + "\r\n", nil, []int{412}, false, false},
		{"If of If", "PUT", file, "Content-Length: 0\r\nIf: " + strings.Repeat("If:", fits/3) + "\r\n", nil, []int{400}, false, false},
		{"If-Match of many", "PUT", file, "Content-Length: 0\r\nIf-Match: " + strings.Repeat(`"a",`, fits/4) + "\r\n", nil, []int{400}, false, false},
		{"Range of 10,000", "GET", file, "Range: bytes=" + strings.Repeat("0-1,", 10_000) + "\r\n", nil, nil, false, false},
		{"Range of many", "GET", file, "Range: bytes=" + strings.Repeat("0-,", fits/3) + "\r\n", nil, []int{200}, false, false},
		{"Range of eight", "GET", file, "Range: bytes=" + strings.TrimSuffix(strings.Repeat("0-,", 8), ",") + "\r\n", nil, []int{200, 206}, false, false},
		{"10,000 headers", "PROPFIND", file, strings.Repeat("X: y\r\n", 10_000), nil, nil, false, false},
		{"a name of 64 KiB", "GET", "/dav/firm/" + strings.Repeat("n", 64<<10), "", nil, nil, false, false},
		{"a name of 3 KiB", "MKCOL", "/dav/firm/" + strings.Repeat("n", 3<<10), "", nil, []int{400, 414}, false, false},
		{"a path of 2,000 names", "MKCOL", "/dav/firm" + strings.Repeat("/n", 2000), "", nil, []int{400, 409, 414}, false, false},
		{"a path of escapes", "GET", "/dav/firm/" + strings.Repeat("%41", 1300), "", nil, []int{400, 414, 404}, false, false},
		{"Expect of nonsense", "PUT", file, "Expect: the-unexpected\r\nContent-Length: 3\r\n", strings.NewReader("abc"), []int{417}, false, false},
		{"Expect of much", "PUT", file, "Expect: " + strings.Repeat("100-continue,", 2000) + "\r\nContent-Length: 3\r\n", strings.NewReader("abc"), []int{204, 417}, false, false},
		{"OC-Checksum of much", "PUT", file, "OC-Checksum: " + strings.Repeat("MD5:00000000000000000000000000000000 ", 800) + "\r\nContent-Length: 3\r\n", strings.NewReader("abc"), []int{400}, false, false},
	}
	list = append(list,
		attack{"endless headers", "GET", file, "", endless("X-Name: a value of no meaning\r\n"), nil, false, true},
		attack{"an endless header", "GET", file, "X-Name: ", endless("a"), nil, false, true},
		attack{"an endless header's name", "GET", file, "", endless("a"), nil, false, true},
		attack{"many cookies", "PROPFIND", file, "Cookie: " + strings.Repeat("a=b; ", fits/5) + "\r\n", nil, nil, false, false},
		attack{"many cookies of a page", "GET", "/account", "Cookie: " + strings.Repeat("__Host-sid=b; ", fits/14) + "\r\n", nil, nil, false, false},
		attack{"many addresses", "PROPFIND", file, "X-Forwarded-For: " + strings.Repeat("10.0.0.1, ", fits/10) + "\r\n", nil, nil, false, false},
		attack{"many languages", "GET", "/login", "Accept-Language: " + strings.Repeat("nl;q=0.1,", fits/9) + "\r\n", nil, nil, false, false},
		attack{"If of many files that are there", "PUT", file, "Content-Length: 0\r\nIf: " + ifOfVictims(fits) + "\r\n", nil, nil, false, false},
		attack{"Destination of many folders", "MOVE", file, "Destination: /dav/firm" + strings.Repeat("/n", fits/2) + "\r\n", nil, nil, false, false},
		attack{"Destination of escapes", "COPY", file, "Destination: /dav/firm/" + strings.Repeat("%41", fits/3) + "\r\n", nil, nil, false, false},
		attack{"a path as deep as may be", "MKCOL", "/dav/firm" + strings.Repeat("/n", 62), "", nil, []int{409}, false, false})
	for _, name := range []string{"Destination", "Depth", "Timeout", "Lock-Token", "Overwrite", "If-Range", "X-OC-Mtime", "Authorization", "User-Agent", "Accept-Language"} {
		for _, n := range []int{fits, mib} {
			list = append(list, attack{fmt.Sprintf("%s of %d KiB", name, n>>10), "MOVE", file, name + ": " + strings.Repeat("h", n) + "\r\n", nil, nil, false, false})
			list = append(list, attack{fmt.Sprintf("%s of commas, %d KiB", name, n>>10), "LOCK", file, name + ": " + strings.Repeat(",", n) + "\r\n", nil, nil, false, false})
		}
	}
	return list
}

// ifOfVictims is an If header of some n bytes, whose every list is about another file.
func ifOfVictims(n int) string {
	var b strings.Builder
	for i := 0; b.Len() < n-60; i++ {
		fmt.Fprintf(&b, `</dav/firm/victims/file-%03d.txt>(["a"])`, i%100)
	}
	return b.String()
}

// bodyAttacks are bodies that are long, in odd pieces, or where none belongs.
func bodyAttacks() []attack {
	const file = "/dav/firm/new.txt"
	small := strings.Repeat("1\r\na\r\n", 200_000) + "0\r\n\r\n"
	list := []attack{
		{"chunks of one byte", "PUT", file, chunked, strings.NewReader(small), nil, false, false},
		{"an endless chunk extension", "PUT", file, chunked, io.MultiReader(strings.NewReader("5;"), endless("extension")), []int{400, 0}, false, false},
		{"endless extensions", "PUT", file, chunked, endless("1;" + strings.Repeat("e", 2000) + "\r\na\r\n"), []int{400, 0}, false, false},
		{"endless trailers", "PUT", file, chunked, io.MultiReader(strings.NewReader("1\r\na\r\n0\r\n"), endless("T: t\r\n")), nil, false, false},
		{"an endless size", "PUT", file, chunked, endless("0"), []int{400, 0}, false, false},
		{"an endless XML", "PROPFIND", "/dav/firm/", chunked + "Depth: 0\r\n", endless("8\r\n<a/><a/>\r\n"), nil, false, false},
		{"a length that promises more", "PUT", file, "Content-Length: 100\r\n", strings.NewReader("abc"), []int{400, 499}, true, false},
		{"a length that promises too much", "PUT", file, "Content-Length: 9223372036854775807\r\n", strings.NewReader("abc"), []int{413}, false, false},
		{"a length beyond all", "PUT", file, "Content-Length: 92233720368547758070\r\n", nil, []int{400}, false, false},
		{"a negative length", "PUT", file, "Content-Length: -1\r\n", nil, []int{400}, false, false},
		{"two lengths", "PUT", file, "Content-Length: 3\r\nContent-Length: 4\r\n", strings.NewReader("abcd"), []int{400}, false, false},
		{"length and chunks", "PUT", file, "Content-Length: 3\r\n" + chunked, strings.NewReader("3\r\nabc\r\n0\r\n\r\n"), nil, false, false},
		{"an expected length that lies", "PUT", file, chunked + "X-Expected-Entity-Length: 9\r\n", strings.NewReader("3\r\nabc\r\n0\r\n\r\n"), []int{400}, false, false},
	}
	for _, method := range []string{"GET", "HEAD", "OPTIONS", "PROPFIND", "PROPPATCH", "LOCK", "UNLOCK", "DELETE", "MKCOL", "COPY", "MOVE", "POST", "REPORT", "BREW"} {
		list = append(list,
			attack{method + " with 100 MB", method, "/dav/firm/nothing", "Content-Length: 100000000\r\n", endless("x"), nil, false, false},
			attack{method + " with 100 MB in chunks", method, "/dav/firm/nothing", chunked, endless("1000\r\n" + strings.Repeat("x", 4096) + "\r\n"), nil, false, false})
	}
	return list
}
