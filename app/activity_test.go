package app

import (
	"errors"
	"io/fs"
	"testing"
	"time"

	"portico/audit"
	"portico/store"
	"portico/vpath"
)

// TestOlderActivity finds deeds that lie behind more rows than one request looks
// at, page by page, and their newest first.
func TestOlderActivity(t *testing.T) {
	h := build(t)
	p := vpath.Must("/firm/plan.txt")
	at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	failure := ""
	write := func(n int, path string, action audit.Action) {
		t.Helper()
		err := h.state.Update(t.Context(), func(tx store.Tx) error {
			for range n {
				at = at.Add(time.Second)
				e := audit.Event{Time: at, Action: action, Path: path, Allowed: true, Error: failure, Actor: audit.Actor{Type: audit.Staff, ID: "user:ann", Login: "ann", Via: "dav"}}
				if err := h.audit.Append(tx, e); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	write(1, p.String(), audit.Mkdir)
	first := at
	write(3, p.String(), audit.Put)
	write(rowsLooked+10, "/firm/other.txt", audit.Read)
	write(2, p.String(), audit.Read)
	failure = "plan.txt is locked by Bob Maes"
	write(1, p.String(), audit.Put) // which is no deed

	var whats []string
	last := at.Add(time.Second)
	from, pages := "", 0
	for ; pages == 0 || from != ""; pages++ {
		all, err := h.activity(t.Context(), p, from, 2)
		if err != nil {
			t.Fatal(err)
		}
		if len(all.Deeds) > 2 {
			t.Fatalf("a page has %d deeds", len(all.Deeds))
		}
		for _, d := range all.Deeds {
			if d.Time.After(last) || d.Who == "" {
				t.Errorf("%+v after %v", d, last)
			}
			last = d.Time
			whats = append(whats, d.What)
		}
		if from = all.Older; pages > 20 {
			t.Fatal("the pages do not end")
		}
	}
	if len(whats) != 6 || whats[0] != "opened" || whats[5] != "made" || !last.Equal(first) {
		t.Errorf("%d pages tell %q, the oldest of %v", pages, whats, last)
	}
	if _, err := h.activity(t.Context(), p, "main=x", 2); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("an address that somebody wrote: %v", err)
	}
}

// What programs keep for themselves is in nobody's history.
func TestActivityWithoutClutter(t *testing.T) {
	t.Parallel()
	for e, want := range map[audit.Event]string{
		{Action: audit.Put, Path: "/firm/plan.txt"}:                                    "changed",
		{Action: audit.Put, Path: "/firm/~$plan.docx"}:                                 "",
		{Action: audit.Delete, Path: "/firm/Thumbs.db"}:                                "",
		{Action: audit.Move, Path: "/firm/a.txt", Dest: "/firm/plan.txt"}:              "moved",
		{Action: audit.Move, Path: "/firm/.plan.txt.swp", Dest: "/firm/plan.txt"}:      "changed",
		{Action: audit.Move, Path: "/firm/.plan.txt.swp", Dest: "/firm/.plan.txt.swp"}: "",
		{Action: audit.Move, Path: "/firm/plan.txt", Dest: "/firm/~$plan.txt"}:         "moved",
		{Action: audit.Copy, Path: "/firm/plan.txt", Dest: "/firm/~$plan.txt"}:         "opened",
		{Action: audit.Share, Path: "/firm/plan.txt", Dest: "user:bob"}:                "shared",
		{Action: audit.Stat, Path: "/firm/plan.txt"}:                                   "",
	} {
		if got := deed(e); got != want {
			t.Errorf("%s %s %s is %q, want %q", e.Action, e.Path, e.Dest, got, want)
		}
	}
}
