package tus_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
)

// TestHangingLine goes on with an upload whose first connection hangs: the server
// has not heard of its end.
func TestHangingLine(t *testing.T) {
	t.Parallel()
	for _, next := range []string{"HEAD", "PATCH", "DELETE"} {
		t.Run(next, func(t *testing.T) {
			t.Parallel()
			came := make(chan struct{})
			h := newHouse(t, settings{wrap: func(next http.Handler) http.Handler { return noticing(next, came) }})
			at := h.create("f", "6")
			hang(t, h, at)
			<-came
			switch next {
			case "HEAD":
				h.send("HEAD", at, nil).want(http.StatusOK).header("Upload-Offset", "3")
				h.patch(at, "3", "def").want(http.StatusNoContent)
			case "PATCH":
				h.patch(at, "3", "def").want(http.StatusNoContent)
			case "DELETE":
				h.send("DELETE", at, nil).want(http.StatusNoContent)
				h.send("HEAD", at, nil).want(http.StatusNotFound)
				h.idle()
				return
			}
			h.holds("/Clients/f", "abcdef")
		})
	}
}

// hang sends half a piece, and then nothing more.
func hang(t *testing.T, h *house, at string) {
	t.Helper()
	var d net.Dialer
	conn, err := d.DialContext(t.Context(), "tcp", h.server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_, err = fmt.Fprintf(conn, "PATCH %s HTTP/1.1\r\nHost: x\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n"+
		"Content-Type: application/offset+octet-stream\r\nContent-Length: 6\r\n\r\nabc", at)
	if err != nil {
		t.Fatal(err)
	}
}

// noticing tells when the first body has begun to come.
func noticing(next http.Handler, came chan struct{}) http.Handler {
	var once sync.Once
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPatch {
			r.Body = &noticed{r.Body, func() { once.Do(func() { close(came) }) }}
		}
		next.ServeHTTP(w, r)
	})
}

type noticed struct {
	io.ReadCloser
	tell func()
}

func (b *noticed) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if n > 0 {
		b.tell()
	}
	return n, err
}

// cutter breaks one connection, when so many bytes have come in over it.
type cutter struct {
	net.Listener
	left atomic.Int64
}

func (c *cutter) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &cutConn{conn, c}, nil
}

type cutConn struct {
	net.Conn
	of *cutter
}

func (c *cutConn) Read(p []byte) (int, error) {
	if left := c.of.left.Load(); left > 0 {
		p = p[:min(int64(len(p)), left)]
	}
	n, err := c.Conn.Read(p)
	if c.of.left.Add(-int64(n)) == 0 && n > 0 {
		_ = c.Close()
		return n, net.ErrClosed // what came counts: a read may be many megabytes
	}
	return n, err
}
