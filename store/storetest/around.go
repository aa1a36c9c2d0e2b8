package storetest

import (
	"errors"
	"maps"
	"slices"
	"time"

	"portico/store"
	"portico/vpath"
)

func (s *suite) around(l store.Listing, at time.Time) store.Around {
	s.Helper()
	return must[store.Around](s)(s.Around(s.Context(), l, at))
}

// propsIn gives the properties of p and of its direct members.
func (s *suite) propsIn(p vpath.Path) map[vpath.Path][]store.Prop {
	s.Helper()
	return s.around(store.Listing{Path: p, Members: true, Props: true}, now()).Props
}

func aroundLocks(s *suite) {
	s.putLocks(lock("/", true), lock("/w", false), lock("/w/a", true), lock("/w/a/b", false), lock("/w/a/b/c", true), lock("/v", true))
	short := lock("/w/a/short", false)
	short.Expires = now().Add(time.Minute)
	s.putLocks(short)
	for path, want := range map[string]struct{ alone, members []string }{
		"/":            {[]string{"/"}, []string{"/", "/v", "/w", "/w/a", "/w/a/b", "/w/a/b/c"}},
		"/w":           {[]string{"/", "/w"}, []string{"/", "/w", "/w/a", "/w/a/b", "/w/a/b/c"}},
		"/w/a":         {[]string{"/", "/w/a"}, []string{"/", "/w/a", "/w/a/b", "/w/a/b/c"}},
		"/w/a/b":       {[]string{"/", "/w/a", "/w/a/b"}, []string{"/", "/w/a", "/w/a/b", "/w/a/b/c"}},
		"/w/a/short":   {[]string{"/", "/w/a"}, []string{"/", "/w/a"}}, // at the moment of its end it has ended
		"/w/a/b/c/d/e": {[]string{"/", "/w/a", "/w/a/b/c"}, []string{"/", "/w/a", "/w/a/b/c"}},
		"/z":           {[]string{"/"}, []string{"/"}},
	} {
		l := store.Listing{Path: vpath.Must(path), Locks: true}
		s.equal("of "+path, tokens(s.around(l, short.Expires).Locks), want.alone)
		l.Members = true
		s.equal("in "+path, tokens(s.around(l, short.Expires).Locks), want.members)
	}
}

func aroundProps(s *suite) {
	s.putProps("/", "/w", "/w/a", "/w/a/x", "/w/a/y", "/w/a/x/deep", "/w/ab", "/w/ab/x")
	s.putProps(hostile()[5:]...) // some that are not /w/ab
	for path, members := range map[string][]string{"/w/a": {"/w/a/x", "/w/a/y"}, "/": {"/w"}, "/w/a/x": {"/w/a/x/deep"}, "/w/a/y": nil} {
		p := vpath.Must(path)
		alone := map[vpath.Path][]store.Prop{p: {prop("p", path)}}
		s.equal("of "+path, s.around(store.Listing{Path: p, Props: true}, now()).Props, alone)
		for _, m := range members {
			alone[vpath.Must(m)] = []store.Prop{prop("p", m)}
		}
		s.equal("in "+path, s.propsIn(p), alone)
	}
	s.equal("of nothing", s.propsIn(vpath.Must("/v")), map[vpath.Path][]store.Prop{})
}

// aroundOrder: locks by path, moment and token; properties by name, and with all
// that is in them.
func aroundOrder(s *suite) {
	a, child := vpath.Must("/w/a"), vpath.Must("/w/a/x")
	early, late, twin := lock("/w/a", true), lock("/w/a", true), lock("/w/a", true)
	early.Token, late.Token, twin.Token = "z", "a", "b"
	late.Created = now().Add(time.Second)
	twin.Created, twin.Shared, twin.OwnerXML, twin.Timeout = late.Created, true, "<o>Ü</o>", 7
	below := lock("/w/a/x", false)
	props := []store.Prop{{Space: "", Local: "z", XML: "<z/>"}, prop("a", "ü"), prop("b", "2"), {Space: "urn:y", Local: "a", XML: "<a/>"}}
	s.putLocks(below, twin, late, early)
	s.update(func(tx store.Tx) error {
		var all error
		for _, p := range slices.Backward(props) {
			all = errors.Join(all, tx.PutProp(a, p), tx.PutProp(child, p))
		}
		return all
	})
	s.equal("all", s.around(store.Listing{Path: a, Members: true, Locks: true, Props: true}, now()), store.Around{
		Locks: []store.Lock{early, late, twin, below},
		Props: map[vpath.Path][]store.Prop{a: props, child: props},
	})
}

// aroundModel asks each question of many paths, outside a transaction and in
// one, and holds the answers against those of the plain questions.
func aroundModel(s *suite) {
	paths := append(hostile(), "/", "/w", "/w/a", "/w/a/x", "/w/a/x/y", "/w/a0/x")
	s.putProps(paths...)
	for i, p := range paths {
		s.putLocks(lock(p, i%2 == 0))
	}
	for _, p := range paths {
		for i := range 8 {
			l := store.Listing{Path: vpath.Must(p), Members: i&1 != 0, Locks: i&2 != 0, Props: i&4 != 0}
			want := s.plainAround(l, paths)
			s.equal("outside", s.around(l, now()), want)
			s.update(func(tx store.Tx) error {
				got, err := tx.Around(s.Context(), l, now())
				s.equal("inside", got, want)
				return err
			})
		}
	}
}

// plainAround asks for each thing by itself.
func (s *suite) plainAround(l store.Listing, paths []string) (a store.Around) {
	s.Helper()
	if l.Locks {
		all := make(map[string]store.Lock)
		for _, k := range must[[]store.Lock](s)(s.LocksOn(s.Context(), l.Path, now())) {
			all[k.Token] = k
		}
		if l.Members {
			for _, k := range must[[]store.Lock](s)(s.LocksBelow(s.Context(), l.Path, now())) {
				all[k.Token] = k
			}
		}
		a.Locks = slices.SortedFunc(maps.Values(all), func(a, b store.Lock) int { return a.Path.Compare(b.Path) })
	}
	a.Props = make(map[vpath.Path][]store.Prop)
	for _, one := range paths {
		p := vpath.Must(one)
		if l.Props && (p == l.Path || l.Members && p.Parent() == l.Path) {
			a.Props[p] = must[[]store.Prop](s)(s.PropsOf(s.Context(), p))
		}
	}
	return a
}
