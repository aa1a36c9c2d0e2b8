package backends

import "context"

// fenceKey is where a context keeps its fence.
type fenceKey struct{}

// WithFence is ctx with a question that must be answered with nil right before
// each change that a driver makes for it. It is how work that stands on a claim
// stops where the claim is gone: the end of ctx would do too, but comes through
// another goroutine, and that of a process which was halted and goes on may run
// too late. ask takes no time, and may be called by several goroutines at once. It
// replaces the fence that ctx has.
//
// Between the question and the kernel's call is a moment in which a process can be
// halted, too. No store that Portico writes to knows fencing tokens, which alone
// would close it.
func WithFence(ctx context.Context, ask func() error) context.Context {
	return context.WithValue(ctx, fenceKey{}, ask)
}

// Fence asks: an error means that nothing may be changed any more.
func Fence(ctx context.Context) error {
	if ask := FenceOf(ctx); ask != nil {
		return ask()
	}
	return nil
}

// FenceOf is the question itself, nil where there is none, for a driver whose calls
// are written where ctx is not known.
func FenceOf(ctx context.Context) func() error {
	ask, _ := ctx.Value(fenceKey{}).(func() error)
	return ask
}
