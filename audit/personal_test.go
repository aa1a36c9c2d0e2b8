package audit

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/store"
)

// canary is an event each personal text of which begins with "canary".
func canary(at time.Time) Event {
	return Event{
		Time: at, RequestID: "r1", Address: "canary-address", Agent: "canary-agent",
		Actor:  Actor{Type: Staff, ID: "canary-id", Login: "canary-login", Via: "dav", Key: "canary-key", As: "canary-as"},
		Action: AppPassword, Dest: "canary-device", Why: "no: canary-login may not", Error: "of canary-login", Rule: "portico.yaml:7",
	}
}

// put appends events.
func put(tb testing.TB, l *Log, events ...Event) {
	tb.Helper()
	for _, e := range events {
		if err := l.o.Store.Update(tb.Context(), func(tx store.Tx) error { return l.Append(tx, e) }); err != nil {
			tb.Fatal(err)
		}
	}
}

// by is a change by somebody.
func by(id, login string) Event {
	return Event{Actor: Actor{Type: Staff, ID: id, Login: login}, Address: "192.0.2.7", Action: Put, Path: "/firm/a", Allowed: true}
}

// opened are the rows of a stream with their seals open.
func opened(tb testing.TB, m *memory, stream string) (all []Row) {
	tb.Helper()
	o := NewOpener(testKeys(tb), m)
	for _, r := range m.rows[stream] {
		row, err := o.Open(tb.Context(), r)
		if err != nil {
			tb.Fatal(err)
		}
		all = append(all, row)
	}
	return all
}

func wantVerifies(tb testing.TB, m *memory, checkpoints []byte) {
	tb.Helper()
	r, err := Verify(tb.Context(), m, testKeys(tb), bytes.NewReader(checkpoints))
	if err != nil || !r.OK() || len(r.Warnings) > 0 {
		tb.Errorf("Verify = %+v, %v", r, err)
	}
}

func pseudonyms(rows []Row) (all []string) {
	for _, r := range rows {
		all = append(all, r.Actor.Pseudonym)
	}
	return all
}

// shownBy is all that somebody sees who reads the state.
func shownBy(m *memory) string {
	var all strings.Builder
	for _, r := range m.rows[m.name] {
		all.Write(r.JSON)
	}
	for _, k := range m.keys {
		fmt.Fprintf(&all, "%q %q %s", k.Name, k.Lookup, k.Wrapped)
	}
	for _, i := range m.intents {
		all.Write(i.Audit)
	}
	return all.String()
}

// TestSealed holds that a row, its key and an intent show nothing personal, and
// that all of it can be read with the secret.
func TestSealed(t *testing.T) {
	m, c := newMemory("gw-1"), newClock()
	l := newLog(t, m, c, Options{})
	nobody := Event{Time: c.now(), Action: SignIn, Address: "canary-address", Agent: "canary-agent", Why: "wrong"}
	events := []Event{canary(c.now()), nobody, by("", "canary-login")}
	for _, a := range []Action{Share, Unshare, Answer} { // of whom they name, as well
		e := canary(c.now())
		e.Action, e.Path, e.Dest = a, "/firm/a", "contact:canary@client.example"
		events = append(events, e)
	}
	put(t, l, events...)
	if _, err := l.Intend(t.Context(), canary(c.now())); err != nil {
		t.Fatal(err)
	}
	shown := shownBy(m)
	if len(m.keys) != 3 || strings.Contains(shown, "canary") || strings.Contains(shown, "192.0.2.7") {
		t.Errorf("%d keys; shown is %s", len(m.keys), shown)
	}
	if !strings.Contains(shown, `"why":"sealed"`) || !strings.Contains(shown, `"error":"sealed"`) || !strings.Contains(shown, "portico.yaml:7") {
		t.Errorf("that there was a reason is not shown: %s", shown)
	}
	for n, row := range opened(t, m, "gw-1") {
		if row.Actor.Pseudonym == "" == (n != 1) || !row.Opened {
			t.Errorf("row %d = %+v", n, row)
		}
		row.Actor.Pseudonym, events[n].Time = "", row.Time
		if d := cmp.Diff(events[n], row.Event); d != "" {
			t.Errorf("row %d (-want +got):\n%s", n, d)
		}
	}
	wantVerifies(t, m, nil)
}

