package link_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"portico/internal/parts"
	"portico/sharing"
	"portico/store"
	"portico/store/postgres"
)

// stores opens a store for two processes, by the name of its kind. Two processes do
// not share SQLite: there it is one store under two servers.
func stores() map[string]func(*testing.T) [2]store.State {
	return map[string]func(*testing.T) [2]store.State{
		"sqlite": func(t *testing.T) [2]store.State {
			t.Helper()
			s := openSQLite(t)
			return [2]store.State{s, s}
		},
		"postgres": func(t *testing.T) (both [2]store.State) {
			t.Helper()
			db := parts.Postgres(t)
			for i := range both {
				s, err := postgres.Open(t.Context(), db.DSN, postgres.Options{Replica: fmt.Sprintf("r%d", i)})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = s.Close() })
				both[i] = s
			}
			return both
		},
	}
}

// Of fifty downloads at once, by two replicas, a link with a limit of one gives one;
// whether they come from one place or from many.
func TestLimitUnderFifty(t *testing.T) {
	for name, open := range stores() {
		for where, address := range map[string]func(int) string{
			"one place": func(int) string { return "192.0.2.1" }, "many": func(i int) string { return fmt.Sprintf("198.51.100.%d", i+1) },
		} {
			t.Run(name+", "+where, func(t *testing.T) {
				both := open(t)
				h := newHouse(t, both[0], both[1])
				v, token := h.link(sharing.LinkWish{MaxDownloads: 1}, "/firm/Clients/Acme/canary-letter.txt")
				h.ok(h.replicas[1].files.GrantsChanged(t.Context()))
				var all sync.WaitGroup
				var mu sync.Mutex
				got := map[int]int{}
				for i := range 50 {
					c := h.curl().with("X-Test-Address", address(i))
					c.base = h.replicas[i%2].server.URL
					all.Go(func() {
						a, err := c.try(http.MethodGet, "/s/"+token+"/d/canary-letter.txt", http.NoBody)
						mu.Lock()
						defer mu.Unlock()
						if err != nil {
							got[0]++
							return
						}
						got[a.StatusCode]++
						if a.StatusCode == 200 && a.text != "canary text" {
							t.Errorf("got %q", a.text)
						}
					})
				}
				all.Wait()
				l, _, err := both[0].LinkByID(t.Context(), v.ID)
				h.ok(err)
				if got[200] != 1 || l.Downloads != 1 || got[200]+got[410]+got[429] != 50 {
					t.Errorf("answers %v, counted %d", got, l.Downloads)
				}
				left, err := both[0].DownloadsOf(t.Context(), v.ID)
				if h.ok(err); len(left) != 0 {
					t.Errorf("places are still held: %+v", left)
				}
			})
		}
	}
}

// A download that broke off holds its place, is gone on with by the same visitor
// alone, and counts once, whichever replica gives the rest.
func TestLimitResumed(t *testing.T) {
	for name, open := range stores() {
		t.Run(name, func(t *testing.T) {
			both := open(t)
			h := newHouse(t, both[0], both[1])
			const size = 24 << 20
			h.write("/firm/Clients/big.bin", strings.Repeat("0123456789abcdef", size/16))
			v, token := h.link(sharing.LinkWish{MaxDownloads: 1}, "/firm/Clients/big.bin")
			h.ok(h.replicas[1].files.GrantsChanged(t.Context()))
			path := "/s/" + token + "/d/big.bin"
			b := h.browser()
			b.get("/s/" + token).want(200).has("1 download left")
			part := b.cut(path, 1<<20)
			h.settled(func() bool { // the server has noticed
				all, err := both[0].DownloadsOf(t.Context(), v.ID)
				h.ok(err)
				return len(all) == 1 && !strings.Contains(string(all[0].Sent), "streams")
			})
			other := h.curl().with("X-Test-Address", "198.51.100.7")
			other.get(path).want(429).has("Somebody is downloading")
			b.do("HEAD", path, "").want(200)
			b.base = h.replicas[1].server.URL
			rest := b.get(path, "Range", fmt.Sprintf("bytes=%d-", part)).want(206)
			if int64(len(rest.text)) != size-part {
				t.Fatalf("%d bytes of the rest", len(rest.text))
			}
			// It is counted when the last byte has left, which the client may see first.
			h.settled(func() bool {
				l, _, err := both[0].LinkByID(t.Context(), v.ID)
				h.ok(err)
				return l.Downloads == 1
			})
			b.get(path).want(410)
			b.get("/s/" + token).want(410)
			other.get(path).want(410)
		})
	}
}

