// Package audit records who did what to which file.
package audit

import (
	"context"
	"time"

	"portico/store"
)

// Event is one operation, allowed or refused.
type Event struct {
	Time      time.Time `json:"ts"`
	RequestID string    `json:"request_id,omitempty"`
	Actor     Actor     `json:"actor"`
	Address   string    `json:"src_ip,omitempty"`
	Agent     string    `json:"ua,omitempty"`
	Action    Action    `json:"action"`
	Path      string    `json:"path"`
	Dest      string    `json:"dest,omitempty"`
	Allowed   bool      `json:"allowed"`
	Why       string    `json:"why,omitempty"`   // the sentence of the decision
	Error     string    `json:"error,omitempty"` // what went wrong after it was allowed
	Bytes     int64     `json:"bytes,omitempty"`
	SHA256    string    `json:"sha256,omitempty"`
}

// Actor is who acted.
type Actor struct {
	ID    string `json:"id"`
	Login string `json:"name"`
	Via   string `json:"via,omitempty"` // "dav"
}

// Action is the kind of an operation.
type Action string

// The actions.
const (
	Stat   Action = "stat"
	List   Action = "list"
	Read   Action = "read"
	Put    Action = "put"
	Mkdir  Action = "mkdir"
	Delete Action = "delete"
	Copy   Action = "copy"
	Move   Action = "move"
	Lock   Action = "lock"
	Unlock Action = "unlock"
	Props  Action = "props"
)

// IsRead tells the actions that change nothing.
func (a Action) IsRead() bool { return a == Stat || a == List || a == Read }

// Recorder takes every event. package files calls exactly one of its methods
// for each operation.
type Recorder interface {
	// Record takes the event of a read, or of an operation that was refused or
	// failed and so changed nothing.
	Record(ctx context.Context, e Event) error
	// Append takes the event of a change, in the transaction that changes the
	// state which belongs to it. Its error undoes the transaction.
	Append(tx store.Tx, e Event) error
}
