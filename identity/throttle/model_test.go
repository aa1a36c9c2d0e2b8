package throttle_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"portico/identity"
)

// event is an attempt that was looked at.
type event struct {
	at    time.Time
	login identity.Login
	from  string
	known bool
	right bool

	forgiven bool // by an admin: it counts for the place alone
}

// model is the throttle as one would write it with all the time in the world: it
// keeps every attempt, and works out each answer from the whole list.
type model struct{ events []event }

// known: did the account sign in from there within 30 days?
func (m *model) known(now time.Time, login identity.Login, from string) bool {
	for _, e := range m.events {
		if e.right && e.login == login && e.from == from && now.Before(e.at.Add(30*day)) {
			return true
		}
	}
	return false
}

// wait is how long an attempt has to wait.
func (m *model) wait(now time.Time, login identity.Login, from string) time.Duration {
	var until time.Time
	if m.known(now, login, from) {
		until = m.delay(func(e event) (counts, clears bool) {
			mine := e.login == login && e.from == from && !e.forgiven
			return mine && e.known && !e.right, mine && e.right
		}, false)
	} else {
		until = m.delay(func(e event) (counts, clears bool) {
			return e.login == login && !e.known && !e.right && !e.forgiven, false
		}, true)
		if block := m.block(from); block.After(until) {
			until = block
		}
	}
	return max(0, until.Sub(now))
}

// delay follows the failures of an account or a device, day by day.
func (m *model) delay(judge func(event) (counts, clears bool), hard bool) time.Time {
	var first, last time.Time
	n := 0
	for _, e := range m.events {
		counts, clears := judge(e)
		switch {
		case clears:
			n = 0
			first = time.Time{}
		case counts && (n == 0 || !e.at.Before(first.Add(day))):
			n, first, last = 1, e.at, e.at
		case counts:
			n++
			last = e.at
		}
	}
	switch {
	case hard && n >= 100:
		return first.Add(day)
	case n < 5:
		return time.Time{}
	}
	d := 0.2
	for range n - 5 {
		d = min(d*2, 30)
	}
	return last.Add(time.Duration(d * float64(time.Second)))
}

// block follows the failures of an address.
func (m *model) block(from string) (until time.Time) {
	var window []time.Time
	var last time.Time
	term := 30 * time.Minute
	for _, e := range m.events {
		if e.right || e.from != from || e.at.Before(until) {
			continue
		}
		if e.at.After(last.Add(day)) && e.at.After(until.Add(day)) {
			term, window = 30*time.Minute, nil
		}
		last = e.at
		if len(window) > 0 && !e.at.Before(window[0].Add(10*time.Minute)) {
			window = nil
		}
		if window = append(window, e.at); len(window) == 20 {
			until = e.at.Add(term)
			term = min(term*3/2, day)
			window = nil
		}
	}
	return until
}

// TestModel runs the throttle beside the list.
func TestModel(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		b := newBench(t)
		m := &model{}
		logins := []identity.Login{"ann", "bob", "nobody"}
		places := []string{atA, atB}
		steps := rapid.SliceOfN(rapid.SampledFrom([]string{"wrong", "wrong", "wrong", "burst", "right", "wait", "pardon"}), 1, 60).Draw(r, "steps")
		for i, step := range steps {
			login := rapid.SampledFrom(logins).Draw(r, fmt.Sprint("login", i))
			from := rapid.SampledFrom(places).Draw(r, fmt.Sprint("from", i))
			n := 1
			switch step {
			case "wait":
				b.advance(rapid.SampledFrom([]time.Duration{
					time.Second, time.Minute, 9 * time.Minute, time.Hour, 23 * time.Hour, 25 * time.Hour, 29 * day, 31 * day,
				}).Draw(r, fmt.Sprint("for", i)))
				continue
			case "pardon":
				m.pardon(b, login)
				continue
			case "burst": // somebody who waits as long as he is told, and tries again
				n = rapid.IntRange(2, 120).Draw(r, fmt.Sprint("times", i))
			}
			for range n {
				wait := m.attempt(r, b, login, from, step == "right")
				if step == "burst" && wait < time.Hour {
					b.advance(wait)
				}
			}
		}
	})
}

// pardon forgets what an account has failed, and nothing else.
func (m *model) pardon(b *bench, login identity.Login) {
	b.pardon(login)
	for i, e := range m.events {
		if e.login == login && !e.right {
			m.events[i].forgiven = true
		}
	}
}

// attempt makes one, and wants both to say the same.
func (m *model) attempt(r *rapid.T, b *bench, login identity.Login, from string, right bool) time.Duration {
	now := b.now()
	want := m.wait(now, login, from)
	y, err := b.Begin(b.t.Context(), login, from)
	if got := after(err); got != want {
		r.Fatalf("%s from %s waits %v, want %v", login, from, got, want)
	}
	if err != nil {
		return want
	}
	known := m.known(now, login, from)
	m.events = append(m.events, event{at: now, login: login, from: from, known: known, right: right})
	if right {
		err = y.Proved(b.t.Context())
	} else {
		_, err = y.Failed(b.t.Context())
	}
	if err != nil {
		r.Fatal(err)
	}
	return 0
}
