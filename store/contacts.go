package store

import (
	"context"
	"time"

	"portico/vpath"
)

// ContactState is what a contact may do in a workspace.
type ContactState string

// The states of a contact.
const (
	NoAccess ContactState = "none"
	Invited  ContactState = "invited" // a mail has gone out
	Active   ContactState = "active"  // they have signed in
	Closed   ContactState = "closed"
)

// Contact is a customer as one workspace knows them.
type Contact struct {
	Workspace    string
	Mail         string // in lower case; what they are known by
	Name         string
	Organisation string
	Language     string // a tag such as "nl", "" for the server's
	Notes        string // of the staff, never shown to them
	State        ContactState
	Folders      []vpath.Path // what may be shared with them lies in one of these; read back in order of path
	Created      time.Time
	By           string    // identity.Identity.ID of who opened the access last
	ByName       string    // and their name
	Invited      time.Time // when the last invitation went out
}

// ContactReader finds contacts.
type ContactReader interface {
	ContactByMail(ctx context.Context, workspace, mail string) (Contact, bool, error)
	ContactsIn(ctx context.Context, workspace string) ([]Contact, error) // by name
	ContactsOf(ctx context.Context, mail string) ([]Contact, error)      // by workspace
}

// ContactWriter changes contacts. Their folders follow what moves, and end with
// what is deleted.
type ContactWriter interface {
	PutContact(c Contact) error // inserts, or replaces the one with its workspace and mail
	DropContact(workspace, mail string) error
	MoveContactFolders(from, to vpath.Path) error // and all below from
	DropContactFolders(p vpath.Path) error        // and all below p
}

// Account is a contact's login, one for all workspaces that know the address.
type Account struct {
	ID       string // public and random; identity.Identity.ID is "contact:" and it
	Mail     string // in lower case
	Name     string
	Password string    // its hash; "" until the first is set
	Changed  time.Time // the password
	Created  time.Time
	Closed   bool // no workspace has them any more
}

// AccountReader finds accounts.
type AccountReader interface {
	AccountByMail(ctx context.Context, mail string) (Account, bool, error)
	AccountByID(ctx context.Context, id string) (Account, bool, error)
}

// AccountWriter changes accounts.
type AccountWriter interface {
	PutAccount(a Account) error // inserts, or replaces the one with its ID
	DropAccount(id string) error
}

// Ticket is a secret that was sent to a mail address and is good for one thing,
// once: an invitation, a new password, a code.
type Ticket struct {
	Sum     Sum    // of the secret, or of a code with what it is for
	Kind    string // "invite", "reset", "code", "unlock", "ask"
	Subject string // whom or what it is for: a mail address, a login, "link:ID MAIL"
	Data    []byte // what its maker keeps with it, as JSON
	Created time.Time
	Expires time.Time
}

// TicketReader finds tickets, expired ones too.
type TicketReader interface {
	TicketBySum(ctx context.Context, sum Sum) (Ticket, bool, error)
	TicketsOf(ctx context.Context, kind, subject string) ([]Ticket, error) // oldest first
}

// TicketWriter changes tickets. Whoever uses one drops it in the transaction that
// does what it is good for.
type TicketWriter interface {
	PutTicket(t Ticket) error
	DropTicket(sum Sum) error
	DropTicketsOf(kind, subject string) error
	DropExpiredTickets(now time.Time) error
}

// Notice is something that somebody should know: a line in their list, a mail,
// or both.
type Notice struct {
	ID       string
	To       string // identity.Identity.ID, "" for somebody without an account
	Mail     string // where the mail goes, "" for no mail
	Language string // of the mail, "" for the server's
	Event    string // package notify gives the words
	Data     []byte // what it tells, as JSON
	Batch    string // the mails of one batch and address become one; "" for a mail of its own
	Created  time.Time
	Due      time.Time // the mail goes out then; moved on by each failure
	Tries    int
	Done     time.Time // the mail has gone or was given up; zero while it waits
	Trouble  string    // why the last try failed
	Quiet    bool      // a mail alone: not in the list
	Read     time.Time // zero: unread
}

// NoticeReader finds notices.
type NoticeReader interface {
	NoticesTo(ctx context.Context, to string, limit int) ([]Notice, error) // newest first, quiet ones left out
	UnreadTo(ctx context.Context, to string) (int, error)
	// DueMails gives those whose mail waits and is due, oldest first.
	DueMails(ctx context.Context, now time.Time, limit int) ([]Notice, error)
	// WaitingMails gives the mails of one batch and address that wait, due or not.
	WaitingMails(ctx context.Context, batch, mail string) ([]Notice, error)
}

// NoticeWriter changes notices.
type NoticeWriter interface {
	PutNotice(n Notice) error                  // inserts, or replaces the one with its ID
	ReadNotices(to string, at time.Time) error // all of theirs that are unread
	DropNoticesTo(to string) error
	DropNoticesBefore(created time.Time) error // those whose mail does not wait
}

// Preferences are what somebody has chosen for themself.
type Preferences struct {
	Owner    string   // identity.Identity.ID
	Language string   // a tag such as "nl", "" for the browser's
	Theme    string   // "light", "dark", "" for the system's
	Muted    []string // events that send them no mail
}

// PreferencesReader finds preferences.
type PreferencesReader interface {
	// PreferencesOf is the zero value with the owner for somebody who chose none.
	PreferencesOf(ctx context.Context, owner string) (Preferences, error)
}

// PreferencesWriter changes preferences.
type PreferencesWriter interface {
	PutPreferences(p Preferences) error
}
