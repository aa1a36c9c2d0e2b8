package ldap

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	goldap "github.com/go-ldap/ldap/v3"
	"github.com/google/go-cmp/cmp"

	"portico/fault"
	"portico/identity"
	"portico/internal/parts"
)

// logins are those whom a Search finds.
func logins(t *testing.T, d *Directory, text string, limit int) (all []string) {
	t.Helper()
	found, err := d.Search(t.Context(), text, limit)
	if err != nil {
		t.Errorf("Search(%q) = %v", text, err)
	}
	for _, who := range found {
		all = append(all, string(who.Login))
		if len(who.Groups) > 0 || who.ID == "" {
			t.Errorf("Search(%q) gives %+v", text, who)
		}
	}
	return all
}

func wantMail(t *testing.T, d *Directory, mail, login string, want error) {
	t.Helper()
	who, err := d.ByMail(t.Context(), mail)
	if string(who.Login) != login || !errors.Is(err, want) || errors.Is(err, identity.ErrTaken) != errors.Is(want, identity.ErrTaken) {
		t.Errorf("ByMail(%q) = %q, %v, want %q, %v", mail, who.Login, err, login, want)
	}
}

// TestFind asks a real directory, also for what would mean something in a filter.
func TestFind(t *testing.T) {
	t.Parallel()
	l := parts.OwnSlapd(t, parts.SlapdOptions{Empty: true})
	add := func(login, name, mail string) string {
		return l.AddPerson(t, parts.Person{Login: login, Name: name, Password: "one", Email: mail})
	}
	ann := add("ann", "Ann Peeters", "Ann.Peeters@firm.example")
	l.AddGroup(t, "team", ann)
	add("bob", "Bob Van den Ann", "bob@firm.example")
	add("carl", "Zoë Carlier (extern)", "carl@firm.example")
	add("dora@firm.example", "Dora", "d@other.example")
	add("hanna", "Johanna Hanne", "hh@firm.example")
	add("star", "star* of)(uid=*", "star@firm.example")
	gone := add("anton", "Anton Gone", "anton@firm.example")
	l.Set(t, gone, "pwdAccountLockedTime", "000001010000Z")
	add("office1", "Office One", "office@firm.example")
	add("office2", "Office Two", "office@firm.example")
	left := add("left", "Was Here", "desk@firm.example")
	l.Set(t, left, "pwdAccountLockedTime", "000001010000Z")
	add("came", "Is Here", "desk@firm.example")
	add("jm", "Jean-Marie Jans", "jm@firm.example")
	d, log := open(t, options(t, l))

	for text, want := range map[string][]string{
		"an": {"ann", "bob"}, "ANN": {"ann", "bob"}, " peet ": {"ann"}, "van den a": {"bob"}, "Zo": {"carl"}, "zoe\u0308": {"carl"}, "ext": nil, "marie": {"jm"}, "Jean-M": {"jm"},
		"ann.p": {"ann"}, "dora@firm": {"dora@firm.example"}, "ha": {"hanna"}, "office@": {"office1", "office2"},
		"st": {"star"}, "star*": {"star"}, "star* of)(": {"star"},
		"*": nil, "**": nil, "a*": nil, "a)(uid=*": nil, "*)(uid=*": nil, `\2a`: nil, "ann)(objectClass=*": nil, "a\x00n": nil, "a\n": nil, "\xff\xff": nil,
		"a": nil, "": nil, "  ": nil, "(&)": nil, "{login}": nil, strings.Repeat("a", 101): nil, "nobody": nil, "firm": nil,
	} {
		got := logins(t, d, text, 10)
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Search(%q) (-want +got):\n%s", text, diff)
		}
	}
	for _, limit := range []int{-1, 0, 1} {
		if got := logins(t, d, "an", limit); len(got) != max(limit, 0) {
			t.Errorf("Search for %d gives %v", limit, got)
		}
	}

	wantMail(t, d, "ann.peeters@FIRM.example", "ann", nil)
	wantMail(t, d, "dora@firm.example", "dora@firm.example", nil)
	wantMail(t, d, "d@other.example", "dora@firm.example", nil)
	wantMail(t, d, "desk@firm.example", "came", nil)
	wantMail(t, d, "anton@firm.example", "", identity.ErrTaken)
	wantMail(t, d, "office@firm.example", "", identity.ErrTaken)
	for _, mail := range append(hostile(), "", "nobody@firm.example", "*@firm.example", "a)(mail=*", "ann.peeters@firm.example*", "ann.peeters") {
		wantMail(t, d, mail, "", identity.ErrRefused)
	}
	if log.String() != "" {
		t.Errorf("a search for a suggestion is no reason to warn:\n%s", log)
	}
	l.Stop(t)
	if _, err := d.ByMail(t.Context(), "nobody@firm.example"); !errors.Is(err, fault.ErrUnavailable) || errors.Is(err, identity.ErrRefused) {
		t.Errorf("ByMail of a directory that is away = %v", err)
	}
	if _, err := d.Search(t.Context(), "ann", 5); !errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("Search in a directory that is away = %v", err)
	}
}

