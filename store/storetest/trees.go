package storetest

import (
	"errors"
	"maps"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"portico/fault"
	"portico/store"
	"portico/vpath"
)

// tree is a role whose rows follow their files. Each row of a test has an ID of its
// own, and all that counts is where it lies.
type tree struct {
	put  func(tx store.Tx, id string, p vpath.Path) error
	drop func(tx store.Tx, p vpath.Path) error
	move func(tx store.Tx, from, to vpath.Path) error
	// all tells where each row lies, of those at or next below one of the paths.
	all func(s *suite, at []vpath.Path) map[string]string
}

func trees() map[string]tree {
	return map[string]tree{
		"grants":   {putTreeGrant, store.Tx.DropGrantsBelow, store.Tx.MoveGrants, treeGrants},
		"deposits": {putTreeDeposit, store.Tx.DepositsGoneBelow, store.Tx.MoveDeposits, treeDeposits},
		"labels":   {putTreeLabel, store.Tx.DropLabelsBelow, store.Tx.MoveLabels, treeLabels},
		"contacts": {putTreeContact, store.Tx.DropContactFolders, store.Tx.MoveContactFolders, treeContacts},
	}
}

// treeTests are the tests of each such role. Those of one share a store: to make one
// takes longer than most of them.
func treeTests() map[string]func(*suite) {
	tests := make(map[string]func(*suite))
	for name, role := range trees() {
		tests[name+"/tree"] = func(s *suite) {
			for what, test := range map[string]func(*suite, tree){
				"drop": treeDrop, "move": treeMove, "move far": treeFar, "overlap": treeOverlap, "against a map": treeModel,
			} {
				s.Run(what, func(t *testing.T) {
					one := &suite{T: t, State: s.State}
					one.update(func(tx store.Tx) error { return role.drop(tx, vpath.Path{}) })
					test(one, role)
				})
			}
		}
	}
	return tests
}

func putTreeGrant(tx store.Tx, id string, p vpath.Path) error {
	return tx.PutGrant(store.Grant{ID: id, Path: p})
}

func treeGrants(s *suite, _ []vpath.Path) map[string]string {
	all := make(map[string]string)
	for _, g := range must[[]store.Grant](s)(s.GrantsBelow(s.Context(), vpath.Path{})) {
		all[g.ID] = g.Path.String()
	}
	return all
}

func putTreeDeposit(tx store.Tx, id string, p vpath.Path) error {
	return tx.PutDeposit(store.Deposit{ID: id, Path: p, Name: "x"})
}

func treeDeposits(s *suite, _ []vpath.Path) map[string]string {
	all := make(map[string]string)
	for _, d := range must[[]store.Deposit](s)(s.DepositsBelow(s.Context(), vpath.Path{})) {
		if !d.Gone {
			all[d.ID] = d.Path.String()
		}
	}
	return all
}

func putTreeLabel(tx store.Tx, id string, p vpath.Path) error {
	return tx.PutLabel(store.Label{Owner: "ann", Path: p, Name: id})
}

func treeLabels(s *suite, at []vpath.Path) map[string]string {
	all := make(map[string]string)
	for _, p := range at {
		for _, l := range must[[]store.Label](s)(s.LabelsIn(s.Context(), "ann", p)) {
			if l.Path != p && l.Path.Parent() != p {
				s.Errorf("LabelsIn(%s) gave one of %s", p, l.Path)
			}
			all[l.Name] = l.Path.String()
		}
	}
	return all
}

func putTreeContact(tx store.Tx, id string, p vpath.Path) error {
	return tx.PutContact(store.Contact{Workspace: "w", Mail: id, Folders: []vpath.Path{p}})
}

func treeContacts(s *suite, _ []vpath.Path) map[string]string {
	all := make(map[string]string)
	for _, c := range must[[]store.Contact](s)(s.ContactsIn(s.Context(), "w")) {
		if len(c.Folders) > 0 {
			all[c.Mail] = c.Folders[0].String()
		}
	}
	return all
}

// plant puts a row at each of the paths, whose ID is the path.
func (s *suite) plant(r tree, paths ...string) {
	s.Helper()
	s.update(func(tx store.Tx) error {
		for _, p := range paths {
			if err := r.put(tx, p, vpath.Must(p)); err != nil {
				return err
			}
		}
		return nil
	})
}

// stands wants the rows to lie where want says, of ID and path by turns.
func (s *suite) stands(r tree, what string, want ...string) {
	s.Helper()
	wanted := make(map[string]string)
	var at []vpath.Path
	for i := 0; i < len(want); i += 2 {
		wanted[want[i]] = want[i+1]
		at = append(at, vpath.Must(want[i]), vpath.Must(want[i+1]))
	}
	s.equal(what, r.all(s, at), wanted)
}

// still are paths and themselves by turns.
func still(paths ...string) []string {
	var all []string
	for _, p := range paths {
		all = append(all, p, p)
	}
	return all
}

