package app

import (
	"os"
	"strings"
	"sync"
	"testing"

	"portico/backends"
	"portico/vpath"
)

// TestReload takes over what may change while the server runs.
func TestReload(t *testing.T) {
	h := start(t)
	put := func(path, password string) int {
		t.Helper()
		status, _ := h.do("PUT", path, "x", password)
		return status
	}
	if got := put("/dav/firm/a", password); got != 201 {
		t.Fatalf("PUT: %d", got)
	}

	// A fault: nothing changes, and everybody who looks is told.
	epoch := h.epoch()
	h.edit("editor", "emperor")
	if got := put("/dav/firm/a", password); got != 204 {
		t.Errorf("PUT with a faulty config: %d, want 204", got)
	}
	if status, text := h.do("GET", "/readyz", "", ""); status != 200 || !strings.Contains(text, "config: the file has a fault") {
		t.Errorf("readyz: %d, %s", status, text)
	}
	if h.epoch() != epoch || !strings.Contains(h.log.String(), "emperor") {
		t.Errorf("epoch %d, was %d; the log:\n%s", h.epoch(), epoch, h.log)
	}

	// A new right, and a password that counts at once: the old one was cached.
	h.edit("emperor", "viewer")
	if got := put("/dav/firm/a", password); got != 403 {
		t.Errorf("PUT by a viewer: %d, want 403", got)
	}
	if h.epoch() != epoch+1 {
		t.Errorf("epoch %d after a reload, want %d", h.epoch(), epoch+1)
	}
	const next = "another-horse-battery"
	h.edit(hashOf(password), hashOf(next))
	for pass, want := range map[string]int{password: 401, next: 200} {
		if got, _ := h.do("GET", "/dav/firm/a", "", pass); got != want {
			t.Errorf("GET with %s: %d, want %d", pass, got, want)
		}
	}
	if status, text := h.do("GET", "/readyz", "", ""); status != 200 || !strings.Contains(text, "config: ok") {
		t.Errorf("readyz: %d, %s", status, text)
	}

	// What needs a restart waits for it, and is told each time until then.
	h.edit("\nworkspaces:\n", "\nworkspaces:\n  lab: {storage: disk, folders: {/: {grant: {\"user:ann\": viewer}}}}\n")
	h.edit("viewer", "editor")
	if n := strings.Count(h.log.String(), "key=workspaces.lab"); n != 2 {
		t.Errorf("told %d times that a workspace waits for the restart, want 2", n)
	}
	if got, _ := h.do("GET", "/dav/lab/", "", next); got != 404 {
		t.Errorf("GET of the new workspace: %d, want 404", got)
	}
	if got, _ := h.do("GET", "/dav/firm/a", "", next); got != 200 {
		t.Errorf("GET beside the new workspace: %d", got)
	}
}

// TestReloadIsWhole swaps two configs, of which each has another Ann with another
// password and another folder, under a load of requests. What no single config
// allows never happens.
func TestReloadIsWhole(t *testing.T) {
	const other = "another-horse-battery"
	h := start(t, "{/: {grant: {\"user:ann\": editor}}}", "{/Old: {grant: {\"user:ann\": editor}}}")
	b, err := os.ReadFile(h.file)
	if err != nil {
		t.Fatal(err)
	}
	was := string(b)
	now := strings.NewReplacer("/Old", "/New", hashOf(password), hashOf(other)).Replace(was)
	for _, folder := range []string{"Old", "New"} {
		if _, err := h.trees["firm"].Mkdir(t.Context(), vpath.Must("/"+folder), backends.Meta{}); err != nil {
			t.Fatal(err)
		}
	}
	end := make(chan bool)
	var all sync.WaitGroup
	for _, c := range []struct{ password, folder string }{{password, "New"}, {other, "Old"}} {
		all.Go(func() {
			for {
				select {
				case <-end:
					return
				default:
				}
				if got, _ := h.do("PUT", "/dav/firm/"+c.folder+"/x", "x", c.password); got != 401 && got != 404 && got != 403 {
					t.Errorf("PUT into %s by the other Ann: %d", c.folder, got)
				}
			}
		})
	}
	for i := range 20 {
		if i%2 == 0 {
			h.edit(was, now)
		} else {
			h.edit(now, was)
		}
	}
	close(end)
	all.Wait()
}
