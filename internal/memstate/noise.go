package memstate

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"portico/store"
	"portico/vpath"
)

// noiseKey is the key of a row of noise.
type noiseKey struct {
	of   vpath.Path
	name string
}

func inNoise(c *content) map[noiseKey]store.Noise { return c.noise }

// NoiseAt is of store.NoiseReader.
func (r reader) NoiseAt(_ context.Context, of vpath.Path, name string, now time.Time) (store.Noise, bool, error) {
	n, ok, err := get(r, inNoise, noiseKey{of, name})
	if ok = ok && n.Expires.After(now); !ok {
		n = store.Noise{}
	}
	return n, ok, err
}

// NoiseOf is of store.NoiseReader.
func (r reader) NoiseOf(_ context.Context, of vpath.Path) ([]store.Noise, error) {
	return pick(r, inNoise, func(n store.Noise) bool { return n.Of == of }, func(a, b store.Noise) int { return cmp.Compare(a.Name, b.Name) })
}

// NoiseNames is of store.NoiseReader.
func (r reader) NoiseNames(ctx context.Context, of vpath.Path) (names []string, err error) {
	all, err := r.NoiseOf(ctx, of)
	for _, n := range all {
		names = append(names, n.Name)
	}
	return names, err
}

// NoiseSize is of store.NoiseReader.
func (r reader) NoiseSize(_ context.Context, p vpath.Path) (sum int64, err error) {
	err = r.look(func(c *content) {
		for _, n := range c.noise {
			if p.Contains(n.Of) {
				sum += int64(len(n.Body))
			}
		}
	})
	return sum, err
}

// PutNoise is of store.NoiseWriter.
func (x *tx) PutNoise(n store.Noise) error {
	n.Body = append([]byte{}, n.Body...)
	x.noise[noiseKey{n.Of, n.Name}] = n
	return nil
}

// DropNoise is of store.NoiseWriter.
func (x *tx) DropNoise(of vpath.Path, name string) error {
	delete(x.noise, noiseKey{of, name})
	return nil
}

// DropNoiseBelow is of store.NoiseWriter.
func (x *tx) DropNoiseBelow(p vpath.Path) error {
	maps.DeleteFunc(x.noise, func(k noiseKey, _ store.Noise) bool { return p.Contains(k.of) })
	return nil
}

// DropBodiesBelow is of store.NoiseWriter.
func (x *tx) DropBodiesBelow(p vpath.Path) error {
	maps.DeleteFunc(x.noise, func(k noiseKey, n store.Noise) bool { return p.Contains(k.of) && len(n.Body) > 0 })
	return nil
}

// DropExpiredNoise is of store.NoiseWriter.
func (x *tx) DropExpiredNoise(now time.Time) error {
	maps.DeleteFunc(x.noise, func(_ noiseKey, n store.Noise) bool { return !n.Expires.After(now) })
	return nil
}

// MoveNoise is of store.NoiseWriter.
func (x *tx) MoveNoise(from, to vpath.Path) error { return x.carryNoise(from, to, nil) }

// CopyNoise is of store.NoiseWriter.
func (x *tx) CopyNoise(from, to vpath.Path, creator string, deep bool) error {
	if deep {
		return x.carryNoise(from, to, &creator)
	}
	if from == to {
		return nil
	}
	maps.DeleteFunc(x.noise, func(k noiseKey, _ store.Noise) bool { return k.of == to })
	for _, n := range slices.Collect(maps.Values(x.noise)) {
		if n.Of == from {
			n.Of, n.Creator = to, creator
			x.noise[noiseKey{to, n.Name}] = n
		}
	}
	return nil
}

// carryNoise copies for a creator, and moves without one.
func (x *tx) carryNoise(from, to vpath.Path, creator *string) error {
	return move(from, to, x.DropNoiseBelow, func(rename func(*vpath.Path) bool) {
		for k, n := range maps.Clone(x.noise) {
			if rename(&n.Of) {
				if creator == nil {
					delete(x.noise, k)
				} else {
					n.Creator = *creator
				}
				x.noise[noiseKey{n.Of, n.Name}] = n
			}
		}
	})
}
