package ldap

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"

	goldap "github.com/go-ldap/ldap/v3"
)

// idPrefix parts the IDs of the directory from those of the config's users.
const idPrefix = "ldap:"

// maxID bounds an ID of the directory, in bytes.
const maxID = 128

// binaryID tells whether an ID attribute holds 16 bytes instead of a text.
func binaryID(attribute string) bool { return strings.EqualFold(attribute, "objectGUID") }

// idOf is the ID of an entry, "" where it has none that can be ours.
func idOf(e *goldap.Entry, attribute string) string {
	raw := e.GetEqualFoldRawAttributeValues(attribute)
	if len(raw) != 1 {
		return ""
	}
	if binaryID(attribute) {
		if len(raw[0]) != 16 {
			return ""
		}
		return idPrefix + guidText(raw[0])
	}
	id := strings.ToLower(string(raw[0]))
	if !plainID(id) {
		return ""
	}
	return idPrefix + id
}

// idFilter is the filter that finds an ID again, "" where it is none of ours.
func idFilter(id, attribute string) string {
	text, ours := strings.CutPrefix(id, idPrefix)
	switch {
	case !ours || !plainID(text):
		return ""
	case binaryID(attribute):
		guid, ok := guidBytes(text)
		if !ok {
			return ""
		}
		return "(" + attribute + "=" + escapeBytes(guid) + ")"
	}
	return "(" + attribute + "=" + escapeFilter(text) + ")"
}

// plainID refuses what would mean something as a name of a file or a key: IDs
// are kept, and printed.
func plainID(s string) bool {
	return s != "" && len(s) <= maxID && strings.Trim(s, ".") != "" &&
		!strings.ContainsFunc(s, func(r rune) bool {
			return (r < 'a' || r > 'z') && (r < '0' || r > '9') && !strings.ContainsRune("-_.", r)
		})
}

// guidText prints an objectGUID as Windows does: its first three fields are
// little-endian, the rest are bytes in order (MS-DTYP §2.3.4.2).
func guidText(b []byte) string {
	return fmt.Sprintf("%08x-%04x-%04x-%x-%x",
		binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint16(b[4:]), binary.LittleEndian.Uint16(b[6:]), b[8:10], b[10:16])
}

// guidBytes is the opposite of guidText.
func guidBytes(text string) ([]byte, bool) {
	fields := strings.Split(text, "-")
	b, err := hex.DecodeString(strings.Join(fields, ""))
	if err != nil || len(b) != 16 || len(fields) != 5 || guidText(swap(b)) != text {
		return nil, false
	}
	return b, true
}

// swap turns the mixed byte order round, in place.
func swap(b []byte) []byte {
	binary.BigEndian.PutUint32(b, binary.LittleEndian.Uint32(b))
	binary.BigEndian.PutUint16(b[4:], binary.LittleEndian.Uint16(b[4:]))
	binary.BigEndian.PutUint16(b[6:], binary.LittleEndian.Uint16(b[6:]))
	return b
}

// sibling is the SID of another account of the same domain: the last of its
// 32-bit numbers is the account's own (MS-DTYP §2.4.2.2).
func sibling(sid []byte, rid uint32) []byte {
	const header, number = 8, 4
	if len(sid) < header+number || len(sid) != header+number*int(sid[1]) {
		return nil
	}
	other := append([]byte(nil), sid[:len(sid)-number]...)
	return binary.LittleEndian.AppendUint32(other, rid)
}
