package app

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"portico/internal/parts"
)

// TestReadyWithOthers wants a replica that has lost touch with the others to say
// so: what it would answer may be wrong.
func TestReadyWithOthers(t *testing.T) {
	t.Parallel() // it waits for several seconds
	pg := parts.OwnPostgres(t)
	h := build(t, onPostgres(pg, "r1")...) // nobody follows the journal
	eventually(t, "it tells that it does not know what others do", func() bool {
		status, text := h.probe(t.Context(), "/readyz")
		return status == 503 && text == "config: ok\nreplicas: unavailable\nstate: ok\nstorage disk: ok\n"
	})
	h.close()

	run := start(t, onPostgres(pg, "r2")...)
	ready := func() bool { status, _ := run.do("GET", "/readyz", "", ""); return status == 200 }
	eventually(t, "one that follows is ready", ready)
	pg.Stop(t)
	eventually(t, "without the database it is not", func() bool {
		status, text := run.do("GET", "/readyz", "", "")
		return status == 503 && strings.Contains(text, "state: unavailable")
	})
	if status, _ := run.do("GET", "/healthz", "", ""); status != 200 {
		t.Errorf("healthz: %d; to start it anew would not help", status)
	}
	pg.Start(t)
	eventually(t, "with the database it is ready again", ready)
}

// TestAnnounce wants a server that ends to be seen as such first, while it still
// answers, and nothing left of it.
func TestAnnounce(t *testing.T) {
	const drain = 2 * time.Second
	alone := goleak.IgnoreCurrent()
	h := start(t, "server: {", "server: {drain: 2s, ")
	if status, _ := h.do("PUT", "/dav/firm/a", "x", password); status != 201 {
		t.Fatalf("PUT: %d", status)
	}
	began := time.Now()
	ended := make(chan error, 1)
	go func() { ended <- h.stop() }()
	eventually(t, "/readyz is red", func() bool { return h.draining.Load() })
	if status, text := h.do("GET", "/readyz", "", ""); status != 503 || !strings.Contains(text, "server: stopping") {
		t.Errorf("readyz: %d, %s", status, text)
	}
	for method, want := range map[string]int{"GET": 200, "PUT": 204} {
		if status, _ := h.do(method, "/dav/firm/a", "x", password); status != want {
			t.Errorf("%s while the balancer is told: %d, want %d", method, status, want)
		}
	}
	if status, _ := h.do("GET", "/login", "", ""); status != 200 {
		t.Errorf("a page while the balancer is told: %d", status)
	}
	select {
	case err := <-ended:
		t.Errorf("it ended after %v, with %v, before its time to be seen was over", time.Since(began), err)
	default:
	}
	if err := <-ended; err != nil {
		t.Errorf("run = %v", err)
	}
	if took := time.Since(began); took < drain {
		t.Errorf("it ended after %v, want %v at least", took, drain)
	}
	h.close()
	if err := goleak.Find(alone); err != nil {
		t.Errorf("left of it: %v", err)
	}
}

// TestAnnounceFails wants a listener that breaks while the balancer is told to end
// the wait, with its error.
func TestAnnounceFails(t *testing.T) {
	h := build(t)
	broken := make(chan error, 1)
	broken <- os.ErrDeadlineExceeded
	if err := h.announce(time.Hour, broken); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("announce = %v", err)
	}
	if err := h.announce(0, nil); err != nil || !h.draining.Load() {
		t.Errorf("announce of nothing = %v", err)
	}
}
