package files

import (
	"strconv"
	"testing"
	"time"

	"portico/store"
	"portico/vpath"
)

// What a process remembers of its own moves is for a look at the journal that is
// under way. One that is alone in its store looks only where a move is left open:
// the memory must not grow until then.
func TestMovesThatAreOverAreForgotten(t *testing.T) {
	t.Parallel()
	m := newMoves()
	for i := range 1000 {
		mv := store.Move{ID: strconv.Itoa(i), From: vpath.Must("/firm/a"), To: vpath.Must("/firm/b"), Began: time.Unix(1, 0)}
		m.begin(mv)
		m.set(mv)
		m.end(mv)
	}
	if n := len(m.fresh) + len(m.open) + len(m.mine); n > 0 {
		t.Errorf("%d entries are left of moves that are over", n)
	}
}
