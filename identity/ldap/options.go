package ldap

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"time"

	goldap "github.com/go-ldap/ldap/v3"
)

// Options say where the directory is and how people are found in it.
type Options struct {
	Servers      []*url.URL // ldaps://HOST[:PORT], or ldap:// with StartTLS; asked in this order
	StartTLS     bool
	CA           string // a PEM file; "" for the system's authorities
	BindDN       string // of an account that may search
	BindPassword string
	Users        Users
	Groups       *Groups // nil where the directory's groups do not matter

	Pool        int           // connections for searching, and as many for binding: 4 to 16, 8 if zero
	DialTimeout time.Duration // 3 s if zero
	Timeout     time.Duration // of one request; 5 s if zero
	Clock       func() time.Time
	Log         *slog.Logger // nil for none
}

// Users is how people are found. What is left out has the name that it has in
// OpenLDAP, or in Active Directory where Groups.ActiveDirectory says so.
type Users struct {
	Base   string
	Filter string // {login} stands for what was typed

	Login, Name, Email, ID string // attributes; ID must never change
}

// Groups is how somebody's groups are found.
type Groups struct {
	Base   string
	Filter string            // {dn} and {login} stand for the member's
	Name   string            // attribute
	Nested bool              // groups may be members of groups
	Map    map[string]string // from the directory's name of a group to the one that rules use
	Only   bool              // groups that Map lacks do not count

	// ActiveDirectory asks a domain controller for nested groups at once, finds
	// the primary group, which has no member attribute, and has other defaults.
	ActiveDirectory bool
}

// withDefaults fills in what is left out.
func (o Options) withDefaults() Options {
	o.Pool = min(max(or(o.Pool, 8), 4), 16)
	o.DialTimeout = or(o.DialTimeout, 3*time.Second)
	o.Timeout = or(o.Timeout, 5*time.Second)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	u := Users{Filter: "(uid={login})", Login: "uid", Name: "cn", Email: "mail", ID: "entryUUID"}
	g := Groups{Filter: "(member={dn})", Name: "cn"}
	if o.activeDirectory() {
		u = Users{
			Filter: "(&(objectCategory=person)(objectClass=user)(|(sAMAccountName={login})(userPrincipalName={login})))",
			Login:  "sAMAccountName", Name: "displayName", Email: "mail", ID: "objectGUID",
		}
		g.Filter = "(&(objectClass=group)(member={dn}))"
	}
	o.Users.Filter, o.Users.Login = or(o.Users.Filter, u.Filter), or(o.Users.Login, u.Login)
	o.Users.Name, o.Users.Email, o.Users.ID = or(o.Users.Name, u.Name), or(o.Users.Email, u.Email), or(o.Users.ID, u.ID)
	if o.Groups != nil {
		groups := *o.Groups // the caller's stays as it is
		groups.Filter, groups.Name = or(groups.Filter, g.Filter), or(groups.Name, g.Name)
		o.Groups = &groups
	}
	return o
}

func or[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

// activeDirectory tells the kind of directory: an admin who wrote its matching
// rule, or its ID, means it too.
func (o Options) activeDirectory() bool {
	return binaryID(o.Users.ID) || o.Groups != nil && (o.Groups.ActiveDirectory || strings.Contains(o.Groups.Filter, inChain))
}

// check finds all that is wrong with o at once.
func (o Options) check() error {
	var faults []error
	say := func(bad bool, format string, args ...any) {
		if bad {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	say(len(o.Servers) == 0, "no server is named; write the address of one, as in ldaps://dc1.firm.example")
	for _, u := range o.Servers {
		say(u.Scheme != "ldaps" && u.Scheme != "ldap" || u.Hostname() == "", "%q is no address of a directory; write one as in ldaps://dc1.firm.example", u.Redacted())
		say(u.Scheme == "ldap" && !o.StartTLS, "passwords would cross the network to %s unencrypted; write ldaps://%s, or turn on StartTLS", u.Host, u.Hostname())
		say(u.User != nil, "the address of %s has a name or a password in it; put them into bind_dn and bind_password", u.Host)
	}
	// A bind with a name and no password succeeds as nobody (RFC 4513 §5.1.2).
	say(o.BindDN == "" || o.BindPassword == "", "the account that searches has no DN or no password; give both")
	_, err := goldap.ParseDN(o.BindDN)
	say(err != nil, "bind_dn %q is no DN; write one as in cn=portico,ou=apps,dc=firm,dc=example", o.BindDN)
	say(!isBase(o.Users.Base), "the base %q of the users is no DN; write one as in ou=people,dc=firm,dc=example", o.Users.Base)
	faults = append(faults, o.Users.check())
	if o.Groups != nil {
		say(!isBase(o.Groups.Base), "the base %q of the groups is no DN; write one as in ou=groups,dc=firm,dc=example", o.Groups.Base)
		faults = append(faults, o.Groups.check())
	}
	return errors.Join(faults...)
}

func isBase(dn string) bool {
	_, err := goldap.ParseDN(dn)
	return err == nil && dn != ""
}

func (u Users) check() error {
	t := template(u.Filter)
	if !t.compiles() || t.has(placeDN) {
		return fmt.Errorf("%q is no filter for users; write one as in (uid={login})", u.Filter)
	}
	if _, ok := t.asks(); !ok {
		return fmt.Errorf("the filter %q must compare an attribute with {login} for equality, or one login finds several people; write it as in (uid={login})", u.Filter)
	}
	return nil
}

func (g Groups) check() error {
	t := template(g.Filter)
	if !t.compiles() || !t.has(placeDN) && !t.has(placeLogin) {
		return fmt.Errorf("%q is no filter for groups; write one as in (member={dn}) or (memberUid={login})", g.Filter)
	}
	return nil
}

// tlsConfig trusts the authorities of CA, or the system's. There is no way to
// turn the check off: CVE-2026-25160 (AList) had one, and it was the default.
func (o Options) tlsConfig() (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if o.CA == "" {
		return c, nil
	}
	pem, err := os.ReadFile(o.CA)
	if err != nil {
		return nil, fmt.Errorf("the file of the authority cannot be read; name a PEM file that this program may read: %w", err)
	}
	c.RootCAs = x509.NewCertPool()
	if !c.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate; name a PEM file of the authority that signed the directory's", o.CA)
	}
	return c, nil
}
