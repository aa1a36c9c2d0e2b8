package app

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"portico/sharing"
)

// The limits of THREATS.md §4.1 on what a connection may cost. Those of a
// transfer are in rolling.go.
const (
	headerTimeout = 10 * time.Second
	idleTimeout   = 120 * time.Second
	pageTimeout   = 30 * time.Second // for all but the drive
	maxHeader     = 32 << 10
	maxURL        = 4 << 10
	maxQuery      = 100
	maxStreams    = 100
)

// newServer is an http.Server with those limits. It has no ReadTimeout and no
// WriteTimeout, since a file may take an hour: withRecord sets deadlines that
// move on with each piece.
func newServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams: maxStreams,
			// The deadlines of a stream do not see a connection that is dead as a whole.
			SendPingTimeout: stallTimeout, PingTimeout: headerTimeout, WriteByteTimeout: stallTimeout,
		},

		// "OPTIONS *" is ours to answer: Windows asks it before it mounts.
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     slog.NewLogLogger(serverLog{log.Handler()}, slog.LevelDebug),
	}
}

// serverLog takes what net/http says. Most of it is about clients, as anybody
// can cause it; that no connection can be accepted the admin must know.
type serverLog struct{ slog.Handler }

// Enabled lets Handle decide.
func (serverLog) Enabled(context.Context, slog.Level) bool { return true }

// Handle implements slog.Handler.
func (h serverLog) Handle(ctx context.Context, r slog.Record) error {
	if strings.HasPrefix(r.Message, "http: Accept error") {
		r.Level = slog.LevelError
	}
	if !h.Handler.Enabled(ctx, r.Level) {
		return nil
	}
	return h.Handler.Handle(ctx, r)
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
		case !knownMethod(r.Method): // TRACE would show a client's headers, CONNECT is a proxy's
			w.Header().Set("Allow", strings.Join(methods(), ", "))
			refuse(w, http.StatusMethodNotAllowed, "this server does not know the method of this request")
		case len(r.RequestURI) > maxURL:
			refuse(w, http.StatusRequestURITooLong, "the address is too long")
		case strings.Count(r.URL.RawQuery, "&") >= maxQuery:
			refuse(w, http.StatusBadRequest, "too many parameters in the address")
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// refuse answers what never reaches a page or a drive. It is plain text that no
// browser runs, frames or keeps, whatever stands around it.
func refuse(w http.ResponseWriter, status int, sentence string) {
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	http.Error(w, sentence, status)
}

// methods are all that any part of the server knows.
func methods() []string {
	return []string{
		"OPTIONS", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "MKCOL", "COPY", "MOVE", "PROPFIND", "PROPPATCH", "LOCK", "UNLOCK",
		"REPORT", "SEARCH",
	}
}

// seen is what a request turned out to be.
type seen struct {
	method  string
	status  int
	in, out int64
	took    time.Duration
}

// witness is what withRecord needs beside the handler.
type witness struct {
	log     *slog.Logger
	clock   func() time.Time
	tell    func(seen)
	address func(*http.Request) string // of the client, for the log
}

// withRecord logs each request, tells the metrics, turns a panic into a 500 or a
// connection that is cut, and rolls the deadlines. Neither headers nor bodies
// are logged.
func withRecord(next http.Handler, s witness) http.Handler {
	buffers := copyBuffers()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := s.clock()
		rw, body := rolling(w, r, s.clock, buffers)
		r.Body = body
		defer func() { //nolint:contextcheck // a deadline belongs to the connection
			cut := recover()
			if cut != nil && cut != http.ErrAbortHandler { //nolint:errorlint // net/http compares likewise
				s.log.ErrorContext(r.Context(), "panic", "what", cut, "stack", string(debug.Stack()))
				cut = rw.fail()
			}
			if cut != nil {
				rw.status = statusAborted
				defer panic(http.ErrAbortHandler) // net/http cuts the connection
			}
			n := seen{method: r.Method, status: rw.status, in: body.n, out: rw.n, took: s.clock().Sub(start)}
			s.tell(n)
			s.log.InfoContext(r.Context(), "request", "method", short(r.Method, 16), "path", short(sharing.Redacted(r.URL.Path), maxLogged), "status", n.status,
				"in", n.in, "out", n.out, "took", n.took, "from", s.address(r))
		}()
		next.ServeHTTP(rw, r)
		rw.begin() // an answer without a word is one, too
	})
}

// statusAborted is logged where the connection was cut in the middle of an answer.
const statusAborted = 499

// maxLogged is how much of a path is logged: as long as one of ours may be.
const maxLogged = 1024

// short cuts what a client may write into the log.
func short(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return string(bytes.ToValidUTF8([]byte(s[:n]), nil)) + "…"
}
