package replay

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

//go:embed testdata/replay/*.txtar
var library embed.FS

// Sequence is what a client sends, and what it must be answered.
type Sequence struct {
	Name   string // of its file, without the extension
	Source string // where it was seen

	headers []header // of each request
	spaces  map[string]string
	steps   []step
	bodies  map[string][]byte
	forms   bool // it has a token in one of the forms of If
}

// step is one request with its answer.
type step struct {
	line    int // of the file
	method  string
	path    string
	who     string
	headers []header
	body    body
	chunked bool

	statuses []int
	wants    []want
}

type header struct{ name, value string }

// want is one line of expectation.
type want struct {
	line    int
	kind    string   // header, prop, only, xml, text, lacks, differ
	at      string   // header's name, or HREF
	names   []string // down the elements
	status  int      // of a property
	hrefs   []string
	pattern string
	any     bool // without a pattern
	body    body
}

// body is what is sent, or must have come.
type body struct {
	set  bool
	file string
	text string
	size int
}

// Library are the sequences of this package, by name.
func Library() ([]*Sequence, error) {
	files, err := fs.Glob(library, "testdata/replay/*.txtar")
	if err != nil {
		return nil, fmt.Errorf("replay: library: %w", err)
	}
	all := make([]*Sequence, len(files))
	for i, name := range files {
		text, err := library.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("replay: library: %w", err)
		}
		if all[i], err = Parse(strings.TrimSuffix(path.Base(name), ".txtar"), text); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Form is how a token is written into an If header.
type Form string

// The forms that clients use (RFC 4918 §10.4.2; the last one is Cyberduck's).
const (
	Untagged Form = "untagged" // (<T>)
	ByURL    Form = "url"      // <http://host/path> (<T>)
	ByPath   Form = "path"     // </path> (<T>)
)

// Forms are those in which the sequence is to be played.
func (s *Sequence) Forms() []Form {
	if !s.forms {
		return []Form{Untagged}
	}
	return []Form{Untagged, ByURL, ByPath}
}

// load gives the bytes of a body.
func (s *Sequence) load(b body) []byte {
	switch {
	case b.file != "":
		return s.bodies[b.file]
	case b.size > 0:
		return filler(b.size)
	}
	return []byte(b.text)
}

// filler is a body of which only the length is known.
func filler(n int) []byte {
	const line = "The recorded bytes were not text, only their number is kept.\r\n"
	return []byte(strings.Repeat(line, n/len(line)+1)[:n])
}

// Agents are the clients that the sequence plays, as they name themselves.
func (s *Sequence) Agents() []string {
	var all []string
	add := func(list []header) {
		for _, h := range list {
			if strings.EqualFold(h.name, "User-Agent") && !slices.Contains(all, h.value) {
				all = append(all, h.value)
			}
		}
	}
	add(s.headers)
	for _, step := range s.steps {
		add(step.headers)
	}
	return all
}
