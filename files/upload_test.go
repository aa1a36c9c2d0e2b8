package files_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"pgregory.net/rapid"

	"portico/fault"
	"portico/files"
	"portico/vpath"
)

// sending is an upload of one user.
type sending struct {
	*user
	files.UploadState
}

// ask is the wish of a page.
func ask(size int) files.UploadWish {
	return files.UploadWish{Size: int64(size), Exists: files.ExistsAsk}
}

func (u *user) tryBegin(p string, wish files.UploadWish) (files.UploadState, error) {
	return u.tree().BeginUpload(u.ctx, vpath.Must(p), wish)
}

func (u *user) begin(p string, wish files.UploadWish) *sending {
	u.w.Helper()
	st, err := u.tryBegin(p, wish)
	if err != nil {
		u.w.Fatalf("BeginUpload(%s): %v", p, err)
	}
	return &sending{u, st}
}

func (s *sending) try(body io.Reader) error {
	st, err := s.tree().AppendUpload(s.ctx, s.ID, s.Offset, body, nil)
	if st.ID != "" {
		s.UploadState = st
	}
	return err
}

// add appends a piece, which must succeed.
func (s *sending) add(piece string) *sending {
	s.w.Helper()
	if err := s.try(strings.NewReader(piece)); err != nil {
		s.w.Fatalf("AppendUpload(%q): %v", piece, err)
	}
	return s
}

// became wants the upload to be complete, as that file.
func (s *sending) became(p, content string) {
	s.w.Helper()
	if s.Node == nil || s.Node.Path != vpath.Must(p) || s.Path != s.Node.Path {
		s.w.Fatalf("the upload is %+v, want it to be %s", s.UploadState, p)
	}
	s.w.holds(p, content)
}

// holds wants a file in the storage.
func (w *world) holds(p, want string) {
	w.Helper()
	at := vpath.Must(p)
	if got := content(w, w.back[at.Top()], at.Tail()); got != want {
		w.Errorf("%s holds %.60q, want %.60q", p, got, want)
	}
}

// lacks wants nothing in the storage.
func (w *world) lacks(p string) {
	w.Helper()
	at := vpath.Must(p)
	if _, err := w.back[at.Top()].Stat(w.Context(), at.Tail()); !errors.Is(err, fs.ErrNotExist) {
		w.Errorf("Stat(%s): %v, want nothing there", p, err)
	}
}

func wantErr(tb testing.TB, what string, err, want error) {
	tb.Helper()
	if !errors.Is(err, want) {
		tb.Errorf("%s: %v, want %v", what, err, want)
	}
}

// idle wants no upload in the storage that nobody knows of.
func (w *world) idle() {
	w.Helper()
	if n := w.mem.Staged(); n != 0 {
		w.Errorf("%d uploads are left in the storage", n)
	}
}

func TestUploadInPieces(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	w.seed("root", "/firm/Clients/")
	ann := w.as("ann")
	before := len(w.rec.Appended())
	s := ann.begin("/firm/Clients/a.txt", files.UploadWish{Size: 11, Exists: files.ExistsAsk, ModTime: time.Unix(1_700_000_000, 0)})
	s.add("hello ")
	w.lacks("/firm/Clients/a.txt")
	if st, err := ann.tree().UploadAt(ann.ctx, s.ID); err != nil || st.Offset != 6 || st.Size != 11 || st.Node != nil {
		t.Errorf("UploadAt = %+v, %v", st, err)
	}
	s.add("world").became("/firm/Clients/a.txt", "hello world")
	if !s.Node.ModTime.Equal(time.Unix(1_700_000_000, 0)) {
		t.Errorf("the file's time is %v", s.Node.ModTime)
	}
	events := w.rec.Appended()[before:]
	sum := sha256.Sum256([]byte("hello world"))
	if len(events) != 1 || events[0].SHA256 != hex.EncodeToString(sum[:]) || events[0].Bytes != 11 || events[0].Actor.ID != id("ann") {
		t.Errorf("the audit has %+v", events)
	}
	// Who has not got the answer asks again, and may send the last piece again.
	if st, err := ann.tree().UploadAt(ann.ctx, s.ID); err != nil || st.Node == nil || st.Offset != 11 {
		t.Errorf("UploadAt of a complete one = %+v, %v", st, err)
	}
	if err := ann.tree().DropUpload(ann.ctx, s.ID); err != nil {
		t.Error(err)
	}
	w.holds("/firm/Clients/a.txt", "hello world")
	w.idle()
}

func TestUploadOfNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	w.seed("root", "/firm/")
	w.as("ann").begin("/firm/empty", ask(0)).became("/firm/empty", "")
	w.idle()
}

// TestUploadAnyPieces sends a file in any pieces, cut anywhere, and wants it whole.
func TestUploadAnyPieces(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{quiet: true})
	w.seed("root", "/firm/")
	rapid.Check(t, func(rt *rapid.T) {
		content := rapid.StringN(1, 300, -1).Draw(rt, "content")
		s := w.as("ann").begin("/firm/f", files.UploadWish{Size: int64(len(content)), Exists: files.ExistsReplace})
		for s.Node == nil {
			n := rapid.IntRange(0, len(content)-int(s.Offset)).Draw(rt, "n")
			body := io.Reader(strings.NewReader(content[s.Offset:][:n]))
			was := s.Offset
			cut := rapid.Bool().Draw(rt, "cut")
			if cut {
				body = io.MultiReader(body, iotest.ErrReader(io.ErrUnexpectedEOF))
			}
			err := s.try(body)
			if cut != (err != nil) && s.Node == nil || s.Offset != was+int64(n) {
				rt.Fatalf("a piece of %d at %d: %+v, %v", n, was, s.UploadState, err)
			}
		}
		s.became("/firm/f", content)
	})
	w.idle()
}

func TestUploadCut(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	w.seed("root", "/firm/")
	s := w.as("ann").begin("/firm/f", ask(10))
	err := s.try(io.MultiReader(strings.NewReader("01234"), iotest.ErrReader(io.ErrUnexpectedEOF)))
	wantErr(t, "a cut piece", err, io.ErrUnexpectedEOF)
	if s.Offset != 5 {
		t.Fatalf("offset %d after a cut behind 5", s.Offset)
	}
	for _, off := range []int64{0, 4, 6, 10} {
		_, err := s.tree().AppendUpload(s.ctx, s.ID, off, strings.NewReader("x"), nil)
		wantErr(t, "a piece at the wrong place", err, fault.ErrConflict)
	}
	s.add("56789").became("/firm/f", "0123456789")
}

// TestUploadLimits holds the limit of size, whatever is announced, and wants
// nothing left of what went beyond (THREATS row 52).
func TestUploadLimits(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	w.seed("root", "/firm/")
	ann := w.as("ann")
	endless := func() io.Reader { return zeros{} }
	for _, wish := range []files.UploadWish{{Size: 101, MaxSize: 100}, {Size: -5}, {Size: -2, MaxSize: 100}} {
		wish.Exists = files.ExistsAsk
		_, err := ann.tryBegin("/firm/f", wish)
		wantErr(t, "a wish too large", err, fault.ErrTooLarge)
	}
	for _, wish := range []files.UploadWish{{Size: 1, MaxSize: 100}, {Size: -1, MaxSize: 100}, {Size: 100}} {
		wish.Exists = files.ExistsAsk
		s := ann.begin("/firm/f", wish)
		wantErr(t, "an endless body", s.try(endless()), fault.ErrTooLarge)
		_, err := ann.tree().UploadAt(ann.ctx, s.ID)
		wantErr(t, "what went beyond", err, fs.ErrNotExist)
	}
	s := ann.begin("/firm/f", files.UploadWish{Size: -1, MaxSize: 100, Exists: files.ExistsAsk})
	for range 10 {
		s.add("0123456789")
	}
	wantErr(t, "the byte beyond", s.try(strings.NewReader("x")), fault.ErrTooLarge)
	s = ann.begin("/firm/f", files.UploadWish{Size: -1, MaxSize: 100, Exists: files.ExistsAsk}).add("0123456789")
	_, err := ann.tree().SizeUpload(ann.ctx, s.ID, 1000)
	wantErr(t, "a size beyond the limit", err, fault.ErrTooLarge)
	w.lacks("/firm/f")
	w.idle()
}

