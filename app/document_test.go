package app

import (
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestDrippedDocument sends a document byte by byte. The time that a document has is
// for all of it, and grows with what comes and not with how often.
func TestDrippedDocument(t *testing.T) {
	inOwnTime(t, func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.ReadAll(r.Body); errors.Is(err, os.ErrDeadlineExceeded) {
			w.WriteHeader(http.StatusRequestTimeout)
		}
	}, func(c *client) {
		var sender sync.WaitGroup
		sender.Go(func() {
			err := c.send("PROPFIND /dav/firm/ HTTP/1.1\r\nHost: h\r\nContent-Length: 60000\r\n\r\n")
			for ; err == nil; err = c.send("<") {
				time.Sleep(time.Second)
			}
		})
		text, took := c.untilClosed()
		sender.Wait()
		if took != documentTimeout || !strings.Contains(text, "408") {
			c.t.Errorf("cut off after %v with %q, want %v and 408", took, text, documentTimeout)
		}
	})
}

// TestDocumentThatWaited reads a document that came at once, and that nobody looked
// at for a minute.
func TestDocumentThatWaited(t *testing.T) {
	inOwnTime(t, func(_ http.ResponseWriter, r *http.Request) {
		time.Sleep(time.Minute) // for its turn
		if b, err := io.ReadAll(r.Body); string(b) != "<a/>" || err != nil {
			t.Errorf("read %q, %v", b, err)
		}
	}, func(c *client) {
		_ = c.send("PROPFIND /dav/firm/ HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n<a/>")
		c.wantOK()
	})
}

// TestDocumentThatNobodyRead answers after a minute, as when no directory can be asked.
// What came of the body meanwhile is taken first, and the connection goes on.
func TestDocumentThatNobodyRead(t *testing.T) {
	inOwnTime(t, func(_ http.ResponseWriter, r *http.Request) {
		if r.Method == "PROPFIND" {
			time.Sleep(time.Minute)
		}
	}, func(c *client) {
		_ = c.send("PROPFIND /dav/firm/ HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n")
		var sender sync.WaitGroup
		sender.Go(func() {
			_ = c.send("<a/>")
			_ = c.send("OPTIONS /dav/ HTTP/1.1\r\nHost: h\r\n\r\n")
		})
		c.wantOK()
		c.wantOK()
		sender.Wait()
	})
}

// TestLongDocument lets a long document come over a line that is not fast.
func TestLongDocument(t *testing.T) {
	const size = 1 << 20
	inOwnTime(t, func(_ http.ResponseWriter, r *http.Request) {
		if n, err := io.Copy(io.Discard, r.Body); n != size || err != nil {
			t.Errorf("read %d bytes, %v", n, err)
		}
	}, func(c *client) {
		_ = c.send("POST /api/v1/shares HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", size)
		for range 16 {
			_ = c.send("%s", make([]byte, size/16))
			time.Sleep(time.Second)
		}
		c.wantOK()
	})
}
