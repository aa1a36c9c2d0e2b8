package acl

import (
	"strconv"
	"time"

	"portico/vpath"
)

// Subject is whom a rule speaks of: "user:LOGIN", "group:NAME", "everyone",
// "contact:MAIL" or "link:ID".
type Subject string

// Everyone is all staff who signed in.
const Everyone Subject = "everyone"

// User is the subject of a member of staff.
func User(login string) Subject { return Subject("user:" + login) }

// GroupOf is the subject of a group.
func GroupOf(name string) Subject { return Subject("group:" + name) }

// Principal is who asks.
type Principal struct {
	ID     string       // immutable; kept with what they create, compared with a thing's creator
	Self   Subject      // user:…, contact:… or link:…
	Groups []Membership // groups that the directory names; those of the config are in the policy
	Staff  bool         // is one of everyone
	Limit  Limit        // holds back of what the rules give
}

// Membership is a group that the directory names, and how somebody comes to be
// in it. One that others are reached through stands before those.
type Membership struct {
	Group   Subject
	Through Subject // a group that stands before it, or "" for the person themself
}

// Limit holds back of what the rules give to somebody: an app password may open
// one workspace, or only let read. The zero value holds back nothing.
type Limit struct {
	Workspace string // no other one exists; "" for all
	ReadOnly  bool   // list and read are all that is left
}

// Source is the line that a rule comes from. It is "" where the rule comes from the state store.
type Source struct {
	File string
	Line int
}

func (s Source) String() string {
	if s.File == "" {
		return ""
	}
	return s.File + ":" + strconv.Itoa(s.Line)
}

// Spec is all that a policy is made of. Names in it have been checked by config
// against each other; Compile trusts them.
type Spec struct {
	Groups  []Group
	Folders []Folder // those with a rule of their own
	Grants  []Grant
	Denies  []Deny
}

// Group is a group of the config.
type Group struct {
	Name    string
	Members []Subject // users and groups
	At      Source
}

// Folder is a folder that the config speaks of. Path starts with the workspace.
type Folder struct {
	Path    vpath.Path
	Inherit bool // false hides all rules above
	At      Source
}

// Grant gives a role to a subject, at a path and below.
type Grant struct {
	Path    vpath.Path
	Subject Subject
	Role    Role
	At      Source
	Until   time.Time  // zero: for good
	Giver   *Principal // who shared it; nil for the config. It is worth no more than their rights.
}

// Deny takes rights from a subject, at a path and below.
type Deny struct {
	Path    vpath.Path
	Subject Subject
	Rights  Rights // as a whole: the :own forms go with them
	At      Source
}
