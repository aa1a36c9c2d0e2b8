package ldap

import (
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	goldap "github.com/go-ldap/ldap/v3"
)

// dc is a domain controller that fits into a test: it speaks LDAP over TLS, and
// does what Active Directory does and slapd cannot: the matching rule in chain,
// lists in pieces, and answers that say what is wrong with an account. It keeps
// what was asked. What it does was held against Samba's domain controller (see
// samba_test.go).
type dc struct {
	address, ca string

	mu      sync.Mutex
	entries []*dcEntry
	binds   map[string]result // by DN: what a bind is answered with, whatever the password
	search  result            // what searches are answered with, if it is no success
	piece   int               // values of one attribute in one answer
	state   []byte            // see control
	hangUp  bool              // at the next request
	noUp    bool              // memberOf may not be read
	opened  int               // connections
	most    int               // at once
	now     int
	asked   []string
	hold    chan struct{} // searches wait for it
	inside  chan struct{} // and say here that they do
}

type dcEntry struct {
	dn, password string
	attributes   map[string][]string
}

type result struct {
	code  int
	text  string
	state []byte // of the password, in the control of ppolicy
}

const dcBase = "DC=firm,DC=example"

func newDC(tb testing.TB) *dc {
	tb.Helper()
	web := httptest.NewUnstartedServer(nil) // for its certificate
	web.StartTLS()
	defer web.Close()
	d := &dc{ca: filepath.Join(tb.TempDir(), "ca.pem"), binds: map[string]result{}, piece: 1500}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: web.Certificate().Raw})
	if err := os.WriteFile(d.ca, text, 0o600); err != nil {
		tb.Fatal(err)
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: web.TLS.Certificates, MinVersion: tls.VersionTLS12})
	if err != nil {
		tb.Fatal(err)
	}
	d.address = l.Addr().String()
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { d.serve(c) })
		}
	})
	tb.Cleanup(func() {
		_ = l.Close()
		wg.Wait() // the directory was closed before: it is opened later
	})
	d.add(dcBase, "", "objectClass", "domain")
	d.add("CN=portico,"+dcBase, "service", "objectClass", "user")
	return d
}

// options are those for this domain controller.
func (d *dc) options(tb testing.TB) Options {
	tb.Helper()
	return Options{
		Servers: dcServers(tb, d), CA: d.ca, BindDN: "CN=portico," + dcBase, BindPassword: "service",
		Users:  Users{Base: dcBase},
		Groups: &Groups{Base: dcBase, Nested: true, ActiveDirectory: true},
		Clock:  time.Now,
	}
}

// add adds an entry, of pairs of attribute and value.
func (d *dc) add(dn, password string, pairs ...string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	e := &dcEntry{dn: dn, password: password, attributes: map[string][]string{}}
	for pair := range slices.Chunk(pairs, 2) {
		e.attributes[pair[0]] = append(e.attributes[pair[0]], pair[1])
	}
	d.entries = append(d.entries, e)
}

// person adds a user of domain users, with the number n.
func (d *dc) person(login string, n int) (dn string) {
	dn = "CN=" + login + ",OU=people," + dcBase
	d.add(dn, "password of "+login,
		"objectClass", "user", "objectCategory", "person", "sAMAccountName", login, "userPrincipalName", login+"@firm.example",
		"displayName", "The "+login, "mail", login+"@firm.example", "objectGUID", guid(n), "objectSid", sid(1000+n), "primaryGroupID", "513", "userAccountControl", "512")
	return dn
}

func (d *dc) group(name string, n int, members ...string) (dn string) {
	dn = "CN=" + name + ",OU=groups," + dcBase
	d.add(dn, "", "objectClass", "group", "cn", name, "objectGUID", guid(n), "objectSid", sid(n))
	for _, m := range members {
		d.join(dn, m)
	}
	return dn
}

// join keeps both ends, as a domain controller does.
func (d *dc) join(group, member string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	g := d.entry(group)
	g.attributes["member"] = append(g.attributes["member"], member)
	if m := d.entry(member); m != nil {
		m.attributes["memberOf"] = append(m.attributes["memberOf"], group)
	}
}

func (d *dc) entry(dn string) *dcEntry {
	for _, e := range d.entries {
		if strings.EqualFold(e.dn, dn) {
			return e
		}
	}
	return nil
}

