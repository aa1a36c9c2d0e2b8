package app

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"
)

// The limits of THREATS.md §4.1 on what a connection may cost.
const (
	headerTimeout = 10 * time.Second
	idleTimeout   = 120 * time.Second
	stallTimeout  = 60 * time.Second // without a byte in either direction
	maxHeader     = 32 << 10
	maxURL        = 4 << 10
	maxQuery      = 100
	maxStreams    = 100
)

// newServer is an http.Server with those limits. It has no ReadTimeout and no
// WriteTimeout, since a file may take an hour: roll sets deadlines that move on
// with each piece.
func newServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: maxStreams},

		// "OPTIONS *" is ours to answer: Windows asks it before it mounts.
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

type requestIDKey struct{}

// requestID is the id that each log line and audit row of a request carries.
func requestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

// withID gives each request its id. A client's own is not taken: it could forge
// the trail of another.
func withID(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var b [12]byte
		_, _ = rand.Read(b[:]) // never fails (crypto/rand)
		id := base64.RawURLEncoding.EncodeToString(b[:])
		w.Header().Set("X-Request-Id", id)
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), requestIDKey{}, id)))
	})
}

// withLimits refuses what no client of ours sends, before anything looks at it.
func withLimits(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case len(r.RequestURI) > maxURL:
			http.Error(w, "the address is too long", http.StatusRequestURITooLong)
		case len(r.URL.RawQuery) > 0 && len(r.URL.Query()) > maxQuery:
			http.Error(w, "too many parameters in the address", http.StatusBadRequest)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// seen is what a request turned out to be.
type seen struct {
	method  string
	status  int
	in, out int64
	took    time.Duration
}

// withRecord logs each request, tells the metrics, turns a panic into a 500, and
// rolls the deadlines. Neither headers nor bodies are logged.
func withRecord(next http.Handler, log *slog.Logger, clock func() time.Time, tell func(seen)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := clock()
		rw := newRollingWriter(w, clock)
		body := &rollingBody{ReadCloser: r.Body, roll: rw.rollRead}
		r.Body = body
		defer func() {
			if p := recover(); p != nil && p != http.ErrAbortHandler { //nolint:errorlint // net/http compares likewise
				log.ErrorContext(r.Context(), "panic", "what", p, "stack", string(debug.Stack()))
				rw.fail() //nolint:contextcheck // the deadline is the connection's
			} else if p != nil {
				rw.status = statusAborted
				defer panic(p) // net/http cuts the connection
			}
			s := seen{method: r.Method, status: rw.status, in: body.n, out: rw.n, took: clock().Sub(start)}
			tell(s)
			log.InfoContext(r.Context(), "request", "method", r.Method, "path", r.URL.Path, "status", s.status,
				"in", s.in, "out", s.out, "took", s.took, "from", r.RemoteAddr)
		}()
		next.ServeHTTP(rw, r)
	})
}

// statusAborted is logged where the connection was cut in the middle of an answer.
const statusAborted = 499

// rollingBody moves the read deadline on with each read, and counts.
type rollingBody struct {
	io.ReadCloser
	roll func()
	n    int64
}

func (b *rollingBody) Read(p []byte) (int, error) {
	b.roll()
	n, err := b.ReadCloser.Read(p)
	b.n += int64(n)
	return n, err
}

// rollingWriter moves the write deadline on with each write, and counts. It
// passes files on to the kernel (sendfile) a piece at a time.
type rollingWriter struct {
	http.ResponseWriter
	ctl    *http.ResponseController
	clock  func() time.Time
	status int
	wrote  bool
	n      int64
}

func newRollingWriter(w http.ResponseWriter, clock func() time.Time) *rollingWriter {
	rw := &rollingWriter{ResponseWriter: w, ctl: http.NewResponseController(w), clock: clock, status: http.StatusOK}
	// A deadline of the connection's last request must not end this one. A
	// writer without deadlines (a test's recorder) is as good.
	_ = rw.ctl.SetWriteDeadline(time.Time{})
	return rw
}

// Unwrap lets http.ResponseController find the connection.
func (w *rollingWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *rollingWriter) rollRead() { _ = w.ctl.SetReadDeadline(w.clock().Add(stallTimeout)) }

func (w *rollingWriter) rollWrite() { _ = w.ctl.SetWriteDeadline(w.clock().Add(stallTimeout)) }

func (w *rollingWriter) WriteHeader(status int) {
	w.rollWrite()
	if status >= http.StatusOK { // 1xx are not the answer yet
		w.status, w.wrote = status, true
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *rollingWriter) Write(p []byte) (int, error) {
	w.wrote = true
	w.rollWrite()
	n, err := w.ResponseWriter.Write(p)
	w.n += int64(n)
	return n, err
}

// piece is how much goes to the kernel under one deadline.
const piece = 256 << 10

// ReadFrom implements io.ReaderFrom. net sends a file without copying it only
// if it sees *io.LimitedReader right over *os.File, so a limit that is there
// already is opened up and not wrapped again.
func (w *rollingWriter) ReadFrom(src io.Reader) (sum int64, err error) {
	w.wrote = true
	outer, limited := src.(*io.LimitedReader)
	for {
		lr := &io.LimitedReader{R: src, N: piece}
		if limited {
			lr.R, lr.N = outer.R, min(piece, outer.N)
		}
		want := lr.N
		w.rollWrite()
		n, err := io.Copy(w.ResponseWriter, lr)
		sum += n
		w.n += n
		if limited {
			outer.N -= n
		}
		if err != nil || n < want || want == 0 {
			return sum, err
		}
	}
}

// fail answers a panic, if nothing has been answered yet.
func (w *rollingWriter) fail() {
	if w.wrote {
		w.status = statusAborted
		return
	}
	http.Error(w, "something went wrong here; the request id in the header X-Request-Id names it in the log", http.StatusInternalServerError)
}
