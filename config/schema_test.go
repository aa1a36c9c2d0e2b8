package config

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// everything has each key of the schema once, but those that are refused as
// not built yet, and those of directory.
const everything = `
server:
  listen: 127.0.0.1:8080
  public_url: http://127.0.0.1:8080
  metrics_listen: 127.0.0.1:9090
  hosts: [files.firm.example]
  trusted_proxies: [10.0.0.1]
  max_upload: 1GiB
  log: {format: json, level: debug}
  replica: gw-1
  drain: 5s
  tls: {cert: tls/cert.pem, key: tls/key.pem}
  dangerously_allow_plain_http: false
  dangerously_allow_open_metrics: false
state: sqlite:data/portico.db
audit:
  key: "${AUDIT_KEY}"
  file: data/audit.jsonl
  syslog: tls://log.firm.example:6514
  checkpoints: data/heads
  keep: 2y
  personal: sealed
  addresses: 90d
storage:
  disk: {type: local, path: data/files}
  objects:
    type: s3
    endpoint: https://s3.firm.example
    bucket: documents
    prefix: a/b
    region: eu-west-1
    access_key: key
    secret_key: "${SECRET}"
    path_style: true
identity:
  users:
    ann: {name: Ann Peeters, email: ann@firm.example, password: "$2a$10$amPN4LsgReyONuNmiCEDVORpbMOP9fFBVyrw0le8f2LGLVpdy0U0W"}
groups:
  staff: {members: [ann, "group:interns"]}
  interns: {members: []}
roles:
  reviewer: [list, "read:own"]
workspaces:
  firm:
    title: The firm
    storage: disk
    root: a
    quota: 1GiB
    audit: {reads: all}
    names: {windows_safe: true}
    brand: {name: The Firm, color: "#1f5fbf", logo: tls/logo.png}
    folders:
      /:
        inherit: true
        grant: {everyone: viewer, "user:ann": {role: reviewer, until: 2027-01-31}}
        deny: {"group:staff": [write]}
assert:
  - user:ann may list /firm
mail:
  from: portico@firm.example
  reply_to: office@firm.example
  smtp: smtp://mail.firm.example
  ca: tls/cert.pem
language: nl
time_zone: Europe/Brussels
`

// directory has the keys with which names are known that the file does not have,
// so that fewer mistakes are found in the others.
const directory = `
state: postgres://portico@db.firm.example/portico?sslmode=verify-full
audit: {key: "${AUDIT_KEY}"}
storage:
  disk: {type: local, path: data/files}
identity:
  require_app_password: true
  ldap:
    kind: active-directory
    url: ["ldaps://dc1.firm.example", "ldap://dc2.firm.example"]
    starttls: true
    ca: tls/cert.pem
    bind_dn: cn=portico,dc=firm
    bind_password: "${SECRET}"
    users: {base: "dc=firm", filter: "(uid={login})", login: uid, name: cn, email: mail, id: entryUUID}
    groups: {base: "dc=firm", filter: "(member={dn})", name: cn, nested: true, map: {Domain Users: staff}, only: true}
    cache: 60s
  oidc:
    issuer: https://login.firm.example
    client_id: portico
    client_secret: "${SECRET}"
    title: Firm account
    scopes: [openid, groups]
    claims: {login: login, name: name, email: email, groups: groups}
    vouches_for_users: true
    only: true
groups:
  board: {members: [ann, "group:staff"]}
workspaces:
  firm:
    storage: disk
    audit: {reads: links}
    folders:
      /: {grant: {"group:staff": viewer, "user:ann": owner}}
`

// schema are both.
func schema() []string { return []string{everything, directory} }

// chosen are the mappings whose keys the admin chooses, by their place.
func chosen(place string) bool {
	return slices.Contains([]string{"storage", "identity.users", "identity.ldap.groups.map", "groups", "roles", "workspaces", "workspaces.firm.folders", "workspaces.firm.folders./.grant", "workspaces.firm.folders./.deny"}, place)
}

// spot is a node of the tree, the node above it and its place in words.
type spot struct {
	n, parent *yaml.Node
	place     string
	isKey     bool
}

