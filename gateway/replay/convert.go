package replay

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/tools/txtar"
)

// recorded is one line of a recording: a request as a server saw it, and what that
// server said to it.
type recorded struct {
	Method, URI string
	CL          int // the length of the body
	Hdr, RHdr   http.Header
	Body        string
	Status      int
}

// Convert makes the draft of a sequence from a recording, one request in JSON a line.
// Tokens and ETags become variables. Of the answers only those are kept: the server that
// was recorded may be the one with the faults. What must be answered is worked out
// from what there is by then; it is a draft, for somebody to read against the RFCs.
func Convert(recording io.Reader, source string) ([]byte, error) {
	c := converter{there: map[string]bool{"": true}, known: map[string]string{}, lengths: map[string]string{}}
	var all []recorded
	lines := bufio.NewScanner(recording)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r recorded
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return nil, fmt.Errorf("replay: convert: %w", err)
		}
		all = append(all, r)
		if r.Body != "" { // of a request that was refused early the body is missing
			c.lengths[fmt.Sprint(r.Method, r.CL)] = r.Body
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("replay: convert: %w", err)
	}
	c.common = commonHeaders(all)
	for _, r := range all {
		c.request(r)
	}
	var head strings.Builder
	fmt.Fprintf(&head, "Recorded.\n\nsource: %s\n", source)
	for _, h := range c.common {
		fmt.Fprintf(&head, "header: %s: %s\n", h.name, h.value)
	}
	head.WriteString("\n")
	files := append([]txtar.File{{Name: playFile, Data: c.play.Bytes()}}, c.bodies...)
	return txtar.Format(&txtar.Archive{Comment: []byte(head.String()), Files: files}), nil
}

// converter goes through a recording.
type converter struct {
	play    bytes.Buffer
	bodies  []txtar.File
	common  []header          // that most requests have
	there   map[string]bool   // what is there by its path, true for a folder
	known   map[string]string // variables by the text that they stand for
	lengths map[string]string // bodies by method and length
	tokens  int
	etags   int
}

// request writes one step.
func (c *converter) request(r recorded) {
	fmt.Fprintf(&c.play, "%s %s\n", r.Method, r.URI)
	for _, name := range slices.Sorted(maps.Keys(r.Hdr)) {
		for _, value := range r.Hdr[name] {
			c.header(name, value)
		}
	}
	if r.CL > 0 {
		c.body(r)
	}
	fmt.Fprintf(&c.play, "-> %s\n", c.statuses(r))
	c.listing(r)
	c.capture(r)
	c.play.WriteString("\n")
}

// commonHeaders are those that more than half of the requests have.
func commonHeaders(all []recorded) (list []header) {
	count := map[header]int{}
	for _, r := range all {
		for name, values := range r.Hdr {
			count[header{name, strings.Join(values, ", ")}]++
		}
	}
	for h, n := range count {
		if 2*n > len(all) {
			list = append(list, h)
		}
	}
	list = slices.DeleteFunc(list, func(h header) bool {
		return h.name == "Host" || h.name == "Depth" || h.name == "Content-Type" || h.name == "Expect"
	})
	slices.SortFunc(list, func(a, b header) int { return strings.Compare(a.name, b.name) })
	return list
}

// header writes one header. What the player adds by itself is left out.
func (c *converter) header(name, value string) {
	if slices.Contains(c.common, header{name, value}) {
		return
	}
	switch name {
	case "Host", "Content-Length", "Authorization", "Keep-Alive":
		return
	case "Destination":
		value = "{server}{room}" + pathOf(value)
	case "If":
		_, token, _ := strings.Cut(value, "(<")
		value = "{if " + c.known[strings.TrimSuffix(token, ">)")] + "}"
	case "Lock-Token":
		value = "<{" + c.known[strings.Trim(value, "<>")] + "}>"
	case "If-Match", "If-None-Match":
		if v, ok := c.known[value]; ok {
			value = "{" + v + "}"
		}
	}
	fmt.Fprintf(&c.play, "\t%s: %s\n", name, value)
}

// body writes where the body is: text in a file of its own, what is short and
// plain in the line, and of all else the length.
func (c *converter) body(r recorded) {
	text := r.Body
	if text == "" {
		text = c.lengths[fmt.Sprint(r.Method, r.CL)]
	}
	switch {
	case len(text) != r.CL || strings.Contains(text, "\ufffd"):
		fmt.Fprintf(&c.play, "\t< %d bytes\n", r.CL)
	case r.CL < 60:
		fmt.Fprintf(&c.play, "\t< %q\n", text)
	default:
		fmt.Fprintf(&c.play, "\t< %s\n", c.file(r.Method, text))
	}
}