// cut reads the beginning of a file, and leaves.
func (v *visitor) cut(path string, n int64) int64 {
	v.Helper()
	r, err := http.NewRequestWithContext(v.Context(), http.MethodGet, v.base+path, nil)
	v.ok(err)
	for _, c := range v.client.Jar.Cookies(r.URL) {
		r.AddCookie(c)
	}
	resp, err := (&http.Client{Transport: &http.Transport{}}).Do(r)
	v.ok(err)
	if resp.StatusCode != 200 {
		v.Fatalf("%s: %d", path, resp.StatusCode)
	}
	got, err := io.CopyN(io.Discard, resp.Body, n)
	v.ok(err)
	v.ok(resp.Body.Close())
	return got
}

// settled waits for something that another goroutine is about to do.
func (h *house) settled(is func() bool) {
	h.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	late := time.After(20 * time.Second)
	for !is() {
		select {
		case <-tick.C:
		case <-late:
			h.Fatal("it has not come to pass")
		}
	}
}

// Pieces count together, whatever their order, and previews and HEAD do not.
func TestLimitInPieces(t *testing.T) {
	h := newHouse(t)
	v, token := h.link(sharing.LinkWish{MaxDownloads: 1}, "/firm/Clients/Acme/canary-letter.txt")
	b := h.browser()
	b.get("/s/" + token).want(200)
	path := "/s/" + token + "/d/canary-letter.txt"
	for range 3 {
		b.get("/s/" + token + "/v/canary-letter.txt").want(200)
		b.do("HEAD", path, "").want(200)
		b.get(path, "Range", "bytes=8-").want(206)
		b.get(path, "Range", "bytes=0-3").want(206)
	}
	wantDownloads := func(want int) {
		t.Helper()
		l, _, err := h.replicas[0].state.LinkByID(t.Context(), v.ID)
		if h.ok(err); l.Downloads != want {
			t.Fatalf("%d downloads, want %d", l.Downloads, want)
		}
	}
	wantDownloads(0)
	b.get(path, "Range", "bytes=3-8").want(206)
	wantDownloads(1)
	b.get(path).want(410)
}

// An archive is one download, and the drive counts like the page.
func TestLimitOfArchivesAndDrives(t *testing.T) {
	h := newHouse(t)
	_, token := h.link(sharing.LinkWish{MaxDownloads: 2}, "/firm/Clients/Acme")
	c := h.curl()
	c.get("/s/" + token + "/zip").want(200)
	c.do("PROPFIND", "/dav/link/"+token+"/Acme", "", "Depth", "1").want(207)
	c.get("/dav/link/" + token + "/Acme/canary-letter.txt").want(200)
	c.do("PROPFIND", "/dav/link/"+token+"/Acme", "", "Depth", "1").want(410)
	c.get("/s/" + token + "/zip").want(410)
}

// A link ends with its day, and at once when it is taken back.
func TestEnds(t *testing.T) {
	h := newHouse(t)
	_, token := h.link(sharing.LinkWish{Until: h.clock.Now()}, "/firm/Clients/Acme")
	b := h.browser()
	b.get("/s/" + token).want(200)
	h.clock.add(15 * time.Hour)
	b.get("/s/"+token).want(410).hasNot("Acme", "Ann")
	h.curl().do("PROPFIND", "/dav/link/"+token, "").want(410)
	v, token := h.link(sharing.LinkWish{}, "/firm/Clients/Acme")
	b.get("/s/" + token).want(200)
	h.ok(h.replicas[0].sh.RevokeLink(t.Context(), h.by("ann"), v.ID))
	b.get("/s/" + token).want(410)
	h.curl().get("/s/" + token + "/zip").want(410)
}

// A download in several ranges of one request counts as well, on the drive too.
func TestLimitOfManyRanges(t *testing.T) {
	h := newHouse(t)
	v, token := h.link(sharing.LinkWish{MaxDownloads: 1}, "/firm/Clients/Acme/canary-letter.txt")
	a := h.curl()
	a.get("/dav/link/"+token+"/canary-letter.txt", "Range", "bytes=0-3,4-").want(206)
	h.settled(func() bool {
		l, _, err := h.replicas[0].state.LinkByID(t.Context(), v.ID)
		h.ok(err)
		return l.Downloads == 1
	})
	a.get("/dav/link/"+token+"/canary-letter.txt", "Range", "bytes=0-3,4-").want(410)
}
