package files

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"portico/fault"
	"portico/vpath"
)

// saying is what an error of a Tree may be turned into for one who must not learn
// where things lie: its kind, and a sentence about paths of the window.
type saying struct {
	w      *Window
	asked  vpath.Path // as it was asked for
	other  vpath.Path // the destination of a copy or a move, the root for none
	mounts []*mount
}

// takenBackError is the refusal to take back what somebody has read.
type takenBackError struct{ path vpath.Path }

func (e *takenBackError) Error() string { return e.path.String() + " has been opened" }

func (e *takenBackError) Unwrap() error { return fs.ErrPermission }

// tell is the refusal with its sentence.
func (e *takenBackError) tell() error {
	return fault.Tell(e, "%s has been opened: it can no longer be taken back", e.path)
}

// word is the sentence that a window has for a kind of error.
type word struct {
	kind error
	said fault.Sentence
}

// words are the sentences for each kind of error. The first that matches counts,
// in the order of the gateway's table.
func (s saying) words() []word {
	at, parent := s.asked, s.asked.Parent()
	if !s.other.IsRoot() { // where something is to be put
		at, parent = s.other, s.other.Parent()
	}
	return []word{
		{fault.ErrPrecondition, fault.Say("a condition of the request does not hold: what is stored has changed, come or gone meanwhile, and nothing was changed")},
		{fault.ErrQuota, fault.Say("there is no room left: nothing was saved, and what was there is as it was")},
		{fault.ErrTooLarge, fault.Say("it is larger than this server takes")},
		{os.ErrDeadlineExceeded, fault.Say("the request took too long to arrive")},
		{fault.ErrTruncated, fault.Say("not all of it has arrived: nothing was saved")},
		{fault.ErrRange, fault.Say("the file is shorter than the range that was asked for")},
		{fault.ErrUnavailable, fault.Say("this cannot be reached at the moment, or is being changed by somebody: try again in a little while")},
		{fault.ErrBusy, fault.Say("there are too many requests or locks of yours at once: try again in a moment")},
		{fault.ErrNoParent, fault.Say("the folder %s does not exist: make it first", parent)},
		{fault.ErrNotDir, fault.Say("what it would lie in is a file, not a folder")},
		{fault.ErrIsDir, fault.Say("%s is a folder", at)},
		{fault.ErrNotEmpty, fault.Say("%s is not empty", at)},
		{fault.ErrConflict, fault.Say("%s: this cannot be done here, or not under this name: choose another one", at)},
		{fs.ErrExist, fault.Say("%s exists already", at)},
		{fs.ErrPermission, s.forbidden()},
		{fs.ErrInvalid, fault.Say("%s: this name or these words cannot be used here, choose others", at)},
		{fs.ErrNotExist, fault.Say("%s does not exist", s.asked)},
	}
}

// forbidden says why in the recipient's own terms.
func (s saying) forbidden() fault.Sentence {
	switch {
	case s.w.t.who.acl.Limit.ReadOnly:
		return fault.Say("the app password only lets read")
	case s.other.IsRoot():
		return fault.Say("%s: it was shared with you without the right to do this", s.asked)
	}
	return fault.Say("%s and %s: it was shared with you without the right to do this", s.asked, s.other)
}

// of is err for the one who asked.
func (s saying) of(err error) error {
	if err == nil {
		return nil
	}
	if partial, ok := errors.AsType[*Partial](err); ok {
		return s.partial(partial)
	}
	if locked, ok := errors.AsType[*LockedError](err); ok {
		return &LockedError{Path: s.show(locked.Path), Holder: locked.Holder, Since: locked.Since}
	}
	if late, ok := errors.AsType[*takenBackError](err); ok {
		return (&takenBackError{s.show(late.path)}).tell()
	}
	for _, gone := range []error{context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, gone) {
			return gone
		}
	}
	if errors.Is(err, fs.ErrInvalid) {
		for _, p := range []vpath.Path{s.asked, s.other} {
			for _, bad := range []error{p.CheckNew(), p.CheckWindows()} {
				if bad != nil {
					return bad // of the window's own path
				}
			}
		}
	}
	s.w.t.s.Log.Debug("told to somebody outside in other words", "err", err)
	for _, word := range s.words() {
		if errors.Is(err, word.kind) {
			return fault.Tell(word.kind, "%s", word.said)
		}
	}
	s.w.t.s.Log.Error("an operation on something shared failed", "path", s.asked, "err", err)
	return errUntold
}

// errUntold is an error that no table knows: what it was is in the log.
var errUntold = errors.New("files: window: the operation failed; the server's log says why")

// partial names the failures as the window shows them.
func (s saying) partial(p *Partial) error {
	told := &Partial{}
	for _, f := range p.Failed {
		one := s
		one.asked, one.other = s.show(f.Path), vpath.Path{}
		told.Failed = append(told.Failed, Failure{Path: one.asked, Dir: f.Dir, Err: one.of(f.Err)})
	}
	return told
}

// show is a path of the firm in the window; what lies in no mount of the request
// stands for what was asked for.
func (s saying) show(full vpath.Path) vpath.Path {
	for _, m := range s.mounts {
		if m.full.Contains(full) {
			return s.w.show(full, m)
		}
	}
	return s.asked
}

// say is err of an operation on p, which lies in m.
func (w *Window) say(err error, p vpath.Path, m *mount) error {
	return saying{w: w, asked: p, mounts: []*mount{m}}.of(err)
}

// w500 is the error of a window that could not be made: its kind alone.
func w500(err error) error {
	switch {
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case errors.Is(err, context.DeadlineExceeded):
		return context.DeadlineExceeded
	}
	return fault.Tell(fault.ErrUnavailable, "what was shared with you cannot be reached at the moment: try again in a little while")
}
