package files_test

import (
	"crypto/sha1"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"portico/fault"
	"portico/files"
	"portico/vpath"
)

// nameless is the wish of who tells the file at the end.
var nameless = files.ChunkWish{Size: -1}

func (u *user) beginChunks(folder string, wish files.ChunkWish) {
	u.w.Helper()
	if err := u.tree().BeginChunks(u.ctx, folder, wish); err != nil {
		u.w.Fatalf("BeginChunks(%s): %v", folder, err)
	}
}

func numbered(n int) files.ChunkID { return files.ChunkID{Text: strconv.Itoa(n), Number: int64(n)} }

func at(offset int) files.ChunkID {
	return files.ChunkID{Text: fmt.Sprintf("%d-", offset), Number: int64(offset), IsOffset: true}
}

func (u *user) tryChunk(folder string, id files.ChunkID, body string) error {
	_, err := u.tree().PutChunk(u.ctx, folder, id, strings.NewReader(body), nil)
	return err
}

func (u *user) chunk(folder string, id files.ChunkID, body string) {
	u.w.Helper()
	if err := u.tryChunk(folder, id, body); err != nil {
		u.w.Fatalf("PutChunk(%s, %s): %v", folder, id.Text, err)
	}
}

func (u *user) tryJoin(folder, dst string, size int) (files.Node, bool, error) {
	return u.tree().JoinChunks(u.ctx, folder, vpath.Must(dst), files.JoinOptions{Size: int64(size)})
}

func (u *user) join(folder, dst, content string) files.Node {
	u.w.Helper()
	n, _, err := u.tryJoin(folder, dst, len(content))
	if err != nil {
		u.w.Fatalf("JoinChunks(%s): %v", dst, err)
	}
	u.w.holds(dst, content)
	return n
}

func TestChunks(t *testing.T) {
	t.Parallel()
	everyShape(t, func(t *onShape) {
		if t.kind == "bare" {
			return
		}
		w := newWorld(t, options{shape: t.shape})
		w.seed("root", "/firm/", "/lab/")
		ann := w.as("ann")
		before := len(w.rec.Appended())
		ann.beginChunks("up", nameless)
		ann.chunk("up", at(0), "hello ")
		ann.chunk("up", at(6), "world")
		w.lacks("/firm/a.txt")
		n, created, err := ann.tree().JoinChunks(ann.ctx, "up", vpath.Must("/firm/a.txt"), files.JoinOptions{
			Size: 11, ModTime: time.Unix(1_700_000_000, 0), Sum: &files.UploadSum{Algorithm: "sha1", Sum: sha1Of("hello world")},
		})
		if err != nil || !created || n.Path != vpath.Must("/firm/a.txt") || n.Size != 11 || n.By != id("ann") || n.ETag == "" {
			t.Fatalf("JoinChunks = %+v, %v, %v", n, created, err)
		}
		w.holds("/firm/a.txt", "hello world")
		if !n.ModTime.Equal(time.Unix(1_700_000_000, 0)) {
			t.Errorf("the file's time is %v", n.ModTime)
		}
		events := w.rec.Appended()[before:]
		if len(events) != 1 || events[0].Path != "/firm/a.txt" || events[0].Bytes != 11 || events[0].SHA256 == "" {
			t.Errorf("the audit has %+v", events)
		}
		// In another workspace, and over a file.
		ann.beginChunks("up", nameless)
		ann.chunk("up", at(0), "other")
		ann.join("up", "/lab/b.txt", "other")
		ann.beginChunks("up", files.ChunkWish{Path: vpath.Must("/lab/b.txt"), Size: 3})
		ann.chunk("up", numbered(1), "new")
		ann.join("up", "/lab/b.txt", "new")
		w.idle()
	})
}

func sha1Of(s string) []byte { sum := sha1.Sum([]byte(s)); return sum[:] }

// Two processes take chunks of one upload at once.
func TestChunksInTwoProcesses(t *testing.T) {
	t.Parallel()
	r := replicas(t, 2, nil, options{})
	r[0].seed("root", "/firm/")
	r[0].as("ann").beginChunks("up", files.ChunkWish{Path: vpath.Must("/firm/f"), Size: -1})
	order := rand.New(rand.NewPCG(1, 2)).Perm(40)
	var all sync.WaitGroup
	for p := range 4 {
		all.Go(func() {
			for i := p; i < 40; i += 4 {
				if err := r[p%2].as("ann").tryChunk("up", numbered(order[i]+1), fmt.Sprintf("%02d.", order[i])); err != nil {
					t.Errorf("chunk %d: %v", order[i], err)
				}
			}
		})
	}
	all.Wait()
	var want strings.Builder
	for i := range 40 {
		fmt.Fprintf(&want, "%02d.", i)
	}
	r[1].as("ann").join("up", "/firm/f", want.String())
	r[0].idle()
}

