package gateway

import (
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"portico/vpath"
)

// Windows cannot hold some names that others give: those with one of <>:"|?*,
// with a dot or space at the end, and the names of its devices. Its WebDAV client
// hides or breaks such files, so that to it, and to it alone, they are shown with
// U+F000 plus the character in its place: the one at fault, or the first letter
// of a device. Services for Macintosh, Samba (vfs_catia) and Cygwin write names
// so on a Windows disk, too. What this client sends is read back the same way,
// before anything else looks at it.
//
// Each name has one such form, and each form is that of one name. Where a name
// has such a character of its own, winEscape stands before it; a form that
// showName would not have made is refused, or one file had several addresses.
const (
	winBase = 0xF000

	// winEscape is the place of the backslash, which is in no name.
	winEscape = winBase + '\\'
)

// isWindows tells the Mini-Redirector of Windows, and what speaks for it before
// its service has started.
func isWindows(agent string) bool {
	return strings.HasPrefix(agent, "Microsoft-WebDAV-MiniRedir/") || strings.HasPrefix(agent, "DavClnt")
}

// winSpot is where in a name a character stands.
type winSpot struct {
	first, last bool
	rest        string // of the name, after the first character
}

// faulty tells whether Windows cannot hold c there.
func (s winSpot) faulty(c rune) bool {
	return strings.ContainsRune(vpath.WindowsSigns, c) ||
		s.last && (c == '.' || c == ' ') ||
		s.first && ('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z') && vpath.IsDevice(string(c)+s.rest)
}

// showPath is p with each name in the form that Windows can hold. It may be longer
// than a Path.
func showPath(p vpath.Path) string {
	if p.IsRoot() {
		return "/"
	}
	var b strings.Builder
	for name := range p.Elements() {
		b.WriteByte('/')
		b.WriteString(showName(name))
	}
	return b.String()
}

// showName is the form of one name.
func showName(name string) string {
	if isPlain(name) {
		return name
	}
	runes := []rune(name)
	spot := winSpot{first: true, rest: string(runes[1:])}
	var b strings.Builder
	for i, r := range runes {
		spot.last = i == len(runes)-1
		switch {
		case spot.faulty(r):
			r += winBase
		case r == winEscape, spot.faulty(r - winBase):
			b.WriteRune(winEscape)
		}
		b.WriteRune(r)
		spot.first = false
	}
	return b.String()
}

// isPlain is true for almost all names, which are their own form.
func isPlain(name string) bool {
	end := name[max(len(name)-1, 0):]
	return end != "." && end != " " && !isForm(name) && !strings.ContainsAny(name, vpath.WindowsSigns) && !vpath.IsDevice(name)
}

// isForm tells whether something in a name may stand for something else: U+F000
// to U+F07F begin with these bytes.
func isForm(name string) bool {
	return strings.Contains(name, "\xEF\x80") || strings.Contains(name, "\xEF\x81")
}

// readName is the name that a form stands for.
func readName(form string) string {
	runes := []rune(form)
	rest := string(readRunes(runes[1:]))
	if c := runes[0] - winBase; (winSpot{first: true, last: len(runes) == 1, rest: rest}).faulty(c) {
		return string(c) + rest
	}
	return string(readRunes(runes))
}

// readRunes is readName but for devices.
func readRunes(form []rune) []rune {
	name := make([]rune, 0, len(form))
	for i := 0; i < len(form); i++ {
		r := form[i]
		switch c := r - winBase; {
		case r == winEscape && i+1 < len(form):
			i++
			r = form[i]
		case (winSpot{last: i == len(form)-1}).faulty(c):
			r = c
		}
		name = append(name, r)
	}
	return name
}

// readWindows is vpath.ParseEscaped for the addresses that Windows sends.
func readWindows(escaped string) (p vpath.Path, slash bool, err error) {
	if !strings.Contains(escaped, "%") && !isForm(escaped) {
		return vpath.ParseEscaped(escaped)
	}
	parts := strings.Split(escaped, "/")
	for i, part := range parts {
		form, err := url.PathUnescape(part)
		// What is broken or holds a slash is for ParseEscaped to refuse.
		if err != nil || !isForm(form) || !utf8.ValidString(form) || strings.Contains(form, "/") {
			continue
		}
		form = norm.NFC.String(form)
		name := norm.NFC.String(readName(form))
		if showName(name) != form {
			return p, false, refuse(http.StatusBadRequest, "The name has signs that stand for others in the names that Windows is shown, in a place where they stand for none: choose another name.")
		}
		parts[i] = vpath.Escape(name)
	}
	return vpath.ParseEscaped(strings.Join(parts, "/"))
}
