package storetest

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"portico/fault"
	"portico/store"
	"portico/vpath"
)

func noise(of, name string) store.Noise {
	return store.Noise{
		Of: vpath.Must(of), Name: name, Creator: "id-ann", ETag: "e1", Body: []byte(of + "\x00\xff" + name),
		Created: now(), Changed: now().Add(time.Minute), Expires: now().Add(time.Hour),
	}
}

func (s *suite) putNoise(all ...store.Noise) {
	s.Helper()
	s.update(func(tx store.Tx) error {
		for _, n := range all {
			if err := tx.PutNoise(n); err != nil {
				return err
			}
		}
		return nil
	})
}

// noises are "path name = body" of what accompanies the paths.
func (s *suite) noises(paths ...string) (all []string) {
	s.Helper()
	for _, p := range paths {
		for _, n := range must[[]store.Noise](s)(s.NoiseOf(s.Context(), vpath.Must(p))) {
			all = append(all, fmt.Sprintf("%s %s = %s", n.Of, n.Name, n.Body))
		}
	}
	return all
}

func noiseRoundTrip(s *suite) {
	a, empty := noise("/w/a", "._"), noise("/w/a", ".DS_Store")
	empty.Body = []byte{}
	s.putNoise(a, empty)
	for _, want := range []store.Noise{a, empty} {
		got, ok, err := s.NoiseAt(s.Context(), want.Of, want.Name, now())
		if err != nil || !ok {
			s.Errorf("NoiseAt(%s) = %v, %v", want.Name, ok, err)
		}
		s.equal("NoiseAt", got, want)
	}
	s.equal("NoiseOf", must[[]store.Noise](s)(s.NoiseOf(s.Context(), a.Of)), []store.Noise{empty, a})
	s.equal("NoiseSize", must[int64](s)(s.NoiseSize(s.Context(), vpath.Must("/w"))), int64(len(a.Body)))
	s.equal("NoiseSize of nothing", must[int64](s)(s.NoiseSize(s.Context(), vpath.Must("/v"))), int64(0))
	a.Body, a.ETag = []byte("new"), "e2"
	s.putNoise(a)
	s.equal("replaced", s.noises("/w/a"), []string{"/w/a .DS_Store = ", "/w/a ._ = new"})
	for _, at := range []struct{ of, name string }{{"/w/a", "x"}, {"/w/b", "._"}, {"/w", "._"}} {
		if _, ok, err := s.NoiseAt(s.Context(), vpath.Must(at.of), at.name, now()); ok || err != nil {
			s.Errorf("NoiseAt(%v) = %v, %v", at, ok, err)
		}
	}
	s.update(func(tx store.Tx) error { return tx.DropNoise(a.Of, a.Name) })
	s.equal("dropped", s.noises("/w/a"), []string{"/w/a .DS_Store = "})
}

func noiseExpires(s *suite) {
	soon := noise("/w/a", "._")
	soon.Expires = now().Add(time.Minute)
	s.putNoise(soon, noise("/w/b", "._"))
	if _, ok, err := s.NoiseAt(s.Context(), soon.Of, "._", soon.Expires); ok || err != nil {
		s.Errorf("NoiseAt of what has expired = %v, %v", ok, err)
	}
	s.update(func(tx store.Tx) error { return tx.DropExpiredNoise(soon.Expires) })
	s.equal("left", s.noises("/w/a", "/w/b"), []string{"/w/b ._ = /w/b\x00\xff._"})
}

