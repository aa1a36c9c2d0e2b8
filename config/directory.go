package config

import (
	"net/url"
	"time"
)

// LDAP is a directory whose people may sign in.
type LDAP struct {
	Servers      []*url.URL // ldaps://HOST[:PORT], or ldap:// with StartTLS; asked in this order
	StartTLS     bool       // for those with ldap://
	CA           string     // the path of a PEM file; "" for the system's authorities
	BindDN       string     // of an account that may search
	BindPassword Secret
	Users        LDAPUsers
	Groups       *LDAPGroups // nil where the directory's groups do not matter
	Cache        time.Duration
}

// LDAPUsers is how people are found. The attributes have the names of the kind
// of directory where they are left out.
type LDAPUsers struct {
	Base, Filter           string // in Filter {login} stands for what was typed
	Login, Name, Email, ID string // attributes; ID must never change
}

// LDAPGroups is how somebody's groups are found.
type LDAPGroups struct {
	Base   string
	Filter string            // {dn} and {login} stand for the member's
	Name   string            // attribute
	Nested bool              // groups may be members of groups
	Map    map[string]string // from the directory's name of a group to the one that rules use
	Only   bool              // groups that Map lacks do not count

	// ActiveDirectory resolves nested groups by its matching rule in chain, the
	// primary group by objectSid, and reads member;range=.
	ActiveDirectory bool
}

// OIDC is an outside provider that signs people in to the pages.
type OIDC struct {
	Issuer       *url.URL
	ClientID     string
	ClientSecret Secret
	Title        string // on the button; the issuer's host where it is left out
	Scopes       []string
	Login        string // claims
	Name, Email  string
	Groups       string // "" for none

	// VouchesForUsers lets the provider sign in the users of the config itself,
	// by their login. Else these have their passwords alone: at many providers
	// people choose their own preferred_username.
	VouchesForUsers bool

	// Only closes all doors to the own passwords of the firm's people: the pages
	// sign them in through the provider, and drives take app passwords of them.
	// Customers have no provider: their passwords are looked at.
	Only bool
}

// Audit is where the record goes beside the state store, and what protects it.
type Audit struct {
	Key         Secret        // at least 32 bytes; none: a file beside the SQLite database holds one
	File        string        // JSON lines; "" for none
	Syslog      *url.URL      // udp://, tcp://, tls://HOST:PORT or unix:///dev/log; nil for none
	Checkpoints string        // a file that gets the signed heads; "" for none
	Keep        time.Duration // rows older than this are cut; 0 for ever
	Plain       bool          // personal data stands in rows as it is, and cannot be erased
	Addresses   time.Duration // addresses older than this are erased; 0 for those that stay as long as their row
}
