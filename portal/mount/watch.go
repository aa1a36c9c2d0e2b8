package mount

import (
	"errors"
	"io/fs"
	"maps"
	"net/http"
	"strings"
	"time"

	"portico/fault"
	"portico/files"
	"portico/identity"
	"portico/lang"
	"portico/portal/web"
	"portico/vpath"
)

// Seen is one request to the drive.
type Seen struct {
	Person  string         // the ID of who has signed in, "" for nobody
	Login   identity.Login // as it was typed, where nobody has signed in; it may be anybody's
	Bearer  bool           // it came with a token in the place of a password
	Address string
	Windows bool // it came from Windows' own client
	TLS     bool

	Method string
	Status int
	Sent   int64 // bytes of a listing
	Err    error // why it was refused, nil where it was not
}

// watch is what a watched drive has done.
type watch struct {
	Person   string          `json:"person"`
	Login    identity.Login  `json:"login"`
	Address  string          `json:"address"` // of the browser that asked
	Language string          `json:"language"`
	Zone     string          `json:"zone"`
	Marks    map[string]mark `json:"marks"` // by step
}

// mark is what is known of a step.
type mark struct {
	OK     bool      `json:"ok"`
	At     time.Time `json:"at"`
	Cause  string    `json:"cause,omitempty"`  // a text's id
	Detail string    `json:"detail,omitempty"` // what the server answered, as the person reads it
}

// The steps, in the order in which a drive comes to life.
const (
	reached  = "reached"
	tls      = "tls"
	signedIn = "signed-in"
	class2   = "class2"
	listed   = "listed"
	locked   = "locked"
	written  = "written"
	renamed  = "renamed"
)

// belongs is how a request belongs to a watch.
type belongs int

const (
	nobodys   belongs = iota
	theirs            // they have signed in
	byName            // their name was typed: perhaps by somebody else
	byAddress         // it came from where their browser is, without a name
	otherName         // as byAddress, with a name that is not theirs
)

// concerns tells how a request belongs to the watch. What others did who have
// signed in is never theirs to see, wherever it came from. A request that nobody
// signed in for is theirs by the name that was typed, since the owner of a name may
// know that somebody tries it; or by the address of the browser that asked, and then
// no more is told of it than that a program came, and by which door it was sent
// away: not the name that it gave, nor whether that is somebody's.
func (w *watch) concerns(s Seen) belongs {
	switch {
	case s.Person != "" && s.Person == w.Person:
		return theirs
	case s.Person != "":
		return nobodys
	case s.Login != "" && s.Login.Key() == w.Login.Key():
		return byName
	case s.Address != w.Address || w.Address == "":
		return nobodys
	case s.Login != "":
		return otherName
	}
	return byAddress
}

// note takes a request into the watch, and tells whether that says something new.
func (w *watch) note(s Seen, now time.Time, t *lang.Text) (isNew bool) {
	was := maps.Clone(w.Marks)
	switch how := w.concerns(s); how {
	case nobodys:
	case otherName: // perhaps a colleague's: nothing is ticked off for it
		w.noteRefusal(s, how, now)
	default:
		w.pass(reached, now)
		w.noteTLS(s, now)
		switch {
		case s.Method == http.MethodOptions && s.Status < http.StatusBadRequest:
			w.pass(class2, now)
		case how == theirs:
			w.pass(signedIn, now)
			w.noteDeed(s, now, t)
		default:
			w.noteRefusal(s, how, now)
		}
	}
	for step, m := range w.Marks {
		m.At, was[step] = time.Time{}, mark{was[step].OK, time.Time{}, was[step].Cause, was[step].Detail}
		isNew = isNew || was[step] != m
	}
	return isNew
}

// pass ticks a step off. It keeps the time of the first.
func (w *watch) pass(step string, now time.Time) {
	if !w.Marks[step].OK {
		w.Marks[step] = mark{OK: true, At: now}
	}
}

func (w *watch) miss(step, cause, detail string, now time.Time) {
	w.Marks[step] = mark{At: now, Cause: cause, Detail: detail}
}

func (w *watch) noteTLS(s Seen, now time.Time) {
	switch {
	case s.TLS:
		w.pass(tls, now)
	case s.Windows:
		w.miss(tls, lang.ID("It came without TLS. Windows sends no password then, as long as BasicAuthLevel is 1: use an address that begins with https."), "", now)
	default:
		w.miss(tls, lang.ID("It came without TLS: everybody on the way can read the password. Use an address that begins with https, or ask your administrator for one."), "", now)
	}
}

