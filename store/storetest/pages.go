package storetest

import (
	"errors"
	"fmt"
	"strings"

	"portico/store"
	"portico/vpath"
)

// aroundCut: properties that come to more than was asked for are left out, all of them,
// and the locks are not.
func aroundCut(s *suite) {
	s.putProps("/w/a", "/w/a/x", "/w/a/y", "/w/b")
	s.putLocks(lock("/w/a", true), lock("/w/a/x", false))
	s.update(func(tx store.Tx) error {
		return tx.PutProp(vpath.Must("/w/a/x"), prop("long", strings.Repeat("ü", 1<<15)))
	})
	l := store.Listing{Path: vpath.Must("/w/a"), Members: true, Locks: true, Props: true}
	whole := s.around(l, now())
	for _, bytes := range []int{1, 1 << 10, 1 << 16, 1 << 20, 0} {
		l.Bytes = bytes
		got, want := s.around(l, now()), whole
		if bytes > 0 && bytes < 1<<17 {
			want.Props, want.Cut = nil, true
		}
		s.equal(fmt.Sprint(bytes, " bytes"), got, want)
	}
	// Of the thing alone, and without its properties.
	l.Bytes, l.Members = 1, false
	s.equal("alone", s.around(l, now()).Cut, true)
	l.Props = false
	s.equal("without properties", s.around(l, now()).Cut, false)
}

// heap gives 300 things none, one, four or many properties, the first of them long ones.
func (s *suite) heap() (list []vpath.Path, has map[vpath.Path][]store.Prop) {
	s.Helper()
	has = map[vpath.Path][]store.Prop{}
	for i := range 300 {
		p := vpath.Must(fmt.Sprintf("/w/f%03d", (i*7)%300))
		list = append(list, p)
		for j := range []int{0, 1, 4, 33}[i%4] {
			one := prop(fmt.Sprintf("p%02d", j), p.String())
			if i < 100 {
				one.XML = strings.Repeat("x", 8<<10)
			}
			has[p] = append(has[p], one)
		}
	}
	s.update(func(tx store.Tx) error {
		for p, some := range has {
			for _, one := range some {
				if err := tx.PutProp(p, one); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return list, has
}

// page is what is read of a list at once.
func (s *suite) page(list []vpath.Path) (props map[vpath.Path][]store.Prop, done int) {
	s.Helper()
	props, done, err := s.PropsAt(s.Context(), list)
	if err != nil || done < 1 || done > len(list) {
		s.Fatalf("PropsAt = %d, %v", done, err)
	}
	size := 0
	for _, some := range props {
		for _, one := range some {
			size += len(one.XML)
		}
	}
	if size > 5<<20 {
		s.Errorf("%d bytes at once", size)
	}
	return props, done
}

// propsInPages: a list of any length is read, some things at a time, whatever they have.
func propsInPages(s *suite) {
	list, has := s.heap()
	got, pages := map[vpath.Path][]store.Prop{}, 0
	for rest := list; len(rest) > 0; pages++ {
		props, done := s.page(rest)
		for _, p := range rest[:done] {
			if len(props[p]) > 0 {
				got[p] = props[p]
			}
		}
		rest = rest[done:]
	}
	s.equal("all pages", got, has)
	if pages < 3 {
		s.Errorf("%d pages", pages)
	}
	// A thing that has more than is read at once comes alone.
	s.update(func(tx store.Tx) error {
		var all error
		for j := range 600 {
			all = errors.Join(all, tx.PutProp(list[0], prop(fmt.Sprintf("q%03d", j), "")))
		}
		return all
	})
	if props, done := s.page(list); done != 1 || len(props[list[0]]) != 600 {
		s.Errorf("PropsAt = %d things, %d properties", done, len(props[list[0]]))
	}
}

// propBelow finds one property in a tree, in a transaction and outside.
func propBelow(s *suite) {
	s.putProps("/w/a", "/w/a/x", "/w/a/x/deep", "/w", "/w/ab")
	s.putProps(hostile()...)
	s.update(func(tx store.Tx) error {
		return errors.Join(tx.PutProp(vpath.Must("/w/a/x"), prop("q", "other")), tx.PutProp(vpath.Must("/w/a"), store.Prop{Space: "urn:y", Local: "p", XML: "<y/>"}))
	})
	a := vpath.Must("/w/a")
	want := map[vpath.Path]store.Prop{}
	for _, p := range []string{"/w/a", "/w/a/x", "/w/a/x/deep"} {
		want[vpath.Must(p)] = prop("p", p)
	}
	s.equal("outside", must[map[vpath.Path]store.Prop](s)(s.PropBelow(s.Context(), a, "urn:x", "p")), want)
	s.update(func(tx store.Tx) error {
		got, err := tx.PropBelow(s.Context(), a, "urn:x", "p")
		s.equal("inside", got, want)
		return err
	})
	s.equal("none", must[map[vpath.Path]store.Prop](s)(s.PropBelow(s.Context(), a, "urn:x", "none")), map[vpath.Path]store.Prop{})
}
