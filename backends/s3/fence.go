package s3

import (
	"context"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"

	"portico/backends"
)

// S3 has no fencing tokens: it takes a call of a server whose claim another has by
// now. So the fence of a request (backends.WithFence) is asked by its connection,
// at each write to the socket. That is the last moment there is: between a check
// in RoundTrip and the first byte lie the choice of a connection, a dial, other
// goroutines of net/http, and a process that was halted between them goes on there.
// A body whose fence falls while it is written is cut, and a store keeps nothing
// that is shorter than announced.
//
// What is left is a halt between the question and write(2), and what the kernel
// has taken already, which it sends while the process is halted.

// fenced is a connection that asks before it writes.
type fenced struct {
	net.Conn
	ask atomic.Pointer[func() error] // of the request that has the connection, or nil
}

// dialer makes each connection a fenced one.
func dialer(d *net.Dialer) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := d.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &fenced{Conn: conn}, nil
	}
}

// Write writes nothing where the fence is down, and ends the connection: half a
// request may have gone over it.
func (c *fenced) Write(p []byte) (int, error) {
	if ask := c.ask.Load(); ask != nil {
		if err := (*ask)(); err != nil {
			_ = c.Close() // of no use any more
			return 0, err
		}
	}
	return c.Conn.Write(p)
}

// fence makes the connection that a request gets ask the request's fence, or none
// if it has none. net/http may try again on another connection: it asks, too.
func fence(req *http.Request, name string) (*http.Request, error) {
	ctx := req.Context()
	var ask *func() error
	if own := backends.FenceOf(ctx); own != nil && changes(req, name) {
		if err := own(); err != nil { // spares the connections
			return nil, err
		}
		ask = &own
	}
	trace := &httptrace.ClientTrace{GotConn: func(got httptrace.GotConnInfo) {
		if c := beneath(got.Conn); c != nil {
			c.ask.Store(ask)
		}
	}}
	return req.WithContext(httptrace.WithClientTrace(ctx, trace)), nil
}

// changes tells the requests whose work others could see. To call an upload off is
// not among them: nobody else has it, and its parts cost room.
func changes(req *http.Request, name string) bool {
	return req.Method != http.MethodGet && req.Method != http.MethodHead && name != "AbortMultipartUpload"
}

// beneath is the fenced connection under those of TLS.
func beneath(conn net.Conn) *fenced {
	for {
		switch c := conn.(type) {
		case *fenced:
			return c
		case interface{ NetConn() net.Conn }:
			conn = c.NetConn()
		default:
			return nil
		}
	}
}
