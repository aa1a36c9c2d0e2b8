package gateway

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"portico/fault"
	"portico/files"
	"portico/store"
	"portico/vpath"
)

// asking is a request by some method, with the name of a header and its value.
func asking(ctx context.Context, method string, header ...string) *http.Request {
	r := httptest.NewRequestWithContext(ctx, method, "/dav/firm/a", nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

// TestAdmissionWaits fills a person's uploads: the next one waits, other
// requests and other people do not.
func TestAdmissionWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := admission{people: map[string]*turns{}}
		var leave []func()
		for range maxUploads {
			l, err := a.enter(asking(t.Context(), http.MethodPut), "ann")
			if err != nil {
				t.Fatal(err)
			}
			leave = append(leave, l)
		}
		entered := false
		go func() {
			l, err := a.enter(asking(t.Context(), http.MethodPut), "ann")
			if err != nil {
				t.Error(err)
			}
			entered = true
			l()
		}()
		synctest.Wait()
		if entered {
			t.Errorf("upload %d did not wait", maxUploads+1)
		}
		for _, other := range []struct{ id, method string }{{"ann", http.MethodGet}, {"bob", http.MethodPut}} {
			l, err := a.enter(asking(t.Context(), other.method), other.id)
			if err != nil {
				t.Errorf("%s %s: %v", other.id, other.method, err)
				continue
			}
			l()
		}
		leave[0]()
		synctest.Wait()
		if !entered {
			t.Error("the waiting upload did not get the turn that came free")
		}
		for _, l := range leave[1:] {
			l()
		}
		if len(a.people) != 0 {
			t.Errorf("%d people are kept who do nothing", len(a.people))
		}
	})
}

// TestAdmissionEnds wants one who gives up to leave no trace, and one who fills
// the waiting room to be refused.
func TestAdmissionEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := admission{people: map[string]*turns{}}
		ctx, cancel := context.WithCancel(t.Context())
		for range maxRequests + maxWaiting {
			go func() {
				if l, err := a.enter(asking(ctx, http.MethodGet), "ann"); err == nil {
					<-ctx.Done()
					l()
				}
			}()
		}
		synctest.Wait()
		if _, err := a.enter(asking(ctx, http.MethodGet), "ann"); !errors.Is(err, fault.ErrBusy) {
			t.Errorf("request %d: %v, want ErrBusy", maxRequests+maxWaiting+1, err)
		}
		cancel()
		synctest.Wait()
		if len(a.people) != 0 {
			t.Errorf("%d people are kept after all have left", len(a.people))
		}
	})
}

// TestAdmissionOfUploads: a part of a file is an upload as the whole is, so that slow
// ones leave room for the rest.
func TestAdmissionOfUploads(t *testing.T) {
	a := admission{people: map[string]*turns{}}
	for i := range maxUploads {
		if _, err := a.enter(asking(t.Context(), []string{http.MethodPut, http.MethodPatch}[i%2]), "ann"); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, method := range []string{http.MethodPut, http.MethodPatch} {
		if _, err := a.enter(asking(ctx, method), "ann"); !errors.Is(err, context.Canceled) {
			t.Errorf("one %s more = %v", method, err)
		}
	}
	if _, err := a.enter(asking(t.Context(), http.MethodGet), "ann"); err != nil {
		t.Error(err)
	}
}

// TestAdmissionOfWalks: what may look at everything that one sees waits for its
// like, and other requests do not wait for it.
func TestAdmissionOfWalks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := admission{people: map[string]*turns{}}
		var leave []func()
		for i := range maxWalks {
			l, err := a.enter(asking(t.Context(), []string{"REPORT", "SEARCH"}[i%2]), "ann")
			if err != nil {
				t.Fatal(err)
			}
			leave = append(leave, l)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := a.enter(asking(ctx, "SEARCH"), "ann"); !errors.Is(err, context.Canceled) {
			t.Errorf("one search more = %v", err)
		}
		l, err := a.enter(asking(t.Context(), "PROPFIND"), "ann")
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range append(leave, l) {
			l()
		}
		if len(a.people) != 0 {
			t.Errorf("%d people are still kept", len(a.people))
		}
	})
}

