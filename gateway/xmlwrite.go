package gateway

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/webdav"
)

// flushAt is the number of bytes after which an answer is sent on.
const flushAt = 32 << 10

const xmlHead = `<?xml version="1.0" encoding="utf-8"?>` + "\n"

// answer writes an XML answer through a reused buffer. It is written by hand:
// encoding/xml spends most of a large listing's time on reflection, and declares
// a namespace on every element, which the Windows client does not understand;
// all names of DAV: have the prefix D: (golang/go issue 11177).
type answer struct {
	h      *Handler
	w      http.ResponseWriter
	q      *request
	b      []byte
	pooled *[]byte
}

// startXML begins an answer. The head goes out with the first bytes, so up to
// then nothing is lost by an error.
func (h *Handler) startXML(w http.ResponseWriter, q *request) *answer {
	pooled, _ := h.buffers.Get().(*[]byte)
	return &answer{h: h, w: w, q: q, b: append((*pooled)[:0], xmlHead...), pooled: pooled}
}

// send passes on what has been written so far, if it is worth it.
func (a *answer) send(status int) error {
	if len(a.b) < flushAt {
		return nil
	}
	return a.flush(status)
}

// flush sends what there is, after the head if that is still to come.
func (a *answer) flush(status int) error {
	if !a.q.begun {
		a.q.begun = true
		a.w.Header().Set("Content-Type", "application/xml; charset=utf-8")
		a.w.WriteHeader(status)
	}
	n, err := a.w.Write(a.b)
	a.q.sent += int64(n)
	a.b = a.b[:0]
	return err
}

// end sends the rest. An answer that fits the buffer has a Content-Length.
func (a *answer) end(status int) error {
	if !a.q.begun {
		a.w.Header().Set("Content-Length", strconv.Itoa(len(a.b)))
	}
	err := a.flush(status)
	*a.pooled = a.b
	a.h.buffers.Put(a.pooled)
	return err
}

// appendStatus writes a status line in a response or propstat.
func appendStatus(b []byte, status int) []byte {
	b = append(b, "<D:status>HTTP/1.1 "...)
	b = strconv.AppendInt(b, int64(status), 10)
	b = append(b, ' ')
	b = append(b, webdav.StatusText(status)...)
	return append(b, "</D:status>"...)
}

// appendText escapes s for the content of an element. Characters that XML cannot
// hold, of which a name on disk may have some (U+FFFE), become U+FFFD.
func appendText(b []byte, s string) []byte { return appendEscaped(b, s, "\t\n") }

// appendEscaped escapes s, but for the characters in plain.
func appendEscaped(b []byte, s, plain string) []byte {
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c < utf8.RuneSelf && c != '&' && c != '<' && c != '>' && c != '"' || strings.IndexByte(plain, c) >= 0 {
			i++
			continue
		}
		// RuneError of size 1 is a broken byte; of size 3 it is U+FFFD itself.
		r, size := utf8.DecodeRuneInString(s[i:])
		if c >= utf8.RuneSelf && (r != utf8.RuneError || size > 1) && r != 0xFFFE && r != 0xFFFF {
			i += size
			continue
		}
		b = append(b, s[from:i]...)
		b = append(b, escape(c)...)
		i += size
		from = i
	}
	return append(b, s[from:]...)
}

// escape is a character reference, or what stands for a character that XML 1.0
// §2.2 does not have. White space in an attribute would be normalised away.
func escape(c byte) string {
	switch c {
	case '&':
		return "&amp;"
	case '<':
		return "&lt;"
	case '>':
		return "&gt;"
	case '"':
		return "&#34;"
	case '\t':
		return "&#9;"
	case '\n':
		return "&#10;"
	case '\r':
		return "&#13;"
	}
	return "\uFFFD"
}

// fragment writes an element that stands alone: all its namespaces are declared
// on it, under the client's own prefixes where they are free, so that it may be
// put into any answer.
func fragment(e *element) string {
	f := fragmenter{prefixes: map[string]string{}, taken: map[string]bool{"D": true, "xml": true}}
	f.collect(e)
	return string(f.appendElement(nil, e, true))
}

type fragmenter struct {
	prefixes map[string]string // by namespace
	taken    map[string]bool
}

// collect finds prefixes for all names in e.
func (f *fragmenter) collect(e *element) {
	f.name(e.name.Space, e.prefix)
	for _, a := range e.attrs {
		f.name(a.name.Space, a.prefix)
	}
	for _, c := range e.children() { // at most maxXMLDepth levels
		f.collect(c)
	}
}

// name finds a prefix for a namespace.
func (f *fragmenter) name(space, wish string) {
	if _, known := f.prefixes[space]; known || space == "" || space == xmlSpace {
		return
	}
	switch {
	case space == davSpace:
		f.prefixes[space] = "D"
		return
	// Two namespaces may share a prefix in different parts of the value.
	case wish == "" || f.taken[wish]:
		for n := len(f.prefixes); f.taken[wish] || wish == ""; n++ {
			wish = "ns" + strconv.Itoa(n)
		}
	}
	f.taken[wish] = true
	f.prefixes[space] = wish
}

// appendElement writes e. The top one declares all namespaces: the pieces of a
// value need no context, and there are few enough.
func (f *fragmenter) appendElement(b []byte, e *element, top bool) []byte {
	tag := f.qualified(e.name.Space, e.name.Local)
	b = append(append(b, '<'), tag...)
	if top {
		for _, space := range slices.Sorted(maps.Keys(f.prefixes)) {
			b = appendAttr(b, "xmlns:"+f.prefixes[space], space)
		}
		if e.lang != "" && !e.hasLang() { // RFC 4918 §4.3: the language in force belongs to the value
			b = appendAttr(b, "xml:lang", e.lang)
		}
	}
	for _, a := range e.attrs {
		b = appendAttr(b, f.qualified(a.name.Space, a.name.Local), a.value)
	}
	if len(e.content) == 0 {
		return append(b, "/>"...)
	}
	b = append(b, '>')
	for _, c := range e.content {
		if c.child != nil {
			b = f.appendElement(b, c.child, false)
		} else {
			b = appendText(b, c.text)
		}
	}
	b = append(append(b, "</"...), tag...)
	return append(b, '>')
}

// hasLang tells whether e says its language itself.
func (e *element) hasLang() bool {
	return slices.ContainsFunc(e.attrs, func(a attribute) bool {
		return a.name.Space == xmlSpace && a.name.Local == "lang"
	})
}

// qualified is a name with its prefix.
func (f *fragmenter) qualified(space, local string) string {
	if space == "" {
		return local
	}
	if space == xmlSpace {
		return "xml:" + local
	}
	return f.prefixes[space] + ":" + local
}

// appendAttr writes an attribute, with a space before it.
func appendAttr(b []byte, name, value string) []byte {
	b = append(append(b, ' '), name...)
	b = appendEscaped(append(b, `="`...), value, "")
	return append(b, '"')
}
