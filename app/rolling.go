package app

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"portico/gateway"
)

// A transfer may take hours, but neither side may fall silent (THREATS.md §4.1).
const (
	stallTimeout = 60 * time.Second // without a byte

	// A client that trickles is silent in all but name. Time counts while we wait
	// for it; a slow store is not its fault.
	minRate    = 1 << 10 // bytes a second
	rateWindow = 5 * time.Minute

	// piece is how much goes out under one deadline: minRate over stallTimeout.
	piece = 64 << 10
)

// rolling gives a request's writer and body, which move the connection's
// deadlines on with each piece. What is no transfer has one deadline for all of
// its body, and a shorter one for its answer.
func rolling(w http.ResponseWriter, r *http.Request, clock func() time.Time, buffers *sync.Pool) (*rollingWriter, *rollingBody) {
	patience := stallTimeout
	until := func() time.Time { return clock().Add(patience) }
	received := until
	if !isTransfer(r.URL.Path) {
		patience = pageTimeout
		end := until()
		received = func() time.Time { return end }
	}
	// A writer without deadlines (a test's recorder) is as good: their errors are
	// passed over.
	ctl := http.NewResponseController(w)
	rw := &rollingWriter{ResponseWriter: w, buffers: buffers, status: http.StatusOK, roll: func() { _ = ctl.SetWriteDeadline(until()) }}
	body := &rollingBody{ReadCloser: r.Body, clock: clock, until: received, set: func(t time.Time) { _ = ctl.SetReadDeadline(t) }}
	body.begin(r)
	return rw, body
}

// isTransfer tells the addresses whose bodies may take hours: those of drives, of
// uploads in pieces, and of the pages that files go through.
func isTransfer(path string) bool {
	return gateway.IsDrive(path) || slices.ContainsFunc([]string{"/api/v1/", "/files/", "/portal/", "/s/"}, func(at string) bool {
		return strings.HasPrefix(path, at)
	})
}

// rollingBody moves the read deadline on with each read, and counts.
type rollingBody struct {
	io.ReadCloser
	clock func() time.Time
	until func() time.Time
	set   func(time.Time)
	n     int64

	// over is set at the end of the body. net/http listens for the client's
	// leaving from then on, and takes a deadline that passes for just that: it
	// would cancel a request that takes longer than its body.
	over bool
	// lift is set where a deadline acts when it passes, and not only on a read
	// (HTTP/2): it may not stand while a store is busy with what came.
	lift bool

	waited time.Duration // in this window
	mark   int64         // n at its beginning
}

// begin sets the first deadline in HTTP/1. net/http reads what a handler leaves
// of a body before it answers, and would wait for a client who sends no more,
// without a login, for ever.
func (b *rollingBody) begin(r *http.Request) {
	b.over = r.Body == nil || r.Body == http.NoBody
	b.lift = r.ProtoMajor >= 2
	if !b.over && !b.lift {
		b.set(b.until())
	}
}

// Read implements io.Reader.
func (b *rollingBody) Read(p []byte) (int, error) {
	if b.over {
		return b.ReadCloser.Read(p)
	}
	start := b.clock()
	b.set(b.until())
	n, err := b.ReadCloser.Read(p)
	b.n += int64(n)
	if err == nil {
		err = b.tooSlow(b.clock().Sub(start))
	}
	if b.over = err != nil; !b.over && b.lift {
		b.set(time.Time{})
	}
	return n, err
}

// tooSlow ends a body that trickled through a whole window.
func (b *rollingBody) tooSlow(took time.Duration) error {
	if b.waited += took; b.waited < rateWindow {
		return nil
	}
	if b.n-b.mark < int64(b.waited/time.Second)*minRate {
		return fmt.Errorf("less than %d bytes a second: %w", minRate, os.ErrDeadlineExceeded)
	}
	b.waited, b.mark = 0, b.n
	return nil
}

// rollingWriter moves the write deadline on with each piece, and counts. It
// passes files on to the kernel (sendfile).
type rollingWriter struct {
	http.ResponseWriter
	roll    func()
	buffers *sync.Pool // see copyBuffers
	status  int
	wrote   bool
	n       int64
}

// copyBuffers are for what the kernel cannot send by itself: net/http would take
// a new one for each piece, and a large file leave half a gigabyte of them behind.
func copyBuffers() *sync.Pool { return &sync.Pool{New: func() any { return new([piece]byte) }} }

// Unwrap lets http.ResponseController find the connection.
func (w *rollingWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (w *rollingWriter) WriteHeader(status int) {
	w.roll()
	if status >= http.StatusOK && !w.wrote { // 1xx are not the answer yet
		w.status, w.wrote = status, true
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements io.Writer.
func (w *rollingWriter) Write(p []byte) (sum int, err error) {
	w.wrote = true
	for {
		w.roll()
		n, err := w.ResponseWriter.Write(p[:min(len(p), piece)])
		sum += n
		w.n += int64(n)
		if p = p[n:]; err != nil || len(p) == 0 {
			return sum, err
		}
	}
}

// ReadFrom implements io.ReaderFrom. net sends a file without copying it only
// if it sees *io.LimitedReader right over *os.File, so a limit that is there
// already is opened up and not wrapped again.
func (w *rollingWriter) ReadFrom(src io.Reader) (sum int64, err error) {
	w.wrote = true
	outer, limited := src.(*io.LimitedReader)
	_, plain := src.(*os.File)
	if limited {
		_, plain = outer.R.(*os.File)
	}
	if !plain {
		buf := w.buffers.Get().(*[piece]byte)
		defer w.buffers.Put(buf)
		return io.CopyBuffer(struct{ io.Writer }{w}, src, buf[:])
	}
	for {
		lr := &io.LimitedReader{R: src, N: piece}
		if limited {
			lr.R, lr.N = outer.R, min(piece, outer.N)
		}
		want := lr.N
		w.roll()
		n, err := io.Copy(w.ResponseWriter, lr)
		sum += n
		w.n += n
		if limited {
			outer.N -= n
		}
		if err != nil || n < want || limited && outer.N <= 0 {
			return sum, err
		}
	}
}

// fail answers a panic, if nothing has been answered yet. Else the connection
// must be cut: net/http would end an answer in chunks in good order, and the
// client take it for whole.
func (w *rollingWriter) fail() (cut any) {
	if w.wrote {
		return http.ErrAbortHandler
	}
	refuse(w, http.StatusInternalServerError, "something went wrong here; the request id in the header X-Request-Id names it in the log")
	return nil
}
