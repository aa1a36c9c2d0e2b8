package files

import (
	"container/list"
	"context"
	"sync"
	"time"

	"golang.org/x/text/unicode/norm"

	"portico/backends"
	"portico/fault"
	"portico/vpath"
)

// Twins are two things in one folder whose names differ in case alone: Windows and
// macOS show one of them, and may write to the other. A new folder is held against
// a fresh listing of its neighbours. For files that would be a listing for each
// PUT, which makes filling a folder quadratic: they are held against names that
// were listed some seconds ago, and that this process has added since. That is a
// courtesy to those clients and protects nothing. Folders that have rules are
// compared exactly, by ruledTwin.

const (
	// twinsFor is how long the names of a folder count.
	twinsFor = 10 * time.Second

	// twinsPace bounds what listing may cost: a folder whose listing takes a second
	// is listed once in twenty.
	twinsPace = 20

	// twinsFolder is the largest folder whose names are kept, and twinsAll is how
	// many of them are kept in all: some ten megabytes.
	twinsFolder = 50_000
	twinsAll    = 100_000
)

// twins keeps the names of folders that were written to lately.
type twins struct {
	mu    sync.Mutex
	known map[vpath.Path]*list.Element // of *folded
	order list.List                    // the one used last in front
	size  int                          // names in all
}

// folded are the names of one folder.
type folded struct {
	at      vpath.Path
	until   time.Time
	ready   chan struct{}     // closed when the listing is there
	names   map[string]string // by vpath.Fold; nil if they are not known
	counted int               // what it has of twinsAll; 0 until it is ready
}

// foreign stands for a name that is no path, and cannot be told.
const foreign = "/"

// get is the folder's entry if it counts; else a new one, which the caller has to
// fill.
func (w *twins) get(at vpath.Path, now time.Time) (f *folded, fill bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if e := w.known[at]; e != nil {
		if f = e.Value.(*folded); f.counted == 0 || now.Before(f.until) { //nolint:forcetypeassert // of this list
			w.order.MoveToFront(e)
			return f, false
		}
		w.drop(e)
	}
	f = &folded{at: at, ready: make(chan struct{})}
	if w.known == nil {
		w.known = map[vpath.Path]*list.Element{}
	}
	w.known[at] = w.order.PushFront(f)
	return f, true
}

// drop forgets an entry.
func (w *twins) drop(e *list.Element) {
	f := w.order.Remove(e).(*folded) //nolint:forcetypeassert // of this list
	w.size -= f.counted
	delete(w.known, f.at)
}

// fill gives an entry its names, and makes room for them.
func (w *twins) fill(f *folded, names map[string]string, until time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	defer close(f.ready)
	f.names, f.until = names, until
	e := w.known[f.at]
	if e == nil || e.Value != any(f) { // it was dropped meanwhile
		return
	}
	f.counted = len(names) + 1
	w.size += f.counted
	w.order.MoveToFront(e)
	for w.size > twinsAll && w.order.Back() != e {
		w.drop(w.order.Back())
	}
}

// other is the name in the folder that folds as name does, if it is another one.
func (w *twins) other(f *folded, name string) (string, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	other, ok := f.names[vpath.Fold(name)]
	return other, ok && other != name
}

// add tells of a thing that this process has made at p. A folder that is being
// listed may lack it, and is listed again.
func (w *twins) add(p vpath.Path) {
	w.mu.Lock()
	defer w.mu.Unlock()
	e := w.known[p.Parent()]
	if e == nil {
		return
	}
	f := e.Value.(*folded) //nolint:forcetypeassert // of this list
	switch {
	case f.counted == 0:
		w.drop(e)
	case f.names != nil:
		f.names[vpath.Fold(p.Name())] = p.Name()
		w.size += len(f.names) + 1 - f.counted
		f.counted = len(f.names) + 1
	}
}

