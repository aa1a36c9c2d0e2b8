package audit

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Longest texts, in bytes, of what a client or an error may make long. A path
// has its limit in vpath.
const (
	maxWord = 256
	maxText = 2048
)

// Encode makes the JSON of an event: one line, whatever the names in it hold. It
// is exported for the journal of moves, which keeps the event of what is not
// done yet. A row of the log is the same with its place in the chain.
func Encode(e Event) ([]byte, error) {
	return encode(clean(e))
}

// clean cuts an event to what a row may hold.
func clean(e Event) Event {
	e.Time = e.Time.UTC().Truncate(time.Microsecond) // as the store keeps it
	e.Agent, e.RequestID = clip(e.Agent, maxWord), clip(e.RequestID, maxWord)
	e.Actor.Login, e.Actor.ID, e.Actor.Key = clip(e.Actor.Login, maxWord), clip(e.Actor.ID, maxWord), clip(e.Actor.Key, maxWord)
	e.Why, e.Error, e.Rule = clip(e.Why, maxText), clip(e.Error, maxText), clip(e.Rule, maxText)
	return e
}

func encode(v any) ([]byte, error) {
	row, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("audit: encode: %w", err)
	}
	return escape(row), nil
}

// Decode reads an event back, from a row or from what Encode made.
func Decode(row []byte) (Event, error) {
	var e Event
	if err := json.Unmarshal(row, &e); err != nil {
		return Event{}, fmt.Errorf("audit: decode: %w", err)
	}
	return e, nil
}

// escape finishes what encoding/json begins: that escapes the ASCII controls
// and U+2028, but leaves DEL and the C1 controls, of which U+0085 is a line's
// end and U+009B begins a terminal's commands, and the characters that reverse
// the direction of a text. All of them stand inside strings, where \u is the
// same.
func escape(row []byte) []byte {
	text := string(row)
	if strings.IndexFunc(text, unsafe) < 0 {
		return row
	}
	out := make([]byte, 0, len(row)+16)
	for _, r := range text {
		if unsafe(r) {
			out = fmt.Appendf(out, `\u%04x`, r) // all are below U+10000
		} else {
			out = utf8.AppendRune(out, r)
		}
	}
	return out
}

func unsafe(r rune) bool {
	return r >= 0x7F && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == 0x2028 || r == 0x2029)
}

// clip cuts a text at a character's border.
func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most] + "…"
}
