package gateway

import (
	"slices"
	"strings"

	"portico/files"
)

// parseLike reads a like: % is any text, _ any character, and \ takes from the
// next its meaning (RFC 5323 §5.14).
func parseLike(e *element) (condition, error) {
	f, err := fieldOf(e)
	if err != nil {
		return nil, err
	}
	if f.text == nil {
		return nil, unsearchable("The property %s is no text: like is not for it.", f.name)
	}
	pattern, caseless, err := operand(e)
	if err != nil {
		return nil, err
	}
	return textIs(f, pattern, caseless), nil
}

func nameField() field { return fields()[0] }

// textIs is the condition that a text fits a pattern.
func textIs(f field, pattern string, caseless bool) condition {
	p := parsePattern(folded(pattern, caseless))
	return func(n *files.Node) truth {
		v, ok := f.text(n)
		if !ok {
			return unknown
		}
		return truthOf(p.fits([]rune(folded(v, caseless))))
	}
}

// escapeLike makes a text the pattern of itself.
func escapeLike(s string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(s)
}

const (
	anyText rune = -1 - iota
	anyRune
)

// longestText is more than any text that is searched has characters.
const longestText = 1024

// pattern is the pattern of a like, its wildcards as runes that no text has. nil
// fits nothing.
type pattern []rune

func parsePattern(s string) pattern {
	p, own := pattern{}, 0
	escaped := false
	for _, r := range s {
		switch {
		case escaped:
			escaped = false
		case r == '\\':
			escaped = true
			continue
		case r == '_':
			r = anyRune
		case r == '%' && len(p) > 0 && p[len(p)-1] == anyText:
			continue // several in a row are one, or they would take their time
		case r == '%':
			r = anyText
		}
		if p = append(p, r); r != anyText {
			own++
		}
	}
	if own > longestText {
		return nil
	}
	return slices.Clip(p)
}

// fits matches with one mark to come back to: what the last % swallows grows,
// and those before it are never tried again. So it takes at most as many steps as
// the lengths multiplied, where a regular way back would take exponentially many.
func (p pattern) fits(s []rune) bool {
	if p == nil {
		return false
	}
	at, mark, from := 0, -1, 0
	for i := 0; i < len(s); {
		switch {
		case at < len(p) && p[at] == anyText:
			mark, from = at, i
			at++
		case at < len(p) && (p[at] == anyRune || p[at] == s[i]):
			at++
			i++
		case mark >= 0:
			from++
			at, i = mark+1, from
		default:
			return false
		}
	}
	return at == len(p) || at == len(p)-1 && p[at] == anyText
}
