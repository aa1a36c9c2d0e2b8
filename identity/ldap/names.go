package ldap

import (
	"context"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	goldap "github.com/go-ldap/ldap/v3"
	"golang.org/x/text/unicode/norm"

	"portico/identity"
)

// maxGroup bounds a group's name, in bytes.
const maxGroup = 256

// nameOf is the name of a group as the rules know it, "" where it does not count.
func (d *Directory) nameOf(ctx context.Context, e *goldap.Entry) string {
	name := norm.NFC.String(principal(e, d.o.Groups.Name))
	if name == "" || len(name) > maxGroup || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
		if d.told.first(e.DN) {
			d.o.Log.WarnContext(ctx, "a group of the directory is left out", "dn", e.DN,
				"why", "its "+d.o.Groups.Name+" is empty, longer than 256 bytes or has a character that cannot be typed; give it another name")
		}
		return ""
	}
	if ours, ok := d.names[groupKey(name)]; ok {
		return ours
	}
	if d.o.Groups.Only {
		return ""
	}
	return name
}

// told is what the log has been told already: a group is met at each lookup of
// each of its members.
type told struct {
	mu   sync.Mutex
	seen map[string]bool
}

// maxTold bounds what is remembered; beyond it, all is told again.
const maxTold = 1000

// first tells whether a key has not been there before.
func (t *told) first(key string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.seen[key] {
		return false
	}
	if t.seen == nil || len(t.seen) >= maxTold {
		t.seen = map[string]bool{}
	}
	t.seen[key] = true
	return true
}

// groupKey is what the spellings of a group's name share: a directory does not
// tell Staff from staff.
func groupKey(name string) string { return identity.Login(name).Key() }
