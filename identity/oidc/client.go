package oidc

import (
	"errors"
	"io"
	"net/http"
)

// maxAnswer bounds what a provider may answer, since all of it is read to memory.
const maxAnswer = 1 << 20

// bounded is a client that neither waits for ever nor reads without end, and
// that follows no redirect: a provider has none of these at its addresses, and
// our secret must not go where one points.
func bounded(c *http.Client) *http.Client {
	b := &http.Client{Timeout: patience, CheckRedirect: func(*http.Request, []*http.Request) error {
		return errors.New("oidc: the provider redirects; give its own address as the issuer")
	}}
	next := http.DefaultTransport
	if c != nil && c.Transport != nil {
		next = c.Transport
	}
	b.Transport = cutting{next}
	return b
}

// cutting cuts answers.
type cutting struct{ next http.RoundTripper }

// RoundTrip is of http.RoundTripper.
func (t cutting) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	resp.Body = cut{io.LimitReader(resp.Body, maxAnswer), resp.Body}
	return resp, nil
}

type cut struct {
	io.Reader
	io.Closer
}
