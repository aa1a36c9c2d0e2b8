package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"portico/fault"
	"portico/files"
	"portico/identity"
	"portico/vpath"
)

func TestJudge(t *testing.T) {
	locked := &files.LockedError{Path: vpath.Must("/firm/a"), Holder: "Ann"}
	_, badPath := vpath.Parse("/a//b")
	cases := []struct {
		method string
		err    error
		want   int
	}{
		{"GET", fs.ErrNotExist, 404},
		{"GET", fs.ErrPermission, 403},
		{"GET", fs.ErrInvalid, 400},
		{"GET", badPath, 400},
		{"GET", fault.ErrRange, 416},
		{"GET", fault.ErrPrecondition, 412},
		{"MKCOL", fs.ErrExist, 405},
		{"PUT", fs.ErrExist, 405},
		{"COPY", fs.ErrExist, 409},
		{"PUT", fault.ErrIsDir, 405},
		{"PUT", fault.ErrNotDir, 409},
		{"PUT", fault.ErrNoParent, 409},
		{"DELETE", fault.ErrNotEmpty, 409},
		{"MOVE", fault.ErrConflict, 409},
		{"PUT", locked, 423},
		{"LOCK", locked, 423},
		{"PUT", fault.ErrTruncated, 400},
		{"PUT", badBody(os.ErrDeadlineExceeded), 408},
		{"PUT", badBody(io.ErrUnexpectedEOF), 400},
		{"PUT", fault.ErrTooLarge, 413},
		{"PUT", fault.ErrQuota, 507},
		{"PUT", fault.ErrUnavailable, 503},
		{"PUT", fault.ErrBusy, 429},
		{"GET", identity.ErrRefused, 401},
		{"GET", identity.ErrAppPassword, 401},
		{"GET", &identity.ThrottledError{After: time.Minute}, 429},
		{"LOCK", fault.ErrPrecondition, 412},
		{"UNLOCK", fault.ErrConflict, 409},
		{"GET", context.DeadlineExceeded, 503},
		{"GET", io.ErrNoProgress, 500},
		{"GET", errors.New("secret"), 500},
		{"GET", refuse(418, "no"), 418},
	}
	for _, c := range cases {
		for _, err := range []error{c.err, fmt.Errorf("local: put /secret: %w", c.err)} {
			o := judge(c.method, err)
			if o.status != c.want {
				t.Errorf("judge(%s, %v) = %d, want %d", c.method, err, o.status, c.want)
			}
			if o.text == "" || strings.Contains(o.text, "secret") {
				t.Errorf("judge(%s, %v) tells %q", c.method, err, o.text)
			}
		}
		told := judge(c.method, fmt.Errorf("files: %w", fault.Tell(c.err, "One sentence.")))
		if c.want != 418 && c.want != 500 && !isThrottled(c.err) && told.text != "One sentence." {
			t.Errorf("judge(%s, %v) tells %q, not the error's own sentence", c.method, c.err, told.text)
		}
	}
	if text := lockedText(locked, time.Now()); !strings.Contains(text, "Ann") {
		t.Errorf("423 says %q", text)
	}
}

// isThrottled: its sentence tells how long, and is always the gateway's.
func isThrottled(err error) bool {
	_, ok := errors.AsType[*identity.ThrottledError](err)
	return ok
}

// TestThrottledTells wants the seconds rounded up, for the client and its user.
func TestThrottledTells(t *testing.T) {
	for after, want := range map[time.Duration][2]string{
		1:                                  {"1", "a second."},
		time.Second:                        {"1", "a second."},
		time.Second + 1:                    {"2", "2 seconds."},
		30 * time.Second:                   {"30", "30 seconds."},
		30*time.Minute - 1:                 {"1800", "30 minutes."},
		29*time.Minute + time.Second:       {"1741", "30 minutes."},
		23*time.Hour + 30*time.Minute + 10: {"84601", "24 hours."},
	} {
		w, log := failed(t, t.Context(), &request{}, fmt.Errorf("gate: %w", &identity.ThrottledError{After: after}))
		if got := w.Header().Get("Retry-After"); w.Code != 429 || got != want[0] {
			t.Errorf("%v: %d with Retry-After %q, want 429 with %q", after, w.Code, got, want[0])
		}
		if body := w.Body.String(); !strings.Contains(body, "Try again in "+want[1]) || log != "" {
			t.Errorf("%v: the body says %q, want %q in it; log %q", after, body, want[1], log)
		}
	}
}

