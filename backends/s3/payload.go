package s3

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
)

// payload is the body of an upload, with the watcher of its progress.
type payload struct {
	data []byte
	w    *watcher
}

type payloadKey struct{}

// withPayload tells the transport what a request is going to send.
func withPayload(ctx context.Context, data []byte, w *watcher) context.Context {
	return context.WithValue(ctx, payloadKey{}, payload{data, w})
}

// send sends a request whose body is read by nobody any more when it returns.
//
// net/http goes on reading a body after RoundTrip has returned an error or an
// early answer, until the body is closed. minio-go then rewinds the same reader
// and sends it again, so that two attempts would share its bytes between them,
// and Put gives the buffer to the next part. So each attempt has a reader of its
// own, which is shut before anyone goes on.
func send(next http.RoundTripper, req *http.Request) (*http.Response, error) {
	if req.Body == nil {
		return next.RoundTrip(req)
	}
	p, ok := req.Context().Value(payloadKey{}).(payload)
	if !ok { // XML
		data, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		p.data = data
	}
	body := &attempt{payload: p}
	defer body.Close() //nolint:errcheck // never fails
	req = req.WithContext(req.Context())
	req.Body = body
	resp, err := next.RoundTrip(req)
	if err == nil && resp.StatusCode >= http.StatusMultipleChoices {
		err = keepAnswer(resp) // shutting the body ends the connection
	}
	if err != nil {
		return nil, err
	}
	return resp, nil
}

// keepAnswer takes an error's text into memory.
func keepAnswer(resp *http.Response) error {
	const enough = 1 << 20
	text, err := io.ReadAll(io.LimitReader(resp.Body, enough))
	_ = resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(text))
	return err
}

var errShut = errors.New("the request is over")

// attempt is the body of one request.
type attempt struct {
	payload

	mu   sync.Mutex
	at   int
	shut bool
}

func (a *attempt) Read(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.shut {
		return 0, errShut
	}
	if a.w != nil {
		a.w.kick()
	}
	if a.at == len(a.data) {
		return 0, io.EOF
	}
	n := copy(p, a.data[a.at:])
	a.at += n
	return n, nil
}

// Close waits for a Read that is under way, and lets none begin.
func (a *attempt) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.shut = true
	return nil
}
