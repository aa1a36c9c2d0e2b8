package replay

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/tools/txtar"
)

// playFile is the file of an archive that holds the requests.
const playFile = "play"

// Parse reads a sequence; name stands in its errors.
func Parse(name string, text []byte) (*Sequence, error) {
	s := &Sequence{Name: name, spaces: map[string]string{"D": "DAV:"}, bodies: map[string][]byte{}}
	p := parser{s: s}
	archive := txtar.Parse(text)
	if err := p.all(text, archive); err != nil {
		return nil, fmt.Errorf("%s.txtar:%d: %w", name, p.line, err)
	}
	return s, nil
}

// parser reads line by line. line is where it stands, for errors.
type parser struct {
	s      *Sequence
	line   int
	now    *step
	answer bool // after "->"
}

func (p *parser) all(text []byte, archive *txtar.Archive) error {
	for line := range strings.Lines(string(archive.Comment)) {
		p.line++
		if err := p.head(strings.TrimSpace(line)); err != nil {
			return err
		}
	}
	if p.s.Source == "" {
		return errors.New("no line \"source:\" says where this was seen")
	}
	at := slices.IndexFunc(archive.Files, func(f txtar.File) bool { return f.Name == playFile })
	if at < 0 {
		return fmt.Errorf("there is no file %q in it", playFile)
	}
	for _, f := range archive.Files {
		p.s.bodies[f.Name] = f.Data
	}
	before, _, _ := bytes.Cut(text, []byte("-- "+playFile+" --"))
	p.line = bytes.Count(before, []byte("\n")) + 1
	return p.play(string(archive.Files[at].Data))
}

// head reads a line of the comment.
func (p *parser) head(line string) error {
	key, value, ok := strings.Cut(line, ": ")
	if !ok {
		return nil
	}
	value = strings.TrimSpace(value)
	switch key {
	case "source":
		p.s.Source = value
	case "header":
		h, ok := parseHeader(value)
		if !ok {
			return fmt.Errorf("%q is no header", value)
		}
		p.s.headers = append(p.s.headers, h)
	case "ns":
		prefix, space, ok := strings.Cut(value, " ")
		if !ok {
			return errors.New("ns needs a prefix and a namespace")
		}
		p.s.spaces[prefix] = space
	}
	return nil
}

func (p *parser) play(text string) error {
	for line := range strings.Lines(text) {
		p.line++
		line = strings.TrimRight(line, " \t\r\n")
		rest := strings.TrimLeft(line, " \t")
		if rest == "" || rest[0] == '#' {
			continue
		}
		if err := p.take(rest, len(rest) < len(line)); err != nil {
			return err
		}
	}
	for _, st := range p.s.steps {
		if len(st.statuses) == 0 {
			p.line = st.line
			return errors.New("no line \"->\" says what the answer must be")
		}
	}
	return nil
}

// take reads one line that is not empty.
func (p *parser) take(line string, indented bool) error {
	status, isAnswer := strings.CutPrefix(line, "->")
	switch {
	case !indented && isAnswer:
		return p.expect(status)
	case !indented:
		return p.request(line)
	case p.now == nil:
		return errors.New("a line before the first request")
	case p.answer:
		return p.want(line)
	}
	return p.detail(line)
}

// request reads METHOD path [as NAME].
func (p *parser) request(line string) error {
	words := strings.Fields(line)
	st := step{line: p.line, who: "first"}
	switch {
	case len(words) == 4 && words[2] == "as":
		st.who = words[3]
	case len(words) != 2:
		return fmt.Errorf("%q is not METHOD path, or METHOD path as NAME", line)
	}
	st.method, st.path = words[0], words[1]
	if st.path[0] != '/' && st.path[0] != '=' {
		return fmt.Errorf("the path %s begins with neither / nor =", st.path)
	}
	p.s.steps = append(p.s.steps, st)
	p.now, p.answer = &p.s.steps[len(p.s.steps)-1], false
	return nil
}

// expect reads the statuses after "->".
func (p *parser) expect(line string) error {
	if p.now == nil || p.answer {
		return errors.New("an answer without a request")
	}
	p.answer = true
	for word := range strings.FieldsSeq(line) {
		n, err := strconv.Atoi(word)
		if err != nil || n < 100 || n > 599 {
			return fmt.Errorf("%q is no status", word)
		}
		p.now.statuses = append(p.now.statuses, n)
	}
	if len(p.now.statuses) == 0 {
		return errors.New("\"->\" without a status")
	}
	return nil
}

