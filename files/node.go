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
	Key  string // ID of the app password that they came with, for the audit; "" for none
	// Address and Agent are the peer's, RequestID the request's, for the audit.
	Address, Agent, RequestID string
}

// Person is a member of staff as an adapter knows them.
type Person struct {
	ID, Login, Name string
	Groups          []Membership // those that the directory names

	// What an app password holds back of their rights: all workspaces but Only,
	// unless it is "", and everything but list and read.
	Only     string
	ReadOnly bool
}

// Membership is a group that the directory names. Through is the group of the
// list before it that is a member of it, "" where the person is.
type Membership struct{ Group, Through string }

// Staff is the principal of a member of staff.
func Staff(who Person) Principal {
	p := acl.Principal{
		ID: who.ID, Self: acl.User(who.Login), Staff: true,
		Limit: acl.Limit{Workspace: who.Only, ReadOnly: who.ReadOnly},
	}
	for _, g := range who.Groups {
		m := acl.Membership{Group: acl.GroupOf(g.Group)}
		if g.Through != "" {
			m.Through = acl.GroupOf(g.Through)
		}
		p.Groups = append(p.Groups, m)
	}
	return Principal{Name: who.Name, acl: p}
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
