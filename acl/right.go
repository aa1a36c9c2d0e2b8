package acl

import (
	"fmt"
	"strings"
)

// Right is one thing that somebody may do. The zero value is no right: nobody
// holds it.
type Right uint8

// The rights of DESIGN.md §5, in its order.
const (
	List       Right = iota + 1 // see the names in a folder
	Read                        // open a file
	Comment                     // write a comment on a file
	Create                      // make a new file or folder
	Write                       // replace a file
	Delete                      // remove
	Share                       // hand out what one holds oneself
	GrantRight                  // change who holds what
	Invite                      // bring in a new contact
	Audit                       // read the audit trail
	Settings                    // change a workspace's settings
	Transfer                    // give the workspace to another owner
)

// words are the rights as config and command lines spell them, by number.
func words() []string {
	return []string{
		"", "list", "read", "comment", "create", "write", "delete",
		"share", "grant", "invite", "audit", "settings", "transfer",
	}
}

// ownable are the rights that may be limited to what one created.
const ownable mask = 1<<List | 1<<Read | 1<<Write | 1<<Delete | 1<<Share

// everyRight is the mask of all rights.
const everyRight mask = 1<<(Transfer+1) - 1<<List

// AllRights lists the rights in the order of DESIGN.md §5.
func AllRights() []Right {
	all := make([]Right, 0, Transfer)
	for r := List; r <= Transfer; r++ {
		all = append(all, r)
	}
	return all
}

func (r Right) String() string {
	if r < List || r > Transfer {
		return fmt.Sprintf("right(%d)", uint8(r))
	}
	return words()[r]
}

// Phrase is the right's word, for who reads another language.
func (r Right) Phrase() (format string, args []any) { return r.String(), nil }

// ParseRight takes a right's word. own tells the form "read:own", which holds
// only for what the principal created; not every right has it.
func ParseRight(word string) (r Right, own bool, err error) {
	name, suffix, colon := strings.Cut(word, ":")
	for _, right := range AllRights() {
		if right.String() == name {
			r = right
		}
	}
	switch {
	case r == 0:
		return 0, false, fmt.Errorf("there is no right %q; the rights are %s", word, strings.Join(words()[1:], ", "))
	case !colon:
		return r, false, nil
	case suffix != "own":
		return 0, false, fmt.Errorf("there is no right %q; the only other form of %s is %s:own", word, name, name)
	case ownable&bit(r) == 0:
		return 0, false, fmt.Errorf("%s has no :own form; only list, read, write, delete and share have one", name)
	}
	return r, true, nil
}
