package lang

import (
	"fmt"
	"testing"
)

// sentence is a Sentence as other packages have them.
type sentence struct {
	format string
	args   []any
}

func (s sentence) Phrase() (string, []any) { return s.format, s.args }
func (s sentence) String() string          { return fmt.Sprintf(s.format, s.args...) }

func say(format string, args ...any) sentence { return sentence{format, args} }

func TestSay(t *testing.T) {
	t.Parallel()
	c := catalog(t)
	for _, x := range []struct {
		tag, want string
		say       Sentence
	}{
		{"en", "/a exists already", say("%s exists already", "/a")},
		{"sv", "/a finns redan.", say("%s exists already", "/a")},
		{"de", "nobody wrote this: /a", say("nobody wrote this: %s", "/a")},
		// A value is never read as a template, nor as a text of the catalogs.
		{"de", "%s%d gibt es schon.", say("%s exists already", "%s%d")},
		{"de", "read gibt es schon.", say("%s exists already", "read")},
		{"fr", "«\u00a0write\u00a0» est refusé à group:a sur /b", say("%s is denied %s on %s", "group:a", "write", "/b")},
		{"fr", "«\u00a0écrire\u00a0» est refusé à group:a sur /b", say("%s is denied %s on %s", "group:a", say("write"), "/b")},
		{"nl", "nee: ida mag /a niet lezen: geen regel geeft daar ‘lezen’", say("no: %s %s: %s", "ida", say("may not read %s", "/a"), say("no rule grants %s there", say("read")))},
		{"nl", "Het bestand is groter dan de 1.000.000 bytes die de opslag aanneemt.", say("The file is larger than the %d bytes that the storage takes.", int64(1_000_000))},
		{"de", "\"x\" ist kein Dateityp; schreiben Sie das Ende eines Namens, etwa pdf.", say("%q is no file type; write the end of a name, such as pdf.", "x")},
		{"de", "der Pfad enthält einen kodierten Schrägstrich (%2F)", say("the path has an encoded slash (%%2F)")},
		{"de", "\u2068\u202egnp\u2069 gibt es schon.", say("%s exists already", "\u202egnp")},
	} {
		if got := c.For(x.tag).Say(x.say); got != x.want {
			t.Errorf("%s: %q, want %q", x.tag, got, x.want)
		}
	}
}
