package content

import "sync"

// Busy counts what each person has under way in this process, such as archives,
// that cost the server more than a request should.
type Busy struct {
	most int
	mu   sync.Mutex
	many map[string]int
}

// NewBusy lets each have so many at once.
func NewBusy(most int) *Busy { return &Busy{most: most, many: map[string]int{}} }

// Begin takes a place, which done gives back. It is not ok where there is none.
func (b *Busy) Begin(id string) (done func(), ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.many[id] >= b.most {
		return nil, false
	}
	b.many[id]++
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.many[id]--; b.many[id] == 0 {
			delete(b.many, id)
		}
	}, true
}
