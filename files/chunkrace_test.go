package files_test

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"strings"
	"testing"

	"portico/fault"
	"portico/files"
	"portico/vpath"
)

func sha256Of(s string) string { sum := sha256.Sum256([]byte(s)); return hex.EncodeToString(sum[:]) }

// hang sends the first byte of a chunk, and gives what ends it.
func (u *user) hang(folder string, id files.ChunkID, head, rest string) (end func() error) {
	u.w.Helper()
	body, pipe := io.Pipe()
	done := make(chan error)
	go func() {
		_, err := u.tree().PutChunk(u.ctx, folder, id, body, nil)
		done <- err
	}()
	if _, err := io.WriteString(pipe, head); err != nil {
		u.w.Fatal(err)
	}
	return func() error {
		if _, err := io.WriteString(pipe, rest); err != nil {
			u.w.Error(err)
		}
		_ = pipe.Close()
		return <-done
	}
}

// Two chunks that each fit, and both do not, cannot come at once.
func TestChunksKeepTheLimitTogether(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{quiet: true})
	w.seed("root", "/firm/")
	ann := w.as("ann")
	ann.beginChunks("up", files.ChunkWish{Path: vpath.Must("/firm/f"), Size: -1, MaxSize: 90})
	end := ann.hang("up", numbered(1), "a", strings.Repeat("a", 39))
	ann.chunk("up", numbered(2), strings.Repeat("b", 60))
	wantErr(t, "the first", end(), fault.ErrTooLarge)
	ann.chunk("up", numbered(1), strings.Repeat("a", 30))
	ann.join("up", "/firm/f", strings.Repeat("a", 30)+strings.Repeat("b", 60))
	w.idle()
}

// A chunk that was taken is in the file: one that comes while the others are joined
// stops that, and one that comes when the file is being published is not taken.
func TestChunkThatComesWhileTheyAreJoined(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{quiet: true})
	w.seed("root", "/firm/")
	ann := w.as("ann")
	ann.beginChunks("up", nameless)
	ann.chunk("up", numbered(2), "b")
	w.once("Fetch", func() { ann.chunk("up", numbered(3), "c") })
	_, _, err := ann.tryJoin("up", "/firm/f", -1)
	wantErr(t, "the join that it came in", err, fault.ErrConflict)
	w.lacks("/firm/f")
	w.once("Finish", func() {
		wantErr(t, "one that comes too late", ann.tryChunk("up", numbered(4), "d"), fault.ErrConflict)
	})
	_, _, err = ann.tryJoin("up", "/firm/f", -1)
	wantErr(t, "the next join", err, nil)
	w.holds("/firm/f", "bc")
	w.idle()
}

// Who does not tell the file can fill no workspace with what waits.
func TestChunksOfNoFileKeepTheQuota(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{quota: 100, quiet: true})
	w.seed("root", "/firm/", "/lab/")
	ann := w.as("ann")
	wantErr(t, "more than any has", ann.tree().BeginChunks(ann.ctx, "up", files.ChunkWish{Size: 101}), fault.ErrQuota)
	ann.beginChunks("up", nameless)
	ann.chunk("up", at(0), strings.Repeat("a", 60))
	ann.put("/firm/full", strings.Repeat("f", 100)).ok()
	ann.chunk("up", at(60), "b") // it may go into the other one
	ann.beginChunks("second", nameless)
	ann.put("/lab/full", strings.Repeat("f", 50)).ok()
	wantErr(t, "the next chunk", ann.tryChunk("up", at(61), "c"), fault.ErrQuota)
	ann.put("/lab/full", strings.Repeat("f", 100)).ok()
	wantErr(t, "one more", ann.tree().BeginChunks(ann.ctx, "third", nameless), fault.ErrQuota)
	wantErr(t, "where nobody may", w.as("stranger").tree().BeginChunks(ann.ctx, "up", nameless), fs.ErrPermission)
}
