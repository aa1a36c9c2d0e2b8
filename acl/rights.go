package acl

import (
	"errors"
	"strings"
)

// mask is a set of rights: bit 1<<r for right r.
type mask uint16

func bit(r Right) mask { return 1 << r & everyRight }

// Rights is a set of rights, some of them in the :own form. It is comparable,
// and the zero value is empty.
type Rights struct {
	whole mask // held for everything
	own   mask // held for what the principal created; never a bit that whole has too
}

// ParseRights takes the words of a list; "all" stands for every right. All
// wrong words are reported at once.
func ParseRights(list []string) (Rights, error) {
	var rs Rights
	var faults []error
	for _, word := range list {
		if word == "all" {
			rs.whole = everyRight
			continue
		}
		r, own, err := ParseRight(word)
		switch {
		case err != nil:
			faults = append(faults, err)
		case own:
			rs.own |= bit(r)
		default:
			rs.whole |= bit(r)
		}
	}
	if len(faults) > 0 {
		return Rights{}, errors.Join(faults...)
	}
	rs.own &^= rs.whole
	return rs, nil
}

// Has tells whether r is held for everything, whoever created it.
func (rs Rights) Has(r Right) bool { return rs.whole&bit(r) != 0 }

// HasOwn tells whether r is held at least for what the principal created.
func (rs Rights) HasOwn(r Right) bool { return (rs.whole|rs.own)&bit(r) != 0 }

// Within tells whether other holds all of rs: a right in the :own form is within
// the same right as a whole.
func (rs Rights) Within(other Rights) bool {
	return rs.whole&^other.whole == 0 && rs.own&^(other.whole|other.own) == 0
}

// IsEmpty tells whether there is no right in rs, in either form.
func (rs Rights) IsEmpty() bool { return rs == Rights{} }

// Words are the rights as config spells them, in the order of DESIGN.md §5.
func (rs Rights) Words() []string {
	var list []string
	for _, r := range AllRights() {
		switch {
		case rs.Has(r):
			list = append(list, r.String())
		case rs.HasOwn(r):
			list = append(list, r.String()+":own")
		}
	}
	return list
}

// String is "list read:own", "all" or "no rights".
func (rs Rights) String() string {
	switch {
	case rs.whole == everyRight:
		return "all"
	case rs.IsEmpty():
		return "no rights"
	}
	return strings.Join(rs.Words(), " ")
}

// counting is what rs is worth for a thing: mine tells that the one who holds
// rs created it. Only here do :own forms come to count.
func (rs Rights) counting(mine bool) mask {
	if mine {
		return rs.whole | rs.own
	}
	return rs.whole
}

// with is the union of rs and more.
func (rs Rights) with(more Rights) Rights {
	whole := rs.whole | more.whole
	return Rights{whole, (rs.own | more.own) &^ whole}
}

// whole is the set of rights that hold for everything.
func whole(list ...Right) Rights {
	var rs Rights
	for _, r := range list {
		rs.whole |= bit(r)
	}
	return rs
}

// own is the set of rights that hold for what the principal created.
func own(list ...Right) Rights { return Rights{own: whole(list...).whole} }
