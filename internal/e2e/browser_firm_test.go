//go:build !race

package e2e

import (
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net"
	"net/http"
	"net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// office is a firm with customers: ann shares, bob works beside her, eve reads.
// All that people do goes over a wire that a test can cut.
type office struct {
	*server
	wire   *wire
	outbox string
}

const officeConfig = `
server: {listen: "127.0.0.1:0", public_url: %[5]q}
state: sqlite:%[1]s/portico.db
storage: {main: %[2]s}
identity:
  users:
    ann: {name: Ann Peeters, email: ann@firm.example, password: %[3]q}
    bob: {name: Bob Maes, email: bob@firm.example, password: %[3]q}
    eve: {name: Eve Claes, email: eve@firm.example, password: %[3]q}
workspaces:
  firm:
    title: Peeters & Co
    storage: main
    brand: {name: Peeters & Co, color: "#1f5fbf"}
    folders:
      /: {grant: {"user:ann": owner, "user:bob": editor, "user:eve": viewer}}
mail: {from: portico@firm.example, dir: %[4]s}
language: en
`

// newOffice starts one.
func newOffice(t *testing.T, st storage) *office {
	t.Helper()
	dir := t.TempDir()
	w := newWire(t)
	o := &office{wire: w, outbox: filepath.Join(dir, "outbox")}
	o.server = serve(t, fmt.Sprintf(officeConfig, dir, st.yaml(t), hash(), o.outbox, "http://"+w.address()))
	w.to.Store(strings.TrimPrefix(o.url, "http://"))
	o.url = "http://" + w.address()
	return o
}

// letter is a mail that was sent.
type letter struct{ to, subject, text string }

// letters are all mails so far.
func (o *office) letters() (all []letter) {
	o.t.Helper()
	files, err := filepath.Glob(filepath.Join(o.outbox, "*.eml"))
	if err != nil {
		o.t.Fatal(err)
	}
	slices.Sort(files)
	for _, name := range files {
		all = append(all, readLetter(o.t, name))
	}
	return all
}

func readLetter(t *testing.T, name string) letter {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m, err := mail.ReadMessage(f)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil {
		t.Fatal(err)
	}
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	part, err := multipart.NewReader(m.Body, params["boundary"]).NextPart() // the text; HTML follows
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	text, err := io.ReadAll(part)
	if err != nil {
		t.Fatal(err)
	}
	return letter{m.Header.Get("To"), subject, string(text)}
}

// letter waits for a mail to somebody that says something.
func (o *office) letter(to, says string) (l letter) {
	o.t.Helper()
	eventually(o.t, fmt.Sprintf("a mail to %s that says %q", to, says), func() bool {
		for _, x := range o.letters() {
			if strings.Contains(x.to, to) && strings.Contains(x.subject+"\n"+x.text, says) {
				l = x
				return true
			}
		}
		return false
	})
	return l
}

// address is the link to somewhere in a letter.
func (o *office) address(l letter, under string) string {
	o.t.Helper()
	return found(o.t, `(`+strings.ReplaceAll(o.url, ".", `\.`)+under+`[^\s<>)]+)`, l.text)
}

// wire is a line to the server that can be cut: all connections at once, after so
// many bytes went up.
type wire struct {
	listener net.Listener
	to       atomic.Value // string, host:port
	left     atomic.Int64 // until the cut; it is not cut while below 1
	cuts     atomic.Int32

	mu    sync.Mutex
	conns map[net.Conn]bool
}

func newWire(t *testing.T) *wire {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{listener: l, conns: map[net.Conn]bool{}}
	var g sync.WaitGroup
	g.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			g.Go(func() { w.carry(t, c) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		w.cut()
		g.Wait()
	})
	return w
}

func (w *wire) address() string { return w.listener.Addr().String() }

// cut ends all connections, as when a cable is pulled.
func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.conns {
		_ = c.Close()
	}
	clear(w.conns)
}

// cutAfter cuts it once, when so many bytes more went up.
func (w *wire) cutAfter(bytes int64) { w.left.Store(bytes) }

func (w *wire) carry(t *testing.T, down net.Conn) {
	to, _ := w.to.Load().(string)
	up, err := new(net.Dialer).DialContext(t.Context(), "tcp", to)
	if err != nil {
		_ = down.Close()
		return
	}
	w.mu.Lock()
	w.conns[down], w.conns[up] = true, true
	w.mu.Unlock()
	var g sync.WaitGroup
	g.Go(func() {
		_, _ = io.Copy(&counted{up, w}, down)
		_ = up.Close()
	})
	g.Go(func() {
		_, _ = io.Copy(down, up)
		_ = down.Close()
	})
	g.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.conns, down)
	delete(w.conns, up)
}

// counted counts what goes up.
type counted struct {
	net.Conn
	w *wire
}

func (c *counted) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	if left := c.w.left.Add(-int64(n)); left <= 0 && left+int64(n) > 0 {
		c.w.cuts.Add(1)
		c.w.cut()
	}
	return n, err
}

// stream downloads a file as somebody.
func (o *office) stream(user, path string) io.ReadCloser {
	o.t.Helper()
	r, err := http.NewRequestWithContext(o.t.Context(), http.MethodGet, o.url+path, nil)
	if err != nil {
		o.t.Fatal(err)
	}
	r.SetBasicAuth(user, password)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		o.t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		o.t.Fatalf("GET %s: %s", path, resp.Status)
	}
	return resp.Body
}