// neighbours are the names in a folder as they were some seconds ago. They are nil
// where nobody can say, or there are too many.
func (t *Tree) neighbours(ctx context.Context, up place) (*folded, error) {
	began := t.now()
	f, fill := t.s.twins.get(up.path, began)
	if !fill {
		select {
		case <-f.ready:
			return f, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	var names map[string]string
	until := began
	defer func() { t.s.twins.fill(f, names, until) }()
	_, all, err := t.listNames(ctx, up)
	if err != nil {
		return f, nil // the change itself will meet the error, and says it better
	}
	if len(all) <= twinsFolder {
		names = foldAll(all)
	}
	now := t.now()
	until = now.Add(twinsFor + twinsPace*now.Sub(began))
	return f, nil
}

// listNames lists a folder of whose members the names are enough.
func (t *Tree) listNames(ctx context.Context, l place) (backends.Info, []backends.Info, error) {
	if namer, ok := l.space.Backend.(backends.Namer); ok {
		return t.list(ctx, l, namer.Names)
	}
	return t.list(ctx, l, l.space.Backend.List)
}

func foldAll(all []backends.Info) map[string]string {
	names := make(map[string]string, len(all))
	for _, info := range all {
		if info.Foreign != "" {
			names[vpath.Fold(norm.NFC.String(info.Foreign))] = foreign
		} else {
			names[vpath.Fold(info.Name)] = info.Name
		}
	}
	return names
}

// noFileTwin refuses a new file whose name differs from a neighbour's in case
// alone. What is said to be there is looked at: it may have ended since.
func (t *Tree) noFileTwin(ctx context.Context, l place, x *transfer) error {
	twin, found, err := t.fileTwin(ctx, l, x)
	if err != nil || !found {
		return err
	}
	return t.twinError(l.path, twin)
}

// fileTwin is the neighbour of l that noFileTwin is about; its path is the root if
// it cannot be told. A folder that the principal does not see is not listed: how
// long that takes would tell how much is in it.
func (t *Tree) fileTwin(ctx context.Context, l place, x *transfer) (twin member, found bool, err error) {
	if isNoise(l.path) || !t.view.SeesFolder(l.path.Parent()) {
		return twin, false, nil
	}
	f, err := t.neighbours(ctx, l.parent())
	if err != nil {
		return twin, false, err
	}
	name, found := t.s.twins.other(f, l.path.Name())
	if !found || name == foreign {
		return twin, found, nil
	}
	if twin.place, err = l.parent().child(name); err != nil {
		return twin, false, err
	}
	if x.renames(twin.path) {
		return twin, false, nil
	}
	twin.info, found, err = t.exists(ctx, twin.place)
	return twin, found, err
}

// renames tells whether the transfer moves p itself away. A thing that is renamed
// from one case to the other is no twin of itself.
func (x *transfer) renames(p vpath.Path) bool { return x != nil && x.move && p == x.src.path }

// twinError names the twin to those who may know of it.
func (t *Tree) twinError(p vpath.Path, twin member) error {
	if twin.path.IsRoot() || !t.sees(twin.path, twin.info) {
		return nameTaken(p)
	}
	return fault.Tell(fault.ErrConflict, "%s differs only in upper and lower case from %s: choose another name", p, twin.path)
}

// noTwin is noFileTwin for a folder, by a listing of this moment.
func (t *Tree) noTwin(ctx context.Context, l place, x *transfer) error {
	_, all, err := t.listNames(ctx, l.parent())
	if err != nil {
		return t.putFailed(upload{place: l}, noParent(err))
	}
	name := l.path.Name()
	for _, other := range all {
		if other.Name == name || vpath.Fold(other.Name) != vpath.Fold(name) {
			continue
		}
		at, err := l.parent().child(other.Name)
		if err == nil && x.renames(at.path) {
			continue
		}
		return t.twinError(l.path, member{at, other})
	}
	return nil
}

// noTwinOf judges the name at the end of a transfer.
func (t *Tree) noTwinOf(ctx context.Context, x *transfer) error {
	if x.dir() {
		return t.noTwin(ctx, x.dst, x)
	}
	return t.noFileTwin(ctx, x.dst, x)
}

// mayBeNamed judges a name that a folder brings along. A move within the workspace
// makes no new one.
func (t *Tree) mayBeNamed(x *transfer, p vpath.Path) error {
	if !x.move || x.src.space != x.dst.space {
		if err := t.windowsName(p); err != nil {
			return err
		}
	}
	return t.ruledTwin(p)
}
