package portal_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
)

// TestFloodLeavesNoRows: what anybody can send without limit writes nothing to the
// audit, which is kept for years and shares one writer with all changes.
func TestFloodLeavesNoRows(t *testing.T) {
	t.Parallel()
	h, _ := outside(t)
	somebody := h.browser(h.a)
	agent := strings.Repeat("x", 10_000)
	login := url.Values{"name": {"ann"}, "password": {"wrong horse battery"}}.Encode()
	for i := range 60 {
		somebody.do("POST", "/login", login, "Content-Type", "application/x-www-form-urlencoded", "User-Agent", agent, "Test-Address", fmt.Sprintf("192.0.2.%d", i))
		somebody.get("/auth/oidc/callback")
		somebody.get("/auth/oidc/callback?state=a&code=b")
		somebody.do("POST", "/login", url.Values{"name": {"ann"}, "password": {"x\x00"}}.Encode(), "Content-Type", "application/x-www-form-urlencoded")
		somebody.do("GET", "/api/v1/app-passwords", "", "Authorization", basic("ann", "wrong horse battery"), "User-Agent", agent)
	}
	h.set(func() {
		if n := len(h.events); n == 0 || n > 10 { // five are free, and then each has to wait
			t.Errorf("%d rows, want some and no more than 10; the last: %+v", n, h.events[max(n-1, 0)].Why)
		}
		for _, e := range h.events {
			if len(e.Agent) > 256 {
				t.Errorf("a row with an agent of %d bytes", len(e.Agent))
				break
			}
		}
	})
}
