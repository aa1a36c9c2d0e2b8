package parts

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"slices"
	"testing"

	"github.com/go-ldap/ldap/v3"
)

// Admin is a connection that may do all; the test's end closes it.
func (l LDAP) Admin(tb testing.TB) *ldap.Conn {
	tb.Helper()
	pem, err := os.ReadFile(l.CA)
	if err != nil {
		tb.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	c, err := ldap.DialURL(l.URL, ldap.DialWithTLSConfig(&tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = c.Close() })
	if err := c.Bind(l.AdminDN, l.AdminPassword); err != nil {
		tb.Fatal(err)
	}
	return c
}

// Add adds an entry of pairs of attribute and value.
func (l LDAP) Add(tb testing.TB, dn string, pairs ...string) {
	tb.Helper()
	req := ldap.NewAddRequest(dn, nil)
	for pair := range slices.Chunk(pairs, 2) {
		at := slices.IndexFunc(req.Attributes, func(a ldap.Attribute) bool { return a.Type == pair[0] })
		if at < 0 {
			req.Attribute(pair[0], []string{pair[1]})
			continue
		}
		req.Attributes[at].Vals = append(req.Attributes[at].Vals, pair[1])
	}
	if err := l.Admin(tb).Add(req); err != nil {
		tb.Fatalf("add %q: %v", dn, err)
	}
}

// AddPerson adds somebody, and gives their DN.
func (l LDAP) AddPerson(tb testing.TB, p Person) (dn string) {
	tb.Helper()
	dn = personDN(p.Name)
	l.Add(tb, dn, personAttrs(p, "5000")...)
	return dn
}

// AddGroup adds a groupOfNames, which must have a member, and gives its DN.
func (l LDAP) AddGroup(tb testing.TB, name string, members ...string) (dn string) {
	tb.Helper()
	pairs := []string{"objectClass", "groupOfNames", "cn", name}
	for _, m := range members {
		pairs = append(pairs, "member", m)
	}
	l.Add(tb, groupDN(name), pairs...)
	return groupDN(name)
}

// Join and Leave change who is in a group; both take DNs.
func (l LDAP) Join(tb testing.TB, group, member string) {
	tb.Helper()
	req := ldap.NewModifyRequest(group, nil)
	req.Add("member", []string{member})
	l.modify(tb, req)
}

// Leave is the opposite of Join.
func (l LDAP) Leave(tb testing.TB, group, member string) {
	tb.Helper()
	req := ldap.NewModifyRequest(group, nil)
	req.Delete("member", []string{member})
	l.modify(tb, req)
}

// Set replaces all values of an attribute; none remove it.
func (l LDAP) Set(tb testing.TB, dn, attribute string, values ...string) {
	tb.Helper()
	req := ldap.NewModifyRequest(dn, nil)
	req.Replace(attribute, values)
	l.modify(tb, req)
}

func (l LDAP) modify(tb testing.TB, req *ldap.ModifyRequest) {
	tb.Helper()
	if err := l.Admin(tb).Modify(req); err != nil {
		tb.Fatalf("modify %q: %v", req.DN, err)
	}
}

// Rename gives somebody a new name, and so a new DN (modrdn).
func (l LDAP) Rename(tb testing.TB, dn, name string) (newDN string) {
	tb.Helper()
	if err := l.Admin(tb).ModifyDN(ldap.NewModifyDNRequest(dn, "cn="+ldap.EscapeDN(name), true, "")); err != nil {
		tb.Fatalf("rename %q: %v", dn, err)
	}
	return personDN(name)
}

// Delete removes an entry.
func (l LDAP) Delete(tb testing.TB, dn string) {
	tb.Helper()
	if err := l.Admin(tb).Del(ldap.NewDelRequest(dn, nil)); err != nil {
		tb.Fatalf("delete %q: %v", dn, err)
	}
}

// GroupDN is where a group of this name stands.
func (l LDAP) GroupDN(name string) string { return groupDN(name) }