// A chunk whose connection hangs holds nobody up: it is sent again, and the upload
// may be deleted and begun anew.
func TestChunkThatHangs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{quiet: true})
	w.seed("root", "/firm/")
	ann := w.as("ann")
	ann.beginChunks("up", nameless)
	hang := func(id files.ChunkID) (end func() error) {
		body, pipe := io.Pipe()
		done := make(chan error)
		go func() {
			_, err := ann.tree().PutChunk(ann.ctx, "up", id, body, nil)
			done <- err
		}()
		if _, err := pipe.Write([]byte("a")); err != nil {
			t.Fatal(err)
		}
		return func() error { _ = pipe.Close(); return <-done }
	}
	end := hang(at(0))
	ann.chunk("up", at(0), "aa")
	ann.chunk("up", at(2), "bb")
	_, _, err := ann.tryJoin("up", "/firm/f", 4)
	wantErr(t, "a join in between", err, fault.ErrLocked)
	wantErr(t, "the one that hung", end(), nil)
	// It came first, and so it is what counts.
	wantErr(t, "the rest", ann.tryChunk("up", at(1), "x"), nil)
	if err := ann.tree().DropChunks(ann.ctx, "up"); err != nil {
		t.Fatal(err)
	}
	ann.beginChunks("up", nameless)
	end = hang(at(0))
	if err := ann.tree().DropChunks(ann.ctx, "up"); err != nil {
		t.Fatal(err)
	}
	ann.beginChunks("up", nameless)
	ann.chunk("up", at(0), "cc")
	wantErr(t, "a chunk of an upload that was deleted", end(), fs.ErrNotExist)
	ann.join("up", "/firm/f", "cc")
	w.idle()
}

func TestChunksAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{quota: 100, quiet: true})
	w.seed("root", "/firm/")
	ann := w.as("ann")
	told := func(size int) files.ChunkWish {
		return files.ChunkWish{Path: vpath.Must("/firm/f"), Size: int64(size), MaxSize: 90}
	}
	wantErr(t, "more than the limit", ann.tree().BeginChunks(ann.ctx, "up", told(91)), fault.ErrTooLarge)
	wantErr(t, "more than the quota", ann.tree().BeginChunks(ann.ctx, "up", files.ChunkWish{Path: vpath.Must("/firm/f"), Size: 101}), fault.ErrQuota)
	ann.beginChunks("up", told(-1))
	wantErr(t, "the same name", ann.tree().BeginChunks(ann.ctx, "up", told(-1)), fs.ErrExist)
	ann.chunk("up", numbered(2), strings.Repeat("x", 60))
	wantErr(t, "a second", ann.tryChunk("up", numbered(3), strings.Repeat("x", 31)), fault.ErrTooLarge)
	wantErr(t, "the first", ann.tryChunk("up", numbered(1), strings.Repeat("x", 31)), fault.ErrTooLarge)
	ann.chunk("up", numbered(2), strings.Repeat("y", 90))
	wantErr(t, "a drop", ann.tree().DropChunk(ann.ctx, "up", numbered(3)), fs.ErrNotExist)
	if err := ann.tree().DropChunk(ann.ctx, "up", numbered(2)); err != nil {
		t.Error(err)
	}
	ann.chunk("up", numbered(1), strings.Repeat("z", 90))
	wantErr(t, "a drop of what was joined", ann.tree().DropChunk(ann.ctx, "up", numbered(1)), fault.ErrConflict)
	ann.put("/firm/g", strings.Repeat("g", 11)).ok()
	_, _, err := ann.tryJoin("up", "/firm/f", 90)
	wantErr(t, "what the quota has no room for", err, fault.ErrQuota)
	w.lacks("/firm/f")
	ann.rm("/firm/g").ok()
	ann.join("up", "/firm/f", strings.Repeat("z", 90))
	for i := range 32 {
		ann.beginChunks(strconv.Itoa(i), nameless)
	}
	wantErr(t, "one more", ann.tree().BeginChunks(ann.ctx, "more", nameless), fault.ErrBusy)
	list, err := ann.tree().ChunkFolders(ann.ctx)
	if err != nil || len(list) != 32 {
		t.Errorf("%d uploads, %v", len(list), err)
	}
	_, err = ann.tree().UploadAt(ann.ctx, mustRow(t, w).ID)
	wantErr(t, "the door of others", err, fs.ErrNotExist)
}

