package files

import (
	"fmt"
	"strings"
)

// Disposition names the file to save, or to show (RFC 6266): in UTF-8, and in
// ASCII for those that cannot read it.
func Disposition(name string, inline bool) string {
	how := "attachment"
	if inline {
		how = "inline"
	}
	ascii := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '"' || r == '\\' || r == '%' {
			return '_'
		}
		return r
	}, name)
	if ascii == name {
		return how + `; filename="` + name + `"`
	}
	return how + `; filename="` + ascii + `"; filename*=UTF-8''` + escapeName(name)
}

// escapeName is percent-encoding of all but the characters that RFC 8187 leaves.
func escapeName(name string) string {
	var b strings.Builder
	for i := range len(name) {
		if c := name[i]; c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
