package storetest

import (
	"errors"
	"maps"
	"math/rand/v2"
	"strings"

	"portico/fault"
	"portico/store"
	"portico/vpath"
)

func propRoundTrip(s *suite) {
	p := vpath.Must("/w/a")
	b, a := prop("b", "1"), prop("a", "2")
	other := store.Prop{Space: "", Local: "z", XML: "<z>" + strings.Repeat("ü", 1<<15) + "</z>"}
	s.update(func(tx store.Tx) error {
		return errors.Join(tx.PutProp(p, b), tx.PutProp(p, a), tx.PutProp(p, other))
	})
	s.equal("PropsOf", must[[]store.Prop](s)(s.PropsOf(s.Context(), p)), []store.Prop{other, a, b})
	a.XML = `<a xmlns="urn:x"/>`
	s.update(func(tx store.Tx) error { return tx.PutProp(p, a) })
	s.equal("replaced", must[[]store.Prop](s)(s.PropsOf(s.Context(), p)), []store.Prop{other, a, b})
	s.equal("of nothing", must[[]store.Prop](s)(s.PropsOf(s.Context(), vpath.Must("/w"))), []store.Prop{})
}

func propDrop(s *suite) {
	a := vpath.Must("/w/a")
	s.putProps("/w/a", "/w/a/x", "/w/a/x/y")
	s.putProps(hostile()...)
	s.update(func(tx store.Tx) error { return tx.PutProp(a, prop("q", "")) })
	s.update(func(tx store.Tx) error {
		return errors.Join(tx.DropProp(a, "urn:x", "q"), tx.DropProp(a, "urn:y", "p"), tx.DropProp(a, "urn:x", "none"))
	})
	s.equal("DropProp", s.texts("/w/a", "/w/a/x"), want("/w/a", "/w/a", "/w/a/x", "/w/a/x"))
	s.update(func(tx store.Tx) error { return tx.DropProps(a) })
	s.equal("DropProps", s.texts("/w/a", "/w/a/x"), want("/w/a/x", "/w/a/x"))
	s.update(func(tx store.Tx) error { return tx.DropPropsBelow(a) })
	s.equal("DropPropsBelow", s.texts("/w/a", "/w/a/x", "/w/a/x/y"), want())
	if left := s.texts(hostile()...); len(left) != len(hostile()) {
		s.Errorf("DropPropsBelow(/w/a) left %d of its %d neighbours", len(left), len(hostile()))
	}
}

func propsMove(s *suite) {
	s.putProps("/w/a", "/w/a/x", "/w/a/日本/y", "/w/t", "/w/t/x", "/w/t/old")
	s.putProps(hostile()...)
	s.update(func(tx store.Tx) error { return tx.MoveProps(vpath.Must("/w/a"), vpath.Must("/w/t")) })
	s.equal("moved", s.texts("/w/a", "/w/a/x", "/w/a/日本/y", "/w/t", "/w/t/x", "/w/t/日本/y", "/w/t/old"),
		want("/w/t", "/w/a", "/w/t/x", "/w/a/x", "/w/t/日本/y", "/w/a/日本/y"))
	in := s.propsIn(vpath.Must("/w/t"))
	if len(in) != 2 {
		s.Errorf("properties of the moved folder = %v, want it and its x", in)
	}
	if left := s.texts(hostile()...); len(left) != len(hostile()) {
		s.Errorf("MoveProps(/w/a) left %d of its %d neighbours", len(left), len(hostile()))
	}

	// A file, to another workspace; then back to where the name is longer.
	s.update(func(tx store.Tx) error { return tx.MoveProps(vpath.Must("/w/t/x"), vpath.Must("/v")) })
	s.equal("to the top", s.propsIn(vpath.Path{}),
		map[vpath.Path][]store.Prop{vpath.Must("/v"): {prop("p", "/w/a/x")}})
	s.update(func(tx store.Tx) error { return tx.MoveProps(vpath.Must("/w/none"), vpath.Must("/v")) })
	s.equal("what had no properties replaces what had", s.texts("/v"), want())
}

func propsOverlap(s *suite) {
	s.putProps("/w/a", "/w/a/x")
	a, x := vpath.Must("/w/a"), vpath.Must("/w/a/x")
	for _, pair := range [][2]vpath.Path{{a, x}, {x, a}, {{}, a}} {
		for name, f := range map[string]func(store.Tx) error{
			"MoveProps": func(tx store.Tx) error { return tx.MoveProps(pair[0], pair[1]) },
			"CopyProps": func(tx store.Tx) error { return tx.CopyProps(pair[0], pair[1], true) },
		} {
			if err := s.Update(s.Context(), f); !errors.Is(err, fault.ErrConflict) {
				s.Errorf("%s(%s, %s) = %v, want fault.ErrConflict", name, pair[0], pair[1], err)
			}
		}
	}
	s.update(func(tx store.Tx) error {
		return errors.Join(tx.MoveProps(a, a), tx.CopyProps(a, a, true), tx.CopyProps(a, a, false))
	})
	s.equal("nothing happened", s.texts("/w/a", "/w/a/x"), want("/w/a", "/w/a", "/w/a/x", "/w/a/x"))
}

