package gateway

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"time"

	"golang.org/x/net/webdav"

	"portico/fault"
	"portico/files"
	"portico/identity"
	"portico/sharing"
	"portico/vpath"
)

// statusGone is what the log shows for a client that went away before it had an
// answer. Nobody receives it.
const statusGone = 499

// refusal is an answer that the gateway itself decides on. text is meant for
// the one who asked.
type refusal struct {
	status  int
	element string // precondition of RFC 4918 §16, "" for none
	text    string
}

// Error is the sentence for the one who asked.
func (e *refusal) Error() string { return e.text }

// refuse makes a refusal without a precondition of RFC 4918.
func refuse(status int, format string, args ...any) error {
	return &refusal{status: status, text: fmt.Sprintf(format, args...)}
}

// errNotFolder is for /a/ where a is a file. It says no more than a name that
// is free: the address names nothing.
func errNotFolder() error {
	return fault.Tell(fs.ErrNotExist, "There is no folder at this address.")
}

// badBody is a body that broke off while it was read. It wraps the reader's
// error and is never io.EOF, so that no one below can take the part that came
// for the whole.
func badBody(err error) error {
	return fmt.Errorf("gateway: body: %w: %w", fault.ErrTruncated, err)
}

// outcome is what an error becomes.
type outcome struct {
	err     error
	status  int
	element string // precondition in DAV:
	text    string // where the error itself has no sentence for the user
}

// outcomes is the one table from errors to status. The first that matches counts.
func outcomes() []outcome {
	return []outcome{
		// RFC 9110 §15.5.2; one answer for a name that does not exist and a wrong password.
		{identity.ErrRefused, http.StatusUnauthorized, "", "The name or the password is wrong."},
		// 401 as well, so that the drive asks for another password.
		{identity.ErrAppPassword, http.StatusUnauthorized, "", "This drive takes app passwords alone, not the password of your account. " +
			"Make one on the page /account of this server, or with: portico app-password create"},
		// RFC 4918 §11.3.
		{fault.ErrLocked, webdav.StatusLocked, "lock-token-submitted", "Somebody has locked it."},
		// RFC 4918 §12.1, RFC 9110 §15.5.13.
		{fault.ErrPrecondition, http.StatusPreconditionFailed, "", "A condition of the request does not hold: what is stored has changed meanwhile."},
		// RFC 4918 §11.5, RFC 4331 §6; macOS says "disk full" for it.
		{fault.ErrQuota, webdav.StatusInsufficientStorage, "quota-not-exceeded", "There is no space left."},
		// RFC 9110 §15.5.14; macOS says "file too large".
		{fault.ErrTooLarge, http.StatusRequestEntityTooLarge, "", "It is larger than this server takes."},
		{files.ErrUploadSum, http.StatusBadRequest, "", "What came has another sum than announced: it was broken on its way. Send it again."},
		// A body that stopped coming, before what it is wrapped in.
		{os.ErrDeadlineExceeded, http.StatusRequestTimeout, "", "The request took too long to arrive."},
		// The client is usually gone by then.
		{fault.ErrTruncated, http.StatusBadRequest, "", "The body of the request does not have the length that was announced. Nothing was stored."},
		{fault.ErrRange, http.StatusRequestedRangeNotSatisfiable, "", "The file is shorter than the range that was asked for."},
		// Never 404 for a storage that is away: sync clients would delete their copies.
		{fault.ErrUnavailable, http.StatusServiceUnavailable, "", "The storage does not answer at the moment. Try again in a little while."},
		// RFC 6578 §3.2: the client begins anew.
		{files.ErrSyncToken, http.StatusForbidden, "valid-sync-token", "This sync token is not valid, or not any more: begin the sync anew."},
		// RFC 6578 §3.7, RFC 5323 §2.4.
		{files.ErrEnough, http.StatusInsufficientStorage, "number-of-matches-within-limits", "This is more than one answer tells: ask for the folders in it one by one."},
		// A link that opened something, and what one asks beside a password.
		{sharing.ErrGone, http.StatusGone, "", "This link opens nothing any more."},
		{sharing.ErrPassword, http.StatusUnauthorized, "", "This link has a password."},
		{sharing.ErrMail, http.StatusForbidden, "", "This link asks for a mail address: open it in a browser."},
		// A limit of ours, which retrying at once makes worse.
		{fault.ErrBusy, http.StatusTooManyRequests, "", "Too many requests at once. Try again in a little while."},
		// RFC 4918 §9.3.1, §9.7.1; rclone makes the parents then.
		{fault.ErrNoParent, http.StatusConflict, "", "The folder that it would lie in does not exist."},
		// A path below a file.
		{fault.ErrNotDir, http.StatusConflict, "", "What it would lie in is a file, not a folder."},
		// RFC 4918 §9.7.2.
		{fault.ErrIsDir, http.StatusMethodNotAllowed, "", "There is a folder of this name."},
		{fault.ErrNotEmpty, http.StatusConflict, "", "The folder is not empty."},
		// A move into itself, a name that is a twin of another.
		{fault.ErrConflict, http.StatusConflict, "", "This cannot be done here."},
		{fs.ErrExist, http.StatusConflict, "", "There is something of this name."},
		// What is visible and not allowed; the sentence is the decision's.
		{fs.ErrPermission, http.StatusForbidden, "", "You may not do this here."},
		{fs.ErrInvalid, http.StatusBadRequest, "", "The request makes no sense here."},
		// What is not visible gets the same, to the letter.
		{fs.ErrNotExist, http.StatusNotFound, "", "There is nothing at this address."},
		{context.DeadlineExceeded, http.StatusServiceUnavailable, "", "It took too long. Try again in a little while."},
	}
}

