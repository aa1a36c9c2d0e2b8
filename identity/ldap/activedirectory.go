package ldap

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	goldap "github.com/go-ldap/ldap/v3"
)

// inChain is Active Directory's rule LDAP_MATCHING_RULE_IN_CHAIN: a condition
// with it finds groups that hold somebody at any depth (MS-ADTS §3.1.1.3.4.4.3).
const inChain = "1.2.840.113556.1.4.1941"

// activeDirectory finds all groups in one search by the matching rule. Which is
// reached through which, the answer says too: memberOf of each is kept by the
// domain controller itself. Where it does not (an account that may not read
// memberOf, a group in between that lies outside the base), the walk from group
// to group finds out, and what it does not reach stands at the end, since the
// domain controller has said that it counts.
func (w *walk) activeDirectory(ctx context.Context, e *goldap.Entry) error {
	direct := w.d.stepFilter(e.DN)
	primary, err := w.primary(ctx, e)
	if err != nil {
		return err
	}
	if !w.d.o.Groups.Nested {
		return w.direct(ctx, direct, primary)
	}
	chain := []string{w.d.chainFilter(e.DN)}
	for _, g := range primary {
		chain = append(chain, w.d.chainFilter(g.dn))
	}
	all, err := w.find(ctx, "(|"+strings.Join(chain, "")+")")
	if err != nil {
		return err
	}
	up, err := w.d.keysOf(ctx, e, "memberOf")
	if err != nil {
		return err
	}
	cut := w.order(all, up, primary)
	if cut || w.holds(all) {
		return nil
	}
	if err := w.direct(ctx, direct, primary); err != nil {
		return err
	}
	if cut, err = w.climb(ctx, slices.Clone(w.all)); err != nil || cut {
		return err
	}
	for _, g := range all {
		w.add(g, nil)
	}
	return nil
}

// direct adds the groups that list the person, and the primary one.
func (w *walk) direct(ctx context.Context, filter string, primary []*group) error {
	found, err := w.find(ctx, filter)
	if err != nil {
		return err
	}
	for _, g := range append(primary, found...) {
		w.add(g, nil)
	}
	return nil
}

// order adds groups level by level, by what memberOf says. cut tells that there
// are more below the last level that counts.
func (w *walk) order(all []*group, up map[string]bool, primary []*group) (cut bool) {
	for _, g := range primary {
		w.add(g, nil)
	}
	for _, g := range all {
		if up[g.key] {
			w.add(g, nil)
		}
	}
	level := w.all
	for depth := 1; len(level) > 0; depth++ {
		if depth == maxDepth {
			return true
		}
		start := len(w.all)
		for _, child := range level {
			for _, g := range all {
				if child.up[g.key] {
					w.add(g, child)
				}
			}
		}
		level = w.all[start:]
	}
	return false
}

// holds tells whether all of these have been reached.
func (w *walk) holds(all []*group) bool {
	return !slices.ContainsFunc(all, func(g *group) bool { return w.seen[g.key] == nil })
}

// primary is the group that an account names by its number, and that does not
// list it as a member: "Domain Users", for most (MS-SAMR §3.1.1.8.2).
func (w *walk) primary(ctx context.Context, e *goldap.Entry) ([]*group, error) {
	sid := sibling(raw(e, "objectSid"), uint32(number(e, "primaryGroupID"))) //nolint:gosec // a number of 32 bits
	if sid == nil || number(e, "primaryGroupID") == 0 {
		return nil, nil
	}
	return w.find(ctx, "(objectSid="+escapeBytes(sid)+")")
}

func raw(e *goldap.Entry, attribute string) []byte {
	if all := e.GetEqualFoldRawAttributeValues(attribute); len(all) == 1 {
		return all[0]
	}
	return nil
}

// chainFilter is the filter for groups with the matching rule, wherever the
// config has written the plain condition; stepFilter is the other way round.
func (d *Directory) chainFilter(dn string) string {
	text := equality(placeDN).ReplaceAllString(d.o.Groups.Filter, "($1:"+inChain+":=$2)")
	return template(text).fill(dn, nobody)
}

func (d *Directory) stepFilter(dn string) string {
	return template(strings.ReplaceAll(d.o.Groups.Filter, ":"+inChain+":=", "=")).fill(dn, nobody)
}

// keysOf are the DNs in an attribute, as keys.
func (d *Directory) keysOf(ctx context.Context, e *goldap.Entry, attribute string) (map[string]bool, error) {
	list, err := d.every(ctx, e, attribute)
	if err != nil {
		return nil, err
	}
	keys := make(map[string]bool, len(list))
	for _, dn := range list {
		keys[dnKey(dn)] = true
	}
	return keys, nil
}

// every gives all values of an attribute. A domain controller hands out 1,500 at
// a time, under a name that says which: "member;range=0-1499". The last piece
// ends in "*" (MS-ADTS §3.1.1.3.1.3.3).
func (d *Directory) every(ctx context.Context, e *goldap.Entry, attribute string) ([]string, error) {
	list := e.GetEqualFoldAttributeValues(attribute)
	piece, next := pieceOf(e, attribute)
	for list = append(slices.Clip(list), piece...); next > 0; list = append(list, piece...) {
		req := d.request(e.DN, "(objectClass=*)", 1, []string{attribute + ";range=" + strconv.Itoa(next) + "-*"})
		req.Scope = goldap.ScopeBaseObject
		found, err := d.search(ctx, req)
		if err != nil {
			return nil, err
		}
		if len(found) != 1 {
			return nil, fmt.Errorf("%q went away while it was read", e.DN)
		}
		before := next
		if piece, next = pieceOf(found[0], attribute); next > 0 && next <= before {
			return nil, fmt.Errorf("the directory repeats the %s of %q from %d on", attribute, e.DN, next)
		}
	}
	return list, nil
}

// pieceOf finds a piece in an entry, and where the next one begins: 0 where it
// was the last, or there is none.
func pieceOf(e *goldap.Entry, attribute string) (piece []string, next int) {
	start := strings.ToLower(attribute) + ";range="
	for _, a := range e.Attributes {
		bounds, ranged := strings.CutPrefix(strings.ToLower(a.Name), start)
		if !ranged {
			continue
		}
		_, last, _ := strings.Cut(bounds, "-")
		if n, err := strconv.Atoi(last); err == nil {
			return a.Values, n + 1
		}
		return a.Values, 0
	}
	return nil, 0
}
