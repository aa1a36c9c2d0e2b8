package config

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"portico/identity"
	"portico/vpath"
)

// maxName bounds a login's and a group's length in bytes.
const maxName = 64

// names are those of one kind that rules may refer to.
type names struct {
	kind string         // "user"
	mend string         // where to add one that is missing
	all  []string       // in the order of the file
	line map[string]int // by the folded name: where it stands
	open bool           // those that exist are not known for a fault that was reported

	outside bool // a directory may have more
}

// newNames begins an empty list.
func newNames(kind, mend string) *names {
	return &names{kind: kind, mend: mend, line: map[string]int{}}
}

// add takes a key as a name, in NFC. A name that differs from another only in
// case is refused: people mix the two up, and so do disks and directories.
func (ns *names) add(e entry) string {
	name := norm.NFC.String(e.key)
	fold := vpath.Fold(name)
	if first, twice := ns.line[fold]; twice {
		e.keyAt.fault("the %s %s reads like the one on line %d; they differ in no more than case or in how an accent is written, choose another name", ns.kind, e.keyAt.shown(), first)
		return name
	}
	ns.line[fold] = e.keyAt.n.Line
	ns.all = append(ns.all, name)
	return name
}

// has tells whether there is such a name.
func (ns *names) has(name string) bool { return slices.Contains(ns.all, name) }

// check reports a name that nobody has.
func (ns *names) check(at value, name string) bool {
	switch {
	case ns.open || ns.has(name):
		return true
	case ns.outside && isForeignName(name):
		return true
	case ns.outside:
		at.fault("%q cannot be the name of a %s in a directory; write it as the directory does", name, ns.kind)
		return false
	}
	at.fault("there is no %s %q%s; %s", ns.kind, name, didYouMean(name, ns.all), ns.mend)
	return false
}

// isForeignName tells what a directory may call somebody, which is more than a
// name of the config may be: "Domain Users", "R&D (Leuven)".
func isForeignName(name string) bool {
	return name != "" && len(name) <= identity.MaxLogin && strings.TrimSpace(name) == name &&
		!strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) })
}

// nameFault says why a login or a group's name cannot be one, or "". What is
// left out would mean something in a rule, a path, an HTTP header or a mail:
// "/" and "\" part folders, ":" parts a login from its password (RFC 7617 §2)
// and a subject's kind from its name, a space parts the words of an assert.
func nameFault(name string) string {
	switch {
	case name == "":
		return "is empty"
	case len(name) > maxName:
		return fmt.Sprintf("is longer than %d bytes", maxName)
	case strings.Trim(name, ".") == "":
		return "is made of dots alone"
	}
	for _, r := range name {
		if !unicode.In(r, unicode.L, unicode.M, unicode.Nd) && !strings.ContainsRune("._-@+'", r) {
			return fmt.Sprintf("has the character %q", r)
		}
	}
	return ""
}

// checkName reports the name of a user, a group or a storage that cannot be one.
func (e entry) checkName() {
	if fault := nameFault(e.key); fault != "" {
		e.keyAt.fault("the name %s %s; use letters, digits and . _ - @ + '", e.keyAt.shown(), fault)
	}
}
