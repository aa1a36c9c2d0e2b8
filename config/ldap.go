package config

import (
	"net/url"
	"slices"
	"strings"
	"time"
)

// ldapKind is how one kind of directory names what all of them have.
type ldapKind struct {
	people LDAPUsers  // without Base
	groups LDAPGroups // without Base
}

// openLDAP has the names of RFC 4519; the schemas of other free servers have
// the same.
func openLDAP() ldapKind {
	return ldapKind{
		people: LDAPUsers{Filter: "(uid={login})", Login: "uid", Name: "cn", Email: "mail", ID: "entryUUID"},
		groups: LDAPGroups{Filter: "(member={dn})", Name: "cn"},
	}
}

// activeDirectory takes both of somebody's names at sign-in, as Windows does;
// without objectCategory a computer's account would be somebody too. A group is
// known by sAMAccountName, since cn is unique in one folder of the directory
// alone: who may make groups somewhere could make a second "Board".
func activeDirectory() ldapKind {
	return ldapKind{
		people: LDAPUsers{
			Filter: "(&(objectCategory=person)(objectClass=user)(|(sAMAccountName={login})(userPrincipalName={login})))",
			Login:  "sAMAccountName", Name: "displayName", Email: "mail", ID: "objectGUID",
		},
		groups: LDAPGroups{Filter: "(&(objectClass=group)(member={dn}))", Name: "sAMAccountName", ActiveDirectory: true},
	}
}

// The bounds of how long an answer of the directory holds: leaving a group must
// take effect, and each person must not cost a question at each request.
const (
	standardLDAPCache = 60 * time.Second
	minLDAPCache      = time.Second
	maxLDAPCache      = 15 * time.Minute
)

// ldap reads a directory. Whether it answers is asked by "portico check --live":
// a reload of the rules must not depend on the network.
func (l *loader) ldap(section value) *LDAP {
	f := section.fields()
	defer f.close()
	kind := openLDAP()
	if v, ok := f.get("kind"); ok && v.choice("openldap", "active-directory") == "active-directory" {
		kind = activeDirectory()
	}
	d := &LDAP{StartTLS: f.bool("starttls"), Cache: standardLDAPCache}
	d.Servers = ldapServers(f, d.StartTLS)
	if v, ok := f.get("ca"); ok {
		d.CA = v.authorities()
	}
	d.BindDN = ldapAccount(f)
	if v, ok := f.need("bind_password", `write bind_password: "${file:/run/secrets/ldap}"`); ok {
		d.BindPassword = v.secret()
	}
	d.Users = ldapUsers(f, kind.people)
	d.Groups = ldapGroups(f, kind.groups)
	if v, ok := f.get("cache"); ok {
		d.Cache = v.duration(minLDAPCache, maxLDAPCache, "1s to 15m")
	}
	return d
}

// ldapServers reads one address or a list. Each must be encrypted: the bind
// sends the password of everybody who signs in (THREATS.md §4.5).
func ldapServers(f *fields, starttls bool) []*url.URL {
	const example = "ldaps://dc1.firm.example"
	v, ok := f.need("url", "write the directory's address, as in "+example)
	if !ok {
		return nil
	}
	var servers []*url.URL
	for _, w := range v.oneOrMore("addresses") {
		u, ok := w.url(example, "ldaps", "ldap")
		if !ok || !w.bare(u, example) {
			continue
		}
		if u.Scheme == "ldap" && !starttls {
			w.fault("passwords would cross the network unencrypted; write %s, or add starttls: true", example)
		}
		servers = append(servers, &url.URL{Scheme: u.Scheme, Host: strings.ToLower(u.Host)})
	}
	isPlain := func(u *url.URL) bool { return u.Scheme == "ldap" }
	if at, ok := f.get("starttls"); ok && starttls && len(servers) > 0 && !slices.ContainsFunc(servers, isPlain) {
		at.warn("it does nothing for ldaps://, which is encrypted from the first byte; remove it, or write ldap://")
	}
	if v.isEmptyList() {
		v.fault("the list is empty; write the directory's address, as in %s", example)
	}
	return servers
}

// ldapAccount reads the account that may search.
func ldapAccount(f *fields) string {
	s, v, ok := f.needText("bind_dn", "write the name of an account that may search")
	if ok && !isDN(s) {
		v.fault("%s is not the name of an entry; write it as cn=portico,ou=apps,dc=firm,dc=example", v.shown())
	}
	return s
}

// ldapUsers reads how people are found; what is left out is as in u.
func ldapUsers(root *fields, u LDAPUsers) LDAPUsers {
	section, ok := root.need("users", `say where people are, as in  users: {base: "ou=people,dc=firm,dc=example"}`)
	if !ok {
		return u
	}
	f := section.fields()
	defer f.close()
	u.Base = ldapBase(f, "ou=people,dc=firm,dc=example")
	u.Filter = ldapFilter(f, u.Filter, "{login}")
	u.Login = ldapAttribute(f, "login", u.Login)
	u.Name = ldapAttribute(f, "name", u.Name)
	u.Email = ldapAttribute(f, "email", u.Email)
	u.ID = ldapAttribute(f, "id", u.ID)
	for _, other := range []string{u.Login, u.Name, u.Email} {
		if v, ok := f.get("id"); ok && strings.EqualFold(u.ID, other) {
			v.warn("%s may be given to somebody else one day, who then has what the first one made; name an attribute that never changes, as entryUUID or objectGUID", u.ID)
			break
		}
	}
	return u
}

// ldapGroups reads how groups are found; what is left out is as in g. Without
// the section the directory's groups do not matter.
func ldapGroups(root *fields, g LDAPGroups) *LDAPGroups {
	section, ok := root.get("groups")
	if !ok {
		return nil
	}
	f := section.fields()
	defer f.close()
	g.Base = ldapBase(f, "ou=groups,dc=firm,dc=example")
	g.Filter = ldapFilter(f, g.Filter, "{dn}", "{login}")
	g.Name = ldapAttribute(f, "name", g.Name)
	g.Nested = f.bool("nested")
	g.Map = ldapMap(f)
	g.Only = f.bool("only")
	if g.Only && len(g.Map) == 0 {
		section.fault("only: true without a map lets no group count; add map: {Domain Users: staff}, or remove only")
	}
	return &g
}

// ldapMap reads which groups of the directory have another name in rules.
// Several may have one.
func ldapMap(f *fields) map[string]string {
	section, ok := f.get("map")
	if !ok {
		return nil
	}
	theirs := newNames("group", "")
	m := map[string]string{}
	for _, e := range section.entries() {
		name := theirs.add(e) // a directory does not tell cases apart
		if !isForeignName(name) {
			e.keyAt.fault("%s cannot be the name of a group in a directory; write it as the directory does", e.keyAt.shown())
		}
		ours, ok := e.value.text()
		if fault := nameFault(ours); ok && fault != "" {
			e.value.fault("the name %s %s; use letters, digits and . _ - @ + '", e.value.shown(), fault)
		}
		m[name] = ours
	}
	return m
}
