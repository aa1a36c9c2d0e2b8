package store

import (
	"context"
	"time"

	"portico/vpath"
)

// Noise is a file that a client puts beside the files of people, for itself, such
// as "._a" and ".DS_Store" of macOS. It is kept here and not in the file store, so
// that nobody else meets it, and goes where the thing goes that it accompanies. One
// without a Body may also mark a file that is in the file store.
type Noise struct {
	Of      vpath.Path // the thing that it accompanies, which may not be there
	Name    string     // what it is to that thing; package files says which there are
	Creator string
	ETag    string
	Body    []byte // never nil in an answer
	Created time.Time
	Changed time.Time
	Expires time.Time // it does not exist any more from then on
}

// NoiseReader finds noise.
type NoiseReader interface {
	// NoiseAt is false for what is not there, or has expired.
	NoiseAt(ctx context.Context, of vpath.Path, name string, now time.Time) (n Noise, found bool, err error)
	// NoiseOf gives what accompanies one thing, by name, expired or not.
	NoiseOf(ctx context.Context, of vpath.Path) ([]Noise, error)
	// NoiseNames are the names of what accompanies one thing, expired or not.
	NoiseNames(ctx context.Context, of vpath.Path) ([]string, error)
	// NoiseSize sums the bodies at p and anywhere below it, expired or not.
	NoiseSize(ctx context.Context, p vpath.Path) (int64, error)
}

// NoiseWriter changes noise. Moving and copying are judged as for properties.
type NoiseWriter interface {
	PutNoise(n Noise) error // inserts, or replaces the one of its Of and Name
	DropNoise(of vpath.Path, name string) error
	DropNoiseBelow(p vpath.Path) error  // at p and below it
	DropBodiesBelow(p vpath.Path) error // as DropNoiseBelow; those without a Body stay
	DropExpiredNoise(now time.Time) error
	MoveNoise(from, to vpath.Path) error // what to had is dropped first
	// CopyNoise is as MoveNoise; what it makes is creator's. deep is false for the thing alone.
	CopyNoise(from, to vpath.Path, creator string, deep bool) error
}
