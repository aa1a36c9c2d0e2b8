package backendtest

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"portico/backends"
	"portico/fault"
	"portico/vpath"
)

func raceTests() []test {
	return []test{
		{"of many writers of a new file one wins", oneCreates},
		{"of many writers over one version one wins", oneReplaces},
		{"of many makers of a folder one wins", oneMakes},
		{"readers never see a mix", neverMixed},
		{"writers of one folder do not disturb each other", manyWriters},
	}
}

const writers = 8

// race lets all writers try at once and gives the contents of those who won.
func (d *driver) race(path string, o backends.PutOptions) []string {
	d.Helper()
	var mu sync.Mutex
	var won []string
	d.together(writers, func(i int) {
		// Not the same in each round: S3's ETag is made of the content, so the
		// same bytes again would be the same version, and let a second one win.
		content := fmt.Sprintf("writer %d after %q", i, o.If.ETag)
		_, err := d.tryPut(path, content, o)
		mu.Lock()
		defer mu.Unlock()
		if err == nil {
			won = append(won, content)
			return
		}
		d.wantErr("Put", err, fault.ErrPrecondition)
	})
	return won
}

// together runs do n times at once.
func (d *driver) together(n int, do func(i int)) {
	var ready, done sync.WaitGroup
	ready.Add(n)
	for i := range n {
		done.Go(func() {
			ready.Done()
			ready.Wait()
			do(i)
		})
	}
	done.Wait()
}

func oneCreates(d *driver) {
	for i := range 5 {
		path := fmt.Sprintf("/file %d", i)
		won := d.race(path, ifNotExist())
		if len(won) != 1 {
			d.Fatalf("%d of %d writers won: %q", len(won), writers, won)
		}
		d.wantContent(path, won[0])
	}
}

func oneReplaces(d *driver) {
	etag := d.put("/file", "start").ETag
	for range 5 {
		won := d.race("/file", ifETag(etag))
		if len(won) != 1 {
			d.Fatalf("%d of %d writers won: %q", len(won), writers, won)
		}
		d.wantContent("/file", won[0])
		etag = d.stat("/file").ETag
	}
}

func oneMakes(d *driver) {
	var won atomic.Int32
	d.together(writers, func(int) {
		_, err := d.Mkdir(d.ctx(), vpath.Must("/folder"), backends.Meta{})
		if err == nil {
			won.Add(1)
			return
		}
		d.wantErr("Mkdir", err, errExist)
	})
	// A store without conditions may tell two makers of one folder that they
	// made it: they cannot tell the difference. None is a fault.
	if won.Load() == 0 {
		d.Error("nobody made the folder")
	}
	d.wantFolder("/folder")
}

// neverMixed replaces a file by versions of one letter each while others read it.
func neverMixed(d *driver) {
	size := d.size(1 << 20)
	version := func(i int) string { return strings.Repeat(string(rune('a'+i%26)), size+i) }
	d.put("/file", version(0))
	const rounds = 12
	var stop atomic.Bool
	var g errgroup.Group
	for range 4 {
		g.Go(func() error {
			for !stop.Load() {
				if err := d.readWhole(version, rounds); err != nil {
					return err
				}
			}
			return nil
		})
	}
	for i := range rounds {
		d.put("/file", version(i))
	}
	stop.Store(true)
	if err := g.Wait(); err != nil {
		d.Error(err)
	}
	d.wantContent("/file", version(rounds-1))
}

// readWhole reads the file and tells what is wrong with it. A read that fails
// as a whole because its version went is no mix.
func (d *driver) readWhole(version func(int) string, rounds int) error {
	got, info, err := d.tryRead("/file", backends.Range{})
	if err != nil {
		if errors.Is(err, errNotExist) {
			return fmt.Errorf("a reader found no file: %w", err)
		}
		return nil
	}
	for i := range rounds {
		if got == version(i) && info.Size == int64(len(got)) {
			return nil
		}
	}
	return fmt.Errorf("a reader got %s with the size %d", brief(got), info.Size)
}

func manyWriters(d *driver) {
	d.mkdir("/folder")
	d.together(writers, func(i int) {
		for j := range 5 {
			path := fmt.Sprintf("/folder/%d-%d", i, j)
			if _, err := d.tryPut(path, path, backends.PutOptions{}); err != nil {
				d.Errorf("Put(%s): %v", path, err)
			}
			if j%2 == 1 {
				if err := d.Remove(d.ctx(), vpath.Must(path)); err != nil {
					d.Errorf("Remove(%s): %v", path, err)
				}
			}
		}
	})
	want := []string{}
	for i := range writers {
		for _, j := range []int{0, 2, 4} {
			want = append(want, fmt.Sprintf("%d-%d", i, j))
		}
	}
	d.wantList("/folder", want...)
	d.wantContent("/folder/7-4", "/folder/7-4")
}
