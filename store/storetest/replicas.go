package storetest

import (
	"context"
	"errors"
	"slices"
	"time"

	"portico/fault"
	"portico/vpath"
)

// oneProcess is what store.Replicas says where nobody else is there.
func oneProcess(s *suite) {
	if s.Replica() == "" {
		s.Error("the replica has no name")
	}
	if alive := must[[]string](s)(s.Alive(s.Context())); !slices.Equal(alive, []string{s.Replica()}) {
		s.Errorf("Alive = %q, want %q alone", alive, s.Replica())
	}
	// Those of one process never wait for each other.
	a, b := vpath.Must("/w/a"), vpath.Must("/w/a/b")
	for _, paths := range [][]vpath.Path{{a}, {b}, {a, b}, {{}}, {}, {a, a}} {
		ctx, cancel := context.WithTimeout(s.Context(), time.Minute)
		defer cancel()
		claim, err := s.Claim(ctx, paths...)
		if err != nil {
			s.Fatalf("Claim(%v) = %v", paths, err)
		}
		defer claim.Release()
		defer claim.Release() // a second call does nothing
	}
	name, ok, err := s.ClaimName(s.Context(), "kind", "name")
	if err != nil || !ok {
		s.Fatalf("ClaimName = %t, %v", ok, err)
	}
	name.Release()
	if _, err := s.Claim(ended(s.T), a); !errors.Is(err, context.Canceled) || errors.Is(err, fault.ErrUnavailable) {
		s.Errorf("Claim = %v, want context.Canceled and no fault of the store", err)
	}
	// Watch ends with its context, and with the store.
	ctx, cancel := context.WithCancel(s.Context())
	over := make(chan error, 2)
	go func() { over <- s.Watch(ctx, func() {}, func(error) {}) }()
	cancel()
	if err := <-over; err != nil {
		s.Errorf("Watch = %v after its end, want nil", err)
	}
	go func() { over <- s.Watch(s.Context(), func() {}, func(error) {}) }()
	if err := s.Close(); err != nil {
		s.Errorf("Close = %v", err)
	}
	if err := <-over; err != nil {
		s.Errorf("Watch = %v after Close, want nil", err)
	}
	if _, err := s.Claim(s.Context(), a); !errors.Is(err, fault.ErrUnavailable) {
		s.Errorf("Claim after Close = %v, want fault.ErrUnavailable", err)
	}
	if _, _, err := s.ClaimName(s.Context(), "kind", "name"); !errors.Is(err, fault.ErrUnavailable) {
		s.Errorf("ClaimName after Close = %v, want fault.ErrUnavailable", err)
	}
}
