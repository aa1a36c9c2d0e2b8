package staff

import (
	"path"
	"strconv"
	"strings"
)

// numbered is a name with a number before its ending: "a (2).txt".
func numbered(name string, n int) string {
	ext := path.Ext(name)
	stem := strings.TrimSuffix(name, ext)
	if stem == "" { // a name like ".profile" is all ending
		stem, ext = name, ""
	}
	return stem + " (" + strconv.Itoa(n) + ")" + ext
}
