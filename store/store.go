// Package store is the contract of the state store, which holds everything
// that is not a file: locks, dead properties, the journal of moves, app
// passwords, sessions, failed sign-ins, audit rows, what sync clients were told.
//
// Each role is a small interface. Reads are methods of State; writes happen in
// Update, one transaction that is durable when Update returns nil. storetest is
// the suite that each store passes.
//
// A store that cannot answer returns an error that wraps fault.ErrUnavailable.
package store

import (
	"context"
	"time"

	"portico/vpath"
)

// State is an open store.
type State interface {
	Reader
	Replicas

	// Update runs f in one transaction and commits it. An error of f, or a
	// panic, undoes all of it. The store may run several f's before one
	// commit (group commit); f must not block on anything but the Tx, and must
	// not keep it.
	Update(ctx context.Context, f func(Tx) error) error

	// Check answers nil if the store can be read and written now.
	Check(ctx context.Context) error

	Close() error
}

// Reader is what may be asked, in a transaction or outside one.
type Reader interface {
	LockReader
	PropReader
	FolderReader
	JournalReader
	UsageReader
	RecordReader
	AccessReader
	SharingReader
}

// Tx is what may be changed, inside Update.
type Tx interface {
	Reader
	LockWriter
	FolderWriter
	JournalWriter
	UsageWriter
	RecordWriter
	AccessWriter
	SharingWriter
}

// RecordReader finds the rows of the audit, and the keys of who is in them.
type RecordReader interface {
	AuditReader
	AuditKeyReader
}

// RecordWriter changes them.
type RecordWriter interface {
	AuditWriter
	AuditKeyWriter
}

// SharingReader finds all that people share with each other, and with customers.
type SharingReader interface {
	GrantReader
	LinkReader
	DepositReader
	LabelReader
	UploadReader
	CustomerReader
}

// CustomerReader finds customers, and what people are told.
type CustomerReader interface {
	ContactReader
	AccountReader
	TicketReader
	NoticeReader
	PreferencesReader
}

// SharingWriter changes it.
type SharingWriter interface {
	GrantWriter
	LinkWriter
	DepositWriter
	LabelWriter
	UploadWriter
	CustomerWriter
}

// CustomerWriter changes customers, and what people are told.
type CustomerWriter interface {
	ContactWriter
	AccountWriter
	TicketWriter
	NoticeWriter
	PreferencesWriter
}

// Lock is a write lock of RFC 4918 §6.
type Lock struct {
	Token    string // "opaquelocktoken:…" (RFC 4918 Appendix C)
	Path     vpath.Path
	Infinite bool   // Depth: infinity
	Shared   bool   // else exclusive
	Holder   string // identity.ID of the principal that made it
	HolderAs string // that person's name, for messages
	OwnerXML string // the client's owner element, as well-formed XML, or ""
	Created  time.Time
	Expires  time.Time
	Timeout  time.Duration // as granted; a refresh without a wish grants it again
}

// Covers tells whether l protects p.
func (l Lock) Covers(p vpath.Path) bool {
	return l.Path == p || l.Infinite && l.Path.Contains(p)
}

// LockReader finds locks. None of its answers holds a lock that has expired at
// the given moment.
type LockReader interface {
	// LocksOn gives the locks that cover p or lie on it: those at p, and those
	// of infinite depth above it.
	LocksOn(ctx context.Context, p vpath.Path, now time.Time) ([]Lock, error)
	// LocksBelow gives the locks at p and anywhere below it.
	LocksBelow(ctx context.Context, p vpath.Path, now time.Time) ([]Lock, error)
	// LocksOf counts a holder's locks.
	LocksOf(ctx context.Context, holder string, now time.Time) (int, error)
	// Locks gives all, for metrics and the admin's list.
	Locks(ctx context.Context, now time.Time) ([]Lock, error)
}