func spots(n *yaml.Node, place string, isKey bool, parent *yaml.Node) []spot {
	all := []spot{{n, parent, place, isKey}}
	for i, child := range n.Content {
		switch {
		case n.Kind == yaml.MappingNode && i%2 == 0:
			all = append(all, spots(child, place, true, n)...)
		case n.Kind == yaml.MappingNode:
			all = append(all, spots(child, strings.TrimPrefix(place+"."+n.Content[i-1].Value, "."), false, n)...)
		default:
			all = append(all, spots(child, place+"[]", false, n)...)
		}
	}
	return all
}

// mutate loads each text once for each of its nodes, changed by change, which
// returns false to leave a node out. It expects a fault on the node's line.
func mutate(t *testing.T, change func(spot) bool) {
	t.Helper()
	for _, text := range schema() {
		for i := 0; mutateNode(t, text, i, change); i++ {
		}
	}
}

// mutateNode is false after the last node.
func mutateNode(t *testing.T, text string, i int, change func(spot) bool) bool {
	t.Helper()
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	all := spots(doc.Content[0], "", false, &doc)
	if i >= len(all) {
		return false
	}
	s := all[i]
	line := s.n.Line
	was := fmt.Sprintf("%s %q (key: %v)", s.place, s.n.Value, s.isKey)
	if !change(s) {
		return true
	}
	l := newLoader("t.yaml", testEnv)
	l.refuseAnchors(doc.Content[0])
	if root := (value{l: l, n: doc.Content[0]}); root.n.Kind == yaml.MappingNode {
		l.config(root.fields())
	}
	if !slices.ContainsFunc(l.faults, func(f Fault) bool { return f.Line == line }) {
		t.Errorf("%s changed to %q: no fault on its line %d, only\n%v", was, s.n.Value, line, l.faults)
	}
	return true
}

// TestEverythingIsGood: the base of the tests below has no fault itself.
func TestEverythingIsGood(t *testing.T) {
	scene(t)
	for _, text := range schema() {
		if _, err := parse("t.yaml", []byte(text), testEnv); err != nil {
			t.Error(err)
		}
	}
}

// TestEveryValueIsTyped puts a list of mappings, a mapping of lists and a text
// of no meaning where something else belongs.
func TestEveryValueIsTyped(t *testing.T) {
	scene(t)
	mutate(t, func(s spot) bool {
		inner := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: s.n.Line}
		*s.n = yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Line: s.n.Line, Content: []*yaml.Node{inner}}
		return s.parent.Kind != yaml.DocumentNode
	})
	mutate(t, func(s spot) bool {
		key := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: "zzz", Line: s.n.Line}
		val := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Line: s.n.Line}
		*s.n = yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: s.n.Line, Content: []*yaml.Node{key, val}}
		return s.parent.Kind != yaml.DocumentNode
	})
	mutate(t, func(s spot) bool {
		if s.n.Kind == yaml.ScalarNode || s.parent.Kind == yaml.DocumentNode {
			return false
		}
		*s.n = yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: "zzz", Line: s.n.Line}
		return true
	})
}

// TestEveryScalarIsChecked puts texts in place of each text; those that are
// free for any text are named.
func TestEveryScalarIsChecked(t *testing.T) {
	scene(t)
	free := []string{
		"storage.disk.path", "storage.objects.region", "storage.objects.access_key", "storage.objects.secret_key",
		"identity.users.ann.name", "workspaces.firm.title", "workspaces.firm.brand.name",
		"identity.ldap.bind_password", "identity.oidc.client_id", "identity.oidc.client_secret", "identity.oidc.title",
	}
	for _, text := range []string{"\x07 ?", "${NO_SUCH}", "${"} {
		mutate(t, func(s spot) bool {
			if s.n.Kind != yaml.ScalarNode || s.isKey && text != "\x07 ?" || text == "\x07 ?" && slices.Contains(free, s.place) {
				return false
			}
			if s.isKey && s.place == "workspaces.firm.folders" {
				return false // a path with a control character: TestFaults/folder-*
			}
			s.n.Value, s.n.Tag = text, "!!str"
			return true
		})
	}
}