// TestAdmissionOfListings: a listing waits for its like, and nothing else waits for it.
func TestAdmissionOfListings(t *testing.T) {
	a := admission{people: map[string]*turns{}}
	for range maxListings {
		for _, enter := range []func() (func(), error){
			func() (func(), error) { return a.enter(asking(t.Context(), "PROPFIND"), "ann") },
			func() (func(), error) { return a.list(t.Context(), "ann") },
		} {
			leave, err := enter()
			if err != nil {
				t.Fatal(err)
			}
			defer leave()
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := a.list(ctx, "ann"); !errors.Is(err, context.Canceled) {
		t.Errorf("one listing more = %v", err)
	}
	leave, err := a.enter(asking(t.Context(), "PROPFIND"), "ann")
	if err != nil {
		t.Fatal(err)
	}
	leave()
}

// TestAdmissionWhileListingsWait: four long listings that nobody takes, and more that wait
// for them, leave room for what lists nothing: the locks of who waits must not run out.
func TestAdmissionWhileListingsWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := admission{people: map[string]*turns{}}
		ctx, cancel := context.WithCancel(t.Context())
		folder := asking(ctx, http.MethodGet)
		folder.URL.Path += "/"
		for i := range 2 * maxRequests {
			r := []*http.Request{asking(ctx, "PROPFIND"), asking(ctx, "PROPFIND", "Depth", "1"), asking(ctx, "PROPFIND", "Depth", "1, noroot"), folder}[i%4]
			go func() {
				leave, err := a.enter(r, "ann")
				if err != nil {
					return
				}
				defer leave()
				if done, err := a.list(ctx, "ann"); err == nil {
					defer done()
					<-ctx.Done()
				}
			}()
		}
		synctest.Wait()
		if n := len(a.people["ann"].listings); n != maxListings {
			t.Fatalf("%d listings run, want %d", n, maxListings)
		}
		served := 0
		others := []*http.Request{
			asking(ctx, http.MethodGet), asking(ctx, http.MethodPut), asking(ctx, "LOCK"), asking(ctx, "PROPFIND", "Depth", "0"), asking(ctx, "SEARCH"),
		}
		for _, r := range others {
			go func() {
				if leave, err := a.enter(r, "ann"); err == nil {
					served++
					leave()
				}
			}()
			synctest.Wait()
		}
		if served != len(others) {
			t.Errorf("%d of %d other requests get their turn", served, len(others))
		}
		cancel()
		synctest.Wait()
		if len(a.people) != 0 {
			t.Errorf("%d people are kept after all have left", len(a.people))
		}
	})
}

// found is a folder of so many files, each with a property of so many bytes.
type found struct {
	Tree
	files, length int
	later         bool
}

func (f found) Find(context.Context, vpath.Path, bool, files.Want) (self files.Node, below []files.Node, err error) {
	for range f.files {
		one := files.Node{Later: f.later}
		if f.length > 0 {
			one.Props = []store.Prop{{XML: strings.Repeat("x", f.length)}}
		}
		below = append(below, one)
	}
	return files.Node{Dir: true}, below, nil
}

// TestTurnsOfHeavyListings: a listing keeps its turn until it is taken where it takes
// much memory, be it of many files or of few with many properties.
func TestTurnsOfHeavyListings(t *testing.T) {
	for name, c := range map[string]struct {
		folder found
		keeps  bool
	}{
		"nothing":                {found{}, false},
		"1,000 files":            {found{files: shortListing}, false},
		"1,001 files":            {found{files: shortListing + 1}, true},
		"1,000 files of Windows": {found{files: shortListing, length: 400}, false},
		"900 heavy files":        {found{files: 900, length: 17 << 10}, true},
		"ten heavy files":        {found{files: 10, length: 256 << 10}, true},
		"properties to come":     {found{files: 10, later: true}, true},
	} {
		h := &Handler{admission: admission{people: map[string]*turns{}}}
		r := asking(t.Context(), "PROPFIND")
		leave, err := h.enter(r, "ann")
		if err != nil {
			t.Fatal(err)
		}
		room := h.people["ann"].listings
		_, below, done, err := h.find(r, &request{tree: c.folder, turn: "ann"}, true, files.Want{})
		if err != nil || len(below) != c.folder.files || (len(room) == 1) != c.keeps {
			t.Errorf("%s: %d nodes, %v; %d turns are kept, want %t", name, len(below), err, len(room), c.keeps)
		}
		done()
		leave()
		if len(room) != 0 || len(h.people) != 0 {
			t.Errorf("%s: a turn is kept after the answer", name)
		}
	}
}