// TestSealLengths: the seal of a short login is as long as that of a longer one.
func TestSealLengths(t *testing.T) {
	m, c := newMemory("gw-1"), newClock()
	put(t, newLog(t, m, c, Options{}), by("id-1", "jo"), by("id-2", "josephine"))
	if a, b := len(m.rows["gw-1"][0].JSON), len(m.rows["gw-1"][1].JSON); a != b {
		t.Errorf("rows have %d and %d bytes", a, b)
	}
}

// TestPlain is the form of before, which a sealed log may begin with.
func TestPlain(t *testing.T) {
	m, c := newMemory("gw-1"), newClock()
	put(t, newLog(t, m, c, Options{Plain: true}), canary(c.now()))
	if !strings.Contains(string(m.rows["gw-1"][0].JSON), `"id":"canary-id","name":"canary-login"`) || len(m.keys) != 0 {
		t.Errorf("row = %s", m.rows["gw-1"][0].JSON)
	}
	put(t, newLog(t, m, c, Options{}), canary(c.now()))
	rows := opened(t, m, "gw-1")
	rows[1].Actor.Pseudonym = ""
	if d := cmp.Diff(rows[0].Event, rows[1].Event); d != "" || rows[0].Opened {
		t.Errorf("plain and sealed (-plain +sealed):\n%s", d)
	}
	wantVerifies(t, m, nil)
	if _, err := Find(t.Context(), m, testKeys(t), "canary-login"); err != nil {
		t.Error(err)
	}
}

