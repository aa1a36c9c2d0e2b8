package files_test

import (
	"io/fs"
	"strings"
	"testing"

	"portico/fault"
	"portico/files"
	"portico/vpath"
)

// A customer sends a file in pieces into what was shared with them, and reads paths
// of their own alone.
func TestUploadThroughAWindow(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{quiet: true})
	w.seed("ann", "/firm/Secret/Acme/old.txt")
	share := w.as("root").give("/firm/Secret/Acme", eve, "depositor").grant()
	guest := w.outside(eve)
	at := vpath.Must("/Acme/tax.pdf")
	st, err := guest.window().BeginUpload(t.Context(), at, files.UploadWish{Size: 4, Exists: files.ExistsAsk})
	if err != nil || st.Path != at {
		t.Fatalf("BeginUpload = %+v, %v", st, err)
	}
	add := func(off int64, piece string) (files.UploadState, error) {
		return guest.window().AppendUpload(t.Context(), st.ID, off, strings.NewReader(piece), nil)
	}
	if st, err := add(0, "ab"); err != nil || st.Path != at || st.Offset != 2 {
		t.Fatalf("AppendUpload = %+v, %v", st, err)
	}
	_, err = add(1, "b")
	wantErr(t, "the wrong place", err, fault.ErrConflict)
	if st, err := guest.window().UploadAt(t.Context(), st.ID); err != nil || st.Offset != 2 || st.Path != at {
		t.Errorf("UploadAt = %+v, %v", st, err)
	}
	_, err = w.as("ann").tree().UploadAt(t.Context(), st.ID)
	wantErr(t, "a member of staff", err, fs.ErrNotExist)
	done, err := add(2, "cd")
	if err != nil || done.Node == nil || done.Node.Path != at || done.Node.By != "" {
		t.Fatalf("the last piece = %+v, %v", done, err)
	}
	w.holds("/firm/Secret/Acme/tax.pdf", "abcd")

	for _, p := range []string{"/", "/Acme", "/beside.txt", "/Other/x", "/Acme/old.txt"} {
		_, err := guest.window().BeginUpload(t.Context(), vpath.Must(p), files.UploadWish{Size: 1, Exists: files.ExistsAsk})
		if err == nil || strings.Contains(err.Error(), "Secret") || strings.Contains(err.Error(), "firm") {
			t.Errorf("an upload to %s: %v", p, err)
		}
	}

	// What is no longer shared takes nothing more, and what waits can be dropped.
	st, err = guest.window().BeginUpload(t.Context(), vpath.Must("/Acme/b"), files.UploadWish{Size: 4, Exists: files.ExistsKeep})
	if err != nil {
		t.Fatal(err)
	}
	w.as("root").withdraw(share.ID).ok()
	_, err = add(0, "abcd")
	wantErr(t, "a piece after the end of the share", err, fs.ErrNotExist)
	w.lacks("/firm/Secret/Acme/b")
	if err := guest.window().DropUpload(t.Context(), st.ID); err != nil {
		t.Error(err)
	}
	w.idle()
}

// An upload into a blind drop never tells that its name was taken.
func TestABlindUploadTellsNoName(t *testing.T) {
	t.Parallel()
	w := dropWorld(t)
	w.seed("ann", "/firm/in/tax.pdf")
	win := w.outside(eve).window()
	st, err := win.BeginUpload(t.Context(), vpath.Must("/in/tax.pdf"), files.UploadWish{Size: 1, Exists: files.ExistsKeep})
	if err != nil || st.Path != vpath.Must("/in/tax.pdf") {
		t.Errorf("begun: %+v, %v", st, err)
	}
	st, err = win.AppendUpload(t.Context(), st.ID, 0, strings.NewReader("x"), nil)
	if err != nil || st.Node == nil || st.Path != vpath.Must("/in/tax.pdf") || st.Node.Path != st.Path {
		t.Errorf("complete: %+v, %v", st, err)
	}
	if w.tree("/firm/in"); len(w.tree("/firm/in")) != 2 {
		t.Errorf("the folder holds %q", w.tree("/firm/in"))
	}
}
