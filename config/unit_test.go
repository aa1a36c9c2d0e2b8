package config

import (
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"
	"pgregory.net/rapid"

	"portico/identity"
)

// read lets one reader read one YAML value, and gives the faults.
func read[T any](t *testing.T, text string, reader func(value) T) (T, Faults) {
	t.Helper()
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	l := newLoader("t.yaml", testEnv)
	got := reader(value{l, doc.Content[0], "key"})
	return got, l.faults
}

// scalarNode is a text of the file.
func scalarNode(text string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text, Line: 1}
}

func TestSize(t *testing.T) {
	for text, want := range map[string]int64{
		"1": 1, "512B": 512, "1KB": 1000, "1KiB": 1024, "3MB": 3e6, "2 MiB": 2 << 20, "10GiB": 10 << 30, "5GB": 5e9,
		"1TiB": 1 << 40, "1TB": 1e12, "1PiB": 1 << 50, "7PB": 7e15, "9223372036854775807": math.MaxInt64,
		"${QUOTA}": 10 << 30,
	} {
		if got, faults := read(t, text, value.size); got != want || len(faults) > 0 {
			t.Errorf("size %s = %d (%v), want %d", text, got, faults, want)
		}
	}
	for _, text := range []string{"-1", "1.5GiB", "1iB", "GiB", "1gib", "1G", "0x10", "1 000", "8192PiB", "9223372036854775808", "[1]", "''", "1e3", "0"} {
		if got, faults := read(t, text, value.size); len(faults) != 1 {
			t.Errorf("size %s = %d (%v), want one fault", text, got, faults)
		}
	}
}

func TestAddress(t *testing.T) {
	reader := func(v value) string { s, _ := v.address(); return s }
	for text, loopback := range map[string]bool{
		"127.0.0.1:8080": true, "127.8.9.1:0": true, "localhost:80": true, "LOCALHOST:80": true, "'[::1]:80'": true, "'[::ffff:127.0.0.1]:80'": true,
		"0.0.0.0:80": false, "':80'": false, "'[::]:80'": false, "192.168.1.1:80": false, "files.firm.example:80": false, "localhost.example:80": false, "128.0.0.1:80": false,
	} {
		got, faults := read(t, text, reader)
		if len(faults) > 0 || isLoopback(got) != loopback {
			t.Errorf("address %s: loopback = %v (%v), want %v", text, isLoopback(got), faults, loopback)
		}
	}
	for _, text := range []string{"'80'", "'1.2.3.4'", "1.2.3.4:65536", "1.2.3.4:-1", "'::1:80'", "'a/b:80'", "'-:80'", "'http://a:80'"} {
		if got, faults := read(t, text, reader); len(faults) != 1 {
			t.Errorf("address %s = %s (%v), want one fault", text, got, faults)
		}
	}
	if isLoopback("no address") {
		t.Error("what is no address passes for loopback")
	}
}

func TestExpand(t *testing.T) {
	scene(t)
	l := newLoader("t.yaml", testEnv)
	for raw, want := range map[string]string{
		"":                                "",
		"$argon2id$v=19$m=1,t=2,p=1$a$b":  "$argon2id$v=19$m=1,t=2,p=1$a$b",
		"$2b$12$abc":                      "$2b$12$abc",
		"${LOGIN}":                        "ann",
		"a${LOGIN}b${LOGIN}":              "aannbann",
		"$${LOGIN}":                       "${LOGIN}",
		"$$${LOGIN}":                      "$${LOGIN}",
		"{LOGIN} $LOGIN }":                "{LOGIN} $LOGIN }",
		"${file:secrets/good}-${LOGIN}":   "s3cret-value-ann",
		"cost: $5 {net}, $${x} ${LOGIN}$": "cost: $5 {net}, ${x} ann$",
	} {
		if got, err := l.expand(raw); got != want || err != nil {
			t.Errorf("expand(%q) = %q, %v, want %q", raw, got, err, want)
		}
	}
	for _, raw := range []string{"${", "${}", "${LOGIN", "${1A}", "${NONE}", "${EMPTY}", "${file:}", "${file:none}", "${ LOGIN }", "${${LOGIN}}"} {
		if got, err := l.expand(raw); err == nil {
			t.Errorf("expand(%q) = %q, want an error", raw, got)
		}
	}
}

// TestExpandOnce: what is put in is text, whatever it looks like.
func TestExpandOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		inside := rapid.StringMatching(`[${}A:a\n #&*-]{1,12}`).Draw(t, "inside")
		l := newLoader("t.yaml", func(string) (string, bool) { return inside, true })
		if got, err := l.expand("<${A}>"); got != "<"+inside+">" || err != nil {
			t.Fatalf("expand with %q = %q, %v", inside, got, err)
		}
		escaped := strings.ReplaceAll(inside, "${", "$${")
		if strings.Contains(inside, "$${") {
			return // has a meaning of its own
		}
		if got, err := l.expand(escaped); got != inside || err != nil {
			t.Fatalf("expand(%q) = %q, %v, want %q", escaped, got, err, inside)
		}
	})
}

func TestDidYouMean(t *testing.T) {
	known := []string{"listen", "public_url", "log", "grant"}
	for written, want := range map[string]string{
		"lisen": "listen", "listne": "listen", "Listen": "listen", "publicurl": "public_url", "lgo": "log", "grants": "grant",
		"colour": "", "x": "", "": "", "logging": "",
	} {
		hint := ""
		if want != "" {
			hint = fmt.Sprintf(" (did you mean %q?)", want)
		}
		if got := didYouMean(written, known); got != hint {
			t.Errorf("didYouMean(%q) = %q, want %q", written, got, hint)
		}
	}
}

