package ldap

import (
	"slices"
	"strings"

	goldap "github.com/go-ldap/ldap/v3"
	"golang.org/x/text/unicode/norm"

	"portico/vpath"
)

// dnKey is what all spellings of one DN share: case, the spaces around "," and
// the escapes are the server's own choice. Two DNs that goldap's EqualFold calls
// one have one key. What is no DN is only its own.
func dnKey(dn string) string {
	parsed, err := goldap.ParseDN(dn)
	if err != nil {
		return dn
	}
	for _, rdn := range parsed.RDNs {
		for _, a := range rdn.Attributes {
			a.Type, a.Value = vpath.Fold(a.Type), vpath.Fold(norm.NFC.String(a.Value))
		}
	}
	return parsed.String()
}

// values are an attribute's values that are text of some length.
func values(e *goldap.Entry, attribute string) []string {
	return slices.DeleteFunc(slices.Clone(e.GetEqualFoldAttributeValues(attribute)), func(v string) bool { return strings.TrimSpace(v) == "" })
}

// first is a value of an attribute, "" without one.
func first(e *goldap.Entry, attribute string) string {
	if all := values(e, attribute); len(all) > 0 {
		return all[0]
	}
	return ""
}

// principal is the one value of an attribute that names the entry. An attribute
// may have many, in no order (RFC 4511 §4.1.7): the one in the DN counts, or else
// the least, so that somebody has one name whichever way they were found.
func principal(e *goldap.Entry, attribute string) string {
	all := values(e, attribute)
	if len(all) == 0 {
		return ""
	}
	if dn, err := goldap.ParseDN(e.DN); err == nil && len(dn.RDNs) > 0 {
		for _, a := range dn.RDNs[0].Attributes {
			if strings.EqualFold(a.Type, attribute) && slices.Contains(all, a.Value) {
				return a.Value
			}
		}
	}
	return slices.Min(all)
}
