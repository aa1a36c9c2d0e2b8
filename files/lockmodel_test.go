package files_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"portico/backends/mem"
	"portico/fault"
	"portico/files"
	"portico/vpath"
)

// lockModel is the lock table as RFC 4918 §6 and §7 describe it, naively.
type lockModel struct{ locks []modelLock }

type modelLock struct {
	token, path, holder string
	infinite, shared    bool
	expires             time.Time
	timeout             time.Duration
}

func (l modelLock) covers(p string) bool {
	return l.path == p || l.infinite && strings.HasPrefix(p, l.path+"/")
}

// protect are the locks that a change of p meets: those on it, with below those
// beneath, with member those on its folder, whose list changes.
func (m *lockModel) protect(p string, below, member bool) (list []modelLock) {
	up := p[:strings.LastIndex(p, "/")]
	for _, l := range m.locks {
		if l.covers(p) || below && strings.HasPrefix(l.path, p+"/") || member && l.covers(up) {
			list = append(list, l)
		}
	}
	return list
}

// opens tells whether tokens of who open all of the locks: one for each root.
func opens(list []modelLock, who string, tokens []string) bool {
	for _, l := range list {
		if !slices.ContainsFunc(list, func(k modelLock) bool {
			return k.path == l.path && k.holder == who && slices.Contains(tokens, k.token)
		}) {
			return false
		}
	}
	return true
}

func (m *lockModel) add(l modelLock) bool {
	for _, other := range m.protect(l.path, l.infinite, false) {
		if !l.shared || !other.shared {
			return false
		}
	}
	m.locks = append(m.locks, l)
	return true
}

func (m *lockModel) expire(now time.Time) {
	m.locks = slices.DeleteFunc(m.locks, func(l modelLock) bool { return !l.expires.After(now) })
}

func (m *lockModel) tokens() []string {
	all := []string{"opaquelocktoken:none"}
	for _, l := range m.locks {
		all = append(all, l.token)
	}
	return all
}

