package audit_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"portico/audit"
	"portico/audit/audittest"
	"portico/fault"
	"portico/store"
	"portico/store/sqlite"
	"portico/vpath"
)

func state(tb testing.TB) *sqlite.Store {
	tb.Helper()
	s, err := sqlite.Open(tb.Context(), filepath.Join(tb.TempDir(), "state.db"), sqlite.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

func event() audit.Event {
	return audit.Event{
		Time: time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC), RequestID: "r1",
		Actor:   audit.Actor{ID: "id-ann", Login: "ann", Via: "dav"},
		Address: "192.0.2.1", Agent: "Microsoft-WebDAV-MiniRedir/10.0.22621",
		Action: audit.Put, Path: "/firm/a.txt", Allowed: true, Bytes: 12, SHA256: "ab",
	}
}

// newLog makes a Log on s.
func newLog(tb testing.TB, o audit.Options) *audit.Log {
	tb.Helper()
	o.Key, o.Clock, o.Rand = []byte(strings.Repeat("k", 32)), func() time.Time { return event().Time }, rand.Reader
	l, err := audit.New(o)
	if err != nil {
		tb.Fatal(err)
	}
	return l
}

// rows are the events in the store.
func rows(t *testing.T, s store.State) []audit.Event {
	t.Helper()
	all, err := s.AuditRows(t.Context(), s.Replica(), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := audit.NewKeys([]byte(strings.Repeat("k", 32)))
	if err != nil {
		t.Fatal(err)
	}
	opener := audit.NewOpener(keys, s)
	var events []audit.Event
	for _, row := range all {
		opened, err := opener.Open(t.Context(), row)
		if err != nil {
			t.Fatal(err)
		}
		e := opened.Event
		e.Actor.Pseudonym = ""
		if !row.Time.Equal(e.Time) {
			t.Errorf("row %d has the time %v, its event %v", row.Seq, row.Time, e.Time)
		}
		events = append(events, e)
	}
	return events
}

func TestAppend(t *testing.T) {
	s := state(t)
	log := newLog(t, audit.Options{Store: s})
	for _, undo := range []error{nil, errors.New("no"), nil} {
		err := s.Update(t.Context(), func(tx store.Tx) error { return errors.Join(log.Append(tx, event()), undo) })
		if !errors.Is(err, undo) {
			t.Errorf("Update = %v, want %v", err, undo)
		}
	}
	if d := cmp.Diff([]audit.Event{event(), event()}, rows(t, s)); d != "" {
		t.Errorf("rows (-want +got):\n%s", d)
	}
}

func TestRecordWanted(t *testing.T) {
	hr := vpath.Must("/firm/HR")
	reads := func(p vpath.Path, byLink bool) bool {
		return hr.Contains(p) || byLink && p == vpath.Must("/firm/shared")
	}
	link := audit.Actor{Type: audit.ByLink}
	for _, c := range []struct {
		name string
		e    audit.Event
		want bool
	}{
		{"refused put", audit.Event{Action: audit.Put, Path: "/firm/a", Why: "ida may not write"}, true},
		{"failed put", audit.Event{Action: audit.Put, Path: "/firm/a", Allowed: true, Error: "cut"}, true},
		{"refused read", audit.Event{Action: audit.Read, Path: "/firm/a", Why: "ida may not read"}, true},
		{"refused stat", audit.Event{Action: audit.Stat, Path: "/firm/a", Why: "ida may not list"}, true},
		{"a name that is not there", audit.Event{Action: audit.Stat, Path: "/firm/HR/desktop.ini"}, false},
		{"read", audit.Event{Action: audit.Read, Path: "/firm/a", Allowed: true}, false},
		{"read of a marked file", audit.Event{Action: audit.Read, Path: "/firm/HR/a", Allowed: true}, true},
		{"list of a marked folder", audit.Event{Action: audit.List, Path: "/firm/HR", Allowed: true}, true},
		{"stat of a marked file", audit.Event{Action: audit.Stat, Path: "/firm/HR/a", Allowed: true}, false},
		{"read of a neighbour", audit.Event{Action: audit.Read, Path: "/firm/HR2", Allowed: true}, false},
		{"read by a link", audit.Event{Action: audit.Read, Path: "/firm/shared", Actor: link, Allowed: true}, true},
		{"read of what a link gave", audit.Event{Action: audit.Read, Path: "/firm/shared", Allowed: true}, false},
		{"read of no path", audit.Event{Action: audit.Read, Path: "firm//", Allowed: true}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := state(t)
			if err := newLog(t, audit.Options{Store: s, Reads: reads}).Record(t.Context(), c.e); err != nil {
				t.Fatal(err)
			}
			if got := len(rows(t, s)) == 1; got != c.want {
				t.Errorf("recorded = %t, want %t", got, c.want)
			}
		})
	}
}

// TestRecordGone records the refusal of one who has hung up, and not the read.
func TestRecordGone(t *testing.T) {
	s := state(t)
	log := newLog(t, audit.Options{Store: s, Reads: func(vpath.Path, bool) bool { return true }})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := log.Record(ctx, audit.Event{Action: audit.Read, Path: "/a", Why: "no"}); err != nil {
		t.Errorf("Record of a refusal = %v", err)
	}
	if err := log.Record(ctx, audit.Event{Action: audit.Read, Path: "/a", Allowed: true}); !errors.Is(err, context.Canceled) {
		t.Errorf("Record of a read = %v, want context.Canceled", err)
	}
	if got := len(rows(t, s)); got != 1 {
		t.Errorf("%d rows, want 1", got)
	}
}

func TestRecordFails(t *testing.T) {
	s := state(t)
	var out bytes.Buffer
	log := newLog(t, audit.Options{Store: s, Log: slog.New(slog.NewTextHandler(&out, nil))})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	e := event()
	e.Error = "cut"
	if err := log.Record(t.Context(), e); !errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("Record = %v, want fault.ErrUnavailable", err)
	}
	if got := out.String(); !strings.Contains(got, "level=ERROR") || !strings.Contains(got, "request_id=r1") {
		t.Errorf("log = %q", got)
	}
}

