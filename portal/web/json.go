package web

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"strings"
)

// Limits of what a request may carry (THREATS.md §4.1).
const (
	MaxForm = 64 << 10
	MaxJSON = 1 << 20
)

// Reply answers a program with JSON.
func Reply(w http.ResponseWriter, status int, v any) { reply(w, status, "application/json", v) }

func reply(w http.ResponseWriter, status int, kind string, v any) {
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client may have gone
}

// problem is an error as RFC 9457 writes it.
type problem struct {
	Type     string `json:"type"`
	Title    string `json:"title"`
	Status   int    `json:"status"`
	Detail   string `json:"detail"`
	Instance string `json:"instance,omitempty"`
}

// Problem answers a program with what went wrong (RFC 9457). The type is that of
// the status: "about:blank" (§4.2.1). The instance is the request's id, as a
// relative reference, by which the log is searched.
func Problem(w http.ResponseWriter, status int, detail string) {
	reply(w, status, "application/problem+json", problem{"about:blank", http.StatusText(status), status, detail, w.Header().Get("X-Request-Id")})
}

// ReadJSON reads a body of exactly one object, without members that into does not
// have; where the sentence is not empty, it answers with the status.
func ReadJSON(w http.ResponseWriter, r *http.Request, into any) (status int, sentence string) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return http.StatusUnsupportedMediaType, "Send the body as application/json."
	}
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, MaxJSON))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if err == nil {
		if _, more := d.Token(); more != io.EOF {
			err = errors.New("json: there is something after the object")
		}
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return http.StatusRequestEntityTooLarge, "The body is larger than 1 MiB."
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return http.StatusRequestTimeout, "The request took too long to arrive."
	}
	if err != nil {
		return http.StatusBadRequest, "The body is not the JSON that this route takes: " + strings.TrimPrefix(err.Error(), "json: ") + "."
	}
	return 0, ""
}

// ReadForm reads a form of ours; where it is not ok, it has answered.
func (k *Kit) ReadForm(w http.ResponseWriter, r *http.Request) (ok bool) {
	r.Body = http.MaxBytesReader(w, r.Body, MaxForm)
	if err := r.ParseForm(); err != nil {
		k.BadForm(w, r, err)
		return false
	}
	return true
}
