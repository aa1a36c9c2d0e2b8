package sharing_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"portico/sharing"
	"portico/store"
	"portico/vpath"
)

// modelShare is a share as one would write it on paper.
type modelShare struct {
	giver, item, mode string
	until             time.Time
	offered           bool
}

// model is what a contact has: the state, the folders, and the shares.
type model struct {
	state   store.ContactState
	folders []string
	shares  []modelShare
}

func under(folders []string, item string) bool {
	return slices.ContainsFunc(folders, func(f string) bool { return item == f || strings.HasPrefix(item, f+"/") })
}

// put replaces what the same giver gave of the same item. Who has accepted that is not
// asked again, unless it has ended meanwhile.
func (m *model) put(s modelShare, now time.Time) {
	was := slices.IndexFunc(m.shares, func(o modelShare) bool { return o.giver == s.giver && o.item == s.item })
	if was < 0 {
		m.shares = append(m.shares, s)
		return
	}
	old := m.shares[was]
	s.offered = s.offered && (old.offered || !old.until.IsZero() && !now.Before(old.until))
	m.shares[was] = s
}

// window is what the contact sees: the names of the items, each once.
func (m *model) window(now time.Time) []string {
	names := []string{}
	for _, s := range m.shares {
		name := s.item[strings.LastIndexByte(s.item, '/')+1:]
		if !s.offered && (s.until.IsZero() || now.Before(s.until)) && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// may tells whether a giver may let somebody in at a folder.
func may(giver, folder string) bool {
	return giver == "root" || giver == "ann" || giver == "sam" && under([]string{"/firm/Clients/Beta"}, folder)
}

// TestModel plays people who open, share, stop, widen, narrow and close beside the
// paper, and looks at the contact's window after each.
func TestModel(t *testing.T) {
	folders := []string{"/firm/Clients", "/firm/Clients/Acme", "/firm/Clients/Acme/2025", "/firm/Clients/Beta", "/firm/Clients/Beta/In"}
	rapid.Check(t, func(r *rapid.T) {
		w := newWorld(t)
		m := &model{state: store.NoAccess}
		run := &modelRun{w: w, m: m, r: r, folders: folders}
		r.Repeat(map[string]func(*rapid.T){
			"open": run.open, "share": run.share, "stop": run.stop, "close": run.close, "folders": run.setFolders,
			"answer": run.answer, "wait": run.wait, "": run.check,
		})
	})
}

type modelRun struct {
	w       *world
	m       *model
	r       *rapid.T
	folders []string
}

func (x *modelRun) one(r *rapid.T, what string) string {
	return rapid.SampledFrom(x.folders).Draw(r, what)
}

func (x *modelRun) giver(r *rapid.T) string {
	return rapid.SampledFrom([]string{"ann", "root", "sam"}).Draw(r, "giver")
}

func (x *modelRun) isOpen() bool { return x.m.state == store.Invited }

func (x *modelRun) open(r *rapid.T) {
	giver, folder := x.giver(r), x.one(r, "folder")
	err := x.w.sh.OpenAccess(r.Context(), x.w.by(giver), "firm", carol, paths(folder))
	if x.isOpen() || !may(giver, folder) || !x.knows(giver) {
		if err == nil {
			r.Fatalf("%s opened %s for a contact who is %s", giver, folder, x.m.state)
		}
		return
	}
	if err != nil {
		r.Fatal(err)
	}
	x.m.state, x.m.folders = store.Invited, []string{folder}
}

// knows is whether a giver may know of the contact there is.
func (x *modelRun) knows(giver string) bool {
	c := x.w.contact("firm", carol)
	return c.Mail == "" || c.By == "id-user:"+giver || slices.ContainsFunc(x.m.folders, func(f string) bool {
		return may(giver, f) || giver == "sam" && under([]string{f}, "/firm/Clients/Beta")
	})
}

func (x *modelRun) share(r *rapid.T) {
	giver, item := x.giver(r), x.one(r, "item")
	mode := rapid.SampledFrom([]string{sharing.Read, sharing.Edit, sharing.Deposit}).Draw(r, "mode")
	ask, until := rapid.Bool().Draw(r, "ask"), time.Time{}
	if rapid.Bool().Draw(r, "ends") {
		until = x.w.clock.Now().AddDate(0, 0, 1)
	}
	_, err := x.w.sh.Share(r.Context(), x.w.by(giver), sharing.ShareWish{Items: paths(item), To: []string{carol}, Mode: mode, Ask: ask, Until: until})
	fresh := x.m.state == store.NoAccess
	if !may(giver, item) || !fresh && (!x.isOpen() || !under(x.m.folders, item)) {
		if err == nil {
			r.Fatalf("%s shared %s with a contact who is %s and may have %v", giver, item, x.m.state, x.m.folders)
		}
		return
	}
	if err != nil {
		r.Fatal(err)
	}
	if fresh {
		x.m.state, x.m.folders = store.Invited, []string{item}
	}
	s := modelShare{giver: giver, item: item, mode: mode, offered: ask}
	if !until.IsZero() {
		s.until = time.Date(until.Year(), until.Month(), until.Day(), 23, 59, 59, 0, time.UTC)
	}
	x.m.put(s, x.w.clock.Now())
}

// grant finds the grant of a share.
func (x *modelRun) grant(r *rapid.T, s modelShare) store.Grant {
	all, err := x.w.state.GrantsTo(r.Context(), "contact:"+carol)
	if err != nil {
		r.Fatal(err)
	}
	i := slices.IndexFunc(all, func(g store.Grant) bool { return g.Path == vpath.Must(s.item) && g.Giver == "id-user:"+s.giver })
	if i < 0 {
		r.Fatalf("no grant for %+v among %+v", s, all)
	}
	return all[i]
}

func (x *modelRun) pick(r *rapid.T) (i int) {
	if len(x.m.shares) == 0 {
		r.Skip("nothing is shared")
	}
	return rapid.IntRange(0, len(x.m.shares)-1).Draw(r, "which")
}

func (x *modelRun) stop(r *rapid.T) {
	i := x.pick(r)
	s := x.m.shares[i]
	if err := x.w.sh.Stop(r.Context(), x.w.by(s.giver), []string{x.grant(r, s).ID}, true); err != nil {
		r.Fatal(err)
	}
	x.m.shares = slices.Delete(x.m.shares, i, i+1)
}

func (x *modelRun) answer(r *rapid.T) {
	i := x.pick(r)
	s := x.m.shares[i]
	if !s.offered || !s.until.IsZero() && !x.w.clock.Now().Before(s.until) {
		r.Skip("nothing to answer")
	}
	if err := x.w.sh.Answer(r.Context(), x.w.unproved(carol), x.grant(r, s).ID, true); err != nil {
		r.Fatal(err)
	}
	x.m.shares[i].offered = false
}

func (x *modelRun) close(r *rapid.T) {
	giver := x.giver(r)
	err := x.w.sh.CloseAccess(r.Context(), x.w.by(giver), "firm", carol, true)
	if manages := slices.ContainsFunc(x.m.folders, func(f string) bool { return may(giver, f) }); x.m.state == store.NoAccess || !manages {
		if err == nil {
			r.Fatalf("%s closed the access", giver)
		}
		return
	}
	if err != nil {
		r.Fatal(err)
	}
	x.m.state, x.m.shares = store.Closed, nil
}

func (x *modelRun) setFolders(r *rapid.T) {
	want := []string{x.one(r, "one"), x.one(r, "other")}
	err := x.w.sh.SetFolders(r.Context(), x.w.by("ann"), "firm", carol, paths(want...))
	if x.m.state == store.NoAccess {
		if err == nil {
			r.Fatal("nobody's folders were set")
		}
		return
	}
	if err != nil {
		r.Fatal(err)
	}
	switch { // one within the other says nothing
	case under(want[:1], want[1]):
		want = want[:1]
	case under(want[1:], want[0]):
		want = want[1:]
	}
	x.m.folders = want
	x.m.shares = slices.DeleteFunc(x.m.shares, func(s modelShare) bool { return !under(want, s.item) })
}

func (x *modelRun) wait(*rapid.T) { x.w.clock.add(16 * time.Hour) }

func (x *modelRun) check(r *rapid.T) {
	win, err := x.w.files.Window(r.Context(), x.w.unproved(carol).Principal)
	if err != nil {
		r.Fatal(err)
	}
	got := []string{}
	for _, mount := range win.Mounts() {
		got = append(got, mount.Name)
	}
	slices.Sort(got)
	if want := x.m.window(x.w.clock.Now()); !slices.Equal(got, want) {
		r.Fatalf("the window shows %q, the paper %q (%+v)", got, want, x.m.shares)
	}
}
