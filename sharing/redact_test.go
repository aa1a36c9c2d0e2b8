package sharing_test

import (
	"testing"

	"portico/sharing"
)

func TestRedacted(t *testing.T) {
	for path, want := range map[string]string{
		"/s/gwl_abc": "/s/[redacted]", "/s/gwl_abc/d/a.txt": "/s/[redacted]/d/a.txt", "/dav/link/gwl_abc/": "/dav/link/[redacted]/",
		"/invite/gwi_x": "/invite/[redacted]", "/files/s/x": "/files/s/x", "/s/": "/s/", "/s//x": "/s//x", "//s/gwl_abc": "//s/[redacted]", "/dav//link/gwl_abc/x": "/dav//link/[redacted]/x", "/s//gwr_x": "/s//[redacted]", "/dav/firm/s/x": "/dav/firm/s/x", "/": "/",
	} {
		if got := sharing.Redacted(path); got != want {
			t.Errorf("Redacted(%q) = %q, want %q", path, got, want)
		}
	}
}
