package audit

import (
	"context"
	"fmt"
	"net/url"
	"strconv"

	"portico/store"
)

// Place is where a reading of the log from its end stands: of each stream the next
// row to look at. The zero value is the end of the log.
type Place struct {
	next map[string]int64
}

// ParsePlace reads what String made; "" is the end of the log.
func ParsePlace(text string) (Place, error) {
	if text == "" {
		return Place{}, nil
	}
	values, err := url.ParseQuery(text)
	if err != nil {
		return Place{}, fmt.Errorf("audit: place: %w", err)
	}
	p := Place{next: map[string]int64{}}
	for name := range values {
		if p.next[name], err = strconv.ParseInt(values.Get(name), 10, 64); err != nil {
			return Place{}, fmt.Errorf("audit: place: %w", err)
		}
	}
	return p, nil
}

// String is a text for an address, "" where nothing is left to be read.
func (p Place) String() string {
	values := url.Values{}
	for name, seq := range p.next {
		values.Set(name, strconv.FormatInt(seq, 10))
	}
	return values.Encode()
}

// backChunk is how many rows of a stream are read at once.
const backChunk = 500

// Back reads the rows of all streams from a place on towards the oldest, as their
// times tell, and hands each to visit, until that says no, most rows were looked
// at or none is left. What is left begins at the place that it gives back. Rows
// that were written since the place was made are not among them.
func Back(ctx context.Context, from store.AuditReader, at Place, most int, visit func(store.AuditRow) (more bool, err error)) (Place, error) {
	streams, err := from.AuditStreams(ctx)
	if err != nil {
		return Place{}, fmt.Errorf("audit: back: %w", err)
	}
	var tails []*tail
	for _, s := range streams {
		t := &tail{name: s.Name, first: s.First, next: s.Last}
		if at.next != nil {
			t.next = min(s.Last, at.next[s.Name]) // a new stream has nothing that is older
		}
		tails = append(tails, t)
	}
	for range most {
		newest, err := newestOf(ctx, from, tails)
		if err != nil {
			return Place{}, fmt.Errorf("audit: back: %w", err)
		}
		if newest == nil {
			return Place{}, nil
		}
		more, err := visit(newest.take())
		if err != nil {
			return Place{}, err
		}
		if !more {
			break
		}
	}
	return placeOf(tails), nil
}

// placeOf is where the tails stand. One that is read to its beginning is left out.
func placeOf(tails []*tail) Place {
	p := Place{next: map[string]int64{}}
	for _, t := range tails {
		if t.next >= t.first && t.next > 0 {
			p.next[t.name] = t.next
		}
	}
	return p
}

// tail is a stream that is read from its end.
type tail struct {
	name        string
	first, next int64            // the oldest row, and the next to look at
	rows        []store.AuditRow // up to next, in order
}

// newestOf is the stream whose next row is the newest, nil where none has one.
func newestOf(ctx context.Context, from store.AuditReader, tails []*tail) (newest *tail, err error) {
	for _, t := range tails {
		if err := t.fill(ctx, from); err != nil {
			return nil, err
		}
		if len(t.rows) > 0 && (newest == nil || t.last().Time.After(newest.last().Time)) {
			newest = t
		}
	}
	return newest, nil
}

func (t *tail) last() store.AuditRow { return t.rows[len(t.rows)-1] }

// fill reads the next rows, if none is there.
func (t *tail) fill(ctx context.Context, from store.AuditReader) (err error) {
	if len(t.rows) > 0 || t.next < t.first || t.next < 1 {
		return nil
	}
	after := max(t.first-1, t.next-backChunk, 0)
	t.rows, err = from.AuditRows(ctx, t.name, after, int(t.next-after))
	if len(t.rows) == 0 {
		t.next = 0 // they were cut meanwhile
	}
	return err
}

func (t *tail) take() store.AuditRow {
	row := t.last()
	t.rows, t.next = t.rows[:len(t.rows)-1], row.Seq-1
	return row
}
