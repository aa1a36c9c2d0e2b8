package sharing_test

import (
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"portico/fault"
	"portico/notify"
	"portico/sharing"
	"portico/store"
	"portico/vpath"
)

func (w *world) wantLabels(by sharing.By, folder string, want map[string][]string) {
	w.Helper()
	all, err := w.sh.Labels(w.Context(), by, vpath.Must(folder))
	w.ok(err)
	got := map[string][]string{}
	for p, list := range all {
		for _, l := range list {
			got[p.String()] = append(got[p.String()], strings.TrimSpace(l.Name+" "+l.Color+" "+l.From))
		}
		slices.Sort(got[p.String()])
	}
	if diff := cmp.Diff(want, got); diff != "" {
		w.Errorf("labels of %s in %s (-want +got):\n%s", by.Name, folder, diff)
	}
}

func TestLabelsAreMineAlone(t *testing.T) {
	w := newWorld(t)
	ann, eve := w.by("ann"), w.by("eve")
	letter := vpath.Must("/firm/Clients/Acme/letter.txt")
	w.ok(w.sh.SetLabel(t.Context(), ann, letter, "urgent", "red"))
	w.ok(w.sh.SetLabel(t.Context(), ann, letter, "urgent", "blue"))
	w.ok(w.sh.SetLabel(t.Context(), eve, letter, "mine", "teal"))
	w.wantLabels(ann, "/firm/Clients/Acme", map[string][]string{letter.String(): {"urgent blue"}})
	w.wantLabels(eve, "/firm/Clients/Acme", map[string][]string{letter.String(): {"mine teal"}})
	w.ok(w.sh.DropLabel(t.Context(), ann, letter, "urgent"))
	w.ok(w.sh.DropLabel(t.Context(), ann, letter, "urgent"))
	w.wantLabels(ann, "/firm/Clients/Acme", map[string][]string{})
	w.refused(w.sh.SetLabel(t.Context(), ann, letter, "x", "mauve"), fs.ErrInvalid, "mauve")
	w.refused(w.sh.SetLabel(t.Context(), ann, letter, " ", "red"), fs.ErrInvalid, "Write")
	w.refused(w.sh.SetLabel(t.Context(), ann, letter, strings.Repeat("x", 41), "red"), fs.ErrInvalid, "40")
	w.refused(w.sh.SetLabel(t.Context(), ann, vpath.Must("/firm/HR/pay.txt"), "x", "red"), fs.ErrNotExist, "")
	w.refused(w.sh.SetLabel(t.Context(), ann, vpath.Must("/firm/Clients/none"), "x", "red"), fs.ErrNotExist, "")
	for i := range 20 {
		w.ok(w.sh.SetLabel(t.Context(), ann, letter, strconv.Itoa(i), "red"))
	}
	w.refused(w.sh.SetLabel(t.Context(), ann, letter, "one more", "red"), fault.ErrTooLarge, "20")
}

func TestLabelsGoAlongIfTheGiverWants(t *testing.T) {
	for _, along := range []bool{true, false} {
		w := newWorld(t)
		me := w.joined(carol, "/firm/Clients/Acme")
		w.ok(w.sh.SetLabel(t.Context(), w.by("ann"), vpath.Must("/firm/Clients/Acme/letter.txt"), "sign", "red"))
		w.ok(w.sh.SetLabel(t.Context(), w.by("ann"), vpath.Must("/firm/Clients/Acme"), "vip", "grey"))
		for _, to := range []string{carol, "user:eve"} {
			_, err := w.sh.Share(t.Context(), w.by("ann"), sharing.ShareWish{
				Items: paths("/firm/Clients/Acme"), To: []string{to}, Mode: sharing.Read, Labels: along,
			})
			w.ok(err)
		}
		w.ok(w.sh.SetLabel(t.Context(), me, vpath.Must("/Acme/letter.txt"), "done", "green"))
		mine := map[string][]string{"/Acme/letter.txt": {"done green"}}
		if along {
			mine["/Acme/letter.txt"] = []string{"done green", "sign red Ann"}
			mine["/Acme"] = []string{"vip grey Ann"}
			w.wantLabels(w.by("eve"), "/firm/Clients/Acme", map[string][]string{
				"/firm/Clients/Acme": {"vip grey Ann"}, "/firm/Clients/Acme/letter.txt": {"sign red Ann"},
			})
		}
		w.wantLabels(me, "/Acme", mine)
		delete(mine, "/Acme/letter.txt")
		w.wantLabels(me, "/", mine)
		w.refused(w.sh.SetLabel(t.Context(), me, vpath.Must("/firm/Clients/Acme"), "x", "red"), fs.ErrNotExist, "")
		w.refused(w.sh.SetLabel(t.Context(), me, vpath.Path{}, "x", "red"), fs.ErrInvalid, "")
	}
}

// The labels of a share are those on what was shared, and not on what lies beside it.
func TestLabelsBesideAShare(t *testing.T) {
	w := newWorld(t)
	ann := w.by("ann")
	for _, p := range paths("/firm/Clients/Acme/letter.txt", "/firm/Clients/Acme/2025", "/firm/Clients/Acme") {
		w.ok(w.sh.SetLabel(t.Context(), ann, p, "of ann", "red"))
	}
	_, err := w.sh.Share(t.Context(), ann, sharing.ShareWish{Items: paths("/firm/Clients/Acme/2025"), To: []string{"user:eve"}, Mode: sharing.Read, Labels: true})
	w.ok(err)
	w.wantLabels(w.by("eve"), "/firm/Clients/Acme", map[string][]string{"/firm/Clients/Acme/2025": {"of ann red Ann"}})
	w.wantLabels(w.by("bob"), "/firm/Clients/Acme", map[string][]string{})
}

func TestPreferences(t *testing.T) {
	w := newWorld(t)
	ann := w.by("ann")
	w.ok(w.sh.SetPreferences(t.Context(), ann, sharing.PreferencesWish{
		Language: "nl", Theme: "dark", Muted: []notify.Event{notify.Shared, notify.Deposited, notify.Shared},
	}))
	got, err := w.sh.Preferences(t.Context(), ann)
	w.ok(err)
	want := store.Preferences{Owner: ann.ID, Language: "nl", Theme: "dark", Muted: []string{"shared", "deposited"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("preferences (-want +got):\n%s", diff)
	}
	for _, bad := range []sharing.PreferencesWish{
		{Language: "tlh"}, {Theme: "pink"}, {Muted: []notify.Event{notify.Reset}}, {Muted: []notify.Event{"x"}},
	} {
		w.refused(w.sh.SetPreferences(t.Context(), ann, bad), fs.ErrInvalid, "")
	}
	w.refused(w.sh.SetPreferences(t.Context(), sharing.By{}, sharing.PreferencesWish{}), fs.ErrPermission, "")
}