// file is the name of a body in the archive. Those that only differ in white space
// at their end are one.
func (c *converter) file(method, text string) string {
	data := []byte(strings.TrimRight(text, "\n") + "\n")
	for _, f := range c.bodies {
		if bytes.Equal(f.Data, data) {
			return f.Name
		}
	}
	name := strings.ToLower(method) + strconv.Itoa(len(c.bodies)+1) + ".xml"
	c.bodies = append(c.bodies, txtar.File{Name: name, Data: data})
	return name
}

// statuses are what RFC 4918 asks for, as far as it follows from what is there.
func (c *converter) statuses(r recorded) string {
	before := ""
	if strings.EqualFold(r.Hdr.Get("Expect"), "100-continue") {
		before = "100 "
	}
	at := strings.TrimSuffix(r.URI, "/")
	if _, ok := c.there[at]; !ok && slices.Contains([]string{"GET", "HEAD", "PROPFIND", "PROPPATCH", "DELETE", "MOVE", "COPY"}, r.Method) {
		return before + "404"
	}
	return before + strconv.Itoa(c.done(r, at))
}

// done is the status of a request that works, and keeps what it changes.
func (c *converter) done(r recorded, at string) int {
	_, found := c.there[at]
	switch r.Method {
	case "PUT", "LOCK":
		if !found {
			c.there[at] = false
		}
		switch {
		case !found:
			return http.StatusCreated
		case r.Method == "LOCK":
			return http.StatusOK
		}
		return http.StatusNoContent
	case "MKCOL":
		c.there[at] = true
		return http.StatusCreated
	case "DELETE", "UNLOCK":
		if r.Method == "DELETE" {
			c.drop(at)
		}
		return http.StatusNoContent
	case "MOVE", "COPY":
		return c.bring(at, strings.TrimSuffix(pathOf(r.Hdr.Get("Destination")), "/"), r.Method == "MOVE")
	case "PROPFIND", "PROPPATCH":
		return http.StatusMultiStatus
	}
	return http.StatusOK
}

// bring copies or moves a path with all below it.
func (c *converter) bring(at, to string, move bool) int {
	_, replaced := c.there[to]
	moved := map[string]bool{}
	for path, dir := range c.there {
		if path == at || strings.HasPrefix(path, at+"/") {
			moved[to+strings.TrimPrefix(path, at)] = dir
		}
	}
	if move {
		c.drop(at)
	}
	maps.Copy(c.there, moved)
	if replaced {
		return http.StatusNoContent
	}
	return http.StatusCreated
}

// drop ends a path and all below it.
func (c *converter) drop(at string) {
	maps.DeleteFunc(c.there, func(path string, _ bool) bool { return path == at || strings.HasPrefix(path, at+"/") })
}

// listing writes which things a multistatus must be of.
func (c *converter) listing(r recorded) {
	at := strings.TrimSuffix(r.URI, "/")
	if _, ok := c.there[at]; !ok || r.Method != "PROPFIND" {
		return
	}
	var list []string
	for path, dir := range c.there {
		up, _, _ := cutLast(path)
		if path == at || r.Hdr.Get("Depth") == "1" && path != "" && up == at {
			if dir {
				path += "/"
			}
			list = append(list, path)
		}
	}
	slices.Sort(list)
	fmt.Fprintf(&c.play, "\tonly %s\n", strings.Join(list, " "))
}

// cutLast splits a path at its last slash.
func cutLast(path string) (up, name string, ok bool) {
	i := strings.LastIndexByte(path, '/')
	if i < 0 {
		return "", path, false
	}
	return path[:i], path[i+1:], true
}

// capture gives the token and the ETag of an answer a name, for the requests to come.
func (c *converter) capture(r recorded) {
	if token := strings.Trim(r.RHdr.Get("Lock-Token"), "<>"); token != "" && r.Method == "LOCK" {
		c.tokens++
		c.known[token] = "T" + strconv.Itoa(c.tokens)
		fmt.Fprintf(&c.play, "\tLock-Token: <{%s}>\n", c.known[token])
	}
	if etag := r.RHdr.Get("Etag"); etag != "" {
		c.etags++
		c.known[etag] = "E" + strconv.Itoa(c.etags)
		fmt.Fprintf(&c.play, "\tETag: {%s}\n", c.known[etag])
	}
}

// pathOf is the path of a URL as it was written.
func pathOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return raw
	}
	return u.EscapedPath()
}
