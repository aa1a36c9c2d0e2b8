// Package audittest is the audit for the tests of other packages.
package audittest

import (
	"context"
	"slices"
	"sync"

	"portico/audit"
	"portico/store"
)

// Recorder keeps all events in memory. What is appended goes to the
// transaction as well, so that a test sees in the store that an undone change
// has no row. The zero value is ready; it may be used by many at once.
type Recorder struct {
	mu       sync.Mutex
	recorded []audit.Event
	appended []audit.Event
	err      error
}

var _ audit.Recorder = (*Recorder)(nil)

// Record is of audit.Recorder.
func (r *Recorder) Record(_ context.Context, e audit.Event) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.recorded = append(r.recorded, e)
	}
	return r.err
}

// Append is of audit.Recorder. tx may be nil.
func (r *Recorder) Append(tx store.Tx, e audit.Event) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil {
		return r.err
	}
	r.appended = append(r.appended, e)
	if tx == nil {
		return nil
	}
	row, err := audit.Encode(e)
	if err != nil {
		return err
	}
	return tx.AppendAudit(e.Time, row)
}

// Fail makes all that follows fail with err, or work again with nil.
func (r *Recorder) Fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = err
}

// Recorded gives the events of reads, refusals and failures, in order.
func (r *Recorder) Recorded() []audit.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.recorded)
}

// Appended gives the events of changes, in order; those too whose transaction
// was undone later.
func (r *Recorder) Appended() []audit.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.appended)
}

// Reset forgets all events.
func (r *Recorder) Reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.recorded, r.appended = nil, nil
}