func propsCopyDeep(s *suite) {
	s.putProps("/w/a", "/w/a/x", "/w/a/x/y", "/w/t", "/w/t/x", "/w/t/old")
	s.putProps(hostile()...)
	s.update(func(tx store.Tx) error { return tx.CopyProps(vpath.Must("/w/a"), vpath.Must("/w/t"), true) })
	s.equal("copied", s.texts("/w/a", "/w/a/x", "/w/a/x/y", "/w/t", "/w/t/x", "/w/t/x/y", "/w/t/old"),
		want("/w/a", "/w/a", "/w/a/x", "/w/a/x", "/w/a/x/y", "/w/a/x/y",
			"/w/t", "/w/a", "/w/t/x", "/w/a/x", "/w/t/x/y", "/w/a/x/y"))
	in := s.propsIn(vpath.Must("/w/t"))
	if len(in) != 2 {
		s.Errorf("properties of the copy = %v, want it and its x", in)
	}
	if left := s.texts(hostile()...); len(left) != len(hostile()) {
		s.Errorf("%d of %d neighbours are left", len(left), len(hostile()))
	}
}

func propsCopyShallow(s *suite) {
	s.putProps("/w/a", "/w/a/x", "/w/t", "/w/t/x")
	s.update(func(tx store.Tx) error {
		if err := tx.PutProp(vpath.Must("/w/t"), prop("q", "old")); err != nil {
			return err
		}
		return tx.CopyProps(vpath.Must("/w/a"), vpath.Must("/w/t"), false)
	})
	s.equal("the folder alone", s.texts("/w/a", "/w/a/x", "/w/t", "/w/t/x"),
		want("/w/a", "/w/a", "/w/a/x", "/w/a/x", "/w/t", "/w/a", "/w/t/x", "/w/t/x"))
	// A folder alone may be copied into itself.
	s.update(func(tx store.Tx) error { return tx.CopyProps(vpath.Must("/w/a"), vpath.Must("/w/a/x"), false) })
	s.equal("into itself", s.texts("/w/a", "/w/a/x"), want("/w/a", "/w/a", "/w/a/x", "/w/a"))
}

// propsModel runs random changes on the store and on a map, and compares.
func propsModel(s *suite) {
	const seed = 20260301
	rnd := rand.New(rand.NewPCG(seed, seed))
	names := []string{"a", "ab", "a!", "%", "_", "é"}
	paths := []string{"/w"}
	for _, x := range names {
		paths = append(paths, "/w/"+x)
		for _, y := range names[:3] {
			paths = append(paths, "/w/"+x+"/"+y, "/w/"+x+"/"+y+"/z")
		}
	}
	pick := func() vpath.Path { return vpath.Must(paths[rnd.IntN(len(paths))]) }
	model := make(map[vpath.Path]string)
	for step := range 300 {
		from, to := pick(), pick()
		overlap := from.Contains(to) || to.Contains(from)
		s.update(func(tx store.Tx) error {
			switch op := rnd.IntN(6); {
			case op <= 2:
				text := from.String()
				model[from] = text
				return tx.PutProp(from, prop("p", text))
			case op == 3 && !overlap:
				modelTransfer(model, from, to, true)
				return tx.MoveProps(from, to)
			case op == 4 && !overlap:
				modelTransfer(model, from, to, false)
				return tx.CopyProps(from, to, true)
			case op == 5 && from.Depth() > 1:
				modelDrop(model, from)
				return tx.DropPropsBelow(from)
			}
			return nil
		})
		if step%20 == 19 {
			modelCompare(s, model, paths)
		}
	}
}

func modelDrop(model map[vpath.Path]string, p vpath.Path) {
	for q := range model {
		if p.Contains(q) {
			delete(model, q)
		}
	}
}

func modelTransfer(model map[vpath.Path]string, from, to vpath.Path, move bool) {
	modelDrop(model, to)
	made := make(map[vpath.Path]string)
	for q, text := range model {
		rest, ok := from.Under(q)
		if !ok {
			continue
		}
		moved, err := to.Join(rest)
		if err != nil {
			panic(err) // the paths of the test are short
		}
		made[moved] = text
		if move {
			delete(model, q)
		}
	}
	maps.Copy(model, made)
}

func modelCompare(s *suite, model map[vpath.Path]string, paths []string) {
	s.Helper()
	wanted := make(map[string]string)
	all := append([]string{}, paths...)
	for q, text := range model {
		wanted[q.String()] = prop("p", text).XML
		all = append(all, q.String())
	}
	got := make(map[string]string)
	for _, p := range all {
		for path, props := range s.propsIn(vpath.Must(p)) {
			got[path.String()] = props[0].XML
		}
	}
	s.equal("store and model", got, wanted)
	if s.Failed() {
		s.FailNow()
	}
}
