package store

import (
	"context"
	"time"
)

// AuditRow is one link of a stream, the chain of rows that one replica writes.
// What is in JSON and how Hash is made is package audit's matter.
type AuditRow struct {
	Stream string // the replica's name
	Seq    int64  // 1, 2, 3 … in its stream, without gaps
	Time   time.Time
	JSON   []byte
	Hash   []byte // over the row before it and JSON
}

// AuditStream is what the store holds of one stream.
type AuditStream struct {
	Name  string
	First int64  // Seq of the oldest row that is left; Last+1 if none is
	Last  int64  // Seq of the newest row ever written, 0 if none was
	Head  []byte // its Hash, nil if there was none
}

// AuditCut is where the rows of a stream begin after old ones were removed.
type AuditCut struct {
	Stream    string
	Seq       int64  // of the last row removed
	Hash      []byte // its Hash
	Time      time.Time
	Signature []byte // package audit's
}

// AuditReader reads streams.
type AuditReader interface {
	// AuditStreams gives all, by name.
	AuditStreams(ctx context.Context) ([]AuditStream, error)
	// AuditHead gives the one, empty but for its name if nothing was written.
	// In a transaction it counts what that has appended.
	AuditHead(ctx context.Context, stream string) (AuditStream, error)
	// AuditRows gives up to limit rows of a stream with Seq > after, in order.
	AuditRows(ctx context.Context, stream string, after int64, limit int) ([]AuditRow, error)
	// AuditCuts gives the newest cut of each stream that has one, by name.
	AuditCuts(ctx context.Context) ([]AuditCut, error)
	// SinkAt is the Seq up to which a sink has taken a stream, 0 at first.
	SinkAt(ctx context.Context, sink, stream string) (int64, error)
}

// AuditWriter appends rows. No method changes one: the store itself refuses that.
type AuditWriter interface {
	// AppendAudit adds the row whose Seq follows the stream's Last; any other is
	// an error that wraps fault.ErrConflict.
	AppendAudit(row AuditRow) error
	// CutAudit removes the rows up to cut.Seq, and keeps the cut.
	CutAudit(cut AuditCut) error
	PutSinkAt(sink, stream string, seq int64) error
}

// AuditKey seals what rows say of people, so that it can be erased without a
// change of the rows. What is sealed, and how, is package audit's matter; the
// store sees no key in plain, and no person's name.
type AuditKey struct {
	Kind    string // of what; names and lookups are unique in it
	Name    string // as rows have it
	Lookup  string // finds the key of somebody, and tells nobody whose it is
	Wrapped []byte // the key, encrypted
}

// AuditKeyReader finds keys.
type AuditKeyReader interface {
	AuditKey(ctx context.Context, kind, name string) (AuditKey, bool, error)
	AuditKeyFor(ctx context.Context, kind, lookup string) (AuditKey, bool, error)
}

// AuditKeyWriter makes and destroys keys. No method changes one.
type AuditKeyWriter interface {
	// PutAuditKey adds a key. A name or a lookup that is there already is an error
	// that wraps fault.ErrConflict.
	PutAuditKey(k AuditKey) error
	DropAuditKey(kind, name string) error // one that is not there is no error
	// DropAuditKeysBefore destroys those whose names come before one, by bytes, and
	// tells how many they were.
	DropAuditKeysBefore(kind, name string) (int64, error)
}