// TestEncodeOneLine holds that no name can break a row, or lie about it.
func TestEncodeOneLine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(
			rapid.String(),
			rapid.StringOf(rapid.SampledFrom([]rune{'a', '\n', '\r', 0, 0x7F, 0x85, 0x9B, 0x2028, 0x2029, 0x202E, 0x2066, '"', '\\', '😀', '<'})),
		)
		e := event()
		e.Path, e.Dest, e.Agent, e.Why, e.Actor.Login = text.Draw(t, "path"), text.Draw(t, "dest"), text.Draw(t, "ua"), text.Draw(t, "why"), text.Draw(t, "login")
		row, err := audit.Encode(e)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range string(row) {
			if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == 0x2028 || r == 0x2029 {
				t.Fatalf("%q holds %U", row, r)
			}
		}
		back, err := audit.Decode(row)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(e, back); d != "" {
			t.Fatalf("Decode(Encode) (-want +got):\n%s", d)
		}
	})
}

func TestEncodeLong(t *testing.T) {
	e := event()
	e.Agent = strings.Repeat("ü", 100_000)
	e.Error = strings.Repeat("x\xff", 100_000)
	row, err := audit.Encode(e)
	if err != nil || len(row) > 16<<10 || !json.Valid(row) {
		t.Errorf("Encode = %d bytes, %v", len(row), err)
	}
	e.Time = time.Date(2026, 3, 1, 13, 0, 0, 999, time.FixedZone("CET", 3600))
	if row, err = audit.Encode(e); err != nil || !strings.Contains(string(row), `"ts":"2026-03-01T12:00:00Z"`) {
		t.Errorf("Encode = %s, %v, want UTC and microseconds", row, err)
	}
	if _, err := audit.Decode([]byte("{")); err == nil {
		t.Error("Decode of half a row = nil")
	}
}

