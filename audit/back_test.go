package audit

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"portico/store"
)

// tape is a log that tells how many rows were read of it.
type tape struct {
	store.AuditReader
	rows map[string][]store.AuditRow // in order, without gaps
	read int
}

// put adds a row to a stream, a minute of the day old.
func (m *tape) put(stream string, minute int) {
	have := m.rows[stream]
	seq := int64(1)
	if len(have) > 0 {
		seq = have[len(have)-1].Seq + 1
	}
	m.rows[stream] = append(have, store.AuditRow{Stream: stream, Seq: seq, Time: time.Date(2026, 3, 1, 0, minute, 0, 0, time.UTC)})
}

func (m *tape) AuditStreams(context.Context) (list []store.AuditStream, err error) {
	for name, rows := range m.rows {
		list = append(list, store.AuditStream{Name: name, First: rows[0].Seq, Last: rows[len(rows)-1].Seq})
	}
	slices.SortFunc(list, func(a, b store.AuditStream) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

func (m *tape) AuditRows(_ context.Context, stream string, after int64, limit int) (some []store.AuditRow, err error) {
	for _, r := range m.rows[stream] {
		if r.Seq > after && len(some) < limit {
			some = append(some, r)
		}
	}
	m.read += len(some)
	return some, nil
}

// TestBack reads any log page by page, whatever the bound of a page: each row once,
// the newest first, and not much more of the store than it hands out.
func TestBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &tape{rows: map[string][]store.AuditRow{}}
		total := 0
		for _, stream := range []string{"a", "b&c=1 ü", "main"}[:rapid.IntRange(1, 3).Draw(t, "streams")] {
			minute := 0
			for range rapid.IntRange(1, 1200).Draw(t, "rows") {
				minute += rapid.IntRange(0, 3).Draw(t, "gap")
				m.put(stream, minute)
				total++
			}
			cut := rapid.IntRange(0, len(m.rows[stream])-1).Draw(t, "cut")
			total -= cut
			m.rows[stream] = m.rows[stream][cut:]
		}
		most, enough := rapid.IntRange(1, 900).Draw(t, "most"), rapid.IntRange(1, 900).Draw(t, "enough")
		var got []store.AuditRow
		at := ""
		for page := 0; page == 0 || at != ""; page++ {
			m.read = 0
			at = back(t, m, at, most, enough, &got)
			if allowed := min(most, enough) + len(m.rows)*backChunk; m.read > allowed {
				t.Fatalf("a page read %d rows, %d are allowed", m.read, allowed)
			}
			if page == 0 { // what comes later belongs to no page of this reading
				m.put("main", 9999)
				m.put("new", 9999)
			}
		}
		newestFirst := slices.IsSortedFunc(got, func(a, b store.AuditRow) int { return b.Time.Compare(a.Time) })
		slices.SortFunc(got, func(a, b store.AuditRow) int {
			return cmp.Or(strings.Compare(a.Stream, b.Stream), cmp.Compare(a.Seq, b.Seq))
		})
		once := slices.CompactFunc(slices.Clone(got), func(a, b store.AuditRow) bool { return a.Stream == b.Stream && a.Seq == b.Seq })
		if len(got) != total || len(once) != total || !newestFirst {
			t.Fatalf("%d rows, %d of them different, of %d; the newest first: %v", len(got), len(once), total, newestFirst)
		}
	})
}

func back(t *rapid.T, m *tape, at string, most, enough int, got *[]store.AuditRow) string {
	place, err := ParsePlace(at)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	rest, err := Back(context.Background(), m, place, most, func(row store.AuditRow) (bool, error) {
		*got = append(*got, row)
		n++
		return n < enough, nil
	})
	if err != nil || n > most {
		t.Fatalf("%d rows of %d, %v", n, most, err)
	}
	return rest.String()
}

// TestBackOddPlaces: a place comes from an address, where anybody can write it.
func TestBackOddPlaces(t *testing.T) {
	m := &tape{rows: map[string][]store.AuditRow{}}
	for i := range 3 {
		m.put("main", i)
	}
	for _, bad := range []string{"main=x", "%", "main", "main=99999999999999999999"} {
		if _, err := ParsePlace(bad); err == nil {
			t.Errorf("ParsePlace(%q) is no error", bad)
		}
	}
	for text, want := range map[string]int{"": 3, "main=9999": 3, "main=2": 2, "main=0": 0, "main=-5": 0, "other=7": 0} {
		at, err := ParsePlace(text)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		_, err = Back(t.Context(), m, at, 100, func(store.AuditRow) (bool, error) { n++; return true, nil })
		if n != want || err != nil {
			t.Errorf("from %q: %d rows, %v, want %d", text, n, err, want)
		}
	}
	no := errors.New("no")
	if _, err := Back(t.Context(), m, Place{}, 100, func(store.AuditRow) (bool, error) { return true, no }); !errors.Is(err, no) {
		t.Errorf("visit's error: %v", err)
	}
}