// exceptions are the methods for which an error means something else.
func exceptions(method string) []outcome {
	switch method {
	case "MKCOL", http.MethodPut: // RFC 4918 §9.3.1, §9.7.2
		return []outcome{{fs.ErrExist, http.StatusMethodNotAllowed, "", "There is something of this name."}}
	case "LOCK":
		return []outcome{
			{fault.ErrLocked, webdav.StatusLocked, "no-conflicting-lock", "Somebody has locked it."},
			{fault.ErrPrecondition, http.StatusPreconditionFailed, "lock-token-matches-request-uri", "No lock here has the token that the request submits."},
		}
	case "UNLOCK": // RFC 4918 §9.11.1
		return []outcome{{fault.ErrConflict, http.StatusConflict, "lock-token-matches-request-uri", "No lock here has this token."}}
	}
	return nil
}

// judge finds the outcome of an error. What is in no table is our own fault,
// and its text stays in the log.
func judge(method string, err error) outcome {
	if own, ok := errors.AsType[*refusal](err); ok {
		return outcome{err, own.status, own.element, own.text}
	}
	if t, ok := errors.AsType[*identity.ThrottledError](err); ok { // RFC 6585 §4
		return outcome{err, http.StatusTooManyRequests, "", fmt.Sprintf("There were too many wrong passwords. Try again in %s. "+
			"A drive that has an old password stored must be given the new one.", waitText(t.After))}
	}
	for _, o := range append(exceptions(method), outcomes()...) {
		if errors.Is(err, o.err) {
			if s := sentence(err); s != "" {
				o.text = s
			}
			return o
		}
	}
	return outcome{err, http.StatusInternalServerError, "", "Something went wrong in the server. Its log says what."}
}

// sentence is what an error itself has to say to the user.
func sentence(err error) string {
	if s := fault.Told(err); s != "" {
		return s
	}
	if e, ok := errors.AsType[*vpath.Error](err); ok {
		return e.Error() + "."
	}
	return ""
}

// outcomeOf is judge's, with who has a locked thing, and since when: a person calls
// them then. The drive's answers are in English, and its hours are the firm's:
// which zone a drive's client is in nobody tells.
func (h *Handler) outcomeOf(method string, err error) outcome {
	o := judge(method, err)
	if e, ok := errors.AsType[*files.LockedError](err); ok && e.Holder != "" && o.status == webdav.StatusLocked {
		o.text = lockedText(e, h.Clock().In(h.Zone()))
	}
	return o
}

func lockedText(e *files.LockedError, now time.Time) string {
	text := e.Path.Name() + " is locked by " + e.Holder
	at := e.Since.In(now.Location())
	switch {
	case e.Since.IsZero():
		return text + "."
	case at.Year() == now.Year() && at.YearDay() == now.YearDay():
		return text + at.Format(" since 15:04.")
	}
	return text + at.Format(" since 2 January, 15:04.")
}

// fail answers a request that went wrong.
func (h *Handler) fail(w http.ResponseWriter, r *http.Request, q *request, err error) {
	ctx := r.Context()
	if q.begun {
		// A head that promises more is out. Only a cut connection tells the
		// client that what it has is not all.
		h.Log.LogAttrs(ctx, slog.LevelWarn, "answer cut short", slog.String("method", r.Method), slog.Any("error", err))
		panic(http.ErrAbortHandler)
	}
	// net/http ends the context with a body that stalls as well: there the client is told.
	if errors.Is(ctx.Err(), context.Canceled) && !errors.Is(err, os.ErrDeadlineExceeded) {
		w.WriteHeader(statusGone) // whatever failed, it failed for want of a client
		return
	}
	if partial, ok := errors.AsType[*files.Partial](err); ok {
		if err := h.writePartial(w, r, q, partial); err != nil {
			h.Log.LogAttrs(ctx, slog.LevelWarn, "answer cut short", slog.String("method", r.Method), slog.Any("error", err))
		}
		return
	}
	o := h.outcomeOf(r.Method, err)
	if o.status >= 500 && o.status != http.StatusBadGateway {
		h.Log.LogAttrs(ctx, slog.LevelError, "request failed", slog.String("method", r.Method), slog.Int("status", o.status), slog.Any("error", err))
	}
	h.setErrorHeaders(w.Header(), o)
	q.writeError(w, o, err)
}