// zeros never ends.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestUploadOfUnknownSize(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	w.seed("root", "/firm/")
	s := w.as("ann").begin("/firm/f", ask(-1)).add("hello ")
	st, err := s.tree().SizeUpload(s.ctx, s.ID, 11)
	if err != nil || st.Size != 11 || st.Offset != 6 {
		t.Fatalf("SizeUpload = %+v, %v", st, err)
	}
	_, err = s.tree().SizeUpload(s.ctx, s.ID, 12)
	wantErr(t, "another size", err, fault.ErrConflict)
	s.add("world").became("/firm/f", "hello world")

	s = w.as("ann").begin("/firm/g", ask(-1)).add("all")
	if s.UploadState, err = s.tree().SizeUpload(s.ctx, s.ID, 3); err != nil {
		t.Fatal(err)
	}
	s.became("/firm/g", "all")
}

// TestUploadIsItsOwners gives another the answer for none (THREATS row 20).
func TestUploadIsItsOwners(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	w.seed("root", "/firm/")
	s := w.as("ann").begin("/firm/f", ask(3)).add("ab")
	for _, who := range []string{"root", "bob", "ida"} {
		for _, id := range []string{s.ID, "none"} {
			tree, ctx := w.as(who).tree(), t.Context()
			_, e1 := tree.UploadAt(ctx, id)
			_, e2 := tree.AppendUpload(ctx, id, 2, strings.NewReader("c"), nil)
			_, e3 := tree.SizeUpload(ctx, id, 3)
			e4 := tree.DropUpload(ctx, id)
			for _, err := range []error{e1, e2, e3, e4} {
				if !errors.Is(err, fs.ErrNotExist) || err.Error() != e1.Error() {
					t.Errorf("%s with the upload %q: %v", who, id, err)
				}
			}
		}
	}
	s.add("c").became("/firm/f", "abc")
}

func TestUploadRights(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	w.seed("root", "/firm/HR/", "/firm/Clients/old", "/firm/Locked/", "/firm/Locked/x")
	for _, c := range []struct {
		who, p string
		want   error
	}{
		{"bob", "/firm/f", fs.ErrPermission},
		{"ann", "/firm/HR/f", fs.ErrNotExist},
		{"ann", "/none/f", fs.ErrNotExist},
		{"ann", "/firm/none/f", nil},
		{"ann", "/firm/Clients", fs.ErrExist},
		{"ann", "/firm", fs.ErrExist},
		{"ann", "/", fs.ErrExist},
	} {
		st, err := w.as(c.who).tryBegin(c.p, ask(1))
		if !errors.Is(err, c.want) {
			t.Errorf("%s begins %s: %v, want %v", c.who, c.p, err, c.want)
		}
		if c.want == nil { // its folder is missed in the end, as by Put
			s := &sending{w.as(c.who), st}
			wantErr(t, "a file without a folder", s.try(strings.NewReader("x")), fault.ErrNoParent)
		}
	}
	_, err := w.as("ann").tryBegin("/firm/Locked/x", files.UploadWish{Size: 1, Exists: files.ExistsReplace})
	wantErr(t, "a denied file", err, fs.ErrPermission)
	_, err = w.as("ann").tryBegin("/firm/f", files.UploadWish{Size: 1, Exists: "whatever"})
	wantErr(t, "a wish without a word", err, fs.ErrInvalid)
}

// TestUploadRightsWithdrawn takes the right away in the midst of it.
func TestUploadRightsWithdrawn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	w.seed("root", "/firm/")
	s := w.as("ann").begin("/firm/f", ask(3)).add("a")
	w.grant("/", "ann", "viewer")
	wantErr(t, "the next piece", s.try(strings.NewReader("bc")), fs.ErrPermission)
	w.lacks("/firm/f")

	w.grant("/", "ann", "editor")
	w.once("Append", func() { w.grant("/", "ann", "viewer") })
	wantErr(t, "the last piece", s.try(strings.NewReader("bc")), fs.ErrPermission)
	w.setHook(nil)
	w.lacks("/firm/f")
	_, err := w.as("ann").tree().UploadAt(t.Context(), s.ID)
	wantErr(t, "the full length", err, fs.ErrPermission)

	w.grant("/", "ann", "editor")
	if s.UploadState, err = w.as("ann").tree().UploadAt(t.Context(), s.ID); err != nil {
		t.Fatal(err)
	}
	s.became("/firm/f", "abc")
}

