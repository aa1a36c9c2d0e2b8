// Package storetest is the suite that each state store passes.
package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"portico/store"
	"portico/vpath"
)

// Open gives the store that lives in dir: an empty one for a dir that is new,
// the same one again after it was closed. The test closes it.
type Open func(t *testing.T, dir string) store.State

// Run puts a store through all that the contract says.
func Run(t *testing.T, open Open) {
	t.Helper()
	run(t, open, sharingTests())
	run(t, open, map[string]func(*suite){
		"locks/round trip":       lockRoundTrip,
		"locks/on":               locksOn,
		"locks/boundaries":       lockBoundaries,
		"locks/expiry":           lockExpiry,
		"locks/drop":             lockDrop,
		"props/round trip":       propRoundTrip,
		"props/drop":             propDrop,
		"props/move":             propsMove,
		"props/move overlap":     propsOverlap,
		"props/copy deep":        propsCopyDeep,
		"props/copy shallow":     propsCopyShallow,
		"props/against a map":    propsModel,
		"around/locks":           aroundLocks,
		"around/props":           aroundProps,
		"around/order":           aroundOrder,
		"around/all questions":   aroundModel,
		"around/too much":        aroundCut,
		"props/in pages":         propsInPages,
		"props/of one name":      propBelow,
		"journal":                journal,
		"intents":                intents,
		"usage":                  usage,
		"audit/rows":             auditRows,
		"audit/streams":          auditStreams,
		"audit/order":            auditOrder,
		"audit/cuts":             auditCuts,
		"audit/sinks":            auditSinks,
		"audit/keys":             auditKeys,
		"access/app passwords":   appPasswords,
		"access/sessions":        sessions,
		"access/people":          people,
		"access/attempts":        attempts,
		"access/bad text":        badText,
		"one process":            oneProcess,
		"update/sees itself":     updateSeesItself,
		"update/error undoes":    updateErrorUndoes,
		"update/panic undoes":    updatePanicUndoes,
		"update/goexit undoes":   updateGoexitUndoes,
		"update/cancelled":       updateCancelled,
		"update/cancelled late":  updateCancelledLate,
		"update/many at once":    updateMany,
		"update/batch isolation": updateBatchIsolation,
		"update/tx kept":         updateTxKept,
		"reopen":                 reopen,
		"check":                  check,
		"closed":                 closed,
		"reader cancelled":       readerCancelled,
		"sharing/bad text":       sharingBadText,
	})
}

func run(t *testing.T, open Open, tests map[string]func(*suite)) {
	t.Helper()
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := &suite{T: t, dir: dir, open: open, State: open(t, dir)}
			t.Cleanup(s.end)
			test(s)
		})
	}
}

// suite is one test with a store of its own.
type suite struct {
	*testing.T
	store.State
	dir  string
	open Open
}

func (s *suite) end() {
	s.Helper()
	if err := s.Close(); err != nil {
		s.Errorf("Close = %v", err)
	}
}

func (s *suite) reopen() {
	s.Helper()
	s.end()
	s.State = s.open(s.T, s.dir)
}

// update runs f and wants it to succeed.
func (s *suite) update(f func(store.Tx) error) {
	s.Helper()
	if err := s.Update(s.Context(), f); err != nil {
		s.Fatalf("Update = %v", err)
	}
}

// equal compares, with no slice and an empty one alike.
func (s *suite) equal(what string, got, want any) {
	s.Helper()
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmp.Comparer(func(a, b vpath.Path) bool { return a == b })); d != "" {
		s.Errorf("%s (-want +got):\n%s", what, d)
	}
}

// must gives the answer of a read that may not fail.
func must[T any](s *suite) func(T, error) T {
	s.Helper()
	return func(v T, err error) T {
		s.Helper()
		if err != nil {
			s.Fatalf("read = %v", err)
		}
		return v
	}
}

// now is a moment that no clock gave.
func now() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC) }

// lock is a lock on a path, good for an hour. Its token is made of the path.
func lock(path string, infinite bool) store.Lock {
	return store.Lock{
		Token: "opaquelocktoken:" + path, Path: vpath.Must(path), Infinite: infinite,
		Holder: "id-ann", HolderAs: "Ann", Created: now(), Expires: now().Add(time.Hour), Timeout: time.Hour,
	}
}

func (s *suite) putLocks(locks ...store.Lock) {
	s.Helper()
	s.update(func(tx store.Tx) error {
		for _, l := range locks {
			if err := tx.PutLock(l); err != nil {
				return err
			}
		}
		return nil
	})
}

// tokens are the paths in the tokens of lock.
func tokens(locks []store.Lock) []string {
	var all []string
	for _, l := range locks {
		all = append(all, l.Token[len("opaquelocktoken:"):])
	}
	return all
}

func prop(local, text string) store.Prop {
	return store.Prop{Space: "urn:x", Local: local, XML: fmt.Sprintf(`<%[1]s xmlns="urn:x">%[2]s</%[1]s>`, local, text)}
}

// putProps gives each path a property "p" whose text is the path.
func (s *suite) putProps(paths ...string) {
	s.Helper()
	s.update(func(tx store.Tx) error {
		for _, p := range paths {
			if err := tx.PutProp(vpath.Must(p), prop("p", p)); err != nil {
				return err
			}
		}
		return nil
	})
}

// texts maps each of the paths that has properties to those that putProps gave.
func (s *suite) texts(paths ...string) map[string]string {
	s.Helper()
	all := make(map[string]string)
	for _, p := range paths {
		for _, prop := range must[[]store.Prop](s)(s.PropsOf(s.Context(), vpath.Must(p))) {
			all[p] += prop.XML
		}
	}
	return all
}

// want makes the answer of texts, of a path and its text by turns.
func want(pairs ...string) map[string]string {
	all := make(map[string]string)
	for i := 0; i < len(pairs); i += 2 {
		all[pairs[i]] = prop("p", pairs[i+1]).XML
	}
	return all
}

// hostile are names that a store which builds patterns, or compares prefixes,
// would confuse with /w/a.
func hostile() []string {
	return []string{
		"/w/a!b", "/w/a-b", "/w/a.b", "/w/a0", "/w/ab", "/w/A", "/w/a%", "/w/a_", "/w/_", "/w/%", "/w/%2F",
		"/w/a'b", `/w/a"b`, "/w/a;--", "/w/a*", "/w/a?", "/w/[a]", "/w/a b", "/w/ä", "/w/日本", "/w/a😀", "/w/a\u00a0",
	}
}

// ended is a context that is over.
func ended(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}
