package files_test

import (
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"pgregory.net/rapid"

	"portico/fault"
	"portico/files"
	"portico/vpath"
)

// chunkRun is one upload of the model.
type chunkRun struct {
	rt   *rapid.T
	w    *world
	ann  *user
	wish files.ChunkWish
	ids  []files.ChunkID
	body []string

	folder string
}

// newRun draws how a client counts, and cuts.
func newRun(rt *rapid.T, w *world, runs *atomic.Int64) *chunkRun {
	r := &chunkRun{rt: rt, w: w, ann: w.as("ann"), wish: nameless, folder: strconv.FormatInt(runs.Add(1), 10)}
	kind := rapid.SampledFrom([]string{"offsets", "from 0", "from 1", "told"}).Draw(rt, "kind")
	n := rapid.IntRange(0, 8).Draw(rt, "chunks")
	off, first := 0, 0
	if kind == "from 1" || kind == "told" {
		first = 1
	}
	for i := range n {
		size := rapid.IntRange(1, 9).Draw(rt, "size")
		r.body = append(r.body, strings.Repeat(string(rune('a'+i)), size))
		r.ids = append(r.ids, numbered(first+i))
		if kind == "offsets" {
			r.ids[i] = at(off)
		}
		off += size
	}
	if kind == "told" {
		r.wish = files.ChunkWish{Path: vpath.Must("/lab/told"), Size: int64(off)}
	}
	return r
}

// send sends each chunk until it is taken: cut, broken by the store, twice, beside
// others or after a restart.
func (r *chunkRun) send(i int, trouble string) {
	switch trouble {
	case "cut":
		_, err := r.ann.tree().PutChunk(r.ann.ctx, r.folder, r.ids[i], io.MultiReader(strings.NewReader(r.body[i][:len(r.body[i])/2]), iotest.ErrReader(io.ErrUnexpectedEOF)), nil)
		if !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, fault.ErrUnavailable) {
			r.rt.Errorf("a chunk that was cut: %v", err)
		}
	case "Append", "Begin", "Fetch":
		r.w.mem.FailNext(trouble, fault.ErrUnavailable)
		_ = r.ann.tryChunk(r.folder, r.ids[i], r.body[i])
	case "restart":
		r.w.start(0)
	case "twice":
		r.put(i)
	}
	r.put(i)
}

func (r *chunkRun) put(i int) {
	// What fails is sent again: an error of the store that was meant for another call
	// may come up here.
	for range 5 {
		err := r.ann.tryChunk(r.folder, r.ids[i], r.body[i])
		if err == nil {
			return
		}
		if !errors.Is(err, fault.ErrUnavailable) && !errors.Is(err, fault.ErrConflict) {
			r.rt.Errorf("chunk %s: %v", r.ids[i].Text, err)
		}
	}
	r.rt.Errorf("chunk %s was never taken", r.ids[i].Text)
}

// TestChunksComeAsTheyLike: in any order, several at once, some twice, with a store
// that fails: the file is what the chunks are, in their order.
func TestChunksComeAsTheyLike(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"full", "objects"} {
		w := newWorld(t, options{shape: shapes[kind], quiet: true, shared: newMemState()})
		w.seed("root", "/firm/", "/lab/")
		var runs atomic.Int64
		rapid.Check(t, func(rt *rapid.T) {
			r := newRun(rt, w, &runs)
			for err := fault.ErrUnavailable; errors.Is(err, fault.ErrUnavailable); { // an error that was meant for the run before
				err = r.ann.tree().BeginChunks(r.ann.ctx, r.folder, r.wish)
			}
			order := rapid.Permutation(slices.Collect(seq(len(r.ids)))).Draw(rt, "order")
			for len(order) > 0 {
				n := min(rapid.IntRange(1, 3).Draw(rt, "at once"), len(order))
				var all sync.WaitGroup
				for _, i := range order[:n] {
					trouble := rapid.SampledFrom([]string{"", "", "", "cut", "Append", "Begin", "Fetch", "twice", "restart"}).Draw(rt, "trouble")
					if n > 1 && trouble == "restart" {
						trouble = ""
					}
					all.Go(func() { r.send(i, trouble) })
				}
				all.Wait()
				order = order[n:]
			}
			for range 5 { // an error that was meant for a chunk
				want := strings.Join(r.body, "")
				_, _, err := r.ann.tryJoin(r.folder, "/lab/told", len(want))
				if errors.Is(err, fault.ErrUnavailable) {
					continue
				}
				if err != nil {
					rt.Fatalf("JoinChunks: %v", err)
				}
				w.holds("/lab/told", want)
				return
			}
		})
		w.idle()
	}
}

func seq(n int) func(func(int) bool) {
	return func(yield func(int) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}
}

// TestChunksKilled kills the process at each call to a store while it joins, and
// lets another go on: the file comes once and whole, and nothing is left.
func TestChunksKilled(t *testing.T) {
	t.Parallel()
	for _, shape := range []string{"full", "objects"} {
		for kill := 0; killedAt(t, shapes[shape], kill); kill++ {
			if kill > 200 {
				t.Fatal("it never ends")
			}
		}
	}
}

// killedAt is false if there were fewer calls.
func killedAt(t *testing.T, shape mem2backend, kill int) bool {
	t.Helper()
	r := replicas(t, 2, shape, options{})
	r[0].seed("root", "/firm/", "/lab/")
	ann := r[0].as("ann")
	ann.beginChunks("up", nameless)
	ann.chunk("up", numbered(2), "cc")
	ann.chunk("up", numbered(1), "bb")
	calls := 0
	r[0].step = func(string) error {
		if calls++; calls > kill {
			r[0].kill()
		}
		return nil
	}
	err := ann.tryChunk("up", numbered(0), "aa")
	if err == nil {
		_, _, err = ann.tryJoin("up", "/firm/f", 6)
	}
	r[0].step = nil
	if err == nil {
		return false
	}
	if err := r[1].svc.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	other := r[1].as("ann")
	if _, err := other.tree().Chunks(t.Context(), "up"); err == nil {
		other.chunk("up", numbered(0), "aa")
	}
	other.join("up", "/firm/f", "aabbcc")
	_, list, err := other.tree().Find(t.Context(), vpath.Must("/firm"), true, files.Want{})
	if err != nil || len(list) != 1 {
		t.Errorf("killed at call %d: the folder holds %+v, %v", kill, list, err)
	}
	events := r[1].rec.Appended()
	if e := events[len(events)-1]; e.Path != "/firm/f" || e.SHA256 != sha256Of("aabbcc") {
		t.Errorf("killed at call %d: the audit has %+v", kill, e)
	}
	if _, err := r[1].mem.Reap(t.Context(), time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)); err != nil {
		t.Error(err)
	}
	r[1].idle()
	return true
}
