package gateway_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"portico/gateway/gatewaytest"
)

// Apple's pair is in blocks of 512 bytes, with the whole in place of what is left.
func TestQuotaInBlocks(t *testing.T) {
	const whole = 1 << 20 // the quota of /firm
	ann := newHouse(t).as("ann")
	of := func(m gatewaytest.Multistatus, href, name string) string {
		t.Helper()
		e, status := m.Prop(href, "DAV:", name)
		if status == 404 {
			return "none"
		}
		return e.Text
	}
	ask := []string{"quota-available-bytes", "quota-used-bytes", "quota", "quotaused"} // as webdavfs asks
	for _, c := range []struct {
		size int
		want []string
	}{
		{0, []string{"1048576", "0", "2048", "0"}},
		{1, []string{"1048575", "1", "2048", "1"}},
		{511, []string{"1048065", "511", "2048", "1"}},
		{512, []string{"1048064", "512", "2048", "1"}},
		{513, []string{"1048063", "513", "2048", "2"}},
		{whole, []string{"0", "1048576", "2048", "2048"}},
	} {
		ann.Put("/firm/a", strings.Repeat("x", c.size)).Want(201, 204)
		m := ann.Propfind("/firm", "1", ask...).Want(207).Multistatus()
		var got []string
		for _, name := range ask {
			got = append(got, of(m, "/dav/firm/", name))
			if v := of(m, "/dav/firm/a", name); v != "none" {
				t.Errorf("a file has %s: %q", name, v)
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%d bytes used: -want +got\n%s", c.size, diff)
		}
		// They come alone, too, as its first versions asked.
		alone := ann.Propfind("/firm", "0", "quota", "quotaused").Want(207).Multistatus()
		if w, u := of(alone, "/dav/firm/", "quota"), of(alone, "/dav/firm/", "quotaused"); w != c.want[2] || u != c.want[3] {
			t.Errorf("%d bytes used: quota %s, quotaused %s", c.size, w, u)
		}
	}
	ann.Propfind("/firm", "0").Want(207).WantNot("quota")
	ann.Do("PROPPATCH", "/firm", `<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><D:quota>9</D:quota></D:prop></D:set></D:propertyupdate>`).
		Want(207).WantIn("403")
}
