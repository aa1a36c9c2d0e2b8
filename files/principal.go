package files

import (
	"cmp"
	"strings"

	"portico/acl"
)

// Principal is who asks: see acl.Principal. Adapters make one with Staff,
// Contact or Link.
type Principal struct {
	acl  acl.Principal
	mail string // of an outsider, "" if unknown
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

// Outsider is a customer as an adapter knows them.
type Outsider struct {
	ID       string // identity.Identity.ID
	Mail     string // what they are known by
	Name     string
	ReadOnly bool   // their app password lets only read
	Only     string // it opens this workspace alone; "" for all
}

// The beginnings of subjects and of creators that are not of the firm.
const (
	contactPrefix = "contact:"
	linkPrefix    = "link:"
)

// Contact is the principal of a customer: see Service.Window.
func Contact(who Outsider) Principal {
	mail := strings.ToLower(who.Mail)
	return Principal{Name: who.Name, mail: mail, acl: acl.Principal{
		ID: who.ID, Self: acl.Subject(contactPrefix + mail),
		Limit: acl.Limit{Workspace: who.Only, ReadOnly: who.ReadOnly},
	}}
}

// Visitor is somebody who holds a link.
type Visitor struct {
	Link    string // the link's ID
	Visitor string // tells those who hold it apart; "" for one that nobody knows
	Name    string // as they gave it, "" for none
	Mail    string // proved by a code; "" for none
}

// Link is the principal of a visitor. What they make is theirs by link and
// visitor, so that two depositors cannot take back each other's.
func Link(who Visitor) Principal {
	return Principal{Name: who.Name, mail: who.Mail, acl: acl.Principal{
		ID: linkPrefix + who.Link + "/" + cmp.Or(who.Visitor, stranger), Self: acl.Subject(linkPrefix + who.Link),
	}}
}

// stranger is a visitor whom nobody can tell from the next one.
const stranger = "?"

// Subject is whom a grant to this principal names: "user:LOGIN", "contact:MAIL"
// or "link:ID".
func (p Principal) Subject() string { return string(p.acl.Self) }

// ID is what is kept with all that they create, but for a stranger: what one of
// those makes belongs to none of them.
func (p Principal) ID() string { return strings.TrimSuffix(p.acl.ID, "/"+stranger) }

// isOutside tells a customer or a link's visitor from the firm.
func (p Principal) isOutside() bool { return isOutside(p.Subject()) }

// isOutside tells the subjects, and the IDs of creators, that are not of the
// firm. An account's ID begins like its subject.
func isOutside(subject string) bool {
	return strings.HasPrefix(subject, contactPrefix) || strings.HasPrefix(subject, linkPrefix)
}
