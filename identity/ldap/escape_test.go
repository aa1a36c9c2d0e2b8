package ldap

import (
	"slices"
	"testing"

	goldap "github.com/go-ldap/ldap/v3"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// hostile are names that mean something in a filter or in a DN.
func hostile() []string {
	return []string{
		"*", "a)(uid=*", "*)(|(cn=*", `a\00`, "a\x00", "\x00", `\`, `\2a`, "an?", "ann,ou=people", "a+b=c", "#a", " a ", `"a"`, "a;b<c>d=e",
		"zoë", "李小龍", "{dn}", "{login}", "(&)", "ann)(objectClass=*", "a\u0000)(uid=*", "\xff",
	}
}

func TestEscapeFilter(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"ann": "ann", "*": `\2a`, "a)(uid=*": `a\29\28uid=\2a`, "*)(|(cn=*": `\2a\29\28|\28cn=\2a`, `a\00`: `a\5c00`, "a\x00": `a\00`,
		"zoë": `zo\c3\ab`, "a,b+c": "a,b+c", "\xff": `\ff`,
	} {
		if got := escapeFilter(in); got != want {
			t.Errorf("escapeFilter(%q) = %s, want %s", in, got, want)
		}
	}
}

func TestEscapeDN(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"ann": "ann", "a,b": `a\,b`, "a+b": `a\+b`, `a\b`: `a\\b`, `"a"`: `\"a\"`, "#a": `\#a`, "a;b": `a\;b`, "<a>": `\<a\>`, "\x00": `\00`,
		"*": "*", "(a)": "(a)", "zoë": "zoë",
	} {
		if got := escapeDN(in); got != want {
			t.Errorf("escapeDN(%q) = %s, want %s", in, got, want)
		}
	}
	if got, want := escapeDN(" a "), `\ a\ `; got != want {
		t.Errorf("escapeDN = %s, want %s", got, want)
	}
	for _, name := range hostile() {
		if name == "\xff" { // no text: Presentable takes none
			continue
		}
		dn, err := goldap.ParseDN("cn=" + escapeDN(name) + ",dc=example")
		if err != nil || len(dn.RDNs) != 2 || len(dn.RDNs[0].Attributes) != 1 || dn.RDNs[0].Attributes[0].Value != name {
			t.Errorf("escapeDN(%q) = %s, which reads as %v, %v", name, escapeDN(name), dn, err)
		}
	}
}

func TestEscapeBytes(t *testing.T) {
	t.Parallel()
	if got, want := escapeBytes([]byte("a\x00\xff*")), `\61\00\ff\2a`; got != want {
		t.Errorf("escapeBytes = %s, want %s", got, want)
	}
}

// value reads back the one equality of a filter.
func value(t interface{ Fatalf(string, ...any) }, filter string) string {
	p, err := goldap.CompileFilter(filter)
	if err != nil {
		t.Fatalf("CompileFilter(%s) = %v", filter, err)
	}
	if p.Tag != goldap.FilterEqualityMatch || len(p.Children) != 2 {
		t.Fatalf("%s is a filter of another kind", filter)
	}
	return p.Children[1].Data.String()
}

func TestFill(t *testing.T) {
	t.Parallel()
	for _, name := range hostile() {
		if got := value(t, template("(uid={login})").fill("x", name)); got != name {
			t.Errorf("fill(%q) asks for %q", name, got)
		}
		if got := value(t, template("(member={dn})").fill(name, "x")); got != name {
			t.Errorf("fill(%q) asks for %q", name, got)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.String().Draw(t, "name")
		if got := value(t, template("(uid={login})").fill("x", name)); got != name {
			t.Fatalf("fill(%q) asks for %q", name, got)
		}
	})
}

func TestAsks(t *testing.T) {
	t.Parallel()
	for filter, want := range map[string][]ask{
		"(uid={login})": {{"uid", "{login}"}},
		"(&(objectClass=person)(|(uid={login})(mail={login}@firm.example)))": {{"uid", "{login}"}, {"mail", "{login}@firm.example"}},
		"(uid={login}*)":                    nil,
		"(uid~={login})":                    nil,
		"(uid>={login})":                    nil,
		"(uid:dn:={login})":                 nil,
		"(|(uid={login})(mail={login}@*))":  nil,
		"(objectClass=person)":              nil,
		"(member:1.2.3:={login})":           nil,
		`(|(uid={login})(mail=\2a{login}))`: nil,
	} {
		got, ok := template(filter).asks()
		if ok != (want != nil) || ok && cmp.Diff(want, got, cmp.AllowUnexported(ask{})) != "" {
			t.Errorf("asks of %s = %v, %t, want %v", filter, got, ok, want)
		}
	}
}

func TestDNKey(t *testing.T) {
	t.Parallel()
	for _, same := range [][]string{
		{"CN=Ann,DC=Firm", "cn=ann, dc=firm", "cn=ANN ,dc=FIRM"},
		{`cn=a\,b,dc=firm`, `cn=a\2cb,dc=firm`},
		{"cn=zoë", "CN=ZOË", "cn=zoe\u0308"},
		{"cn=a+uid=b", "UID=B+CN=A"},
	} {
		for _, other := range same[1:] {
			if dnKey(same[0]) != dnKey(other) {
				t.Errorf("dnKey(%q) = %q, dnKey(%q) = %q", same[0], dnKey(same[0]), other, dnKey(other))
			}
		}
	}
	for _, others := range [][2]string{{"cn=ann,dc=firm", "cn=ann,dc=firms"}, {`cn=a\,cn=b`, "cn=a,cn=b"}, {"no dn", "other"}} {
		if dnKey(others[0]) == dnKey(others[1]) {
			t.Errorf("%q and %q have one key", others[0], others[1])
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[a-zA-ZäÄßẞſKΣσς,+" #\\]{1,8}`)
		a, b := "cn="+escapeDN(name.Draw(t, "a")), "CN="+escapeDN(name.Draw(t, "b"))
		one, err1 := goldap.ParseDN(a)
		two, err2 := goldap.ParseDN(b)
		if err1 != nil || err2 != nil {
			t.Fatalf("ParseDN = %v, %v", err1, err2)
		}
		if one.EqualFold(two) && dnKey(a) != dnKey(b) {
			t.Fatalf("%q and %q are one DN with two keys", a, b)
		}
	})
}

func TestPrincipal(t *testing.T) {
	t.Parallel()
	for dn, want := range map[string]string{"uid=zoe,dc=firm": "zoe", "cn=Zoe,dc=firm": "ann", "UID=zoe+cn=x,dc=firm": "zoe"} {
		for _, order := range [][]string{{"zoe", "bob", "ann"}, {"ann", "zoe", "bob"}} {
			if got := principal(goldap.NewEntry(dn, map[string][]string{"uid": slices.Clone(order)}), "uid"); got != want {
				t.Errorf("principal of %s = %q, want %q", dn, got, want)
			}
		}
	}
}