func mustRow(t *testing.T, w *world) (row struct{ ID string }) {
	t.Helper()
	rows, err := w.state.UploadsOf(t.Context(), id("ann"))
	if err != nil || len(rows) == 0 {
		t.Fatal("no upload", err)
	}
	row.ID = rows[0].ID
	return row
}

func TestChunksExpire(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{quiet: true})
	w.seed("root", "/firm/")
	ann := w.as("ann")
	ann.beginChunks("old", nameless)
	ann.chunk("old", at(0), "a")
	ann.chunk("old", at(5), "b")
	ann.beginChunks("young", nameless)
	w.clock.add(23 * time.Hour)
	ann.chunk("young", at(1), "b")
	w.clock.add(2 * time.Hour)
	wantErr(t, "an expired one", ann.tryChunk("old", at(1), "x"), fs.ErrNotExist)
	if err := w.svc.ReapUploads(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := w.mem.Staged(); n != 2 {
		t.Errorf("%d uploads are in the storage", n)
	}
	// What waited for too long the storage has forgotten.
	if _, err := w.mem.Reap(t.Context(), w.clock.Now()); err != nil {
		t.Fatal(err)
	}
	ann.beginChunks("late", nameless)
	ann.chunk("late", at(0), "a")
	if err := w.svc.ReapUploads(t.Context()); err != nil {
		t.Fatal(err)
	}
	ann.join("late", "/firm/f", "a")
}

// A chunk whose bytes have gone is asked for again.
func TestChunkWhoseBytesWent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{quiet: true})
	w.seed("root", "/firm/")
	ann := w.as("ann")
	ann.beginChunks("up", nameless)
	ann.chunk("up", at(1), "b")
	w.mem.FailNext("Fetch", fs.ErrNotExist)
	ann.chunk("up", at(0), "a")
	_, _, err := ann.tryJoin("up", "/firm/f", 2)
	wantErr(t, "a join without it", err, fault.ErrTruncated)
	ann.chunk("up", at(1), "b")
	ann.join("up", "/firm/f", "ab")
}

func TestChunksRightsWithdrawn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{quiet: true})
	w.seed("root", "/firm/")
	w.grant("/", "eva", "editor")
	eva := w.as("eva")
	eva.beginChunks("up", nameless)
	eva.beginChunks("told", files.ChunkWish{Path: vpath.Must("/firm/g"), Size: -1})
	eva.chunk("up", at(0), "a")
	w.grant("/", "eva", "viewer")
	wantErr(t, "the next chunk", eva.tryChunk("up", at(1), "b"), fs.ErrPermission)
	wantErr(t, "the next chunk", eva.tryChunk("told", numbered(1), "b"), fs.ErrPermission)
	_, _, err := eva.tryJoin("up", "/firm/f", 1)
	wantErr(t, "the end", err, fs.ErrPermission)
	w.grant("/", "eva", "editor")
	w.once("Finish", func() { w.grant("/", "eva", "viewer") })
	_, _, err = eva.tryJoin("up", "/firm/f", 1)
	wantErr(t, "the end, in the midst of it", err, fs.ErrPermission)
	w.setHook(nil)
	w.lacks("/firm/f")
	w.grant("/", "eva", "editor")
	eva.join("up", "/firm/f", "a")
}

// What customers send is a deposit, with a receipt; and where they see nothing
// their file gets a free name, of which they are not told.
func TestChunksAreDeposits(t *testing.T) {
	t.Parallel()
	w := dropWorld(t)
	w.seed("ann", "/firm/in/tax.pdf")
	win := w.outside(eve).window()
	for _, wish := range []files.ChunkWish{nameless, {Path: vpath.Must("/in/tax.pdf"), Size: 2}} {
		if err := win.BeginChunks(t.Context(), "up", wish); err != nil {
			t.Fatal(err)
		}
		for i, part := range []string{"a", "b"} {
			id := numbered(i + 1)
			if wish.Path.IsRoot() {
				id = at(i)
			}
			if _, err := win.PutChunk(t.Context(), "up", id, strings.NewReader(part), nil); err != nil {
				t.Fatal(err)
			}
		}
		n, created, err := win.JoinChunks(t.Context(), "up", vpath.Must("/in/tax.pdf"), files.JoinOptions{Size: 2})
		if err != nil || !created || n.Path != vpath.Must("/in/tax.pdf") {
			t.Errorf("JoinChunks = %+v, %v, %v", n, created, err)
		}
	}
	if got := w.tree("/firm/in"); len(got) != 3 {
		t.Errorf("the folder holds %q", got)
	}
	if len(w.deposits) != 2 || w.deposits[0].Name != "tax.pdf" || w.deposits[0].SHA256 == "" {
		t.Errorf("deposits: %+v", w.deposits)
	}
	w.idle()
}
