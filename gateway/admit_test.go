package gateway

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"

	"portico/fault"
)

// TestAdmissionWaits fills a person's uploads: the next one waits, other
// requests and other people do not.
func TestAdmissionWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := admission{people: map[string]*turns{}}
		var leave []func()
		for range maxUploads {
			l, err := a.enter(t.Context(), "ann", http.MethodPut)
			if err != nil {
				t.Fatal(err)
			}
			leave = append(leave, l)
		}
		entered := false
		go func() {
			l, err := a.enter(t.Context(), "ann", http.MethodPut)
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
			l, err := a.enter(t.Context(), other.id, other.method)
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
				if l, err := a.enter(ctx, "ann", http.MethodGet); err == nil {
					<-ctx.Done()
					l()
				}
			}()
		}
		synctest.Wait()
		if _, err := a.enter(ctx, "ann", http.MethodGet); !errors.Is(err, fault.ErrBusy) {
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
		if _, err := a.enter(t.Context(), "ann", []string{http.MethodPut, http.MethodPatch}[i%2]); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, method := range []string{http.MethodPut, http.MethodPatch} {
		if _, err := a.enter(ctx, "ann", method); !errors.Is(err, context.Canceled) {
			t.Errorf("one %s more = %v", method, err)
		}
	}
	if _, err := a.enter(t.Context(), "ann", http.MethodGet); err != nil {
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
			l, err := a.enter(t.Context(), "ann", []string{"REPORT", "SEARCH"}[i%2])
			if err != nil {
				t.Fatal(err)
			}
			leave = append(leave, l)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := a.enter(ctx, "ann", "SEARCH"); !errors.Is(err, context.Canceled) {
			t.Errorf("one search more = %v", err)
		}
		l, err := a.enter(t.Context(), "ann", "PROPFIND")
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
			func() (func(), error) { return a.enter(t.Context(), "ann", "PROPFIND") },
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
	leave, err := a.enter(t.Context(), "ann", "PROPFIND")
	if err != nil {
		t.Fatal(err)
	}
	leave()
}