func TestUploadQuota(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{quota: 100})
	w.seed("root", "/firm/")
	ann := w.as("ann")
	_, err := ann.tryBegin("/firm/f", ask(101))
	wantErr(t, "more than the quota", err, fault.ErrQuota)
	s := ann.begin("/firm/f", ask(60)).add(strings.Repeat("x", 30))
	ann.put("/firm/g", strings.Repeat("y", 60)).ok()
	wantErr(t, "the last piece", s.try(strings.NewReader(strings.Repeat("x", 30))), fault.ErrQuota)
	ann.rm("/firm/g").ok()
	s.add(strings.Repeat("x", 30)).became("/firm/f", strings.Repeat("x", 60))
	q, err := w.as("root").tree().Quota(t.Context(), vpath.Must("/firm"))
	if err != nil || q.Used != 60 {
		t.Errorf("Quota = %+v, %v", q, err)
	}
}

func TestUploadsOfOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{quiet: true})
	w.seed("root", "/firm/")
	ann := w.as("ann")
	var last *sending
	for range 32 {
		last = ann.begin("/firm/f", ask(1))
	}
	_, err := ann.tryBegin("/firm/f", ask(1))
	wantErr(t, "one more", err, fault.ErrBusy)
	if n := w.mem.Staged(); n != 32 {
		t.Errorf("%d uploads in the storage", n)
	}
	w.as("root").begin("/firm/g", ask(1))
	last.add("x")
	ann.begin("/firm/f", files.UploadWish{Size: 1, Exists: files.ExistsKeep})
}

func TestUploadsExpire(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	w.seed("root", "/firm/")
	old := w.as("ann").begin("/firm/old", ask(2)).add("a")
	w.clock.add(23 * time.Hour)
	young := w.as("ann").begin("/firm/young", ask(2)).add("a")
	old.add("") // takes nothing, and is no sign of life
	w.clock.add(2 * time.Hour)
	wantErr(t, "an expired one", old.try(strings.NewReader("b")), fs.ErrNotExist)
	if err := w.svc.ReapUploads(t.Context()); err != nil {
		t.Fatal(err)
	}
	if rows, _ := w.state.UploadsOf(t.Context(), id("ann")); len(rows) != 1 || w.mem.Staged() != 1 {
		t.Errorf("%d rows and %d uploads in the storage", len(rows), w.mem.Staged())
	}
	young.add("b").became("/firm/young", "ab")
}

// TestUploadWhoseBytesWent tells the client to begin again.
func TestUploadWhoseBytesWent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	w.seed("root", "/firm/")
	for _, piece := range []string{"b", "bc"} {
		s := w.as("ann").begin("/firm/f", ask(3)).add("a")
		if _, err := w.mem.Reap(t.Context(), time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)); err != nil {
			t.Fatal(err)
		}
		wantErr(t, "the next piece", s.try(strings.NewReader(piece)), fs.ErrNotExist)
		_, err := s.tree().UploadAt(s.ctx, s.ID)
		wantErr(t, "its state", err, fs.ErrNotExist)
	}
}

// TestUploadStoreBreaks loses at most the slice that was on its way.
func TestUploadStoreBreaks(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	w.seed("root", "/firm/")
	s := w.as("ann").begin("/firm/f", ask(4)).add("a")
	for _, op := range []string{"Append", "Finish", "Publish"} {
		w.mem.FailNext(op, fault.ErrUnavailable)
		wantErr(t, op, s.try(strings.NewReader("bcd"[s.Offset-1:])), fault.ErrUnavailable)
		w.lacks("/firm/f")
	}
	s.add("").became("/firm/f", "abcd")
}

// TestUploadOneAtATime lets the second be told so at once.
func TestUploadOneAtATime(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	w.seed("root", "/firm/")
	s := w.as("ann").begin("/firm/f", ask(2))
	r, pipe := io.Pipe()
	done := make(chan error)
	go func() {
		_, err := s.tree().AppendUpload(s.ctx, s.ID, 0, r, nil)
		done <- err
	}()
	if _, err := pipe.Write([]byte("a")); err != nil {
		t.Fatal(err)
	}
	_, err := s.tree().AppendUpload(s.ctx, s.ID, 0, strings.NewReader("b"), nil)
	wantErr(t, "the second", err, fault.ErrLocked)
	wantErr(t, "an end", s.tree().DropUpload(s.ctx, s.ID), fault.ErrLocked)
	_ = pipe.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
	s.Offset = 1
	s.add("b").became("/firm/f", "ab")
}
