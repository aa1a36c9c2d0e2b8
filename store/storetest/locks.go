package storetest

import (
	"slices"
	"time"

	"portico/store"
	"portico/vpath"
)

func lockRoundTrip(s *suite) {
	l := lock("/w/a", true)
	l.Shared, l.OwnerXML = true, `<D:owner xmlns:D="DAV:">Änn &amp; 😀</D:owner>`
	l.Timeout = 90*time.Second + 7
	s.putLocks(l)
	s.equal("LocksOn", must[[]store.Lock](s)(s.LocksOn(s.Context(), l.Path, now())), []store.Lock{l})

	l.Expires, l.Shared = l.Expires.Add(time.Hour), false // a refresh
	s.putLocks(l)
	s.equal("after refresh", must[[]store.Lock](s)(s.Locks(s.Context(), now())), []store.Lock{l})

	root := lock("/", true)
	root.Created = time.Time{}
	s.putLocks(root)
	s.equal("on the root", must[[]store.Lock](s)(s.LocksOn(s.Context(), vpath.Path{}, now())), []store.Lock{root})
}

func locksOn(s *suite) {
	s.putLocks(lock("/", true), lock("/w", false), lock("/w/a", true), lock("/w/a/b", false), lock("/w/a/b/c", true), lock("/v", true))
	deep := "/w/a" + string(slices.Repeat([]byte("/x"), vpath.MaxDepth-2))
	for path, want := range map[string][]string{
		"/":          {"/"},
		"/w":         {"/", "/w"},
		"/w/a":       {"/", "/w/a"},
		"/w/a/b":     {"/", "/w/a", "/w/a/b"},
		"/w/a/b/c":   {"/", "/w/a", "/w/a/b/c"},
		"/w/a/b/c/d": {"/", "/w/a", "/w/a/b/c"},
		"/w/z":       {"/"},
		"/v/x":       {"/", "/v"},
		deep:         {"/", "/w/a"},
	} {
		got := must[[]store.Lock](s)(s.LocksOn(s.Context(), vpath.Must(path), now()))
		s.equal("LocksOn "+path, tokens(got), want)
		for _, l := range got {
			if !l.Covers(vpath.Must(path)) {
				s.Errorf("LocksOn(%s) gave a lock on %s that does not cover it", path, l.Path)
			}
		}
	}
}

func lockBoundaries(s *suite) {
	s.putLocks(lock("/w/a", true), lock("/w/a/x", false))
	for _, p := range hostile() {
		s.putLocks(lock(p, true))
	}
	a := vpath.Must("/w/a")
	s.equal("LocksBelow /w/a", tokens(must[[]store.Lock](s)(s.LocksBelow(s.Context(), a, now()))), []string{"/w/a", "/w/a/x"})
	for _, p := range hostile() {
		path := vpath.Must(p)
		child := vpath.Must(p + "/x")
		s.equal("LocksOn below "+p, tokens(must[[]store.Lock](s)(s.LocksOn(s.Context(), child, now()))), []string{p})
		s.equal("LocksBelow "+p, tokens(must[[]store.Lock](s)(s.LocksBelow(s.Context(), path, now()))), []string{p})
	}
	all := len(must[[]store.Lock](s)(s.LocksBelow(s.Context(), vpath.Path{}, now())))
	if n := len(hostile()) + 2; all != n {
		s.Errorf("LocksBelow / = %d locks, want %d", all, n)
	}
	s.update(func(tx store.Tx) error { return tx.DropLocksBelow(a) })
	left := must[[]store.Lock](s)(s.Locks(s.Context(), now()))
	if len(left) != len(hostile()) {
		s.Errorf("after DropLocksBelow(/w/a) %d locks are left, want %d: %v", len(left), len(hostile()), tokens(left))
	}
}

func lockExpiry(s *suite) {
	short, long := lock("/w/a", true), lock("/w/b", true)
	short.Expires = now().Add(time.Minute)
	s.putLocks(short, long)
	for after, want := range map[time.Duration][]string{
		0:                              {"/w/a", "/w/b"},
		time.Minute - time.Microsecond: {"/w/a", "/w/b"},
		time.Minute:                    {"/w/b"}, // at the moment of its end it has ended
		time.Hour:                      nil,
	} {
		at := now().Add(after)
		s.equal("Locks", tokens(must[[]store.Lock](s)(s.Locks(s.Context(), at))), want)
		s.equal("LocksBelow", tokens(must[[]store.Lock](s)(s.LocksBelow(s.Context(), vpath.Must("/w"), at))), want)
		s.equal("LocksOf", must[int](s)(s.LocksOf(s.Context(), "id-ann", at)), len(want))
		on := must[[]store.Lock](s)(s.LocksOn(s.Context(), vpath.Must("/w/a/x"), at))
		if held := slices.Contains(want, "/w/a"); held != (len(on) == 1) {
			s.Errorf("LocksOn after %v = %v, want held %t", after, tokens(on), held)
		}
	}
	s.update(func(tx store.Tx) error { return tx.DropExpiredLocks(now().Add(time.Minute)) })
	s.equal("after DropExpiredLocks", tokens(must[[]store.Lock](s)(s.Locks(s.Context(), now()))), []string{"/w/b"})
}

func lockDrop(s *suite) {
	other := lock("/w/b", false)
	other.Holder = "id-bob"
	s.putLocks(lock("/w/a", false), other)
	s.update(func(tx store.Tx) error { return tx.DropLock("opaquelocktoken:/w/a") })
	s.update(func(tx store.Tx) error { return tx.DropLock("opaquelocktoken:none") }) // nothing to do is no error
	s.equal("Locks", tokens(must[[]store.Lock](s)(s.Locks(s.Context(), now()))), []string{"/w/b"})
	s.equal("LocksOf ann", must[int](s)(s.LocksOf(s.Context(), "id-ann", now())), 0)
	s.equal("LocksOf bob", must[int](s)(s.LocksOf(s.Context(), "id-bob", now())), 1)
}