// TestChainInSQLite chains what many write at once, and checks it beside them.
func TestChainInSQLite(t *testing.T) {
	s := state(t)
	log := newLog(t, audit.Options{Store: s})
	keys, err := audit.NewKeys([]byte(strings.Repeat("k", 32)))
	if err != nil {
		t.Fatal(err)
	}
	var g sync.WaitGroup
	for range 64 {
		g.Go(func() {
			for range 10 {
				id, err := log.Intend(t.Context(), event())
				if err != nil {
					t.Error(err)
				}
				e := event()
				e.Intent = id
				if err := s.Update(t.Context(), func(tx store.Tx) error { return log.Append(tx, e) }); err != nil {
					t.Error(err)
				}
			}
		})
	}
	check := func() *audit.Report {
		r, err := audit.Verify(t.Context(), s, keys, nil)
		if err != nil {
			t.Fatal(err)
		}
		if !r.OK() {
			t.Errorf("faults = %v", r.Faults)
		}
		return r
	}
	for range 5 {
		check()
	}
	g.Wait()
	left, err := s.Intents(t.Context())
	if r := check(); r.Spans[0].Rows != 640 || len(left) != 0 || err != nil {
		t.Errorf("%+v; intents %v, %v", r, left, err)
	}
}

// TestCutInSQLite cuts, and goes on behind the cut.
func TestCutInSQLite(t *testing.T) {
	s := state(t)
	log := newLog(t, audit.Options{Store: s, Keep: time.Hour})
	keys, err := audit.NewKeys([]byte(strings.Repeat("k", 32)))
	if err != nil {
		t.Fatal(err)
	}
	for n := range 30 {
		e := event()
		if n < 20 {
			e.Time = e.Time.Add(-2 * time.Hour)
		}
		if err := s.Update(t.Context(), func(tx store.Tx) error { return log.Append(tx, e) }); err != nil {
			t.Fatal(err)
		}
		if err := log.Cut(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	r, err := audit.Verify(t.Context(), s, keys, nil)
	if err != nil || !r.OK() || r.Spans[0].First != 21 || r.Spans[0].Last != 30 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestFake(t *testing.T) {
	s := state(t)
	var r audittest.Recorder
	if err := r.Record(t.Context(), event()); err != nil {
		t.Fatal(err)
	}
	if err := s.Update(t.Context(), func(tx store.Tx) error { return r.Append(tx, event()) }); err != nil {
		t.Fatal(err)
	}
	if len(r.Recorded()) != 1 || len(r.Appended()) != 1 || fakeRows(t, s) != 1 {
		t.Errorf("recorded %v, appended %v, rows %d, want one each", r.Recorded(), r.Appended(), fakeRows(t, s))
	}
	id, err := r.Intend(t.Context(), event())
	if err != nil || len(r.Open()) != 1 {
		t.Errorf("Intend = %q, %v; open %v", id, err, r.Open())
	}
	if err := r.Forget(t.Context(), nil, id); err != nil || len(r.Open()) != 0 {
		t.Errorf("Forget = %v; open %v", err, r.Open())
	}
	no := errors.New("no")
	r.Fail(no)
	if _, err := r.Intend(t.Context(), event()); !errors.Is(err, no) {
		t.Errorf("Intend = %v, want %v", err, no)
	}
	if err := r.Forget(t.Context(), nil, id); !errors.Is(err, no) {
		t.Errorf("Forget = %v, want %v", err, no)
	}
	if err := r.Record(t.Context(), event()); !errors.Is(err, no) {
		t.Errorf("Record = %v, want %v", err, no)
	}
	if err := r.Append(nil, event()); !errors.Is(err, no) {
		t.Errorf("Append = %v, want %v", err, no)
	}
	r.Fail(nil)
	r.Reset()
	if err := r.Append(nil, event()); err != nil || len(r.Appended()) != 1 || len(r.Recorded()) != 0 {
		t.Errorf("after Reset: %v, appended %v, recorded %v", err, r.Appended(), r.Recorded())
	}
}

// fakeRows counts the rows of all streams: that of the fake is its own.
func fakeRows(t *testing.T, s store.State) (n int64) {
	t.Helper()
	all, err := s.AuditStreams(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, stream := range all {
		n += stream.Last
	}
	return n
}
