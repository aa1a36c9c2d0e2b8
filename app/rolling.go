package app

import (
	"errors"
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

	// A document (XML, JSON, a form) is read whole before anything is done. One that
	// stalls, or comes byte by byte, is answered within ten seconds: it has this time,
	// and more of it only as it comes. Where the request itself had to wait longer than
	// that, for its turn or for a directory, there is a moment more to read what has come.
	documentTimeout = 8 * time.Second
	documentRate    = 64 << 10 // bytes a second
	documentGrace   = time.Second

	// drainTimeout is for what is left of a body when the answer is known. net/http
	// reads some of it before it sends the answer, so that a client who still writes
	// is not reset (RFC 9112 §9.6); one who does not write must not hold the answer up.
	drainTimeout = 9 * time.Second
)

// rolling gives a request's writer and body, which move the connection's
// deadlines on with each piece. A document has one deadline for all of its body,
// and what is no transfer a shorter one for its answer.
func rolling(w http.ResponseWriter, r *http.Request, clock func() time.Time, buffers *sync.Pool) (*rollingWriter, *rollingBody) {
	patience := stallTimeout
	if !isTransfer(r.URL.Path) {
		patience = pageTimeout
	}
	// A writer without deadlines (a test's recorder) is as good: their errors are
	// passed over.
	ctl := http.NewResponseController(w)
	body := &rollingBody{ReadCloser: r.Body, clock: clock, set: func(t time.Time) { _ = ctl.SetReadDeadline(t) }}
	body.until = func() time.Time { return clock().Add(stallTimeout) }
	if !carriesFile(r) {
		body.until = body.documentEnd(clock())
	}
	body.begin(r)
	return &rollingWriter{
		ResponseWriter: w, buffers: buffers, status: http.StatusOK, answers: body.hurry,
		roll: func() { _ = ctl.SetWriteDeadline(clock().Add(patience)) },
	}, body
}

// isTransfer tells the addresses whose bodies may take hours: those of drives, of
// uploads in pieces, and of the pages that files go through.
func isTransfer(path string) bool {
	return gateway.IsDrive(path) || slices.ContainsFunc([]string{"/api/v1/", "/files/", "/portal/", "/s/", "/verify"}, func(at string) bool {
		return strings.HasPrefix(path, at)
	})
}

// carriesFile tells a request whose body may be a file, of which there is no telling
// how long it takes, from one that is a document.
func carriesFile(r *http.Request) bool {
	if !isTransfer(r.URL.Path) {
		return false
	}
	kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	switch kind = strings.ToLower(strings.TrimSpace(kind)); r.Method {
	case http.MethodPut, http.MethodPatch:
		// A file of the drive may be of any type, and so may the content that a program
		// sends; the other routes of the API take JSON alone.
		return !strings.HasPrefix(r.URL.Path, "/api/v1/") || kind != "application/json" || strings.HasPrefix(r.URL.Path, "/api/v1/content/")
	case http.MethodPost: // forms with a file, and tus' creation-with-upload
		return kind == "multipart/form-data" || kind == "application/offset+octet-stream"
	}
	return false
}

// rollingBody moves the read deadline on with each read, and counts.
type rollingBody struct {
	io.ReadCloser
	clock func() time.Time
	until func() time.Time
	set   func(time.Time)
	n     int64
	first time.Time // when it was first read from, zero before

	// over is set at the end of the body. net/http listens for the client's
	// leaving from then on, and takes a deadline that passes for just that: it
	// would cancel a request that takes longer than its body.
	over bool
	// hurried is set once the answer is known.
	hurried bool
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

// documentEnd is until for a document, whose request began at start.
func (b *rollingBody) documentEnd(start time.Time) func() time.Time {
	return func() time.Time {
		end := start.Add(documentTimeout)
		if soon := b.first.Add(documentGrace); soon.After(end) {
			end = soon
		}
		return end.Add(time.Duration(b.n) * time.Second / documentRate)
	}
}

// hurry bounds what is left of the body when the answer is known.
func (b *rollingBody) hurry() {
	if b.over || b.hurried {
		return
	}
	b.hurried = true
	end := b.clock().Add(drainTimeout)
	if own := b.until(); own.Before(end) {
		end = own
	}
	// What has come meanwhile can still be read where the answer took long.
	if soon := b.clock().Add(documentGrace); end.Before(soon) {
		end = soon
	}
	b.until = func() time.Time { return end }
	if !b.lift { // HTTP/2 waits for nothing, it ends the stream
		b.set(end)
	}
}

// Read implements io.Reader.
func (b *rollingBody) Read(p []byte) (int, error) {
	if b.over {
		return b.ReadCloser.Read(p)
	}
	start := b.clock()
	if b.first.IsZero() {
		b.first = start
	}
	end := b.until()
	b.set(end)
	n, err := b.ReadCloser.Read(p)
	b.n += int64(n)
	switch now := b.clock(); {
	case err == nil:
		if err = b.tooSlow(now.Sub(start)); err != nil {
			b.set(start) // nor is the rest waited for
		}
	case !errors.Is(err, io.EOF) && !now.Before(end): // net/http calls it a long trailer where it stalls in one
		err = fmt.Errorf("%w: %w", os.ErrDeadlineExceeded, err)
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
	answers func()     // told when the answer begins
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
		w.answers()
	}
	w.ResponseWriter.WriteHeader(status)
}

// begin notes that the answer begins, if it had not.
func (w *rollingWriter) begin() {
	if !w.wrote {
		w.wrote = true
		w.answers()
	}
}

// Write implements io.Writer.
func (w *rollingWriter) Write(p []byte) (sum int, err error) {
	w.begin()
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
	w.begin()
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
