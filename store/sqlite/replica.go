package sqlite

import (
	"context"
	"fmt"

	"portico/fault"
	"portico/store"
	"portico/vpath"
)

// nobody is a claim where there is nobody to hold it against.
type nobody struct{ quit <-chan struct{} }

// Held is of store.Claim. The guard goes with the store, and others may come.
func (n nobody) Held() bool {
	select {
	case <-n.quit:
		return false
	default:
		return true
	}
}

func (nobody) Lost() <-chan struct{} { return nil } // never
func (nobody) Release()              {}

// Replica is of store.Replicas.
func (s *Store) Replica() string { return s.replica }

// Shared is of store.Replicas: the guard keeps other processes out.
func (s *Store) Shared() bool { return false }

// Claim is of store.Replicas.
func (s *Store) Claim(ctx context.Context, _ ...vpath.Path) (store.Claim, error) {
	if err := s.claimable(ctx); err != nil {
		return nil, err
	}
	return nobody{s.quit}, nil
}

// ClaimName is of store.Replicas.
func (s *Store) ClaimName(ctx context.Context, _, _ string) (store.Claim, bool, error) {
	if err := s.claimable(ctx); err != nil {
		return nil, false, err
	}
	return nobody{s.quit}, true, nil
}

// claimable gives the answers that a shared store gives: none to a request that
// has ended, and none after Close.
func (s *Store) claimable(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("sqlite: claim: %w", err)
	}
	select {
	case <-s.quit:
		return fmt.Errorf("sqlite: claim: the store is closed: %w", fault.ErrUnavailable)
	default:
		return nil
	}
}

// Alive is of store.Replicas.
func (s *Store) Alive(context.Context) ([]string, error) { return []string{s.replica}, nil }

// Watch is of store.Replicas.
func (s *Store) Watch(ctx context.Context, _ func(), _ func(error)) error {
	select {
	case <-ctx.Done():
	case <-s.quit:
	}
	return nil
}
