package files

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"portico/fault"
	"portico/store"
	"portico/vpath"
)

// What a sync may cost, and what is kept of it.
const (
	maxSynced    = 100_000 // members of one folder, with all below it if they are asked for
	syncTime     = 30 * time.Second
	maxSnapshot  = 8 << 20
	maxSnapshots = 256      // of one person
	maxKept      = 64 << 20 // bytes of all of them
	maxLines     = 32       // clients of one person at one folder
	keepSnapshot = 30 * 24 * time.Hour
	touchEvery   = time.Hour
)

// ErrSyncToken is a token that stands for nothing, or for nothing that the one who
// shows it was told: the client must begin anew.
var ErrSyncToken = errors.New("files: no such sync token")

// asked is the line of the tokens that were given as a property: whoever asks for
// those again and again must not drive out what the clients at work have.
const asked = "asked"

// tokenScheme begins each token: RFC 6578 §6.2 wants a URI.
const tokenScheme = "urn:uuid:" //nolint:gosec // no credential

// Viewer is one who looks, and what they see.
type Viewer interface {
	Finder
	Filler
	Principal() Principal
}

// Principal is who asks.
func (t *Tree) Principal() Principal { return t.who }

// Principal is who asks.
func (w *Window) Principal() Principal { return w.t.who }

// Sync is a sync client's question.
type Sync struct {
	At    vpath.Path
	Door  string // tells apart the views in which one person has one path
	Token string // of the answer before; "" to begin
	Deep  bool   // all below the folder, not its members alone
	Limit int    // of changes; 0 for none
	Want  Want   // for the nodes of the answer
}

// Changes is the answer.
type Changes struct {
	List  []Change // a folder before what lies in it
	Token string   // for the next question
	More  bool     // the Limit left some for the next question
}

// Change is a member that is new or other than it was. Of one that is Gone, the
// Node has path and kind alone.
type Change struct {
	Node
	Gone bool
}

// Changes tells what is other in a folder than the client of a token was told
// (RFC 6578). It compares what is seen now with what was seen then, so that it
// holds whoever changed a file, by what way, or took a right away: what is not
// seen any more is gone, and of what never was seen nothing is told.
//
// ErrSyncToken for a token that is none, ErrEnough for more than one answer tells,
// fault.ErrNotDir for a file.
func (s *Service) Changes(ctx context.Context, v Viewer, q Sync) (Changes, error) {
	was, old, err := s.recall(ctx, v, q)
	if err != nil {
		return Changes{}, fmt.Errorf("files: sync: %w", err)
	}
	c, err := s.compare(ctx, v, q, old)
	if err != nil {
		return Changes{}, fmt.Errorf("files: sync: %w", err)
	}
	next, answer := c.answer()
	if was.Line == asked {
		was.Line = "" // from here on it is a client's own
	}
	id, err := s.remember(ctx, v, q, was, next)
	if err != nil {
		return Changes{}, fmt.Errorf("files: sync: %w", err)
	}
	answer.Token = tokenScheme + id
	return answer, nil
}

// compare walks again where something was deleted or moved meanwhile in this
// process, and something is missed: a file that moves from a folder that comes
// later in the walk into one that it has left behind would look deleted, and
// clients would throw it away and fetch it again.
func (s *Service) compare(ctx context.Context, v Viewer, q Sync, old []entry) (*comparison, error) {
	const tries = 3
	for i := 1; ; i++ {
		gone := s.gone.Load()
		c := &comparison{q: q, was: old}
		if err := c.walk(ctx, v); err != nil {
			return nil, err
		}
		if i == tries || len(c.lost) == 0 || s.gone.Load() == gone {
			return c, nil
		}
	}
}

