package store

import (
	"context"
	"time"
)

// Snapshot is what a sync client was told of a folder: what its token stands for
// (RFC 6578).
type Snapshot struct {
	ID    string // public and random: the token has it
	Line  string // what one client was given, one after the other, has one line
	Owner string // who was told, by the ID of a principal
	Place string // the folder as they address it; package files gives the words
	Sum   Sum    // of Data
	Size  int64  // of Data
	Data  []byte // package files gives the form

	Created, Used time.Time
}

// SnapshotReader finds snapshots, old ones too.
type SnapshotReader interface {
	SnapshotByID(ctx context.Context, id string) (Snapshot, bool, error)
	// SnapshotsOf gives all of an owner without their Data, the one that was used
	// last first.
	SnapshotsOf(ctx context.Context, owner string) ([]Snapshot, error)
}

// SnapshotWriter changes them.
type SnapshotWriter interface {
	PutSnapshot(s Snapshot) error // inserts, or replaces the one with its ID
	TouchSnapshot(id string, used time.Time) error
	DropSnapshot(id string) error
	DropSnapshotsBefore(used time.Time) error
}

// FolderReader finds what the drive shows of a whole folder, and has shown.
type FolderReader interface {
	ListingReader
	SnapshotReader
}

// FolderWriter changes it.
type FolderWriter interface {
	PropWriter
	SnapshotWriter
}
