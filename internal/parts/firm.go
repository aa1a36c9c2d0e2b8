package parts

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// Person is somebody in a directory.
type Person struct {
	Login, Name, Email, Password string
	DN                           string // of people that New made; else AddPerson gives it
}

// The firm: as many as a real directory has, with names as people have them.
const (
	firmSize = 2000
	teams    = 200
	depts    = 40
	units    = 8
	clubs    = 60 // posixGroup
)

// oddNames are in use somewhere, and each means something in a DN, in a filter
// or in a file of LDIF.
func oddNames() []string {
	return []string{
		"Ann Peeters", "Peeters, Bart", `Zoë "Zizi" Claes`, "Jörg Müller (extern)", `back\slash`, "Siobhán O'Neil", "李小龍", "Иван Петров",
		"محمد علي", "a+b=c", "#hash", "semi;colon", "<angle>", "star*", "née Łukasz", "日本 太郎", "slash/dot.", "Ñandú  two spaces",
	}
}

// firmPeople are p0000 to p1999; the first have odd names.
func firmPeople() []Person {
	odd := oddNames()
	all := make([]Person, firmSize)
	for i := range all {
		name := fmt.Sprintf("Person %04d", i)
		if i < len(odd) {
			name = odd[i]
		}
		login := fmt.Sprintf("p%04d", i)
		all[i] = Person{Login: login, Name: name, Email: login + "@firm.example", Password: "password of " + login, DN: personDN(name)}
	}
	return all
}

func personDN(name string) string { return "cn=" + ldap.EscapeDN(name) + "," + peopleBase }
func groupDN(name string) string  { return "cn=" + ldap.EscapeDN(name) + "," + groupsBase }

// skeleton is what every directory has: the tree, and the account that searches.
func skeleton(l *LDAP) string {
	var b ldif
	b.entry(base, "objectClass", "domain", "dc", "firm")
	for _, ou := range []string{"people", "groups", "apps"} {
		b.entry("ou="+ou+","+base, "objectClass", "organizationalUnit", "ou", ou)
	}
	b.entry(l.BindDN, "objectClass", "applicationProcess", "objectClass", "simpleSecurityObject", "cn", "portico", "userPassword", l.BindPassword)
	return b.String()
}

// firmLDIF is the firm as a file: 200 teams in 40 departments in 8 units in
// "staff" in "everyone in the firm", which is five deep; a ring of three groups
// that hold each other; and 60 groups of the kind that Unix knows.
func firmLDIF(people []Person) string {
	var b ldif
	for i, p := range people {
		b.person(p, i%clubs)
	}
	below := make([]string, len(people))
	for i, p := range people {
		below[i] = p.DN
	}
	below = b.level("team", teams, below)
	below = b.level("dept", depts, below)
	below = b.level("unit", units, below)
	below = b.level("staff", 1, below)
	b.group(TopGroup, below...)
	b.group("ring-a", people[0].DN, groupDN("ring-c"))
	b.group("ring-b", groupDN("ring-a"))
	b.group("ring-c", groupDN("ring-b"))
	b.group(OddGroup, people[0].DN, people[1].DN)
	for i := range clubs {
		attrs := []string{"objectClass", "posixGroup", "cn", fmt.Sprintf("club-%d", i), "gidNumber", strconv.Itoa(5000 + i)}
		for p := i; p < len(people); p += 3 * clubs {
			attrs = append(attrs, "memberUid", people[p].Login)
		}
		b.entry(groupDN(fmt.Sprintf("club-%d", i)), attrs...)
	}
	return b.String()
}

// TopGroup holds the whole firm through four groups below it, and OddGroup has
// what must be escaped in a DN and in a filter.
const (
	TopGroup = "everyone in the firm"
	OddGroup = `Équipe "Ventes", EMEA (nord) \ *`
)

// FirmGroups is how many groups the firm has.
const FirmGroups = teams + depts + units + 1 + 1 + 3 + 1 + clubs

// ldif writes entries one after the other.
type ldif struct{ strings.Builder }

// entry writes the DN, its UUID and pairs of attribute and value. Servers of one
// firm give a person one UUID, as replication does.
func (b *ldif) entry(dn string, pairs ...string) {
	b.line("dn", dn)
	for pair := range slices.Chunk(pairs, 2) {
		b.line(pair[0], pair[1])
	}
	b.line("entryUUID", uuid(dn))
	fmt.Fprintln(b)
}

// line writes one value, in base64 where it would break the format (RFC 2849).
func (b *ldif) line(name, value string) {
	plain := value != "" && !strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' }) &&
		!strings.ContainsAny(value[:1], " :<") && !strings.HasSuffix(value, " ")
	if plain {
		fmt.Fprintf(b, "%s: %s\n", name, value)
		return
	}
	fmt.Fprintf(b, "%s:: %s\n", name, base64.StdEncoding.EncodeToString([]byte(value)))
}

// level writes so many groups and deals out the members; it gives their DNs.
func (b *ldif) level(name string, count int, members []string) (dns []string) {
	for i := range count {
		var its []string
		for m := i; m < len(members); m += count {
			its = append(its, members[m])
		}
		b.group(fmt.Sprintf("%s-%d", name, i), its...)
		dns = append(dns, groupDN(fmt.Sprintf("%s-%d", name, i)))
	}
	return dns
}

func (b *ldif) person(p Person, club int) {
	b.entry(p.DN, personAttrs(p, strconv.Itoa(5000+club))...)
}

func personAttrs(p Person, gid string) []string {
	return []string{
		"objectClass", "inetOrgPerson", "objectClass", "posixAccount",
		"cn", p.Name, "sn", cmp.Or(p.Name, p.Login), "uid", p.Login, "mail", p.Email, "userPassword", p.Password,
		"uidNumber", "10000", "gidNumber", gid, "homeDirectory", "/home",
	}
}

func (b *ldif) group(name string, members ...string) {
	attrs := []string{"objectClass", "groupOfNames", "cn", name}
	for _, m := range members {
		attrs = append(attrs, "member", m)
	}
	b.entry(groupDN(name), attrs...)
}

// uuid is made of the DN, so that it is the same in each run and on each server.
func uuid(dn string) string {
	h := sha256.Sum256([]byte(dn))
	h[6], h[8] = h[6]&0x0f|0x40, h[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", h[0:4], h[4:6], h[6:8], h[8:10], h[10:16])
}
