package files

import (
	"time"

	"portico/store"
	"portico/vpath"
)

// Node is a file or folder that the principal may see.
type Node struct {
	Path        vpath.Path
	Dir         bool
	Title       string // of a workspace; else ""
	Size        int64
	ModTime     time.Time // the client's time of change where it gave one
	Created     time.Time // zero if unknown
	ETag        string    // strong, without quotes; "" for folders
	ContentType string    // "" for folders
	By          string    // ID of who made it, "" if unknown or not for the principal to know
	SHA256      string    // of a file, in hex; "" where the storage does not keep it

	Bare bool // no more is known than Path, Dir and Title: see Want.Names

	// Filled in by Find where the Want asks for them.
	Locks  []Lock       // those that protect the node, inherited ones included
	Props  []store.Prop // dead properties
	Sums   string       // what the client that sent this version has proved of it: see PutOptions; with Props
	Later  bool         // Props and Sums are to be read yet, since they would have been too much at once: see Fill
	Rights []string     // words of what the principal holds on this very thing
	Owner  Owner        // who made it; with Rights
}

// Owner is somebody of the firm who made a thing; the zero value is nobody who may
// be known of.
type Owner struct{ Login, Name string }

// Lock is a lock as the principal may know it.
type Lock struct {
	ID       string // names it to BreakLock; it is no token, and opens nothing
	Token    string // "" unless the principal holds it
	Root     vpath.Path
	Infinite bool
	Shared   bool
	Holder   string        // the name of who holds it
	OwnerXML string        // what the holder's client gave; "" unless the principal may see it
	Since    time.Time     // when it was taken; zero where the holder is not told either
	Timeout  time.Duration // what is left
}

// Want says what Find shall look up beside the listing itself.
type Want struct {
	Locks, Props bool

	// Rights asks what the principal may do with each thing, and whose it is.
	Rights bool

	// Names asks for no more of the members than Path, Dir and Title, for a long list
	// of which few are shown: Describe tells the rest of those. Where looking at each
	// saves nothing, or who made a thing decides whether it is seen, they come whole.
	Names bool
}

// Quota is the room in a workspace (RFC 4331), in bytes.
type Quota struct {
	Available int64 // -1 if unknown
	Used      int64 // -1 if unknown, or if the principal does not see all of the workspace
}