// TestErase destroys a person's key: the rows of that person are without a name,
// all verify, and what comes after has another pseudonym.
func TestErase(t *testing.T) {
	m, c := newMemory("gw-1"), newClock()
	file, marks := &bin{name: "file"}, &bin{name: "marks"}
	l := newLog(t, m, c, Options{Sinks: []Sink{file}, Checkpoints: []Sink{marks}})
	put(t, l, canary(c.now()), by("id-ann", "ann"), by("", "canary-login"), by("canary-id", "canary-login"))
	for _, x := range l.couriers() {
		if err := x.catchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	p, err := Find(t.Context(), m, testKeys(t), "canary-login")
	if err != nil || p.Rows != 3 || p.Plain != 0 || len(p.Pseudonyms) != 2 || !cmp.Equal(p.IDs, []string{"canary-id"}) {
		t.Fatalf("Find = %+v, %v", p, err)
	}
	if byID, err := Find(t.Context(), m, testKeys(t), "canary-id"); err != nil || !cmp.Equal(byID, p) {
		t.Errorf("Find by id = %+v, %v", byID, err)
	}
	if err := l.Erase(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	put(t, l, by("canary-id", "canary-login"))

	rows := opened(t, m, "gw-1")
	first := rows[0].Event
	if first.Actor.ID != first.Actor.Pseudonym || first.Actor.Login != erased || first.Actor.Key != "" || first.Agent != "" || first.Why != erased || first.Error != erased || first.Dest != erased {
		t.Errorf("erased = %+v", first)
	}
	if rows[1].Actor.Login != "ann" || rows[3].Actor.Pseudonym != first.Actor.Pseudonym {
		t.Errorf("the others = %+v", rows[1:4])
	}
	if e := rows[4]; e.Action != Erasure || e.Actor.Type != SystemItself || e.Dest != p.Pseudonyms[0] {
		t.Errorf("the erasure = %+v", e)
	}
	if last := rows[6]; last.Actor.Login != "canary-login" || last.Actor.Pseudonym == first.Actor.Pseudonym {
		t.Errorf("after it = %+v", last)
	}
	wantVerifies(t, m, marks.file())
	if r := verifyLines(t, file.file(), testKeys(t), marks.file()); !r.OK() {
		t.Errorf("the file: %v", r.Faults)
	}
	out := export(t, m, Filter{User: first.Actor.Pseudonym}, false)
	if strings.Count(out, "\n") != 2 || strings.Contains(out, "canary-login") || !strings.Contains(out, `"name":"erased"`) {
		t.Errorf("export = %s", out)
	}
	if out := export(t, m, Filter{User: "canary-login"}, true); strings.Count(out, "\n") != 2 { // a header, and what came after
		t.Errorf("export = %s", out)
	}
}

// TestFind tells who is meant, and what is left of whom.
func TestFind(t *testing.T) {
	m, c := newMemory("gw-1"), newClock()
	l := newLog(t, m, c, Options{})
	put(t, newLog(t, m, c, Options{Plain: true}), by("id-ann", "ann"), by("id-old", "old"))
	put(t, l, by("id-ann", "ann"), by("id-bob", "bob"), by("id-bob-2", "bob"), by("", "bob"), by("", "eve"), by("id-gone", "gone"))
	m.rows["gw-1"] = m.rows["gw-1"][:7] // that of gone was cut; the key is there
	for who, want := range map[string]struct {
		rows, plain int64
		keys        int
		err         string
	}{
		"ann": {1, 1, 1, ""}, "id-bob": {2, 0, 2, ""}, "bob": {err: "id-bob, id-bob-2"}, "eve": {1, 0, 1, ""},
		"id-gone": {0, 0, 1, ""}, "old": {0, 1, 0, "nothing sealed"}, "none": {err: "nothing sealed"}, "": {err: "nothing sealed"},
	} {
		p, err := Find(t.Context(), m, testKeys(t), who)
		if (err == nil) != (want.err == "") || err != nil && !strings.Contains(err.Error(), want.err) {
			t.Errorf("Find(%q) = %v, want %q", who, err, want.err)
		}
		if p.Rows != want.rows || p.Plain != want.plain || len(p.Pseudonyms) != want.keys {
			t.Errorf("Find(%q) = %+v, want %+v", who, p, want)
		}
	}
}

// TestForgetAddresses destroys the keys of old days, and of those alone.
func TestForgetAddresses(t *testing.T) {
	m, c := newMemory("gw-1"), newClock()
	l := newLog(t, m, c, Options{Addresses: 48 * time.Hour})
	for range 4 { // the 1st to the 4th, at 12:00
		put(t, l, by("id-ann", "ann"))
		c.add(24 * time.Hour)
	}
	if err := l.ForgetAddresses(t.Context()); err != nil { // at 12:00 on the 5th: the 3rd is not over for 48 hours
		t.Fatal(err)
	}
	var got []string
	for _, r := range opened(t, m, "gw-1") {
		got = append(got, r.Actor.Login+" "+r.Address)
	}
	if d := cmp.Diff([]string{"ann erased", "ann erased", "ann 192.0.2.7", "ann 192.0.2.7"}, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	wantVerifies(t, m, nil)
	without := newLog(t, m, c, Options{})
	c.add(1000 * time.Hour)
	if err := without.ForgetAddresses(t.Context()); err != nil || len(m.keys) != 3 {
		t.Errorf("without a bound: %v, %d keys", err, len(m.keys))
	}
}

// TestKeysAreHeld asks the store once for a person and a day, and again when a
// minute is over.
func TestKeysAreHeld(t *testing.T) {
	m, c := newMemory("gw-1"), newClock()
	l := newLog(t, m, c, Options{})
	put(t, l, by("id-ann", "ann"), by("id-ann", "ann"), by("id-ann", "ann"))
	if m.asked != 2 {
		t.Errorf("asked %d times, want 2", m.asked)
	}
	c.add(holdFor)
	put(t, l, by("id-ann", "ann"), by("id-ann", "ann"))
	if m.asked != 4 || len(m.keys) != 2 {
		t.Errorf("asked %d times, want 4; %d keys", m.asked, len(m.keys))
	}
	c.add(-time.Hour) // a clock that is set back makes no key live longer
	put(t, l, by("id-ann", "ann"))
	if m.asked != 6 {
		t.Errorf("asked %d times, want 6", m.asked)
	}
	for n := range holdMost {
		put(t, l, by(fmt.Sprint("id-", n), "x"))
		m.keys = m.keys[:2] // the random source of the tests gives few names
	}
	if n := len(l.seal.boxes); n > holdMost {
		t.Errorf("%d keys are held", n)
	}
}

// TestDestroyedElsewhere: a key that another replica has destroyed is used for
// a minute at the most.
func TestDestroyedElsewhere(t *testing.T) {
	m, c := newMemory("gw-1"), newClock()
	l := newLog(t, m, c, Options{})
	put(t, l, by("id-ann", "ann"))
	p, err := Find(t.Context(), m, testKeys(t), "ann")
	if err != nil {
		t.Fatal(err)
	}
	m.name = "gw-2"
	if err := newLog(t, m, c, Options{Rand: &counter{n: 100}}).Erase(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	m.name = "gw-1"
	c.add(holdFor)
	put(t, l, by("id-ann", "ann"))
	rows := opened(t, m, "gw-1")
	if got := pseudonyms(rows); got[0] == got[1] || rows[0].Actor.Login != erased || rows[1].Actor.Login != "ann" {
		t.Errorf("rows = %+v", rows)
	}
	wantVerifies(t, m, nil)
}

// TestTwoReplicasOneKey: both seal under the key that the first has made.
func TestTwoReplicasOneKey(t *testing.T) {
	m, c := newMemory("gw-1"), newClock()
	put(t, newLog(t, m, c, Options{}), by("id-ann", "ann"))
	m.name = "gw-2"
	put(t, newLog(t, m, c, Options{Rand: &counter{n: 100}}), by("id-ann", "ann"))
	a, b := opened(t, m, "gw-1"), opened(t, m, "gw-2")
	if len(m.keys) != 2 || a[0].Actor != b[0].Actor || a[0].Address != b[0].Address {
		t.Errorf("%d keys, %+v, %+v", len(m.keys), a, b)
	}
}

// TestUndoneKey: a key that was undone with its row seals no other. The undoing
// shows when the store refuses the next row.
func TestUndoneKey(t *testing.T) {
	m, c := newMemory("gw-1"), newClock()
	l := newLog(t, m, c, Options{})
	put(t, l, by("id-bob", "bob"))
	no := errors.New("no")
	for range 2 {
		err := m.Update(t.Context(), func(tx store.Tx) error { return errors.Join(l.Append(tx, by("id-ann", "ann")), no) })
		if !errors.Is(err, no) {
			t.Fatal(err)
		}
	}
	put(t, l, by("id-ann", "ann"), by("id-bob", "bob"))
	for n, want := range []string{"bob", "ann", "bob"} {
		if got := opened(t, m, "gw-1")[n].Actor.Login; got != want {
			t.Errorf("row %d is of %q, want %q", n+1, got, want)
		}
	}
	wantVerifies(t, m, nil)
}

// TestSealIsOfItsRow: a seal in the place of another, one that was changed, and a
// key in the place of another open nothing.
func TestSealIsOfItsRow(t *testing.T) {
	m, c := newMemory("gw-1"), newClock()
	put(t, newLog(t, m, c, Options{}), by("id-ann", "ann"), by("id-ann", "ann"), by("id-bob", "bob"))
	rows := opened(t, m, "gw-1")
	was := func(n int) Row {
		r, err := DecodeRow(m.rows["gw-1"][n].JSON)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	swapped, moved, cut, changed := was(0), was(0), was(0), was(0)
	swapped.Sealed, moved.Origin, cut.Sealed = was(1).Sealed, was(1).Origin, "AAAA"
	changed.Sealed = "A" + changed.Sealed[1:]
	for name, r := range map[string]Row{"swapped": swapped, "moved": moved, "cut": cut, "changed": changed, "of bob": {Seq: 1, Replica: "gw-1", Event: rows[0].Event, Sealed: was(2).Sealed}} {
		text, err := encode(r)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := NewOpener(testKeys(t), m).Open(t.Context(), store.AuditRow{JSON: text}); !errors.Is(err, errSeal) {
			t.Errorf("%s: %v, want %v", name, err, errSeal)
		}
	}
	for _, k := range []*store.AuditKey{&m.keys[0], &m.keys[2]} {
		was := *k
		k.Lookup = "of another"
		if _, err := testKeys(t).unwrap(*k); !errors.Is(err, errBadly) {
			t.Errorf("another lookup: %v, want %v", err, errBadly)
		}
		*k = was
	}
	m.keys[0].Wrapped, m.keys[2].Wrapped = m.keys[2].Wrapped, m.keys[0].Wrapped
	if _, err := NewOpener(testKeys(t), m).Open(t.Context(), m.rows["gw-1"][0]); !errors.Is(err, errBadly) {
		t.Errorf("exchanged keys: %v, want %v", err, errBadly)
	}
}

// TestChangedSecret: after audit.key was changed, the log goes on with new keys.
func TestChangedSecret(t *testing.T) {
	m, c := newMemory("gw-1"), newClock()
	put(t, newLog(t, m, c, Options{}), by("id-ann", "ann"))
	other, err := New(Options{Store: m, Key: bytes.Repeat([]byte("o"), 32), Clock: c.now, Rand: &counter{n: 100}})
	if err != nil {
		t.Fatal(err)
	}
	put(t, other, by("id-ann", "ann"))
	row, err := NewOpener(other.keys, m).Open(t.Context(), m.rows["gw-1"][1])
	if err != nil || row.Actor.Login != "ann" || row.Address != "192.0.2.7" || len(m.keys) != 4 {
		t.Errorf("%+v, %v, %d keys", row, err, len(m.keys))
	}
}

// TestKept holds that an event which waits is for its id alone.
func TestKept(t *testing.T) {
	l := newLog(t, newMemory("gw-1"), newClock(), Options{})
	e := canary(newClock().now())
	text, err := l.Keep(e, "a")
	if err != nil || bytes.Contains(text, []byte("canary")) {
		t.Fatalf("Keep = %s, %v", text, err)
	}
	if got, err := l.Kept(text, "a"); err != nil || !cmp.Equal(got, e) {
		t.Errorf("Kept = %+v, %v", got, err)
	}
	if _, err := l.Kept(text, "b"); !errors.Is(err, errSeal) {
		t.Errorf("Kept of another = %v", err)
	}
	plain, err := Encode(e)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := l.Kept(plain, "b"); err != nil || !cmp.Equal(got, e) {
		t.Errorf("Kept of what Encode made = %+v, %v", got, err)
	}
}

// TestOpenedIsNoLog: an export with open seals says that it cannot be verified.
func TestOpenedIsNoLog(t *testing.T) {
	m := exported(t)
	wantFault(t, verifyLines(t, []byte(export(t, m, Filter{}, false)), testKeys(t), nil), "export --sealed", 5)
}

// TestRunForgetsAddresses does so once a day, without a Keep.
func TestRunForgetsAddresses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, c := newMemory("gw-1"), newClock()
		s := start(t, m, c, Options{Addresses: 24 * time.Hour})
		put(t, s.Log, by("id-ann", "ann"))
		s.ticks(c, 20*time.Hour, 1)
		if len(m.keys) != 2 {
			t.Errorf("%d keys after 20 hours, want 2", len(m.keys))
		}
		s.ticks(c, 30*time.Hour, 1)
		if len(m.keys) != 1 || m.keys[0].Kind != ofPerson {
			t.Errorf("keys after 50 hours = %+v", m.keys)
		}
	})
}

// besideIt is the state as a command has it.
type besideIt struct{ *memory }

func (besideIt) Replica() string { return "portico command" }

// TestCommandsRowsAreSent: what a command has written beside the one server of a
// state gets to the sinks.
func TestCommandsRowsAreSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, c := newMemory("gw-1"), newClock()
		file := &bin{name: "file"}
		s := start(t, m, c, Options{Sinks: []Sink{file}})
		put(t, s.Log, by("id-ann", "ann"))
		beside := newLog(t, besideIt{m}, c, Options{Rand: &counter{n: 100}})
		p, err := Find(t.Context(), m, testKeys(t), "ann")
		if err == nil {
			err = beside.Erase(t.Context(), p)
		}
		if err != nil {
			t.Fatal(err)
		}
		s.ticks(c, 2*lookEvery, 2)
		if got := string(file.file()); strings.Count(got, "\n") != 2 || !strings.Contains(got, `"replica":"portico command"`) {
			t.Errorf("the file has %s", got)
		}
	})
}
