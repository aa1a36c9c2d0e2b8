package replay

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// message is a request as it goes over the wire. http.Client is of no use here: it
// repairs paths, adds headers, and hides what is in between.
type message struct {
	method, target string
	headers        []header
	body           []byte
	chunked        bool
}

// answer is what came back.
type answer struct {
	status    int
	continued bool // "100 Continue" came first
	header    http.Header
	body      []byte
}

// find is the value of a header of the request.
func (m *message) find(name string) (string, bool) {
	i := slices.IndexFunc(m.headers, func(h header) bool { return strings.EqualFold(h.name, name) })
	if i < 0 {
		return "", false
	}
	return m.headers[i].value, true
}

// add adds a header, unless the client has sent it itself.
func (m *message) add(name, value string) {
	if _, ok := m.find(name); !ok {
		m.headers = append(m.headers, header{name, value})
	}
}

// basic adds a login.
func (m *message) basic(p Person) {
	m.add("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(p.Login+":"+p.Password)))
}

// frame adds what tells how long the body is.
func (m *message) frame() {
	switch {
	case m.chunked:
		m.add("Transfer-Encoding", "chunked")
	case len(m.body) > 0 || m.method == http.MethodPut:
		m.add("Content-Length", strconv.Itoa(len(m.body)))
	}
}

// head is the request line and the headers.
func (m *message) head() string {
	var b strings.Builder
	b.WriteString(m.method + " " + m.target + " HTTP/1.1\r\n")
	for _, h := range m.headers {
		b.WriteString(h.name + ": " + h.value + "\r\n")
	}
	return b.String() + "\r\n"
}

// payload is the body as it goes over the wire; in chunks, in two of them at least.
func (m *message) payload() []byte {
	if !m.chunked {
		return m.body
	}
	var b bytes.Buffer
	for chunk := range slices.Chunk(m.body, len(m.body)/2+1) {
		fmt.Fprintf(&b, "%x\r\n%s\r\n", len(chunk), chunk)
	}
	b.WriteString("0\r\n\r\n")
	return b.Bytes()
}

// wire is the connection of one client.
type wire struct {
	host string
	conn net.Conn
	in   *bufio.Reader
}

// close ends the connection, if there is one.
func (w *wire) close() {
	if w.conn != nil {
		_ = w.conn.Close() // all that was wanted of it has been read
	}
	w.conn = nil
}

// dial connects, unless the last answer has left the connection open.
func (w *wire) dial(ctx context.Context) (err error) {
	if w.conn != nil {
		return nil
	}
	var d net.Dialer
	if w.conn, err = d.DialContext(ctx, "tcp", w.host); err != nil {
		w.conn = nil
		return err
	}
	w.in = bufio.NewReader(w.conn)
	return nil
}

// send sends m and reads the answer. ctx ends it, also where the server is silent.
func (w *wire) send(ctx context.Context, m *message) (a answer, err error) {
	if err := w.dial(ctx); err != nil {
		return a, err
	}
	conn := w.conn
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() }) // which ends the reading below
	defer stop()
	expect, _ := m.find("Expect")
	patient := strings.EqualFold(expect, "100-continue") // curl, LibreOffice
	out := []byte(m.head())
	if !patient {
		out = append(out, m.payload()...)
	}
	// The server may answer, and hang up, before it has read everything.
	_, lost := conn.Write(out)
	if a, err = w.read(m.method); err == nil && a.continued && patient {
		_, lost = conn.Write(m.payload())
		a, err = w.read(m.method)
		a.continued = true
	}
	if err != nil {
		w.close()
		return a, errors.Join(err, lost, ctx.Err())
	}
	return a, nil
}

// read reads one answer, "100 Continue" being one.
func (w *wire) read(method string) (a answer, err error) {
	res, err := http.ReadResponse(w.in, &http.Request{Method: method})
	if err != nil {
		return a, err
	}
	if res.StatusCode == http.StatusContinue {
		return answer{continued: true}, nil
	}
	a.status, a.header = res.StatusCode, res.Header
	a.body, err = io.ReadAll(res.Body)
	_ = res.Body.Close() // it has been read
	if res.Close {
		w.close()
	}
	return a, err
}
