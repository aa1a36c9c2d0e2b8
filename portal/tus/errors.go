package tus

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"os"

	"portico/fault"
	"portico/files"
	"portico/vpath"
)

// statusChecksum is the protocol's own, "Checksum Mismatch".
const statusChecksum = 460

// refusal is a request that the protocol itself forbids.
type refusal struct {
	status int
	text   string
}

func refuse(status int, text string) error { return &refusal{status, text} }

func (r *refusal) Error() string { return r.text }

// outsideError is an error of Options.Tree.
type outsideError struct{ error }

func (e *outsideError) Unwrap() error { return e.error }

// outcome is what an error becomes.
type outcome struct {
	err    error
	status int
	said   fault.Sentence // where the error itself has no sentence for the user
}

// outcomes is the table from errors to status. The first that matches counts.
func outcomes() []outcome {
	return []outcome{
		{files.ErrUploadSum, statusChecksum, fault.Say("The piece was broken on its way. Send it again.")},
		{errInterrupted, http.StatusConflict, fault.Say("Another request goes on with this upload.")},
		// A body that stopped coming, before what it is wrapped in.
		{os.ErrDeadlineExceeded, http.StatusRequestTimeout, fault.Say("The piece took too long to arrive. What came is kept.")},
		{fault.ErrLocked, http.StatusLocked, fault.Say("Somebody has locked it.")},
		{fault.ErrPrecondition, http.StatusPreconditionFailed, fault.Say("What is stored has changed meanwhile.")},
		{fault.ErrQuota, http.StatusInsufficientStorage, fault.Say("There is no space left.")},
		{fault.ErrTooLarge, http.StatusRequestEntityTooLarge, fault.Say("It is larger than this server takes.")},
		// Never 404 for a storage that is away: a client would begin again.
		{fault.ErrUnavailable, http.StatusServiceUnavailable, fault.Say("The storage does not answer at the moment. Try again in a little while.")},
		{fault.ErrBusy, http.StatusTooManyRequests, fault.Say("Too many uploads at once.")},
		{fault.ErrNoParent, http.StatusConflict, fault.Say("The folder that it would lie in does not exist.")},
		{fault.ErrNotDir, http.StatusConflict, fault.Say("What it would lie in is a file, not a folder.")},
		{fault.ErrIsDir, http.StatusConflict, fault.Say("There is a folder of this name.")},
		{fs.ErrExist, http.StatusConflict, fault.Say("There is something of this name.")},
		{fault.ErrConflict, http.StatusConflict, fault.Say("This cannot be done here.")},
		{fs.ErrPermission, http.StatusForbidden, fault.Say("You may not do this here.")},
		{fs.ErrInvalid, http.StatusBadRequest, fault.Say("The request makes no sense here.")},
		{fs.ErrNotExist, http.StatusNotFound, fault.Say("There is nothing at this address.")},
		{fault.ErrTruncated, http.StatusBadRequest, fault.Say("The piece is shorter than it was to be. What came is kept.")},
		{context.DeadlineExceeded, http.StatusServiceUnavailable, fault.Say("It took too long. Try again in a little while.")},
	}
}

// judge finds the outcome of an error. What is in no table is our own fault, and
// its text stays in the log.
func judge(err error) outcome {
	if own, ok := errors.AsType[*refusal](err); ok {
		return outcome{err, own.status, fault.Say("%s", own.text)}
	}
	if name, ok := errors.AsType[*vpath.Error](err); ok {
		return outcome{err, http.StatusBadRequest, fault.Say("%s.", name)}
	}
	for _, o := range outcomes() {
		if !errors.Is(err, o.err) {
			continue
		}
		if said, ok := fault.Said(err); ok {
			o.said = said
		}
		return o
	}
	return outcome{err, http.StatusInternalServerError, fault.Say("Something went wrong in the server. Its log says what.")}
}

// isBusy tells that another request is at the upload. A file that somebody has
// locked is not meant.
func isBusy(err error) bool {
	_, locked := errors.AsType[*files.LockedError](err)
	return errors.Is(err, fault.ErrLocked) && !locked
}

// statusGone is for the log alone: nobody is there to read it.
const statusGone = 499

// problem is RFC 9457.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`

	Instance string `json:"instance,omitempty"` // the id of the request
}

// fail answers a request that went wrong.
func (h *handler) fail(w http.ResponseWriter, r *http.Request, err error) {
	if outside, ok := errors.AsType[*outsideError](err); ok && h.Fail != nil {
		h.Fail(w, r, outside.error)
		return
	}
	if errors.Is(r.Context().Err(), context.Canceled) {
		w.WriteHeader(statusGone) // whatever failed, it failed for want of a client
		return
	}
	o := judge(err)
	if o.status >= http.StatusInternalServerError && o.status != http.StatusInsufficientStorage {
		h.Log.LogAttrs(r.Context(), slog.LevelError, "upload failed", slog.String("method", r.Method), slog.Int("status", o.status), slog.Any("error", err))
	}
	head := w.Header()
	switch o.status {
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		head.Set("Retry-After", "10")
	}
	title := http.StatusText(o.status)
	if o.status == statusChecksum {
		title = "Checksum Mismatch"
	}
	head.Set("Content-Type", "application/problem+json")
	head.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(o.status)
	_ = json.NewEncoder(w).Encode(problem{"about:blank", title, o.status, h.say(r, o.said, err), head.Get("X-Request-Id")}) // a client that is gone is no fault
}

// say is a sentence in the language of who asks; of a locked file, who has it.
func (h *handler) say(r *http.Request, s fault.Sentence, err error) string {
	if l, ok := errors.AsType[*files.LockedError](err); ok && h.Locked != nil {
		return h.Locked(r, l)
	}
	if h.Text == nil {
		return s.String()
	}
	return h.Text(r).Say(s)
}