func treeDrop(s *suite, r tree) {
	s.plant(r, "/w/a", "/w/a/x", "/w/a/x/y", "/w")
	s.plant(r, hostile()...)
	left := append(still(hostile()...), "/w", "/w")
	s.update(func(tx store.Tx) error { return r.drop(tx, vpath.Must("/w/none")) })
	s.stands(r, "nothing dropped", append(still("/w/a", "/w/a/x", "/w/a/x/y"), left...)...)
	s.update(func(tx store.Tx) error { return r.drop(tx, vpath.Must("/w/a/x")) })
	s.stands(r, "dropped below", append(still("/w/a"), left...)...)
	s.update(func(tx store.Tx) error { return r.drop(tx, vpath.Must("/w/a")) })
	s.stands(r, "dropped", left...)
	s.update(func(tx store.Tx) error { return r.drop(tx, vpath.Path{}) })
	s.stands(r, "all dropped")
}

func treeMove(s *suite, r tree) {
	s.plant(r, "/w/a", "/w/a/x", "/w/a/日本/y", "/w/t", "/w/t/x", "/w/t/old")
	s.plant(r, hostile()...)
	s.update(func(tx store.Tx) error { return r.move(tx, vpath.Must("/w/a"), vpath.Must("/w/t")) })
	s.stands(r, "moved", append(still(hostile()...), "/w/a", "/w/t", "/w/a/x", "/w/t/x", "/w/a/日本/y", "/w/t/日本/y")...)
	// Back, to a name that has wildcards and is longer.
	s.update(func(tx store.Tx) error { return r.move(tx, vpath.Must("/w/t"), vpath.Must("/w/é u/%_%")) })
	s.stands(r, "moved on", append(still(hostile()...),
		"/w/a", "/w/é u/%_%", "/w/a/x", "/w/é u/%_%/x", "/w/a/日本/y", "/w/é u/%_%/日本/y")...)
	s.update(func(tx store.Tx) error { return r.move(tx, vpath.Must("/w/none"), vpath.Must("/w/é u")) })
	s.stands(r, "what had nothing replaces what had", still(hostile()...)...)
}

// treeFar moves as deep as a path goes, and to the top.
func treeFar(s *suite, r tree) {
	deep := vpath.Must("/w" + strings.Repeat("/d", 60))
	s.plant(r, "/w/a", "/w/a/x", "/v")
	s.update(func(tx store.Tx) error { return r.move(tx, vpath.Must("/w/a"), deep) })
	s.stands(r, "deep", "/v", "/v", "/w/a", deep.String(), "/w/a/x", deep.String()+"/x")
	s.update(func(tx store.Tx) error { return r.move(tx, deep.Parent(), vpath.Must("/v")) })
	s.stands(r, "to the top", "/w/a", "/v/d", "/w/a/x", "/v/d/x")
}

func treeOverlap(s *suite, r tree) {
	s.plant(r, "/w/a", "/w/a/x")
	a, x := vpath.Must("/w/a"), vpath.Must("/w/a/x")
	for _, pair := range [][2]vpath.Path{{a, x}, {x, a}, {{}, a}} {
		err := s.Update(s.Context(), func(tx store.Tx) error { return r.move(tx, pair[0], pair[1]) })
		if !errors.Is(err, fault.ErrConflict) {
			s.Errorf("move of %s to %s = %v, want fault.ErrConflict", pair[0], pair[1], err)
		}
	}
	s.update(func(tx store.Tx) error { return r.move(tx, a, a) })
	s.stands(r, "nothing happened", still("/w/a", "/w/a/x")...)
}

// treeModel runs random changes on the store and on a map, and compares.
func treeModel(s *suite, r tree) {
	const seed = 20260302
	rnd := rand.New(rand.NewPCG(seed, seed))
	var paths []string
	for _, x := range []string{"a", "ab", "a!", "%", "_", "é"} {
		paths = append(paths, "/w/"+x)
		for _, y := range []string{"a", "ab", "%"} {
			paths = append(paths, "/w/"+x+"/"+y, "/w/"+x+"/"+y+"/z")
		}
	}
	model := make(map[string]vpath.Path)
	for step := range 200 {
		from, to := vpath.Must(paths[rnd.IntN(len(paths))]), vpath.Must(paths[rnd.IntN(len(paths))])
		id := strconv.Itoa(step)
		s.update(func(tx store.Tx) error {
			switch op := rnd.IntN(4); {
			case op <= 1:
				model[id] = from
				return r.put(tx, id, from)
			case op == 2:
				uproot(model, from)
				return r.drop(tx, from)
			case from.Contains(to) || to.Contains(from):
				return nil
			}
			transplant(model, from, to)
			return r.move(tx, from, to)
		})
		if step%20 == 19 {
			s.grown(r, model)
		}
	}
}

func uproot(model map[string]vpath.Path, p vpath.Path) {
	maps.DeleteFunc(model, func(_ string, q vpath.Path) bool { return p.Contains(q) })
}

func transplant(model map[string]vpath.Path, from, to vpath.Path) {
	uproot(model, to)
	for id, p := range model {
		rest, below := from.Under(p)
		if !below {
			continue
		}
		moved, err := to.Join(rest)
		if err != nil {
			panic(err) // the paths of the test are short
		}
		model[id] = moved
	}
}

// grown compares the store and the model.
func (s *suite) grown(r tree, model map[string]vpath.Path) {
	s.Helper()
	want := make(map[string]string)
	var at []vpath.Path
	for id, p := range model {
		want[id] = p.String()
		at = append(at, p)
	}
	s.equal("store and model", r.all(s, at), want)
	if s.Failed() {
		s.FailNow()
	}
}
