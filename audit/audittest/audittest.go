// Package audittest is the audit for the tests of other packages.
package audittest

import (
	"context"
	"crypto/sha256"
	"maps"
	"slices"
	"strconv"
	"sync"

	"portico/audit"
	"portico/store"
)

// stream is where the rows of a Recorder are in the store.
const stream = "test"

// Recorder keeps all events in memory. What is appended goes to the
// transaction as well, so that a test sees in the store that an undone change
// has no row. The zero value is ready; it may be used by many at once.
type Recorder struct {
	mu       sync.Mutex
	recorded []audit.Event
	appended []audit.Event
	intended int
	open     map[string]audit.Event
	left     []string
	err      error
}

var _ audit.Recorder = (*Recorder)(nil)

// Record is of audit.Recorder.
func (r *Recorder) Record(_ context.Context, e audit.Event) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.recorded = append(r.recorded, e)
		delete(r.open, e.Intent)
	}
	return r.err
}

// Intend is of audit.Recorder.
func (r *Recorder) Intend(_ context.Context, e audit.Event) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil {
		return "", r.err
	}
	if r.open == nil {
		r.open = map[string]audit.Event{}
	}
	r.intended++
	id := "intent-" + strconv.Itoa(r.intended)
	r.open[id] = e
	return id, nil
}

// Forget is of audit.Recorder.
func (r *Recorder) Forget(_ context.Context, _ store.Tx, id string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		delete(r.open, id)
	}
	return r.err
}

// Append is of audit.Recorder. tx may be nil. The row has a place in the stream
// "test", and a hash that means nothing.
func (r *Recorder) Append(tx store.Tx, e audit.Event) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil {
		return r.err
	}
	r.appended = append(r.appended, e)
	delete(r.open, e.Intent)
	if tx == nil {
		return nil
	}
	row, err := audit.Encode(e)
	if err != nil {
		return err
	}
	head, err := tx.AuditHead(context.Background(), stream)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(row)
	return tx.AppendAudit(store.AuditRow{Stream: stream, Seq: head.Last + 1, Time: e.Time, JSON: row, Hash: sum[:]})
}

// Leave is of audit.Leaver. The intent stays among those that are open.
func (r *Recorder) Leave(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.left = append(r.left, id)
}

// Left gives the intents that were left.
func (r *Recorder) Left() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.left)
}

// Open gives the intents that have not ended, by their ids.
func (r *Recorder) Open() map[string]audit.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.open)
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

// Reset forgets all events, and no intent.
func (r *Recorder) Reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.recorded, r.appended = nil, nil
}
