package acl

import (
	"errors"
	"fmt"
)

// Role is a name for a set of rights.
type Role struct {
	Name   string
	Rights Rights
}

// ownerRole is the one role that the rules know by name (DESIGN.md §5, rule 2).
const ownerRole = "owner"

// Builtin are the roles that every policy has, in the order of DESIGN.md §5.
func Builtin() []Role {
	editor := whole(List, Read, Comment, Create, Write, Delete)
	manager := editor.with(whole(Share, Invite))
	contributor := whole(List, Read, Comment, Create).with(own(Write, Delete))
	return []Role{
		{"viewer", whole(List, Read)},
		{"commenter", whole(List, Read, Comment)},
		{"inbox", whole(Create)}, // a blind drop: sees nothing, not even names
		{"depositor", whole(List, Read, Comment, Create, Write).with(own(Delete))},
		{"contributor", contributor},
		{"member", whole(Comment, Create).with(own(List, Read, Write, Delete, Share))},
		{"editor", editor},
		{"manager", manager},
		{"coadmin", contributor.with(whole(Delete, Share, Invite, GrantRight))}, // may write only its own
		{"admin", manager.with(whole(GrantRight, Audit, Settings))},
		{ownerRole, Rights{whole: everyRight}},
	}
}

// RoleNamed finds a built-in role.
func RoleNamed(name string) (Role, bool) {
	for _, role := range Builtin() {
		if role.Name == name {
			return role, true
		}
	}
	return Role{}, false
}

// NewRole makes a role of the config from the words of its rights. The names of
// the built-in roles are taken, so that a rule reads the same in every config.
func NewRole(name string, words []string) (Role, error) {
	if name == "" {
		return Role{}, errors.New("a role needs a name")
	}
	if _, taken := RoleNamed(name); taken {
		return Role{}, fmt.Errorf("the role %s is built in; give yours another name", name)
	}
	rights, err := ParseRights(words)
	if err != nil {
		return Role{}, fmt.Errorf("role %s: %w", name, err)
	}
	if rights.IsEmpty() {
		return Role{}, fmt.Errorf("role %s has no rights; give it one at least, such as list", name)
	}
	return Role{name, rights}, nil
}
