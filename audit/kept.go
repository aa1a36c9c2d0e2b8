package audit

import (
	"encoding/json"
	"fmt"
)

// Keeper is a Recorder that seals the event of a change which is not done yet,
// for who keeps it till then.
type Keeper interface {
	// Keep makes of an event what can be kept under an id, and with no other.
	Keep(e Event, id string) ([]byte, error)
	// Kept reads it back, or what Encode made.
	Kept(text []byte, id string) (Event, error)
}

var _ Keeper = (*Log)(nil)

// kept is a sealed event. Its key is one for all, derived from the secret: it is
// not there for longer than the change takes, and is no place to erase from.
type kept struct {
	Kept string `json:"kept"`
}

// Keep is of Keeper.
func (l *Log) Keep(e Event, id string) ([]byte, error) {
	if l.o.Plain {
		return Encode(e)
	}
	text, err := l.keys.journal.seal(l.o.Rand, clean(e), id)
	if err != nil {
		return nil, err
	}
	return encode(kept{text})
}

// Kept is of Keeper.
func (l *Log) Kept(text []byte, id string) (Event, error) {
	var k kept
	if err := json.Unmarshal(text, &k); err != nil {
		return Event{}, fmt.Errorf("audit: kept: %w", err)
	}
	if k.Kept == "" {
		return Decode(text)
	}
	var e Event
	if err := l.keys.journal.open(k.Kept, id, &e); err != nil {
		return Event{}, fmt.Errorf("audit: kept: %w", err)
	}
	return e, nil
}