// retryAfter is a wait in whole seconds, rounded up: who comes back as told must
// not be too early.
func retryAfter(d time.Duration) int {
	return max(1, int((d+time.Second-1)/time.Second))
}

// waitText is a wait for people to read.
func waitText(d time.Duration) string {
	switch s := retryAfter(d); {
	case s == 1:
		return "a second"
	case s < 120:
		return strconv.Itoa(s) + " seconds"
	case s < 2*60*60:
		return strconv.Itoa((s+59)/60) + " minutes"
	default:
		return strconv.Itoa((s+3599)/3600) + " hours"
	}
}

// setErrorHeaders adds the header that a status must have, or that spares the
// server the next try: RFC 9110 §11.6.1 for 401, §15.5.6 for 405, §10.2.3 for
// the two that pass. macOS shows files as gone while it gets 5xx, so that 503 is
// for a storage that is away, and never for a limit of ours.
func (h *Handler) setErrorHeaders(head http.Header, o outcome) {
	switch o.status {
	case http.StatusUnauthorized:
		head.Set("WWW-Authenticate", h.challenge())
	case http.StatusMethodNotAllowed:
		if head.Get("Allow") == "" { // who refused may know better
			head.Set("Allow", h.allowed())
		}
	case http.StatusServiceUnavailable:
		head.Set("Retry-After", "10")
	case http.StatusTooManyRequests:
		wait := 5 * time.Second
		if t, ok := errors.AsType[*identity.ThrottledError](o.err); ok {
			wait = t.After
		}
		head.Set("Retry-After", strconv.Itoa(retryAfter(wait)))
	}
}

// writeError gives the body: XML where RFC 4918 §16 has a name for what went
// wrong, with the sentence beside it in a namespace of ours; else plain text.
func (d *drive) writeError(w http.ResponseWriter, o outcome, err error) {
	body, kind := []byte(o.text+"\n"), "text/plain; charset=utf-8"
	if o.element != "" {
		body = append([]byte(xmlHead), `<D:error xmlns:D="DAV:" xmlns:p="urn:portico:error">`...)
		body = d.appendPrecondition(body, o, err)
		body = append(appendText(append(body, "<p:message>"...), o.text), "</p:message></D:error>\n"...)
		kind = "application/xml; charset=utf-8"
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(o.status)
	_, _ = w.Write(body) //nolint:gosec // text/plain with nosniff, or escaped XML; a client that is gone is no fault
}

// appendPrecondition writes the precondition's element. Those of locks name the
// locked thing (RFC 4918 §16), never the token.
func (d *drive) appendPrecondition(b []byte, o outcome, err error) []byte {
	b = append(append(b, "<D:"...), o.element...)
	locked, ok := errors.AsType[*files.LockedError](err)
	if !ok {
		return append(b, "/>"...)
	}
	b = append(append(b, "><D:href>"...), d.href(locked.Path, false)...)
	b = append(append(b, "</D:href></D:"...), o.element...)
	return append(b, '>')
}

// writePartial names the members that an operation on a tree failed for
// (RFC 4918 §9.6.1). All others were done.
func (h *Handler) writePartial(w http.ResponseWriter, r *http.Request, q *request, e *files.Partial) error {
	a := h.startXML(w, q)
	a.b = append(a.b, openMultistatus...)
	for _, f := range e.Failed {
		o := h.outcomeOf(r.Method, f.Err)
		a.b = append(append(a.b, "<D:response><D:href>"...), q.href(f.Path, f.Dir)...)
		a.b = appendStatus(append(a.b, "</D:href>"...), o.status)
		if o.element != "" {
			a.b = append(q.appendPrecondition(append(a.b, "<D:error>"...), o, f.Err), "</D:error>"...)
		}
		a.b = appendText(append(a.b, "<D:responsedescription>"...), o.text)
		a.b = append(a.b, "</D:responsedescription></D:response>"...)
		if err := a.send(webdav.StatusMulti); err != nil {
			return err
		}
	}
	a.b = append(a.b, closeMultistatus...)
	return a.end(webdav.StatusMulti)
}

const (
	openMultistatus  = `<D:multistatus xmlns:D="DAV:"` + declaredZ + `>`
	closeMultistatus = "</D:multistatus>\n"
)
