package sharing_test

import (
	"context"
	"time"

	"portico/internal/memstate"
	"portico/store"
	"portico/vpath"
)

// bare is a store in memory that forgets what these tests do not look at: locks,
// properties, the journal, usage, the audit's rows.
type bare struct{ *memstate.State }

func (bare) PropBelow(context.Context, vpath.Path, string, string) (map[vpath.Path]store.Prop, error) {
	return map[vpath.Path]store.Prop{}, nil
}

func (b bare) Update(ctx context.Context, f func(store.Tx) error) error {
	return b.State.Update(ctx, func(tx store.Tx) error { return f(bareTx{tx}) })
}

func (bare) LocksOn(context.Context, vpath.Path, time.Time) ([]store.Lock, error) { return nil, nil }

func (bare) LocksBelow(context.Context, vpath.Path, time.Time) ([]store.Lock, error) { return nil, nil }

func (bare) LocksOf(context.Context, string, time.Time) (int, error)           { return 0, nil }
func (bare) PropsOf(context.Context, vpath.Path) ([]store.Prop, error)         { return nil, nil }
func (bare) Moves(context.Context) ([]store.Move, error)                       { return nil, nil }
func (bare) Intents(context.Context) ([]store.Intent, error)                   { return nil, nil }
func (bare) Usage(context.Context, string) (u store.Usage, ok bool, err error) { return u, false, nil }

func (bare) PropsIn(context.Context, vpath.Path) (map[vpath.Path][]store.Prop, error) {
	return map[vpath.Path][]store.Prop{}, nil
}

// bareTx is its transaction.
type bareTx struct{ store.Tx }

func (bareTx) LocksOn(context.Context, vpath.Path, time.Time) ([]store.Lock, error) { return nil, nil }

func (bareTx) LocksBelow(context.Context, vpath.Path, time.Time) ([]store.Lock, error) {
	return nil, nil
}

func (bareTx) LocksOf(context.Context, string, time.Time) (int, error)   { return 0, nil }
func (bareTx) PropsOf(context.Context, vpath.Path) ([]store.Prop, error) { return nil, nil }
func (bareTx) Moves(context.Context) ([]store.Move, error)               { return nil, nil }
func (bareTx) Usage(context.Context, string) (u store.Usage, ok bool, err error) {
	return u, false, nil
}

func (bareTx) DropLocksBelow(vpath.Path) error          { return nil }
func (bareTx) DropPropsBelow(vpath.Path) error          { return nil }
func (bareTx) MoveProps(_, _ vpath.Path) error          { return nil }
func (bareTx) CopyProps(_, _ vpath.Path, _ bool) error  { return nil }
func (bareTx) PutMove(store.Move) error                 { return nil }
func (bareTx) DropMove(string) error                    { return nil }
func (bareTx) PutUsage(store.Usage) error               { return nil }
func (bareTx) AddUsage(string, int64) error             { return nil }
func (bareTx) DropProps(vpath.Path) error               { return nil }
func (bareTx) DropProp(_ vpath.Path, _, _ string) error { return nil }
func (bareTx) PutProp(vpath.Path, store.Prop) error     { return nil }
func (bareTx) AuditHead(context.Context, string) (store.AuditStream, error) {
	return store.AuditStream{}, nil
}
func (bareTx) AppendAudit(store.AuditRow) error { return nil }
