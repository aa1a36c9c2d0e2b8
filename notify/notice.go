// Package notify tells people what concerns them: in the list of their page, and
// by mail.
//
// A notice is written in the transaction of what it tells, so that there is none
// of what was not done, and none is lost. The mails go out afterwards, by one
// replica at a time.
package notify

import (
	"encoding/json"
	"fmt"
	"time"

	"portico/store"
)

// Event is what a notice tells.
type Event string

// The events. Each has its words in package lang's part "mail".
const (
	Invited   Event = "invited"   // to a contact: set a password; Data: link, firm, by
	Shared    Event = "shared"    // to the recipient; Data: by, item, message, until, link
	Offered   Event = "offered"   // the same, to accept or decline
	Accepted  Event = "accepted"  // to the giver; Data: by, item, link
	Declined  Event = "declined"  // to the giver
	Stopped   Event = "stopped"   // to the recipient; Data: by, item
	Deposited Event = "deposited" // to who shared the folder; Data: by, item, folder, size, link
	Receipt   Event = "receipt"   // to the depositor; Data: item, size, sha256, time, id, link
	Opened    Event = "opened"    // to giver or depositor: opened for the first time; Data: by, item
	Ending    Event = "ending"    // to both sides, before a share ends; Data: item, until, link
	Asked     Event = "asked"     // to who looks after a folder: a colleague would like to have access; Data: by, item, folder, message, link
	Closed    Event = "closed"    // to a contact whose access was closed; Data: by, firm
	Reset     Event = "reset"     // a way to a new password; Data: link
	Code      Event = "code"      // the code that proves a visitor's address; Data: code, item
	SentLink  Event = "link"      // a link, to its contact; Data: by, item, message, link
	Unlock    Event = "unlock"    // to an account that strangers have guessed at; Data: login, until, link

	// Undelivered is the outbox's own, to who caused a mail that did not go out or
	// of which nobody knows: Data: mail, event, item, unclear, reason.
	Undelivered Event = "undelivered"
)

// Notice is one that shall go out.
type Notice struct {
	To       string // identity.Identity.ID; "" for somebody without an account
	Mail     string // where the mail goes; "" for none
	Name     string // of the recipient, for the mail's To; else Data has it as "name", or it is not known
	From     string // identity.Identity.ID of who caused it, who is told if the mail cannot be delivered; "" for nobody
	Language string // of a mail to somebody who has chosen none; "" for the server's
	Event    Event
	Data     map[string]string // what the words name; times in RFC 3339, sizes in bytes, link as a path of ours
	Batch    string            // mails of one batch to one address that wait become one mail; "" for one of its own
	Delay    time.Duration     // the mail waits so long for others of its batch
	Brand    string            // workspace whose name and colour the mail carries; "" for the server's
	Always   bool              // goes out whatever is muted: an invitation, a code
	Quiet    bool              // by mail alone
}

// payload is what a store.Notice keeps as its Data.
type payload struct {
	Data   map[string]string `json:"data,omitempty"`
	Brand  string            `json:"brand,omitempty"`
	Name   string            `json:"name,omitempty"`
	From   string            `json:"from,omitempty"`
	Always bool              `json:"always,omitempty"`
}

func (p payload) encode() ([]byte, error) {
	b, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("notify: payload: %w", err)
	}
	return b, nil
}

// payloadOf reads what a notice keeps. An older program may have written less.
func payloadOf(n store.Notice) (p payload, err error) {
	if len(n.Data) == 0 {
		return p, nil
	}
	if err := json.Unmarshal(n.Data, &p); err != nil {
		return payload{}, fmt.Errorf("notify: payload of %s: %w", n.ID, err)
	}
	return p, nil
}

// secret tells the events whose link or code lets its reader in. It is taken out
// of the store as soon as the mail has gone: elsewhere only sums of such secrets
// are kept (THREATS.md §4.4).
func (e Event) secret() bool {
	switch e {
	case Invited, Reset, Code, SentLink, Unlock:
		return true
	default:
		return false
	}
}

// lasts is how long a mail is tried. A code or a link to a new password that comes
// a day late helps nobody, and looks like an attack.
func (e Event) lasts() time.Duration {
	if e == Code || e == Reset {
		return time.Hour
	}
	return lastTry
}
