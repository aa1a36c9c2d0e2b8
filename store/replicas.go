package store

import (
	"context"

	"portico/vpath"
)

// Replicas is how the processes that share one store keep out of each other's
// way. In a store for one process its methods do nothing.
type Replicas interface {
	// Replica is the name of this process, which no other that is alive has. It
	// names its audit stream and its intents.
	Replica() string

	// Shared tells that other processes may use the store at the same time.
	Shared() bool

	// Claim takes paths for this process. It waits until no other holds one of
	// them, anything above one or anything below, and takes all at once. Those of
	// one process never wait for each other: package files keeps them apart
	// before it asks. A claim ends with its process.
	Claim(ctx context.Context, paths ...vpath.Path) (Claim, error)

	// ClaimName takes a name of a kind where no other process has it; false where
	// one has. It never waits, and does not stand in the way of Claim.
	ClaimName(ctx context.Context, kind, name string) (Claim, bool, error)

	// Alive gives the names of the processes that use the store now, this one's
	// too.
	Alive(ctx context.Context) ([]string, error)

	// Watch calls wake after other processes have changed the journal of moves or
	// the grants: soon after each commit, and once a second whatever happens. It calls lost
	// when it can no longer tell, and wake again when it can. It ends with ctx.
	// In a store for one process it only waits for that.
	Watch(ctx context.Context, wake func(), lost func(error)) error
}

// Claim is something held against other processes.
type Claim interface {
	// Held tells whether no other process can have it: asked right before each
	// step that others could see. It goes by a clock that runs on while this
	// process is halted, so that it is false at once when the process goes on after
	// too long; Lost is closed by another goroutine, which may come later. Once
	// false it stays so. It takes no time.
	Held() bool
	// Lost is closed if the store may have given it to another process: who
	// holds it stops at once.
	Lost() <-chan struct{}
	// Release gives it back. A second call does nothing.
	Release()
}
