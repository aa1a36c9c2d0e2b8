package web

import (
	"errors"
	"io/fs"
	"net/http"
	"os"
	"time"

	"portico/fault"
	"portico/files"
	"portico/lang"
	"portico/sharing"
	"portico/vpath"
)

// answer is what people are told of a kind of error.
type answer struct {
	err    error
	status int
	what   string
	mend   string
}

// answers is the one table of errors; the first that fits counts.
func answers() []answer {
	return []answer{
		{fault.ErrUnavailable, http.StatusServiceUnavailable, lang.ID("This does not work at the moment"), lang.ID("Something that Portico needs does not answer. Try again in a little while.")},
		{fault.ErrLocked, http.StatusLocked, lang.ID("Somebody has this open"), lang.ID("It is locked while they work on it. Try again when they have closed it.")},
		{fault.ErrPrecondition, http.StatusPreconditionFailed, lang.ID("This has changed meanwhile"), lang.ID("Open the page again to see how it is now.")},
		{fault.ErrQuota, http.StatusInsufficientStorage, lang.ID("There is no room left"), lang.ID("Delete what is not needed any more, or ask your administrator for more room.")},
		{fault.ErrTooLarge, http.StatusRequestEntityTooLarge, lang.ID("This is too much"), lang.ID("It is larger than what may be sent here.")},
		{fault.ErrBusy, http.StatusTooManyRequests, lang.ID("This is too much at once"), lang.ID("Wait until something that you began has ended.")},
		{fault.ErrConflict, http.StatusConflict, lang.ID("This cannot be done"), lang.ID("Choose another name or place.")},
		{fault.ErrNoParent, http.StatusConflict, lang.ID("This cannot be done"), lang.ID("The folder that it should go to has gone.")},
		{fault.ErrNotEmpty, http.StatusConflict, lang.ID("This cannot be done"), lang.ID("The folder is not empty.")},
		{fault.ErrTruncated, http.StatusBadRequest, lang.ID("The upload was cut off"), lang.ID("Send the file again.")},
		{fault.ErrIsDir, http.StatusConflict, lang.ID("This is a folder"), lang.ID("Choose a file.")},
		{fault.ErrNotDir, http.StatusConflict, lang.ID("This is no folder"), lang.ID("Choose a folder.")},
		{fs.ErrExist, http.StatusConflict, lang.ID("The name is taken"), lang.ID("Choose another name.")},
		{fs.ErrNotExist, http.StatusNotFound, lang.ID("There is nothing here"), lang.ID("The address may be mistyped, or what was here has gone.")},
		{fs.ErrPermission, http.StatusForbidden, lang.ID("You may not do this"), lang.ID("Ask who looks after this folder for access.")},
		{fs.ErrInvalid, http.StatusUnprocessableEntity, lang.ID("This cannot be done"), lang.ID("What was entered does not fit.")},
	}
}

// judge finds the answer to an error.
func judge(err error) (a answer, known bool) {
	for _, a := range answers() {
		if errors.Is(err, a.err) {
			return a, true
		}
	}
	return answer{nil, http.StatusInternalServerError, lang.ID("Something went wrong"), lang.ID("Tell your administrator, with the number below.")}, false
}

// Status is the status of an error.
func Status(err error) int {
	a, _ := judge(err)
	return a.status
}

// sentence is what an error says itself, nil for nothing. A path that cannot be is
// told by its own text, which names nothing but what is wrong with it.
func sentence(err error) fault.Sentence {
	if told, ok := fault.Said(err); ok {
		return told
	}
	if bad, ok := errors.AsType[*vpath.Error](err); ok {
		return bad
	}
	return nil
}

// saidBy is what an error says itself in the reader's language, "" for nothing.
func (k *Kit) saidBy(r *http.Request, err error) string {
	t := k.Text(r)
	if told := sentence(err); told != nil {
		return t.Say(told)
	}
	if l, ok := errors.AsType[*files.LockedError](err); ok {
		return Locked(t, l, k.Clock())
	}
	return ""
}