// TestDistance holds the table against the definition.
func TestDistance(t *testing.T) {
	var naive func(a, b string) int
	naive = func(a, b string) int {
		if a == "" || b == "" {
			return len(a) + len(b)
		}
		d := min(naive(a[1:], b), naive(a, b[1:])) + 1
		same := 1
		if a[0] == b[0] {
			same = 0
		}
		d = min(d, naive(a[1:], b[1:])+same)
		if len(a) > 1 && len(b) > 1 && a[0] == b[1] && a[1] == b[0] {
			d = min(d, naive(a[2:], b[2:])+1)
		}
		return d
	}
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.StringMatching(`[abc]{0,5}`).Draw(t, "a")
		b := rapid.StringMatching(`[abc]{0,5}`).Draw(t, "b")
		if got, want := distance(a, b, 9), naive(a, b); got != want {
			t.Fatalf("distance(%q, %q) = %d, want %d", a, b, got, want)
		}
	})
}

func TestHolds(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want bool
	}{
		{"", "", true},
		{"", "a", true},
		{"a", "a", true},
		{"a", "a/b", true},
		{"a", "ab", false},
		{"a/b", "a", false},
		{"/", "/x", true},
		{"/x", "/xy", false},
	} {
		if got := holds(test.a, test.b); got != test.want {
			t.Errorf("holds(%q, %q) = %v, want %v", test.a, test.b, got, test.want)
		}
	}
}

// TestStorageBehindLink: two names of one folder are one folder, and neither
// the state nor the config may lie in what is served.
func TestStorageBehindLink(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.MkdirAll("real/files", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("real", "link"); err != nil {
		t.Fatal(err)
	}
	local := func(path string) Storage { return Storage{Local: &Local{Path: path}} }
	if !sameFiles(local("real/files"), local("link/files/later/on")) {
		t.Error("link/files/later/on passes for another folder than real/files")
	}
	if sameFiles(local("real/files"), local("link/other")) {
		t.Error("link/other passes for real/files")
	}
	l := newLoader("link/files/portico.yaml", testEnv)
	l.storageNames.all = []string{"disk"}
	l.stateApart(&Config{Storage: map[string]Storage{"disk": local("real/files")}, State: State{SQLite: "link/files/x/portico.db"}})
	if len(l.faults) != 2 {
		t.Errorf("got %v, want faults of the state and of the config", l.faults)
	}
}

// TestFirstBroken: the fault's line is where a reader would look.
func TestFirstBroken(t *testing.T) {
	many := strings.Repeat("a: 1\n", 2*maxTries)
	for text, want := range map[string]int{
		"a: 1\nb: [\nc: 2\nd: 3\n":          2,
		"a: 1\nb: {c: 1,\n  d: 2\ne: 3\n":   2,
		"a: 1\n b: 2\nc: 3\n":               2,
		"a: \"x\nb: 1\n":                    1,
		"a: 1\n- b\n":                       2,
		"a: 'it''s'\nb: 'it's'\n":           2,
		"a: 1\n\tb: 2\n":                    2,
		"a: 1\n---\nb: [\n":                 3,
		"a: 1\r\nb: @x\r\n":                 2,
		"a: b: c\n" + many:                  0, // any line will do: the work is bounded
		"a: 1\n...\nb: 1\nc: *none\nd: 1\n": 3,
	} {
		_, err := parse("t.yaml", []byte(text), testEnv)
		faults, ok := errors.AsType[Faults](err)
		if !ok || want != 0 && faults[len(faults)-1].Line != want {
			t.Errorf("%.30q: %v, want line %d", text, err, want)
		}
	}
}

// TestDemoChecksAreBounded: a config of many users loads in bounded time, and
// hashes that are too dear to try are passed over.
func TestDemoChecksAreBounded(t *testing.T) {
	parse := func(text string) identity.Hash {
		h, err := identity.ParseHash(text)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	demo := parse("$argon2id$v=19$m=19456,t=2,p=1$TdlksBQ/hpIVOj0UmKGRXA$6n4nVM10LnnoAMT0+MXKESPkmGZThAP5KVEx5uOm6nw")
	dear := parse("$argon2id$v=19$m=131072,t=10,p=1$TdlksBQ/hpIVOj0UmKGRXA$6n4nVM10LnnoAMT0+MXKESPkmGZThAP5KVEx5uOm6nw")
	v := value{newLoader("t.yaml", testEnv), &yaml.Node{Kind: yaml.ScalarNode}, "key"}
	for range maxDemoChecks {
		v.l.hashes = append(v.l.hashes, hashAt{v, dear})
	}
	for range 3 {
		v.l.hashes = append(v.l.hashes, hashAt{v, demo})
	}
	began := time.Now()
	v.l.refuseDemoPassword(Server{Listen: "0.0.0.0:80"})
	if len(v.l.faults) != 3 || time.Since(began) > 20*time.Second {
		t.Errorf("%d of 3 demo passwords were refused, in %v", len(v.l.faults), time.Since(began))
	}
	v.l.faults = nil
	v.l.refuseDemoPassword(Server{Listen: "127.0.0.1:80"})
	if len(v.l.faults) != 0 {
		t.Errorf("refused on loopback: %v", v.l.faults)
	}
}
