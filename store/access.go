package store

import (
	"context"
	"time"
)

// Sum is the SHA-256 of a secret. The store never holds the secret itself.
type Sum [32]byte

// AppPassword lets one device in as its owner.
type AppPassword struct {
	ID    string // public and random; names it in lists and in the audit
	Sum   Sum
	Owner string // identity.Identity.ID
	Login string // the owner's, when it was made
	Name  string // the device's, for people to read

	Workspace string // it opens this one alone; "" for all of the owner's
	ReadOnly  bool

	Created  time.Time
	Expires  time.Time // zero: never
	Used     time.Time // zero: never yet
	UsedFrom string    // address
}

// Session is somebody signed in to the pages.
type Session struct {
	Sum     Sum    // of the cookie's value
	Owner   string // identity.Identity.ID
	Data    []byte // what the pages keep with it, as JSON
	Created time.Time
	Seen    time.Time
	Expires time.Time
}

// Person is somebody whom an outside provider named (OIDC), as they were when
// they last signed in.
type Person struct {
	ID, Login, Name, Email string
	Groups                 []string
	Seen                   time.Time
}

// Attempts are what is known of failed sign-ins under one key: an account, an
// address, a device. Package identity/throttle gives the keys and their meaning.
type Attempts struct {
	Key     string
	Count   int
	First   time.Time // of those that Count counts
	Last    time.Time
	Until   time.Time // nobody is let in before; zero for no such moment
	Strikes int       // how often Until was set
}

// AccessReader finds all that lets people in or keeps them out.
type AccessReader interface {
	AppPasswordReader
	SessionReader
	PersonReader
	AttemptsReader
}

// AccessWriter changes it.
type AccessWriter interface {
	AppPasswordWriter
	SessionWriter
	PersonWriter
	AttemptsWriter
}

// AppPasswordReader finds app passwords, expired ones too.
type AppPasswordReader interface {
	AppPasswordBySum(ctx context.Context, sum Sum) (AppPassword, bool, error)
	AppPasswordsOf(ctx context.Context, owner string) ([]AppPassword, error) // oldest first
}

// AppPasswordWriter changes app passwords.
type AppPasswordWriter interface {
	PutAppPassword(p AppPassword) error // inserts, or replaces the one with its ID
	DropAppPassword(id string) error
	TouchAppPassword(id string, used time.Time, from string) error // nothing for one that is gone
}

// SessionReader finds sessions, expired ones too.
type SessionReader interface {
	SessionBySum(ctx context.Context, sum Sum) (Session, bool, error)
}

// SessionWriter changes sessions.
type SessionWriter interface {
	PutSession(s Session) error // inserts, or replaces the one with its Sum
	TouchSession(sum Sum, seen time.Time) error
	DropSession(sum Sum) error
	DropSessionsOf(owner string) error
	DropExpiredSessions(now time.Time) error
}

// PersonReader finds people of outside providers.
type PersonReader interface {
	PersonByID(ctx context.Context, id string) (Person, bool, error)
	// PeopleUnder gives all whose ID begins so and who were seen at a moment or
	// since, by ID. It may read all rows, and leaves it to the caller to compare
	// names: databases do not agree on what is one letter in two cases.
	PeopleUnder(ctx context.Context, prefix string, since time.Time) ([]Person, error)
}

// PersonWriter changes them.
type PersonWriter interface {
	PutPerson(p Person) error // inserts, or replaces the one with its ID
}

// AttemptsReader finds failed sign-ins.
type AttemptsReader interface {
	// Attempts gives those of the keys that there are, by key.
	Attempts(ctx context.Context, keys ...string) (map[string]Attempts, error)
	// AttemptsUnder gives all whose key begins so, by key. It may read all rows:
	// it is for an admin's question, not for a request.
	AttemptsUnder(ctx context.Context, prefix string) ([]Attempts, error)
}

// AttemptsWriter changes them.
type AttemptsWriter interface {
	PutAttempts(a Attempts) error
	DropAttemptsBefore(last time.Time) error // those whose Last and Until are before it
}
