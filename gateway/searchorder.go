package gateway

import (
	"cmp"
	"strings"

	"portico/files"
)

// maxOrders bounds what a search is sorted by.
const maxOrders = 8

// order is one property that a search is sorted by.
type order struct {
	field
	descending, caseless bool
}

// parseOrder reads an orderby element (RFC 5323 §5.6), if there is one.
func parseOrder(basic *element) (list []order, err error) {
	by := basic.child("orderby")
	if by == nil {
		return nil, nil
	}
	for _, e := range by.children() {
		if !e.is("order") || len(list) == maxOrders {
			return nil, unsearchable("The orderby of the search has something other than order in it, or more than %d.", maxOrders)
		}
		f, err := fieldOf(e)
		if err != nil {
			return nil, err
		}
		list = append(list, order{f, e.child("descending") != nil, isCaseless(e)})
	}
	return list, nil
}

// hit is a thing that was found, with what it is sorted by where that is a text:
// to fold it at each comparison would take most of a search's time.
type hit struct {
	files.Node
	keys []string // by order
}

func keysOf(list []order, n *files.Node) []string {
	if len(list) == 0 {
		return nil
	}
	keys := make([]string, len(list))
	for i, o := range list {
		if o.text != nil {
			v, _ := o.text(n)
			keys[i] = folded(v, o.caseless)
		}
	}
	return keys
}

// compareBy orders two things. What has no value comes before all that have one
// (RFC 5323 §5.6), and things that are alike are in the order of their paths.
func compareBy(list []order, a, b *hit) int {
	for i, o := range list {
		n := o.compare(a, b, i)
		if o.descending {
			n = -n
		}
		if n != 0 {
			return n
		}
	}
	return a.Path.Compare(b.Path)
}

// compare is for the order at i.
func (o order) compare(a, b *hit, i int) int {
	switch {
	case o.number != nil:
		x, has := o.number(&a.Node)
		y, hasToo := o.number(&b.Node)
		return cmp.Or(presence(has, hasToo), cmp.Compare(x, y))
	case o.moment != nil:
		x, has := o.moment(&a.Node)
		y, hasToo := o.moment(&b.Node)
		return cmp.Or(presence(has, hasToo), x.Compare(y))
	}
	return cmp.Or(presence(o.has(&a.Node), o.has(&b.Node)), strings.Compare(a.keys[i], b.keys[i]))
}

func presence(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}