// detail reads a header, the body, or how it is sent.
func (p *parser) detail(line string) (err error) {
	if rest, ok := strings.CutPrefix(line, "<"); ok {
		p.now.body, err = p.body(rest)
		return err
	}
	if line == "chunked" {
		p.now.chunked = true
		return nil
	}
	h, ok := parseHeader(line)
	if !ok {
		return fmt.Errorf("%q is neither a header nor a body", line)
	}
	p.s.forms = p.s.forms || strings.Contains(h.value, "{if ")
	p.now.headers = append(p.now.headers, h)
	return nil
}

// body reads "text", N bytes, or the name of a file.
func (p *parser) body(s string) (body, error) {
	s = strings.TrimSpace(s)
	if digits, ok := strings.CutSuffix(s, " bytes"); ok {
		n, err := strconv.Atoi(digits)
		if err != nil || n < 0 {
			return body{}, fmt.Errorf("%q is no number of bytes", digits)
		}
		return body{set: true, size: n}, nil
	}
	if strings.HasPrefix(s, `"`) {
		text, err := strconv.Unquote(s)
		if err != nil {
			return body{}, fmt.Errorf("%s is no string of Go", s)
		}
		return body{set: true, text: text}, nil
	}
	if _, ok := p.s.bodies[s]; !ok {
		return body{}, fmt.Errorf("there is no file %q in it", s)
	}
	return body{set: true, file: s}, nil
}

// want reads an expectation. A header is whatever has a colon right after its
// first word.
func (p *parser) want(line string) error {
	w := want{line: p.line}
	kind, rest, _ := strings.Cut(line, " ")
	var err error
	switch kind {
	case "prop":
		err = p.wantProp(&w, rest)
	case "xml":
		path, pattern, found := strings.Cut(rest, " = ")
		w.kind, w.pattern, w.any = "xml", pattern, !found
		w.names, err = p.names(strings.TrimSpace(path))
	case "only":
		w.kind, w.hrefs = "only", strings.Fields(rest)
	case "text":
		w.kind = "text"
		w.body, err = p.body(strings.TrimPrefix(rest, "<"))
	case "lacks":
		w.kind = "lacks"
		w.pattern, err = strconv.Unquote(rest)
	case "differ":
		w.kind, w.hrefs = "differ", strings.Fields(rest)
	default:
		h, ok := parseHeader(line)
		if !ok {
			return fmt.Errorf("%q is no expectation", line)
		}
		w.kind, w.at, w.pattern = "header", h.name, h.value
	}
	if err != nil {
		return err
	}
	p.now.wants = append(p.now.wants, w)
	return nil
}

// wantProp reads HREF NAME, with = pattern or a status.
func (p *parser) wantProp(w *want, rest string) (err error) {
	left, pattern, found := strings.Cut(rest, " = ")
	words := strings.Fields(left)
	w.kind, w.status, w.pattern, w.any = "prop", 200, pattern, !found
	switch {
	case len(words) == 3 && !found:
		if w.status, err = strconv.Atoi(words[2]); err != nil {
			return fmt.Errorf("%q is no status", words[2])
		}
	case len(words) != 2:
		return fmt.Errorf("%q is not HREF NAME, with = pattern or a status", rest)
	}
	w.at = words[0]
	w.names, err = p.names(words[1])
	return err
}

// names resolves the prefixes of a path of elements.
func (p *parser) names(path string) ([]string, error) {
	var list []string
	for name := range strings.SplitSeq(path, "/") {
		prefix, local, ok := strings.Cut(name, ":")
		space, known := p.s.spaces[prefix]
		if !ok || !known {
			return nil, fmt.Errorf("%q has no prefix that \"ns:\" declares", name)
		}
		list = append(list, space+" "+local)
	}
	return list, nil
}

// parseHeader reads Name: value.
func parseHeader(line string) (header, bool) {
	m := regexp.MustCompile(`^([A-Za-z0-9-]+):\s*(.*)$`).FindStringSubmatch(line)
	if m == nil {
		return header{}, false
	}
	return header{m[1], m[2]}, true
}
