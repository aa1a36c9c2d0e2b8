package e2e

import (
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"portico/internal/parts"
)

// litmus runs the five suites of litmus 0.13, and gives what each says: how many tests ran
// and passed, and the names of those that failed.
func litmus(t *testing.T, s *server, path, user string) (suites, failed []string, out string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), parts.Tool(t, "litmus"), "-k", s.dav(path), user, password)
	if s.ca != "" {
		cmd = parts.NewDesktop(t, s.ca).Command(clientTimeout, "litmus", "-k", s.dav(path), user, password)
	}
	cmd.Dir = t.TempDir() // it writes its logs there
	b, err := cmd.CombinedOutput()
	out = string(b)
	if cmd.ProcessState == nil {
		t.Fatalf("litmus: %v", err)
	}
	for _, m := range regexp.MustCompile("summary for `(\\w+)': of (\\d+) tests run: (\\d+) passed, (\\d+) failed").FindAllStringSubmatch(out, -1) {
		suites = append(suites, fmt.Sprintf("%s %s/%s", m[1], m[3], m[2]))
	}
	suite := ""
	for line := range strings.Lines(out) {
		if m := regexp.MustCompile("^-> running `(\\w+)'").FindStringSubmatch(line); m != nil {
			suite = m[1]
		}
		if m := regexp.MustCompile(`([a-z_0-9]+)\.* FAIL`).FindStringSubmatch(line); m != nil {
			failed = append(failed, suite+" "+m[1])
		}
	}
	return suites, failed, out
}

// TestLitmus runs the five suites as an owner, and over TLS as an editor. No warning of
// litmus appears, and nothing is skipped but what it has for plain connections alone.
func TestLitmus(t *testing.T) {
	onEach(t, func(t *testing.T, st storage) {
		for _, way := range []struct {
			start func(*testing.T, storage) *server
			user  string
			http  string
		}{
			{start, "ann", "http 4/4"},
			{startTLS, "bob", "http 3/3"}, // expect100 needs a plain connection
		} {
			want := []string{"basic 16/16", "copymove 13/13", "props 30/30", "locks 41/41", way.http}
			suites, failed, out := litmus(t, way.start(t, st), "/", way.user)
			if d := cmp.Diff(want, suites); d != "" || len(failed) > 0 {
				t.Errorf("as %s failed %v (-want +got):\n%s\n%s", way.user, failed, d, out)
			}
			for _, w := range regexp.MustCompile(`(?m)^.*(WARNING|SKIPPED).*$`).FindAllString(out, -1) {
				if !strings.Contains(w, "SSL server") {
					t.Errorf("litmus as %s: %s", way.user, w)
				}
			}
		}
	})
}

// TestLitmusRoles runs it as those who may do less: what fails is what the role means,
// and nothing else. Each suite begins with a folder of its own, which a viewer may not
// make; who drops files blindly may make it, and sees nothing of it then.
func TestLitmusRoles(t *testing.T) {
	onEach(t, func(t *testing.T, st storage) {
		s := startTLS(t, st)
		s.do("ann", "MKCOL", "/dav/firm/inbox", "").want(201)
		for _, role := range []struct {
			user, path string
			failed     []string
		}{
			{"eve", "/", []string{"basic begin", "copymove begin", "props begin", "locks begin", "http begin"}},
			{"ida", "/inbox/", []string{
				"basic put_get", "basic put_get_utf8_segment", "basic put_no_parent", "basic delete_fragment", "basic mkcol_again",
				"basic delete_coll", "basic mkcol_no_parent", "copymove copy_simple", "copymove copy_overwrite",
				"copymove copy_coll", "copymove copy_shallow", "copymove move", "copymove move_coll", "props propfind_d0",
				"props propset", "props propmanyns", "props propget", "locks lock_excl", "locks lock_shared",
				"locks lock_collection", "locks unmapped_lock",
			}},
		} {
			_, failed, out := litmus(t, s, role.path, role.user)
			if d := cmp.Diff(role.failed, failed); d != "" {
				t.Errorf("as %s (-want +got):\n%s\n%s", role.user, d, out)
			}
		}
	})
}