// TestFindTooMany: a size limit, ours or the directory's own, cuts an answer short
// and fails nothing.
func TestFindTooMany(t *testing.T) {
	t.Parallel()
	l := parts.Slapd(t)
	d, log := open(t, options(t, l))
	if got := logins(t, d, "person", 7); len(got) != 7 {
		t.Errorf("Search gives %d of 2,000, want 7", len(got))
	}
	if _, err := d.ByLogin(t.Context(), "p0001"); err != nil || log.String() != "" {
		t.Errorf("after it: %v; %s", err, log)
	}
}

// TestFindActiveDirectory asks a domain controller once, and by further addresses too.
func TestFindActiveDirectory(t *testing.T) {
	t.Parallel()
	dc := newDC(t)
	ann := dc.person("ann", 1)
	dc.person("anton", 2)
	closed := dc.person("anka", 3)
	dc.mu.Lock()
	dc.entry(ann).attributes["proxyAddresses"] = []string{"SMTP:ann@firm.example", "smtp:a.peeters@firm.example"}
	dc.entry(closed).attributes["userAccountControl"] = []string{"514"}
	dc.mu.Unlock()
	dc.group("team", 200, ann)
	d, _ := open(t, dc.options(t))
	for _, mail := range []string{"ann@firm.example", "A.Peeters@firm.example"} {
		wantMail(t, d, mail, "ann", nil)
	}
	wantMail(t, d, "anka@firm.example", "", identity.ErrTaken)
	wantMail(t, d, "peeters@firm.example", "", identity.ErrRefused)
	dc.requests()
	for _, text := range []string{"an", "The an", "an@", "ann"} {
		want := map[string][]string{"an@": nil, "ann": {"ann"}}
		all, ok := want[text]
		if !ok {
			all = []string{"ann", "anton"}
		}
		if diff := cmp.Diff(all, logins(t, d, text, 5)); diff != "" {
			t.Errorf("Search(%q) (-want +got):\n%s", text, diff)
		}
		if asked := dc.requests(); len(asked) != 1 || !strings.Contains(asked[0], "(displayName=* "+text+"*)") {
			t.Errorf("Search(%q) asks %q, want one search", text, asked)
		}
	}
	for i := range 120 {
		dc.person(fmt.Sprintf("many%03d", i), 10+i)
	}
	if got := logins(t, d, "many", 10); len(got) != 10 {
		t.Errorf("Search gives %v, want 10", got)
	}
}

// partly tells whether a value has a substring: the first piece at the beginning,
// any other somewhere. Here there is one piece each.
func partly(value string, pieces []*ber.Packet) bool {
	value = strings.ToLower(value)
	return !slices.ContainsFunc(pieces, func(p *ber.Packet) bool {
		piece := strings.ToLower(text(p))
		if p.Tag == goldap.FilterSubstringsInitial {
			return !strings.HasPrefix(value, piece)
		}
		return !strings.Contains(value, piece)
	})
}

// TestTextFilter: whatever is typed stays a value.
func TestTextFilter(t *testing.T) {
	t.Parallel()
	d := &Directory{o: Options{}.withDefaults()}
	plain, err := goldap.CompileFilter(d.textFilter("ann"))
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range hostile() {
		got, err := goldap.CompileFilter(d.textFilter(text))
		if err != nil || len(got.Children) != len(plain.Children) {
			t.Errorf("textFilter(%q) = %s, %v", text, d.textFilter(text), err)
			continue
		}
		for i, c := range got.Children {
			if c.Tag != goldap.FilterSubstrings || len(c.Children[1].Children) != 1 {
				t.Errorf("textFilter(%q): condition %d is of another kind", text, i)
			}
		}
	}
}
