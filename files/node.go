package files

import (
	"time"

	"portico/acl"
	"portico/store"
	"portico/vpath"
)

// Principal is who asks: see acl.Principal. Adapters make one with Staff.
type Principal struct {
	acl  acl.Principal
	Name string // for lock holders and the audit
	Via  string // the adapter's name: "dav"
	// Address and Agent are the peer's, RequestID the request's, for the audit.
	Address, Agent, RequestID string
}

// Staff is the principal of a member of staff. groups are names that the
// directory gives.
func Staff(id, login, name string, groups []string) Principal {
	p := Principal{Name: name, acl: acl.Principal{ID: id, Self: acl.User(login), Staff: true}}
	for _, g := range groups {
		p.acl.Groups = append(p.acl.Groups, acl.GroupOf(g))
	}
	return p
}

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

	// Filled in by Find where the Want asks for them.
	Locks []Lock       // those that protect the node, inherited ones included
	Props []store.Prop // dead properties
}

// Lock is a lock as the principal may know it.
type Lock struct {
	Token    string // "" unless the principal holds it
	Root     vpath.Path
	Infinite bool
	Shared   bool
	Holder   string        // the name of who holds it
	OwnerXML string        // what the holder's client gave; "" unless the principal may see it
	Timeout  time.Duration // what is left
}

// Want says what Find shall look up beside the listing itself.
type Want struct{ Locks, Props bool }

// Quota is the room in a workspace (RFC 4331), in bytes.
type Quota struct {
	Available int64 // -1 if unknown
	Used      int64 // -1 if unknown, or if the principal does not see all of the workspace
}
