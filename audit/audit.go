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
	Rule      string    `json:"rule,omitempty"`  // file:line of the rule that decided
	Error     string    `json:"error,omitempty"` // what went wrong after it was allowed
	Bytes     int64     `json:"bytes,omitempty"`
	SHA256    string    `json:"sha256,omitempty"`
	Epoch     string    `json:"policy_epoch,omitempty"` // names the config that was in force

	Intent string `json:"-"` // the id that Intend gave
}

// Actor is who acted.
type Actor struct {
	Type  ActorType `json:"type,omitempty"`
	ID    string    `json:"id,omitempty"`
	Login string    `json:"name,omitempty"`
	Via   string    `json:"via,omitempty"` // "dav", "api", "page", "command"
	Key   string    `json:"key,omitempty"` // the ID of the app password, where it was one
	As    string    `json:"as,omitempty"`  // through whose eyes they looked, where it was not their own

	// Pseudonym stands for ID, Login, Key and As in a row, where those are sealed.
	Pseudonym string `json:"pseudonym,omitempty"`
}

// ActorType is what let the actor in.
type ActorType string

// The types of actors.
const (
	Staff         ActorType = "staff" // somebody of the firm, with their own password or session
	ByAppPassword ActorType = "app-password"
	Contact       ActorType = "contact" // somebody invited from outside
	ByLink        ActorType = "link"    // whoever holds a link
	ByCommand     ActorType = "command" // who ran a command at the state; ID is "uid:" and the account's number
	SystemItself  ActorType = "system"  // no person: what the server does by itself
)

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
	Unlock Action = "unlock" // Dest is the ID of whose lock another ended, or a command, and is sealed
	Props  Action = "props"

	// What people give each other: Dest is whom it names, and is sealed.
	Share   Action = "share"   // given, or changed
	Unshare Action = "unshare" // withdrawn
	Answer  Action = "answer"  // by the recipient; Why is "accepted" or "declined"

	// What concerns people and not files: Path is "".
	SignIn      Action = "sign-in" // refused or throttled; a success is one for a session alone
	SignOut     Action = "sign-out"
	AppPassword Action = "app-password" // made or revoked; Dest names it
	Pardon      Action = "pardon"       // failed sign-ins were forgotten; Dest names the login or the address
	Erasure     Action = "erasure"      // the key of a person was destroyed; Dest is the pseudonym
)

// IsRead tells the actions that change nothing.
func (a Action) IsRead() bool { return a == Stat || a == List || a == Read }

// Recorder takes every event. package files calls exactly one of its methods
// for each operation.
type Recorder interface {
	// Intend makes durable that a change of files is about to be made, so that
	// none is ever made without a trace: where it fails, the change must not be
	// made. The id goes to Append with the outcome, or to Forget where nothing
	// was changed.
	Intend(ctx context.Context, e Event) (id string, err error)
	// Forget ends an intent without an outcome, in the transaction or, with a nil
	// tx, in one of its own.
	Forget(ctx context.Context, tx store.Tx, id string) error
	// Record takes the event of a read, or of an operation that was refused or
	// failed and so changed nothing.
	Record(ctx context.Context, e Event) error
	// Append takes the event of a change, in the transaction that changes the
	// state which belongs to it, and ends the event's Intent. Its error undoes the
	// transaction.
	Append(tx store.Tx, e Event) error
}

// Leaver is a Recorder that can be told of an intent whose outcome nobody will
// know, while its process goes on: the file store or the state store was away in
// the midst of the change.
type Leaver interface {
	// Leave ends the intent with a row that says so, in time, unless the outcome
	// was recorded after all.
	Leave(id string)
}