// SyncToken is a token for a folder as it is now: the one that a client of this
// person has, if nothing has changed since.
func (s *Service) SyncToken(ctx context.Context, v Viewer, q Sync) (string, error) {
	q.Deep, q.Token, q.Limit = false, "", 0
	c := &comparison{q: q}
	if err := c.walk(ctx, v); err != nil {
		return "", fmt.Errorf("files: sync token: %w", err)
	}
	next, _ := c.answer()
	data := encode(next)
	rows, err := s.State.SnapshotsOf(ctx, v.Principal().ID())
	if err != nil {
		return "", err
	}
	was := store.Snapshot{Line: asked}
	for _, row := range rows {
		if row.Place == q.place(v) && row.Sum == sha256.Sum256(data) && s.isFresh(row) {
			was = row
			break
		}
	}
	id, err := s.remember(ctx, v, q, was, next)
	if err != nil {
		return "", fmt.Errorf("files: sync token: %w", err)
	}
	return tokenScheme + id, nil
}

// ReapSnapshots removes what no client has asked about for long.
func (s *Service) ReapSnapshots(ctx context.Context) error {
	return s.State.Update(ctx, func(tx store.Tx) error { return tx.DropSnapshotsBefore(s.Clock().Add(-keepSnapshot)) })
}

// place is what a snapshot is of. An app password that shows less than its owner
// sees gets nothing from a token of the owner.
func (q Sync) place(v Viewer) string {
	limit := v.Principal().acl.Limit
	reads := ""
	if limit.ReadOnly {
		reads = "read-only"
	}
	return strings.Join([]string{q.Door, limit.Workspace, reads, q.At.String()}, "\n")
}

func (s *Service) isFresh(row store.Snapshot) bool {
	return s.Clock().Before(row.Used.Add(keepSnapshot))
}

// recall finds what the client was told.
func (s *Service) recall(ctx context.Context, v Viewer, q Sync) (row store.Snapshot, old []entry, err error) {
	if q.Token == "" {
		return row, nil, nil
	}
	id, ok := strings.CutPrefix(q.Token, tokenScheme)
	if !ok || !isUUID(id) { // no text for a database
		return row, nil, ErrSyncToken
	}
	row, ok, err = s.State.SnapshotByID(ctx, id)
	if err != nil {
		return row, nil, err
	}
	if !ok || row.Owner != v.Principal().ID() || row.Place != q.place(v) || !s.isFresh(row) {
		return row, nil, ErrSyncToken
	}
	if old, err = decode(row.Data); err != nil {
		return row, nil, errors.Join(ErrSyncToken, err)
	}
	return row, old, nil
}

func isUUID(id string) bool {
	return len(id) == 36 && strings.Trim(id, "0123456789abcdef-") == ""
}

// remember keeps what the client is told now and gives the name of it, which is
// the old one where nothing has changed.
func (s *Service) remember(ctx context.Context, v Viewer, q Sync, was store.Snapshot, next []entry) (id string, err error) {
	data := encode(next)
	if len(data) > maxSnapshot {
		return "", ErrEnough
	}
	now := s.Clock()
	row := store.Snapshot{
		Line: was.Line, Owner: v.Principal().ID(), Place: q.place(v), Sum: sha256.Sum256(data), Size: int64(len(data)), Data: data,
		Created: now, Used: now,
	}
	if was.ID != "" && was.Sum == row.Sum {
		if now.Sub(was.Used) >= touchEvery {
			err = s.State.Update(ctx, func(tx store.Tx) error { return tx.TouchSnapshot(was.ID, now) })
		}
		return was.ID, err
	}
	if row.ID, err = s.token(); err != nil {
		return "", err
	}
	row.Line = cmp.Or(was.Line, row.ID)
	return row.ID, s.State.Update(ctx, func(tx store.Tx) error {
		rows, err := tx.SnapshotsOf(ctx, row.Owner)
		if err != nil {
			return err
		}
		for _, id := range surplus(rows, row, was.ID) {
			if err := tx.DropSnapshot(id); err != nil {
				return err
			}
		}
		return tx.PutSnapshot(row)
	})
}