func guid(n int) string {
	return "\x33\x22\x11\x00\x55\x44\x77\x66\x88\x99\xaa\xbb\xcc\xdd" + string([]byte{byte(n >> 8), byte(n)})
}

func sid(rid int) string {
	return "\x01\x05\x00\x00\x00\x00\x00\x05\x15\x00\x00\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c" + string([]byte{byte(rid), byte(rid >> 8), 0, 0})
}

// requests gives what was asked so far, and forgets it.
func (d *dc) requests() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := d.asked
	d.asked = nil
	return all
}

// connections are how many were opened so far, and at once.
func (d *dc) connections() (opened, most int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.opened, d.most
}

func (d *dc) serve(c net.Conn) {
	defer c.Close()
	d.mu.Lock()
	d.opened++
	d.now++
	d.most = max(d.most, d.now)
	d.mu.Unlock()
	defer func() {
		d.mu.Lock()
		d.now--
		d.mu.Unlock()
	}()
	for {
		req, err := ber.ReadPacket(c)
		if err != nil || len(req.Children) < 2 {
			return
		}
		id, _ := req.Children[0].Value.(int64)
		if d.hangsUp() {
			return
		}
		for _, op := range d.answer(req.Children[1]) {
			p := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
			p.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, id, ""))
			p.AppendChild(op)
			d.control(p, op)
			if _, err := c.Write(p.Bytes()); err != nil {
				return
			}
		}
	}
}

// hangsUp tells whether the connection ends instead of an answer, once.
func (d *dc) hangsUp() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.hangUp
	d.hangUp = false
	return now
}

// control adds what ppolicy says of the password to the answer to a bind.
func (d *dc) control(envelope, op *ber.Packet) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if op.Tag != goldap.ApplicationBindResponse || d.state == nil {
		return
	}
	one := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
	one.AppendChild(octets(goldap.ControlTypeBeheraPasswordPolicy))
	one.AppendChild(octets(string(d.state)))
	all := ber.Encode(ber.ClassContext, ber.TypeConstructed, 0, nil, "")
	all.AppendChild(one)
	envelope.AppendChild(all)
	d.state = nil
}

func (d *dc) answer(op *ber.Packet) []*ber.Packet {
	switch op.Tag {
	case goldap.ApplicationBindRequest:
		dn, password := text(op.Children[1]), text(op.Children[2])
		return []*ber.Packet{done(goldap.ApplicationBindResponse, d.bind(dn, password))}
	case goldap.ApplicationSearchRequest:
		d.mu.Lock()
		hold := d.hold
		d.mu.Unlock()
		if hold != nil {
			select {
			case d.inside <- struct{}{}:
			default: // the test has seen enough
			}
			<-hold
		}
		return d.find(op)
	default:
		return nil
	}
}

func (d *dc) bind(dn, password string) result {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked = append(d.asked, "bind "+dn)
	if r, ok := d.binds[dn]; ok {
		d.state = r.state
		return r
	}
	if e := d.entry(dn); e == nil || e.password != password || password == "" {
		return result{code: 49, text: "80090308: LdapErr: DSID-0C09042F, comment: AcceptSecurityContext error, data 52e, v3839"}
	}
	return result{}
}

func (d *dc) find(op *ber.Packet) []*ber.Packet {
	d.mu.Lock()
	defer d.mu.Unlock()
	base, filter := text(op.Children[0]), op.Children[6]
	shown, err := goldap.DecompileFilter(filter)
	if err != nil {
		shown = err.Error()
	}
	d.asked = append(d.asked, fmt.Sprintf("search %s %s", base, shown))
	if d.search.code != 0 {
		return []*ber.Packet{done(goldap.ApplicationSearchResultDone, d.search)}
	}
	// A reference to another server, as each search at the root of a domain gives: it must not be followed.
	ref := ber.Encode(ber.ClassApplication, ber.TypeConstructed, goldap.ApplicationSearchResultReference, nil, "")
	ref.AppendChild(octets("ldap://127.0.0.1:1/CN=Configuration," + dcBase))
	answers := []*ber.Packet{ref}
	only, _ := op.Children[1].Value.(int64)
	size, _ := op.Children[3].Value.(int64)
	for _, e := range d.entries {
		under := strings.EqualFold(e.dn, base) || only != goldap.ScopeBaseObject && strings.HasSuffix(strings.ToLower(e.dn), ","+strings.ToLower(base))
		if !under || !d.matches(e, filter) {
			continue
		}
		if size > 0 && len(answers) > int(size) {
			return append(answers, done(goldap.ApplicationSearchResultDone, result{code: 4, text: "size limit"}))
		}
		answers = append(answers, d.show(e, op.Children[7]))
	}
	return append(answers, done(goldap.ApplicationSearchResultDone, result{}))
}

