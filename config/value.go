package config

import (
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"portico/acl"
)

// value is one node of the file, with the words that name it in a fault.
type value struct {
	l    *loader
	n    *yaml.Node
	name string // "server.listen"; "" for the whole file
}

// fault reports that something is wrong with v.
func (v value) fault(format string, args ...any) {
	if v.n.Kind == ruinedKind {
		return // said already
	}
	if v.name != "" {
		format, args = "%s: "+format, append([]any{v.name}, args...)
	}
	v.l.add(v.n.Line, format, args...)
}

// warn reports that v is allowed, but probably not what was meant.
func (v value) warn(format string, args ...any) {
	v.l.warn(v.n.Line, "%s: "+format, append([]any{v.name}, args...)...)
}

// at is where v stands, for a rule's reason.
func (v value) at() acl.Source { return acl.Source{File: v.l.file, Line: v.n.Line} }

// isNull tells a key that has nothing behind it.
func (v value) isNull() bool { return v.n.Kind == yaml.ScalarNode && v.n.ShortTag() == "!!null" }

// shown is v as it stands in the file, for a fault: never what a ${…} in it
// stands for, which may be a secret.
func (v value) shown() string {
	const most = 60
	s := []rune(v.n.Value)
	if len(s) > most {
		return fmt.Sprintf("%q…", string(s[:most]))
	}
	return fmt.Sprintf("%q", v.n.Value)
}

// describe says what kind of thing a node is.
func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping (key: value)"
	case yaml.SequenceNode:
		return "a list"
	default: // a scalar: its tag tells
	}
	switch n.ShortTag() {
	case "!!null":
		return "nothing"
	case "!!bool":
		return "true or false without quotes"
	case "!!int", "!!float":
		return "a number without quotes"
	case "!!timestamp":
		return "a date without quotes"
	}
	return "text"
}

// scalar is the text of v, with each ${…} put in. It is not ok where v is no
// scalar, or has a ${…} that cannot be put in; both have been reported then.
func (v value) scalar(wanted string) (string, bool) {
	if v.n.Kind != yaml.ScalarNode || v.isNull() {
		mend := "write one value"
		if v.isNull() {
			mend = "give it a value or remove the key"
		}
		v.fault("expected %s, found %s; %s", wanted, describe(v.n), mend)
		return "", false
	}
	if v.n.Style&yaml.TaggedStyle != 0 {
		v.fault("tags (%s) are not taken; remove it", v.n.Tag)
		return "", false
	}
	if !strings.Contains(v.n.Value, "${") {
		return v.n.Value, true
	}
	text, err := v.l.expand(v.n.Value)
	if err != nil {
		v.fault("%v", err)
	}
	return text, err == nil
}

// text reads text that is not empty. What YAML takes for a number, a date or a
// boolean is refused, because it may not be what was written: 0123 is 83.
func (v value) text() (string, bool) {
	s, ok := v.scalar("text")
	switch {
	case !ok:
		return "", false
	case v.n.ShortTag() != "!!str":
		v.fault("expected text, found %s; put it in quotes", describe(v.n))
		return "", false
	case strings.TrimSpace(s) == "":
		v.fault("is empty; give it a value or remove the key")
		return "", false
	}
	return s, true
}

// secret reads a text that no fault and no log may show.
func (v value) secret() Secret {
	s, _ := v.text()
	return NewSecret(s)
}

// bool reads true or false.
func (v value) bool() bool {
	s, ok := v.scalar("true or false")
	if !ok {
		return false
	}
	if s != "true" && s != "false" {
		v.fault("expected true or false, found %s; write true or false without quotes", v.shown())
	}
	return s == "true"
}

// choice reads one of some words.
func (v value) choice(words ...string) string {
	s, ok := v.text()
	if !ok {
		return words[0]
	}
	if slices.Contains(words, s) {
		return s
	}
	v.fault("%s is none of the words that can stand here%s; write %s", v.shown(), didYouMean(s, words), strings.Join(words, " or "))
	return words[0]
}

// list reads a list. Nothing at all is no list: a deny whose rights were
// commented out must not pass for one.
func (v value) list(of string) []value {
	if v.n.Kind != yaml.SequenceNode {
		v.fault("expected a list of %s, found %s; write [a, b], or remove the key", of, describe(v.n))
		return nil
	}
	items := make([]value, len(v.n.Content))
	for i, n := range v.n.Content {
		items[i] = value{v.l, n, v.name}
	}
	return items
}

// isEmptyList tells "[]".
func (v value) isEmptyList() bool { return v.n.Kind == yaml.SequenceNode && len(v.n.Content) == 0 }

// texts reads a list of texts, each with its place.
func (v value) texts(of string) []word {
	var words []word
	for _, item := range v.list(of) {
		if s, ok := item.text(); ok {
			words = append(words, word{item, s})
		}
	}
	return words
}

// oneOrMore reads one text, or a list of them.
func (v value) oneOrMore(of string) []word {
	if v.n.Kind == yaml.SequenceNode {
		return v.texts(of)
	}
	if s, ok := v.text(); ok {
		return []word{{v, s}}
	}
	return nil
}

// word is a text and where it stands.
type word struct {
	value
	text string
}
