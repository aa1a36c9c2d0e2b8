package ldap

import (
	"strings"
	"testing"

	goldap "github.com/go-ldap/ldap/v3"
	"pgregory.net/rapid"
)

// TestGUID takes the example of MS-DTYP: the first three fields lie backwards.
func TestGUID(t *testing.T) {
	t.Parallel()
	bytes := "\x33\x22\x11\x00\x55\x44\x77\x66\x88\x99\xaa\xbb\xcc\xdd\xee\xff"
	const text = "00112233-4455-6677-8899-aabbccddeeff"
	e := goldap.NewEntry("cn=x", map[string][]string{"objectGUID": {bytes}})
	if got := idOf(e, "objectguid"); got != "ldap:"+text {
		t.Errorf("idOf = %q, want %q", got, "ldap:"+text)
	}
	want := `(objectGUID=\33\22\11\00\55\44\77\66\88\99\aa\bb\cc\dd\ee\ff)`
	if got := idFilter("ldap:"+text, "objectGUID"); got != want {
		t.Errorf("idFilter = %s, want %s", got, want)
	}
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "guid")
		back, ok := guidBytes(guidText(b))
		if !ok || string(back) != string(b) {
			t.Fatalf("guidBytes(guidText(%x)) = %x, %t", b, back, ok)
		}
	})
}

func TestIDs(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"6BA7B810-9dad-11d1-80b4-00c04fd430c8": "ldap:6ba7b810-9dad-11d1-80b4-00c04fd430c8",
		"4711":                                 "ldap:4711",
		"":                                     "", "..": "", ".": "", "a/b": "", "a b": "", "a\nb": "", "a:b": "", "ä": "", "*": "", strings.Repeat("a", 129): "",
	} {
		e := goldap.NewEntry("cn=x", map[string][]string{"entryUUID": {value}})
		if got := idOf(e, "entryUUID"); got != want {
			t.Errorf("idOf(%q) = %q, want %q", value, got, want)
		}
		if want != "" && idFilter(want, "entryUUID") != "(entryUUID="+strings.ToLower(value)+")" {
			t.Errorf("idFilter(%q) = %s", want, idFilter(want, "entryUUID"))
		}
	}
	two := goldap.NewEntry("cn=x", map[string][]string{"entryUUID": {"1", "2"}})
	short := goldap.NewEntry("cn=x", map[string][]string{"objectGUID": {"short"}})
	if idOf(two, "entryUUID") != "" || idOf(short, "objectGUID") != "" || idOf(two, "none") != "" {
		t.Error("an entry without one proper ID has one")
	}
	for _, id := range []string{"", "ldap:", "1", "ldap:*", "ldap:a)(uid=*", "id-ann", "ldap:A"} {
		if got := idFilter(id, "entryUUID"); got != "" {
			t.Errorf("idFilter(%q) = %s, want none", id, got)
		}
	}
	for _, id := range []string{"ldap:00112233", "ldap:00112233445566778899aabbccddeeff", "ldap:0011-22334455-6677-8899-aabbccddeeff"} {
		if got := idFilter(id, "objectGUID"); got != "" {
			t.Errorf("idFilter(%q) = %s, want none", id, got)
		}
	}
}

func TestSibling(t *testing.T) {
	t.Parallel()
	if got := string(sibling([]byte(sid(1001)), 513)); got != sid(513) {
		t.Errorf("sibling = %x, want %x", got, sid(513))
	}
	for _, bad := range []string{"", "\x01", sid(1)[:20], sid(1) + "x", "\x01\x00\x00\x00\x00\x00\x00\x05"} {
		if got := sibling([]byte(bad), 513); got != nil {
			t.Errorf("sibling(%x) = %x, want none", bad, got)
		}
	}
}
