package audit

import (
	"context"
	"encoding/json"
	"time"

	"portico/store"
)

// Item is one line for a sink.
type Item struct {
	Kind string // "audit" or "checkpoint"
	Time time.Time
	Line []byte // JSON, without a line's end
}

// The kinds of items.
const (
	kindRow        = "audit"
	kindCheckpoint = "checkpoint"
)

// Sink takes lines to another place.
type Sink interface {
	// Name names the sink in the store, where it is kept how far it has come.
	Name() string
	// Send takes all items before it answers nil, as durably as the sink can. An
	// error means that any number of them may have been taken: all come again.
	// It is not called twice at once.
	Send(ctx context.Context, items []Item) error
}

// rowItems are rows for a sink.
func rowItems(rows []store.AuditRow) []Item {
	items := make([]Item, 0, len(rows))
	for _, r := range rows {
		items = append(items, Item{Kind: kindRow, Time: r.Time, Line: Line(r)})
	}
	return items
}

// item is a checkpoint for a sink.
func (c Checkpoint) item() (Item, error) {
	line, err := json.Marshal(c)
	return Item{Kind: kindCheckpoint, Time: c.Time, Line: escape(line)}, err
}
