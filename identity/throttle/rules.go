package throttle

import (
	"time"

	"portico/store"
)

// What holds for an account, and for a device that an account is known to use.
const (
	day          = 24 * time.Hour
	freeFailures = 5
	firstDelay   = 200 * time.Millisecond
	longestDelay = 30 * time.Second
	dayLimit     = 100
	deviceTerm   = 30 * day // how long a device stays known after a sign-in
)

// slower is a row after one more failure. hard is for an account, which strangers
// may not try more than dayLimit times a day.
func slower(a store.Attempts, now time.Time, hard bool) store.Attempts {
	if !now.Before(a.First.Add(day)) {
		a = store.Attempts{Key: a.Key, First: now}
	}
	a.Count++
	a.Last = now
	a.Until = refusedUntil(a, hard)
	return a
}

// takenBack is a row after one failure that was none.
func takenBack(a store.Attempts, hard bool) store.Attempts {
	a.Count = max(a.Count-1, 0)
	a.Until = refusedUntil(a, hard)
	return a
}

// refusedUntil follows from how many failures there were and when the last was.
func refusedUntil(a store.Attempts, hard bool) time.Time {
	switch {
	case hard && a.Count >= dayLimit:
		return a.First.Add(day)
	case a.Count >= freeFailures:
		return a.Last.Add(delay(a.Count - freeFailures))
	}
	return time.Time{}
}

func delay(n int) time.Duration {
	d := firstDelay
	for ; n > 0 && d < longestDelay; n-- {
		d *= 2
	}
	return min(d, longestDelay)
}

// rule is for those who guess, whatever they guess at: free failures within a
// window, the last of which has them refused for a term; for half as long again
// each further time, up to a day, until a day has passed in peace.
type rule struct {
	free         int
	window, term time.Duration
}

// Kind is what is guessed at, by whom.
type Kind string

// The kinds of guesses.
const (
	signIn       Kind = "place" // passwords of people, by address; Begin and Failed see to it
	LinkTokens   Kind = "token" // tokens of links that there are not, by address
	LinkPassword Kind = "link"  // the password of one link, by the link's ID

	Secrets   Kind = "secret" // secrets sent by mail that there are not, by address
	ResetAsks Kind = "reset"  // each wish for a new password, right or wrong, by address
)

func (k Kind) rule() rule {
	switch k {
	case LinkTokens:
		return rule{free: 30, window: time.Minute, term: time.Minute}
	case LinkPassword, Secrets, ResetAsks:
		return rule{free: 10, window: 10 * time.Minute, term: 10 * time.Minute}
	default:
		return rule{free: 20, window: 10 * time.Minute, term: 30 * time.Minute}
	}
}

// failed is a row after one more failure. Those who are refused already are not
// refused for longer: what they present is not looked at.
func (r rule) failed(a store.Attempts, now time.Time) store.Attempts {
	if now.Before(a.Until) {
		return a
	}
	if old := now.Add(-day); a.Last.Before(old) && a.Until.Before(old) { // as the sweep has it
		a = store.Attempts{Key: a.Key}
	}
	if !now.Before(a.First.Add(r.window)) {
		a.Count, a.First = 0, now
	}
	a.Count++
	a.Last = now
	if a.Count >= r.free {
		a.Until = now.Add(r.refusal(a.Strikes))
		a.Strikes++
		a.Count, a.First = 0, time.Time{}
	}
	return a
}

// refusal is how long the next refusal lasts.
func (r rule) refusal(strikes int) time.Duration {
	d := r.term
	for ; strikes > 0 && d < day; strikes-- {
		d += d / 2
	}
	return min(d, day)
}