// TestNothingIsNoValue: a scalar or a list whose value was forgotten is a fault.
func TestNothingIsNoValue(t *testing.T) {
	scene(t)
	mutate(t, func(s spot) bool {
		if s.isKey || s.n.Kind == yaml.MappingNode {
			return false
		}
		*s.n = yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Line: s.n.Line}
		return true
	})
}

// TestEveryKeyIsKnown misspells each key that the program knows.
func TestEveryKeyIsKnown(t *testing.T) {
	scene(t)
	mutate(t, func(s spot) bool {
		if !s.isKey || chosen(s.place) {
			return false
		}
		s.n.Value += "x"
		return true
	})
}

// TestEveryKeyOnce doubles each key.
func TestEveryKeyOnce(t *testing.T) {
	scene(t)
	mutate(t, func(s spot) bool {
		if s.isKey {
			again := *s.n
			s.parent.Content = append(s.parent.Content, &again, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null"})
		}
		return s.isKey
	})
}

// TestNoAnchorAnywhere puts an anchor, an alias and a tag of its own on each node.
func TestNoAnchorAnywhere(t *testing.T) {
	scene(t)
	mutate(t, func(s spot) bool {
		s.n.Anchor = "a"
		return true
	})
	mutate(t, func(s spot) bool {
		*s.n = yaml.Node{Kind: yaml.AliasNode, Value: "a", Line: s.n.Line}
		return s.parent.Kind != yaml.DocumentNode
	})
	mutate(t, func(s spot) bool {
		if s.isKey || s.n.Kind != yaml.ScalarNode {
			return false
		}
		s.n.Tag, s.n.Style = "!mine", yaml.TaggedStyle
		return true
	})
}

// TestKeysThatMustBe takes away each key, and counts on a fault for those that
// the schema cannot do without.
func TestKeysThatMustBe(t *testing.T) {
	scene(t)
	needed := []string{
		"state", "storage", "identity", "workspaces",
		"storage.disk.type", "storage.disk.path", "storage.objects.type", "storage.objects.endpoint", "storage.objects.bucket",
		"storage.objects.access_key", "storage.objects.secret_key",
		"identity.users", "identity.users.ann", "identity.users.ann.password", "groups.staff.members", "groups.interns.members",
		"workspaces.firm", "workspaces.firm.storage", "storage.disk", "groups", "groups.staff", "groups.interns",
		"roles", "roles.reviewer", "server.tls.cert", "server.tls.key", "mail.from", "mail.smtp",
		"workspaces.firm.folders./.grant.user:ann.role",
	}
	checkNeeded(t, everything, needed)
	checkNeeded(t, directory, []string{
		"state", "storage", "storage.disk", "storage.disk.type", "storage.disk.path", "identity", "workspaces", "workspaces.firm", "workspaces.firm.storage",
		"audit", "audit.key", "groups.board.members",
		"identity.ldap.starttls", "identity.ldap.url", "identity.ldap.bind_dn", "identity.ldap.bind_password",
		"identity.ldap.users", "identity.ldap.users.base", "identity.ldap.groups.base", "identity.ldap.groups.map", "identity.ldap.groups.map.Domain Users",
		"identity.oidc.issuer", "identity.oidc.client_id", "identity.oidc.client_secret",
	})
}

// checkNeeded takes away each key of text in turn.
func checkNeeded(t *testing.T, text string, needed []string) {
	t.Helper()
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	for _, s := range spots(doc.Content[0], "", false, &doc) {
		if s.parent.Kind != yaml.MappingNode || s.isKey {
			continue
		}
		i := slices.Index(s.parent.Content, s.n)
		kept := s.parent.Content
		s.parent.Content = slices.Delete(slices.Clone(kept), i-1, i+1)
		l := newLoader("t.yaml", testEnv)
		l.config(value{l: l, n: doc.Content[0]}.fields())
		if got, want := len(l.faults) > 0, slices.Contains(needed, s.place); got != want {
			t.Errorf("without %s: faults %v, want some: %v", s.place, l.faults, want)
		}
		s.parent.Content = kept
	}
}