// LockWriter changes locks. Conflicts are judged by package files, in the same
// transaction.
type LockWriter interface {
	PutLock(l Lock) error // inserts, or replaces the one with its token
	DropLock(token string) error
	DropLocksBelow(p vpath.Path) error // at p and below it
	DropExpiredLocks(now time.Time) error
}

// Prop is a dead property (RFC 4918 §4): the whole element, as well-formed XML
// that declares its own namespaces.
type Prop struct {
	Space, Local string
	XML          string
}

// PropReader finds properties.
type PropReader interface {
	NoiseReader // what goes with a file as its properties do

	// PropsOf gives a thing's properties, sorted by name.
	PropsOf(ctx context.Context, p vpath.Path) ([]Prop, error)
	// PropsAt gives those of the first things of a list, of as many as it may hold at
	// once, and tells how many things these are: one at least. It is for lists of any
	// length whose things have any number of properties.
	PropsAt(ctx context.Context, list []vpath.Path) (props map[vpath.Path][]Prop, done int, err error)
	// PropBelow gives the property of one name of p and of all below it.
	PropBelow(ctx context.Context, p vpath.Path, space, local string) (map[vpath.Path]Prop, error)
}

// Listing is a thing that is described, alone or with its direct members, and
// what is wanted of the state for it.
type Listing struct {
	Path         vpath.Path
	Members      bool
	Locks, Props bool
	Bytes        int // about what the properties may take in memory; 0 for any number
}

// Around is what the state has for a Listing; what was not wanted is empty.
type Around struct {
	// Locks are those that cover Path or lie on it and, with members, all below
	// it, sorted by path. None has expired at the given moment.
	Locks []Lock
	// Props has each thing's properties, sorted by name.
	Props map[vpath.Path][]Prop
	// Cut tells that the properties are more than Bytes, and were all left out.
	Cut bool
}

// ListingReader answers all that a listing shows with one question: to a server
// each is a way there and back, and to a file a fifth of a warm request.
type ListingReader interface {
	Around(ctx context.Context, l Listing, now time.Time) (Around, error)
}

// PropWriter changes properties. The tree functions take p and all below it.
type PropWriter interface {
	NoiseWriter

	PutProp(p vpath.Path, prop Prop) error
	DropProp(p vpath.Path, space, local string) error
	DropProps(p vpath.Path) error // of p alone
	DropPropsBelow(p vpath.Path) error
	MoveProps(from, to vpath.Path) error // what to had is dropped first
	CopyProps(from, to vpath.Path, deep bool) error
}

// Move is a journal row: a MOVE that has begun and is not over. See files/journal.go.
type Move struct {
	ID       string
	From, To vpath.Path
	Dir      bool
	Phase    string // the step that is next; package files gives the words
	Began    time.Time
	Audit    []byte // the audit row to append when it is done
}

// Intent is a change of files that is about to be made, written before the
// first byte is published. It goes in the transaction that holds the audit row
// of the outcome. One that outlives its process tells that nobody knows whether
// the change was made.
type Intent struct {
	ID      string
	Replica string // who is at it
	Began   time.Time
	Audit   []byte // the event, as audit.Encode gives it
}

// JournalReader finds what is under way.
type JournalReader interface {
	Moves(ctx context.Context) ([]Move, error)     // oldest first
	Intents(ctx context.Context) ([]Intent, error) // oldest first
}

// JournalWriter changes what is under way.
type JournalWriter interface {
	PutMove(m Move) error // inserts, or replaces the one with its ID
	DropMove(id string) error
	PutIntent(i Intent) error
	DropIntent(id string) error // one that is not there is no error
}

// Usage is the space that a workspace takes.
type Usage struct {
	Workspace string
	Bytes     int64
	Counted   time.Time // when all of it was last counted
}

// UsageReader tells the space taken.
type UsageReader interface {
	// Usage is false for a workspace that was never counted.
	Usage(ctx context.Context, workspace string) (Usage, bool, error)
}

// UsageWriter carries the count on.
type UsageWriter interface {
	PutUsage(u Usage) error
	AddUsage(workspace string, n int64) error // nothing for one that was never counted; never below 0
}
