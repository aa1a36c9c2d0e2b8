package vpath

import (
	"fmt"
	"io/fs"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Error says why a path was refused. It is an fs.ErrInvalid; its text is meant
// for the one who sent the path, and does not repeat what was sent.
type Error struct {
	format string // of what is wrong with it
	args   []any
}

func (e *Error) Error() string { return "the path " + fmt.Sprintf(e.format, e.args...) }

// Phrase is the text for another language: see fault.Sentence.
func (e *Error) Phrase() (format string, args []any) { return "the path " + e.format, e.args }

// String is of fault.Sentence.
func (e *Error) String() string { return e.Error() }

// Unwrap makes errors.Is(err, fs.ErrInvalid) true.
func (e *Error) Unwrap() error { return fs.ErrInvalid }

func refuse(format string, args ...any) error { return &Error{format, args} }

// Parse takes a plain, decoded path: "/a/b", "/a/b/" or "/".
func Parse(raw string) (Path, error) {
	p, _, err := parse(raw, cleanName)
	return p, err
}

// ParseEscaped takes the path of a URL as it was sent (url.URL.EscapedPath).
// It is split before it is decoded, and decoded once, so that %2F can never
// become a separator. slash tells whether it ended in one, as clients write a
// folder's address.
func ParseEscaped(raw string) (p Path, slash bool, err error) {
	return parse(raw, cleanEscaped)
}

// Must is Parse for constants of the program; it panics where Parse fails.
func Must(raw string) Path {
	p, err := Parse(raw)
	if err != nil {
		panic(fmt.Sprintf("vpath.Must(%q): %v", raw, err))
	}
	return p
}

// parse splits raw and joins what clean makes of each element. It stands on
// the way of every request: its one allocation is the path itself.
func parse(raw string, clean func(string) (string, error)) (p Path, slash bool, err error) {
	if raw == "/" {
		return Path{}, true, nil
	}
	if raw == "" || raw[0] != '/' {
		return Path{}, false, refuse("must start with /")
	}
	body, slash := strings.CutSuffix(raw[1:], "/")
	var b strings.Builder
	b.Grow(min(len(raw), MaxPath))
	for part := range strings.SplitSeq(body, "/") {
		name, err := clean(part)
		if err != nil {
			return Path{}, false, err
		}
		b.WriteByte('/')
		b.WriteString(name)
	}
	if p, err = checked(b.String()); err != nil {
		return Path{}, false, err
	}
	return p, slash, nil
}

func checked(s string) (Path, error) {
	if len(s) > MaxPath {
		return Path{}, refuse("is longer than %d bytes", MaxPath)
	}
	if strings.Count(s, "/") > MaxDepth {
		return Path{}, refuse("is deeper than %d folders", MaxDepth)
	}
	return Path{s}, nil
}

// cleanEscaped is cleanName for an element as it stands in a URL.
func cleanEscaped(part string) (string, error) {
	name, err := url.PathUnescape(part)
	if err != nil {
		return "", refuse("has a broken %% escape")
	}
	if strings.Contains(name, "/") { // for a message that names the cause
		return "", refuse("has an encoded slash (%%2F)")
	}
	return cleanName(name)
}

// cleanName judges one element and brings it to NFC.
func cleanName(name string) (string, error) {
	switch {
	case name == "":
		return "", refuse("has an empty element (//)")
	case name == "." || name == "..":
		return "", refuse("has a . or .. element")
	case len(name) > 3*MaxName: // NFC saves two thirds at most (Hangul), so it is too long in any form
		return "", refuse("has a name of more than %d bytes", MaxName)
	case !utf8.ValidString(name):
		return "", refuse("is not valid UTF-8")
	}
	for _, r := range name {
		switch {
		case r == '/':
			return "", refuse("has a / inside a name")
		case r == '\\':
			return "", refuse(`has a backslash (\)`)
		case unicode.IsControl(r):
			return "", refuse("has a control character")
		}
	}
	name = norm.NFC.String(name)
	if len(name) > MaxName {
		return "", refuse("has a name of more than %d bytes", MaxName)
	}
	return name, nil
}