// Locked says who has a locked thing, and since when: a person calls them then.
func Locked(t *lang.Text, l *files.LockedError, now time.Time) string {
	name := l.Path.Name()
	switch {
	case !l.Named():
		return t.T("{name} is locked by somebody.", "name", name)
	case l.Since.IsZero():
		return t.T("{name} is locked by {who}.", "name", name, "who", l.Holder)
	}
	return t.T("{name} is locked by {who} since {when}.", "name", name, "who", l.Holder, "when", t.Since(l.Since, now))
}

// Explain is an error in one sentence for whoever asked: its own, or its kind's
// in their language.
func (k *Kit) Explain(r *http.Request, err error) string {
	t := k.Text(r)
	if said := k.saidBy(r, err); said != "" {
		return said
	}
	a, _ := judge(err)
	return t.T(a.what) + ". " + t.T(a.mend)
}

// Fail answers with an error: a page, or JSON where a program asked. Whoever asked
// is told what Tell gave the error, and never its own text.
func (k *Kit) Fail(w http.ResponseWriter, r *http.Request, err error) { k.FailAt(w, r, err, "") }

// FailAt is Fail for a path of the files that a member of staff sees: a page that
// says no offers to ask for access to it. "" is for what nobody can give.
func (k *Kit) FailAt(w http.ResponseWriter, r *http.Request, err error, path string) {
	if r.Context().Err() != nil { // nobody waits any more
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	a, known := judge(err)
	switch {
	case !known:
		k.Log.ErrorContext(r.Context(), "page failed", "path", sharing.Redacted(r.URL.Path), "err", err)
	case a.status == http.StatusServiceUnavailable:
		k.Log.WarnContext(r.Context(), "page unavailable", "path", sharing.Redacted(r.URL.Path), "err", err)
	}
	if a.status == http.StatusServiceUnavailable || a.status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "10")
	}
	if !k.isAPI(r) {
		t := trouble{What: a.what, Mend: a.mend}
		t.Why = k.saidBy(r, err)
		if a.status == http.StatusForbidden {
			t.Ask = path
		}
		k.trouble(w, r, a.status, t)
		return
	}
	sentence := k.Explain(r, err)
	if !known {
		sentence = k.Text(r).T("Something went wrong. Tell your administrator the number in X-Request-Id.")
	}
	Problem(w, a.status, sentence)
}

// trouble is a page that says what happened, and what to do.
type trouble struct {
	What, Mend string // ids of texts
	Why        string // the sentence of the error, in the reader's language
	ID         string
	Home       string
	Ask        string // the path to ask access for, "" for none
}

// Trouble answers with such a page; what and mend are ids of texts.
func (k *Kit) Trouble(w http.ResponseWriter, r *http.Request, status int, what, mend string) {
	k.trouble(w, r, status, trouble{What: what, Mend: mend})
}

func (k *Kit) trouble(w http.ResponseWriter, r *http.Request, status int, t trouble) {
	t.ID, t.Home = k.RequestID(r.Context()), "/"
	if who, ok := k.Who(r); ok {
		t.Home = Home(who)
	}
	k.Show(w, r, status, "trouble", t.What, t)
}

// BadForm is a form that no page of ours sends, or one of which not all has arrived.
func (k *Kit) BadForm(w http.ResponseWriter, r *http.Request, err error) {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		k.Trouble(w, r, http.StatusRequestEntityTooLarge, lang.ID("This is too much"), lang.ID("The form holds more than it can need. Shorten what you typed."))
		return
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		k.Trouble(w, r, http.StatusRequestTimeout, lang.ID("This form cannot be read"), lang.ID("It took too long to arrive. Open the page again and send it once more."))
		return
	}
	k.Trouble(w, r, http.StatusBadRequest, lang.ID("This form cannot be read"), lang.ID("Open the page again and fill it in once more."))
}
