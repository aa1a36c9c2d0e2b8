package parts

import (
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf16"
)

// KDEPassword is the argument of org.kde.KPasswdServer.addAuthInfo, as gdbus takes it,
// which gives KDE's session a login as its dialog would: kioclient takes the password of
// an address for the first request of a job alone, and then waits for a dialog that nobody
// answers. The form is that of KIO::AuthInfo in a QDataStream (KDE Frameworks 5).
func KDEPassword(address, realm, user, password string) string {
	b := append([]byte{1}, qBytes([]byte(address))...)
	for _, s := range []string{user, password, "", "", "", "", realm, ""} { // prompt, caption, comment, its label; realm, digest
		b = append(b, qString(s)...)
	}
	b = append(b, 0, 0, 0, 0) // verify path, read-only, keep, modified
	b = append(b, 0, 0, 0, 0) // no fields beside
	list := make([]string, len(b))
	for i, c := range b {
		list[i] = fmt.Sprintf("byte 0x%02x", c)
	}
	return "[" + strings.Join(list, ",") + "]"
}

// qString is a QString: UTF-16, big end first.
func qString(s string) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.BigEndian.AppendUint16(b, u)
	}
	return qBytes(b)
}

// qBytes is a QByteArray: the length, then the bytes.
func qBytes(b []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...) //nolint:gosec // a few bytes
}