func (d *dc) matches(e *dcEntry, f *ber.Packet) bool {
	switch f.Tag {
	case goldap.FilterAnd:
		return !slices.ContainsFunc(f.Children, func(c *ber.Packet) bool { return !d.matches(e, c) })
	case goldap.FilterOr:
		return slices.ContainsFunc(f.Children, func(c *ber.Packet) bool { return d.matches(e, c) })
	case goldap.FilterNot:
		return !d.matches(e, f.Children[0])
	case goldap.FilterPresent:
		return text(f) == "objectClass" || len(e.values(text(f))) > 0
	case goldap.FilterEqualityMatch:
		want := text(f.Children[1])
		return slices.ContainsFunc(e.values(text(f.Children[0])), func(v string) bool { return v == want || strings.EqualFold(v, want) })
	case goldap.FilterSubstrings:
		return slices.ContainsFunc(e.values(text(f.Children[0])), func(v string) bool { return partly(v, f.Children[1].Children) })
	case goldap.FilterExtensibleMatch:
		parts := map[ber.Tag]string{}
		for _, c := range f.Children {
			parts[c.Tag] = text(c)
		}
		return parts[goldap.MatchingRuleAssertionMatchingRule] == inChain && d.inChain(e, parts[goldap.MatchingRuleAssertionMatchValue], map[string]bool{})
	default:
		return false
	}
}

func (d *dc) inChain(e *dcEntry, member string, seen map[string]bool) bool {
	if e == nil || seen[e.dn] {
		return false
	}
	seen[e.dn] = true
	return slices.ContainsFunc(e.attributes["member"], func(m string) bool {
		return strings.EqualFold(m, member) || d.inChain(d.entry(m), member, seen)
	})
}

func (e *dcEntry) values(attribute string) []string {
	for name, list := range e.attributes {
		if strings.EqualFold(name, attribute) {
			return list
		}
	}
	return nil
}

// show gives the attributes that were asked for, in pieces where they are long.
func (d *dc) show(e *dcEntry, asked *ber.Packet) *ber.Packet {
	list := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
	for _, a := range asked.Children {
		name, bounds, ranged := strings.Cut(text(a), ";range=")
		values := e.values(name)
		if len(values) == 0 || d.noUp && name == "memberOf" {
			continue
		}
		start, err := strconv.Atoi(strings.TrimSuffix(bounds, "-*"))
		if err != nil || !ranged {
			start = 0
		}
		label := name
		if end := start + d.piece; end < len(values) {
			label, values = fmt.Sprintf("%s;range=%d-%d", name, start, end-1), values[start:end]
		} else if ranged {
			label, values = fmt.Sprintf("%s;range=%d-*", name, start), values[start:]
		}
		one := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
		one.AppendChild(octets(label))
		set := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSet, nil, "")
		for _, v := range values {
			set.AppendChild(octets(v))
		}
		one.AppendChild(set)
		list.AppendChild(one)
	}
	p := ber.Encode(ber.ClassApplication, ber.TypeConstructed, goldap.ApplicationSearchResultEntry, nil, "")
	p.AppendChild(octets(e.dn))
	p.AppendChild(list)
	return p
}

func octets(s string) *ber.Packet {
	return ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, s, "")
}

func text(p *ber.Packet) string { return p.Data.String() }

func done(tag ber.Tag, r result) *ber.Packet {
	p := ber.Encode(ber.ClassApplication, ber.TypeConstructed, tag, nil, "")
	p.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, r.code, ""))
	p.AppendChild(octets(""))
	p.AppendChild(octets(r.text))
	return p
}