// surplus are the snapshots that go for a new one: those that its client had
// before the one that it has just shown, which stays for the case that the answer
// is lost; and those used longest ago where there are too many. rows begin with
// the one that was used last.
func surplus(rows []store.Snapshot, made store.Snapshot, shown string) (ids []string) {
	size, lines := made.Size, map[string]bool{made.Line: true}
	kept := 1
	if i := slices.IndexFunc(rows, func(r store.Snapshot) bool { return r.Place == made.Place && r.Line == asked }); made.Line == asked && i >= 0 {
		shown = rows[i].ID // nobody has shown the newest one yet
	}
	for _, row := range rows {
		here := row.Place == made.Place
		drop := here && row.Line == made.Line && row.ID != shown ||
			here && !lines[row.Line] && len(lines) == maxLines ||
			size+row.Size > maxKept || kept == maxSnapshots
		if drop {
			ids = append(ids, row.ID)
			continue
		}
		if here {
			lines[row.Line] = true
		}
		size += row.Size
		kept++
	}
	return ids
}

// comparison is a folder as it was told, and as it is.
type comparison struct {
	q       Sync
	was     []entry
	lost    map[string]entry // of was, those that have not been met again
	now     []entry
	changed []Change
	held    int // about what the properties of the changes take in memory
	buf     []byte
}

// walk meets all that is there.
func (c *comparison) walk(ctx context.Context, v Viewer) error {
	self, _, err := v.Find(ctx, c.q.At, false, Want{})
	if err != nil {
		return err
	}
	if !self.Dir {
		return fault.ErrNotDir
	}
	c.lost = make(map[string]entry, len(c.was))
	for _, e := range c.was {
		c.lost[e.path] = e
	}
	// The properties belong to the mark, wanted or not.
	w := &Walk{In: v, Want: Want{Locks: c.q.Want.Locks, Props: true, Rights: c.q.Want.Rights}, Left: maxSynced + 1, Time: syncTime, Shallow: !c.q.Deep}
	return w.Each(ctx, []vpath.Path{c.q.At}, c.meet)
}

func (c *comparison) meet(n Node) error {
	at, ok := c.q.At.Under(n.Path)
	if !ok || at.IsRoot() {
		return nil
	}
	e := entry{path: at.String(), dir: n.Dir}
	e.mark, c.buf = markOf(c.buf, &n)
	c.now = append(c.now, e)
	was, known := c.lost[e.path]
	delete(c.lost, e.path)
	if known && was == e {
		return nil
	}
	switch {
	case !c.q.Want.Props:
		n.Props = nil
	case c.held > heldProps:
		n.later()
	default:
		c.held += n.Weigh()
	}
	c.changed = append(c.changed, Change{Node: n})
	return nil
}

// answer is what is told, and what the client knows when it has been told. Where
// the limit cuts it short, that is a folder that never was: the rest of it is told
// the next time, as any other change is.
func (c *comparison) answer() (next []entry, a Changes) {
	a.List = c.changed
	at := strings.TrimSuffix(c.q.At.String(), "/")
	for _, e := range c.lost {
		if p, err := vpath.Parse(at + e.path); err == nil { // as it was once before
			a.List = append(a.List, Change{Node: Node{Path: p, Dir: e.dir}, Gone: true})
		}
	}
	slices.SortFunc(a.List, func(a, b Change) int { return a.Path.Compare(b.Path) })
	next = c.now
	if c.q.Limit > 0 && len(a.List) > c.q.Limit {
		a.List, a.More = a.List[:c.q.Limit], true
		next = c.upTo(a.List)
	}
	slices.SortFunc(next, func(a, b entry) int { return strings.Compare(a.path, b.path) })
	return next, a
}

// upTo is the folder as it was, with some of the changes.
func (c *comparison) upTo(told []Change) (next []entry) {
	is := make(map[string]bool, len(told))
	for _, one := range told {
		if at, ok := c.q.At.Under(one.Path); ok {
			is[at.String()] = true
		}
	}
	for _, e := range c.was {
		if !is[e.path] {
			next = append(next, e)
		}
	}
	for _, e := range c.now {
		if is[e.path] {
			next = append(next, e)
		}
	}
	return next
}
