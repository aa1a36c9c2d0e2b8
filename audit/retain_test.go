package audit

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"portico/store"
)

func TestCut(t *testing.T) {
	m, c := newMemory("gw-1"), newClock()
	file, marks := &bin{name: "file"}, &bin{name: "marks"}
	const keep = time.Hour
	l := newLog(t, m, c, Options{Sinks: []Sink{file}, Checkpoints: []Sink{marks}, Keep: keep})
	write(t, l, c, 1000)
	c.add(keep - 500*time.Second)
	cut := func(want int64) {
		t.Helper()
		if err := l.Cut(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := m.cuts["gw-1"].Seq; got != want || int64(len(m.rows["gw-1"])) != m.heads["gw-1"].Last-want {
			t.Errorf("cut at %d, %d rows left, want %d", got, len(m.rows["gw-1"]), want)
		}
		if r := verify(t, m, testKeys(t), marks.lines0()); !r.OK() {
			t.Errorf("faults = %v", r.Faults)
		}
	}
	cut(0) // no sink has them
	bring := func() {
		for _, x := range l.couriers() {
			if err := x.catchUp(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	m.sinks[[2]string{"file", "gw-1"}] = 100
	cut(0) // no checkpoint has seen them
	bring()
	cut(499)
	c.add(2 * keep)
	cut(1000)
	write(t, l, c, 3)
	bring()
	cut(1000)

	// A cut that was made by nobody who has the key.
	forged := m.cuts["gw-1"]
	m.rows["gw-1"] = m.rows["gw-1"][1:]
	h := m.heads["gw-1"]
	forged.Seq, h.First = 1001, 1002
	m.cuts["gw-1"], m.heads["gw-1"] = forged, h
	wantFault(t, verify(t, m, testKeys(t), nil), "row 1001: and those before it were removed, but the signature", 2)
	delete(m.cuts, "gw-1")
	wantFault(t, verify(t, m, testKeys(t), nil), "the rows 1 to 1001 before it are missing", 2)
}

func (b *bin) lines0() []byte {
	if b.count() == 0 {
		return nil
	}
	return b.file()
}

// TestRunCutsDaily cuts once a day.
func TestRunCutsDaily(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, c := newMemory("gw-1"), newClock()
		s := start(t, m, c, Options{Keep: 24 * time.Hour})
		write(t, s.Log, c, 10)
		s.ticks(c, 23*time.Hour, 1)
		if len(m.cuts) != 0 {
			t.Errorf("cuts = %v", m.cuts)
		}
		s.ticks(c, 12*time.Hour, 1)
		if m.cuts["gw-1"].Seq != 10 {
			t.Errorf("cuts = %v", m.cuts)
		}
	})
}

// TestVerifyBesideCut has a cut made while the rows are read.
func TestVerifyBesideCut(t *testing.T) {
	m, c := newMemory("gw-1"), newClock()
	l := newLog(t, m, c, Options{Keep: time.Second})
	write(t, l, c, 700)
	r, err := Verify(t.Context(), &cutting{memory: m, l: l}, testKeys(t), nil)
	if err != nil || !r.OK() || r.Spans[0].Rows == 700 {
		t.Errorf("%+v, %v", r, err)
	}
}

// cutting cuts after the first rows were read.
type cutting struct {
	*memory
	l    *Log
	once sync.Once
}

func (m *cutting) AuditRows(ctx context.Context, stream string, after int64, limit int) ([]store.AuditRow, error) {
	rows, err := m.memory.AuditRows(ctx, stream, after, limit)
	m.once.Do(func() { err = m.l.Cut(ctx) })
	return rows, err
}
