package files_test

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"portico/acl"
	"portico/acl/acltest"
	"portico/backends/mem"
	"portico/fault"
	"portico/files"
	"portico/store"
	"portico/vpath"
)

// A path is not told apart from one that does not exist, whatever is tried there
// by one who may not see it: the error is of the same kind and says the same.
func TestHiddenIsAbsent(t *testing.T) {
	t.Parallel()
	state := openState(t)
	for _, who := range []string{"bob", "ann", "mia", "ida", "stranger"} {
		for _, path := range []string{"/firm/HR", "/firm/HR/plan.txt", "/firm/HR/deep/plan.txt", "/firm/HR/deep", "/lab", "/lab/x"} {
			if who == "ann" && strings.HasPrefix(path, "/lab") {
				continue
			}
			compareHidden(t, state, who, path)
		}
	}
}

func compareHidden(tb testing.TB, state store.State, who, path string) {
	tb.Helper()
	answers := map[bool][]string{}
	for _, there := range []bool{false, true} {
		w := newWorld(tb, options{shape: mem.Objects, shared: cleared(tb, state), quiet: true})
		w.seed("root", "/firm/open.txt", "/firm/Drop/")
		w.seed(who, "/firm/mine.txt")
		if there {
			w.seed("hal", "/firm/HR/plan.txt", "/firm/HR/deep/plan.txt", "/lab/x/y")
		}
		before := w.dump()
		answers[there] = answersTo(attempts(w.as(who), path))
		if after := w.dump(); after != before {
			tb.Errorf("%s changed something at %s", who, path)
		}
	}
	compareAnswers(tb, who, answers[true], answers[false])
}

func answersTo(list []*outcome) (answers []string) {
	for _, o := range list {
		text := "done"
		if o.err != nil {
			text = kind(o.err) + ": " + o.err.Error()
		}
		answers = append(answers, o.what+": "+text)
	}
	return answers
}

func compareAnswers(tb testing.TB, who string, there, absent []string) {
	tb.Helper()
	for i := range absent {
		if there[i] != absent[i] {
			tb.Errorf("%s can tell what is hidden:\n there: %s\nabsent: %s", who, there[i], absent[i])
		}
	}
}

// The same over random rules. Where somebody may create what they do not see, a
// name that is taken cannot be hidden from them altogether: those cases are left
// to the tests of blind drops.
func TestHiddenIsAbsentUnderRandomRules(t *testing.T) {
	t.Parallel()
	state := openState(t)
	compared := 0
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 4711))
		rules, things := acltest.Random(rng, true)
		for _, who := range slices.Sorted(keysOf(rules.People)) {
			login := strings.TrimPrefix(who, "user:")
			w := randomWorld(t, cleared(t, state), rules, things, "")
			hidden := slices.DeleteFunc(slices.Clone(things), func(thing acltest.Thing) bool { return !w.hiddenFrom(login, thing) })
			if len(hidden) == 0 {
				continue
			}
			thing := hidden[rng.IntN(len(hidden))]
			there := answersTo(attempts(w.as(login), thing.Path))
			w = randomWorld(t, cleared(t, state), rules, things, thing.Path)
			compareAnswers(t, who, there, answersTo(attempts(w.as(login), thing.Path)))
			compared++
			if t.Failed() {
				t.Fatalf("seed %d, %s %s, rules %+v", seed, login, thing.Path, rules.Workspaces)
			}
		}
	}
	if compared < 50 {
		t.Errorf("only %d cases were compared", compared)
	}
}

func keysOf[K comparable, V any](m map[K]V) func(func(K) bool) {
	return func(yield func(K) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// randomWorld holds the things, but for what is at without and below it.
func randomWorld(tb testing.TB, state store.State, rules *acltest.Rules, things []acltest.Thing, without string) *world {
	tb.Helper()
	w := newWorld(tb, options{shape: mem.Objects, shared: state, quiet: true, rules: rules.Config("any")})
	for _, thing := range things {
		if without != "" && vpath.Must(without).Contains(vpath.Must(thing.Path)) {
			continue
		}
		name := thing.Path
		if thing.Dir {
			name += "/"
		}
		if strings.Count(thing.Path, "/") > 1 {
			w.seed(strings.TrimPrefix(thing.Creator, "user:"), name)
		}
	}
	return w
}

// hiddenFrom tells a thing that login does not see and has no right to make.
func (w *world) hiddenFrom(login string, thing acltest.Thing) bool {
	p := vpath.Must(thing.Path)
	if p.Depth() < 2 {
		return false
	}
	return w.as(login).stat(thing.Path).err != nil && !w.view(login).Decide(acl.Create, p.Parent(), "").Allowed()
}

// attempts are all operations on a path, each of which must fail.
func attempts(u *user, path string) []*outcome {
	return []*outcome{
		u.get(path), u.stat(path), u.ls(path), u.find(path), u.rm(path),
		u.put(path+"/x", "1"), u.mkdir(path + "/x"), u.lock(path + "/x"),
		u.cp(path, "/firm/c"), u.mv(path, "/firm/c"), u.cp("/firm/mine.txt", path+"/c"), u.mv("/firm/mine.txt", path+"/c"),
		u.patch(path, files.Guard{}, color("red")), u.unlock(path, "opaquelocktoken:x"), u.refresh(path, "opaquelocktoken:x"),
		u.rm(path, files.Guard{Match: []string{"*"}}), u.rm(path, with("opaquelocktoken:x")),
		u.put(path+"/x", "1", putIf(files.Guard{NoneMatch: []string{"*"}})),
	}
}

func kind(err error) string {
	for _, k := range []error{
		fs.ErrNotExist, fs.ErrPermission, fs.ErrExist, fs.ErrInvalid, fault.ErrNoParent, fault.ErrNotDir, fault.ErrIsDir,
		fault.ErrConflict, fault.ErrPrecondition, fault.ErrLocked, fault.ErrUnavailable, fault.ErrQuota,
	} {
		if errors.Is(err, k) {
			return k.Error()
		}
	}
	return "?"
}
