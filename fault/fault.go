// Package fault names the ways in which an operation on a file can end badly.
//
// Backends and the state store return these errors (wrapped, with their own
// name in front); fs.ErrNotExist, fs.ErrExist, fs.ErrPermission and
// fs.ErrInvalid of the standard library belong to the set. One table in the
// gateway turns each into a status.
package fault

import (
	"errors"
	"fmt"
)

// The errors beside those of io/fs.
var (
	// ErrIsDir is a file's operation on a folder.
	ErrIsDir = errors.New("is a folder")
	// ErrNotDir is a folder's operation on a file, or a path below a file.
	ErrNotDir = errors.New("is not a folder")
	// ErrNotEmpty is the removal of a folder that holds something.
	ErrNotEmpty = errors.New("folder is not empty")
	// ErrNoParent is a creation in a folder that does not exist (RFC 4918 §9.3: 409).
	ErrNoParent = errors.New("parent folder does not exist")
	// ErrConflict is a request that cannot be done in any state of the tree, such as a move into itself.
	ErrConflict = errors.New("conflict")
	// ErrPrecondition is a condition of the request (If, If-Match …) that does not hold.
	ErrPrecondition = errors.New("precondition failed")
	// ErrLocked is a write to what another lock holds.
	ErrLocked = errors.New("locked")
	// ErrRange is a byte range that lies wholly outside the file.
	ErrRange = errors.New("range not satisfiable")
	// ErrTruncated is a body that ended before its announced length, or went on after it.
	ErrTruncated = errors.New("body does not have the announced length")
	// ErrTooLarge is a thing above a limit of ours.
	ErrTooLarge = errors.New("too large")
	// ErrQuota is a full workspace or disk.
	ErrQuota = errors.New("no space left")
	// ErrUnavailable is a store that is away, for now: try again later.
	ErrUnavailable = errors.New("storage unavailable")
	// ErrBusy is a limit on what one person may do at once.
	ErrBusy = errors.New("too many requests at once")
)

// Sentence is words for people that can be said in another language: a template
// in English, and what stands in it, which may be sentences again. Package lang
// looks the template up.
type Sentence interface {
	fmt.Stringer // in English
	Phrase() (format string, args []any)
}

// phrase is a Sentence of fmt's kind.
type phrase struct {
	format string
	args   []any
}

func (p phrase) String() string          { return fmt.Sprintf(p.format, p.args...) }
func (p phrase) Phrase() (string, []any) { return p.format, p.args }

// Say makes a Sentence, for what stands in another one.
func Say(format string, args ...any) Sentence { return phrase{format, args} }

// told is an error with a sentence that may be shown to the one who asked. Its
// English is made once, since each that wraps the error, the audit and the answer
// want it.
type told struct {
	text string
	said phrase
	err  error
}

func (t *told) Error() string { return t.text }
func (t *told) Unwrap() error { return t.err }

// Tell gives err a sentence for the user: what was refused, why, and the mend.
// It must not name what that user may not see. The format is an id of package
// lang's catalogs, so it is written out where Tell is called, and the arguments
// must not change afterwards.
func Tell(err error, format string, args ...any) error {
	return &told{fmt.Sprintf(format, args...), phrase{format, args}, err}
}

// Told is the sentence that Tell gave err, in English, or "".
func Told(err error) string {
	if t, ok := errors.AsType[*told](err); ok {
		return t.text
	}
	return ""
}

// Said is the sentence that Tell gave err, for who reads another language.
func Said(err error) (s Sentence, ok bool) {
	t, ok := errors.AsType[*told](err)
	if !ok {
		return nil, false
	}
	return t.said, true
}