// noteRefusal says why a program was not let in. That a first request comes without
// a password is how all of them begin, so it counts until the next one.
func (w *watch) noteRefusal(s Seen, how belongs, now time.Time) {
	var cause string
	_, throttled := errors.AsType[*identity.ThrottledError](s.Err)
	switch {
	case how == byAddress && w.Marks[signedIn] != (mark{}):
		return // it has been farther than that
	case how == byAddress && s.Bearer:
		cause = lang.ID("The program sent a token in the place of a password, as Office does with an account of Microsoft. Choose Basic, or open the file from the drive.")
	case how == byAddress && s.Windows && !s.TLS:
		cause = lang.ID("Windows reached the server but sent no password: Basic needs TLS. Use an address that begins with https.")
	case how == byAddress && s.Status == http.StatusUnauthorized:
		cause = lang.ID("A program at your address reached the server and has sent no password yet. Most ask without one first; if this stays, enter the name and the app password in it anew.")
	case how == otherName && s.Status == http.StatusUnauthorized && !w.Marks[signedIn].OK:
		cause = lang.ID("A program at your address gave a name that is not yours, and was not let in. Enter the name as it stands on this page.")
	case how != byName:
		return
	case throttled:
		cause = lang.ID("There were too many wrong passwords with your name: none is looked at for a while. Find the program that has an old one stored, and wait.")
	case errors.Is(s.Err, identity.ErrAppPassword):
		cause = lang.ID("This drive takes app passwords alone, and the password was another. Make an app password, and enter it in the program.")
	case s.Status == http.StatusUnauthorized:
		cause = lang.ID("Your name came with a wrong password. Make an app password and enter it in the program; Windows and macOS keep the old one until you delete it there.")
	default:
		return
	}
	w.miss(signedIn, cause, "", now)
}

// noteDeed takes what somebody's drive did.
func (w *watch) noteDeed(s Seen, now time.Time, t *lang.Text) {
	step := map[string]string{"PROPFIND": listed, "LOCK": locked, http.MethodPut: written, "MOVE": renamed}[s.Method]
	if step == "" {
		return
	}
	switch {
	case step == listed && s.Status == http.StatusNotFound:
		// Programs look for what is not there all the time (desktop.ini, ._name).
	case step == listed && s.Windows && s.Sent > windowsListing:
		w.miss(step, lang.ID("The folder is too large for Windows, which takes a listing of 1 MB: it shows an empty one. Raise FileAttributesLimitInBytes with the file above, or part the folder."), "", now)
	case s.Status < http.StatusBadRequest:
		w.pass(step, now)
	default:
		w.miss(step, causeOf(s), detailOf(s, now, t), now)
	}
}

// windowsListing is FileAttributesLimitInBytes as Windows comes.
const windowsListing = 1_000_000

// causeOf is the kind of trouble, a text's id.
func causeOf(s Seen) string {
	if _, ok := errors.AsType[*vpath.Error](s.Err); ok {
		return lang.ID("The name is not allowed on this server. Choose another one.")
	}
	for _, c := range causes() {
		if errors.Is(s.Err, c.err) {
			return c.id
		}
	}
	return lang.ID("The server could not do it. Tell your administrator the time, whose log says why.")
}

type cause struct {
	err error
	id  string
}

// causes are the kinds of trouble; the first that fits counts.
func causes() []cause {
	return []cause{
		{fault.ErrLocked, lang.ID("Somebody else works on it, and has it locked. Wait until they close it, or save under another name.")},
		{fault.ErrQuota, lang.ID("There is no room left in the workspace. Delete what is not needed any more, or ask your administrator.")},
		{fault.ErrTooLarge, lang.ID("It is larger than what may be sent here.")},
		{fault.ErrPrecondition, lang.ID("What is stored has changed since the program read it, or its lock has ended. Close the file, and open it again.")},
		{fault.ErrUnavailable, lang.ID("Something that Portico needs does not answer. Try again in a little while.")},
		{fault.ErrBusy, lang.ID("Too many requests came at once. Programs that scan whole drives do that: stop them.")},
		{fault.ErrTruncated, lang.ID("The upload was cut off: not all of it came. A proxy in between, or the network, ended it.")},
		{fs.ErrPermission, lang.ID("You may not do this there: you may only read, or less. Ask who looks after the folder for access.")},
		{fault.ErrConflict, lang.ID("The name is not allowed on this server. Choose another one.")},
		{fs.ErrInvalid, lang.ID("The name is not allowed on this server. Choose another one.")},
		{fault.ErrNoParent, lang.ID("The folder is not there any more. Open the drive anew.")},
		{fs.ErrNotExist, lang.ID("It is not there any more, or you may not see it. Open the drive anew.")},
	}
}

// detailOf is what the server answered, in the person's language.
func detailOf(s Seen, now time.Time, t *lang.Text) string {
	if l, ok := errors.AsType[*files.LockedError](s.Err); ok {
		return web.Locked(t, l, now)
	}
	if told, ok := fault.Said(s.Err); ok {
		return short(t.Say(told))
	}
	if bad, ok := errors.AsType[*vpath.Error](s.Err); ok {
		return short(t.Say(bad))
	}
	return ""
}

// short bounds what is kept of a sentence, which may hold a path.
func short(s string) string {
	const most = 600
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}

func (w *watch) clone() watch {
	c := *w
	c.Marks = maps.Clone(w.Marks)
	return c
}
