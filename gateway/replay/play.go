package replay

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Drive is where a sequence is played.
type Drive struct {
	Server string // "http://127.0.0.1:8080"
	Room   string // the path of an empty folder: "/dav/firm/r1"

	// People are "first" and "second", who both may write there.
	People map[string]Person
}

// Person is somebody with a drive.
type Person struct {
	Login, Password string
	Name            string // in full
}

// longest is the time that a play may take.
const longest = time.Minute

// Play plays the sequence, with tokens in the given form. The error tells the file and
// the line of the first answer that is not what it must be, what was sent and what came.
func (s *Sequence) Play(ctx context.Context, d Drive, f Form) error {
	ctx, stop := context.WithTimeout(ctx, longest)
	defer stop()
	u, err := url.Parse(d.Server)
	if err != nil {
		return fmt.Errorf("replay: %w", err)
	}
	p := player{s: s, d: d, form: f, host: u.Host, wires: map[string]*wire{}}
	p.vars = map[string]string{"server": d.Server, "host": u.Host, "room": d.Room}
	for as, who := range d.People {
		p.vars["name:"+as] = who.Name
	}
	defer func() {
		for _, w := range p.wires {
			w.close()
		}
	}()
	for _, st := range s.steps {
		if err := p.step(ctx, st); err != nil {
			return err
		}
	}
	return nil
}

// player is one play.
type player struct {
	s     *Sequence
	d     Drive
	form  Form
	host  string
	vars  map[string]string
	wires map[string]*wire // by who
}

// step sends one request and judges the answer.
func (p *player) step(ctx context.Context, st step) error {
	m, err := p.message(st)
	if err != nil {
		return p.fault(st, st.line, err)
	}
	w := p.wires[st.who]
	if w == nil {
		w = &wire{host: p.host}
		p.wires[st.who] = w
	}
	a, err := w.send(ctx, m)
	if err != nil {
		return p.fault(st, st.line, fmt.Errorf("no answer: %w\n%s", err, m.show()))
	}
	if err := judge(st.statuses, a); err != nil {
		return p.fault(st, st.line, fmt.Errorf("%w\n%s%s", err, m.show(), a.show()))
	}
	for _, want := range st.wants {
		if err := p.check(want, a); err != nil {
			return p.fault(st, want.line, fmt.Errorf("%w\n%s%s", err, m.show(), a.show()))
		}
	}
	return nil
}

// fault says where in the file something went wrong.
func (p *player) fault(st step, line int, err error) error {
	return fmt.Errorf("%s.txtar:%d: %s %s (If: %s): %w", p.s.Name, line, st.method, st.path, p.form, err)
}

// message makes the request of a step.
func (p *player) message(st step) (m *message, err error) {
	m = &message{method: st.method, chunked: st.chunked, body: p.s.load(st.body)}
	if m.target, err = p.at(st.path); err != nil {
		return nil, err
	}
	for _, h := range st.headers {
		if h.value, err = p.expand(h.value, m.target); err != nil {
			return nil, err
		}
		m.headers = append(m.headers, h)
	}
	for _, h := range p.s.headers {
		m.add(h.name, h.value)
	}
	m.add("Host", p.host)
	if st.who != "nobody" {
		who, ok := p.d.People[st.who]
		if !ok {
			return nil, fmt.Errorf("nobody is called %s here", st.who)
		}
		m.basic(who)
	}
	m.frame()
	return m, nil
}

// at is the path of a request, or of an HREF.
func (p *player) at(path string) (string, error) {
	plain, whole := strings.CutPrefix(path, "=")
	if !whole {
		plain = p.d.Room + path
	}
	return p.expand(plain, "")
}

// expand puts the values of variables into s; target is what {if T} speaks of.
func (p *player) expand(s, target string) (string, error) {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(s, "{")
		b.WriteString(before)
		if !ok {
			return b.String(), nil
		}
		name, after, ok := strings.Cut(rest, "}")
		if !ok {
			return "", errors.New("a { without its }")
		}
		value, err := p.value(name, target)
		if err != nil {
			return "", err
		}
		b.WriteString(value)
		s = after
	}
}

// value is that of a variable, or of "if T".
func (p *player) value(name, target string) (string, error) {
	words := strings.Fields(name)
	if len(words) < 2 || words[0] != "if" {
		if v, ok := p.vars[name]; ok {
			return v, nil
		}
		return "", fmt.Errorf("{%s} has no value yet", name)
	}
	token, ok := p.vars[words[1]]
	if !ok {
		return "", fmt.Errorf("{%s} has no value yet", words[1])
	}
	if len(words) == 3 {
		var err error
		if target, err = p.at(words[2]); err != nil {
			return "", err
		}
	}
	list := "(<" + token + ">)"
	switch p.form {
	case ByURL:
		return "<" + p.d.Server + target + "> " + list, nil
	case ByPath:
		return "<" + target + "> " + list, nil
	default:
		return list, nil
	}
}

// judge holds the status against those that will do.
func judge(statuses []int, a answer) error {
	if want := slices.Contains(statuses, 100); want != a.continued {
		return fmt.Errorf("100 Continue came: %v, want %v", a.continued, want)
	}
	if !slices.Contains(statuses, a.status) {
		return fmt.Errorf("%d, want %v", a.status, statuses)
	}
	return nil
}

// show is a request for a reader, without its password.
func (m *message) show() string {
	var b strings.Builder
	b.WriteString("> " + m.method + " " + m.target + "\n")
	for _, h := range m.headers {
		if h.name != "Authorization" {
			b.WriteString("> " + h.name + ": " + h.value + "\n")
		}
	}
	return b.String()
}

// show is an answer for a reader.
func (a answer) show() string {
	var b strings.Builder
	fmt.Fprintf(&b, "< %d\n", a.status)
	for name, values := range a.header {
		b.WriteString("< " + name + ": " + strings.Join(values, ", ") + "\n")
	}
	text := a.body
	if len(text) > maxShown {
		text = text[:maxShown]
	}
	b.WriteString("< " + strings.ReplaceAll(strings.TrimSpace(string(text)), "\n", "\n< ") + "\n")
	return b.String()
}

// maxShown is how much of a body a failure shows.
const maxShown = 4 << 10