func failed(t *testing.T, ctx context.Context, q *request, err error) (*httptest.ResponseRecorder, string) { //nolint:revive // t comes first in tests
	t.Helper()
	var log strings.Builder
	h := New(Options{Realm: `a "realm"`, Log: slog.New(slog.NewTextHandler(&log, nil))})
	w := httptest.NewRecorder()
	h.fail(w, httptest.NewRequestWithContext(ctx, "PUT", "/dav/x", nil), q, err)
	return w, log.String()
}

func TestFailHeaders(t *testing.T) {
	for name, c := range map[string]struct {
		err           error
		header, value string
	}{
		"login":       {identity.ErrRefused, "WWW-Authenticate", `Basic realm="a \"realm\"", charset="UTF-8"`},
		"app":         {identity.ErrAppPassword, "WWW-Authenticate", `Basic realm="a \"realm\"", charset="UTF-8"`},
		"unavailable": {fault.ErrUnavailable, "Retry-After", "10"},
		"busy":        {fault.ErrBusy, "Retry-After", "5"},
		"method":      {fault.ErrIsDir, "Allow", allowed},
	} {
		w, _ := failed(t, t.Context(), &request{}, c.err)
		if got := w.Header().Get(c.header); got != c.value {
			t.Errorf("%s: %s is %q, want %q", name, c.header, got, c.value)
		}
	}
}

func TestFailLogs(t *testing.T) {
	for err, want := range map[error]bool{
		fault.ErrUnavailable: true, errors.New("a bug"): true, fault.ErrQuota: true, fs.ErrNotExist: false, fault.ErrLocked: false,
	} {
		if _, log := failed(t, t.Context(), &request{}, err); (log != "") != want {
			t.Errorf("%v: the log says %q", err, log)
		}
	}
}

func TestFailGone(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w, log := failed(t, ctx, &request{}, fmt.Errorf("s3: put: %w", fault.ErrUnavailable))
	if w.Code != statusGone || w.Body.Len() > 0 || log != "" {
		t.Errorf("a client that went away: %d, %q, log %q", w.Code, w.Body, log)
	}
}

// Once the head is out, an error must not look like an end.
func TestFailBegun(t *testing.T) {
	defer func() {
		if got, _ := recover().(error); !errors.Is(got, http.ErrAbortHandler) {
			t.Errorf("panicked with %v, want %v", got, http.ErrAbortHandler)
		}
	}()
	failed(t, t.Context(), &request{begun: true}, errors.New("disk"))
}

func TestUpload(t *testing.T) {
	broken := errors.New("connection reset")
	cases := []struct {
		name        string
		body        io.Reader
		size, limit int64
		want        error // nil for a whole body
	}{
		{"whole", strings.NewReader("12345"), 5, 10, nil},
		{"unknown", strings.NewReader("12345"), -1, 10, nil},
		{"at the limit", strings.NewReader("12345"), -1, 5, nil},
		{"empty", strings.NewReader(""), 0, 10, nil},
		{"short", strings.NewReader("1234"), 5, 10, fault.ErrTruncated},
		{"long", strings.NewReader("123456"), 5, 10, fault.ErrTruncated},
		{"over the limit", strings.NewReader("123456"), -1, 5, fault.ErrTooLarge},
		{"broken", io.MultiReader(strings.NewReader("12345"), errReader{broken}), -1, 10, broken},
		{"cut", io.MultiReader(strings.NewReader("12"), errReader{io.ErrUnexpectedEOF}), -1, 10, fault.ErrTruncated},
	}
	for _, c := range cases {
		_, err := io.ReadAll(&upload{body: c.body, size: c.size, limit: c.limit})
		if !errors.Is(err, c.want) || errors.Is(err, io.EOF) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }

func TestClip(t *testing.T) {
	if got := clip("aé", 2); got != "a" {
		t.Errorf("clip cuts a character: %q", got)
	}
	if got := clip("\xffabc", 10); got != "abc" {
		t.Errorf("clip keeps what is not UTF-8: %q", got)
	}
}