func noiseFollows(s *suite) {
	fresh := func() {
		s.update(func(tx store.Tx) error { return tx.DropNoiseBelow(vpath.Path{}) })
		s.putNoise(noise("/w/a", "._"), noise("/w/a/日本/y", "._"), noise("/w/t", "._"), noise("/w/t/old", "._"))
		for _, p := range hostile() {
			s.putNoise(noise(p, "._"))
		}
	}
	a, t := vpath.Must("/w/a"), vpath.Must("/w/t")
	in := func() []string { return s.noises("/w/a", "/w/a/日本/y", "/w/t", "/w/t/日本/y", "/w/t/old") }
	moved := []string{"/w/t ._ = /w/a\x00\xff._", "/w/t/日本/y ._ = /w/a/日本/y\x00\xff._"}
	left := []string{"/w/a ._ = /w/a\x00\xff._", "/w/a/日本/y ._ = /w/a/日本/y\x00\xff._"}
	fresh()
	s.update(func(tx store.Tx) error { return tx.MoveNoise(a, t) })
	s.equal("moved", in(), moved)
	s.equal("neighbours", len(s.noises(hostile()...)), len(hostile()))
	fresh()
	s.update(func(tx store.Tx) error { return tx.CopyNoise(a, t, "copier", true) })
	s.equal("copied", in(), append(left, moved...))
	whose := func() (all []string) {
		for _, n := range slices.Concat(must[[]store.Noise](s)(s.NoiseOf(s.Context(), a)), must[[]store.Noise](s)(s.NoiseOf(s.Context(), t))) {
			all = append(all, n.Creator)
		}
		return all
	}
	s.equal("whose", whose(), []string{"id-ann", "copier"})
	fresh()
	s.update(func(tx store.Tx) error { return tx.CopyNoise(a, t, "copier", false) })
	s.equal("whose", whose(), []string{"id-ann", "copier"})
	s.equal("copied alone", in(), append(left, moved[0], "/w/t/old ._ = /w/t/old\x00\xff._"))
	fresh()
	s.update(func(tx store.Tx) error { return tx.DropNoiseBelow(a) })
	s.equal("dropped", in(), []string{"/w/t ._ = /w/t\x00\xff._", "/w/t/old ._ = /w/t/old\x00\xff._"})
	s.equal("neighbours", len(s.noises(hostile()...)), len(hostile()))
	for _, to := range []vpath.Path{vpath.Must("/w/a/x"), vpath.Must("/w")} {
		if err := s.Update(s.Context(), func(tx store.Tx) error { return tx.MoveNoise(a, to) }); !errors.Is(err, fault.ErrConflict) {
			s.Errorf("MoveNoise(%s) = %v, want fault.ErrConflict", to, err)
		}
	}
	s.update(func(tx store.Tx) error { return errors.Join(tx.MoveNoise(t, t), tx.CopyNoise(t, t, "copier", false)) })
}

// What has no bytes takes no room, and stays where room is made.
func noiseEmptied(s *suite) {
	mark := func(of, name string) store.Noise {
		n := noise(of, name)
		n.Body, n.ETag, n.Creator, n.Created, n.Changed = []byte{}, "", "", time.Time{}, time.Time{}
		n.Expires = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
		return n
	}
	s.putNoise(mark("/w/a", "/~$x"), mark("/w/a/b", "/Thumbs.db"), noise("/w/a", "._"), noise("/w/a/b", "._"), noise("/w/a b", "._"), noise("/w", "._"))
	names := func(p string) []string { return must[[]string](s)(s.NoiseNames(s.Context(), vpath.Must(p))) }
	s.equal("names", names("/w/a"), []string{"._", "/~$x"})
	s.equal("names of nothing", len(names("/w/a/none")), 0)
	s.update(func(tx store.Tx) error {
		return errors.Join(tx.DropBodiesBelow(vpath.Must("/w/a")), tx.DropExpiredNoise(now().Add(time.Minute)))
	})
	s.equal("left", [][]string{names("/w"), names("/w/a"), names("/w/a/b"), names("/w/a b")}, [][]string{{"._"}, {"/~$x"}, {"/Thumbs.db"}, {"._"}})
	if n, ok, err := s.NoiseAt(s.Context(), vpath.Must("/w/a"), "/~$x", now().Add(50*365*24*time.Hour)); err != nil || !ok || len(n.Body) > 0 {
		s.Errorf("NoiseAt of what has no end = %+v, %v, %v", n, ok, err)
	}
	s.update(func(tx store.Tx) error { return tx.MoveNoise(vpath.Must("/w/a"), vpath.Must("/w/c")) })
	s.equal("moved", [][]string{names("/w/a"), names("/w/c"), names("/w/c/b")}, [][]string{nil, {"/~$x"}, {"/Thumbs.db"}})
}
