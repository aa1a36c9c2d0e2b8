package lang

import (
	"fmt"
	"io"
)

// Sentence is what other packages made to be read: a template in English, which is
// the id of its texts, and what stands in it, which may be sentences again. It is
// fault.Sentence, which the decisions of package acl are, too.
type Sentence interface {
	Phrase() (format string, args []any)
}

// Say is a sentence in this language. Unlike those of T, its template has the verbs
// of fmt, since it is told in English where there are no catalogs: to programs, in
// logs and in the audit. A language that wants another order writes %[2]s.
func (t *Text) Say(s Sentence) string {
	format, args := s.Phrase()
	filled := make([]any, len(args))
	for i, a := range args {
		if part, ok := a.(Sentence); ok {
			filled[i] = t.Say(part)
		} else {
			filled[i] = value{t, a}
		}
	}
	return fmt.Sprintf(t.lookUp(format, nil), filled...)
}

// value is what stands in a sentence and is no sentence.
type value struct {
	t *Text
	v any
}

// Format is of fmt.Formatter: numbers are written as the language does, and nothing
// turns the sentence around.
func (v value) Format(f fmt.State, verb rune) {
	s := isolate(fmt.Sprintf(fmt.FormatString(f, verb), v.v))
	if verb == 'd' {
		switch n := v.v.(type) {
		case int:
			s = v.t.Number(int64(n))
		case int64:
			s = v.t.Number(n)
		}
	}
	_, _ = io.WriteString(f, s) // fmt's own buffer takes all
}