// Any sequence of operations leaves the lock table that the naive model has, and
// refuses what it refuses.
func TestLockTableIsTheModel(t *testing.T) {
	t.Parallel()
	state := openState(t)
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t, options{shape: mem.Objects, shared: cleared(t, state), quiet: true})
		w.seed("ann", "/firm/a", "/firm/d/b", "/firm/d/bc", "/firm/d/e/c")
		paths := []string{"/firm/a", "/firm/d", "/firm/d/b", "/firm/d/bc", "/firm/d/e", "/firm/d/e/c"}
		isDir := func(p string) bool { return p == "/firm/d" || p == "/firm/d/e" }
		m := &lockModel{}
		draw := func(name string) string { return rapid.SampledFrom(paths).Draw(rt, name) }
		check := func(o *outcome, want error) {
			if !errors.Is(o.err, want) {
				rt.Fatalf("%s: %v, want %v; locks %+v", o.what, o.err, want, m.locks)
			}
		}
		locked := func(list []modelLock, who string, tokens []string) error {
			if opens(list, who, tokens) {
				return nil
			}
			return fault.ErrLocked
		}
		rt.Repeat(map[string]func(*rapid.T){
			"lock": func(rt *rapid.T) {
				p, who := draw("path"), rapid.SampledFrom([]string{"ann", "root"}).Draw(rt, "who")
				o := files.LockOptions{Infinite: rapid.Bool().Draw(rt, "deep"), Shared: rapid.Bool().Draw(rt, "shared")}
				o.Timeout = time.Duration(rapid.IntRange(0, 90).Draw(rt, "minutes")) * time.Minute
				got := w.as(who).lock(p, func(l *files.LockOptions) { *l = o })
				l := modelLock{
					path: p, holder: who, infinite: o.Infinite && isDir(p), shared: o.Shared, token: got.lock.Token,
					timeout: min(o.Timeout, time.Hour),
				}
				if l.timeout == 0 {
					l.timeout = 10 * time.Minute
				}
				l.expires = w.clock.Now().Add(l.timeout)
				if m.add(l) {
					check(got, nil)
				} else {
					check(got, fault.ErrLocked)
				}
			},
			"unlock": func(rt *rapid.T) {
				p, who := draw("path"), rapid.SampledFrom([]string{"ann", "root"}).Draw(rt, "who")
				token := rapid.SampledFrom(m.tokens()).Draw(rt, "token")
				got := w.as(who).unlock(p, token)
				i := slices.IndexFunc(m.locks, func(l modelLock) bool { return l.token == token && l.holder == who && l.covers(p) })
				if (got.err == nil) != (i >= 0) {
					rt.Fatalf("%s %s: %v; locks %+v", got.what, token, got.err, m.locks)
				}
				if i >= 0 {
					m.locks = slices.Delete(m.locks, i, i+1)
				}
			},
			"refresh": func(rt *rapid.T) {
				p, who := draw("path"), rapid.SampledFrom([]string{"ann", "root"}).Draw(rt, "who")
				token := rapid.SampledFrom(m.tokens()).Draw(rt, "token")
				got := w.as(who).refresh(p, token)
				i := slices.IndexFunc(m.locks, func(l modelLock) bool { return l.token == token && l.holder == who && l.covers(p) })
				if (got.err == nil) != (i >= 0) {
					rt.Fatalf("%s %s: %v; locks %+v", got.what, token, got.err, m.locks)
				}
				if i >= 0 {
					m.locks[i].expires = w.clock.Now().Add(m.locks[i].timeout)
				}
			},
			"write": func(rt *rapid.T) {
				p, who := draw("path"), rapid.SampledFrom([]string{"ann", "root"}).Draw(rt, "who")
				tokens := rapid.SliceOfN(rapid.SampledFrom(m.tokens()), 0, 3).Draw(rt, "tokens")
				g := files.Guard{Tokens: tokens}
				check(w.as(who).patch(p, g, color("red")), locked(m.protect(p, false, false), who, tokens))
				if !isDir(p) {
					check(w.as(who).put(p, "1", putIf(g)), locked(m.protect(p, false, false), who, tokens))
					return
				}
				n := p + "/new"
				check(w.as(who).mkdir(n, g), locked(m.protect(n, false, true), who, tokens))
				if err := w.back["firm"].Remove(t.Context(), vpath.Must(n).Tail()); err != nil && len(m.locks) == 0 {
					rt.Fatal(err)
				}
			},
			"delete": func(rt *rapid.T) {
				p, who := draw("path"), rapid.SampledFrom([]string{"ann", "root"}).Draw(rt, "who")
				tokens := rapid.SliceOfN(rapid.SampledFrom(m.tokens()), 0, 3).Draw(rt, "tokens")
				want := locked(m.protect(p, true, true), who, tokens)
				check(w.as(who).rm(p, files.Guard{Tokens: tokens}), want)
				if want == nil {
					m.locks = slices.DeleteFunc(m.locks, func(l modelLock) bool { return l.path == p || strings.HasPrefix(l.path, p+"/") })
				}
				w.seed("ann", "/firm/a", "/firm/d/b", "/firm/d/bc", "/firm/d/e/c")
			},
			"wait": func(rt *rapid.T) {
				w.clock.add(time.Duration(rapid.IntRange(1, 20).Draw(rt, "minutes")) * time.Minute)
				m.expire(w.clock.Now())
			},
			"": func(rt *rapid.T) {
				if got, want := w.lockTable(), m.table(); got != want {
					rt.Fatalf("lock table\n%swant\n%s", got, want)
				}
			},
		})
	})
}

func (w *world) lockTable() string {
	all, err := w.state.Locks(w.Context(), w.clock.Now())
	if err != nil {
		w.Fatal(err)
	}
	var rows []string
	for _, l := range all {
		rows = append(rows, fmt.Sprintln(l.Token, l.Path, l.Holder, l.Infinite, l.Shared, l.Expires.Unix()))
	}
	slices.Sort(rows)
	return strings.Join(rows, "")
}

func (m *lockModel) table() string {
	var rows []string
	for _, l := range m.locks {
		rows = append(rows, fmt.Sprintln(l.token, l.path, id(l.holder), l.infinite, l.shared, l.expires.Unix()))
	}
	slices.Sort(rows)
	return strings.Join(rows, "")
}
