package memstate

import (
	"context"

	"portico/store"
)

// alone is a claim where there is no other process.
type alone struct{}

func (alone) Lost() <-chan struct{} { return nil } // never
func (alone) Held() bool            { return true }
func (alone) Release()              {}

// ClaimName is of store.Replicas.
func (s *State) ClaimName(ctx context.Context, _, _ string) (store.Claim, bool, error) {
	if err := ctx.Err(); err != nil {
		return nil, false, err
	}
	return alone{}, true, nil
}
